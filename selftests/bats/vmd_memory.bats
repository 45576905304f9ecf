#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmd: memory that is plugged into a VM that runs, and out.

load vmd
load guest_net

# shellcheck disable=SC2034 # guest_net's script() begins with it
GUEST_FIRST='
echo online_movable >/sys/devices/system/memory/auto_online_blocks
load memory
'

teardown()
{
	echo "$output"
	sed 's/^/# /' /var/log/joist/web.log 2>/dev/null | tail -n 30
	[ -z "$EVENTS" ] || kill "$EVENTS" 2>/dev/null || true
	vmd_teardown
}

log_has()
{
	until_true 600 eval "ask log web | grep -q '$1'"
}

memory()
{
	run "$VMCTL" memory --json "$@"
	echo "$output"
}

# mib NAME: a figure of the last answer
mib()
{
	echo $(($(field "$1") >> 20))
}

# resident: MiB of the host's memory that its process has
resident()
{
	awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$(pid_of web)/status"
}

@test "a guest has more memory when it is asked to, uses it, and gives it back" {
	[ -e /guest/vmlinux ] || skip "no guest kernel"
	script '
		total() { awk "/^MemTotal/ { print int(\$2 / 1024) }" /proc/meminfo; }
		start=$(total)
		echo "guest: has $start"
		until [ $(total) -gt $((start + 250)) ]; do sleep 0.2; done
		mount -t tmpfs -o size=90% tmpfs /tmp
		dd if=/dev/zero of=/tmp/a bs=1M count=250 2>/dev/null
		echo "guest: wrote $(stat -c %s /tmp/a)"
		rm /tmp/a
		umount /tmp
		until [ $(total) = $start ]; do sleep 0.2; done
		echo "guest: as before"
		while :; do sleep 60; done'
	vm web '' 'kernel = "/guest/vmlinux"' "initrd = \"$INITRD\"" 'memory = 192M' \
		'pluggable = 512M' \
		'cmdline = "console=ttyS0 quiet cryptomgr.notests joist.do=script"' | conf
	daemon
	"$VMCTL" events web --json >"$BATS_TEST_TMPDIR/events" 2>&1 3>&- &
	EVENTS=$!
	ask start web
	log_has "guest: has"
	memory web
	[ "$(field driver)" = true ]
	[ "$(mib size)" = 192 ] && [ "$(mib target)" = 192 ] && [ "$(mib most)" = 704 ]
	memory web 448M --wait -t 60
	[ "$status" = 0 ]
	[ "$(mib size)" = 448 ]
	log_has "guest: wrote 262144000"
	[ "$(resident)" -gt 270 ]
	memory web 192M --wait -t 60
	[ "$status" = 0 ]
	[ "$(mib size)" = 192 ]
	log_has "guest: as before"
	[ "$(resident)" -lt 230 ]
	[ "$(grep -c '"what":"memory"' "$BATS_TEST_TMPDIR/events")" = 2 ]
}

@test "no such memory, too much of it, too little" {
	{
		vm web l 'pluggable = 64M'
		vm none l
	} | conf
	daemon
	memory web
	[ "$status" = 7 ]
	ask start web
	ask start none
	memory none
	[ "$status" = 1 ]
	[[ $output == *"has no memory that can be plugged in"* ]]
	for size in 15M 81M; do
		memory web $size
		[ "$status" != 0 ]
		[[ $output == *"has 16 MiB of memory, and 80 at most"* ]]
	done
	# A guest without a driver does nothing.
	memory web 80M --wait -t 1
	[ "$status" = 9 ]
	memory web
	[ "$(mib target)" = 80 ] && [ "$(mib size)" = 16 ] && [ "$(field driver)" = false ]
	vm odd l 'pluggable = 3M' | conf
	run ask config-check
	[[ $output == *"is not whole 2 MiB"* ]]
}
