#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmd: what it does for its clients.

load vmd

@test "a VM is listed, started, shown and stopped" {
	{ vm web h; vm db h; } | conf
	daemon
	run ask list
	[ "$status" = 0 ]
	[[ $output == *'"name":"db"'*'"state":"stopped"'*'"name":"web"'* ]]
	run ask start web
	[ "$status" = 0 ]
	[[ $output == *'"state":"running"'* ]]
	pid=$(pid_of web)
	tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q "^vmd --vm web"
	run ask show web
	[[ $output == *'"definition":{'*'"kernel":"'"$KERNEL"'"'*'"file":"/etc/joist/joist.conf","line":1'* ]]
	run ask start web
	[[ $output == *'"code":"running"'* ]]
	run ask stop web '"force":true'
	[ "$status" = 0 ]
	[[ $output == *'"state":"stopped"'*'"reason":"stopped","code":28'* ]]
	[ ! -e "/proc/$pid" ]
	run ask stop web
	[[ $output == *'"code":"not-running"'* ]]
}

@test "a VM is named by its UUID or the beginning of it, in time" {
	{
		vm one h 'uuid = "abcd0000-0000-4000-8000-000000000001"'
		vm two h 'uuid = "abcd1111-0000-4000-8000-000000000002"'
	} | conf
	daemon
	for name in abcd0 abcd0000-0 ABCD0000-0000-4000-8000-000000000001 one; do
		run ask show $name
		[ "$(field name)" = one ]
	done
	run ask show abcd
	[ "$(field code)" = ambiguous ]
	for name in abc abcd2 on nothing; do
		run ask show $name
		[ "$(field code)" = not-found ]
	done
}

@test "a guest's power-off, and what did not start, are told" {
	{ vm off o; vm triple t; vm nokernel h 'kernel = "/nowhere"'
		vm nodisk h 'disk "a" { path = "/nowhere" }'; vm bad h 'kernel = "/etc/passwd"'; } | conf
	daemon
	ask start off
	ask wait off
	run ask show off
	[[ $output == *'"state":"stopped"'*'"reason":"poweroff","code":0'* ]]
	ask start triple
	run ask wait triple
	[[ $output == *'"reason":"triple-fault","code":20'* ]]
	run ask start nokernel
	[ "$(field code)" = failed ]
	[[ $output == *"cannot open the kernel /nowhere: No such file"* ]]
	run ask start nodisk
	[[ $output == *"cannot open the disk /nowhere"* ]]
	run ask start bad
	[[ $output == *"/etc/passwd is no kernel"* ]]
	run ask show bad
	[[ $output == *'"state":"failed"'* ]]
}

@test "pause, resume, NMI and reset" {
	{ vm loop l 'vcpus = 2'; vm busy f; vm nmi n; } | conf
	daemon
	ask start loop
	run ask pause loop
	[[ $output == *'"state":"paused"'* ]]
	run ask pause loop
	[ "$status" = 0 ]
	read -r before < <(cut -d ' ' -f 14,15 "/proc/$(pid_of loop)/stat")
	sleep 1
	read -r after < <(cut -d ' ' -f 14,15 "/proc/$(pid_of loop)/stat")
	[ "$before" = "$after" ]
	run ask resume loop
	[[ $output == *'"state":"running"'* ]]
	# While it prints as fast as it can, and nobody reads.
	ask start busy
	run ask pause busy
	[[ $output == *'"state":"paused"'* ]]
	size=$(stat -c %s /var/log/joist/busy.log)
	sleep 0.5
	[ "$size" = "$(stat -c %s /var/log/joist/busy.log)" ]
	run ask resume busy
	[ "$status" = 0 ]
	pid=$(pid_of loop)
	run ask reset loop
	[ "$status" = 0 ]
	[[ $output == *'"state":"running"'*'"reason":"reset"'* ]]
	[ "$(pid_of loop)" != "$pid" ]
	ask start nmi
	"$CTL" -u waiting '{"v":1,"op":"console","vm":"nmi","mode":"ro","scrollback":100}'
	run ask nmi nmi
	[ "$status" = 0 ]
	ask wait nmi
	run ask log nmi
	[[ $output == *"waiting"*"NMI"* ]]
}

@test "the power button: the guest may take it or leave it" {
	{ vm deaf h; vm good b; } | conf
	daemon
	ask start good
	run ask stop good '"timeout":20'
	[ "$status" = 0 ]
	[[ $output == *'"reason":"poweroff"'* ]]
	ask start deaf
	run ask stop deaf '"timeout":1'
	[ "$(field code)" = timeout ]
	[[ $output == *"force"* ]]
	run ask stop deaf '"timeout":0'
	[[ $output == *'"state":"stopping"'* ]]
	run ask stop deaf '"timeout":1,"force":true'
	[[ $output == *'"state":"stopped"'* ]]
}

