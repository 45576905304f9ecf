/* SPDX-License-Identifier: GPL-2.0-only */
/* Traffic control of a tap: what it may send, and how much. */
#ifndef VMD_NET_TC_H
#define VMD_NET_TC_H

#include <linux/pkt_sched.h>

#include "rtnl.h"

int tc_limit_in(int index, u64 rate);
int tc_limit_hook(int index, u32 hook, u64 rate);
int tc_guard(int index, u32 hook, const struct interface *nic, const u8 *mac);

#endif
