#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmctl and vmd together, with VMs that run. Needs joist, and root.

load helper

# vmd owns /run/joist and /etc/joist: in the bench alone.
setup_file()
{
	[ -e /bench/command ] || skip "not in the bench"
	[ -e /sys/module/joist ] || skip "joist is not loaded"
	[ -x "$VMD" ] || skip "no vmd"
	mkdir -p /var/log /etc/joist /var/lib/joist /run/joist
	: >/etc/joist/joist.conf
	"$VMD" -d >"$BATS_FILE_TMPDIR/vmd.log" 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/vmd.pid"
	for _ in {1..100}; do
		"$VMCTL" version | grep -q ^vmd && return
		sleep 0.1
	done
	cat "$BATS_FILE_TMPDIR/vmd.log"
	return 1
}

teardown_file()
{
	[ ! -e "$BATS_FILE_TMPDIR/vmd.pid" ] || kill "$(cat "$BATS_FILE_TMPDIR/vmd.pid")" || true
}

setup()
{
	[ -e "$BATS_FILE_TMPDIR/vmd.pid" ] || skip "joist or vmd is not there"
}

teardown()
{
	local vm
	for vm in $("$VMCTL" list --json 2>/dev/null | grep -o '"name":"t-[^"]*' | cut -d '"' -f 4 | sort -u); do
		"$VMCTL" stop -f "$vm" >/dev/null 2>&1 || true
		"$VMCTL" delete "$vm" >/dev/null 2>&1 || true
	done
}

# is CODE TEXT: how the last 'run' ended, and what it said.
is()
{
	echo "status $status: $output"
	[ "$status" = "$1" ] && [[ $output == *"$2"* ]]
}

# make NAME LETTER [OPTION...]
make()
{
	local name=$1 letter=$2
	shift 2
	"$VMCTL" create "$name" -k "$KERNEL" -a "$letter" -m 16M "$@" >/dev/null
}

# printed NAME TEXT: waits until the console has it.
printed()
{
	for _ in {1..100}; do
		! "$VMCTL" log "$1" | grep -q "$2" || return 0
		sleep 0.1
	done
	return 1
}

@test "create, list, show, start, stop, delete" {
	run "$VMCTL" create t-a -k "$KERNEL" -a h -m 16M -c 2
	is 0 "t-a: created"
	run "$VMCTL" list
	grep -Eq "^t-a +- +stopped +2 +16M" <<<"$output"
	run "$VMCTL" show t-a
	is 0 "kernel: $KERNEL"
	run "$VMCTL" start t-a --json
	is 0 '{"verb":"start","vm":{"name":"t-a",'
	is 0 '"state":"running"'
	run "$VMCTL" list
	grep -Eq "^t-a .* running .* vmd$" <<<"$output"
	[ "$(grep -c running <<<"$output")" = 1 ]
	run "$VMCTL" delete t-a
	is 7 "t-a"
	run "$VMCTL" start t-a
	is 7 "t-a"
	run "$VMCTL" stop -f t-a
	is 0 "t-a: stopped"
	run "$VMCTL" stop t-a
	is 7 "t-a"
	run "$VMCTL" delete t-a
	is 0 "t-a: deleted"
	run "$VMCTL" show t-a
	is 3 "no VM"
}

@test "create refuses what is there, and a definition that is wrong" {
	make t-a h
	run "$VMCTL" create t-a -k "$KERNEL"
	is 8 "t-a"
	run "$VMCTL" create 't a' -k "$KERNEL"
	[ "$status" = 10 ] || [ "$status" = 12 ]
	run "$VMCTL" create t-b -k "$KERNEL" -m 1025K --json
	[ "$status" = 10 ] || [ "$status" = 12 ]
	[[ $output == '{"error":{"code":"bad-'* ]]
}

@test "a kernel that is not there: start says which file" {
	"$VMCTL" create t-a -k /no/such/kernel -m 16M
	run "$VMCTL" start t-a
	[ "$status" != 0 ]
	[[ $output == *"/no/such/kernel"* ]]
}

@test "pause, resume, reset, nmi" {
	make t-a h --start
	printed t-a ready
	for case in pause:paused:paused resume:resumed:running reset:reset:running; do
		IFS=: read -r verb done state <<<"$case"
		run "$VMCTL" $verb t-a
		is 0 "t-a: $done"
		run "$VMCTL" list
		grep -Eq "^t-a .* $state " <<<"$output"
	done
	printed t-a ready
	run "$VMCTL" nmi t-a
	is 0 "t-a: NMI injected"
	# Our guest has no table for it.
	run "$VMCTL" wait t-a -t 30
	is 0 "t-a: stopped"
	run "$VMCTL" show t-a --json
	is 0 '"reason":"triple-fault"'
	for verb in pause resume reset nmi; do
		run "$VMCTL" $verb t-a
		is 7 "t-a"
	done
}

