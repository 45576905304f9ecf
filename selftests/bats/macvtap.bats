#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# VMs of vmd's on an interface of the host's, by macvtap.

load vmd
load guest_net

setup_file()
{
	modprobe -a macvtap veth bridge sch_ingress cls_bpf cls_matchall act_police act_gact
}

setup()
{
	need_bench
	rm -rf /etc/joist /run/joist /var/lib/joist /var/log/joist
	mkdir -p /var/lib /var/log
	ip link add wire0 type veth
	ip link set wire0 up
	# Its other end has the name that is free.
	ip link set veth0 up
	ip addr add 10.9.0.9/24 dev veth0
}

teardown()
{
	sed 's/^/# /' /var/log/joist/*.log 2>/dev/null | tail -n 40
	vmd_teardown
	ip link delete wire0
}

macvtaps()
{
	find /sys/class/net -name "jmvt*" | wc -l
}

# on NAME [LINE...]: a VM that is on the wire
on()
{
	local name=$1
	shift
	vm "$name" l 'interface "eth0" {' 'macvtap = wire0' "$@" '}'
}

@test "a guest talks with who is on the wire; another MAC is dropped; nothing is left of it" {
	need_guest
	script '
		ip addr add 10.9.0.1/24 dev eth0
		while ! ping -c 1 -W 1 10.9.0.9 >/dev/null; do :; done
		echo "honest: $(ping -c 3 -s 1400 10.9.0.9 | grep received)"
		ip link set eth0 down
		ip link set eth0 address 02:00:00:00:00:66
		ip link set eth0 up
		echo "other MAC: $(ping -c 2 -W 1 10.9.0.9 | grep received)"'
	linux a 'interface "eth0" {' 'macvtap = wire0' 'mac = 02:00:00:00:00:01' 'queues = 2' '}' \
		'vcpus = 2' | conf
	daemon
	ask start a
	[ "$(macvtaps)" = 1 ]
	[ "$(cat /sys/class/net/jmvt0/address)" = 02:00:00:00:00:01 ]
	# The daemon's end is not the VM's.
	kill -9 "$VMD_PID"
	wait "$VMD_PID" || true
	daemon
	[ "$(macvtaps)" = 1 ]
	until_true 1200 grep -q "other MAC:" /var/log/joist/a.log
	grep "honest: 3 packets transmitted, 3 packets received" /var/log/joist/a.log
	grep "other MAC: 2 packets transmitted, 0 packets received" /var/log/joist/a.log
	until_true 100 eval '[ "$(macvtaps)" = 0 ]'
}

@test "it goes with its VM, its interface, or a daemon that finds neither" {
	on a 'rate-in = 8M' 'rate-out = 8M' | conf
	daemon
	ask start a
	[ "$(macvtaps)" = 1 ]
	kill -9 "$(pid_of a)"
	until_true 100 eval '[ "$(macvtaps)" = 0 ]'
	ask start a
	pid=$(pid_of a)
	kill -9 "$VMD_PID" "$pid"
	wait "$VMD_PID" || true
	[ "$(macvtaps)" = 1 ]
	daemon
	[ "$(macvtaps)" = 0 ]
	ask start a
	run "$VMCTL" net add a macvtap=wire0,mac=02:00:00:00:00:02
	[ "$status" = 0 ]
	[ "$(macvtaps)" = 2 ]
	run "$VMCTL" net list a
	[[ $output == *eth1*wire0*02:00:00:00:00:02*jmvt1* ]]
	run "$VMCTL" net remove a eth1 --force
	[ "$status" = 0 ]
	[ "$(macvtaps)" = 1 ]
	ask stop a '"force":true'
	until_true 100 eval '[ "$(macvtaps)" = 0 ]'
}

@test "what cannot be says why, and leaves nothing" {
	{
		on a
		vm b l 'interface "eth0" {' 'macvtap = nowhere' '}'
		vm c l 'interface "eth0" {' 'macvtap = wire0' 'mac = 02:00:00:00:00:07' '}' \
			'interface "eth1" {' 'macvtap = wire0' 'mac = 02:00:00:00:00:07' '}'
	} | conf
	daemon
	run ask start b
	[[ $output == *"on nowhere: there is no such interface"* ]]
	run ask start c
	[[ $output == *"cannot put the interface "*"eth1"*" on wire0: "* ]]
	[ "$(macvtaps)" = 0 ]
	run su alice -c "$VMCTL create hers -k $KERNEL --net macvtap=wire0 --start"
	[ "$status" != 0 ]
	[[ $output == *"the interface wire0 of the host is not for the VM's creator"* ]]
	brctl addbr br0
	brctl addif br0 wire0
	run ask start a
	brctl delif br0 wire0
	brctl delbr br0
	[[ $output == *"a bridge or another macvtap has it"* ]]
	[ "$(macvtaps)" = 0 ]
	run "$VMCTL" create x -k $KERNEL --net macvtap=wire0,vlan=3
	[ "$status" != 0 ]
	[[ $output == *"has what is for one in a switch: vlan"* ]]
}
