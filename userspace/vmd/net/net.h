/* SPDX-License-Identifier: GPL-2.0-only */
/* The networks of the parent: switches, and what VMs are plugged in by. */
#ifndef VMD_NET_NET_H
#define VMD_NET_NET_H

#include "vmd/config.h"
#include "vmd/vmd.h"

struct json_object;

/* switches.c */
void net_init(void);
void net_apply(const struct config *config);
void net_settle(void);
void net_end(void);
int net_check(const struct definition *def, struct failure *f);

/* ports.c */
int net_plug_one(const struct definition *def, const struct interface *nic, u32 uid, u32 gid,
		 int *fds, struct json_object *net, struct failure *f);
int net_plug(const struct definition *def, u32 uid, u32 gid, int *fds,
	     struct json_object *nets, struct failure *f);

#endif
