#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Devices of the host's that guests own: QEMU's edu and pci-testdev, an NVMe controller and one
# with much memory of its own, an e1000e, behind its Intel IOMMU. scripts/check's stage "passthrough" has them.

load helper
load guest_net
load passthrough

setup()
{
	need_passthrough
	EDU=$(host_device 1234:11e8)
	NVME=$(host_device 1b36:0010)
	LARGE=$(host_device 1b36:0010 2)
	NIC=$(host_device 8086:10d3)
	TESTDEV=$(host_device 1b36:0005)
	LOG=$BATS_TEST_TMPDIR/log
}

teardown()
{
	local dev
	[ -z "$VM$OTHER" ] || kill -9 $VM $OTHER 2>/dev/null || true
	[ "$(cat "$PCI/$NVME/sriov_numvfs")" = 0 ] || "$VMCTL" device vf "$NVME" --count 0
	for dev in $EDU $NVME $NIC $TESTDEV $LARGE; do
		[ ! -e "$PCI/$dev" ] || to_driver "$dev" ""
	done
	[ ! -s "$LOG" ] || tail -n 40 "$LOG" | sed 's/^/# /'
}

# In the guest.
# shellcheck disable=SC2034 # guest_net's script() begins with it
GUEST_FIRST='
irqs()
{
	awk -v "what=$1" "index(\$0, what) { for (i = 2; i <= NF && \$i ~ /^[0-9]+\$/; i++) n += \$i }
		END { print n + 0 }" /proc/interrupts
}
wait_for() { for i in $(seq 100); do [ ! -e "$1" ] || return 0; sleep 0.1; done; return 1; }
# rounds N [FIRST]: 10 MB there and back, each other ones
rounds()
{
	for n in $(seq ${2:-0} $((${2:-0} + $1 - 1))); do
		dd if=/dev/urandom of=/tmp/data bs=1M count=10 2>/dev/null
		dd if=/tmp/data of=/dev/nvme0n1 bs=1M seek=$((n * 10)) oflag=direct 2>/dev/null
		a=$(md5sum </tmp/data)
		b=$(dd if=/dev/nvme0n1 bs=1M skip=$((n * 10)) count=10 iflag=direct 2>/dev/null | md5sum)
		[ "$a" = "$b" ] || { echo "guest: round $n: $a is $b"; return 1; }
	done
	echo "guest: $1 rounds right, the last ${a%  -}"
}
'

# in_background [OPTION...]: a Linux guest, to $LOG; $VM
in_background()
{
	"$VMCTL" run --device-path "$DEVICE" -m 192M --initrd "$INITRD" --cmdline joist.do=script \
		"$@" </dev/null >"$LOG" 2>&1 3>&- &
	VM=$!
}

said()
{
	grep -q "$1" "$LOG"
}

# wrote LOG: the sum of what the guest wrote last
wrote()
{
	sed -n 's/.*rounds right, the last \([0-9a-f]*\).*/\1/p' "$1" | tail -n 1
}

# The host's own driver reads what the guest wrote last.
host_reads()
{
	until_true 50 test -e /dev/nvme0n1
	dd if=/dev/nvme0n1 bs=1M skip="$1" count=10 iflag=direct 2>/dev/null | md5sum
}

@test "a device that is not bound to vfio-pci is refused, and the remedy named" {
	run guest o --device "$NVME"
	[ "$status" = 1 ]
	echo "$output"
	[[ $output = *"$NVME has nvme, not vfio-pci: vmctl device bind $NVME"* ]]
	run guest o --device 0000:00:1e.7
	[ "$status" = 1 ]
	[[ $output = *"the host has no PCI device 0000:00:1e.7"* ]]
	run guest o --device nonsense
	[ "$status" = 2 ]
}

@test "the memory that may be locked is looked at first, and the number needed told" {
	to_driver "$EDU" vfio-pci
	chmod 666 /dev/vfio/vfio /dev/vfio/[0-9]* "$DEVICE"
	# 8 MiB, and no right to more: nobody's.
	run timeout 60 su alice -c "ulimit -l 8192
		exec $VMCTL run --device-path $DEVICE -m 16M --device $EDU $KERNEL" </dev/null
	chmod 600 /dev/vfio/[0-9]*
	[ "$status" = 1 ]
	echo "$output"
	[[ $output = *"raise RLIMIT_MEMLOCK to 16384 KiB (ulimit -l 16384"* ]]
}

