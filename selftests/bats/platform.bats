#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Ports and memory of devices that are not PCI's: QEMU's firmware configuration and the registers
# of its ICH9 chipset, which firmware puts at 0xfed1c000. In the bench with an IOMMU, for that has
# this chipset. The guest is the tests' kernel: see platform.c.

load vmd
load passthrough

CHIPSET=0xfed1f000-0xfed1ffff
KEPT=0xfed1fff0
WORD=0x6A6F6973

setup()
{
	vmd_setup
	[ -n "$(ls -A /sys/kernel/iommu_groups)" ] || skip "no IOMMU, and another chipset"
	EDU=$(host_device 1234:11e8)
	busybox devmem $KEPT 32 0
}

teardown()
{
	sed 's/^/# /' /var/log/joist/*.log 2>/dev/null | tail -n 40
	vmd_teardown
}

# refused TEXT [OPTION...]: vmctl run says so, and no guest has run.
refused()
{
	local text=$1
	shift
	run guest R "$@"
	echo "$output"
	[ "$status" = 1 ]
	[[ "$output" = *"$text"* && "$output" != *chipset:* ]]
}

# says NAME TEXT: a VM of the daemon's, on its console, soon
says()
{
	until_true 100 grep -q "$2" "/var/log/joist/$1.log"
}

# range ADDRESS: the page it is in
page_of()
{
	printf '0x%x-0x%x\n' $(($1 & ~0xfff)) $(($1 | 0xfff))
}

@test "memory: the guest reads and writes the device itself" {
	run guest R --mmio $CHIPSET
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" = *"chipset: control 32, kept"* ]]
	[ "$(busybox devmem $KEPT 32)" = $WORD ]
	# Nobody answers there without it.
	busybox devmem $KEPT 32 0
	run guest R
	[[ "$output" = *"chipset: control 4294967295, lost"* ]]
	[ "$(busybox devmem $KEPT 32)" = 0x00000000 ]
}

@test "memory: mapped uncached, a slot of its own, and gone with the VM" {
	cat /sys/kernel/debug/x86/pat_memtype_list >"$BATS_TEST_TMPDIR/before"
	run grep fed1f000 "$BATS_TEST_TMPDIR/before"
	[ "$status" = 1 ]
	guest h --name memory --mmio $CHIPSET >/dev/null 3>&- &
	until_true 100 sh -c "'$VMCTL' show --json memory | grep -q 0xfed1f000"
	run grep -i fed1f000 /sys/kernel/debug/x86/pat_memtype_list
	echo "$output"
	[[ "$output" = *uncached* ]]
	run "$VMCTL" show memory
	echo "$output"
	[[ "$output" = *"gpa: 0xfed1f000"*"size: 4K"* ]]
	# shellcheck disable=SC2010 # links, by what they lead to
	[ "$(ls -l /proc/"$(pidof vmctl)"/fd | grep -c /dev/mem)" = 0 ]
	"$VMCTL" stop --force memory
	wait $! || true
	run grep fed1f000 /sys/kernel/debug/x86/pat_memtype_list
	[ "$status" = 1 ]
}

@test "memory that is somebody's is refused, and whose it is is said" {
	cat /proc/iomem
	bar=$(sed -n '1s/ .*//p' "$PCI/$EDU/resource")
	refused "System RAM is at" --mmio 0x1000000-0x1000fff
	refused "are the host's \"HPET 0\"" --mmio 0xfed00000-0xfed00fff
	refused "are the host's \"dmar0\"" --mmio 0xfed90000-0xfed90fff
	refused "are the host's \"$EDU\"" --mmio "$(page_of "$bar")"
	[[ "$output" = *"vmctl device show $EDU"* ]]
	refused "are the host's \"PCI " --mmio 0xb0000000-0xb0000fff
	refused "are the host's \"IOAPIC 0\"" --mmio 0xfec00000-0xfec00fff
	refused "are the host's" --mmio 0xfed00000-0xfed1ffff
	# The host has nothing there, the guest's machine has.
	refused "machine has its PCI devices there" --mmio 0xe0000000-0xe0000fff
	refused "machine has pages of the hypervisor's there" --mmio 0xfeffc000-0xfeffcfff
	refused "machine has another device there" --mmio $CHIPSET --mmio 0xfed1e000-0xfed1ffff
	run su alice -c "$VMCTL run --mmio $CHIPSET $KERNEL"
	echo "$output"
	[ "$status" = 1 ]
	[[ "$output" = *"cannot open /dev/mem"*"be root"* ]]
	for bad in x 0xfed1f000 0xfed1f000-0xfed1fffe 0xfed1f001-0xfed1ffff 0xfed1ffff-0xfed1f000 "" \
		0x0-0xffffffffffffffff; do
		run guest R --mmio "$bad"
		[ "$status" = 2 ]
		[[ "$output" = *"bad --mmio"*"whole pages"* ]]
	done
}

@test "ports: the guest asks the device itself" {
	run guest q --io-port 0x510-0x511
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" = *"fw_cfg: QEMU"* ]]
	run guest q
	[[ "$output" = *"fw_cfg: ????"* ]]
}

