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

VERBS="run create delete start stop pause resume reset nmi balloon memory disk device list show wait console log events
	top stats config host caps version completion help"

@test "help lists the commands and explains each" {
	run "$VMCTL" help
	[ "$status" = 0 ]
	for verb in $VERBS; do
		[[ $output == *"  $verb "* ]]
		"$VMCTL" help $verb | grep -q "usage: vmctl $verb"
	done
	[ "$("$VMCTL" --help)" = "$("$VMCTL" help)" ]
	[ "$("$VMCTL" run --help)" = "$("$VMCTL" help run)" ]
}

# Each of them is a person's next question: the command, the option, and what it does.
@test "help as JSON is the same table" {
	run "$VMCTL" help --json
	[ "$status" = 0 ]
	for verb in $VERBS; do
		[[ $output == *"{\"name\":\"$verb\","* ]]
		run_json=$("$VMCTL" help "$verb" --json)
		[[ $run_json == '{"commands":[{"name":"'$verb'",'* ]]
	done
	[[ $output == *'{"code":"no-daemon","exit":5,'* ]]
}

@test "help exit-codes: no code is told twice for a word" {
	run "$VMCTL" help exit-codes
	[ "$status" = 0 ]
	[[ $output == *" 5  no-daemon "* ]]
	[ -z "$(awk '$1 > 0 { print $2 }' <<<"$output" | sort | uniq -d)" ]
	run "$VMCTL" help rnu
	[ "$status" = 2 ]
}

@test "every verb refuses an unknown option, in text and JSON" {
	for verb in $VERBS; do
		run "$VMCTL" "$verb" --frobnicate
		[ "$status" = 2 ]
		[[ $output == "vmctl: unknown option '--frobnicate'; see 'vmctl help $verb'" ]]
		run "$VMCTL" "$verb" --frobnicate --json
		[ "$status" = 2 ]
		[[ $output == '{"error":{"code":"usage","message":"unknown option '"'--frobnicate'"'","remedy":"see '"'vmctl help $verb'"'","exit":2}}' ]]
	done
}

@test "the manual page has every command, option and exit code" {
	page=$(first /man/vmctl.8 "$TOP/Documentation/man/vmctl.8")
	text=$(sed 's/\\-/-/g' "$page")
	for verb in $VERBS; do
		grep -Eq "^\.SS .*\\b$verb\\b|^\.(B|BR|TP).*\\b$verb\\b" <<<"$text"
		for option in $("$VMCTL" help $verb | grep -o -- '--[a-z-]*'); do
			grep -q -- "$option" <<<"$text" || {
				echo "$verb $option is not in $page"
				return 1
			}
		done
	done
	for code in $("$VMCTL" help exit-codes | awk '$1 ~ /^[0-9]+$/ { print $1 }'); do
		grep -Eq "^\.B $code\$" <<<"$text"
	done
}

@test "verbs refuse too few and too many arguments" {
	for verb in delete start stop pause resume reset nmi balloon memory show wait console log; do
		run "$VMCTL" $verb
		[ "$status" = 2 ]
		[[ $output == *"no VM given"* ]]
	done
	for verb in show console log; do
		run "$VMCTL" $verb a b
		[ "$status" = 2 ]
		[[ $output == *"more than one VM given ('b')"* ]]
	done
	for verb in list host caps version; do
		run "$VMCTL" $verb extra
		[ "$status" = 2 ]
		[[ $output == *"unexpected argument 'extra'"* ]]
	done
	run "$VMCTL" help a b
	[ "$status" = 2 ]
	run "$VMCTL" completion csh
	[ "$status" = 2 ]
	[[ $output == *"no completion for 'csh'"* ]]
}

