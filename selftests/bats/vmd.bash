# SPDX-License-Identifier: GPL-2.0-only
# Shared by the bats files of vmd: a daemon of one test's own, and what is asked of it.
# shellcheck shell=bash

load helper

VMD=$(first /userspace/vmd "$TOP/build/userspace/vmd")
CTL=$BIN/ctl

# A daemon owns /run/joist: these tests run in the bench alone.
need_bench()
{
	need_device
	[ -e /bench/command ] || skip "not in the bench"
	[ -x "$CTL" ] || skip "no $CTL"
}

# Of Intel CPUs: Bochs takes a minute for what QEMU has done in seconds.
slow_bench()
{
	! grep -qw svm /proc/cpuinfo
}

# vm NAME LETTER [LINE...]: a definition, on standard output.
vm()
{
	printf 'vm "%s" {\nkernel = "%s"\nmemory = 16M\ncmdline = "%s"\n' "$1" "$KERNEL" "$2"
	shift 2
	[ $# = 0 ] || printf '%s\n' "$@"
	printf '}\n'
}

# conf: its standard input is the daemon's configuration from here on.
conf()
{
	mkdir -p /etc/joist/conf.d
	cat >/etc/joist/joist.conf
}

answers()
{
	"$CTL" '{"v":1,"op":"version"}' | grep -q '"protocol":1'
}

daemon()
{
	"$VMD" -d "$@" 2>>"$BATS_TEST_TMPDIR/vmd.log" >&2 3>&- &
	VMD_PID=$!
	until_true 200 answers
}

# ask OP [NAME [MEMBERS]]: one request, its answer on standard output.
ask()
{
	"$CTL" "{\"v\":1,\"id\":1,\"op\":\"$1\"${2:+,\"vm\":\"$2\"}${3:+,$3}}"
}

# as USER OP [NAME [MEMBERS]]
as()
{
	su "$1" -c "$CTL '{\"v\":1,\"id\":1,\"op\":\"$2\"${3:+,\"vm\":\"$3\"}${4:+,$4}}'"
}

# field NAME: of the last answer in $output, a string or a number.
field()
{
	sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" <<<"$output" | head -n 1
}

state()
{
	ask show "$1" | grep -o '"state":"[a-z]*"' | head -n 1
}

# state_is NAME STATE: soon.
state_is()
{
	local tries
	for ((tries = 0; tries < 200; tries++)); do
		[ "$(state "$1")" = "\"state\":\"$2\"" ] && return
		sleep 0.1
	done
	echo "$1: $(state "$1")"
	return 1
}

# log NAME: what its console has said
log()
{
	tr -d '\r' <"/var/log/joist/$1.log"
}

# says NAME TEXT [TIMES]: wait for it on its console
says()
{
	until_true 600 eval "[ \$(log $1 | grep -c \"$2\") -ge ${3:-1} ]"
}

pid_of()
{
	ask show "$1" | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'
}

# processes KIND: pids of the daemon's processes, --vm or --control.
processes()
{
	local pid
	for pid in /proc/[0-9]*; do
		tr '\0' ' ' <"$pid/cmdline" 2>/dev/null | grep -q "^vmd $1" && echo "${pid#/proc/}"
	done
	true
}

vmd_setup()
{
	need_bench
	rm -rf /etc/joist /run/joist /var/lib/joist /var/log/joist
	mkdir -p /var/lib /var/log
}

setup() { vmd_setup; }

vmd_teardown()
{
	local pid
	[ -z "$VMD_PID" ] || kill -9 "$VMD_PID" 2>/dev/null
	for pid in $(processes --); do
		kill -9 "$pid"
	done
	[ -z "$VMD_PID" ] || wait "$VMD_PID" 2>/dev/null
	[ ! -e "$BATS_TEST_TMPDIR/vmd.log" ] || sed 's/^/# /' "$BATS_TEST_TMPDIR/vmd.log"
	true
}

teardown()
{
	vmd_teardown
}
