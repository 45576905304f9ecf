# SPDX-License-Identifier: GPL-2.0-only
# TAP for what runs inside the bench's Debian roots; RC is 0 if all went well.
# shellcheck shell=bash disable=SC2034
export DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin
RC=0 N=0

t()
{
	local name=$1
	shift
	N=$((N + 1))
	if "$@" >/tmp/t.out 2>&1; then
		echo "ok $N - $name"
	else
		echo "not ok $N - $name"
		sed 's/^/# /' /tmp/t.out
		RC=1
	fi
}

# not COMMAND...: it ends by itself, and fails.
not()
{
	local rc=0
	timeout 20 "$@" || rc=$?
	[ $rc != 0 ] && [ $rc != 124 ]
}

tries()
{
	local n
	for n in {1..100}; do
		"$@" && return
		sleep 0.1
	done
	echo "in vain, $n times: $*"
	return 1
}
