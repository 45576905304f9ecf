#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmctl's verbs against a daemon that only says things: nothing here needs the hypervisor.

load helper

setup()
{
	export JOIST_SOCKET=$BATS_TEST_TMPDIR/control
	REQUESTS=$BATS_TEST_TMPDIR/requests
}

teardown()
{
	[ -z "${FAKE:-}" ] || kill "$FAKE"
}

fake()
{
	"$BIN/fakevmd" "$JOIST_SOCKET" "$REQUESTS" 3>&- &
	FAKE=$!
	for _ in {1..100}; do
		[ ! -S "$JOIST_SOCKET" ] || return 0
		sleep 0.05
	done
	return 1
}

# asked TEXT...: each is in the last request.
asked()
{
	local last text
	last=$(tail -n 1 "$REQUESTS")
	for text in "$@"; do
		[[ $last == *"$text"* ]] || {
			echo "no $text in $last"
			return 1
		}
	done
}

# is CODE TEXT: how the last 'run' ended, and what it said.
is()
{
	echo "status $status: $output"
	[ "$status" = "$1" ] && [[ $output == *"$2"* ]]
}

NEED_DAEMON="create:--kernel:k:x delete:x start:x reset:x balloon:x balloon:x:1M balloon:--reclaim:x memory:x console:x log:x config:check config:reload"

