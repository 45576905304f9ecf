#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmctl and VMs that are not vmd's: seen and steered over netlink. Needs joist.

load helper

setup()
{
	[ -e /sys/module/joist ] || skip "joist is not loaded"
	export JOIST_SOCKET=$BATS_TEST_TMPDIR/no-vmd
}

teardown()
{
	local pid
	[ ! -e "$BATS_TEST_TMPDIR/rmem_max" ] ||
		cat "$BATS_TEST_TMPDIR/rmem_max" >/proc/sys/net/core/rmem_max
	for pid in ${PIDS:-}; do
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" || true
	done
}

# vm LETTER [OPTION...]: a guest in the background, once it is ready.
vm()
{
	local letter=$1 out
	shift
	out=$(mktemp "$BATS_TEST_TMPDIR/out.XXXXXX")
	"$VMCTL" run --device-path "$DEVICE" -m 16M --cmdline-only --cmdline "$letter" "$@" \
		"$KERNEL" </dev/null >"$out" 2>&1 3>&- &
	PIDS="${PIDS:-} $!"
	PID=$!
	for _ in {1..600}; do
		! grep -q ready "$out" || return 0
		sleep 0.1
	done
	return 1
}

# is CODE TEXT: how the last 'run' ended, and what it said.
is()
{
	echo "status $status: $output"
	[ "$status" = "$1" ] && [[ $output == *"$2"* ]]
}

# id_of NAME
id_of()
{
	"$VMCTL" list | awk -v name="$1" '$1 == name { print $2 }'
}

@test "list shows a VM by the name it was given" {
	vm h --name one -c 2
	run "$VMCTL" list
	is 0 ""
	grep -Eq "^one +[0-9]+ +running +2 +16M +[^ ]+ +$PID +-$" <<<"$output"
	run "$VMCTL" list --json
	is 0 '"name":"one"'
	is 0 '"managed":false'
	is 0 '"vmd":false,"netlink":true'
}

@test "a VM by id and UUID prefix; one without a name by its id" {
	vm h
	vm h --name one
	run "$VMCTL" list --json
	uuid=$(sed 's/.*"name":"one","uuid":"\([^"]*\)".*/\1/' <<<"$output")
	for text in one "$(id_of one)" "${uuid:0:8}" "$uuid" "${uuid^^}"; do
		run "$VMCTL" show "$text"
		is 0 "uuid: $uuid"
	done
	run "$VMCTL" show "$(id_of -)" --json
	is 0 '"name":""'
}

@test "two of one name: an error that lists them" {
	vm h --name twin
	vm h --name twin
	run "$VMCTL" pause twin
	is 13 "'twin' means more than one VM: "
	for id in $(id_of twin); do
		[[ $output == *"$id (twin, "* ]]
		"$VMCTL" pause "$id"
	done
	run "$VMCTL" pause twin --json
	is 13 '{"error":{"code":"ambiguous",'
}

@test "show has vCPUs, memory and devices" {
	vm h --name one -c 2
	run "$VMCTL" show one
	is 0 "vcpu 1:"
	is 0 "exits_pio: "
	is 0 "size: 16M"
	is 0 "kind: irqchip"
	run "$VMCTL" show one --json
	is 0 '"slot":[{"slot":0,'
}

@test "pause and resume, and pause twice" {
	vm l --name one
	for verb in pause pause resume resume; do
		run "$VMCTL" $verb one
		is 0 "one: ${verb}d"
		run "$VMCTL" list
		case $verb in
		pause) is 0 "paused" ;;
		resume) is 0 "running" ;;
		esac
	done
	run "$VMCTL" pause one --json
	is 0 '{"verb":"pause","vm":{"name":"one",'
	is 0 '"state":"paused"'
	before=$("$VMCTL" stats one | awk '$3 == "guest_ms" { print $4 }')
	sleep 0.5
	after=$("$VMCTL" stats one | awk '$3 == "guest_ms" { print $4 }')
	[ "$before" = "$after" ]
}

@test "stop asks; with --force it ends" {
	vm l --name one
	run "$VMCTL" stop one
	is 0 "one: asked to stop"
	run "$VMCTL" wait one -t 30
	[ "$status" = 0 ] || [ "$status" = 3 ]
	vm l --name two
	run "$VMCTL" stop two --force --json
	is 0 '{"verb":"stop","vm":{"name":"two",'
	status=0
	wait "$PID" || status=$?
	[ "$status" != 0 ]
}

