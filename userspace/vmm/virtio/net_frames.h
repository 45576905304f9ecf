/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames between a pair of queues and a link. */
#ifndef VMM_VIRTIO_NET_FRAMES_H
#define VMM_VIRTIO_NET_FRAMES_H

#include <linux/if_ether.h>
#include <linux/virtio_net.h>

#include "net_filter.h"
#include "queue.h"

#define NET_HDR_LEN	sizeof(struct virtio_net_hdr_v1)
/* The longest, of segments the receiver is to cut, with header and VLAN tag. */
#define NET_FRAME_MAX	(NET_HDR_LEN + ETH_HLEN + 4 + 65535)

/* What came of the attempt to move one frame. */
enum net_step {
	NET_MORE,	/* try the next */
	NET_EMPTY,	/* the guest has given nothing more: its notification will tell */
	NET_BLOCKED,	/* the link is not ready: poll() will tell */
	NET_BROKEN,	/* the guest broke the rules */
	NET_GONE,	/* there is no link any more */
};

/**
 * struct net_pair - a receive queue, a transmit queue, and what is at their other end
 * @rx: from the link to the guest
 * @tx: from the guest to the link
 * @fd: the link: each read() and write() is one frame, a virtio_net_hdr_v1 before it;
 *      -1: there is none
 * @filter: which frames the guest wants
 * @mergeable: a frame may fill several buffers
 * @held: bytes of @frame: one that was read and did not fit into the first buffer
 * @chain: the buffer in work
 *
 * The device's lock protects it all, but for @fd, which is the thread's.
 */
struct net_pair {
	struct virtq *rx, *tx;
	int fd;
	const struct net_filter *filter;
	bool mergeable;
	size_t held;
	struct chain chain;
	u8 frame[NET_FRAME_MAX];
};

enum net_step net_transmit(struct net_pair *pair);
enum net_step net_receive(struct net_pair *pair);

#endif
