/* SPDX-License-Identifier: GPL-2.0-only */
/* What a network device is plugged into. */
#ifndef VMM_BACKEND_LINK_H
#define VMM_BACKEND_LINK_H

#include <sys/types.h>

#include "../vmm.h"

/**
 * struct net_link - one end of a wire
 * @fd: one for each pair of queues; does not block; a read() or write() is one frame behind
 *      its virtio_net_hdr_v1
 * @nr_fds: how many; 0: it is not open
 * @used: of them that frames come by
 * @offloads: who is at the other end makes sums and cuts segments, and may leave it to
 *            us what link_set_offloads() allows
 * @mtu: what the guest is told, 0: nothing
 * @pid: process of ours at the other end, 0: there is none
 */
struct net_link {
	int nr_fds;
	int fd[VMM_NET_PAIRS_MAX];
	int used;
	bool offloads;
	u16 mtu;
	pid_t pid;
};

int link_open(struct net_link *link, const struct vmm_net *config);
void link_close(struct net_link *link);
int link_set_pairs(struct net_link *link, int pairs);
int link_set_offloads(struct net_link *link, u64 features);

/* The kinds of them: tap.c, user.c. */
int link_open_tap(struct net_link *link, const struct vmm_net *config);
int link_open_user(struct net_link *link, const struct vmm_net *config);

#endif
