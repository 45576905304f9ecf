// SPDX-License-Identifier: GPL-2.0-only
/* virtio-net (virtio 1.2, chapter 5.1): the device; net_thread.c serves its queues. */
#include <errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../log.h"
#include "../thread.h"
#include "net.h"
#include "net_dev.h"

#define CLASS_ETHERNET	0x020000

/* What a link with offloads can do for the guest, and the guest for it. */
#define OFFLOADS							\
	(BIT_ULL(VIRTIO_NET_F_CSUM) | BIT_ULL(VIRTIO_NET_F_HOST_TSO4) |	\
	 BIT_ULL(VIRTIO_NET_F_HOST_TSO6) | BIT_ULL(VIRTIO_NET_F_HOST_ECN) | \
	 BIT_ULL(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) | NET_GUEST_OFFLOADS)
#define FEATURES							\
	(BIT_ULL(VIRTIO_NET_F_MAC) | BIT_ULL(VIRTIO_NET_F_STATUS) |	\
	 BIT_ULL(VIRTIO_NET_F_MRG_RXBUF) | BIT_ULL(VIRTIO_NET_F_CTRL_VQ) | \
	 BIT_ULL(VIRTIO_NET_F_CTRL_RX) | BIT_ULL(VIRTIO_NET_F_CTRL_RX_EXTRA) | \
	 BIT_ULL(VIRTIO_NET_F_CTRL_VLAN) | BIT_ULL(VIRTIO_NET_F_CTRL_MAC_ADDR))

/* No frame moves until they are let go. The device's lock is held. */
void net_lock_workers(struct virtio_net *net)
{
	int i;

	for (i = 0; i < net->nr_workers; i++)
		pthread_mutex_lock(&net->worker[i].lock);
}

void net_unlock_workers(struct virtio_net *net)
{
	int i;

	for (i = 0; i < net->nr_workers; i++)
		pthread_mutex_unlock(&net->worker[i].lock);
}

static int set_offloads(void *ctx, u64 offloads)
{
	struct virtio_net *net = ctx;

	return link_set_offloads(&net->link, offloads);
}

/* All locks are held. Those that are used now find out by a notification. */
static int use_pairs(struct virtio_net *net, int pairs)
{
	int err = link_set_pairs(&net->link, pairs), i;

	for (i = 0; i < net->nr_workers; i++) {
		struct net_worker *w = &net->worker[i];

		w->live = w->ready && i < net->link.used && !net->in_kernel;
		eventfd_write(w->pair.rx->kick_fd, 1);
	}
	return err;
}

static int set_pairs(void *ctx, u16 pairs)
{
	return use_pairs(ctx, pairs);
}

/* The driver goes, or broke the rules: nothing is served. The device's lock is held. */
static void driver_goes(struct virtio_dev *dev)
{
	struct virtio_net *net = container_of(dev, struct virtio_net, dev);
	int i;

	net_lock_workers(net);
	for (i = 0; i < net->nr_workers; i++)
		net->worker[i].live = false;
	net_unlock_workers(net);
	net_vhost_goes(net);
}

/* The driver is ready, or was reset. The device's lock is held. */
static void driver_changed(struct virtio_dev *dev)
{
	struct virtio_net *net = container_of(dev, struct virtio_net, dev);
	u64 features = dev->driver_features & dev->features;
	int i;

	net_lock_workers(net);
	net->ctrl.features = features;
	net->ctrl_queue = features & BIT_ULL(VIRTIO_NET_F_MQ) ? 2 * net->nr_workers : 2;
	for (i = 0; i < net->nr_workers; i++) {
		struct net_worker *w = &net->worker[i];

		w->pair.mergeable = features & BIT_ULL(VIRTIO_NET_F_MRG_RXBUF);
		w->pair.held = 0;
		w->ready = virtio_dev_live(dev) && w->pair.rx->ready && w->pair.tx->ready;
	}
	net_filter_reset(&net->filter, net->mac,
			 features & BIT_ULL(VIRTIO_NET_F_CTRL_VLAN));
	memcpy(net->config.mac, net->mac, sizeof(net->mac));
	link_set_offloads(&net->link, features & NET_GUEST_OFFLOADS);
	use_pairs(net, 1);
	net_unlock_workers(net);
	net_vhost_changed(net);
}

/* Locally administered, the same at each start, another for each wire of a host. */
static void make_mac(struct virtio_net *net, const struct vmm_net *config, int index)
{
	u64 hash = 0xcbf29ce484222325ULL;
	char text[256], host[65] = "";
	const char *p;

	if (config->has_mac) {
		memcpy(net->mac, config->mac, sizeof(net->mac));
		return;
	}
	gethostname(host, sizeof(host) - 1);
	snprintf(text, sizeof(text), "%s/%s/%d", host,
		 config->kind == VMM_NET_TAP ? config->file.path : "user", index);
	for (p = text; *p; p++)
		hash = (hash ^ (u8)*p) * 0x100000001b3ULL;
	memcpy(net->mac, &hash, sizeof(net->mac));
	net->mac[0] = (u8)((net->mac[0] & ~1) | 2);
}

