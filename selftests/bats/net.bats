#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Networks of vmctl run, with a Debian guest's own driver at the other end.

load helper
load guest_net

MB=${NET_MB:-10}

setup_file()
{
	[ -c "$DEVICE" ] || return 0
	mkdir -p "$BATS_FILE_TMPDIR/www"
	head -c $((MB * 1024 * 1024)) /dev/urandom >"$BATS_FILE_TMPDIR/www/blob"
	busybox httpd -f -p 8000 -h "$BATS_FILE_TMPDIR/www" 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/httpd"
	modprobe tun
	modprobe vhost_net
	tunctl -t tap0
	ip addr add 192.168.77.1/24 dev tap0
	ip link set tap0 up
}

teardown_file()
{
	[ -c "$DEVICE" ] || return 0
	kill "$(cat "$BATS_FILE_TMPDIR/httpd")"
	tunctl -d tap0
}

setup()
{
	need_guest
	SUM=$(md5sum <"$BATS_FILE_TMPDIR/www/blob" | cut -c 1-32)
}

# What a guest of the user network does first.
USER_NET='
ip addr add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
'

# Fetch the file from HOST, and send it back to port 8001 there.
there_and_back()
{
	echo "
	wget -q -O /tmp/blob http://$1:8000/blob
	md5sum </tmp/blob
	nc $1 8001 </tmp/blob"
}

# Take what comes back to port 8001. It ends by what the guest sends, not by what we do.
receive()
{
	nc -l -p 8001 -e sh -c "cat >$BATS_TEST_TMPDIR/back" 3>&- &
	NC=$!
}

# It was the file that the guest had fetched.
received()
{
	wait "$NC"
	[ "$(md5sum <"$BATS_TEST_TMPDIR/back" | cut -c 1-32)" = "$SUM" ]
}

@test "user: a ping, $MB MiB from the host and back" {
	script "$USER_NET
		ping -c 3 10.0.2.2 | grep 'packets received'
		$(there_and_back 10.0.2.2)"
	receive
	run net_guest --net user
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"3 packets received"* ]]
	[[ $output == *"$SUM"* ]]
	received
}

# bats test_tags=long
@test "user: the guest asks for its address, and is told address, MTU and link" {
	script '
		printf "%s\n" "#!/bin/sh" "echo lease: \$1 \$ip \$router \$dns" >/lease
		chmod +x /lease
		udhcpc -q -n -i eth0 -s /lease
		echo "eth0: $(cat /sys/class/net/eth0/address) $(cat /sys/class/net/eth0/mtu) $(cat /sys/class/net/eth0/carrier)"'
	run net_guest --net user,mac=02:00:00:00:00:07,mtu=9000
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"lease: bound 10.0.2.15 10.0.2.2 10.0.2.3"* ]]
	[[ $output == *"eth0: 02:00:00:00:00:07 9000 1"* ]]
}

# Connections made too early are closed: the guest is not there yet.
# bats test_tags=long
@test "user: ports of the host lead to the guest" {
	script "$USER_NET"'
		nc -l -p 80 </modules/order-net
		for i in $(seq 100); do
			noports=$(awk "/^Udp:/ { n = \$3 } END { print n }" /proc/net/snmp)
			[ "$noports" = 0 ] || break
			usleep 100000
		done
		echo "udp datagrams: $noports"'
	net_guest --net user,hostfwd=tcp::8080-:80,hostfwd=udp:127.0.0.1:8053-10.0.2.15:53 \
		>"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	guest=$!
	for _ in $(seq 60); do
		got=$(nc 127.0.0.1 8080 </dev/null || true)
		[[ $got != *virtio_net* ]] || break
		sleep 1
	done
	[[ $got == *virtio_net* ]]
	# Nobody listens there: the guest counts it.
	echo "hello there" >/dev/udp/127.0.0.1/8053
	wait $guest
	cat "$BATS_TEST_TMPDIR/out"
	grep -q "udp datagrams: [1-9]" "$BATS_TEST_TMPDIR/out"
}

@test "user: a port that is taken is named" {
	run net_guest_now --net user,hostfwd=tcp:127.0.0.1:8000-:80
	[ "$status" = 1 ]
	[[ $output == *"cannot take TCP port 8000 of 127.0.0.1"*"in use"* ]]
}

@test "user: for those without rights, and nothing is left behind" {
	chmod 666 "$DEVICE"
	script "$USER_NET
		wget -q -O - http://10.0.2.2:8000/blob | md5sum"
	chmod -R go+rX "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_RUN_TMPDIR"
	run su alice -c "timeout 100 $VMCTL run --device-path $DEVICE -m 128M --initrd $INITRD \
		--cmdline joist.do=script --net user /guest/vmlinux </dev/null"
	chmod 600 "$DEVICE"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"$SUM"* ]]
	! pidof vmnat
}

