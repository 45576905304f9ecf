/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMD_NET_NAT_H
#define VMD_NET_NAT_H

#include "switches.h"

int nat_apply(const struct soft_switch *list);

#endif
