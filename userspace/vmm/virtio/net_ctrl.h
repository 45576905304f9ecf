/* SPDX-License-Identifier: GPL-2.0-only */
/* The control queue of a network device. */
#ifndef VMM_VIRTIO_NET_CTRL_H
#define VMM_VIRTIO_NET_CTRL_H

#include <linux/virtio_net.h>

#include "net_filter.h"
#include "queue.h"

/* What a guest can take off a link: sums not made yet, segments to be cut. */
#define NET_GUEST_OFFLOADS						\
	(BIT_ULL(VIRTIO_NET_F_GUEST_CSUM) | BIT_ULL(VIRTIO_NET_F_GUEST_TSO4) | \
	 BIT_ULL(VIRTIO_NET_F_GUEST_TSO6) | BIT_ULL(VIRTIO_NET_F_GUEST_ECN))

/**
 * struct net_ctrl - what the driver may command
 * @features: what was negotiated
 * @filter: changed
 * @set_offloads: take the VIRTIO_NET_F_GUEST_* among @offloads, all negotiated, from
 *                the link from here on; returns 0 or -errno
 * @max_pairs: of queues
 * @set_pairs: use so many from here on; returns 0 or -errno
 * @ctx: for both
 */
struct net_ctrl {
	u64 features;
	struct net_filter *filter;
	int (*set_offloads)(void *ctx, u64 offloads);
	u16 max_pairs;
	int (*set_pairs)(void *ctx, u16 pairs);
	void *ctx;
};

int net_ctrl_serve(const struct net_ctrl *ctrl, struct chain *chain);

#endif