# bats test_tags=long
@test "user: without its process the guest's cable is pulled, and the guest runs on" {
	script "$USER_NET"'
		echo "carrier $(cat /sys/class/net/eth0/carrier)"
		for i in $(seq 100); do
			read -r carrier </sys/class/net/eth0/carrier
			[ $carrier = 1 ] || break
			usleep 100000
		done
		echo "carrier $carrier"'
	net_guest --net user >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	guest=$!
	for _ in $(seq 60); do
		! grep -q "carrier 1" "$BATS_TEST_TMPDIR/out" || break
		sleep 0.5
	done
	[ "$(stat -c %u /proc/"$(pidof vmnat)")" != 1001 ]
	grep -q "^Uid:.65534" /proc/"$(pidof vmnat)"/status
	kill -9 "$(pidof vmnat)"
	wait $guest
	cat "$BATS_TEST_TMPDIR/out"
	grep -q "carrier 0" "$BATS_TEST_TMPDIR/out"
	grep -q "the network user is gone" "$BATS_TEST_TMPDIR/out"
}

# errors: frames that came with a wrong sum, of TCP's and IP's counters
ERRORS='awk "/^Tcp:/ { t = \$(NF - 1) } /^Ip:/ { i = \$5 } END { print \"bad sums: \" t + i }" /proc/net/snmp'

@test "tap: a ping, $MB MiB from the host and back, no sum is wrong, offloads are in use" {
	script "
		ip addr add 192.168.77.2/24 dev eth0
		echo \"features \$(cat /sys/class/net/eth0/device/features)\"
		ping -c 3 192.168.77.1 | grep 'packets received'
		$(there_and_back 192.168.77.1)
		$ERRORS"
	receive
	before=$(eval "$ERRORS")
	run net_guest --net tap=tap0
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"3 packets received"* ]]
	[[ $output == *"$SUM"* ]]
	[[ $output == *"bad sums: 0"* ]]
	[ "$(eval "$ERRORS")" = "$before" ]
	received
	# CSUM, GUEST_CSUM, GUEST_OFFLOADS, MTU, MAC, GUEST_TSO4, 6, ECN, HOST_TSO4, 6, ECN, ...
	[[ $output =~ features\ 11110101110111011 ]]
}

# The same by the kernel's own hands, twice: the driver comes again.
# bats test_tags=long
@test "tap: with vhost, by two pairs, a ping, $MB MiB from the host and back, and again" {
	script "
		ip addr add 192.168.78.2/24 dev eth0
		ping -c 3 192.168.78.1 | grep 'packets received'
		wget -q -O /tmp/blob http://192.168.78.1:8000/blob
		echo virtio0 >/sys/bus/virtio/drivers/virtio_net/unbind
		echo virtio0 >/sys/bus/virtio/drivers/virtio_net/bind
		ip link set eth0 address 02:00:00:00:00:99
		ip link set eth0 up
		ip addr add 192.168.78.2/24 dev eth0
		echo \"features \$(cat /sys/class/net/eth0/device/features)\"
		$(there_and_back 192.168.78.1)
		$ERRORS"
	receive
	net_guest --vcpus 2 --net tap=mq0,queues=2,vhost=on >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	guest=$!
	until_true 100 test -e /sys/class/net/mq0
	ip addr add 192.168.78.1/24 dev mq0
	ip link set mq0 up
	wait $guest
	cat "$BATS_TEST_TMPDIR/out"
	grep "3 packets received" "$BATS_TEST_TMPDIR/out"
	grep "$SUM" "$BATS_TEST_TMPDIR/out"
	grep "bad sums: 0" "$BATS_TEST_TMPDIR/out"
	[ "$(grep -c "does not take" "$BATS_TEST_TMPDIR/out")" = 0 ]
	received
	# Offloads, MRG_RXBUF, CTRL_VQ, CTRL_RX; no CTRL_VLAN and CTRL_RX_EXTRA, no packed rings
	grep -E "features 11110101110111011110001100001100100" "$BATS_TEST_TMPDIR/out"
}

@test "tap: one that is not there or not ours is an error that says what to do" {
	run net_guest_now --net tap=lo
	[ "$status" = 1 ]
	[[ $output == *"cannot open the tap interface lo"* ]]
	chmod 666 "$DEVICE"
	run su alice -c "timeout 10 $VMCTL run --device-path $DEVICE --net tap=tap0 $KERNEL </dev/null"
	chmod 600 "$DEVICE"
	[ "$status" = 1 ]
	[[ $output == *"tap interface tap0"*"ip tuntap add"* || $output == *"/dev/net/tun is not for everyone"* ]]
}

