#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmctl device without a daemon: devices of the host, bound to vfio-pci and given back, and what
# is refused. In a bench with an IOMMU, an NVMe controller with SR-IOV, an e1000e, and edu.
# DEVICE_CYCLES=100 for the long form of the cycles.

load helper
load passthrough

CYCLES=${DEVICE_CYCLES:-10}

setup()
{
	[ -e /bench/command ] || skip "not in the bench"
	rm -rf /run/joist
	find_devices
	SATA=$(host_device 8086:2922)
	SMBUS=$(host_device 8086:2930)
}

teardown()
{
	umount /mnt 2>/dev/null
	[ ! -e "$PCI"/"$NVME"/sriov_numvfs ] || "$VMCTL" device vf "$NVME" --count 0 >/dev/null 2>&1
	for a in /run/joist/devices/0*; do
		[ ! -e "$a" ] || "$VMCTL" device unbind "$(basename "$a")"
	done
}

# refused CODE TEXT COMMAND...
refused()
{
	local code=$1 text=$2
	shift 2
	run "$VMCTL" device "$@"
	echo "$output"
	[ "$status" = "$code" ]
	[[ "$output" = *"$text"* ]]
}

@test "list and show tell of devices, without a daemon" {
	run "$VMCTL" device list
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" = *"$NVME "*" nvme "*"0/4"*"NVMe controller"* ]]
	[[ "$output" = *"$EDU "*" - "* ]]
	[[ "$output" != *$PORT* ]]
	run "$VMCTL" device show "${NVME#0000:}"
	echo "$output"
	[[ "$output" = *"driver: nvme"*"reset: flr"*"assignable: true"* ]]
	run "$VMCTL" device list --json
	[[ "$output" = *"\"address\":\"$PORT\""* ]]
	run "$VMCTL" device show --json "$SMBUS"
	[[ "$output" = *'"members":['*"\"$SATA\",\"$SMBUS\"]"* ]]
	refused 3 "no PCI device 0000:09:00.0" show 09:00.0
	refused 2 "is no PCI address" show nonsense
}

@test "bound to vfio-pci and given back to the driver it had" {
	[ "$(driver_of "$NIC")" = e1000e ]
	run "$VMCTL" device bind "$NIC"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(driver_of "$NIC")" = vfio-pci ]
	[ ! -e /sys/class/net/eth0 ]
	run "$VMCTL" device list
	[[ "$output" = *"$NIC "*" vfio-pci "*"(bound)"* ]]
	run "$VMCTL" device unbind --json "$NIC"
	[[ "$output" = *'"verb":"unbind"'*'"driver":"e1000e"'* ]]
	[ "$(driver_of "$NIC")" = e1000e ]
	[ "$(cat "$PCI"/"$NIC"/driver_override)" = "(null)" ]
	[ -z "$(ls /run/joist/devices)" ]
	until_true 50 test -e /sys/class/net/eth0
	refused 3 "was not taken from its driver" unbind "$NIC"
	# One without a driver has none afterwards either.
	"$VMCTL" device bind "$EDU"
	[ "$(driver_of "$EDU")" = vfio-pci ]
	"$VMCTL" device unbind "$EDU"
	[ -z "$(driver_of "$EDU")" ]
}

@test "what somebody has open is not given back" {
	"$VMCTL" device bind "$EDU"
	group=$(basename "$(readlink -f "$PCI"/"$EDU"/iommu_group)")
	exec 7<>/dev/vfio/"$group"
	refused 7 "has $EDU open" unbind "$EDU"
	exec 7>&-
	"$VMCTL" device unbind "$EDU"
}

@test "who has waited for another's change sees what came of it" {
	mkdir -p /run/joist/devices
	exec 7</run/joist/devices
	flock 7
	"$VMCTL" device bind "$NVME" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 7<&- &
	sleep 1
	echo 0 >"$PCI/$NVME/sriov_drivers_autoprobe"
	echo 1 >"$PCI/$NVME/sriov_numvfs"
	exec 7<&-
	status=0
	wait $! || status=$?
	cat "$BATS_TEST_TMPDIR/out"
	[ "$status" = 7 ]
	grep -q 'has 1 virtual functions' "$BATS_TEST_TMPDIR/out"
	[ "$(driver_of "$NVME")" = nvme ]
	echo 0 >"$PCI/$NVME/sriov_numvfs"
	echo 1 >"$PCI/$NVME/sriov_drivers_autoprobe"
}

