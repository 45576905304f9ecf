#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Run by scripts/check.d/switch, in the bench.

load vmd
load guest_net

setup_file()
{
	modprobe -a tun bridge sch_tbf sch_ingress cls_bpf cls_matchall act_police act_gact
}

# iperf_script TEXT: as script, with iperf3 and its libraries in the guest
iperf_script()
{
	local dir=$BATS_TEST_TMPDIR/extra lib
	mkdir -p "$dir/usr/bin"
	cp /usr/bin/iperf3 "$dir/usr/bin/"
	for lib in /lib64/ld-linux-x86-64.so.2 /lib/x86_64-linux-gnu/*.so* /usr/lib/x86_64-linux-gnu/*.so*; do
		case $lib in
		*/libiperf* | */libssl* | */libcrypto* | */libsctp* | */libc.so* | */libm.so* | */ld-linux*)
			mkdir -p "$dir${lib%/*}"
			cp -L "$lib" "$dir$lib"
			;;
		esac
	done
	script "$1"
	(cd "$dir" && find . | cpio -o -H newc 2>/dev/null) >>"$INITRD"
}

# linux NAME LINE...
linux()
{
	printf 'vm "%s" {\nkernel = "/guest/vmlinux"\ninitrd = "%s"\nmemory = 192M\n' "$1" "$INITRD"
	printf 'cmdline = "console=ttyS0 quiet panic=-1 cryptomgr.notests joist.do=script"\n'
	shift
	printf 'interface "eth0" {\n'
	printf '%s\n' "switch = lan" "$@" "}" "}"
}

# ended NAME: soon
ended()
{
	local tries
	for ((tries = 0; tries < 600; tries++)); do
		[[ $(state "$1") != *stopped* ]] || return 0
		sleep 0.2
	done
	return 1
}

# measure TEXT LINE...: what a's script TEXT says, with LINE... in its interface's section
measure()
{
	local text=$1
	shift
	iperf_script '
		PATH=$PATH:/usr/bin
		case $(cat /sys/class/net/eth0/address) in
		*:02)
			ip addr add 10.9.0.2/24 dev eth0
			iperf3 -s -D
			sleep 3000
			;;
		esac
		ip addr add 10.9.0.1/24 dev eth0
		while ! ping -c 1 -W 1 10.9.0.2 >/dev/null; do :; done
		sleep 1
		'"$text"
	conf <<-END
		switch "lan" { }
		$(linux a mac=02:00:00:00:00:01 "$@")
		$(linux b mac=02:00:00:00:00:02)
	END
	daemon
	ask start b
	ask start a
	ended a || true
	"$VMCTL" log b
	run "$VMCTL" log a
	echo "$output"
	kill -9 "$(pid_of b)"
}

# mbits LABEL: of the receiver, in $output
mbits()
{
	sed -n "s/^$1: .* \([0-9.]*\) Mbits.*/\1/p" <<<"$output"
}

# close_to VALUE BAR: within a tenth
close_to()
{
	awk "BEGIN { exit !($1 > $2 * 0.9 && $1 < $2 * 1.1) }"
}

# In the guest: report LABEL [OPTION...]
REPORT='report()
{
	local label=$1
	shift
	echo "$label: $(iperf3 -c 10.9.0.2 -t 10 -f m "$@" 2>&1 | grep "receiver\|error")"
}
'

@test "iperf3 between two guests" {
	measure "$REPORT"'
		report plain -t 2
		report back -R -t 2'
	[ -n "$(mbits plain)" ]
	[ -n "$(mbits back)" ]
}

# Behind the first seconds, in which the bucket is full; slow enough for an emulated CPU that has
# others beside it.
@test "rate limits hold within a tenth, in both directions" {
	measure "$REPORT"'
		report out -O 3
		report in -O 3 -R
		report udp -O 3 -u -b 3M -l 1400' rate-in=2M rate-out=2M
	for what in out in udp; do
		echo "$what: $(mbits $what)"
		close_to "$(mbits $what)" 2
	done
}