@test "stats and events: bad intervals and counts" {
	for bad in '' x -1 0x1 1e3 1.2.3; do
		run "$VMCTL" stats --interval "$bad"
		[ "$status" = 2 ]
		[[ $output == *"bad --interval '$bad'"* ]]
		run "$VMCTL" events --stats "$bad"
		[ "$status" = 2 ]
	done
	run "$VMCTL" stats --interval 0.05
	[ "$status" = 2 ]
	run "$VMCTL" events --stats 3601
	[ "$status" = 2 ]
	for bad in 0 -1 x 4294967296; do
		run "$VMCTL" stats --count "$bad"
		[ "$status" = 2 ]
		run "$VMCTL" events --count "$bad"
		[ "$status" = 2 ]
	done
}

@test "top: bad intervals, keys and formats" {
	for bad in '' x -1 1e3; do
		run "$VMCTL" top --interval "$bad"
		[ "$status" = 2 ]
		[[ $output == *"bad --interval '$bad'"* ]]
	done
	for bad in 0 0.05 3601; do
		run "$VMCTL" top --interval "$bad"
		[ "$status" = 2 ]
	done
	for bad in '' 'a b' a-b $'x\e' "$(printf 'x%.0s' {1..24})"; do
		run "$VMCTL" top --sort "$bad"
		[ "$status" = 2 ]
		[[ $output == *"bad --sort '$bad'"* ]]
	done
	run "$VMCTL" top --batch --json
	[ "$status" = 2 ]
	[[ $output == *"--batch is text"* ]]
}

@test "run: bad names" {
	for name in '' 'a b' $'a\n' $'\xc3\xa4' "$(printf 'x%.0s' {1..64})"; do
		run "$VMCTL" run --name "$name" kernel
		[ "$status" = 2 ]
		[[ $output == *"bad name"* ]]
	done
}

@test "version" {
	run "$VMCTL" version
	[ "$status" = 0 ]
	[[ $output =~ ^vmctl\ [0-9]+\.[0-9]+ ]]
}

@test "run wants one kernel" {
	run "$VMCTL" run
	[ "$status" = 2 ]
	[[ $output == *"no kernel given, and no --firmware"* ]]
	run "$VMCTL" run a b
	[ "$status" = 2 ]
	[[ $output == *"more than one kernel"* ]]
}

@test "run: firmware, or a kernel" {
	for bad in "efi|is no firmware" "bios,vars=v|is for UEFI only" "uefi,vars=|names no file" \
		"uefi,quiet|is no option of firmware"; do
		run "$VMCTL" run --firmware "${bad%|*}"
		[ "$status" = 2 ]
		[[ $output == *"${bad#*|}"* ]]
		run "$VMCTL" create a --firmware "${bad%|*}"
		[ "$status" = 2 ]
		[[ $output == *"${bad#*|}"* ]]
	done
	run "$VMCTL" run --firmware bios kernel
	[ "$status" = 2 ]
	[[ $output == *"takes no kernel: not 'kernel'"* ]]
	run "$VMCTL" run --firmware bios --cmdline quiet
	[ "$status" = 2 ]
	[[ $output == *"go with a kernel"* ]]
}

@test "run: what is no UUID" {
	for uuid in '' 1 00112233445566778899aabbccddeeff 0011223g-4455-6677-8899-aabbccddeeff; do
		run "$VMCTL" run --uuid "$uuid" kernel
		[ "$status" = 2 ]
		[[ $output == *"'$uuid' is no UUID"* ]]
	done
}

@test "run, create: what is done by no watchdog" {
	for action in '' yes Reset nmi; do
		for verb in run create; do
			run "$VMCTL" $verb --watchdog "$action" kernel
			[ "$status" = 2 ]
			[[ $output == *"bad --watchdog '$action'"* ]]
		done
	done
}

@test "run: bad sizes for the balloon" {
	for size in '' 0 x 1Q -1M; do
		run "$VMCTL" run --balloon "$size" kernel
		[ "$status" = 2 ]
		[[ $output == *"bad size '$size' for --balloon"* ]]
	done
}

@test "run: bad sizes of memory to be plugged in" {
	for size in '' 0 x 3M 1Q 2M,now=4M 4M,now=3M 4M,2M; do
		run "$VMCTL" run --pluggable "$size" kernel
		[ "$status" = 2 ]
		[[ $output == *"for --pluggable"* || $output == *"of --pluggable"* ]]
	done
}

