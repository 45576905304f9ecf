/* SPDX-License-Identifier: GPL-2.0-only */
/* Virtual functions that are networks: what their physical function lets them be. */
#ifndef VMD_NET_VF_H
#define VMD_NET_VF_H

#include "libjoist/types.h"

struct nl_msg;

struct nl_msg *vf_message(int index, u32 vf, const u8 *mac, int vlan);
int vf_set(const char *pf, u32 vf, const u8 *mac, int vlan);

#endif
