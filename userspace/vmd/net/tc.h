/* SPDX-License-Identifier: GPL-2.0-only */
/* Traffic control of a tap: what it may send, and how much. */
#ifndef VMD_NET_TC_H
#define VMD_NET_TC_H

#include "rtnl.h"

int tc_limit_in(int index, u64 rate);
int tc_guard(int index, const struct interface *nic, const u8 *mac);

#endif
