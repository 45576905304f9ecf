#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmctl run and the world around it: signals, terminal, pipes, other VMs.

load helper

setup()
{
	need_device
}

# users: references to the module, as lsmod shows them.
users()
{
	local sum=0 module
	for module in $(basename "$DEVICE") kvm_amd kvm_intel; do
		module=/sys/module/$module/refcnt
		[ ! -e "$module" ] || sum=$((sum + $(cat "$module")))
	done
	echo $sum
}

# start LETTER [OPTION...]: a guest in the background, as $pid, once it is ready.
start()
{
	local letter=$1
	shift
	: >"$BATS_TEST_TMPDIR/out"
	"$VMCTL" run --device-path "$DEVICE" -m 16M --cmdline-only --cmdline "$letter" "$@" \
		"$KERNEL" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	pid=$!
	for _ in {1..600}; do
		! grep -q ready "$BATS_TEST_TMPDIR/out" || return 0
		sleep 0.1
	done
	kill -9 $pid
	return 1
}

@test "a disk is one VM's, unless it is only read" {
	truncate -s 1M "$BATS_TEST_TMPDIR/disk"
	start h -d "$BATS_TEST_TMPDIR/disk,ro"
	run guest o -d "$BATS_TEST_TMPDIR/disk,ro"
	[ "$status" = 0 ]
	run guest o -d "$BATS_TEST_TMPDIR/disk"
	[ "$status" = 1 ]
	[[ $output == *"in use by another VM"* ]]
	kill $pid
	wait $pid || true
}

@test "nothing but guest memory can be a huge page" {
	start h -c 16
	run awk '$1 == "Size:" { size = $2 } $1 == "Rss:" && $2 && size >= 2048 { print size }' \
		/proc/$pid/smaps
	kill $pid
	wait $pid || true
	[ "$output" = 16384 ]
}

@test "signals end it with 128 + their number" {
	for case in INT:h TERM:l HUP:h QUIT:l; do
		start "${case#*:}"
		kill -s "${case%:*}" $pid
		status=0
		wait $pid || status=$?
		[ "$status" = $((128 + $(kill -l "${case%:*}"))) ]
	done
}

@test "kill -9 leaves no VM behind" {
	before=$(users)
	start l -c 2
	[ "$(users)" -gt "$before" ]
	kill -9 $pid
	wait $pid || true
	for _ in {1..50}; do
		[ "$(users)" = "$before" ] && return
		sleep 0.1
	done
	false
}

@test "a reader that leaves ends it" {
	status=0
	{ guest f || echo $? >"$BATS_TEST_TMPDIR/code"; } | head -n 3 >/dev/null
	[ "$(cat "$BATS_TEST_TMPDIR/code")" = 1 ]
}

@test "standard input reaches the guest" {
	run bash -c "printf 'hello, guest.' | timeout 60 '$VMCTL' run --device-path '$DEVICE' \
		-m 16M --cmdline-only --cmdline e '$KERNEL'"
	[ "$status" = 0 ]
	[[ $output == *"hello, guest."* ]]
}

on_terminal()
{
	timeout 60 "$BIN/ptyrun" ready "$1" "$VMCTL" run --device-path "$DEVICE" -m 16M \
		--cmdline-only --cmdline "$2" "$KERNEL"
}

@test "the terminal is raw, and Ctrl-A x leaves and restores it" {
	run on_terminal $'\x01x' h
	[[ $output == *"raw=1 restored=1 code=28"* ]]
}

@test "keys, Ctrl-C and the doubled Ctrl-A reach the guest" {
	run on_terminal $'a\x03\x01\x01.' e
	[[ $output == *"a"$'\x03\x01'"."* ]]
	[[ $output == *"raw=1 restored=1 code=0"* ]]
}

@test "Ctrl-A s presses the sleep button, Ctrl-A p the other" {
	run on_terminal $'\x01s' b
	[[ $output == *"sleep button"*"restored=1 code=0"* ]]
	run on_terminal $'\x01p' b
	[[ $output == *"button"*"restored=1 code=0"* && $output != *"sleep"* ]]
}

@test "the terminal is restored after signals, even fatal ones" {
	run on_terminal -15 h
	[[ $output == *"raw=1 restored=1 code=143"* ]]
	run on_terminal -11 h
	[[ $output == *"raw=1 restored=1 code=139"* ]]
}

# timed_out STATUS: by timeout's SIGTERM (coreutils', busybox's), not its SIGKILL.
timed_out()
{
	[ "$1" = 124 ] || [ "$1" = 143 ]
}

@test "reboot starts again" {
	run timeout -k 20 5 "$VMCTL" run --device-path "$DEVICE" -m 16M --reboot \
		--cmdline-only --cmdline r "$KERNEL"
	timed_out "$status"
	[ "$(grep -c 'guest reset' <<<"$output")" -gt 1 ]
}

# bats test_tags=long
@test "a signal ends it whenever it comes, in the middle of a reboot too" {
	for tenths in {1..20}; do
		run timeout -k 20 $((tenths / 10)).$((tenths % 10)) "$VMCTL" run \
			--device-path "$DEVICE" -m 16M --reboot --cmdline-only \
			--cmdline r "$KERNEL"
		timed_out "$status"
	done
}
