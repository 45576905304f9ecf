# SPDX-License-Identifier: GPL-2.0-only
# The bench itself: what it boots, and that it does not call a broken run good.
# Runs on the machine, not inside the bench.

bats_require_minimum_version 1.5.0

setup()
{
	TESTBED=$BATS_TEST_DIRNAME/../../scripts/testbed
}

# said REGEX: in what the run printed, stderr included.
said()
{
	grep -qE -e "$1" <<<"$output" || {
		printf 'not said: %s\n%s\n' "$1" "$output"
		return 1
	}
}

@test "the command's output and exit code are passed on" {
	run -7 "$TESTBED" -- 'echo in $PWD; exit 7'
	said '^in /root$'
	said 'first command after [0-9]+ s'
}

@test "CPUs, memory, disks, devices, an IOMMU and kernel parameters" {
	printf 'what the disk holds' >"$BATS_TEST_TMPDIR/disk"
	truncate -s 1M "$BATS_TEST_TMPDIR/disk"
	printf 'what is added' >"$BATS_TEST_TMPDIR/file"
	run -0 "$TESTBED" --quiet --smp 2 --memory 512M --iommu --device e1000e \
		--disk "$BATS_TEST_TMPDIR/disk" --add "$BATS_TEST_TMPDIR/file:/some/where" \
		--append joist.test=yes -- '
			echo "cpus $(nproc)"
			awk "/MemTotal/ { print \$2 < 512 * 1024 ? \"small\" : \"large\" }" /proc/meminfo
			echo "groups $(ls /sys/kernel/iommu_groups | wc -l)"
			cat /sys/bus/pci/devices/*/device
			head -c 19 /dev/vda; echo
			cat /some/where; echo
			cat /proc/cmdline'
	said '^cpus 2$'
	said '^small$'
	said '^groups [1-9]'
	said '^0x10d3$'
	said '^what the disk holds$'
	said '^what is added$'
	said 'joist.test=yes'
}

@test "a Debian root" {
	run -0 "$TESTBED" --quiet --root debian -- '
		cat /etc/debian_version; pwd; strace -V; echo written >/etc/motd && cat /etc/motd
		insmod /joist.ko && vmctl --version && rmmod joist && echo "joist was here"'
	said '^12\.'
	said '^/root$'
	said '^strace -- version'
	said '^written$'
	said '^joist was here$'
}

@test "output without what is expected is a failure" {
	run -1 "$TESTBED" --expect 'something [e]lse' -- 'echo this'
	said "the output has nothing like"
}

@test "a host panic is a failure, and its log is shown" {
	run -200 "$TESTBED" -- 'echo c >/proc/sysrq-trigger; sleep 60'
	said 'the host kernel complained'
	said 'Kernel panic - not syncing'
}

@test "so is a warning after which all goes well" {
	run -200 "$TESTBED" -- 'echo "<4>WARNING: CPU: 0 PID: 1 at mm/none.c:1" >/dev/kmsg; echo fine'
	said '^fine$'
	said 'WARNING: CPU: 0 PID: 1'
}

@test "but not one that --ignore names" {
	run -0 "$TESTBED" --ignore 'at mm/none' -- 'echo "<4>WARNING: CPU: 0 at mm/none.c:1" >/dev/kmsg'
}

@test "no end in time is a failure" {
	run -201 "$TESTBED" --timeout 25 -- 'echo still here; sleep 1000'
	said '^still here$'
	said 'no end within 25 s'
}

@test "a machine that goes away without a result is a failure" {
	run -202 "$TESTBED" -- 'reboot -f'
	said 'ended without a result'
}

@test "a shell on the terminal" {
	mkfifo "$BATS_TEST_TMPDIR/keys"
	timeout 120 "$TESTBED" --shell <"$BATS_TEST_TMPDIR/keys" >"$BATS_TEST_TMPDIR/screen" 3>&- &
	exec 4>"$BATS_TEST_TMPDIR/keys"
	for _ in $(seq 100); do
		! grep -q '# ' "$BATS_TEST_TMPDIR/screen" || break
		sleep 1
	done
	echo 'echo "shell $((40 + 2))"; poweroff -f' >&4
	wait $!
	output=$(tr -d '\r' <"$BATS_TEST_TMPDIR/screen")
	said '^shell 42'
}

@test "what it does not know, it refuses" {
	run -125 "$TESTBED" --vendor via -- true
	said '--vendor is svm or vmx'
	run -125 "$TESTBED" --root gentoo -- true
	said '--root is tiny, debian, systemd or dkms'
	run -125 "$TESTBED"
	said 'no command'
	run -125 "$TESTBED" --nonsense -- true
	said 'unknown option --nonsense'
}

@test "make install puts joist where modprobe finds it, by two names" {
	root=$BATS_TEST_TMPDIR/root
	run -0 make -C "$BATS_TEST_DIRNAME/../.." install DESTDIR="$root"
	release=$(ls "$root/lib/modules")
	depmod -b "$root" "$release"
	for name in joist:'joist.ko $' joist-kvm:'joist.ko kvm_dev=1 $'; do
		run -0 modprobe -n -v -d "$root" -C "$root/usr/lib/modprobe.d" \
			-S "$release" "${name%%:*}"
		said "${name#*:}"
	done
	run -0 make -C "$BATS_TEST_DIRNAME/../.." uninstall DESTDIR="$root"
	run -0 find "$root" -type f -not -path "*/lib/modules/$release/modules.*"
	[ -z "$output" ]
}

# sum LINE...: what scripts/check adds up of it, and what it says
sum()
{
	printf '%s\n' "$@" | "$BATS_TEST_DIRNAME/../../scripts/check.d/tap-sum" 2>&1
}

@test "results are added up: what is missing failed, and what a test prints is none" {
	run -0 sum '#: a.bats' 1..3 'ok 1 x' 'not ok 2 y' '# word' '# 1..7' '# ok 4' 'ok 3 z'
	[ "$output" = "    a.bats: not ok 2 y
2 1 0" ]
	run -0 sum '#: a.bats' 1..3 'ok 1 x' '#: b' 'ok - y' 1..1 'ok 1 z # SKIP'
	[ "$output" = "    a.bats: 2 planned tests have no result
2 2 1" ]
	# The next one's take no place of those that are missing.
	run -0 sum 1..2 'ok 1 x' 'ok - y' 1..1 'ok 1 z'
	said '1 planned tests have no result'
	said '^3 1 0$'
	run -0 sum '1..0 # SKIP no'
	[ "$output" = "0 0 1" ]
}
