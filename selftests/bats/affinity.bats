#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A guest's device's interrupts come to the CPU where its vCPU is. scripts/check's stage
# "affinity" has a host with two.

load helper
load passthrough

setup()
{
	need_device
	[ -n "$(ls -A /sys/kernel/iommu_groups)" ] || skip "no IOMMU"
	[ "$(nproc)" -gt 1 ] || skip "one CPU"
	modprobe vfio_pci
	modprobe vfio_iommu_type1
	EDU=$(host_device 1234:11e8)
	LOG=$BATS_TEST_TMPDIR/log
	to_driver "$EDU" vfio-pci
}

teardown()
{
	[ -z "$VM" ] || kill -9 $VM 2>/dev/null || true
	[ -z "$EDU" ] || to_driver "$EDU" ""
	[ ! -s "$LOG" ] || tail -n 20 "$LOG" | sed 's/^/# /'
}

# The threads of the VMM's that run the guest.
pin_vcpus()
{
	local task
	for task in /proc/$VM/task/*; do
		[[ $(cat "$task/comm") != vcpu* ]] || taskset -p -c "$1" "${task##*/}"
	done
}

# goes_to IRQ CPU
goes_to()
{
	[ "$(cat "/proc/irq/$1/effective_affinity_list")" = "$2" ]
}

# had IRQ CPU: how many interrupts
had()
{
	awk -v "irq=$1:" -v "cpu=$2" '$1 == irq { print $(cpu + 2) }' /proc/interrupts
}

rounds()
{
	[ "$(grep -c 'edu: messages: 25' "$LOG")" = "$1" ]
}

@test "the interrupts of a guest's device come to where its vCPU is" {
	local keys=$BATS_TEST_TMPDIR/keys irq n=0 cpu before
	mkfifo "$keys"
	"$VMCTL" run --device-path "$DEVICE" -m 16M --cmdline-only --cmdline M --device "$EDU" \
		"$KERNEL" <"$keys" >"$LOG" 2>&1 3>&- &
	VM=$!
	exec 9>"$keys"
	until_true 200 grep -q ready "$LOG"
	irq=$(ls "$PCI/$EDU/msi_irqs")
	for cpu in 1 0 1 0; do
		pin_vcpus $cpu
		until_true 50 goes_to "$irq" $cpu
		before=$(had "$irq" $cpu)
		printf r >&9
		until_true 100 rounds $((++n))
		[ $(($(had "$irq" $cpu) - before)) = 25 ]
	done
	printf . >&9
	exec 9>&-
	wait $VM
	VM=
	[ ! -e "/proc/irq/$irq" ]
	until_true 20 nothing_pinned
}
