# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The kernel headers lint builds against: the oldest kernel we support.
lint_kdir()
{
	scripts/headers 6.1
}