@test "resume: a VM that was paused past vmd, too" {
	make t-a h --start
	printed t-a ready
	run "$VMCTL" pause t-a --socket /nowhere
	is 0 "t-a: paused"
	run "$VMCTL" list
	grep -Eq "^t-a .* paused " <<<"$output"
	run "$VMCTL" resume t-a
	is 0 "t-a: resumed"
	run "$VMCTL" list
	grep -Eq "^t-a .* running " <<<"$output"
	# Paused by both, it is let go by one.
	run "$VMCTL" pause t-a
	run "$VMCTL" pause t-a --socket /nowhere
	run "$VMCTL" resume t-a
	run "$VMCTL" list
	grep -Eq "^t-a .* running " <<<"$output"
	run "$VMCTL" stop -f t-a
	is 0 "t-a: stopped"
}

@test "wait: until it stops, and no longer than asked" {
	make t-a h --start
	run "$VMCTL" wait t-a --for running
	is 0 "t-a: running"
	run "$VMCTL" wait t-a -t 0.5
	is 9 ""
	(sleep 1; "$VMCTL" stop -f t-a) 3>&- >/dev/null &
	run "$VMCTL" wait t-a -t 30
	is 0 "t-a: stopped"
}

@test "log and console" {
	make t-a e --start
	printed t-a ready
	run bash -c "printf 'hello.' | '$VMCTL' console t-a -n 0"
	is 0 "hello."
	is 0 "the console of t-a ended: stopped"
	run "$VMCTL" log t-a
	is 0 "hello."
	run "$VMCTL" log t-a --json
	is 0 '"text":"'
	run "$VMCTL" console t-a
	is 7 "t-a"
}

# typed TEXT OPTION...: at the console of t-a, once it is there; then it is left.
typed()
{
	local text=$1 out=$BATS_TEST_TMPDIR/$1 pid
	shift
	mkfifo "$out.keys"
	timeout 60 "$VMCTL" console t-a "$@" <"$out.keys" >"$out" 2>&1 3>&- 7>&- &
	pid=$!
	exec 8>"$out.keys"
	for _ in {1..100}; do
		! grep -q ready "$out" || break
		sleep 0.1
	done
	echo "$text" >&8
	sleep 0.5
	kill $pid
	wait $pid || true
	exec 8>&-
	grep ready "$out"
}

@test "console: one who writes, others read, and force" {
	make t-a e --start
	printed t-a ready
	mkfifo "$BATS_TEST_TMPDIR/keys"
	timeout 60 "$VMCTL" console t-a -n 0 <"$BATS_TEST_TMPDIR/keys" >/dev/null 2>&1 3>&- &
	exec 7>"$BATS_TEST_TMPDIR/keys"
	echo first >&7
	printed t-a first
	run "$VMCTL" console t-a
	is 7 "t-a"
	# A reader sees what the writer types; what it types itself is thrown away.
	timeout 60 "$VMCTL" console -r t-a -n 0 </dev/zero >"$BATS_TEST_TMPDIR/read" 2>&1 3>&- &
	reader=$!
	typed READER -r
	echo second >&7
	printed t-a second
	grep -q second "$BATS_TEST_TMPDIR/read"
	! "$VMCTL" log t-a | grep -q READER
	# With force another writes, and who wrote before reads.
	typed forced --force
	printed t-a forced
	echo DEPOSED >&7
	typed third --force
	printed t-a third
	! "$VMCTL" log t-a | grep -q DEPOSED
	exec 7>&-
	kill $reader 2>/dev/null || true
	wait $reader || true
}

@test "console on a terminal: left by Ctrl-A x, the guest goes on" {
	make t-a h --start
	printed t-a ready
	run timeout 60 "$BIN/ptyrun" ready $'\x01x' "$VMCTL" console t-a
	is 0 "raw=1 restored=1 code=0"
	run "$VMCTL" list
	grep -Eq "^t-a .* running " <<<"$output"
}

@test "events, of both" {
	timeout 60 "$VMCTL" events --json >"$BATS_TEST_TMPDIR/events" 3>&- &
	pid=$!
	sleep 1
	make t-a h --start
	"$VMCTL" stop -f t-a
	for _ in {1..50}; do
		! grep -q '"source":"vmd".*"what":"stopped"' "$BATS_TEST_TMPDIR/events" || break
		sleep 0.1
	done
	kill $pid
	wait $pid || true
	cat "$BATS_TEST_TMPDIR/events"
	for what in created starting started stopped; do
		grep -q "\"source\":\"vmd\".*\"name\":\"t-a\".*\"what\":\"$what\"" "$BATS_TEST_TMPDIR/events"
	done
	grep -q '"source":"netlink".*"what":"created"' "$BATS_TEST_TMPDIR/events"
	grep -q '"source":"netlink".*"what":"destroyed"' "$BATS_TEST_TMPDIR/events"
}

@test "stats of a VM of vmd's" {
	make t-a l --start
	printed t-a ready
	run "$VMCTL" stats t-a -i 0.3 -n 1
	is 0 "guest_ms"
	run "$VMCTL" stats t-a --json
	is 0 '"vcpus":[{'
	"$VMCTL" stop -f t-a
	run "$VMCTL" stats t-a
	is 7 "t-a does not run"
}

