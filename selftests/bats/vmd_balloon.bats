#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmd: the balloon of a VM: what the guest gives back the host has, and who may ask for it.

load vmd
load guest_net

# shellcheck disable=SC2034 # guest_net's script() begins with it
GUEST_FIRST='
load balloon
'

# resident NAME: MiB of the host's memory that its process has
resident()
{
	awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$(pid_of "$1")/status"
}

# figure NAME: of the last answer in $output, MiB
figure()
{
	echo $(($(field "$1") >> 20))
}

# near WANTED IS: within five percent of it, and 4 MiB for what the guest does meanwhile
near()
{
	echo "wanted $1, is $2"
	local most=$(($1 / 20 + 4)) off=$(($1 - $2))
	[ "${off#-}" -le "$most" ]
}

teardown()
{
	echo "$output"
	[ -z "$EVENTS" ] || kill "$EVENTS" 2>/dev/null || true
	vmd_teardown
}

balloon()
{
	"$VMCTL" balloon --json "$@"
}

logged()
{
	ask log "$1" | grep -q "$2"
}

# keys NAME TEXT: a line to its console, and what it answers
keys()
{
	"$CTL" -k $'go\n' -u "$2" "{\"v\":1,\"op\":\"console\",\"vm\":\"$1\"}" >/dev/null
}

# log_has NAME TEXT: soon
log_has()
{
	until_true 600 logged "$1" "$2"
}

@test "what the guest gives back the host has, to within a few percent; and the other way" {
	[ -e /guest/vmlinux ] || skip "no guest kernel"
	# What it reads it keeps, until somebody wants the memory; as long as the disk is open.
	script '
		cd /sys/class/dmi/id
		echo "guest: $(cat product_serial) $(cat product_uuid)."
		exec 9</dev/vda
		read_all() { dd if=/dev/vda of=/dev/null bs=1M; }
		read_all
		echo "guest: full"
		until [ $(sed -n "s/^balloon_deflate //p" /proc/vmstat) -gt 32000 ]; do sleep 1; done
		read_all
		echo "guest: full again"
		while :; do sleep 60; done'
	truncate -s 256M "$BATS_TEST_TMPDIR/disk"
	vm web '' 'kernel = "/guest/vmlinux"' "initrd = \"$INITRD\"" 'memory = 256M' \
		'cmdline = "console=ttyS0 quiet cryptomgr.notests joist.do=script"' \
		"disk \"a\" { path = \"$BATS_TEST_TMPDIR/disk\" }" | conf
	daemon
	"$VMCTL" events web --json >"$BATS_TEST_TMPDIR/events" 2>&1 3>&- &
	EVENTS=$!
	ask start web
	log_has web "guest: full"
	# Whose memory it is it finds in its SMBIOS.
	run ask show web
	logged web "guest: web $(field uuid)\."
	before=$(resident web)
	[ "$before" -gt 200 ]
	run balloon web
	[ "$status" = 0 ]
	[ "$(figure target) $(figure actual)" = "256 256" ]
	near "$before" "$(figure resident)"
	[[ $output == *'"driver":true'*'"guest":{"age-ms":'*'"free":'*'"available":'*'"caches":'* ]]
	[ "$(field age-ms)" -lt 1000 ]
	[ "$(figure caches)" -gt 100 ]

	run balloon web 128M --wait --timeout 100
	[ "$status" = 0 ]
	[[ $output == *'"reached":true'* ]]
	[ "$(figure target) $(figure actual)" = "128 128" ]
	near 128 $((before - $(resident web)))
	near "$(resident web)" "$(figure resident)"
	"$VMCTL" show web | grep -qx "  target: 128M"

	run balloon web 256M --wait --timeout 100
	[ "$status" = 0 ]
	[ "$(figure actual)" = 256 ]
	log_has web "guest: full again"
	near "$before" "$(resident web)"

	# A paused guest says nothing: what it said is older then.
	ask pause web
	sleep 1
	run balloon web
	[ "$(field age-ms)" -ge 1000 ]
	ask resume web
	kill $EVENTS
	[ "$(grep -c '"what":"balloon"' "$BATS_TEST_TMPDIR/events")" = 2 ]
	grep -q '"why":"the guest keeps 128 MiB of 256"' "$BATS_TEST_TMPDIR/events"
	run ask stop web '"force":true'
	[ "$status" = 0 ]
}

