/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is at the other end of a socket: the kernel tells. */
#ifndef VMD_PEER_H
#define VMD_PEER_H

#include "users.h"

struct peer {
	u32 uid, gid;
	int nr_groups;
	u32 group[GROUPS_MAX];
};

int peer_get(int sock, struct peer *peer);
bool peer_in_group(const struct peer *peer, u32 gid);
bool peer_is_admin(const struct peer *peer, u32 admin_gid);
bool peer_owns(const struct peer *peer, const struct owner *owner);

#endif
