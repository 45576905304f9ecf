# SPDX-License-Identifier: GPL-2.0-only
# Where things are, and how the bench speaks.
# shellcheck shell=bash

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BENCH_D=$TOP/scripts/testbed.d
CACHE=${JOIST_CACHE:-$TOP/.cache}

say() { printf 'testbed: %s\n' "$*" >&2; }

die()
{
	say "$*"
	exit 125
}

# need TOOL PACKAGE: the bench installs nothing by itself; setup does.
need()
{
	command -v "$1" >/dev/null ||
		die "$1 is missing: run scripts/setup (Debian package $2)"
}

# locked NAME CMD...: one builder of a cache entry at a time.
locked()
{
	local name=$1
	shift
	mkdir -p "$CACHE/lock"
	(
		flock 9
		"$@"
	) 9>"$CACHE/lock/$name"
}