static int init_workers(struct virtio_net *net)
{
	int i;

	for (i = 0; i < net->nr_workers; i++) {
		struct net_worker *w = &net->worker[i];

		w->net = net;
		w->index = i;
		w->pair.rx = &net->dev.queue[2 * i];
		w->pair.tx = &net->dev.queue[2 * i + 1];
		w->pair.filter = &net->filter;
		w->pair.fd = net->link.fd[i];
		w->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (w->stop_fd < 0)
			return -errno;
	}
	return 0;
}

static int init(struct virtio_net *net, struct vm *vm)
{
	struct virtio_dev *dev = &net->dev;
	int err;

	err = virtio_dev_init(dev, vm, VIRTIO_ID_NET, 2 * net->nr_workers + 1);
	err = err ?: init_workers(net);
	if (err)
		return err;
	net->config.status = VIRTIO_NET_S_LINK_UP;
	net->config.max_virtqueue_pairs = (u16)net->nr_workers;
	net->config.mtu = net->link.mtu;
	dev->config = &net->config;
	dev->config_len = sizeof(net->config);
	dev->features |= FEATURES;
	if (net->link.mtu)
		dev->features |= BIT_ULL(VIRTIO_NET_F_MTU);
	if (net->link.offloads)
		dev->features |= OFFLOADS;
	if (net->nr_workers > 1)
		dev->features |= BIT_ULL(VIRTIO_NET_F_MQ);
	err = net_vhost_init(net);
	if (err)
		return err;
	dev->goes = driver_goes;
	dev->changed = driver_changed;
	net->ctrl.filter = &net->filter;
	net->ctrl.set_offloads = set_offloads;
	net->ctrl.max_pairs = (u16)net->nr_workers;
	net->ctrl.set_pairs = set_pairs;
	net->ctrl.ctx = net;
	driver_changed(dev);
	net->pci.pci.removable = true;
	return virtio_pci_init(&net->pci, dev, CLASS_ETHERNET);
}

/**
 * virtio_net_create() - a network device on the PCI bus
 * @vm: VM
 * @config: what to plug it into
 * @index: which of the VM's it is
 * @out: the device; set even on failure: virtio_net_destroy() is due then too
 *
 * Return: 0, or -errno with the reason logged.
 */
int virtio_net_create(struct vm *vm, const struct vmm_net *config, int index,
		      struct virtio_net **out)
{
	struct virtio_net *net = calloc(1, sizeof(*net));
	int err, i;

	*out = net;
	if (!net)
		return -ENOMEM;
	for (i = 0; i < VMM_NET_PAIRS_MAX; i++) {
		pthread_mutex_init(&net->worker[i].lock, NULL);
		net->worker[i].stop_fd = -1;
	}
	net->in_kernel = config->vhost;
	snprintf(net->name, sizeof(net->name), "%s",
		 config->kind == VMM_NET_TAP ? config->file.path : "user");
	make_mac(net, config, index);
	err = link_open(&net->link, config);
	if (err)
		return err;
	net->nr_workers = net->link.nr_fds;
	err = init(net, vm);
	if (err)
		log_err("cannot create the network %s: %s", net->name, strerror(-err));
	return err;
}

struct pci_dev *virtio_net_pci(struct virtio_net *net)
{
	return &net->pci.pci;
}

void virtio_net_destroy(struct virtio_net *net)
{
	int i;

	if (!net)
		return;
	virtio_pci_destroy(&net->pci);
	virtio_dev_destroy(&net->dev);
	net_vhost_destroy(net);
	link_close(&net->link);
	for (i = 0; i < net->nr_workers; i++)
		if (net->worker[i].stop_fd >= 0)
			close(net->worker[i].stop_fd);
	free(net);
}

/* Return: 0, or -errno with the reason logged. */
int virtio_net_start(struct virtio_net *net)
{
	int err = net_vhost_start(net), i;

	for (i = 0; !err && i < (net->in_kernel ? 1 : net->nr_workers); i++) {
		err = thread_start(&net->worker[i].thread, "net", net_thread, &net->worker[i]);
		net->worker[i].started = !err;
	}
	if (err)
		log_err("cannot start a thread of the network %s: %s", net->name,
			strerror(-err));
	return err;
}

/* The frame in work is finished, the others are lost. */
void virtio_net_stop(struct virtio_net *net)
{
	int i;

	for (i = 0; net && i < net->nr_workers; i++) {
		if (!net->worker[i].started)
			continue;
		eventfd_write(net->worker[i].stop_fd, 1);
		pthread_join(net->worker[i].thread, NULL);
		net->worker[i].started = false;
	}
	if (net)
		net_vhost_end(net);
}
