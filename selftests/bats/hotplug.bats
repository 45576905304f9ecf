#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Disks and networks that come and go while a VM of vmd's runs. HOTPLUG_CYCLES=100 for the long
# form of the cycles under load; at least 5.

load vmd
load guest_net

CYCLES=${HOTPLUG_CYCLES:-5}
SETTLED=$((CYCLES > 8 ? CYCLES / 2 : 4))

setup()
{
	need_guest
	need_bench
	rm -rf /etc/joist /run/joist /var/lib/joist /var/log/joist
	mkdir -p /var/lib /var/log
	DISK=/tmp/hot.img
	truncate -s 8M "$DISK"
}

teardown()
{
	sed 's/^/# /' /var/log/joist/*.log 2>/dev/null | tail -n 40
	vmd_teardown
	rm -rf /tmp/hot*.img /tmp/hot-alice
}

# In the guest, for each disk that comes: it is written and read as long as it is there, by a
# node of its own: in /dev dd would make a file once the disk is gone, in the way of the next.
# shellcheck disable=SC2034 # guest_net's script() begins with it
GUEST_FIRST='
dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
sum=$(md5sum </tmp/data)
work()
{
	rounds=0
	node=/tmp/$1.node
	mknod $node b $(tr : " " </sys/block/$1/dev)
	echo "guest: $1 has come, $(cat /sys/block/$1/size) $(cat /sys/block/$1/serial)"
	while dd if=/tmp/data of=$node bs=64k conv=fsync 2>/dev/null &&
	      got=$(dd if=$node bs=64k count=16 iflag=direct 2>/dev/null | md5sum); do
		[ "$got" = "$sum" ] && rounds=$((rounds + 1)) || break
		[ $rounds != 3 ] || echo "guest: $1 works, ${sum%  -}"
	done
	until [ ! -e /sys/block/$1 ]; do sleep 0.1; done
	rm $node
	echo "guest: $1 has gone"
}
disks()
{
	for dev in vda vdb vdc; do
		[ -e /sys/block/$dev/dev ] || continue
		[ ! -e /tmp/$dev ] || continue
		: >/tmp/$dev
		{ work $dev; rm /tmp/$dev; } &
	done
}
net()
{
	ip link set $1 up
	ip addr add 10.0.2.15/24 dev $1
	echo "guest: $1 has come, $(cat /sys/class/net/$1/address)"
	until ping -c 1 -W 1 10.0.2.2 >/dev/null 2>&1; do [ -e /sys/class/net/$1 ] || break; done
	echo "guest: $1 works"
	while [ -e /sys/class/net/$1 ]; do ping -c 5 -s 1400 -W 1 -A 10.0.2.2 >/dev/null 2>&1; done
	echo "guest: $1 has gone"
}
nets()
{
	for dev in eth0 eth1; do
		[ -e /sys/class/net/$dev ] && [ ! -e /tmp/$dev ] || continue
		: >/tmp/$dev
		{ net $dev; rm /tmp/$dev; } &
	done
}
'

# held NAME: descriptors, threads and mappings of its VMM
held()
{
	local proc
	proc=/proc/$(pid_of "$1")
	echo "$(find "$proc/fd" -type l | wc -l) descriptors," \
		"$(find "$proc/task" -mindepth 1 -maxdepth 1 | wc -l) threads," \
		"$(wc -l <"$proc/maps") mappings"
}

# heap NAME: KiB that its VMM has allocated and touched
heap()
{
	awk '/\[heap\]/ { own = 1 } own && $1 == "Rss:" { print $2; exit }' "/proc/$(pid_of "$1")/smaps"
}

# same NAME HELD HEAP: as after cycle $SETTLED. A heap grows in the first ones: each frees what it
# has in another order than it was made, malloc() keeps the pieces, and what it had mapped it takes
# from the heap from then on. Measured: 404, 464, 532 KiB, and the same from there to the hundredth.
same()
{
	echo "now: $(held "$1"), $(heap "$1") KiB; after $SETTLED cycles: $2, $3 KiB"
	[ "$(held "$1")" = "$2" ] && [ "$(heap "$1")" -le $(($3 + 16)) ]
}

# by_rings NAME: its disks' I/O is: no thread does it for them
by_rings()
{
	! grep -qx blk-io "/proc/$(pid_of "$1")"/task/*/comm
}