# bats test_tags=long
@test "tap: two pairs of queues are used by two CPUs, and one by one" {
	script "
		ip addr add 192.168.78.2/24 dev eth0
		echo \"queues: \$(ls /sys/class/net/eth0/queues | tr '\\n' ' ')\"
		wget -q -O - http://192.168.78.1:8000/blob | md5sum
		echo virtio0 >/sys/bus/virtio/drivers/virtio_net/unbind
		echo virtio0 >/sys/bus/virtio/drivers/virtio_net/bind
		ip link set eth0 up
		ip addr add 192.168.78.2/24 dev eth0
		wget -q -O - http://192.168.78.1:8000/blob | md5sum
		awk '/virtio0-/ { print \"irq\", \$NF }' /proc/interrupts"
	for cpus in 2 1; do
		net_guest --vcpus $cpus --net tap=mq0,queues=2 >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
		guest=$!
		until_true 100 test -e /sys/class/net/mq0
		ip addr add 192.168.78.1/24 dev mq0
		ip link set mq0 up
		# The driver asks for as many as it has CPUs.
		until_true 300 test -e /sys/class/net/mq0/queues/tx-$((cpus - 1))
		wait $guest
		cat "$BATS_TEST_TMPDIR/out"
		[ $cpus = 1 ] || grep "queues: rx-0 rx-1 tx-0 tx-1" "$BATS_TEST_TMPDIR/out"
		[ $cpus = 2 ] || grep "queues: rx-0 tx-0" "$BATS_TEST_TMPDIR/out"
		[ "$(grep -c "$SUM" "$BATS_TEST_TMPDIR/out")" = 2 ]
		[ ! -e /sys/class/net/mq0 ]
	done
}

# bats test_tags=long
@test "several networks at once" {
	script "$USER_NET
		ip link set eth1 up
		ip addr add 192.168.77.2/24 dev eth1
		ping -c 1 10.0.2.2 | grep 'packets received'
		ping -c 1 192.168.77.1 | grep 'packets received'
		cat /sys/class/net/eth2/address"
	run net_guest --net user --net tap=tap0 --net user,mac=06:05:04:03:02:01
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep -c "1 packets received" <<<"$output")" = 2 ]
	[[ $output == *"06:05:04:03:02:01"* ]]
}

# bats test_tags=long
@test "the driver comes and goes, and the network still works" {
	script "
		for i in 1 2 3; do
			ip link set eth0 up
			ip addr add 192.168.77.2/24 dev eth0
			ping -c 1 192.168.77.1 | grep 'packets received'
			echo virtio0 >/sys/bus/virtio/drivers/virtio_net/unbind
			echo virtio0 >/sys/bus/virtio/drivers/virtio_net/bind
		done"
	run net_guest --net tap=tap0
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep -c "1 packets received" <<<"$output")" = 3 ]
}

# The bench's clock is that of an emulator: the rate has a wide margin.
@test "rng: the guest has the host's random numbers, and no more than is fair" {
	script '
		load rng
		cat /sys/class/misc/hw_random/rng_current
		for i in 1 2; do
			echo "sum $(dd if=/dev/hwrng bs=1k count=16 2>/dev/null | tee /tmp/$i | md5sum)"
			wc -c </tmp/$i
		done
		read -r from _ </proc/uptime
		dd if=/dev/hwrng of=/dev/null bs=64k count=32 iflag=fullblock 2>/dev/null
		read -r to _ </proc/uptime
		awk "BEGIN { print \"2 MiB took over 1.8 s: \" ($to - $from > 1.8) }"'
	run net_guest --rng
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"virtio_rng.0"* ]]
	[ "$(grep -c '^16384' <<<"$output")" = 2 ]
	[ "$(grep ^sum <<<"$output" | sort -u | wc -l)" = 2 ]
	[[ $output == *"2 MiB took over 1.8 s: 1"* ]]
}

# Frames go out into the playground of three networks and a disk, too.
@test "a driver that writes garbage everywhere: the devices ask for a reset, and get over it" {
	head -c 1048576 /dev/zero >"$BATS_TEST_TMPDIR/disk"
	run guest v --rng --net user --net tap=tap0 --disk "$BATS_TEST_TMPDIR/disk"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"virtio devices: 4, in order after a reset: 4"* ]]
	[[ $output =~ resets\ needed:\ [1-9][0-9]+ ]]
	[[ $output == *"the guest broke a queue of the network tap0"* ]]
	[[ $output == *"the guest broke a queue of the network user"* ]]
	run guest v --net tap=tap0,vhost=on
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"virtio devices: 1, in order after a reset: 1"* ]]
	[[ $output =~ resets\ needed:\ [1-9][0-9]+ ]]
}