# bats test_tags=amd
@test "edu: registers, DMA there and back, each message and each interrupt of the line" {
	to_driver "$EDU" vfio-pci
	run guest E --device "$EDU"
	[ "$status" = 0 ]
	[[ $output = *"edu: alive 1"* ]]
	[[ $output = *"edu: factorial of 10: 3628800"* ]]
	[[ $output = *"edu: bytes that DMA got wrong: 0"* ]]
	[[ $output = *"edu: messages: 25"* ]]
	[[ $output = *"edu: by the line: 25"* ]]
	[[ $output = *"edu: by the line, heard at the second time: 50"* ]]
	[[ $output = *"edu: messages again: 25"* ]]
	until_true 20 nothing_pinned
}

# bats test_tags=amd
@test "edu: its DMA outside of the guest's memory is blocked, and the host unchanged" {
	to_driver "$EDU" vfio-pci
	mkfifo "$BATS_TEST_TMPDIR/end"
	"$BIN/canary" 400 <"$BATS_TEST_TMPDIR/end" >"$BATS_TEST_TMPDIR/canary" 3>&- &
	exec 9>"$BATS_TEST_TMPDIR/end"
	until_true 100 grep -q ready "$BATS_TEST_TMPDIR/canary"
	dmesg -c >/dev/null
	run guest A --device "$EDU"
	exec 9>&-
	wait $!
	grep -q '^0 words changed' "$BATS_TEST_TMPDIR/canary"
	[ "$status" = 0 ]
	[[ $output = *"edu: attacks: 21"* ]]
	# What it may reach it reaches as before.
	[[ $output = *"edu: bytes that DMA got wrong: 0"* ]]
	# QEMU's IOMMU of AMD's never interrupts to tell of it.
	[[ $(ls /sys/class/iommu) = ivhd* ]] || dmesg | grep -q 'PTE Write access is not set'
}

# bats test_tags=amd
@test "NVMe: 100 MB by the guest's driver, and no interrupt is lost" {
	to_driver "$NVME" vfio-pci
	script '
	wait_for /dev/nvme0n1
	rounds 10
	sleep 1
	dmesg | grep -q "nvme.*completion polled" || echo "guest: no request was polled for"
	echo "guest: interrupts $(irqs nvme)"
	sleep 4
	echo "guest: then $(irqs nvme)"'
	in_background --device "$NVME,name=nv" /guest/vmlinux
	until_true 1500 said 'guest: interrupts'
	host=$(host_interrupts "$NVME")
	grep vfio /proc/interrupts
	wait $VM
	VM=
	said 'guest: 10 rounds right'
	guest=$(sed -n 's/.*guest: interrupts \([0-9]*\).*/\1/p' "$LOG")
	echo "the guest has had $guest interrupts, the host $host"
	[ "$guest" -gt 100 ]
	# Two that come before the guest's CPU takes the first are one to it, more often where
	# the machine is busy. None is lost, or its driver would say so after half a minute.
	[ "$guest" -le "$host" ]
	[ $((guest * 2)) -ge "$host" ]
	said 'guest: no request was polled for'
	said "guest: then $guest"
	# Back with the host's driver it has what the guest wrote.
	until_true 20 nothing_pinned
	to_driver "$NVME" ""
	[ "$(driver_of "$NVME")" = nvme ]
	[[ $(host_reads 90) = $(wrote "$LOG")* ]]
}

