#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmd: clients that do wrong, and a host that has too little.

load vmd

teardown()
{
	vmd_teardown
	umount /var/log/joist /var/lib/joist 2>/dev/null || true
}

@test "garbage, long lines and crowds of clients are borne" {
	vm web h | conf
	daemon
	ask start web
	for line in 'no json' '[]' '1' '{' '{}' '{"v":2,"op":"list"}' '{"v":1}' '{"v":1,"op":"fly"}' \
		'{"v":1,"op":"list","vm":"web"}' '{"v":1,"op":"start"}' '{"v":1,"op":"stop","vm":"web","force":1}' \
		'{"v":1,"op":"stop","vm":"web","timeout":-1}' '{"v":1,"op":"show","vm":{}}' \
		'{"v":1,"op":"list"} x' '{"v":1,"id":[],"op":"list"}' '{"v":1,"op":"console","vm":"web","mode":"x"}'; do
		run "$CTL" "$line"
		[ "$status" = 1 ]
		case $(field code) in
		bad-request | bad-version | unknown-op) ;;
		*) echo "$line: $output"; false ;;
		esac
	done
	run "$CTL" "$(printf '{"v":1,"op":"%070000d"}' 0)"
	[ "$(field code)" = bad-request ] || { echo "$status: $output"; false; }
	head -c 1000000 /dev/urandom | timeout 10 "$CTL" -s /run/joist/control "$(head -c 3000 /dev/urandom | tr -d '\0\n')" || true
	# More than it takes: some are refused, and root still gets in.
	su alice -c "for n in \$(seq 100); do $CTL -f 8 '{\"v\":1,\"op\":\"events\"}' >/tmp/crowd.\$n 2>&1 & done; wait" 3>&- &
	crowd=$!
	sleep 3
	answers
	[ "$(cat /tmp/crowd.* | grep -c '"code":"limit"')" -ge 30 ]
	kill $crowd 2>/dev/null || true
	wait $crowd || true
	rm -f /tmp/crowd.*
	[ "$(state web)" = '"state":"running"' ]
	answers
}

@test "a client that does not read is let go" {
	for n in {1..20}; do vm vm$n h; done | conf
	daemon
	fds=$(ls "/proc/$(processes --control)/fd" | wc -l)
	# 8 KiB each time.
	"$CTL" -n 200 '{"v":1,"op":"list"}'
	answers
	[ "$(ls "/proc/$(processes --control)/fd" | wc -l)" = "$fds" ]
	# One that asks for less than the socket holds is not.
	run "$CTL" -n 2 '{"v":1,"op":"list"}'
	[ "$status" = 1 ]
}

@test "no module: it says so, and starts when it is there" {
	vm web h | conf
	mv /dev/joist /dev/joist.away
	daemon
	run ask start web
	mv /dev/joist.away /dev/joist
	[ "$(field code)" = no-host ]
	[[ $output == *"modprobe joist"* ]]
	run ask start web
	[ "$status" = 0 ]
}

@test "a second daemon is refused" {
	conf </dev/null
	daemon
	run timeout 10 "$VMD" -d
	[ "$status" = 1 ]
	[[ $output == *"another vmd is running"* ]]
	answers
}

@test "out of descriptors: requests fail or wait, and work when there are some again" {
	for n in {1..8}; do vm vm$n h; done | conf
	# The daemon would raise its limit. Its VMs have their own.
	read -r nr_open </proc/sys/fs/nr_open
	echo 1024 >/proc/sys/fs/nr_open
	printf '#!/bin/sh\nulimit -n 22\nexec %s "$@"\n' "$VMD" >"$BATS_TEST_TMPDIR/few"
	chmod +x "$BATS_TEST_TMPDIR/few"
	VMD=$BATS_TEST_TMPDIR/few
	daemon
	echo "$nr_open" >/proc/sys/fs/nr_open
	grep -q '^Max open files  *22 ' "/proc/$VMD_PID/limits"
	failed=
	for n in {1..8}; do
		run ask start vm$n
		[ "$status" = 0 ] || { failed=vm$n && break; }
	done
	[ -n "$failed" ]
	[[ $output == *"Too many open files"* ]]
	[ "$(state vm1)" = '"state":"running"' ]
	# Clients that find no room wait.
	control=$(processes --control)
	for n in {1..20}; do
		"$CTL" -f 10 '{"v":1,"op":"events"}' >/dev/null 2>&1 3>&- &
	done
	until_true 30 eval '[ "$(ls "/proc/$control/fd" | wc -l)" = 22 ]'
	[ "$(state vm1)" = '"state":"running"' ]
	for n in 1 2; do
		run ask stop vm$n '"force":true'
		[ "$status" = 0 ]
	done
	run ask start "$failed"
	[ "$status" = 0 ]
}

@test "a full disk: consoles go on, without a log; what cannot be kept is refused" {
	mkdir -p /var/log/joist /var/lib/joist
	mount -t tmpfs -o size=64k small /var/log/joist
	mount -t tmpfs -o size=64k small /var/lib/joist
	{ vm flood f; vm echo e; } | conf
	daemon
	cat /dev/zero >/var/log/joist/full || true
	ask start flood
	run ask show flood
	[[ $output == *'"state":"running"'* ]]
	run "$CTL" -u 0123456789abcdef '{"v":1,"op":"console","vm":"flood","mode":"ro"}'
	[ "$status" = 0 ]
	run ask log flood
	[[ $output == *'"text":""'* ]]
	run ask start echo
	[ "$status" = 0 ]
	run "$CTL" -k 'x.' -u 'x.' '{"v":1,"op":"console","vm":"echo","scrollback":100}'
	[ "$status" = 0 ]
	# It is written again when there is room.
	rm /var/log/joist/full
	until_true 50 test -s /var/log/joist/flood.log
	run ask stop flood '"force":true'
	[ "$status" = 0 ]
	cat /dev/zero >/var/lib/joist/full || true
	run ask create "" '"definition":{"name":"new","kernel":"'$KERNEL'"}'
	[ "$(field code)" = failed ]
	[[ $output == *"cannot save the definition: No space left on device"* ]]
	run ask show new
	[ "$(field code)" = not-found ]
	rm /var/lib/joist/full
	run ask create "" '"definition":{"name":"new","kernel":"'$KERNEL'"}'
	[ "$status" = 0 ]
}
