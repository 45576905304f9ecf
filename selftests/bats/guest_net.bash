# SPDX-License-Identifier: GPL-2.0-only
# A Debian kernel as the guest, with the modules it needs and a script of the test's own.
# shellcheck shell=bash

# In the guest: load WHAT: the modules for it.
GUEST_LOAD='
load()
{
	while read -r ko; do insmod "/modules/$ko" 2>/dev/null; done <"/modules/order-$1"
}
'

# What every script begins with, unless the tests have another beginning.
GUEST_FIRST='
load net
ip link set lo up
ip link set eth0 up
'

# script TEXT: an initrd whose guest runs it, $INITRD
script()
{
	local dir=$BATS_TEST_TMPDIR/extra
	INITRD=$BATS_TEST_TMPDIR/initrd
	mkdir -p "$dir"
	printf '%s\n' "$GUEST_LOAD" "$GUEST_FIRST" "$1" >"$dir/script"
	{
		cat /guest/initrd
		(cd "$dir" && echo script | cpio -o -H newc 2>/dev/null)
	} >"$INITRD"
}

# net_guest [OPTION...]: run it, on the console
net_guest()
{
	timeout 200 "$VMCTL" run --device-path "$DEVICE" -m 128M --initrd "$INITRD" \
		--cmdline joist.do=script "$@" /guest/vmlinux </dev/null
}

# linux NAME [LINE...]: the definition of a VM of vmd's with that guest and script.
linux()
{
	printf 'vm "%s" {\nkernel = "/guest/vmlinux"\ninitrd = "%s"\nmemory = 128M\n' "$1" "$INITRD"
	printf 'cmdline = "console=ttyS0 quiet panic=-1 cryptomgr.notests joist.do=script"\n'
	shift
	printf '%s\n' "$@" "}"
}

need_guest()
{
	need_device
	[ -e /guest/vmlinux ] || skip "no guest kernel"
}

# net_guest_now [OPTION...]: the tests' small kernel, which powers off at once
net_guest_now()
{
	guest o "$@"
}
