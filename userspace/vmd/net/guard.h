/* SPDX-License-Identifier: GPL-2.0-only */
/* Which frames a guest may send. */
#ifndef VMD_NET_GUARD_H
#define VMD_NET_GUARD_H

#include <linux/filter.h>

#include "vmd/interface.h"

#define GUARD_INSNS_MAX	1024

int guard_program(struct sock_filter *insns, const struct interface *nic, const u8 *mac);

#endif
