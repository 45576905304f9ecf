#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmd: clients that do wrong, and a host that has no module.

load vmd

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
