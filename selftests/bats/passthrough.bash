# SPDX-License-Identifier: GPL-2.0-only
# Devices of the bench that go to guests and come back.
# shellcheck shell=bash

PCI=/sys/bus/pci/devices

# host_device VENDOR:DEVICE [N]: where the host has the first, or the Nth
host_device()
{
	local dev n=${2:-1}
	for dev in "$PCI"/*; do
		[ "$(cat "$dev/vendor"):$(cat "$dev/device")" = "0x${1%:*}:0x${1#*:}" ] || continue
		[ $((--n)) -gt 0 ] || { basename "$dev"; return; }
	done
	echo "the bench has no device $*" >&2
	return 1
}

# find_devices: the bench's, with the drivers that the host has for them
# shellcheck disable=SC2034 # for the tests
find_devices()
{
	[ -n "$(ls -A /sys/kernel/iommu_groups)" ] || skip "no IOMMU"
	NVME=$(host_device 1b36:0010)
	NIC=$(host_device 8086:10d3)
	EDU=$(host_device 1234:11e8)
	VF1=${NVME%.0}.1
	VF2=${NVME%.0}.2
	PORT=$(host_device 1b36:000c)
	modprobe nvme
	modprobe e1000e
	until_true 50 test -b /dev/nvme0n1
}

# to_driver ADDRESS DRIVER: bound to it; "": to what the host takes by itself
to_driver()
{
	local dev=$PCI/$1
	printf '%s\n' "$2" >"$dev/driver_override"
	[ ! -e "$dev/driver" ] || echo "$1" >"$dev/driver/unbind"
	[ "$2" = none ] || echo "$1" >/sys/bus/pci/drivers_probe
}

# driver_of ADDRESS: nothing, if it has none
driver_of()
{
	local link
	link=$(readlink "$PCI/$1/driver") || return 0
	echo "${link##*/}"
}

# The pages that are locked for devices.
pinned()
{
	awk '/nr_foll_pin_acquired/ { n += $2 } /nr_foll_pin_released/ { n -= $2 } END { print n }' \
		/proc/vmstat
}

nothing_pinned()
{
	[ "$(pinned)" = 0 ]
}

# How many interrupts the host's driver has had of a device.
host_interrupts()
{
	awk -v "dev=($1)" 'index($0, dev) { for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i }
		END { print n + 0 }' /proc/interrupts
}

need_passthrough()
{
	need_guest
	[ -n "$(ls -A /sys/kernel/iommu_groups)" ] || skip "no IOMMU"
	modprobe vfio_pci
	modprobe vfio_iommu_type1
	modprobe nvme
	modprobe e1000e
}
