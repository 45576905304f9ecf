#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Devices of the host that vmd's VMs own: bound, opened and given back. In a bench with an IOMMU,
# an NVMe controller with SR-IOV, an e1000e, and edu.
# DEVICE_CYCLES=100 for the long form of the cycles.

load vmd
load guest_net
load passthrough

CYCLES=${DEVICE_CYCLES:-5}

setup()
{
	vmd_setup
	find_devices
	[ "$(driver_of "$NIC")" = e1000e ]
}

teardown()
{
	sed 's/^/# /' /var/log/joist/*.log "$BATS_TEST_TMPDIR/vmd.log" 2>/dev/null | tail -n 40
	vmd_teardown
	for a in /run/joist/devices/0*; do
		[ -e "$a" ] || continue
		echo "# $a is left"
		sed -i 's/^vm=.*/vm=/' "$a"
		until_true 50 "$VMCTL" device unbind "$(basename "$a")" || true
	done
	"$VMCTL" device vf "$NVME" --count 0 >/dev/null 2>&1 || true
}

driver_is()
{
	[ "$(driver_of "$1")" = "$2" ]
}

# events: vmctl's, into a file; EVENTS_PID ends them.
events()
{
	"$VMCTL" events --json >"$BATS_TEST_TMPDIR/events" 2>/dev/null 3>&- &
	EVENTS_PID=$!
	sleep 0.5
}

told()
{
	grep -q "\"what\":\"$1\".*$2" "$BATS_TEST_TMPDIR/events"
}

all_back() { [ -z "$(ls /run/joist/devices)" ]; }

# bats test_tags=amd
@test "a device of the configuration is the VM's while it runs, and then its driver's" {
	vm web h "device nic { host = \"$NIC\" }" >"$BATS_TEST_TMPDIR/c"
	conf <"$BATS_TEST_TMPDIR/c"
	daemon
	events
	run ask start web
	echo "$output"
	[[ "$output" = *'"devices":[{"name":"nic","host":"'$NIC'"}]'* ]]
	[ "$(driver_of "$NIC")" = vfio-pci ]
	run "$VMCTL" device list
	echo "$output"
	[[ "$output" = *"$NIC "*vfio-pci*" web "* ]]
	run "$VMCTL" device show "$NIC"
	[[ "$output" = *"vm: web"*"assignable: false"*"it is the VM web's"* ]]
	run "$VMCTL" show web
	echo "$output"
	[[ "$output" = *"name: nic"*"host: $NIC"*"group: "*"driver: vfio-pci"* ]]
	run "$VMCTL" list --json
	echo "$output"
	[[ "$output" = *'"devices":[{"name":"nic","host":"'$NIC'","group":'*',"driver":"vfio-pci"}]'* ]]
	# The process that has it is nobody, and may lock what it needs.
	pid=$(pid_of web)
	grep 'Max locked memory' "/proc/$pid/limits" | grep -q 83886080
	# shellcheck disable=SC2010 # links, by what they lead to
	[ "$(ls -l "/proc/$pid/fd" | grep -c /dev/vfio/)" -ge 2 ]
	run ask stop web '"force":true'
	until_true 100 driver_is "$NIC" e1000e
	until_true 50 told device-released "$NIC"
	told device-assigned "$NIC"
	kill "$EVENTS_PID"
	until_true 50 test -e /sys/class/net/eth0
	until_true 100 all_back
}