@test "NVMe by its line, which it shares with a virtio disk" {
	to_driver "$NVME" vfio-pci
	truncate -s 32M "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two"
	script '
	load net
	wait_for /dev/nvme0n1
	(for n in 1 2 3; do
		dd if=/dev/urandom of=/tmp/other bs=1M count=4 2>/dev/null
		dd if=/tmp/other of=/dev/vdb bs=64k oflag=direct 2>/dev/null
		[ "$(md5sum </tmp/other)" = "$(dd if=/dev/vdb bs=64k count=64 iflag=direct 2>/dev/null | md5sum)" ] ||
			echo "guest: the disk is wrong"
	done; echo "guest: the disk is done") &
	rounds 2
	wait
	grep nvme /proc/interrupts | sed "s/^/guest: line/"'
	# The second disk has slot 2, the controller slot 3.
	in_background --disk "$BATS_TEST_TMPDIR/one" --disk "$BATS_TEST_TMPDIR/two" \
		--device "$NVME" --cmdline "joist.do=script pci=nomsi" /guest/vmlinux
	wait $VM
	VM=
	said 'guest: 2 rounds right'
	said 'guest: the disk is done'
	! said 'guest: the disk is wrong' || false
	grep -q 'guest: line.*virtio.*nvme\|guest: line.*nvme.*virtio' "$LOG"
}

# bats test_tags=amd
@test "kill -9 while it works: the device is the host's again, and nothing is mapped" {
	to_driver "$NVME" vfio-pci
	script 'wait_for /dev/nvme0n1; rounds 1; rounds 9'
	in_background --device "$NVME" /guest/vmlinux
	until_true 600 said 'guest: 1 rounds right'
	[ "$(pinned)" -gt 0 ]
	# The VM is nobody's that vmctl knows: the module tells what it has.
	run "$VMCTL" list --json
	echo "$output"
	[[ $output = *'"devices":[{"name":null,"host":"'$NVME'","group":'*',"driver":"vfio-pci"}]'* ]]
	run "$VMCTL" device show "$NVME" --json
	echo "$output"
	[[ $output = *'"interrupts":{"kind":"msix","vectors":'* ]]
	[[ $output = *'"name":null'*'"assignable":false,"why":"it is the VM '*'","remedy":"unplug it there'* ]]
	# 10 MB were written and read, no more than 1 MiB at a time.
	[ "$(sed -n 's/.*"interrupts":{.*"count":\([0-9]*\).*/\1/p' <<<"$output")" -ge 20 ]
	sleep 1
	kill -9 $VM
	wait $VM || true
	VM=
	until_true 50 nothing_pinned
	to_driver "$NVME" ""
	[ "$(driver_of "$NVME")" = nvme ]
	host_reads 0
	# And again a guest's.
	to_driver "$NVME" vfio-pci
	run guest o --device "$NVME"
	[ "$status" = 0 ]
}

# VF_TIMES=5 for 100 MB each
@test "virtual functions of NVMe: two guests at a time, each with one" {
	VF_TIMES=${VF_TIMES:-1}
	to_driver "$NVME" ""
	"$VMCTL" device vf "$NVME" --count 2
	for n in 0 1; do
		vf=$(basename "$(readlink "$PCI/$NVME/virtfn$n")")
		to_driver "$vf" vfio-pci
		script "wait_for /dev/nvme0n1
			for k in $(seq -s ' ' "$VF_TIMES"); do rounds 2 $((4 * n)) || break; done
			echo \"guest: interrupts \$(irqs nvme)\""
		mv "$INITRD" "$INITRD.$n"
		INITRD=$INITRD.$n
		in_background --device "$vf" /guest/vmlinux
		[ $n = 1 ] || OTHER=$VM
		[ $n = 1 ] || mv "$LOG" "$LOG.other"
	done
	wait $VM
	VM=
	wait $OTHER
	OTHER=
	for log in "$LOG" "$LOG.other"; do
		[ "$(grep -c 'guest: 2 rounds right' "$log")" = "$VF_TIMES" ]
		[ "$(sed -n 's/.*guest: interrupts \([0-9]*\).*/\1/p' "$log")" -gt 20 ]
	done
	until_true 50 nothing_pinned
	"$VMCTL" device vf "$NVME" --count 0
	# What they wrote is on the controller's disk.
	[[ $(host_reads 10) = $(wrote "$LOG.other")* ]]
	[[ $(host_reads 50) = $(wrote "$LOG")* ]]
}

