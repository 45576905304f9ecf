#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmd: what it survives.

load vmd

@test "a VM process killed is told, and restarted if it is to be" {
	{ vm never h; vm failing h 'restart = on-failure'; vm off o 'restart = on-failure'; } | conf
	daemon
	ask start never
	kill -9 "$(pid_of never)"
	state_is never stopped
	run ask show never
	[[ $output == *'"reason":"killed","code":137,"message":"killed by signal 9 (Killed)"'* ]]
	ask start failing
	pid=$(pid_of failing)
	"$CTL" -f 8 '{"v":1,"op":"events"}' >"$BATS_TEST_TMPDIR/events" 3>&- &
	until_true 50 grep -q ok "$BATS_TEST_TMPDIR/events"
	kill -9 "$pid"
	until_true 100 grep -q '"failing".*"started"' "$BATS_TEST_TMPDIR/events"
	[ "$(pid_of failing)" != "$pid" ]
	run cat "$BATS_TEST_TMPDIR/events"
	[[ $output == *'"killed"'*'"restarted"'*'"starting"'*'"started"'* ]]
	run ask stop failing '"force":true'
	[ "$status" = 0 ]
	sleep 1
	[ "$(state failing)" = '"state":"stopped"' ]
	# A power-off is no failure.
	ask start off
	ask wait off
	sleep 1
	[ "$(state off)" = '"state":"stopped"' ]
}

@test "a guest that only reboots is slowed down, and given up" {
	vm boot r | conf
	daemon
	ask start boot
	sleep 5
	[ "$(grep -c 'boot: restarted' "$BATS_TEST_TMPDIR/vmd.log")" -le 6 ]
	[ "$(grep -c 'boot: restarted' "$BATS_TEST_TMPDIR/vmd.log")" -ge 2 ]
	run ask stop boot '"force":true'
	[ "$status" = 0 ]
	sleep 2
	[ "$(state boot)" = '"state":"stopped"' ]
}

# bats test_tags=long
@test "many VMs run on while the daemon is killed and started again" {
	many=20
	slow_bench && many=9
	for ((n = 1; n <= many; n++)); do vm vm$n h; done | conf
	daemon
	for ((n = 1; n <= many; n++)); do echo "{\"v\":1,\"id\":$n,\"op\":\"start\",\"vm\":\"vm$n\"}"; done \
		>"$BATS_TEST_TMPDIR/starts"
	mapfile -t starts <"$BATS_TEST_TMPDIR/starts"
	"$CTL" "${starts[@]}" >/dev/null
	before=$(processes --vm)
	[ "$(wc -w <<<"$before")" = $many ]
	ask pause vm3
	kill -9 "$VMD_PID"
	wait "$VMD_PID" || true
	until_true 50 test -z "$(processes --control)"
	[ "$(processes --vm)" = "$before" ]
	# One ends while nobody is there to see, another is killed.
	kill "$(processes '--vm vm7 ')"
	kill -9 "$(processes '--vm vm8 ')"
	sleep 0.5
	daemon
	run ask list
	[ "$(grep -o '"state":"running"' <<<"$output" | wc -l)" = $((many - 3)) ]
	[ "$(grep -o '"state":"paused"' <<<"$output" | wc -l)" = 1 ]
	run ask show vm7
	[[ $output == *'"state":"stopped"'*'"reason":"signal"'* ]]
	run ask show vm8
	[[ $output == *'"state":"stopped"'*'"reason":"killed"'* ]]
	ask resume vm3
	run "$CTL" -u ready '{"v":1,"op":"console","vm":"vm'$many'","scrollback":100}'
	[ "$status" = 0 ]
	for n in 1 $many; do
		run ask stop vm$n '"force":true'
		[ "$status" = 0 ]
	done
	[ "$(processes --vm | wc -w)" = $((many - 4)) ]
}

@test "a console goes on while the daemon is away" {
	vm echo e | conf
	daemon
	ask start echo
	"$CTL" -k ab -u '.' '{"v":1,"op":"console","vm":"echo"}' >"$BATS_TEST_TMPDIR/con" 3>&- &
	con=$!
	until_true 50 grep -q ab "$BATS_TEST_TMPDIR/con" || true
	kill -9 "$VMD_PID"
	wait "$VMD_PID" || true
	daemon
	run "$CTL" -k '.' -u '.' '{"v":1,"op":"console","vm":"echo","force":true}'
	[ "$status" = 0 ]
	wait $con
	grep -q 'ab\.' "$BATS_TEST_TMPDIR/con"
}

@test "the control process killed comes back" {
	vm web h | conf
	daemon
	ask start web
	kill -9 "$(processes --control)"
	until_true 100 answers
	[ "$(state web)" = '"state":"running"' ]
	run ask stop web '"force":true'
	[ "$status" = 0 ]
}

@test "autostart: once after the host's start, one after the other" {
	{
		echo 'autostart-stagger = 6'
		vm one h 'autostart = yes'
		vm two h 'autostart = yes'
		vm no h
	} | conf
	daemon
	state_is one running
	[ "$(state two)" = '"state":"stopped"' ]
	state_is two running
	[ "$(state no)" = '"state":"stopped"' ]
	ask stop one '"force":true'
	kill -9 "$VMD_PID"
	wait "$VMD_PID" || true
	daemon
	sleep 1
	[ "$(state one)" = '"state":"stopped"' ]
	[ "$(state two)" = '"state":"running"' ]
}

@test "reload changes only what changed" {
	{ vm same h; vm changed h; vm removed h; vm gone h; } | conf
	daemon
	for name in same changed removed; do ask start $name; done
	pids="$(pid_of same) $(pid_of changed) $(pid_of removed)"
	{ vm same h; vm changed h 'vcpus = 2'; vm added h; } | conf
	run ask reload
	[ "$status" = 0 ]
	for text in '{"vm":"changed","what":"changed"}' '{"vm":"removed","what":"removed"}' \
		'{"vm":"gone","what":"removed"}' '{"vm":"added","what":"added"}'; do
		[[ $output == *"$text"* ]]
	done
	[[ $output != *'"same"'* ]]
	[ "$pids" = "$(pid_of same) $(pid_of changed) $(pid_of removed)" ]
	run ask show changed
	[[ $output == *'"pending":true'* ]]
	run ask show same
	[[ $output == *'"pending":false'* ]]
	run ask show gone
	[ "$(field code)" = not-found ]
	ask stop removed '"force":true'
	run ask show removed
	[ "$(field code)" = not-found ]
	# By signal; and faults change nothing.
	{ vm same h; echo 'vm "wrong" { kernel = "k" }'; } | conf
	run ask reload
	[[ $output == *'"faults":[{"file":"/etc/joist/joist.conf","line":6,"message":"kernel '"'k'"' is no absolute path"}]'* ]]
	run ask show added
	[ "$status" = 0 ]
	vm same h | conf
	kill -HUP "$VMD_PID"
	until_true 50 eval '! ask show added'
	[ "$(state same)" = '"state":"running"' ]
}