@test "VMs of the configuration have them, and a process that could open no more" {
	{
		vm m R "device chipset { mmio = \"$CHIPSET\" }"
		vm p q "device cfg { io-ports = \"0x510-0x511\" }"
		vm both h "device chip { mmio = { \"$CHIPSET\", \"0xfed1d000-0xfed1dfff\" }
			io-ports = 0x510-0x511 }"
	} | conf
	daemon
	run ask show both
	[[ "$output" = *'"devices":[{"name":"chip","io-ports":["0x510-0x511"],"mmio":["0xfed1f000-0xfed1ffff","0xfed1d000-0xfed1dfff"]}]'* ]]
	run ask start m
	echo "$output"
	[[ "$output" = *'"ok":true'* ]]
	says m "chipset: control 32, kept"
	state_is m stopped
	[ "$(busybox devmem $KEPT 32)" = $WORD ]
	ask start p
	says p "fw_cfg: QEMU"
	state_is p stopped
	ask start both
	state_is both running
	run "$VMCTL" show --json both
	echo "$output"
	[[ "$output" = *'"devices":[{"name":"chip","io-ports":["0x510-0x511"]'* ]]
	[[ "$output" = *'"first-port":1296,"nr-ports":2'* ]]
	run "$VMCTL" list --json
	[[ "$output" = *'"name":"chip","io-ports"'* ]]
	run ask device-list
	[[ "$output" = *'"vm":"both","name":"chip","io-ports"'* ]]
	run "$VMCTL" device list
	echo "$output"
	[[ "$output" = *" both "*"chip 0x510-0x511 0xfed1f000-0xfed1ffff 0xfed1d000-0xfed1dfff"* ]]
	run "$VMCTL" device list --json
	[[ "$output" = *'"platform":[{"vm":"both","name":"chip"'* ]]
	pid=$(pid_of both)
	[ "$(grep -c /dev/mem "/proc/$pid/maps")" = 2 ]
	# shellcheck disable=SC2010 # links, by what they lead to
	[ "$(ls -l "/proc/$pid/fd" "/proc/$VMD_PID/fd" | grep -c /dev/mem)" = 0 ]
	grep -q "^CapBnd:.0*$" "/proc/$pid/status"
	# One at a time, whoever was there to see it start.
	run ask start m
	echo "$output"
	[[ "$output" = *'"in-use"'*"the VM both has ports or memory of the device 'chipset'"* ]]
	kill -9 "$VMD_PID"
	wait "$VMD_PID" || true
	daemon
	run ask start p
	[[ "$output" = *'"in-use"'* ]]
	run ask show both
	[[ "$output" = *'"devices":[{"name":"chip","io-ports":["0x510-0x511"]'* ]]
	ask stop both '"force":true'
	run ask start p
	[[ "$output" = *'"ok":true'* ]]
}

@test "of vmd: what is somebody's is refused, and who is not root" {
	{
		vm hpet h "device d { mmio = \"0xfed00000-0xfed00fff\" }"
		vm ram h "device d { mmio = \"0x1000000-0x1000fff\" }"
		vm pit h "device d { io-ports = \"0x40-0x43\" }"
		vm pci h "device d { io-ports = \"0xcf8\" }"
		vm hole h "device d { mmio = \"0xe0000000-0xe0000fff\" }"
	} | conf
	daemon
	cat /proc/ioports
	run ask start hpet
	echo "$output"
	[[ "$output" = *'"in-use"'*'HPET 0'*'"remedy"'* ]]
	run ask start ram
	[[ "$output" = *'"in-use"'*"System RAM"* ]]
	run ask start pit
	[[ "$output" = *'"in-use"'*timer0* ]]
	run ask start pci
	[[ "$output" = *'"in-use"'*"PCI conf1"* ]]
	run ask start hole
	echo "$output"
	[[ "$output" = *"machine has its PCI devices there"* ]]
	define="\"definition\":{\"name\":\"mine\",\"kernel\":\"$KERNEL\",\"memory\":16777216,\"cmdline\":\"h\",\"devices\":[{\"name\":\"c\",\"mmio\":[\"$CHIPSET\"]}]}"
	# carol is an admin.
	for user in alice carol; do
		run as $user create "" "$define"
		echo "$output"
		[[ "$output" = *'"not-yours"'*"only root"*'"remedy"'* ]]
	done
	run "$VMCTL" create mine --kernel "$KERNEL" -m 16M --cmdline h \
		--device "mmio=$CHIPSET,io-ports=0x510-0x511,name=c" --start
	echo "$output"
	[ "$status" = 0 ]
	grep -q "0xfed1f000-0xfed1ffff" /var/lib/joist/vms/mine.json
	state_is mine running
	run "$VMCTL" device assign mine "mmio=0xfed1d000-0xfed1dfff,name=d"
	echo "$output"
	[ "$status" != 0 ]
	[[ "$output" = *"come with a VM's definition"* ]]
	ask stop mine '"force":true'
}