disk()
{
	run "$VMCTL" disk "$@"
	echo "vmctl disk $*: $status: $output"
}

net()
{
	run "$VMCTL" net "$@"
	echo "vmctl net $*: $status: $output"
}

WAIT='echo "guest: up"; while :; do disks; sleep 0.1; done'

@test "a disk comes, works, and goes under load, again and again, and nothing is left of it" {
	local n before kib
	script "$WAIT"
	linux one 'vcpus = 2' | conf
	daemon
	"$VMCTL" events --json >/tmp/hot.events 3>&- &
	"$VMCTL" start one
	says one "guest: up"
	for ((n = 1; n <= CYCLES; n++)); do
		disk add one "$DISK,serial=hot-$n"
		[ "$status" = 0 ] && [ "$output" = "one: disk0 added" ]
		says one "vda has come, 16384 hot-$n"
		says one "vda works" "$n"
		by_rings one
		disk remove one disk0 --timeout 120
		[ "$status" = 0 ] && [ "$output" = "one: disk0 removed" ]
		says one "vda has gone" "$n"
		[ "$n" != "$SETTLED" ] || { before=$(held one) kib=$(heap one); }
	done
	same one "$before" "$kib"
	[ "$(log one | sed -n 's/.*vda works, //p' | tail -n 1)" = "$(head -c 1048576 "$DISK" | md5sum | cut -c 1-32)" ]
	run ls -l "/proc/$(pid_of one)/fd"
	[[ $output != *"$DISK"* ]]
	kill %2
	[ "$(grep -c device-added /tmp/hot.events)" = "$CYCLES" ]
	[ "$(grep -c device-removed /tmp/hot.events)" = "$CYCLES" ]
	# There are rings for two: the third does without.
	for n in 1 2 3; do
		truncate -s 8M "/tmp/hot-$n.img"
		disk add one "/tmp/hot-$n.img,serial=many-$n"
		[ "$status" = 0 ]
		[ "$n" = 3 ] || by_rings one
	done
	says one "vdc works"
	run by_rings one
	[ "$status" = 1 ]
}

@test "a network comes, answers, and goes under load, again and again; the definition is as the VM" {
	local n before kib
	# shellcheck disable=SC2016 # the guest's
	script 'load net; echo "guest: up"; while :; do nets; disks; sleep 0.1; done'
	conf </dev/null
	daemon
	"$VMCTL" create web -k /guest/vmlinux -i "$INITRD" -m 128M --start \
		-a "console=ttyS0 quiet panic=-1 cryptomgr.notests joist.do=script"
	says web "guest: up"
	for ((n = 1; n <= CYCLES; n++)); do
		net add web user,mac=02:00:00:00:00:0$((n % 10))
		[ "$status" = 0 ] && [ "$output" = "web: eth0 added" ]
		says web "eth0 has come, 02:00:00:00:00:0$((n % 10))"
		says web "eth0 works" "$n"
		if [ "$n" = 1 ]; then
			net list web
			[[ $output == *eth0*user*02:00:00:00:00:01* ]]
			grep -q '"user":true' <(tr -d ' \n' </var/lib/joist/vms/web.json)
			pidof vmnat
			disk add web "$DISK" --name data
			says web "vda works"
		fi
		net remove web eth0 --timeout 120
		[ "$status" = 0 ] && [ "$output" = "web: eth0 removed" ]
		says web "eth0 has gone" "$n"
		until_true 50 eval '! pidof vmnat'
		[ "$n" != "$SETTLED" ] || { before=$(held web) kib=$(heap web); }
	done
	same web "$before" "$kib"
	net remove web eth0
	[ "$status" = 3 ]
	"$VMCTL" stop --force web
	disk list web
	[[ $output == *data*"$DISK"* ]]
	disk remove web data
	[ "$status" = 0 ]
	run grep "$DISK" /var/lib/joist/vms/web.json
	[ "$status" = 1 ]
}

