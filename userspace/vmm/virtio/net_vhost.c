// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network whose frames the kernel moves: vhost-net, one for each pair of queues. Commands
 * stay with the first worker. What the guest wants to receive is the tap's to know then.
 */
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "../log.h"
#include "libjoist/tap.h"
#include "net_dev.h"

/* What is said to the queues and not to the device: vhost must know it. */
#define OF_QUEUES							\
	(BIT_ULL(VIRTIO_NET_F_MRG_RXBUF) | BIT_ULL(VIRTIO_F_VERSION_1) |	\
	 BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) | BIT_ULL(VIRTIO_RING_F_EVENT_IDX) | \
	 BIT_ULL(VIRTIO_F_RING_PACKED))

/* A tap looks at addresses: neither at VLANs nor at kinds that are not wanted. */
#define NOT_TAPS							\
	(BIT_ULL(VIRTIO_NET_F_CTRL_VLAN) | BIT_ULL(VIRTIO_NET_F_CTRL_RX_EXTRA))

#define FILTER_MAX	(2 + 2 * NET_MACS_MAX)	/* its own, all stations', two lists */

/* Both rings, of the tap's queue that belongs to the pair. */
static int run(struct vhost *vhost, bool on)
{
	const struct net_worker *w = vhost->ctx;
	int tap = on ? w->pair.fd : -1, err;

	err = vhost_net_set_backend(vhost->fd, 0, tap);
	return err ?: vhost_net_set_backend(vhost->fd, 1, tap);
}

static int open_vhost(const struct virtio_net *net)
{
	int fd = vhost_open(VHOST_NET_DEVICE);

	if (fd < 0)
		log_err("cannot open %s for the network %s: %s; %s", VHOST_NET_DEVICE,
			net->name, strerror(-fd), fd == -EACCES || fd == -EPERM ?
			"be a member of the device's group (usermod -aG kvm USER)" :
			"load the module first (modprobe vhost_net)");
	return fd;
}

static void calls_changed(struct virtio_dev *dev)
{
	struct virtio_net *net = container_of(dev, struct virtio_net, dev);
	int i;

	for (i = 0; i < net->nr_workers; i++)
		vhost_dev_calls(&net->vhost[i]);
}

/* Its features are there but for vhost's. Return: 0 or -errno. */
int net_vhost_init(struct virtio_net *net)
{
	struct virtio_dev *dev = &net->dev;
	int i, fd, err = 0;

	if (!net->in_kernel)
		return 0;
	dev->features &= ~NOT_TAPS;
	for (i = 0; !err && i < net->nr_workers; i++) {
		struct vhost_dev *vd = &net->vhost[i];

		*vd = (struct vhost_dev) {
			.name = net->name, .first = 2 * i, .nr = VHOST_RINGS_MAX,
			.vhost = { .run = run, .ctx = &net->worker[i] },
		};
		fd = open_vhost(net);
		err = fd < 0 ? fd : vhost_dev_init(vd, dev, fd);
		dev->features &= ~OF_QUEUES | vd->vhost.features;
	}
	dev->calls_changed = calls_changed;
	return err;
}

void net_vhost_destroy(struct virtio_net *net)
{
	int i;

	for (i = 0; i < net->nr_workers; i++)
		vhost_dev_destroy(&net->vhost[i]);
}

int net_vhost_start(struct virtio_net *net)
{
	int i, err = 0;

	for (i = 0; net->in_kernel && !err && i < net->nr_workers; i++)
		err = vhost_dev_start(&net->vhost[i]);
	return err;
}

void net_vhost_end(struct virtio_net *net)
{
	int i;

	for (i = 0; i < net->nr_workers; i++)
		vhost_dev_end(&net->vhost[i]);
}

/* The driver is ready, or was reset. The device's lock is held, as for the others. */
void net_vhost_changed(struct virtio_net *net)
{
	int i;

	if (!net->in_kernel)
		return;
	net_vhost_filter(net);
	for (i = 0; i < net->nr_workers; i++)
		if (net->vhost[i].dev)
			vhost_dev_changed(&net->vhost[i]);
}

void net_vhost_goes(struct virtio_net *net)
{
	int i;

	for (i = 0; net->in_kernel && i < net->nr_workers; i++)
		vhost_dev_goes(&net->vhost[i]);
}

static void add(struct tun_filter *filter, const struct net_macs *list)
{
	int i;

	for (i = 0; i < list->nr; i++)
		memcpy(filter->addr[filter->count++], list->mac[i], ETH_ALEN);
}

/* What the guest wants to receive, told to the tap. The device's lock is held. */
void net_vhost_filter(struct virtio_net *net)
{
	static const u8 all_stations[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	union {
		struct tun_filter filter;
		u8 room[sizeof(struct tun_filter) + FILTER_MAX * ETH_ALEN];
	} to = { .room = { 0 } };
	const struct net_filter *f = &net->filter;

	if (!net->in_kernel)
		return;
	/* An empty one lets all pass. Single stations come first: of them none is hashed. */
	if (!f->promisc && !f->uni.all) {
		memcpy(to.filter.addr[to.filter.count++], f->mac, ETH_ALEN);
		add(&to.filter, &f->uni);
		memcpy(to.filter.addr[to.filter.count++], all_stations, ETH_ALEN);
		add(&to.filter, &f->multi);
	}
	if (f->allmulti || f->multi.all)
		to.filter.flags = TUN_FLT_ALLMULTI;
	if (tap_set_filter(net->link.fd[0], &to.filter))
		log_warn("the tap interface %s does not take the guest's filter", net->name);
}
