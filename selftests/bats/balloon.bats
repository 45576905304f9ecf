#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Memory that a guest gives back: a Debian guest with its own driver for the balloon.

load helper
load guest_net

# shellcheck disable=SC2034 # guest_net's script() begins with it
GUEST_FIRST='
load balloon
mount -t tmpfs -o size=90% tmpfs /tmp
'

setup()
{
	need_guest
}

# rss PID: MiB of memory that it has
rss()
{
	awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$1/status"
}

# begin OPTION...: a guest of 256 MiB on the script, with PID and its console in $OUT
begin()
{
	OUT=$BATS_TEST_TMPDIR/console
	net_guest -m 256M "$@" >"$OUT" 2>&1 3>&- &
	GUEST=$!
	until_true 200 pidof vmctl
	PID=$(pidof vmctl)
}

teardown()
{
	[ -z "$OUT" ] || cat "$OUT"
	[ -z "$PID" ] || rss "$PID" || true
	killall vmctl 2>/dev/null || true
}

# says TEXT: wait for that on the console
says()
{
	until_true 600 grep -q "$1" "$OUT"
}

@test "free memory goes back to the host by itself, and can be used again" {
	script '
		dd if=/dev/zero of=/tmp/big bs=1M count=120
		echo "guest: full"
		sleep 2
		rm /tmp/big
		sleep 12
		yes joist | head -c 125829120 >/tmp/big
		md5sum </tmp/big'
	begin --balloon 256M
	says "guest: full"
	[ "$(rss "$PID")" -gt 150 ]
	until_true 250 eval '[ "$(rss "$PID")" -lt 110 ]'
	wait $GUEST
	[ "$(yes joist | head -c 125829120 | md5sum)" = "$(grep '  -' "$OUT" | tr -d '\r')" ]
}

# bats test_tags=long
@test "--balloon SIZE: the guest keeps no more, until it runs out of memory" {
	script '
		pages() { sed -n "s/^balloon_$1 //p" /proc/vmstat; }
		until [ $(pages inflate) -ge 32768 ]; do sleep 1; done
		echo "guest: inflated"
		sleep 2
		dd if=/dev/zero of=/tmp/big bs=1M count=110
		wc -c </tmp/big
		[ $(pages deflate) = 0 ] || echo "guest: deflated"'
	begin --balloon 128M
	says "guest: inflated"
	[ "$(rss "$PID")" -lt 130 ]
	wait $GUEST
	grep -q "^115343360" "$OUT"
	grep -q "guest: deflated" "$OUT"
}

# bats test_tags=long
@test "a driver that comes and goes, and comes again" {
	script '
		n=0
		while [ $n -lt 5 ]; do
			rmmod virtio_balloon
			insmod /modules/virtio_balloon.ko
			n=$((n + 1))
		done
		echo "guest: $n times"'
	begin --balloon 96M
	wait $GUEST
	grep -q "guest: 5 times" "$OUT"
}

# It may well give up the memory that it runs in: that is its own loss.
@test "a driver that writes garbage everywhere harms nobody but its guest" {
	run guest v --balloon 16M
	echo "$output"
	[[ $status = 0 || $status = 20 ]]
	[[ $output == *"the guest broke a queue of the balloon"* ]]
}
