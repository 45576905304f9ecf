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

# from_package PACKAGE PATH OUT: a file of a Debian package, fetched by apt once.
from_package()
{
	[ -e "$3" ] || locked "package-$1" take_from_package "$@" ||
		die "apt cannot fetch $1: run apt-get update"
}

# shellcheck disable=SC2317 # called by locked
take_from_package()
{
	local tmp=$3.tmp
	[ ! -e "$3" ] || return 0
	say "fetching $1"
	rm -rf "$tmp"
	mkdir -p "$tmp"
	(cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download "$1") >&2 &&
		dpkg-deb --fsys-tarfile "$tmp"/*.deb | tar -x -C "$tmp" "./$2" &&
		mv "$tmp/$2" "$3"
	rm -rf "$tmp"
	[ -e "$3" ]
}
