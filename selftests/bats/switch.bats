#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Switches of vmd, and what VMs are plugged into them by.

load vmd
load guest_net

setup_file()
{
	[ ! -e /bench/command ] || modprobe -a tun bridge sch_tbf sch_ingress cls_bpf \
		cls_matchall act_police act_gact
}

teardown()
{
	vmd_teardown
	for br in $(cd /sys/class/net && echo jsw-*); do
		[ ! -e "/sys/class/net/$br" ] || { ip link set "$br" down; brctl delbr "$br"; }
	done
}

# nic SWITCH [LINE...]
nic()
{
	echo 'interface "eth0" {'
	printf 'switch = %s\n' "$@"
	echo '}'
}

# tap NAME: the interface its VM is plugged in by
tap()
{
	ask show "$1" | sed -n 's/.*"tap":"\([^"]*\)".*/\1/p'
}

# sniff TAP: count what the switch sends there
sniff()
{
	"$BIN/sniff" "$1" >"$BATS_TEST_TMPDIR/$1" 3>&- &
	SNIFFERS+=" $!"
	until_true 50 grep -q listening "$BATS_TEST_TMPDIR/$1"
}

# sent TAP: how many frames it was, once the sniffers have ended
sent()
{
	sed -n 's/frames: //p' "$BATS_TEST_TMPDIR/$1"
}

no_tap()
{
	! ls -d /sys/class/net/jtap*
}

@test "two guests talk, a third in another VLAN hears nothing, spoofed MAC and ARP are dropped" {
	need_guest
	script '
		case $(cat /sys/class/net/eth0/address) in
		*:02)
			ip addr add 10.9.0.2/24 dev eth0
			while ! ping -c 1 -W 1 10.9.0.1 >/dev/null; do :; done
			echo "b: up"
			sleep 1000
			;;
		esac
		ip link set eth1 up
		ip addr add 10.0.2.15/24 dev eth1
		echo "user: $(ping -c 1 10.0.2.2 | grep received)"
		ip addr add 10.9.0.1/24 dev eth0
		while ! ping -c 1 -W 1 10.9.0.2 >/dev/null; do :; done
		echo "honest: $(ping -c 3 10.9.0.2 | grep received)"
		ip link set eth0 down
		ip link set eth0 address 02:00:00:00:00:66
		ip link set eth0 up
		echo "other MAC: $(ping -c 2 -W 1 10.9.0.2 | grep received)"
		ip link set eth0 down
		ip link set eth0 address 02:00:00:00:00:01
		ip link set eth0 up
		ip addr add 10.9.0.66/24 dev eth0
		echo "other IP: $(ping -c 2 -W 1 -I 10.9.0.66 10.9.0.2 | grep received)"
		arping -c 2 -w 2 -s 10.9.0.66 -I eth0 10.9.0.2 >/dev/null
		echo "again: $(ping -c 1 10.9.0.2 | grep received)"'
	conf <<-END
		switch "lan" { vlan-filtering = yes }
		$(linux a 'interface "eth0" {' switch=lan vlan=10 mac=02:00:00:00:00:01 ip=10.9.0.1 '}' \
			'interface "u" { user = yes }')
		$(linux b 'interface "eth0" {' switch=lan vlan=10 mac=02:00:00:00:00:02 '}')
		$(vm c l 'interface "eth0" {' switch=lan vlan=20 '}')
		$(vm d l 'interface "eth0" {' switch=lan 'trunk={10,30-40}' '}')
	END
	daemon
	for vm in c d b a; do
		ask start $vm | grep '"ok":true'
		[[ $vm = [ab] ]] || sniff "$(tap $vm)"
	done
	[ "$(cat /sys/class/net/jsw-lan/bridge/vlan_filtering)" = 1 ]
	[ "$(ls /sys/class/net/jsw-lan/brif | wc -l)" = 4 ]
	tries=0
	until [[ $(state a) == *stopped* ]] || [ $((tries++)) = 400 ]; do sleep 0.2; done
	# shellcheck disable=SC2086 # a list of numbers
	{
		kill $SNIFFERS
		wait $SNIFFERS
	}
	C=$(sent "$(tap c)") D=$(sent "$(tap d)")
	run "$VMCTL" log a
	echo "$output"
	echo "c: $C d: $D"
	[[ $output == *"user: 1 packets transmitted, 1 packets received"* ]]
	[[ $output == *"honest: 3 packets transmitted, 3 packets received"* ]]
	[[ $output == *"other MAC: 2 packets transmitted, 0 packets received"* ]]
	[[ $output == *"other IP: 2 packets transmitted, 0 packets received"* ]]
	[[ $output == *"again: 1 packets transmitted, 1 packets received"* ]]
	# Broadcasts came to the trunk, and none to the other VLAN.
	[ "$C" = 0 ]
	[ "$D" -gt 0 ]
	for vm in b c d; do
		kill -9 "$(pid_of $vm)"
	done
	until_true 50 no_tap
}

