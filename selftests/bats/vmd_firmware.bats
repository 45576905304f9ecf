#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmd: VMs that firmware starts.

load vmd

SEABIOS=/usr/share/seabios/bios-256k.bin
OVMF=/usr/share/OVMF/OVMF_CODE_4M.fd

@test "a VM starts from its disk by the BIOS, and one by UEFI keeps its variables" {
	[ -e $SEABIOS ] && [ -e $OVMF ] || skip "no seabios, or no ovmf"
	dir=$BATS_TEST_TMPDIR
	cp "$BIN/bios.disk" "$BIN/efi.disk" "$dir"
	conf <<-CONF
		vm "bios" {
			firmware = "bios"
			memory = 64M
			disk "a" { path = "$dir/bios.disk" }
		}
		vm "uefi" {
			firmware = "uefi,vars=$dir/vars"
			memory = 64M
			disk "a" { path = "$dir/efi.disk" }
		}
		vm "gone" { firmware = "/nowhere/at-all" }
	CONF
	daemon
	ask start bios
	run ask wait bios
	[[ $output == *'"reason":"poweroff","code":0'* ]]
	grep -q "bios: the second sector was read" /var/log/joist/bios.log
	run ask show bios
	[[ $output == *'"firmware":"bios"'* ]]
	for boot in 1 2; do
		ask start uefi
		run ask wait uefi
		[[ $output == *'"reason":"poweroff","code":0'* ]]
		grep -q "efi: boot $boot" /var/log/joist/uefi.log
	done
	[ "$(stat -c %a "$dir/vars")" = 600 ]
	run ask start gone
	[[ $output == *"cannot open the firmware /nowhere/at-all: No such file"* ]]
}