@test "memory that is plugged in is the device's, too" {
	to_driver "$NVME" vfio-pci
	dmesg -c >/dev/null
	# What programs have comes from there first.
	script '
	echo online_movable >/sys/devices/system/memory/auto_online_blocks
	load memory
	wait_for /dev/nvme0n1
	for i in $(seq 100); do [ "$(sed -n "s/MemTotal: *\([0-9]*\).*/\1/p" /proc/meminfo)" -lt 300000 ] || break; sleep 0.1; done
	rounds 3
	grep -A 30 "zone *Movable" /proc/zoneinfo | sed -n "s/^ *nr_zone_\(inactive\|active\)_anon/guest: plugged \1/p"
	echo "guest: $(grep MemTotal /proc/meminfo)"'
	in_background --pluggable 256M,now=256M --device "$NVME" /guest/vmlinux
	wait $VM
	VM=
	said 'guest: 3 rounds right'
	[ "$(sed -n 's/.*guest: MemTotal: *\([0-9]*\).*/\1/p' "$LOG")" -gt 300000 ]
	! dmesg | grep 'DMAR:.*fault\|is not set' || false
	until_true 20 nothing_pinned
}

@test "a guest that starts again has its device again" {
	to_driver "$EDU" vfio-pci
	run timeout 20 "$VMCTL" run --device-path "$DEVICE" -m 16M --cmdline-only --cmdline r \
		--reboot --device "$EDU" "$KERNEL" </dev/null
	echo "$output"
	# By the signal, says one timeout or the other.
	[ "$status" = 124 ] || [ "$status" = 143 ]
	# Which it says each time: edu has no reset.
	[ "$(grep -c "$EDU cannot be reset" <<<"$output")" -gt 2 ]
	! grep -q 'cannot open' <<<"$output" || false
}

@test "what the host wants back the guest lets go of, and runs on" {
	to_driver "$NVME" vfio-pci
	script '
	wait_for /dev/nvme0n1
	rounds 1
	echo "guest: ready"
	for i in $(seq 600); do [ -e /dev/nvme0n1 ] || break; sleep 0.1; done
	[ -e /dev/nvme0n1 ] || echo "guest: it has gone"'
	in_background --device "$NVME" /guest/vmlinux
	until_true 900 said 'guest: ready'
	timeout 100 sh -c "echo $NVME >/sys/bus/pci/drivers/vfio-pci/unbind"
	until_true 50 nothing_pinned
	wait $VM
	VM=
	said "the host wants 'hostdev0' ($NVME) back"
	said 'guest: it has gone'
	said 'guest: powering off'
}

@test "a guest that does not let go loses it, and runs on" {
	to_driver "$EDU" vfio-pci
	"$VMCTL" run --device-path "$DEVICE" -m 16M --cmdline-only --cmdline l --device "$EDU" \
		"$KERNEL" </dev/null >"$LOG" 2>&1 3>&- &
	VM=$!
	until_true 100 said ready
	timeout 100 sh -c "echo $EDU >/sys/bus/pci/drivers/vfio-pci/unbind"
	said "the guest does not let go of 'hostdev0': it is taken from it"
	until_true 50 nothing_pinned
	kill -0 $VM
}