@test "it comes back after kill -9, and after a daemon that was not there" {
	vm web h "device disk { host = \"$NVME\" }" "device nic { host = \"$NIC\" }" |
		conf
	daemon
	ask start web
	[ "$(driver_of "$NVME"),$(driver_of "$NIC")" = vfio-pci,vfio-pci ]
	pid=$(pid_of web)
	kill -9 "$pid"
	until_true 100 driver_is "$NVME" nvme
	until_true 100 driver_is "$NIC" e1000e
	until_true 50 test -b /dev/nvme0n1
	dd if=/dev/nvme0n1 of=/dev/null bs=64k count=4 iflag=direct
	# A daemon that is started again knows what its VM has.
	ask start web
	kill -9 "$VMD_PID"
	wait "$VMD_PID" || true
	daemon
	run ask device-list
	echo "$output"
	[[ "$output" = *"$NVME"*"$NIC"* || "$output" = *"$NIC"*"$NVME"* ]]
	[ "$(driver_of "$NIC")" = vfio-pci ]
	# The VM ends while there is none: the next one gives it back.
	pid=$(pid_of web)
	kill -9 "$VMD_PID"
	wait "$VMD_PID" || true
	kill -9 "$pid"
	sleep 1
	[ "$(driver_of "$NIC")" = vfio-pci ]
	daemon
	until_true 100 driver_is "$NVME" nvme
	until_true 100 driver_is "$NIC" e1000e
	until_true 100 all_back
}

@test "refused: another VM's, a disk in use, what is not there; and all goes back" {
	{
		vm a h "device x { host = \"$EDU\" }"
		vm b h "device nic { host = \"$NIC\" }" "device x { host = \"$EDU\" }"
		vm c h "device n { host = \"0000:09:00.0\" }"
		vm d h "device d { host = \"$NVME\" }"
		vm e h "device p { host = \"$PORT\" }"
		vm f h "device n { host = \"$NIC\"
			mac = \"02:00:00:00:00:01\" }"
	} | conf
	daemon
	ask start a
	run ask start b
	echo "$output"
	[[ "$output" = *'"in-use"'*"$EDU is the VM a's"* ]]
	until_true 100 driver_is "$NIC" e1000e
	[ "$(driver_of "$EDU")" = vfio-pci ]
	run ask start c
	[[ "$output" = *"no PCI device 0000:09:00.0"* ]]
	mke2fs /dev/nvme0n1 >/dev/null
	mkdir -p /mnt
	mount -t ext4 /dev/nvme0n1 /mnt
	run ask start d
	umount /mnt
	echo "$output"
	[[ "$output" = *"nvme0n1, which is mounted at /mnt"* ]]
	run ask start e
	[[ "$output" = *"is a bridge"* ]]
	run ask start f
	echo "$output"
	[[ "$output" = *"no virtual function that is a network"* ]]
	ask stop a '"force":true'
	# b gets what a had a moment ago.
	run ask start b
	echo "$output"
	[[ "$output" = *'"ok":true'* ]]
	ask stop b '"force":true'
	until_true 100 driver_is "$EDU" ""
	until_true 100 driver_is "$NIC" e1000e
}

@test "virtual functions are made at the start, and each VM gets one" {
	{
		echo "vf \"$NVME\" { count = 2 }"
		vm a h "device d { vf-of = \"$NVME\" }"
		vm b h "device d { vf-of = \"$NVME\" }"
		vm c h "device d { vf-of = \"$NVME\" }"
	} | conf
	daemon
	[ "$(cat "$PCI"/"$NVME"/sriov_numvfs)" = 2 ]
	ask start a
	ask start b
	run ask start c
	echo "$output"
	[[ "$output" = *"none of the 2 virtual functions"* ]]
	run ask device-list
	[[ "$output" = *$VF1* && "$output" = *$VF2* ]]
	run "$VMCTL" device vf "$NVME" --count 0
	[ "$status" = 7 ]
	[[ "$output" = *"is the VM "* ]]
	ask stop a '"force":true'
	run ask start c
	[[ "$output" = *'"ok":true'* ]]
	ask stop b '"force":true'
	ask stop c '"force":true'
	until_true 100 "$VMCTL" device vf "$NVME" --count 0
	[ "$(cat "$PCI"/"$NVME"/sriov_numvfs)" = 0 ]
}

