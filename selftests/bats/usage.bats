#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The command line itself: nothing here needs the hypervisor.

load helper

@test "no command is a usage error" {
	run "$VMCTL"
	[ "$status" = 2 ]
	[[ $output == *"no command given"*"vmctl help"* ]]
}

@test "an unknown command is a usage error" {
	run "$VMCTL" rnu
	[ "$status" = 2 ]
	[[ $output == *"unknown command 'rnu'"* ]]
}

@test "help lists the commands and explains each" {
	run "$VMCTL" help
	[ "$status" = 0 ]
	for verb in run caps version help; do
		[[ $output == *"  $verb "* ]]
		"$VMCTL" help $verb | grep -q "usage: vmctl $verb"
	done
	[ "$("$VMCTL" --help)" = "$("$VMCTL" help)" ]
	[ "$("$VMCTL" run --help)" = "$("$VMCTL" help run)" ]
}

@test "version" {
	run "$VMCTL" version
	[ "$status" = 0 ]
	[[ $output =~ ^vmctl\ [0-9]+\.[0-9]+ ]]
}

@test "run wants one kernel" {
	run "$VMCTL" run
	[ "$status" = 2 ]
	[[ $output == *"no kernel given"* ]]
	run "$VMCTL" run a b
	[ "$status" = 2 ]
	[[ $output == *"more than one kernel"* ]]
}

@test "run: bad memory sizes" {
	for size in '' x -1 1 1M 3M 1025K 16Mx 0x 2T 99999999999999999999 18446744073709551615K; do
		run "$VMCTL" run -m "$size" kernel
		[ "$status" = 2 ]
		[[ $output == *"memory size '$size'"* ]]
	done
}

@test "run: bad numbers of vCPUs" {
	for n in '' 0 -1 x 1x 256 99999999999999999999; do
		run "$VMCTL" run -c "$n" kernel
		[ "$status" = 2 ]
		[[ $output == *"vCPUs '$n'"* ]]
	done
}

@test "run: bad debug-exit ports" {
	for port in '' x -1 65536 0xffff; do
		run "$VMCTL" run --debug-exit "$port" kernel
		[ "$status" = 2 ]
		[[ $output == *"port '$port'"* ]]
	done
}

@test "run: unknown options and missing arguments" {
	run "$VMCTL" run --frobnicate kernel
	[ "$status" = 2 ]
	[[ $output == *"unknown option '--frobnicate'"* ]]
	run "$VMCTL" run kernel -m
	[ "$status" = 2 ]
	[[ $output == *"'-m' needs an argument"* ]]
}

@test "run: disks without a file, and too many" {
	for disk in '' ',ro'; do
		run "$VMCTL" run -d "$disk" kernel
		[ "$status" = 2 ]
	done
	disks=()
	for _ in {1..17}; do
		disks+=(-d x)
	done
	run "$VMCTL" run "${disks[@]}" kernel
	[ "$status" = 2 ]
	[[ $output == *"more than 16 disks"* ]]
}

@test "run: a missing device says how to get it" {
	run "$VMCTL" run --device-path /dev/no-such-device "$KERNEL"
	[ "$status" = 1 ]
	[[ $output == *"/dev/no-such-device"*"insmod joist.ko"* ]]
}

@test "run: a device that is no hypervisor" {
	run "$VMCTL" run --device-path /dev/null "$KERNEL"
	[ "$status" = 1 ]
	[[ $output == *"/dev/null is no hypervisor device"* ]]
}

@test "caps: bad options" {
	run "$VMCTL" caps extra
	[ "$status" = 2 ]
	run "$VMCTL" caps --frobnicate
	[ "$status" = 2 ]
	run "$VMCTL" caps --device-path /dev/null
	[ "$status" = 1 ]
}