@test "a switch outlives the daemon while a VM is plugged in, and goes with it" {
	conf <<-END
		switch "lan" { address = 10.9.0.1/24 }
		$(vm a l 'interface "eth0" {' switch=lan '}')
	END
	daemon
	[ "$(ip -4 addr show dev jsw-lan | awk '/inet/ { print $2 }')" = 10.9.0.1/24 ]
	ask start a
	index=$(cat /sys/class/net/jsw-lan/ifindex)
	port=$(cat "/sys/class/net/$(tap a)/ifindex")
	kill -9 "$VMD_PID"
	wait "$VMD_PID" || true
	daemon
	[ "$(cat /sys/class/net/jsw-lan/ifindex)" = "$index" ]
	[ "$(cat "/sys/class/net/$(tap a)/ifindex")" = "$port" ]
	# Of the configuration no more: it waits for the VM.
	conf <<-END
		switch "wan" { mtu = 9000 }
	END
	ask reload | grep '"ok":true'
	[ "$(cat /sys/class/net/jsw-lan/ifindex)" = "$index" ]
	[ "$(cat /sys/class/net/jsw-wan/mtu)" = 9000 ]
	ask stop a '"force":true'
	until_true 50 test ! -e /sys/class/net/jsw-lan
	no_tap
	# Changes of one that is there
	conf <<-END
		switch "wan" { mtu = 1400 vlan-filtering = yes address = 10.8.0.1/16 }
	END
	ask reload | grep '"ok":true'
	[ "$(cat /sys/class/net/jsw-wan/mtu)" = 1400 ]
	[ "$(cat /sys/class/net/jsw-wan/bridge/vlan_filtering)" = 1 ]
	[[ $(ip -4 addr show dev jsw-wan) == *"10.8.0.1/16"* ]]
	kill "$VMD_PID"
	until_true 50 test ! -e /sys/class/net/jsw-wan
}

@test "an uplink is a port, and is let go" {
	ip link add up0 type veth
	ip link add up1 type veth
	conf <<-END
		switch "lan" { uplink = up0 }
	END
	daemon
	[ -e /sys/class/net/jsw-lan/brif/up0 ]
	conf <<-END
		switch "lan" { uplink = up1 }
	END
	ask reload | grep '"ok":true'
	[ ! -e /sys/class/net/jsw-lan/brif/up0 ]
	[ -e /sys/class/net/jsw-lan/brif/up1 ]
	kill "$VMD_PID"
	until_true 50 test ! -e /sys/class/net/jsw-lan
	[ -e /sys/class/net/up1 ]
	ip link delete up0
	ip link delete up1
}

@test "what is not ours is left alone, and what cannot be says why" {
	brctl addbr jsw-lan
	conf <<-END
		switch "lan" { uplink = nowhere }
		switch "far" { uplink = nowhere }
		switch "dh" { address = 10.9.0.1/24 dhcp = 10.9.0.2-10.9.0.9 }
		$(vm a l 'interface "eth0" {' switch=lan '}')
		$(vm b l 'interface "eth0" {' switch=far rate-in=1M queues=4 '}')
	END
	[ ! -e /usr/sbin/dnsmasq ] || mv /usr/sbin/dnsmasq /usr/sbin/dnsmasq.away
	daemon
	[ ! -e /usr/sbin/dnsmasq.away ] || mv /usr/sbin/dnsmasq.away /usr/sbin/dnsmasq
	grep "the switch dh: no dhcp: there is no dnsmasq (install the package dnsmasq-base)" \
		"$BATS_TEST_TMPDIR/vmd.log"
	run ask start a
	[[ $output == *"the switch 'lan' is not there: there is an interface jsw-lan that is not vmd's"* ]]
	[ "$(ls /sys/class/net/jsw-lan/brif | wc -l)" = 0 ]
	grep "the switch far: there is no interface nowhere for its uplink" "$BATS_TEST_TMPDIR/vmd.log"
	# A module that is not to be had
	rmmod sch_tbf
	mv /sbin/modprobe /sbin/modprobe.away
	run ask start b
	mv /sbin/modprobe.away /sbin/modprobe
	echo "$output"
	[[ $output == *"cannot check and limit what passes the interface"*"modprobe"*"sch_tbf"* ]]
	no_tap
	modprobe sch_tbf
	ask start b | grep '"ok":true'
	[ "$(ls "/sys/class/net/$(tap b)/queues" | grep -c tx)" -ge 1 ]
	kill "$VMD_PID"
	wait "$VMD_PID" || true
	[ -e /sys/class/net/jsw-lan ]
	[ -e /sys/class/net/jsw-far ]
}

