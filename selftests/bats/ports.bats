#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Named ports: a Debian guest with its own driver, and programs of the host's at the other end.

load helper
load guest_net

# port NAME in the guest: its device file, once it is there.
# shellcheck disable=SC2016,SC2034 # it is the guest's
GUEST_FIRST='
load console
port()
{
	until grep -lx "$1" /sys/class/virtio-ports/*/name 2>/dev/null; do
		usleep 10000
	done | sed "s,.*/\\(vport[^/]*\\)/name,/dev/\\1,"
}
'

setup()
{
	need_guest
	S=$BATS_TEST_TMPDIR
}

teardown()
{
	[ ! -e "$S/console" ] || tail -n 40 "$S/console"
	killall vmctl ctl 2>/dev/null || true
}

# begin OPTION...: a guest on the script, its console in a file
begin()
{
	net_guest "$@" >"$S/console" 2>&1 3>&- &
	GUEST=$!
}

says()
{
	until_true 600 grep -q "$1" "$S/console"
}

# shellcheck disable=SC2016 # the script is the guest's
@test "lines there and back, a terminal, and who comes and goes" {
	script '
		a=$(port org.joist.a)
		b=$(port second)
		cd /sys/class/dmi/id
		echo "guest: dmi $(cat sys_vendor product_name product_serial product_uuid | tr "\n" /)"
		ls -d /sys/bus/acpi/devices/PNP0C0E:*
		echo "guest: $(ls /sys/class/virtio-ports | wc -l) ports"
		(while read -r line; do echo "hvc: $line"; done) </dev/hvc0 >/dev/hvc0 &
		exec 5<>$a
		echo "guest: open"
		while :; do
			# With nobody at the other end, there is nothing to read.
			read -r line <&5 || { usleep 50000; continue; }
			echo "guest: has $line"
			[ "$line" != sum ] || yes joist | head -c 300000 | md5sum
			[ "$line" != sum ] || yes joist | head -c 300000 >&5
			[ "$line" = sum ] || echo "back $line" >&5
			[ "$line" != end ] || break
		done
		echo "guest: done"'
	begin --console-port "name=org.joist.a,path=$S/a" --console-port "name=second,path=$S/b" \
		--console-port "name=tty,path=$S/tty,console" \
		--name its-name --uuid 00112233-4455-6677-8899-AABBCCDDEEFF
	says "guest: 3 ports"
	says "^/sys/bus/acpi/devices/PNP0C0E:00"
	says "guest: dmi joist/Virtual Machine/its-name/00112233-4455-6677-8899-aabbccddeeff/"
	[ -S "$S/a" ] && [ "$(stat -c %a "$S/a")" = 600 ]
	says "guest: open"
	# One after the other.
	[ "$("$BIN/ctl" -s "$S/a" -f 2 one)" = "back one" ]
	[ "$("$BIN/ctl" -s "$S/a" -f 2 two)" = "back two" ]
	"$BIN/ctl" -s "$S/a" -f 200 sum >"$S/sum" 3>&- &
	reader=$!
	until_true 1500 eval '[ "$(stat -c %s "$S/sum")" -ge 300000 ]' || true
	kill $reader || true
	[ "$(yes joist | head -c 300000 | md5sum)" = "$(md5sum <"$S/sum")" ]
	"$BIN/ctl" -s "$S/tty" -f 2 hello | grep -q "hvc: hello"
	"$BIN/ctl" -s "$S/a" -f 2 end || true
	wait $GUEST
	# Nothing is left, and nothing of others is taken away.
	[ ! -e "$S/a" ] && [ ! -e "$S/tty" ]
}

# shellcheck disable=SC2016
# bats test_tags=long
@test "a driver that comes and goes, with somebody connected" {
	script '
		n=0
		while [ $n -lt 5 ]; do
			rmmod virtio_console
			insmod /modules/virtio_console.ko
			n=$((n + 1))
		done
		exec 5<>$(port a)
		read -r line <&5
		echo "guest: $n times, then $line"'
	begin --console-port "name=a,path=$S/a"
	until_true 100 test -S "$S/a"
	"$BIN/ctl" -s "$S/a" -f 60 word >/dev/null 3>&- &
	wait $GUEST
	grep -q "guest: 5 times, then word" "$S/console"
}

@test "places where no socket can be, and what a killed VM has left" {
	echo mine >"$S/file"
	run guest o --console-port "name=a,path=$S/file"
	[ "$status" = 1 ]
	[[ $output == *"cannot listen at $S/file: Address already in use"* ]]
	[ "$(cat "$S/file")" = mine ]
	run guest o --console-port "name=a,path=/no/such/place"
	[ "$status" = 1 ]
	[[ $output == *"cannot listen at /no/such/place: No such file"* ]]
	guest h --console-port "name=a,path=$S/a" >"$S/console" 2>&1 3>&- &
	says ready
	run guest o --console-port "name=a,path=$S/a"
	[[ $status = 1 && $output == *"Address already in use"* ]]
	killall -9 vmctl
	until_true 50 eval '! pidof vmctl'
	[ -S "$S/a" ]
	run guest o --console-port "name=a,path=$S/a"
	[ "$status" = 0 ]
	[ ! -e "$S/a" ]
}

@test "a driver that writes garbage everywhere harms nobody but its guest" {
	run guest v --console-port "name=a,path=$S/a" --console-port "name=b,path=$S/b,console"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"virtio devices: 1, in order after a reset: 1"* ]]
	[[ $output == *"the guest broke a queue of its ports"* ]]
}
