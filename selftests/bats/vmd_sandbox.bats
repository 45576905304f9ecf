#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmd: what a VM's process can do that a guest has taken over. The daemon of these tests is
# built with processes that try; see hostile.c. Each attempt is a process of its own.

load vmd

# The filter of system calls ends the process.
KILLED="open create escape root device mem readv ptrace kill tgkill pidfd unix inet netlink fork
	exec memfd mmap mprotect setuid setgid capset unshare mount chroot dumpable rlimit chmod
	ioctl kvm cid bpf uring int80 x32"
# It goes on, with an errno: a call that the C library tries, a file that was opened to be read.
REFUSED="clone3=38 write=9"
# The filter only logs: what the empty root, the user, and the lost rights refuse still.
HELD="open=2 escape=2 device=2 mem=2 readv=1 ptrace=1 setuid=1 setgid=1 capset=1 mount=1
	chroot=1 exec=2 write=9 clone3=38"
# Without it, this is possible: that it is tried, and that these tests would see it.
FREE="inet netlink fork memfd mmap mprotect dumpable pidfd kvm"

shopt -s extglob

setup()
{
	need_bench
	VMD=$BIN/vmd-hostile
	rm -rf /etc/joist /run/joist /var/lib/joist /var/log/joist
	mkdir -p /var/lib /var/log
}

# start_victim [OPTION...]: another VM, of the same user; its pid is $VICTIM.
start_victim()
{
	vm victim h | conf
	daemon "$@"
	run ask start victim
	[ "$status" = 0 ]
	VICTIM=$(pid_of victim)
	grep -q "^Uid:.$(id -u _joist)" "/proc/$VICTIM/status"
}

# attempt NAME...: all are made; attempted NAME tells how it went: "killed 159", "refused ERRNO",
# "succeeded".
attempt()
{
	local name starts=()
	{
		vm victim h
		for name in "$@"; do

			vm "$name" "$name $VICTIM"
		done
	} | conf
	ask reload >/dev/null
	for name in "$@"; do
		starts+=("{\"v\":1,\"op\":\"start\",\"vm\":\"$name\"}")
	done
	"$CTL" "${starts[@]}" >/dev/null || true
}

attempted()
{
	local last
	ask wait "$1" '"timeout":30' >/dev/null
	last=$(ask show "$1" | sed -n 's/.*"last":{"reason":"\([^"]*\)","code":\([0-9]*\),"message":"\([^"]*\)".*/\1 \2 \3/p')
	case $last in
	"killed 159 "*) echo "killed" ;;
	"hostile 0 attempt succeeded") echo "succeeded" ;;
	"hostile "*" attempt refused") set -- $last && echo "refused $2" ;;
	*) echo "$last" ;;
	esac
}

# expect NAME HOW
expect()
{
	local how
	how=$(attempted "$1")
	[ "$how" = "$2" ] || {
		echo "$1: $how, not $2"
		WRONG=$((WRONG + 1))
	}
}

@test "each attempt of a VM's process that is taken over is refused, or ends it" {
	start_victim
	# shellcheck disable=SC2046,SC2086 # words
	attempt $KILLED ${REFUSED//=+([0-9])/}
	WRONG=0
	for name in $KILLED; do
		expect "$name" killed
	done
	for name in $REFUSED; do
		expect "${name%=*}" "refused ${name#*=}"
	done
	[ "$WRONG" = 0 ]
	# It has not noticed.
	[ "$(state victim)" = '"state":"running"' ]
	[ "$(pid_of victim)" = "$VICTIM" ]
}

@test "without the filter of system calls, the rest of the sandbox holds what it can" {
	start_victim --seccomp-log
	# shellcheck disable=SC2086 # words
	attempt ${HELD//=+([0-9])/} $FREE
	WRONG=0
	for name in $HELD; do
		expect "${name%=*}" "refused ${name#*=}"
	done
	for name in $FREE; do
		expect "$name" succeeded
	done
	[ "$WRONG" = 0 ]
	[ "$(state victim)" = '"state":"running"' ]
	attempt kill
	[ "$(attempted kill)" = succeeded ]
	state_is victim stopped
}

@test "the daemon that is installed makes no attempt" {
	run grep -q "attempt succeeded" "$(first /userspace/vmd "$TOP/build/userspace/vmd")"
	[ "$status" = 1 ]
	grep -q "attempt succeeded" "$VMD"
}
