# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# For what runs inside the bench: a guest that does what selftests/bench/io has, and a table
# of it. Lines of VMM, row, operations, ticks, exits.
CMDLINE="console=ttyS0 quiet panic=-1 cryptomgr.notests joist.do=script"

# initrd: the guest's script from standard input, to /tmp/initrd.
initrd()
{
	mkdir -p /tmp/extra
	cp /selftests/bench/io /tmp/extra/
	cat >/tmp/extra/script
	{ cat /guest/initrd; (cd /tmp/extra && printf 'script\nio\n' | cpio -o -H newc 2>/dev/null); } >/tmp/initrd
}

# exits: of the only VM there is; KVM's, where that has it.
exits()
{
	cat /sys/kernel/debug/kvm/exits 2>/dev/null ||
		vmctl stats --json | sed 's/[,{]/\n/g' | sed -n 's/^"exits":\([0-9]*\).*/\1/p' | head -n 1
}

# busy: ticks that the CPU was not idle, where "io idle" counts.
busy()
{
	[ ! -e /tmp/idle ] || /selftests/bench/io busy /tmp/idle
}

# watch VMM: the guest's lines in, the table's out, with numbers for one operation.
watch()
{
	before=0 start=
	while IFS='	' read -r what row n ticks; do
		case $what in
		"io: begin")
			before=$(exits)
			start=$(busy)
			;;
		"io: end")
			[ -z "$start" ] || ticks=$(($(busy) - start))
			after=$(exits)
			printf '%s\t%s\t%s\t%s\n' "$1" "$row" $((ticks / n)) \
				$(((after - before) * 1000 / n))
			;;
		"io: failed") echo "$row: $n" >>/tmp/out ;;
		*) echo "$what" >>/tmp/out ;;
		esac
	done
}

# guest VMM: run_VMM's. The bench's emulator can deliver an interrupt twice, and a guest that
# has one CPU can hang by it for ever: what it had measured is dropped, and it is done again.
guest()
{
	for attempt in 1 2 3 4; do
		: >/tmp/out
		{
			"run_$1" </dev/null 2>&1 &
			pid=$!
			(sleep 30 && kill -9 "$pid" 2>/dev/null) >/dev/null &
			wait "$pid"
		} | tr -d '\r' | watch "$1" >/tmp/rows
		grep -q 'guest: powering off' /tmp/out && cat /tmp/rows && return
		sed "s/^/# $1, attempt $attempt: /" /tmp/out >&2
	done
}
