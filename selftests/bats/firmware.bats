#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmctl run --firmware with two small disks that firmware starts: needs the hypervisor, and
# Debian's packages seabios and ovmf.

load helper

SEABIOS=/usr/share/seabios/bios-256k.bin
OVMF=/usr/share/OVMF/OVMF_CODE_4M.fd

setup()
{
	need_device
	cp "$BIN/bios.disk" "$BIN/efi.disk" "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
}

# firmware ARG...: a VM without a kernel; its console is standard output.
firmware()
{
	timeout 150 "$VMCTL" run --device-path "$DEVICE" -m 64M --firmware "$@" </dev/null
}

@test "BIOS: a boot sector runs, reads its disk and powers off" {
	[ -e $SEABIOS ] || skip "no seabios"
	run firmware bios -d bios.disk -c 2
	[ "$status" = 0 ]
	[[ $output == *"bios: the boot sector runs"*"bios: the second sector was read"* ]]
	[[ $output == *"bios: SMBIOS 3 is there"* ]]
}

@test "BIOS: a path, what it says while it debugs, the order of the disks" {
	[ -e $SEABIOS ] || skip "no seabios"
	truncate -s 1M empty.disk
	cp $SEABIOS mine.bin
	run firmware ./mine.bin,debug -d bios.disk -d empty.disk,ro
	[ "$status" = 0 ]
	for text in "QEMU fw_cfg DMA interface supported" "using q35 mmconfig at 0xb0000000" \
		"Moving pm_base to 0x600" "bios: the second sector was read"; do
		[[ $output == *"$text"* ]]
	done
}

@test "UEFI: variables are kept in the file, across VMs" {
	[ -e $OVMF ] || skip "no ovmf"
	for boot in 1 2; do
		run firmware uefi,vars=vars.fd -d efi.disk --name "boot-$boot"
		[ "$status" = 0 ]
		[[ $output == *"efi: boot $boot"*"efi: SMBIOS boot-$boot"* ]]
	done
	! cmp -s vars.fd /usr/share/OVMF/OVMF_VARS_4M.fd || false
	[ "$(stat -c %s vars.fd)" = "$(stat -c %s /usr/share/OVMF/OVMF_VARS_4M.fd)" ]
}

@test "firmware that is none, or not there" {
	run firmware ./gone.bin
	[ "$status" = 1 ]
	[[ $output == *"gone.bin: No such file"* ]]
	: >empty.bin
	run firmware ./empty.bin
	[ "$status" = 1 ]
	[[ $output == *"is no firmware"* ]]
	head -c 5000 /dev/zero >odd.bin
	run firmware ./odd.bin
	[ "$status" = 1 ]
	[[ $output == *"4 KiB pages"* ]]
	truncate -s 64K zeros.bin
	run firmware ./zeros.bin,vars=odd.bin
	[ "$status" = 1 ]
	[[ $output == *"no variables of firmware's"* ]]
	run firmware ./zeros.bin,vars=gone.fd
	[ "$status" = 1 ]
	[[ $output == *"gone.fd: No such file"* ]]
	[ -e $SEABIOS ] || {
		run firmware bios
		[[ $output == *"install the package seabios"* ]]
	}
}
