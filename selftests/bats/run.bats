#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmctl run with a small kernel that does what a test asks: needs the hypervisor.

load helper

setup()
{
	need_device
}

@test "power-off is success" {
	run guest o
	[ "$status" = 0 ]
}

@test "a reset by any port has its code" {
	for letter in r k a; do
		run guest $letter
		[ "$status" = 16 ]
		[[ $output == *"guest reset"* ]]
	done
}

@test "debug exit: the value decides the code" {
	run guest d --debug-exit 0xf4
	[ "$status" = 85 ]
	# Without the option the port is nobody's.
	run guest d
	[ "$status" = 0 ]
}

@test "I/O ports of the host's" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	guest h --name ported --io-port 0x80 --io-port 0xf0-0xf7 3>&- &
	until_true 100 sh -c "'$VMCTL' show --json ported | grep -q '\"first-port\":240,\"nr-ports\":8'"
	run "$VMCTL" show ported
	[ "$status" = 0 ]
	[[ $output == *"first-port: 128"*"nr-ports: 1"* ]]
	"$VMCTL" stop --force ported
	wait $! || true
	# What it writes goes to the host's port, where nobody is.
	run guest d --io-port 0xf4
	[ "$status" = 0 ]
	# Who has one of them goes first.
	run guest d --debug-exit 0xf4 --io-port 0xf0-0xff
	[ "$status" = 1 ]
	[[ $output == *"I/O ports 0xf0-0xff: a device of the VM's own has one of them"* ]]
	run guest d --io-port 0x20-0x21
	[ "$status" = 1 ]
	[[ $output == *"I/O ports 0x20-0x21: a device in the kernel has one of these ports"* ]]
	run guest d --io-port 0xcfc
	[ "$status" = 1 ]
	for bad in x 0x10000 5-4 -1 1- 1-2-3 ""; do
		run guest d --io-port "$bad"
		[ "$status" = 2 ]
	done
}

@test "a triple fault is reported" {
	run guest t
	[ "$status" = 20 ]
	for text in "triple fault" "rip " "cr3 " "page walk of" "last exits"; do
		[[ $output == *"$text"* ]]
	done
}

@test "a panic is told from a reset" {
	for letter in w P; do
		run guest $letter
		[ "$status" = 18 ]
		[[ $output == *"guest panic"*  ]]
	done
}

@test "the report as JSON" {
	run guest t --json
	[ "$status" = 20 ]
	[[ $output == *'{"reason":"triple-fault","code":20,"message":"vCPU 0: triple fault","report":"'*'\n'*'"}'* ]]
}

@test "memory is what -m says" {
	for m in 4 16 100; do
		run guest m -m ${m}M
		[ "$status" = 0 ]
		[[ $output == *"above 1M: $((m * 1024 - 1024))"* ]]
	done
}

@test "more memory than fits below the PCI hole" {
	run guest m -m 4G
	[ "$status" = 0 ]
	[[ $output == *"above 1M: $((11 * 256 * 1024 - 1024))"* ]]
}

@test "the initrd arrives" {
	printf 'from the initrd\0' >"$BATS_TEST_TMPDIR/initrd"
	run guest i --initrd "$BATS_TEST_TMPDIR/initrd"
	[ "$status" = 0 ]
	[[ $output == *"from the initrd"* ]]
}

# Later words win, in Linux: --cmdline is behind what vmctl says itself.
@test "the command line: ours, then --cmdline, or that alone" {
	run timeout 60 "$VMCTL" run --device-path "$DEVICE" -m 16M \
		--cmdline "cryptomgr.notests=0 c" "$KERNEL"
	[ "$status" = 0 ]
	[[ $output == *"command line: console=ttyS0 quiet panic=-1 reboot=panic_warm cryptomgr.notests cryptomgr.notests=0 c"* ]]
	run guest "only c"
	[ "$status" = 0 ]
	[[ $output == *"command line: only c"* ]]
}

@test "unclaimed ports and memory read as ones" {
	run guest u
	[ "$status" = 0 ]
	[[ $output == *"unclaimed: 4294967295 255"* ]]
}

@test "missing, empty and foreign files" {
	cd "$BATS_TEST_TMPDIR"
	: >empty
	head -c 100000 /dev/zero >zeros
	run guest o no-such-kernel
	[ "$status" = 2 ]
	KERNEL=no-such-kernel run guest o
	[ "$status" = 1 ]
	[[ $output == *"no-such-kernel: No such file"* ]]
	for KERNEL in empty zeros /; do
		run guest o
		[ "$status" = 1 ]
	done
	KERNEL=$BIN/kernel.bin run guest o
	[ "$status" = 1 ]
	[[ $output == *"an ELF file or has load addresses"* ]]
	KERNEL=$BIN/kernel.elf
	run guest o --initrd no-such-initrd
	[ "$status" = 1 ]
	run guest o --initrd empty
	[ "$status" = 1 ]
	[[ $output == *"is empty"* ]]
	run guest o -d no-such-disk
	[ "$status" = 1 ]
	run guest o -d empty
	[ "$status" = 1 ]
	[[ $output == *"smaller than a sector"* ]]
}

@test "an initrd that is too large says so" {
	head -c 5000000 /dev/zero >"$BATS_TEST_TMPDIR/initrd"
	run guest o -m 4M --initrd "$BATS_TEST_TMPDIR/initrd"
	[ "$status" = 1 ]
	[[ $output == *"use a larger -m"* ]]
}

@test "a cut-off kernel is refused" {
	head -c 4200 "$KERNEL" >"$BATS_TEST_TMPDIR/cut"
	KERNEL=$BATS_TEST_TMPDIR/cut run guest o
	[ "$status" = 1 ]
}

@test "caps tells the truth in both forms" {
	run "$VMCTL" caps --device-path "$DEVICE"
	[ "$status" = 0 ]
	[[ $output =~ IRQCHIP\ +1 ]]
	run "$VMCTL" caps --json --device-path "$DEVICE"
	[ "$status" = 0 ]
	[[ $output == '{"IRQCHIP":1,'*'}' ]]
}