@test "balloon: bad sizes, times and too many of them" {
	for size in '' 0 x 1Q 1.5M 9000000000G; do
		run "$VMCTL" memory vm "$size"
		[ "$status" = 2 ]
		run "$VMCTL" balloon vm "$size"
		[ "$status" = 2 ]
		[[ $output == *"bad size '$size'"* ]]
	done
	run "$VMCTL" balloon vm 1M 2M
	[ "$status" = 2 ]
	run "$VMCTL" balloon vm 1M --timeout 1
	[ "$status" = 2 ]
	[[ $output == *"--timeout is of --wait"* ]]
	run "$VMCTL" balloon vm 1M --wait --timeout x
	[ "$status" = 2 ]
	for wrong in "vm 1M --reclaim" "vm --reclaim --wait" "--reclaim"; do
		# shellcheck disable=SC2086 # several words
		run "$VMCTL" balloon $wrong
		[ "$status" = 2 ]
	done
	run "$VMCTL" memory vm --reclaim
	[ "$status" = 2 ]
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

@test "run and caps: errors as JSON" {
	run "$VMCTL" caps --device-path /dev/null --json
	[ "$status" = 1 ]
	[ "$output" = '{"error":{"code":"failed","message":"/dev/null is no hypervisor device","exit":1}}' ]
	run "$VMCTL" caps --device-path /dev/no-such-device --json
	[ "$status" = 1 ]
	[[ $output == '{"error":{"code":"failed","message":"no hypervisor at /dev/no-such-device: '*'","exit":1}}' ]]
	run "$VMCTL" run --device-path /dev/null --json "$KERNEL"
	[ "$status" = 1 ]
	[ "${lines[0]}" = '{"error":{"code":"failed","message":"/dev/null is no hypervisor device","exit":1}}' ]
	[[ ${lines[1]} == '{"reason":"error","code":1,'* ]]
	[ ${#lines[@]} = 2 ]
}

@test "caps: bad options" {
	run "$VMCTL" caps extra
	[ "$status" = 2 ]
	run "$VMCTL" caps --frobnicate
	[ "$status" = 2 ]
	run "$VMCTL" caps --device-path /dev/null
	[ "$status" = 1 ]
}

@test "run: bad networks" {
	for net in '' tap tap= users user, user,x=1 user,mac=1 user,mac=01:00:00:00:00:00 \
		user,mtu=1000 user,hostfwd=tcp::80 tap=a,hostfwd=tcp::80-:80; do
		run "$VMCTL" run --net "$net" kernel
		[ "$status" = 2 ]
		[[ $output == "vmctl: --net: '"*"' is "*"; see 'vmctl help run'" ]]
	done
	run "$VMCTL" run --net user,mtu=x kernel
	[[ $output == *"--net: 'mtu=x' is no MTU: give 1280 to 65521"* ]]
	run "$VMCTL" run --net
	[ "$status" = 2 ]
	many=()
	for _ in 1 2 3 4 5 6 7 8 9; do
		many+=(--net user)
	done
	run "$VMCTL" run "${many[@]}" kernel
	[ "$status" = 2 ]
	[[ $output == *"more than 8 networks"* ]]
}

@test "run: bad ports" {
	for port in '' name=a path=/s name=a,path= 'name=a b,path=/s' name=a,path=/s,x; do
		run "$VMCTL" run --console-port "$port" kernel
		[ "$status" = 2 ]
		[[ $output == *"--console-port: "* ]]
	done
	run "$VMCTL" run --console-port name=a,path=/s --console-port name=a,path=/t kernel
	[ "$status" = 2 ]
	[[ $output == *"two of the name 'a'"* ]]
	ports=()
	for n in {1..8}; do
		ports+=(--console-port "name=p$n,path=/s")
	done
	run "$VMCTL" run "${ports[@]}" kernel
	[ "$status" = 2 ]
	[[ $output == *"more than 7 ports"* ]]
}
