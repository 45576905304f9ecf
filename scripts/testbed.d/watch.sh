# SPDX-License-Identifier: GPL-2.0-only
# Follows a run: passes the command's output on, and judges it.
# shellcheck shell=bash

# What no healthy host kernel says.
FAULTS='Kernel panic|Oops[: ]|BUG[: ]|kernel BUG|WARNING: |general protection fault'
FAULTS+='|unable to handle|double fault|soft lockup|hard LOCKUP|detected stalls|self-detected stall'
FAULTS+='|blocked for more than|KASAN:|UBSAN:|kmemleak: [1-9]|unchecked MSR access|Bad page state'
FAULTS+='|refcount_t:|(list_add|list_del) corruption|possible circular locking|inconsistent lock state'
FAULTS+='|possible (recursive locking|irq lock inversion)|non-static key|DEBUG_LOCKS_WARN_ON|ODEBUG:'
FAULTS+='|suspicious RCU usage|scheduling while atomic|sleeping function called|Bad rss-counter'

EXIT_FAULT=200 EXIT_HANG=201 EXIT_LOST=202

# host_faults: the console's lines that tell of a broken host. What a booting
# kernel has to say of the emulated CPU (Bochs has errata) is before the mark.
host_faults()
{
	local from=1
	from=$(grep -anm1 'bench: begin' "$RUN/console" | cut -d: -f1)
	tail -n "+${from:-1}" "$RUN/console" | grep -aE "$FAULTS" | grep -avE "${IGNORE:-^\$}"
}

# follow_output: prints the command's lines; leaves the end marker in $RUN/rc.
follow_output()
{
	local line
	while IFS= read -r line || [ -n "$line" ]; do
		line=${line%$'\r'}
		case $line in
		'@@bench begin '*)
			echo "${line##* }" >"$RUN/begin"
			[ "$QUIET" = yes ] || say "first command after $((SECONDS - START)) s"
			;;
		*'@@bench end '*)
			[ "${line%%@@bench*}" = "" ] || printf '%s\n' "${line%%@@bench*}"
			echo "${line##* }" >"$RUN/rc"
			;;
		*)
			printf '%s\n' "$line"
			;;
		esac
	done <"$RUN/output" | tee "$RUN/text"
}

# stop_emulator: ends the one this run started.
stop_emulator()
{
	[ -n "${EMU_PID:-}" ] || return 0
	kill "$EMU_PID" 2>/dev/null || true
	sleep 0.2
	kill -KILL "$EMU_PID" 2>/dev/null || true
}

# watch_run: waits for the emulator's end, the time limit, or the host's death.
watch_run()
{
	local limit=$((SECONDS + TIMEOUT)) dying=0
	while kill -0 "$EMU_PID" 2>/dev/null; do
		sleep 0.25
		if [ "$SECONDS" -ge "$limit" ]; then
			touch "$RUN/hang"
			stop_emulator
			break
		fi
		# A dead host gets a moment to finish its report.
		if grep -aqs 'Kernel panic\|end Kernel panic' "$RUN/console"; then
			dying=$((dying + 1))
			[ "$dying" -lt 12 ] || stop_emulator
		fi
	done
	wait "$EMU_PID" 2>/dev/null || true
	EMU_PID=
}

show_log()
{
	say "---- host console (last lines) ----"
	tail -n 120 "$RUN/console" | tr -d '\r' >&2 || true
	if [ -s "$RUN/emulator" ]; then
		say "---- emulator ----"
		tail -n 20 "$RUN/emulator" | tr -d '\r' >&2
	fi
	say "---- end of log ----"
}

# verdict: the exit code of the whole run.
verdict()
{
	local rc
	if [ -n "$(host_faults)" ]; then
		show_log
		say "FAILED: the host kernel complained:"
		host_faults | head -n 5 | tr -d '\r' >&2
		return "$EXIT_FAULT"
	fi
	if [ -e "$RUN/hang" ]; then
		show_log
		say "FAILED: no end within $TIMEOUT s"
		return "$EXIT_HANG"
	fi
	if [ ! -s "$RUN/rc" ]; then
		show_log
		say "FAILED: the bench ended without a result"
		return "$EXIT_LOST"
	fi
	rc=$(cat "$RUN/rc")
	if [ "$rc" = 0 ] && [ -n "$EXPECT" ] && ! grep -qE -e "$EXPECT" "$RUN/text"; then
		say "FAILED: the output has nothing like '$EXPECT'"
		return 1
	fi
	return "$rc"
}
