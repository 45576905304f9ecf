# SPDX-License-Identifier: GPL-2.0-only
# Shared by the bats files: where things are, on the build machine and in the bench.
# shellcheck shell=bash

TOP=$BATS_TEST_DIRNAME/../..
DEVICE=${JOIST_DEVICE:-/dev/joist}

first()
{
	local f
	for f in "$@"; do
		[ -e "$f" ] && echo "$f" && return
	done
	echo "none of $* exists" >&2
	return 1
}

VMCTL=$(first /userspace/vmctl "$TOP/build/userspace/vmctl")
VMD=$(first /userspace/vmd "$TOP/build/userspace/vmd" || true)
BIN=$(first /selftests/bats "$TOP/build/selftests/bats")
KERNEL=$BIN/kernel.elf

need_device()
{
	[ -c "$DEVICE" ] || skip "no $DEVICE"
}

# guest LETTER [OPTION...]: the tests' kernel, told what to do. Its console is
# standard output.
guest()
{
	local letter=$1
	shift
	timeout 60 "$VMCTL" run --device-path "$DEVICE" -m 16M --cmdline-only \
		--cmdline "$letter" "$@" "$KERNEL" </dev/null
}

# until TRIES COMMAND...: as often, ten times a second.
until_true()
{
	local tries=$1
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ $((tries--)) -gt 0 ] || return 1
		sleep 0.1
	done
}