@test "assigned and released while it runs, by admins" {
	vm web h | conf
	daemon
	ask start web
	run "$VMCTL" device assign web "$NIC" --name nic
	echo "$output"
	[ "$status" = 0 ]
	[ "$(driver_of "$NIC")" = vfio-pci ]
	run "$VMCTL" device assign web "$EDU" --json
	echo "$output"
	[[ "$output" = *'"device":"hostdev0"'* ]]
	run "$VMCTL" device assign web "$EDU"
	[ "$status" != 0 ]
	run "$VMCTL" device release -f web nic
	echo "$output"
	[ "$status" = 0 ]
	until_true 100 driver_is "$NIC" e1000e
	[ "$(driver_of "$EDU")" = vfio-pci ]
	run "$VMCTL" device release web nic
	[ "$status" = 3 ]
	# At once again, by another name: it need not have been back for that.
	"$VMCTL" device release -f web hostdev0
	run "$VMCTL" device assign web "$EDU" --name other
	echo "$output"
	[ "$status" = 0 ]
	run "$VMCTL" show web
	[[ "$output" = *"name: other"*"host: $EDU"* ]]
	ask stop web '"force":true'
	until_true 100 driver_is "$EDU" ""
	# Not for others, whoever the VM's owner is.
	run as alice create "" "\"definition\":{\"name\":\"mine\",\"kernel\":\"$KERNEL\",\"devices\":[{\"host\":\"$EDU\"}]}"
	echo "$output"
	[[ "$output" = *'"not-yours"'* ]]
	as alice create "" "\"definition\":{\"name\":\"mine\",\"kernel\":\"$KERNEL\"}"
	run as alice device-add mine "\"device\":{\"host\":\"$EDU\"}"
	echo "$output"
	[[ "$output" = *'"not-yours"'* ]]
	# An admin may, and the created VM keeps it.
	run "$VMCTL" device assign mine "$EDU",on-fault=stop
	[ "$status" = 0 ]
	grep -q "$EDU" /var/lib/joist/vms/mine.json
	run "$VMCTL" device release mine hostdev0
	[ "$status" = 0 ]
	run grep -q "$EDU" /var/lib/joist/vms/mine.json
	[ "$status" = 1 ]
}

# attacked VM: edu was its, and wrote where it must not. The kernel does not log each time.
attacked()
{
	grep '"what":"device-fault"' "$BATS_TEST_TMPDIR/events" | grep "\"name\":\"$1\"" |
		grep -q "$EDU.*write 0x"
}

@test "edu is made to write where its guest has no memory: told of, and the VM kept or ended" {
	{
		vm a H "device x { host = \"$EDU\" }"
		vm b H "device x { host = \"$EDU\"
			on-fault = stop }"
	} | conf
	daemon
	events
	ask start a
	until_true 100 attacked a
	says a ready
	says a "bytes that DMA got wrong: 0"
	sleep 1
	state_is a running
	ask stop a '"force":true'
	until_true 100 all_back
	ask start b
	until_true 100 attacked b
	state_is b stopped
	until_true 100 all_back
	kill "$EVENTS_PID"
}

@test "released while the guest reads and writes: it is the host's again, and the guest runs on" {
	need_guest
	# shellcheck disable=SC2016 # the guest's
	GUEST_FIRST='' script '
	works()
	{
		n=0
		while dd bs=64k count=64 $* 2>/dev/null; do
			n=$((n + 1))
			[ $n != 3 ] || echo "guest: works"
		done
	}
	while :; do
		until [ -e /sys/block/nvme0n1/dev ]; do sleep 0.1; done
		mknod /tmp/disk b $(tr : " " </sys/block/nvme0n1/dev)
		works if=/dev/zero of=/tmp/disk oflag=direct &
		works if=/tmp/disk of=/dev/null iflag=direct &
		wait
		while [ -e /sys/block/nvme0n1 ]; do sleep 0.1; done
		rm /tmp/disk
		echo "guest: it is gone, and I am here"
	done'
	linux web "device disk { host = \"$NVME\" }" | conf
	daemon
	ask start web
	for n in 1 2 3; do
		# By both.
		says web "guest: works" $((2 * n))
		run "$VMCTL" device release web disk --timeout 60
		echo "$output"
		[ "$status" = 0 ]
		until_true 100 driver_is "$NVME" nvme
		until_true 100 test -b /dev/nvme0n1
		dd if=/dev/nvme0n1 of=/dev/null bs=64k count=16 iflag=direct
		says web "it is gone, and I am here" "$n"
		[ "$n" = 3 ] || "$VMCTL" device assign web "$NVME" --name disk
	done
	state_is web running
	until_true 20 nothing_pinned
	ask stop web '"force":true'
}