@test "the console: scrollback, one writer, many readers, the log" {
	vm echo e | conf
	daemon
	ask start echo
	"$CTL" -u ready '{"v":1,"op":"console","vm":"echo","scrollback":100}'
	"$CTL" -k abc -u abc '{"v":1,"op":"console","vm":"echo"}'
	# A writer that stays.
	"$CTL" -u nothing '{"v":1,"op":"console","vm":"echo"}' >"$BATS_TEST_TMPDIR/writer" 3>&- &
	writer=$!
	until_true 100 grep -q ok "$BATS_TEST_TMPDIR/writer"
	run ask console echo
	[ "$(field code)" = busy ]
	run "$CTL" -u abc '{"v":1,"op":"console","vm":"echo","mode":"ro","scrollback":65536}'
	[ "$status" = 0 ]
	run "$CTL" -k 'def.' -u def '{"v":1,"op":"console","vm":"echo","force":true}'
	[ "$status" = 0 ]
	ask wait echo
	wait $writer || true
	grep -q def "$BATS_TEST_TMPDIR/writer"
	run ask log echo
	[[ $output == *'"text":"ready\nabcdef.\n"'* ]]
	run ask log echo '"bytes":4'
	[[ $output == *'"text":"ef.\n'* ]]
	run ask console echo
	[ "$(field code)" = not-running ]
}

@test "a flood of output fills neither memory nor the disk" {
	vm flood f | conf
	daemon
	ask start flood
	"$CTL" -u nothing '{"v":1,"op":"console","vm":"flood","mode":"ro"}' >/dev/null 3>&- &
	stuck=$!
	sleep 1
	kill -STOP $stuck
	sleep 3
	[ "$(stat -c %s /var/log/joist/flood.log)" -le $((1 << 20)) ]
	run ask show flood
	[[ $output == *'"state":"running"'* ]]
	kill -9 $stuck
	run ask stop flood '"force":true'
	[ "$status" = 0 ]
}

@test "events are told in order, of all VMs or of one" {
	{ vm a o; vm b o; } | conf
	daemon
	"$CTL" -f 6 '{"v":1,"op":"events"}' >"$BATS_TEST_TMPDIR/all" 3>&- &
	"$CTL" -f 6 '{"v":1,"op":"events","vm":"b"}' >"$BATS_TEST_TMPDIR/b" 3>&- &
	until_true 50 grep -q ok "$BATS_TEST_TMPDIR/b"
	until_true 50 grep -q ok "$BATS_TEST_TMPDIR/all"
	ask start a
	ask start b
	ask wait b
	until_true 50 grep -q '"vm":"b".*stopped' "$BATS_TEST_TMPDIR/all"
	run cat "$BATS_TEST_TMPDIR/all"
	[[ $output == *'"vm":"a"'*'"what":"starting"'*'"vm":"a"'*'"what":"started"'*'"vm":"a"'*'"what":"stopped","why":"guest power-off"'* ]]
	run grep -q '"vm":"a"' "$BATS_TEST_TMPDIR/b"
	[ "$status" = 1 ]
	grep -q '"what":"stopped"' "$BATS_TEST_TMPDIR/b"
	# One number after the other.
	sed -n 's/.*"seq":\([0-9]*\),"time.*/\1/p' "$BATS_TEST_TMPDIR/all" |
		awk 'NR > 1 && $1 != last + 1 { exit 1 } { last = $1 }'
}

@test "created VMs are kept, and deleted" {
	conf </dev/null
	daemon
	def='"definition":{"name":"new","kernel":"'$KERNEL'","memory":16777216,"cmdline":"h"}'
	run ask create "" "$def,\"start\":true"
	[ "$status" = 0 ]
	[[ $output == *'"state":"running"'*'"origin":"created"'* ]]
	run ask create "" "$def"
	[ "$(field code)" = exists ]
	run ask delete new
	[ "$(field code)" = running ]
	uuid=$(ask show new | sed 's/.*"uuid":"\([^"]*\).*/\1/')
	kill "$VMD_PID"
	wait "$VMD_PID" || true
	daemon
	run ask show new
	[[ $output == *"\"uuid\":\"$uuid\",\"state\":\"running\""* ]]
	ask stop new '"force":true'
	run ask delete new
	[ "$status" = 0 ]
	run ask show new
	[ "$(field code)" = not-found ]
	[ -z "$(find /var/lib/joist/vms /var/log/joist /run/joist/vm -type f)" ]
	for bad in '"kernel":"relative"' '"vcpus":0' '"memory":17' '"colour":"red"' \
		'"disks":[{"readonly":true}]' '"owner":{"user":"nobody-at-all"}' '"restart":"yes"' \
		'"autostart":1' '"uuid":"12"' '"memory-max":1048576'; do
		run ask create "" "\"definition\":{\"name\":\"x\",\"kernel\":\"/k\",$bad}"
		[ "$(field code)" = bad-config ] || { echo "$bad: $output"; false; }
	done
}