# The outside is a network namespace, which has no route to guests.
@test "a guest gets an address by DHCP, and reaches the outside by NAT" {
	need_guest
	[ -x /usr/sbin/dnsmasq ] || skip "no dnsmasq"
	ip link add out0 type veth
	unshare -n sleep 1000 3>&- &
	OUTSIDE=$!
	until_true 50 ip link set veth0 netns $OUTSIDE
	nsenter -t $OUTSIDE -n ip addr add 192.0.2.2/24 dev veth0
	nsenter -t $OUTSIDE -n ip link set veth0 up
	ip addr add 192.0.2.1/24 dev out0
	ip link set out0 up
	script '
		printf "%s\n" "#!/bin/sh" "[ \$1 = bound ] || exit 0" \
			"echo lease: \$ip \$router \$dns" "ip addr add \$ip/24 dev eth0" \
			"ip route add default via \$router" >/lease
		chmod +x /lease
		udhcpc -q -n -i eth0 -s /lease
		echo "outside: $(ping -c 2 192.0.2.2 | grep received)"'
	echo 0 >/proc/sys/net/ipv4/ip_forward
	conf <<-END
		switch "lan" {
			address = 10.9.0.1/24 dhcp = 10.9.0.50-10.9.0.60 nat = yes
		}
		$(linux a "$(nic lan)")
	END
	daemon
	until_true 50 pidof dnsmasq
	grep "the host does not forward" "$BATS_TEST_TMPDIR/vmd.log"
	sed -i 's/nat = yes/nat = yes ip-forward = yes/' /etc/joist/joist.conf
	ask reload
	[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
	# It is started again, with the rights of nobody else.
	old=$(pidof dnsmasq)
	kill -9 "$old"
	until_true 50 eval '[ "$(pidof dnsmasq)" ] && [ "$(pidof dnsmasq)" != '"$old"' ]'
	until_true 50 grep "^Uid:.900" "/proc/$(pidof dnsmasq)/status"
	ask start a
	tries=0
	until [[ $(state a) == *stopped* ]] || [ $((tries++)) = 300 ]; do sleep 0.2; done
	run "$VMCTL" log a
	echo "$output"
	cat /run/joist/net/lan.leases
	[[ $output =~ lease:\ 10\.9\.0\.(5[0-9]|60)\ 10\.9\.0\.1\ 10\.9\.0\.1 ]]
	[[ $output == *"outside: 2 packets transmitted, 2 packets received"* ]]
	kill "$VMD_PID"
	until_true 50 test ! -e /sys/class/net/jsw-lan
	until_true 50 sh -c '! pidof dnsmasq'
	[ ! -e /run/joist/net/nat ]
	kill $OUTSIDE || true
}

@test "who may use a switch, and a user network with the owner's rights" {
	conf <<-END
		switch "lan" { }
		switch "open" { users = {bob, ":crew"} }
	END
	daemon
	run su alice -c "$VMCTL create --kernel $KERNEL --cmdline l -m 16M --net switch=lan x"
	echo "$output"
	[ "$status" != 0 ]
	[[ $output == *"the switch 'lan' is not for the VM's creator"* ]]
	run su bob -c "$VMCTL create --kernel $KERNEL --cmdline l -m 16M --net switch=lan x"
	[ "$status" != 0 ]
	run su bob -c "$VMCTL create --kernel $KERNEL --cmdline l -m 16M --net switch=nowhere x"
	[[ $output == *"there is no switch 'nowhere'"* ]]
	run su bob -c "$VMCTL create --kernel $KERNEL --cmdline l -m 16M --net switch=open,vlan=4 x"
	[[ $output == *"no vlan-filtering"* ]]
	run su bob -c "$VMCTL create --kernel $KERNEL --cmdline l -m 16M --net switch=open,colour=red x"
	[[ $output == *"'colour=red' is no option of a network"* ]]
	su bob -c "$VMCTL create --start --kernel $KERNEL --cmdline l -m 16M \
		--net switch=open,mac=02:00:00:00:00:05 --net user,hostfwd=tcp::8080-:80 x"
	su carol -c "$VMCTL create --kernel $KERNEL --cmdline l -m 16M --net switch=lan y"
	run "$VMCTL" show x
	echo "$output"
	[[ $output == *"switch: open"*"mac: 02:00:00:00:00:05"*"tap: jtap"* ]]
	grep "^Uid:.1002" "/proc/$(pidof vmnat)/status"
	ask stop x '"force":true'
	until_true 50 no_tap
	until_true 50 sh -c '! pidof vmnat'
}
