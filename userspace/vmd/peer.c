// SPDX-License-Identifier: GPL-2.0-only
/* Who is at the other end of a socket. */
#include <errno.h>
#include <sys/socket.h>

#include "peer.h"

/* Return: 0 or -errno. */
int peer_get(int sock, struct peer *peer)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -errno;
	peer->uid = cred.uid;
	peer->gid = cred.gid;
	len = sizeof(peer->group);
	/* Somebody in more groups than we have room for is in none. */
	if (getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, peer->group, &len))
		len = 0;
	peer->nr_groups = (int)(len / sizeof(peer->group[0]));
	return 0;
}

bool peer_in_group(const struct peer *peer, u32 gid)
{
	int i;

	if (gid == NOBODY)
		return false;
	for (i = 0; i < peer->nr_groups; i++)
		if (peer->group[i] == gid)
			return true;
	return peer->gid == gid;
}

bool peer_is_admin(const struct peer *peer, u32 admin_gid)
{
	return !peer->uid || peer_in_group(peer, admin_gid);
}

bool peer_owns(const struct peer *peer, const struct owner *owner)
{
	switch (owner->kind) {
	case OWNER_USER:
		return owner->id != NOBODY && peer->uid == owner->id;
	case OWNER_GROUP:
		return peer_in_group(peer, owner->id);
	default:
		return false;
	}
}