@test "a network of several pairs of queues comes with them all, and leaves none" {
	modprobe -a tun bridge sch_tbf sch_ingress cls_bpf cls_matchall act_police act_gact
	local before tap
	# shellcheck disable=SC2016 # the guest's
	script '
		load net
		echo "guest: up"
		for dev in eth0 eth0; do
			until [ -e /sys/class/net/$dev ]; do sleep 0.1; done
			ip link set $dev up
			ip addr add 10.9.0.2/24 dev $dev
			until ping -c 1 -W 1 10.9.0.1 >/dev/null 2>&1; do :; done
			echo "guest: $dev works, $(ls /sys/class/net/$dev/queues | grep -c tx) pairs"
			while [ -e /sys/class/net/$dev ]; do sleep 0.1; done
			echo "guest: $dev has gone"
		done
		while :; do sleep 60; done'
	{
		echo 'switch "lan" { address = 10.9.0.1/24 }'
		linux wide 'vcpus = 4'
	} | conf
	daemon
	"$VMCTL" start wide
	says wide "guest: up"
	before=$(held wide)
	net add wide switch=lan,queues=3
	[ "$status" = 0 ]
	says wide "eth0 works, 3 pairs"
	tap=$(ask show wide | sed -n 's/.*"tap":"\([^"]*\)".*/\1/p')
	[ "$(ls "/sys/class/net/$tap/queues" | grep -c tx)" = 3 ]
	[ "$(ls -l "/proc/$(pid_of wide)/fd" | grep -c /dev/net/tun)" = 3 ]
	net remove wide eth0 --timeout 120
	[ "$status" = 0 ]
	says wide "eth0 has gone"
	[ ! -e "/sys/class/net/$tap" ]
	[ "${before%%,*}" = "$(held wide | cut -d, -f1)" ]
	net add wide switch=lan,queues=8
	[ "$status" = 0 ]
	says wide "eth0 works, 4 pairs"
	net add wide user,queues=2
	[ "$status" != 0 ]
	[[ $output == *"not for user = yes"* ]]
	"$VMCTL" stop --force wide
}

@test "a disk in qcow2: its process has the rights of who adds it, and ends with it" {
	[ -x /usr/bin/qemu-nbd ] || skip "no qemu-nbd"
	rm -rf /tmp/hot-alice
	mkdir -m 700 /tmp/hot-alice
	chown alice /tmp/hot-alice
	qemu-img create -q -f qcow2 /tmp/hot-alice/disk 8M
	chown alice /tmp/hot-alice/disk
	script "$WAIT"
	linux cow 'owner = alice' | conf
	daemon
	"$VMCTL" start cow
	says cow "guest: up"
	run su alice -c "$VMCTL disk add cow /tmp/hot-alice/disk,format=qcow2"
	echo "$output"
	[ "$status" = 0 ]
	says cow "vda works"
	[ "$(stat -c %u "/proc/$(pidof qemu-nbd)")" = "$(id -u alice)" ]
	grep -q "^CapPrm:.0*$" "/proc/$(pidof qemu-nbd)/status"
	disk remove cow disk0
	[ "$status" = 0 ]
	until_true 100 eval '! pidof qemu-nbd'
	qemu-img check -q /tmp/hot-alice/disk
	# What is not in the format is nobody's disk.
	truncate -s 1M "$DISK"
	disk add cow "$DISK,format=qcow2"
	[ "$status" = 1 ]
	disk list cow
	[[ $output != *"$DISK"* ]]
	state_is cow running
}

# rings NAME: of io_uring, that its process has
rings()
{
	# shellcheck disable=SC2010 # links, by what they lead to
	ls -l "/proc/$(pid_of "$1")/fd" | grep -c io_uring
}

