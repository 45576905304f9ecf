#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmd and the module's list of VMs.

load vmd

# listed NAME: its line there.
listed()
{
	"$BIN/vms" | grep " $1\$"
}

@test "a VM has in the module's list the name and UUID it has here, and the id here it has there" {
	{
		vm web h 'uuid = "0123abcd-0000-4000-8000-00000000beef"'
		vm db h 'owner = "alice"'
	} | conf
	daemon
	run ask show web
	[[ $output == *'"id":null'* ]]
	# The id is known when the start is answered.
	run ask start web
	run ask show web
	[[ $output == *'"state":"running","id":'[0-9]* ]]
	id=$(sed 's/.*"state":"running","id":\([0-9]*\).*/\1/' <<<"$output")
	[ "$(listed web)" = "$id $(pid_of web) 0123abcd-0000-4000-8000-00000000beef web" ]
	run ask start db
	[[ $output == *'"state":"running","id":'[0-9]* ]]
	other=$(sed 's/.*"state":"running","id":\([0-9]*\).*/\1/' <<<"$output")
	[ "$id" != "$other" ]
	[[ $(listed db) == "$other $(pid_of db) "* ]]
	# It is as good as the name, for whom the VM is.
	run "$CTL" '{"v":1,"op":"show","vm":'"$id"'}'
	[ "$(field name)" = web ]
	run ask show "$other"
	[ "$(field name)" = db ]
	run as alice show "$other"
	[ "$(field name)" = db ]
	run as alice show "$id"
	[ "$(field code)" = not-found ]
	# A daemon that comes back knows it again; a VM that has ended has none.
	kill -9 "$VMD_PID"
	wait "$VMD_PID" || true
	daemon
	run ask show web
	[[ $output == *"\"state\":\"running\",\"id\":$id,"* ]]
	run ask stop web '"force":true'
	[[ $output == *'"state":"stopped","id":null'* ]]
	run ask show "$id"
	[ "$(field code)" = not-found ]
	run listed web
	[ "$status" = 1 ]
	[[ $(listed db) == "$other "* ]]
}

@test "VMs of others are left alone" {
	vm web h | conf
	daemon
	timeout 60 "$VMCTL" run -m 16M --cmdline-only --cmdline h "$KERNEL" </dev/null >/dev/null 2>&1 3>&- &
	other=$!
	until_true 100 eval '[ "$("$BIN/vms" | wc -l)" = 1 ]'
	before=$("$BIN/vms")
	ask start web
	[ "$("$BIN/vms" | wc -l)" = 2 ]
	"$BIN/vms" | grep -qxF "$before"
	kill $other
	wait $other || true
}