@test "nmi reaches the guest: ours has no table for it" {
	vm h --name one
	run "$VMCTL" nmi one
	is 0 "one: NMI injected"
	status=0
	wait "$PID" || status=$?
	[ "$status" = 20 ]
}

@test "wait, for what is and what comes" {
	vm h --name one
	run "$VMCTL" wait one --for running
	is 0 "one: running"
	run "$VMCTL" wait one --timeout 0.3
	is 9 "it took too long"
	(sleep 1; kill "$PID") 3>&- &
	run "$VMCTL" wait one --timeout 30
	is 0 "one: stopped"
}

@test "what only vmd can do is refused" {
	vm h --name one
	for verb in start reset delete console log; do
		run "$VMCTL" $verb one
		is 5 "no vmd at"
	done
}

@test "stats: totals once, rates with an interval" {
	vm l --name one
	run "$VMCTL" stats one
	is 0 "one     0  exits_pio"
	run "$VMCTL" stats one -i 0.3 -n 2
	is 0 "PER-SECOND"
	[ "$(grep -c PER-SECOND <<<"$output")" = 2 ]
	rate=$(awk '$3 == "guest_ms" { rate = $5 } END { print rate }' <<<"$output")
	[ "$rate" -gt 300 ]
	run "$VMCTL" stats one -i 0.3 -n 1 --json
	is 0 '"rates":{"guest":'
	run "$VMCTL" stats nobody
	is 3 "no VM 'nobody'"
}

@test "top: a line of JSON, or rows of text, each time" {
	vm l --name busy -c 2
	vm h --name idle
	run "$VMCTL" top -i 0.3 -n 2 --sort cpu --json
	is 0 '"rates":{"guest":'
	[ "$(wc -l <<<"$output")" = 2 ]
	for line in 1 2; do
		[ "$(sed -n ${line}p <<<"$output" | grep -o '"vm-id":[0-9]*' | wc -l)" = 3 ]
	done
	run "$VMCTL" top -i 0.5 -n 2 --sort cpu
	is 0 "*CPU%"
	[ "$(grep -c ^NAME <<<"$output")" = 2 ]
	# Sorted by it; and halted guests use none.
	[ "$(awk 'NR > 1 && NR < 4 { print $1 }' <<<"$output" | tr '\n' ' ')" = "busy idle " ]
	awk '$1 == "busy" { exit !($4 > 20) }' <<<"$output"
	awk '$1 == "idle" { exit !($4 < 5) }' <<<"$output"
	run "$VMCTL" top idle -i 0.1 -n 1 --batch --vcpus --sort name -r
	is 0 "  vcpu 0 "
	! grep -q busy <<<"$output"
	run "$VMCTL" top nobody
	is 3 "no VM 'nobody'"
}

@test "top: ends with the VM it was to watch" {
	vm h --name one
	(sleep 1; kill "$PID") 3>&- &
	run timeout 60 "$VMCTL" top one -i 0.2 --json
	is 0 '"vms":[]'
}

# screen TEXT KEYS [+ TEXT KEYS]... -- OPTION...: top on a terminal.
screen()
{
	local script=()
	while [ "$1" != -- ]; do
		script+=("$1")
		shift
	done
	shift
	TERM=${SCREEN_TERM:-vt100} timeout 60 "$BIN/ptyrun" "${script[@]}" "$VMCTL" top -i 0.3 "$@"
}

@test "top on a terminal: keys sort, show vCPUs, and quit" {
	vm l --name one -c 2
	# Only what changes is written again: of a column's head, the asterisk.
	run screen "*EXITS/S" '<' + "*" v + "vcpu 1" '>' + "*" s + "*" rq --
	is 0 "raw=1 restored=1 code=0"
	for term in linux xterm; do
		SCREEN_TERM=$term run screen "*NAME" $'\x03' -- --sort name
		is 0 "raw=1 restored=1 code=0"
	done
	run screen one x -- -n 3
	is 0 "raw=1 restored=1 code=0"
}

@test "top on a terminal: another size, and scrolling" {
	vm l --name one -c 2
	# In 40 columns there is no place for reasons; in 200 there is.
	run screen one =6x40 + one =30x200 + pio q -- --vcpus
	is 0 "raw=1 restored=1 code=0"
	run screen one =1x1 + $'\e' q -- --vcpus
	is 0 "raw=1 restored=1 code=0"
	run screen one =4x80 + one jj + vcpu q -- --vcpus
	is 0 "raw=1 restored=1 code=0"
}