@test "--reclaim: what the guest has free the host has, once; and nothing else" {
	[ -e /guest/vmlinux ] || skip "no guest kernel"
	# Free pages are not reported by themselves: none is as large as that. What is kept is looked at
	# before and after.
	script '
		echo 11 >/sys/module/page_reporting/parameters/page_reporting_order
		fill() { yes "$1" | head -c $(($2 << 20)) >"/tmp/$1"; }
		sum() { md5sum <"/tmp/$1"; }
		fill kept 20
		was=$(sum kept)
		fill filled 100
		full=$(sum filled)
		echo "guest: full"
		read line </dev/console
		rm /tmp/filled
		echo "guest: free"
		read line </dev/console
		[ "$(sum kept)" != "$was" ] || echo "guest: kept is as it was"
		fill filled 100
		[ "$(sum filled)" != "$full" ] || echo "guest: full again"
		rmmod virtio_balloon
		echo "guest: without"
		while :; do sleep 60; done'
	vm web '' 'kernel = "/guest/vmlinux"' "initrd = \"$INITRD\"" 'memory = 256M' \
		'cmdline = "console=ttyS0 quiet cryptomgr.notests joist.do=script"' | conf
	daemon
	ask start web
	log_has web "guest: full"
	full=$(resident web)
	keys web "guest: free"
	# It is not told of by itself.
	sleep 5
	near "$full" "$(resident web)"

	run balloon --reclaim web
	[ "$status" = 0 ]
	[[ $output == *'"target":268435456,"actual":268435456,"reached":true'* ]]
	# Not all that is free lies in pieces large enough, and some the host has not given it yet.
	[ "$(figure hinted)" -ge 100 ]
	back=$(figure given-back)
	[ "$back" -ge 60 ]
	near "$back" $((full - $(resident web)))
	near "$(resident web)" "$(figure resident)"
	# There is no more.
	run balloon --reclaim web
	[ "$status" = 0 ]
	[ "$(figure given-back)" -lt 10 ]
	keys web "guest: without"
	logged web "guest: kept is as it was"
	logged web "guest: full again"
	near "$full" "$(resident web)"

	run "$VMCTL" balloon --reclaim web
	[ "$status" = 1 ]
	[[ $output == *"the guest has no driver for the balloon"* ]]
	ask pause web
	run "$VMCTL" balloon --reclaim web
	[ "$status" != 0 ]
	[[ $output == *"the VM is paused"* ]]
	ask stop web '"force":true'
}

@test "who has no balloon, no driver, no right, or no patience" {
	{
		vm none h 'balloon = no' 'rng = no'
		vm deaf h
		vm off o
	} | conf
	daemon
	ask start none
	ask start deaf
	! grep -qE "balloon|rng" /proc/"$(pid_of none)"/task/*/comm
	grep -qE "balloon" /proc/"$(pid_of deaf)"/task/*/comm
	grep -qE "rng" /proc/"$(pid_of deaf)"/task/*/comm
	run "$VMCTL" balloon none
	[ "$status" = 1 ]
	[[ $output == *"the VM has no balloon; give it one in its definition"* ]]
	run "$VMCTL" balloon --reclaim none
	[ "$status" = 1 ]
	[[ $output == *"the VM has no balloon; give it one in its definition"* ]]
	run "$VMCTL" balloon --reclaim deaf
	[ "$status" = 1 ]
	[[ $output == *"the guest has no driver for the balloon; load it"* ]]
	run ask balloon deaf '"reclaim":true,"target":4096'
	[[ $output == *'"code":"bad-request"'* ]]
	run "$VMCTL" balloon off
	[ "$status" = 7 ]
	run "$VMCTL" balloon nothing
	[ "$status" = 3 ]
	run "$VMCTL" balloon deaf 17M
	[ "$status" = 11 ]
	[[ $output == *"no more than 16 MiB"* ]]
	run balloon deaf 8M
	[ "$status" = 0 ]
	[[ $output == *'"target":8388608,"actual":16777216,"reached":false,"driver":false'*'"guest":null'* ]]
	run "$VMCTL" balloon deaf --wait --timeout 0.5
	[ "$status" = 9 ]
	# Who waits for a VM that ends is told.
	"$VMCTL" balloon deaf 4M --wait >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	waits=$!
	sleep 1
	ask stop deaf '"force":true'
	status=0
	wait $waits || status=$?
	[ "$status" = 7 ]
	run as alice balloon none
	[[ $output == *'"code":"not-found"'* ]]
}
