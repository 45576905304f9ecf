/* SPDX-License-Identifier: GPL-2.0-only */
/* A network device, as the files it is made of see it. */
#ifndef VMM_VIRTIO_NET_DEV_H
#define VMM_VIRTIO_NET_DEV_H

#include "../backend/link.h"
#include "../vm.h"
#include "device.h"
#include "net_ctrl.h"
#include "net_frames.h"
#include "pci.h"
#include "vhost_dev.h"

/**
 * struct net_worker - a thread, and the pair of queues it serves; the first one obeys
 *                     commands, too
 * @lock: protects @live, @pair but for its descriptor, and the queues in it, which are
 *        configured with the device's lock held while @live is not set; taken after that
 * @live: the driver is ready, and uses this pair
 * @ready: the driver is ready, and both queues are set up; the device's lock protects it
 * @stop_fd: eventfd that ends the thread
 */
struct net_worker {
	struct virtio_net *net;
	int index;
	pthread_mutex_t lock;
	bool live;
	bool ready;
	struct net_pair pair;
	int stop_fd;
	pthread_t thread;
	bool started;
};

/**
 * struct virtio_net - a network device
 * @filter: changed with all workers' locks held
 * @config: what the guest reads; the device's lock protects it
 * @mac: its address, until the driver wants another
 * @in_kernel: the kernel's vhost serves the pairs: workers have commands alone
 * @vhost: it, for each pair then
 * @ctrl_queue: where commands come: which it is depends on what was negotiated; the device's
 *              lock protects it
 */
struct virtio_net {
	struct virtio_dev dev;
	struct virtio_pci pci;
	struct net_link link;
	struct net_filter filter;
	struct net_ctrl ctrl;
	struct virtio_net_config config;
	u8 mac[ETH_ALEN];
	char name[16];
	int ctrl_queue;
	int nr_workers;
	bool in_kernel;
	struct vhost_dev vhost[VMM_NET_PAIRS_MAX];
	struct net_worker worker[VMM_NET_PAIRS_MAX];
};

/* net_thread.c */
void *net_thread(void *arg);

/* net_vhost.c */
int net_vhost_init(struct virtio_net *net);
void net_vhost_destroy(struct virtio_net *net);
int net_vhost_start(struct virtio_net *net);
void net_vhost_end(struct virtio_net *net);
void net_vhost_changed(struct virtio_net *net);
void net_vhost_goes(struct virtio_net *net);
void net_vhost_filter(struct virtio_net *net);

/* net.c */
void net_lock_workers(struct virtio_net *net);
void net_unlock_workers(struct virtio_net *net);

#endif