@test "without vmd, the exit code is 5 and the remedy is told" {
	for words in $NEED_DAEMON; do
		run "$VMCTL" ${words//:/ }
		is 5 "no vmd at $JOIST_SOCKET; start it: systemctl start joist-vmd"
	done
}

@test "without vmd, the same as JSON" {
	for words in $NEED_DAEMON; do
		run "$VMCTL" ${words//:/ } --json
		is 5 '{"error":{"code":"no-daemon","message":"no vmd at '
		is 5 '"remedy":"start it: systemctl start joist-vmd, or vmd as root","exit":5}}'
	done
}

# What the module could do as well: then there is no such VM.
@test "without vmd, verbs for any VM need it or the module" {
	for verb in stop pause resume nmi show wait; do
		run "$VMCTL" $verb x
		[ -e /sys/module/joist ] || {
			is 5 "no vmd at $JOIST_SOCKET"
			continue
		}
		is 3 "no VM 'x'; vmd is not there at $JOIST_SOCKET"
	done
}

# not_found: vmd's word for it, or ours, where the module was asked as well.
not_found()
{
	is 3 "" && [[ $output == *"the message; the remedy"* || $output == *"no VM "* ]]
}

@test "--socket wins over JOIST_SOCKET" {
	run "$VMCTL" start x --socket /no/such/socket
	is 5 "no vmd at /no/such/socket"
}

@test "a socket's path that is too long" {
	run "$VMCTL" start x --socket "/$(printf 'x%.0s' {1..200})"
	is 5 "File name too long"
}

@test "list, in text, names and JSON" {
	fake
	run "$VMCTL" list
	is 0 "NAME  ID  STATE    VCPUS  MEMORY  OWNER  PID  MANAGED"
	is 0 "db     -  stopped      1     16M  alice    -  vmd"
	run "$VMCTL" list -q
	is 0 $'db\nweb'
	run "$VMCTL" list --json
	is 0 '{"vms":['
	is 0 '"name":"web"'
	is 0 '"managed":true'
	is 0 '"vmd":true'
}

@test "show, by name, id and UUID prefix" {
	fake
	for vm in web 3 eeee eeeeeeee-0000; do
		run "$VMCTL" show $vm
		is 0 "name: web"
		is 0 "  user: alice"
		is 0 "memory: 16M"
		run "$VMCTL" show $vm --json
		is 0 '"name":"web"'
	done
}

@test "verbs that change a VM say what became of it" {
	fake
	for case in pause:web:paused resume:web:resumed nmi:web:"NMI injected" reset:web:reset \
		stop:web:stopped start:web:started start:db:started wait:db:stopped; do
		IFS=: read -r verb vm done <<<"$case"
		run "$VMCTL" "$verb" "$vm"
		is 0 "$vm: $done"
		asked '"v":1' "\"op\":\"$verb\"" "\"vm\":\"$vm\"" '"id":1'
	done
}

@test "the same as JSON" {
	fake
	for case in pause:web:paused resume:web:running nmi:web:running reset:web:running \
		stop:web:stopped start:web:running start:db:running wait:db:running; do
		IFS=: read -r verb vm state <<<"$case"
		run "$VMCTL" "$verb" "$vm" --json
		is 0 "{\"verb\":\"$verb\",\"vm\":{"
		is 0 "\"state\":\"$state\""
	done
}

@test "several VMs: each gets its line, and the first failure is the exit code" {
	fake
	run "$VMCTL" pause web err-not-yours err-busy web
	is 4 "web: paused"
	[ "$(grep -c 'web: paused' <<<"$output")" = 2 ]
	[ "$(grep -c 'the message; the remedy' <<<"$output")" = 2 ]
}

@test "stop: --force and --timeout are asked for" {
	fake
	run "$VMCTL" stop web --timeout 1.5
	is 0 "web: stopped"
	asked '"timeout":1.500'
	"$VMCTL" start web
	run "$VMCTL" stop -f web
	is 0 "web: stopped"
	asked '"force":true'
	"$VMCTL" start web
	run "$VMCTL" stop -t 0 web
	is 0 "web: stopping"
	for bad in '' x -1 1x . 1. 99999999999; do
		run "$VMCTL" stop web --timeout "$bad"
		is 2 "bad --timeout '$bad'"
	done
}

@test "wait: for what, and how long" {
	fake
	run "$VMCTL" wait web --for running -t 5
	is 0 "web: running"
	asked '"for":"running"' '"timeout":5.000'
	run "$VMCTL" wait web --for ever
	is 2 "bad --for 'ever': give stopped or running"
}

@test "create: options become a definition" {
	fake
	cd "$BATS_TEST_TMPDIR"
	run "$VMCTL" create new -k k -i /i -a 'a b' -c 2 -m 16M -d d,ro -d /e --owner :staff \
		--autostart --restart always --uuid u --cpu-max 50 --memory-max 1G --pids-max 9 \
		--balloon no --rng yes --watchdog pause --vsock 42 \
		--device 01:00.0,name=gpu --device vf-of=02:00.0,mac=02:00:00:00:00:01,vlan=7
	is 0 "new: created"
	asked '"name":"new"' "\"kernel\":\"$PWD/k\"" '"initrd":"/i"' '"cmdline":"a b"' \
		'"vcpus":2' '"memory":16777216' \
		"\"disks\":[{\"path\":\"$PWD/d\",\"readonly\":true},{\"path\":\"/e\",\"readonly\":false}]" \
		'"owner":{"group":"staff"}' '"autostart":true' '"restart":"always"' \
		'"uuid":"u"' '"cpu-max":50' '"memory-max":1073741824' '"pids-max":9' \
		'"balloon":false' '"rng":true' '"watchdog":"pause"' '"vsock":42' \
		'"devices":[{"host":"0000:01:00.0","name":"gpu"},{"vf-of":"0000:02:00.0","mac":"02:00:00:00:00:01","vlan":"7"}]'
	run "$VMCTL" create new -k k
	is 8 "the message; the remedy"
	run "$VMCTL" create other -k k --start --owner bob --json
	is 0 '{"verb":"create","vm":{'
	is 0 '"name":"other"'
	asked '"start":true' '"owner":{"user":"bob"}'
}

@test "create: from a file, and options win" {
	fake
	echo '{"name":"f","kernel":"/k","vcpus":4,"x":1}' >"$BATS_TEST_TMPDIR/f"
	run "$VMCTL" create -f "$BATS_TEST_TMPDIR/f" -c 2
	is 0 "f: created"
	asked '"name":"f"' '"kernel":"/k"' '"vcpus":2' '"x":1'
	run "$VMCTL" create g -f - <"$BATS_TEST_TMPDIR/f"
	is 0 "g: created"
	for text in '' '[]' '{' '1' '{"name":1}'; do
		echo "$text" >"$BATS_TEST_TMPDIR/f"
		run "$VMCTL" create -f "$BATS_TEST_TMPDIR/f"
		[ "$status" = 10 ] || [ "$status" = 2 ]
	done
	run "$VMCTL" create -f /no/such/file
	is 1 "/no/such/file: No such file"
}

@test "create: what is wrong with the command line" {
	run "$VMCTL" create
	is 2 "no name given"
	run "$VMCTL" create x
	is 2 "no --kernel given, and no --firmware"
	run "$VMCTL" create x y
	is 2 "more than one name given ('y')"
	for case in vcpus:0 vcpus:256 memory:0 memory:x cpu-max:0 pids-max:x owner: owner:: \
		restart:often disk: disk:,ro balloon:1M rng:maybe vsock:2 vsock:4294967295 \
		device:eth0 device:01:00.0,colour=red device:vf-of=; do
		run "$VMCTL" create x -k k "--${case%%:*}" "${case#*:}"
		is 2 "${case%%:*}"
	done
}

@test "device: assigned and released" {
	fake
	run "$VMCTL" device assign web 1:0.0
	is 0 "web: hostdev0 added"
	asked '"op":"device-add"' '"vm":"web"' '"device":{"host":"0000:01:00.0"}'
	run "$VMCTL" device assign web vf-of=01:00.0,on-fault=stop -n nic --force --json
	is 0 '{"verb":"add","device":"nic","vm":{'
	asked '"device":{"vf-of":"0000:01:00.0","on-fault":"stop","force":true,"name":"nic"}'
	run "$VMCTL" device release web nic -t 5
	is 0 "web: nic removed"
	asked '"op":"device-remove"' '"device":"nic"' '"force":false' '"timeout":5.000'
	run "$VMCTL" device release web nic -f
	asked '"force":true'
	run "$VMCTL" device assign err-in-use 01:00.0
	is 7 "the message; the remedy"
	run "$VMCTL" device assign err-no-iommu 01:00.0
	is 6 "the message; the remedy"
	for words in "" "assign web" "assign web x" "assign web 01:00.0 more" "release web" bind \
		"bind x" unbind "vf" "vf 01:00.0 --count x" "show" "list x" "eject x"; do
		run "$VMCTL" device $words
		is 2 "see 'vmctl help device'"
	done
}

@test "balloon: what is asked for, and how it is" {
	fake
	run "$VMCTL" balloon web
	is 0 $'name: web\nmemory: 16M\n'
	for line in "target: 16M" "actual: 16M" "driver: true" "resident: 5M" guest: \
		"  age-ms: 3" "  free: 4K"; do
		grep -qx -- "$line" <<<"$output"
	done
	run "$VMCTL" balloon web 8M
	is 0 "target: 8M"
	asked '"op":"balloon"' '"target":8388608'
	run "$VMCTL" balloon web 8388607 --wait -t 2.5 --json
	is 0 '{"verb":"balloon","vm":{'
	is 0 '"target":8388607,"actual":8388607,"inhibited":null'
	asked '"target":8388607' '"wait":true' '"timeout":2.500'
	run "$VMCTL" balloon --reclaim web
	is 0 "hinted: 100M"
	asked '"op":"balloon"' '"reclaim":true'
	run "$VMCTL" balloon web -r -t 2.5 --json
	is 0 '"hinted":104857600'
	asked '"reclaim":true' '"timeout":2.500'
	for case in failed:1 limit:11 timeout:9 not-running:7 inhibited:7; do
		run "$VMCTL" balloon "err-${case%:*}" 4M
		is "${case#*:}" "the message; the remedy"
		run "$VMCTL" balloon "err-${case%:*}" --reclaim
		is "${case#*:}" "the message; the remedy"
	done
}

@test "delete" {
	fake
	run "$VMCTL" delete web
	is 7 "the message"
	run "$VMCTL" delete db
	is 0 "db: deleted"
	run "$VMCTL" delete db
	not_found
	"$VMCTL" stop web
	run "$VMCTL" delete web --json
	is 0 '{"verb":"delete","vm":{"name":"web"}}'
}

@test "each of vmd's errors has its exit code, in text and JSON" {
	fake
	run "$VMCTL" start err-not-found
	not_found
	for case in failed:1 ambiguous:13 not-yours:4 no-host:6 running:7 \
		not-running:7 busy:7 inhibited:7 exists:8 timeout:9 bad-config:10 limit:11 bad-request:12 \
		bad-version:12 unknown-op:12 news:1; do
		run "$VMCTL" start "err-${case%:*}"
		is "${case#*:}" "the message; the remedy"
		run "$VMCTL" start "err-${case%:*}" --json
		is "${case#*:}" "{\"error\":{\"code\":\"${case%:*}\",\"message\":\"the message\",\"remedy\":\"the remedy\""
	done
	run "$VMCTL" start err-bad-config
	is 10 "vmctl: /etc/joist/joist.conf:7: err-bad-config: the message"
}

@test "a daemon that talks nonsense, hangs up, or is silent" {
	fake
	run "$VMCTL" start garbage
	is 12 "is no answer"
	run "$VMCTL" start cut
	is 5 "closed the connection"
	run timeout 60 "$VMCTL" wait silent --timeout 0.1
	is 9 "does not answer in time"
}

@test "log, in text and JSON" {
	fake
	run "$VMCTL" log web
	is 0 $'the log\nof "it"'
	run "$VMCTL" log web -n 100 --json
	is 0 '{"text":"the log\nof \"it\"\n","size":15,"vm":"web"}'
	asked '"bytes":100'
	run "$VMCTL" log web -n 65537
	is 2 "bad --bytes '65537'"
	run "$VMCTL" log web -f --json
	is 2 "do not go together"
}

@test "log --follow reads until nobody writes" {
	fake
	"$VMCTL" log -f web >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	for _ in {1..100}; do
		! grep -q ready "$BATS_TEST_TMPDIR/out" || break
		sleep 0.05
	done
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ "$status" = 143 ]
	grep -q "mode ro force  scrollback 65536 ready" "$BATS_TEST_TMPDIR/out"
}

@test "console, without a terminal: standard input to the guest, what it prints back" {
	fake
	run bash -c "echo abQ | '$VMCTL' console web"
	is 0 "mode rw force  scrollback 4096 ready"
	is 0 "[a][b]"
	is 0 "the console of web ended: running"
	run bash -c "echo Q | '$VMCTL' console web --force --scrollback 9 --json"
	is 0 "mode rw force true scrollback 9 ready"
	is 0 '{"verb":"console","vm":"web","end":"closed","state":"running","last":null}'
	run "$VMCTL" console err-busy
	is 7 "the message"
	run "$VMCTL" console web -n 65537
	is 2 "bad --scrollback '65537'"
}

on_terminal()
{
	timeout 60 "$BIN/ptyrun" ready "$@"
}

@test "console, on a terminal: raw, Ctrl-A x leaves it and restores the terminal" {
	fake
	for keys in $'\x01x' $'\x01d'; do
		run on_terminal "$keys" "$VMCTL" console web
		is 0 "raw=1 restored=1 code=0"
		is 0 "left the console of web"
	done
	run on_terminal $'\x03' "$VMCTL" console --read-only web
	is 0 "mode ro"
	is 0 "raw=1 restored=1 code=0"
	run on_terminal $'a\x03\x01\x01Q' "$VMCTL" console web
	is 0 $'[a][\x03][\x01]'
	is 0 "raw=1 restored=1 code=0"
}

@test "console: the terminal is restored after signals, even fatal ones" {
	fake
	for sig in 15 1 2 3 11; do
		run on_terminal -$sig "$VMCTL" console web
		is 0 "raw=1 restored=1 code=$((128 + sig))"
	done
}

@test "console: Ctrl-A p presses the power button" {
	fake
	run on_terminal $'\x01pQ' "$VMCTL" console web
	is 0 "restored=1 code=0"
	grep -q '"op":"stop","vm":"web","timeout":0' "$REQUESTS"
}

@test "config check and reload" {
	fake
	run "$VMCTL" config check
	is 10 "/etc/joist/joist.conf:3: no such option 'x'"
	run "$VMCTL" config check --json
	is 10 '{"faults":[{"file":"/etc/joist/joist.conf","line":3,'
	run "$VMCTL" config reload
	is 0 "web: changed"
	run "$VMCTL" config reload --json
	is 0 '{"changed":[{"vm":"web","what":"changed"}],"faults":[]}'
	run "$VMCTL" config mend
	is 2 "unexpected argument 'mend': give check or reload"
	run "$VMCTL" config
	is 2 "no argument given"
}

@test "events of vmd's, in text and JSON" {
	fake
	run "$VMCTL" events -n 1
	is 0 " vmd db found"
	run "$VMCTL" events -n 1 --json
	is 0 '{"source":"vmd","seq":2,"time":1764147786.5,"name":"db",'
	is 0 '"what":"found"'
	run "$VMCTL" events nope
	not_found
}

@test "events: of the VM that was named alone" {
	fake
	timeout 30 "$VMCTL" events web -n 2 --json >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	for _ in {1..100}; do
		! grep -q '"op":"events"' "$REQUESTS" || break
		sleep 0.05
	done
	"$VMCTL" start db
	"$VMCTL" pause web
	"$VMCTL" resume web
	wait $pid
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" = 2 ]
	grep -q '"name":"web".*"what":"paused"' "$BATS_TEST_TMPDIR/out"
	! grep -q '"name":"db"' "$BATS_TEST_TMPDIR/out"
}

@test "events: a daemon that goes and comes back is told" {
	fake
	timeout 30 "$VMCTL" events -n 4 >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	for _ in {1..100}; do
		! grep -q 'db found' "$BATS_TEST_TMPDIR/out" || break
		sleep 0.05
	done
	kill "$FAKE"
	rm "$JOIST_SOCKET"
	for _ in {1..100}; do
		! grep -q vmd-lost "$BATS_TEST_TMPDIR/out" || break
		sleep 0.05
	done
	fake
	wait $pid
	grep -q "vmctl - vmd-lost: vmd closed the connection" "$BATS_TEST_TMPDIR/out"
	grep -q "vmctl - vmd-back" "$BATS_TEST_TMPDIR/out"
}

@test "version tells vmd's, and JSON has null for what is not there" {
	fake
	run "$VMCTL" version
	is 0 "vmd 0.0.9, protocol 1"
	run "$VMCTL" version --json
	is 0 '"vmd":"0.0.9","protocol":1'
	JOIST_SOCKET=/no/such run "$VMCTL" version --json
	is 0 '"vmd":null,"protocol":null'
}

@test "completion knows verbs, options, their arguments and VMs" {
	fake
	[ "$("$VMCTL" completion reply -- start '' '')" = $'db\nweb' ]
	"$VMCTL" completion commands | grep -qx events
	"$VMCTL" completion reply -- stop x --f | grep -qx -- --force
	"$VMCTL" completion reply -- create --restart '' | grep -qx on-failure
	[ "$("$VMCTL" completion reply -- run -i x)" = @file ]
	[ "$("$VMCTL" completion reply -- config '' '')" = $'check\nreload' ]
	[ -z "$("$VMCTL" completion reply -- nonsense '' '')" ]
	JOIST_SOCKET=/no/such run "$VMCTL" completion reply -- start '' ''
	[ "$status" = 0 ]
}

# completed WORD...: what bash would offer for the last word.
completed()
{
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_vmctl
	echo "${COMPREPLY[*]}"
}

@test "completion in bash" {
	fake
	source <("$VMCTL" completion bash)
	[ "$(completed "$VMCTL" ev)" = events ]
	[ "$(completed "$VMCTL" start w)" = web ]
	[ "$(completed "$VMCTL" stop --ti)" = --timeout ]
	[ "$(completed "$VMCTL" wait --for r)" = running ]
	[ "$(completed "$VMCTL" help cons)" = console ]
	cd "$BATS_TEST_TMPDIR"
	: >some-file
	[ "$(completed "$VMCTL" run --initrd some)" = some-file ]
}