@test "the balloon of a VM that has a device is inhibited, and says so" {
	vm web h | conf
	daemon
	ask start web
	"$VMCTL" balloon web 12M
	"$VMCTL" device assign web "$EDU" --name edu
	run "$VMCTL" balloon web 8M
	echo "$output"
	[ "$status" = 7 ]
	[[ "$output" = *"(edu) use all of its memory; release them: vmctl device release web edu" ]]
	run "$VMCTL" balloon --reclaim web --json
	echo "$output"
	[ "$status" = 7 ]
	[[ "$output" = *'{"error":{"code":"inhibited",'*'"remedy":"release them: vmctl device release web edu"'* ]]
	run "$VMCTL" balloon web
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" = *"target: 12M"*"inhibited: the balloon gives nothing back"* ]]
	# What it gave up before it can have again.
	run "$VMCTL" balloon web 16M
	echo "$output"
	[[ "$output" = *"target: 16M"* ]]
	run "$VMCTL" list
	[ "$status" = 0 ]
	"$VMCTL" device release -f web edu
	run "$VMCTL" balloon web 8M
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" = *"target: 8M"* && "$output" != *inhibited* ]]
	ask stop web '"force":true'
}

# The line is ours.
blocked()
{
	echo "DMAR: [DMA Write NO_PASID] Request device [$1] fault addr $2 [fault reason 0x05] x" >/dev/kmsg
}

@test "DMA that was blocked is told of, and ends the VM if it is to" {
	{
		vm a h "device x { host = \"$EDU\" }"
		vm b h "device nic { host = \"$NIC\"
			on-fault = stop }"
	} | conf
	daemon
	events
	ask start a
	ask start b
	blocked "${EDU#0000:}" 0xdead0000
	until_true 50 told device-fault "$EDU.*write 0xdead0000"
	blocked 00:1f.2 0x1000
	for _ in $(seq 20); do blocked "${EDU#0000:}" 0x2000; done
	sleep 1.2
	blocked "${EDU#0000:}" 0x3000
	until_true 50 told device-fault 0x3000
	# One a second at most; all 22 are counted.
	[ "$(grep -c device-fault "$BATS_TEST_TMPDIR/events")" -lt 8 ]
	[ "$(sed -n '/device-fault/{s/.*(\([0-9]*\) times.*/\1/; t p; s/.*/1/; :p; p}' \
		"$BATS_TEST_TMPDIR/events" | awk '{ n += $1 } END { print n }')" = 22 ]
	state_is a running
	blocked "${NIC#0000:}" 0x1000
	until_true 50 told device-fault "$NIC"
	state_is b stopped
	until_true 100 driver_is "$NIC" e1000e
	kill "$EVENTS_PID"
	ask stop a '"force":true'
}

# as_before N: they are, and the daemon has as many descriptors as then.
as_before() { all_back && [ "$(find "/proc/$VMD_PID/fd" | wc -l)" = "$1" ]; }

@test "cycles leave nothing behind" {
	vm web h "device nic { host = \"$NIC\" }" "device x { host = \"$EDU\" }" | conf
	daemon
	ask start web
	ask stop web '"force":true'
	until_true 100 driver_is "$NIC" e1000e
	until_true 100 all_back
	fds=$(find "/proc/$VMD_PID/fd" | wc -l)
	for ((i = 0; i < CYCLES; i++)); do
		run ask start web
		[[ "$output" = *'"ok":true'* ]]
		ask stop web '"force":true'
		until_true 100 driver_is "$NIC" e1000e
	done
	until_true 100 as_before "$fds"
	[ "$(cat "$PCI"/"$NIC"/driver_override)" = "(null)" ]
}