@test "bridges, half a group, mounted disks and the host's way out are refused" {
	refused 7 "is a bridge" bind "$PORT"
	modprobe ahci
	[ "$(driver_of "$SATA")" = ahci ]
	refused 7 "$SATA (ahci)" bind "$SMBUS"
	[[ "$output" = *"vmctl device bind $SMBUS $SATA"* ]]
	[ "$(driver_of "$SATA")" = ahci ]
	"$VMCTL" device bind "$SMBUS" "$SATA"
	[ "$(driver_of "$SATA"),$(driver_of "$SMBUS")" = vfio-pci,vfio-pci ]
	"$VMCTL" device unbind "$SMBUS" "$SATA"
	[ "$(driver_of "$SATA"),$(driver_of "$SMBUS")" = ahci, ]

	mke2fs /dev/nvme0n1 >/dev/null
	mkdir -p /mnt
	mount -t ext4 /dev/nvme0n1 /mnt
	refused 7 "nvme0n1, which is mounted at /mnt" bind "$NVME"
	umount /mnt
	mkswap /dev/nvme0n1 >/dev/null
	swapon /dev/nvme0n1
	refused 7 "nvme0n1, which is swapped to" bind "$NVME"
	swapoff /dev/nvme0n1
	"$VMCTL" device bind "$NVME"
	[ ! -e /dev/nvme0n1 ]
	"$VMCTL" device unbind "$NVME"
	until_true 50 test -b /dev/nvme0n1

	until_true 50 test -e /sys/class/net/eth0
	ip link set eth0 up
	ip address add 192.0.2.1/24 dev eth0
	ip route add default via 192.0.2.2
	refused 7 "eth0, with its default route" bind "$NIC"
	"$VMCTL" device bind --force "$NIC"
	"$VMCTL" device unbind "$NIC"
}

@test "only root binds" {
	run su alice -c "$VMCTL device bind $EDU"
	echo "$output"
	[ "$status" = 4 ]
	[[ "$output" = *"run it as root"* ]]
	run su alice -c "$VMCTL device list"
	[ "$status" = 0 ]
	run su alice -c "$VMCTL device vf $NVME --count 1"
	[ "$status" = 4 ]
}

@test "NVMe's virtual functions are made, work, and are taken away" {
	run "$VMCTL" device vf "$NVME" --count 2
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = "$VF1
$VF2" ]
	[ -z "$(driver_of "$VF1")" ]
	[ "$(cat "$PCI"/"$NVME"/sriov_drivers_autoprobe)" = 1 ]
	# It has queues of its own: the host's driver runs it, which it does not without.
	echo "$VF1" >/sys/bus/pci/drivers/nvme/bind
	until_true 100 test -e "$PCI"/"$VF1"/nvme
	until_true 100 grep -q live "$PCI"/"$VF1"/nvme/nvme*/state
	echo "$VF1" >/sys/bus/pci/drivers/nvme/unbind
	# They go as they came.
	refused 7 "has 2 virtual functions" bind "$NVME"
	"$VMCTL" device bind "$VF2"
	refused 7 "$VF2 is bound to vfio-pci" vf "$NVME" --count 0
	"$VMCTL" device unbind "$VF2"
	run "$VMCTL" device vf --json "$NVME" --count 4
	echo "$output"
	[[ "$output" = *'"count":4'* ]]
	refused 11 "at most 4" vf "$NVME" --count 5
	run "$VMCTL" device vf "$NVME" --count 0
	[ "$status" = 0 ]
	[ ! -e "$PCI"/"$VF1" ]
	# The controller itself works on.
	dd if=/dev/zero of=/dev/nvme0n1 bs=64k count=4 oflag=direct
	refused 1 "has no SR-IOV" vf "$NIC" --count 1
}

@test "cycles leave nothing behind" {
	for ((i = 0; i < CYCLES; i++)); do
		"$VMCTL" device bind "$NIC" "$EDU" >/dev/null
		"$VMCTL" device unbind "$EDU" "$NIC" >/dev/null
	done
	[ "$(driver_of "$NIC")" = e1000e ]
	[ -z "$(ls /run/joist/devices)" ]
	[ "$(cat "$PCI"/"$NIC"/driver_override)" = "(null)" ]
	[ "$(cat "$PCI"/"$EDU"/driver_override)" = "(null)" ]
}