# NET_ROUNDS=10 for 100 MB: it takes its time.
# bats test_tags=amd
@test "e1000e: the guest's driver reaches the network behind it, and what comes back is right" {
	to_driver "$NIC" vfio-pci
	script "rounds=${NET_ROUNDS:-1}"'
	load e1000e
	ip link set eth0 up
	ip addr add 10.0.2.15/24 dev eth0
	for i in $(seq 20); do [ "$(cat /sys/class/net/eth0/carrier 2>/dev/null)" != 1 ] || break; sleep 0.5; done
	ping -c 5 -W 5 -s 1000 10.0.2.2
	for n in $(seq $rounds); do
		dd if=/dev/urandom of=/tmp/data bs=1M count=10 2>/dev/null
		a=$(md5sum </tmp/data)
		b=$(nc 10.0.2.100 7 </tmp/data | md5sum)
		[ "$a" = "$b" ] || { echo "guest: round $n: $a is $b"; break; }
		echo "guest: round $n right"
	done
	echo "guest: interrupts $(irqs eth0)"'
	timeout $((250 + 60 * ${NET_ROUNDS:-1})) "$VMCTL" run --device-path "$DEVICE" -m 256M \
		--initrd "$INITRD" --cmdline joist.do=script --device "$NIC" /guest/vmlinuz-standard </dev/null >"$LOG" 2>&1
	said '5 packets transmitted, 5 packets received'
	said "guest: round ${NET_ROUNDS:-1} right"
	[ "$(sed -n 's/.*guest: interrupts \([0-9]*\).*/\1/p' "$LOG")" -gt 5 ]
	until_true 20 nothing_pinned
	to_driver "$NIC" ""
	[ "$(driver_of "$NIC")" = e1000e ]
	until_true 50 test -e /sys/class/net/eth0
	ip addr add 10.0.2.15/24 dev eth0
	ip link set eth0 up
	until_true 50 ping -c 1 -W 1 10.0.2.2
	ip link set eth0 down
	ip addr flush dev eth0
}

@test "windows: ports, and one of 128 MiB above 4 GiB" {
	to_driver "$TESTDEV" vfio-pci
	to_driver "$LARGE" vfio-pci
	script '
	cd "$(dirname "$(grep -l 0x0005 /sys/bus/pci/devices/*/device)")"
	echo 1 >enable
	# Which of its tests, and what the device calls it.
	printf "\000" | dd of=resource1 bs=1 conv=notrunc 2>/dev/null
	echo "guest: by ports $(dd if=resource1 bs=1 skip=16 count=6 2>/dev/null)"
	cd "$(dirname "$(grep -l 0x0010 /sys/bus/pci/devices/*/device)")"
	echo 1 >enable
	at=$(sed -n "3s/ .*//p" resource)
	echo "guest: window $at"
	devmem "$at" 32 0x5ca1ab1e
	devmem "$((at + 0x7ffff00))" 32 0x0ddba11
	echo "guest: large $(devmem "$at" 32) $(devmem "$((at + 0x7ffff00))" 32)"'
	in_background --device "$TESTDEV" --device "$LARGE" \
		--cmdline "joist.do=script initcall_blacklist=nvme_init" /guest/vmlinux
	wait $VM
	VM=
	said 'guest: by ports portio'
	said 'guest: large 0x5CA1AB1E 0x00DDBA11'
	# Sixteen digits, of which one above 4 GiB's is not zero.
	grep -q 'guest: window 0x0*[1-9a-f][0-9a-f]\{8\}' "$LOG"
}

# boots DISK FIRMWARE SECONDS: from an NVMe disk, where the host has put it; $output
boots()
{
	to_driver "$NVME" ""
	until_true 50 test -e /dev/nvme0n1
	dd if="$BIN/$1.disk" of=/dev/nvme0n1 conv=fsync 2>/dev/null
	to_driver "$NVME" vfio-pci
	run timeout "$3" "$VMCTL" run --device-path "$DEVICE" -m 64M --firmware "$2" \
		--device "$NVME" </dev/null
	echo "$output" | tail -n 20
	[ "$status" = 0 ]
}

@test "BIOS: it starts from an NVMe disk that was the host's" {
	[ -e /usr/share/seabios/bios-256k.bin ] || skip "no seabios"
	boots bios bios 150
	[[ $output == *"bios: the boot sector runs"*"bios: the second sector was read"* ]]
}

@test "UEFI: likewise" {
	[ -e /usr/share/OVMF/OVMF_CODE_4M.fd ] || skip "no ovmf"
	boots efi uefi 200
	[[ $output == *"efi: boot 1"* ]]
}

@test "the balloon gives nothing back while the guest has a device, and says so" {
	to_driver "$EDU" vfio-pci
	script 'load balloon; sleep 3; echo "guest: free $(grep MemFree /proc/meminfo)"'
	in_background --device "$EDU" --balloon 128M /guest/vmlinux
	wait $VM
	VM=
	said 'the balloon gives nothing back'
	said 'guest: powering off'
}
