#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmd: who may do what. alice and bob are users, bob is in the group crew, carol in joist.

load vmd

@test "one's own VMs, and no others" {
	{ vm hers h 'owner = alice'; vm theirs h 'owner = ":crew"'; vm roots h; } | conf
	daemon
	run as alice list
	[[ $output == *'"hers"'* ]]
	[[ $output != *'"theirs"'* && $output != *'"roots"'* ]]
	run as alice start hers
	[ "$status" = 0 ]
	# As its owner it runs.
	[ "$(awk '/^Uid/ { print $2 }' "/proc/$(pid_of hers)/status")" = 1001 ]
	for op in show start stop pause resume reset nmi wait console log delete; do
		for name in theirs roots; do
			run as alice $op $name
			[ "$status" = 1 ]
			[ "$(field code)" = not-found ]
		done
	done
	run as bob start theirs
	[ "$status" = 0 ]
	[ "$(awk '/^Uid/ { print $2 }' "/proc/$(pid_of theirs)/status")" = 900 ]
	run as bob stop hers '"force":true'
	[ "$(field code)" = not-found ]
	run as alice reload
	[ "$(field code)" = not-yours ]
	# An admin may all.
	run as carol list
	[[ $output == *'"hers"'*'"roots"'*'"theirs"'* ]]
	run as carol stop hers '"force":true'
	[ "$status" = 0 ]
	run as carol reload
	[ "$status" = 0 ]
}

@test "a user's VM is opened with the user's rights" {
	conf </dev/null
	daemon
	def() { echo "\"definition\":{\"name\":\"$1\",\"kernel\":\"$KERNEL\",\"memory\":16777216,\"cmdline\":\"h\"$2}"; }
	truncate -s 1M /tmp/root.img
	chmod 600 /tmp/root.img
	truncate -s 1M /tmp/alice.img
	chmod 600 /tmp/alice.img
	chown alice /tmp/alice.img
	run as alice create "" "$(def secret ',"disks":[{"path":"/tmp/root.img"}]'),\"start\":true"
	[ "$(field code)" = failed ]
	[[ $output == *"cannot open the disk /tmp/root.img: Permission denied"* ]]
	run as alice create "" "$(def good ',"disks":[{"path":"/tmp/alice.img"}]'),\"start\":true"
	[ "$status" = 0 ]
	[[ $output == *'"owner":{"user":"1001","uid":1001}'* ]]
	# An admin that starts it lends it no rights.
	run ask start secret
	[[ $output == *"Permission denied"* ]]
	run as alice create "" "$(def other ',"owner":{"user":"bob"}')"
	[ "$(field code)" = not-yours ]
	run as carol create "" "$(def other ',"owner":{"user":"bob"}')"
	[ "$status" = 0 ]
	run as bob delete other
	[ "$status" = 0 ]
	run as bob delete good
	[ "$(field code)" = not-found ]
	for n in {3..32}; do
		as alice create "" "$(def vm$n)" >/dev/null
	done
	run as alice create "" "$(def onemore)"
	[ "$(field code)" = limit ]
	rm -f /tmp/root.img /tmp/alice.img
}

@test "what a VM's process is" {
	vm web h | conf
	daemon
	ask start web
	pid=$(pid_of web)
	grep -q '^Uid:	900	900	900	900$' "/proc/$pid/status"
	grep -q '^Groups:	 *$' "/proc/$pid/status"
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		grep -q "^$set:	0000000000000000$" "/proc/$pid/status"
	done
	grep -q '^NoNewPrivs:	1$' "/proc/$pid/status"
	grep -q '^Seccomp:	2$' "/proc/$pid/status"
	[ -z "$(ls -A "/proc/$pid/root/")" ]
	run touch "/proc/$pid/root/x"
	[ "$status" != 0 ]
	# It has what it was given, and nothing of the daemon's.
	run ls -l "/proc/$pid/fd"
	[ "$status" = 0 ]
	[[ $output != *joist/control* && $output != *joist/lock* && $output != *epoll* ]]
	control=$(processes --control)
	grep -q '^Seccomp:	2$' "/proc/$control/status"
	grep -q '^CapEff:	0000000000000000$' "/proc/$control/status"
	[ -z "$(ls -A "/proc/$control/root/")" ]
	# The parent has less than root.
	run grep '^CapEff:' "/proc/$VMD_PID/status"
	[[ $output != *000001ffffffffff ]]
}

@test "limits are cgroups" {
	mkdir -p /sys/fs/cgroup
	grep -q " /sys/fs/cgroup " /proc/mounts || mount -t cgroup2 cgroup2 /sys/fs/cgroup
	{ vm capped h 'cpu-max = 50' 'memory-max = 128M' 'pids-max = 20'; vm free h
		vm crowd h 'vcpus = 16' 'pids-max = 5'; } | conf
	daemon
	ask start capped
	ask start free
	dir=/sys/fs/cgroup/joist/vm-capped
	[ "$(cat $dir/cpu.max)" = "50000 100000" ]
	[ "$(cat $dir/memory.max)" = 134217728 ]
	[ "$(cat $dir/pids.max)" = 20 ]
	grep -qx "$(pid_of capped)" $dir/cgroup.procs
	run ask start crowd
	[ "$(field code)" = failed ]
	[[ $output == *"thread"* ]]
	ask stop capped '"force":true'
	until_true 20 test ! -e $dir
	# The daemon, started again, is where it was.
	kill -9 "$VMD_PID"
	wait "$VMD_PID" || true
	daemon
	[ "$(state free)" = '"state":"running"' ]
	grep -qx "$VMD_PID" /sys/fs/cgroup/joist/vmd/cgroup.procs
}