@test "top gives the terminal back after signals, and when the terminal is unknown" {
	vm h --name one
	for signal in 1 2 3 15; do
		run screen one -$signal --
		is 0 "raw=1 restored=1 code=$((128 + signal))"
	done
	run screen one -11 --
	is 0 "raw=1 restored=1 code=139"
	SCREEN_TERM=no-such-terminal run screen batch x --
	is 0 "nothing is known of this terminal; set TERM, or use --batch"
	is 0 "restored=1 code=1"
}

@test "events: a life, in order" {
	timeout 60 "$VMCTL" events --json >"$BATS_TEST_TMPDIR/events" 3>&- &
	PIDS="${PIDS:-} $!"
	sleep 1
	vm h --name one
	"$VMCTL" pause one
	"$VMCTL" resume one
	kill "$PID"
	wait "$PID" || true
	for _ in {1..50}; do
		! grep -q destroyed "$BATS_TEST_TMPDIR/events" || break
		sleep 0.1
	done
	cat "$BATS_TEST_TMPDIR/events"
	[ "$(grep -o '"what":"[a-z]*"' "$BATS_TEST_TMPDIR/events" | uniq | tr -d '\n')" = \
		'"what":"created""what":"changed""what":"halted""what":"changed""what":"destroyed"' ]
	grep -q '"state":"paused"' "$BATS_TEST_TMPDIR/events"
	grep -q '"what":"destroyed".*\|"why":"closed"' "$BATS_TEST_TMPDIR/events"
	! grep -q lost "$BATS_TEST_TMPDIR/events"
}

@test "events: those that are lost are told, and then how things are" {
	[ -e /bench/command ] || skip "not in the bench: a limit of the host's is lowered"
	vm h --name stays
	vm h --name goes
	cat /proc/sys/net/core/rmem_max >"$BATS_TEST_TMPDIR/rmem_max"
	echo 4608 >/proc/sys/net/core/rmem_max
	"$VMCTL" events --json >"$BATS_TEST_TMPDIR/events" 3>&- &
	events=$!
	PIDS="${PIDS:-} $events"
	sleep 1
	kill -STOP "$events"
	kill "$PID"
	wait "$PID" || true
	for _ in {1..20}; do
		"$VMCTL" pause stays >/dev/null
		"$VMCTL" resume stays >/dev/null
	done
	vm h --name comes
	[ ! -s "$BATS_TEST_TMPDIR/events" ]
	kill -CONT "$events"
	for _ in {1..50}; do
		! grep -q '"what":"is".*"name":"comes"' "$BATS_TEST_TMPDIR/events" || break
		sleep 0.1
	done
	"$VMCTL" pause comes
	for _ in {1..50}; do
		! grep -q '"name":"comes".*"state":"paused"' "$BATS_TEST_TMPDIR/events" || break
		sleep 0.1
	done
	cat "$BATS_TEST_TMPDIR/events"
	# Behind the loss: all VMs there are, none that is gone, and what happens next.
	grep -q '"source":"vmctl".*"what":"lost"' "$BATS_TEST_TMPDIR/events"
	awk 'lost; /"what":"lost"/ { lost = 1 }' "$BATS_TEST_TMPDIR/events" >"$BATS_TEST_TMPDIR/after"
	for name in stays comes; do
		grep -q "\"what\":\"is\".*\"name\":\"$name\"" "$BATS_TEST_TMPDIR/after"
	done
	! grep -q '"what":"is".*"name":"goes"' "$BATS_TEST_TMPDIR/after"
	grep -q '"what":"changed".*"name":"comes".*"state":"paused"' "$BATS_TEST_TMPDIR/after"
}

@test "events: a fault has its report, stats their counters" {
	timeout 60 "$VMCTL" events >"$BATS_TEST_TMPDIR/events" 3>&- &
	PIDS="${PIDS:-} $!"
	sleep 1
	run guest t --name one
	is 20 "triple fault"
	for _ in {1..50}; do
		! grep -q destroyed "$BATS_TEST_TMPDIR/events" || break
		sleep 0.1
	done
	grep -q "netlink one ([0-9]*) fault: triple-fault" "$BATS_TEST_TMPDIR/events"
	grep -q "^    .*rip " "$BATS_TEST_TMPDIR/events"
	vm h --name two
	run timeout 60 "$VMCTL" events two --stats 0.2 --count 2
	is 0 "stats vcpu 0: "
}

@test "host, in text and JSON" {
	run "$VMCTL" host
	is 0 "max-vcpus: "
	run "$VMCTL" host --json
	is 0 '"features":['
	run "$VMCTL" version
	is 0 "joist "
}