@test "rings are made for disks that come by them, before none can be" {
	[ -x /usr/bin/qemu-nbd ] || skip "no qemu-nbd"
	qemu-img create -q -f qcow2 /tmp/hot.qcow2 8M
	truncate -s 8M "$DISK"
	{
		vm none h
		vm raw h "disk \"a\" { path = \"$DISK\" }"
		vm cow h "disk \"a\" { path = \"/tmp/hot.qcow2\"
			format = qcow2 }"
	} | conf
	daemon
	for name in none raw cow; do
		"$VMCTL" start "$name"
		echo "$name: $(rings "$name") rings"
	done
	[ "$(rings none)" = 2 ]
	[ "$(rings raw)" = 3 ]
	# NBD's are in a process of their own.
	[ "$(rings cow)" = 2 ]
}

@test "names, options, what a VM has and had, and what there is not" {
	script "$WAIT"
	truncate -s 1M /tmp/hot2.img
	linux two "disk \"root\" { path = \"$DISK\" }" | conf
	daemon
	disk list two
	[[ $output == *root*"$DISK"* ]]
	disk add two /tmp/hot2.img
	[ "$status" = 7 ]
	"$VMCTL" start two
	says two "vda works"
	disk add two /tmp/hot2.img,ro --name data --json
	[ "$status" = 0 ]
	[[ $output == '{"verb":"add","device":"data","vm":{"name":"two"'* ]]
	says two "vdb has come, 2048"
	disk add two /tmp/hot2.img --name data
	[ "$status" != 0 ]
	[[ $output == *"there is a disk 'data' already"* ]]
	disk add two "$DISK"
	[ "$status" = 1 ]
	[[ $output == *"in use by another VM"* ]]
	disk add two /tmp/no.img
	[[ $output == *"cannot open the disk /tmp/no.img: No such file"* ]]
	disk list two --json
	[[ $output == *'"disks":['*'"name":"root"'*'"readonly":true,"name":"data"}]'* ]]
	disk remove two other
	[ "$status" = 3 ]
	[[ $output == *"has no disk 'other'"* ]]
	disk remove two root
	[ "$status" = 0 ]
	says two "vda has gone"
	disk list two
	[[ $output != *root* ]]
	# Neither the daemon's end nor the guest's reboot is the disk's.
	kill -9 "$VMD_PID"
	wait "$VMD_PID" || true
	daemon
	state_is two running
	disk list two
	[[ $output == *root* ]]
	run ask show two
	[[ $output == *'"pending":true'* ]]
}

@test "a guest that does not answer: time-out, and force" {
	vm deaf l | conf
	daemon
	"$VMCTL" start deaf
	disk add deaf "$DISK"
	[ "$status" = 0 ]
	disk remove deaf disk0 --timeout 0
	[ "$status" = 0 ] && [ "$output" = "deaf: disk0 asked for" ]
	disk remove deaf disk0 --timeout 0.5
	[ "$status" = 9 ]
	[[ $output == *"has not let go of it in time"* ]]
	disk remove deaf disk0 --force
	[ "$status" = 0 ]
	disk add deaf "$DISK"
	[ "$status" = 0 ]
	"$VMCTL" stop --force deaf
}

@test "force under load: the guest loses the disk, and gets another" {
	script "$WAIT"
	linux lost | conf
	daemon
	"$VMCTL" start lost
	says lost "guest: up"
	disk add lost "$DISK"
	says lost "vda works"
	disk remove lost disk0 --force
	[ "$status" = 0 ]
	says lost "vda has gone"
	disk add lost "$DISK"
	[ "$status" = 0 ]
	says lost "vda works" 2
}

@test "who may, and with whose rights" {
	truncate -s 1M /tmp/hot-root.img /tmp/hot-alice.img
	chmod 600 /tmp/hot-root.img
	chown alice /tmp/hot-alice.img
	vm hers l 'owner = alice' | conf
	daemon
	"$VMCTL" start hers
	run su alice -c "$VMCTL disk add hers /tmp/hot-root.img"
	[[ $status != 0 && $output == *"Permission denied"*"rights of who adds it"* ]]
	run su alice -c "$VMCTL disk add hers /tmp/hot-alice.img"
	[ "$status" = 0 ]
	run su bob -c "$VMCTL disk list hers"
	[ "$status" = 3 ]
	run su bob -c "$VMCTL disk remove hers disk0 --force"
	[ "$status" = 3 ]
}
