#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The watchdog: what happens to a guest that starts it and says no more, by vmctl run and by
# vmd; and Linux's driver for it.

load vmd
load guest_net

teardown()
{
	echo "$output"
	[ -z "$EVENTS" ] || kill "$EVENTS" 2>/dev/null || true
	vmd_teardown
}

@test "what is done when it fires: reset, poweroff, none; and there is none unasked" {
	run guest g
	[ "$status" = 0 ]
	[[ $output == *"watchdog: none"* ]]
	run guest g --watchdog reset
	[ "$status" = 16 ]
	[[ $output == *"watchdog: started"*"guest reset (watchdog)"* ]]
	run guest g --watchdog poweroff
	[ "$status" = 30 ]
	[[ $output == *"watchdog: started"*"the guest's watchdog fired: it was switched off"* ]]
	[[ $output != *"goes on"* ]]
	run guest g --watchdog none
	[ "$status" = 0 ]
	[[ $output == *"the guest's watchdog has fired"*"the guest goes on"* ]]
}

@test "vmd: it pauses, and tells; resumed, the guest goes on; a reset starts it again" {
	{
		vm dog g 'watchdog = pause'
		vm again g 'watchdog = reset'
	} | conf
	daemon
	"$VMCTL" events --json >"$BATS_TEST_TMPDIR/events" 2>&1 3>&- &
	EVENTS=$!
	ask start dog
	state_is dog paused
	run ask show dog
	[[ $output == *'"watchdog":"pause"'* ]]
	ask resume dog
	run ask wait dog
	[[ $output == *'"reason":"poweroff","code":0'* ]]
	grep -q "the guest goes on" /var/log/joist/dog.log
	ask start again
	until_true 100 eval '[ "$(grep -c "watchdog: started" /var/log/joist/again.log)" -ge 2 ]'
	ask stop again '"force":true'
	kill $EVENTS
	grep -q '"name":"dog","what":"watchdog"' "$BATS_TEST_TMPDIR/events" ||
		grep '"what":"watchdog"' "$BATS_TEST_TMPDIR/events" | grep -q dog
	grep '"what":"watchdog"' "$BATS_TEST_TMPDIR/events" | grep -q again
	grep '"what":"restarted"' "$BATS_TEST_TMPDIR/events" | grep -q 'guest reset (watchdog)'
}

@test "Linux: a guest that stops petting it is reset" {
	[ -e /guest/vmlinuz-standard ] || skip "no guest kernel"
	# shellcheck disable=SC2034 # guest_net's script() begins with it
	GUEST_FIRST=
	# shellcheck disable=SC2016 # it is the guest's
	script '
		insmod /modules/watchdog.ko
		insmod /modules/i6300esb.ko heartbeat=3
		exec 9>/dev/watchdog
		for second in 1 2 3 4 5; do echo >&9; sleep 1; done
		echo "guest: well for 5 seconds"
		sleep 30
		echo "guest: still there"'
	run timeout 200 "$VMCTL" run --device-path "$DEVICE" -m 256M --initrd "$INITRD" \
		--cmdline joist.do=script --watchdog reset /guest/vmlinuz-standard </dev/null
	[ "$status" = 16 ]
	[[ $output == *"guest: well for 5 seconds"*"guest reset (watchdog)"* ]]
	[[ $output != *"still there"* ]]
}
