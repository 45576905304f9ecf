/* SPDX-License-Identifier: GPL-2.0-only */
/* VMs on an interface of the host's, without a switch. */
#ifndef VMD_NET_MACVTAP_H
#define VMD_NET_MACVTAP_H

#include "net.h"

int macvtap_plug(const struct definition *def, const struct interface *nic, int *fds,
		 struct json_object *net, struct failure *f);
void macvtap_settle(void);

#endif
