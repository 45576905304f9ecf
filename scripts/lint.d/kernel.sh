# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The kernel headers lint builds against: the oldest kernel we support.
lint_kdir()
{
	printf '%s\n' /usr/src/linux-headers-6.1.*-amd64 | grep -Ev -e '-(rt|cloud)-' | sort -V | tail -n 1
}