@test "top of a VM of vmd's, by its name" {
	make t-a l --start
	printed t-a ready
	run "$VMCTL" top t-a -i 0.3 -n 1 --batch
	is 0 "CPU%"
	grep -Eq "^t-a +[0-9]+ running " <<<"$output"
	run "$VMCTL" top -i 0.3 -n 1 --json
	is 0 '"name":"t-a"'
}

# as USER ARGUMENT...: vmctl as somebody without privileges.
as()
{
	run su "$1" -c "$VMCTL $(printf "'%s' " "${@:2}")"
}

@test "without privileges: one's own VMs, and nobody else's" {
	as alice create t-hers -k "$KERNEL" -a h -m 16M
	is 0 "t-hers: created"
	make t-roots h --start
	as alice start t-hers
	is 0 "t-hers: started"
	as alice list
	grep -Eq "^t-hers .* running .* alice " <<<"$output"
	! grep -q t-roots <<<"$output"
	for verb in pause resume reset nmi; do
		as alice $verb t-hers
		is 0 "t-hers: "
	done
	# The NMI ended it: our guest has no table for it.
	as alice wait t-hers -t 30
	is 0 "t-hers: stopped"
	as alice start t-hers
	is 0 "t-hers: started"
	for who in alice:t-roots bob:t-hers; do
		for verb in start pause resume reset nmi stop delete show console log; do
			as "${who%:*}" $verb "${who#*:}"
			is 3 "no VM '${who#*:}'"
		done
	done
	as bob list --json
	! grep -q '"name":"t-' <<<"$output"
	as alice stats t-roots
	is 3 "no VM 't-roots'"
	as alice config reload --json
	is 4 '{"error":{"code":"not-yours",'
	as alice create t-x -k "$KERNEL" --owner bob
	is 4 ""
	# Of the group joist: all.
	as carol stop -f t-hers
	is 0 "t-hers: stopped"
	as carol stop -f t-roots
	is 0 "t-roots: stopped"
	as alice delete t-hers
	is 0 "t-hers: deleted"
}

@test "without privileges: counters of one's own VMs" {
	as alice create t-hers -k "$KERNEL" -a h -m 16M --start
	is 0 "t-hers"
	as alice stats t-hers
	is 0 "guest_ms"
	as alice top t-hers -i 0.2 -n 1 --batch
	grep -q '^t-hers ' <<<"$output"
	as alice top -i 0.2 -n 1 --json
	[ "$(grep -o '"name":' <<<"$output" | wc -l)" = 1 ]
	as bob top -i 0.2 -n 1 --json
	is 0 '"vms":[]'
	# She may stop it, but the module knows nothing of groups.
	as carol stats t-hers
	is 4 "t-hers runs, but the module does not show it to you; root may"
}

@test "config check and reload" {
	run "$VMCTL" config check
	is 0 "the configuration has no faults"
	echo 'vm "t-conf" { kernel = "'"$KERNEL"'" memory = "16M" cmdline = "h" }' >>/etc/joist/joist.conf
	run "$VMCTL" config reload
	is 0 "t-conf: added"
	run "$VMCTL" delete t-conf
	[ "$status" != 0 ]
	cp /etc/joist/joist.conf "$BATS_TEST_TMPDIR/good"
	echo 'nonsense = 1' >>/etc/joist/joist.conf
	run "$VMCTL" config check
	is 10 "/etc/joist/joist.conf:"
	run "$VMCTL" config reload --json
	[ "$status" = 10 ]
	: >/etc/joist/joist.conf
	run "$VMCTL" config reload
	is 0 "t-conf: removed"
}

# guest_ms: of the host this runs on: what a person at its terminal sees.
now_ms()
{
	awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime
}

free_kb()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^Slab|^KernelStack|^PageTables|^VmallocUsed/ { sum += $2 } END { print sum }' /proc/meminfo
}

@test "200 VMs: created, listed in under a second, destroyed, and nothing kept" {
	names=()
	# Bochs takes minutes for what QEMU does in one.
	grep -q svm /proc/cpuinfo && nr=200 || nr=20
	for n in $(seq $nr); do
		names+=("t-$n")
		make "t-$n" h
	done
	# The first time fills caches that stay.
	"$VMCTL" start "${names[@]}" >/dev/null
	"$VMCTL" stop -f "${names[@]}" >/dev/null
	before=$(free_kb)
	"$VMCTL" start "${names[@]}" >"$BATS_TEST_TMPDIR/out"
	[ "$(grep -c ': started$' "$BATS_TEST_TMPDIR/out")" = $nr ]
	start=$(now_ms)
	"$VMCTL" list >"$BATS_TEST_TMPDIR/out"
	took=$(($(now_ms) - start))
	[ "$(grep -c ' running ' "$BATS_TEST_TMPDIR/out")" = $nr ]
	echo "# listed in $took ms" >&3
	[ "$took" -lt 1000 ]
	"$VMCTL" stop -f "${names[@]}" >/dev/null
	after=$(free_kb)
	"$VMCTL" delete "${names[@]}" >/dev/null
	echo "# kernel memory: $before KiB, then $after KiB" >&3
	[ $((after - before)) -lt 2048 ]
}
