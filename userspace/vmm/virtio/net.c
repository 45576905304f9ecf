// SPDX-License-Identifier: GPL-2.0-only
/* virtio-net (virtio 1.2, chapter 5.1): a thread that serves a pair of queues. */
#include <errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../backend/link.h"
#include "../log.h"
#include "../thread.h"
#include "../vm.h"
#include "device.h"
#include "net.h"
#include "net_ctrl.h"
#include "net_frames.h"
#include "pci.h"

#define CLASS_ETHERNET	0x020000
#define BURST		64	/* frames in one direction before the other gets its turn */

/*
 * That frames were sent is told to the guest after so many of them, or when nothing has
 * happened for so long, as network cards do: it seldom waits for it, and what it receives
 * in between has it look anyway.
 */
#define SENT_MANY	32
#define SENT_NS		50000

enum { QUEUE_RX, QUEUE_TX, QUEUE_CTRL, NR_QUEUES };

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

/**
 * struct virtio_net - a network device
 * @config: what the guest reads; the device's lock protects it
 * @mac: its address, until the driver wants another
 * @stop_fd: eventfd that ends the thread
 */
struct virtio_net {
	struct virtio_dev dev;
	struct virtio_pci pci;
	struct net_link link;
	struct net_filter filter;
	struct net_ctrl ctrl;
	struct net_pair pair;
	struct virtio_net_config config;
	u8 mac[ETH_ALEN];
	char name[16];
	int stop_fd;
	pthread_t thread;
	bool started;
};

static int set_offloads(void *ctx, u64 offloads)
{
	struct virtio_net *net = ctx;

	return link_set_offloads(&net->link, offloads);
}

/* The driver is ready, or was reset. The device's lock is held. */
static void driver_changed(struct virtio_dev *dev)
{
	struct virtio_net *net = container_of(dev, struct virtio_net, dev);
	u64 features = dev->driver_features & dev->features;

	net->ctrl.features = features;
	net->pair.mergeable = features & BIT_ULL(VIRTIO_NET_F_MRG_RXBUF);
	net->pair.held = 0;
	net_filter_reset(&net->filter, net->mac,
			 features & BIT_ULL(VIRTIO_NET_F_CTRL_VLAN));
	memcpy(net->config.mac, net->mac, sizeof(net->mac));
	link_set_offloads(&net->link, features & NET_GUEST_OFFLOADS);
}

static void broken(struct virtio_net *net)
{
	log_warn("the guest broke a queue of the network %s", net->name);
	virtio_dev_fail(&net->dev);
}

/* One command, or the news that there is none. The lock is held. */
static bool serve_command(struct virtio_net *net)
{
	struct virtq *q = &net->dev.queue[QUEUE_CTRL];
	struct chain *chain = &net->pair.chain;
	int ret;

	if (!virtio_dev_live(&net->dev) || !q->ready)
		return false;
	ret = queue_pop(q, chain);
	if (!ret)
		return queue_arm(q);
	if (ret > 0)
		ret = net_ctrl_serve(&net->ctrl, chain);
	if (ret < 0) {
		broken(net);
		return false;
	}
	memcpy(net->config.mac, net->filter.mac, sizeof(net->config.mac));
	virtio_dev_return(&net->dev, q, chain->head, (u32)ret);
	return true;
}

static void serve_commands(struct virtio_net *net)
{
	bool more;

	do {
		pthread_mutex_lock(&net->dev.lock);
		more = serve_command(net);
		pthread_mutex_unlock(&net->dev.lock);
	} while (more && !vm_stopping(net->dev.vm));
}

/* Frames in one direction. Unlocked between them: a reset may come at any time. */
static enum net_step serve_frames(struct virtio_net *net, struct virtq *q,
				  enum net_step (*move)(struct net_pair *pair))
{
	enum net_step step = NET_MORE;
	int i;

	for (i = 0; i < BURST && step == NET_MORE; i++) {
		pthread_mutex_lock(&net->dev.lock);
		if (virtio_dev_live(&net->dev) && q->ready)
			step = move(&net->pair);
		else
			step = NET_EMPTY;
		if (step == NET_BROKEN) {
			broken(net);
			step = NET_EMPTY;
		}
		pthread_mutex_unlock(&net->dev.lock);
	}
	return step;
}

/* One interrupt for all that was returned to the guest. */
static void tell(struct virtio_net *net, struct virtq *q)
{
	pthread_mutex_lock(&net->dev.lock);
	if (q->ready && queue_wants_interrupt(q))
		net->dev.notify(&net->dev, q);
	pthread_mutex_unlock(&net->dev.lock);
}

/* Return: how many frames the guest has back without a word. */
static u16 untold(struct virtio_net *net, struct virtq *q)
{
	u16 nr;

	pthread_mutex_lock(&net->dev.lock);
	nr = q->ready ? queue_untold(q) : 0;
	pthread_mutex_unlock(&net->dev.lock);
	return nr;
}

/* The other end is not there any more: the guest sees its cable pulled. */
static void unplugged(struct virtio_net *net)
{
	if (net->pair.fd < 0)
		return;
	log_warn("the network %s is gone", net->name);
	net->pair.fd = -1;
	pthread_mutex_lock(&net->dev.lock);
	net->config.status &= (u16)~VIRTIO_NET_S_LINK_UP;
	virtio_dev_config_changed(&net->dev);
	pthread_mutex_unlock(&net->dev.lock);
}

/* Take a direction's next steps, if it is its turn. */
static void turn(struct virtio_net *net, struct virtq *q, enum net_step *step,
		 enum net_step (*move)(struct net_pair *pair))
{
	if (*step != NET_MORE)
		return;
	*step = serve_frames(net, q, move);
	if (*step == NET_GONE)
		unplugged(net);
}

enum { FD_STOP, FD_RX, FD_TX, FD_CTRL, FD_LINK, NR_FDS };

static bool kicked(const struct pollfd *fd)
{
	eventfd_t count;

	return fd->revents && !eventfd_read(fd->fd, &count);
}

/* Serve both directions. @idle: nothing has come for SENT_NS. Return: frames sent, untold. */
static u16 take_turns(struct virtio_net *net, enum net_step *rx, enum net_step *tx, bool idle)
{
	struct virtq *q = net->dev.queue;
	u16 sent;

	turn(net, &q[QUEUE_TX], tx, net_transmit);
	turn(net, &q[QUEUE_RX], rx, net_receive);
	tell(net, &q[QUEUE_RX]);
	sent = untold(net, &q[QUEUE_TX]);
	if (!idle && sent < SENT_MANY)
		return sent;
	tell(net, &q[QUEUE_TX]);
	return 0;
}

static int wait(struct pollfd *fds, bool more, bool sent)
{
	const struct timespec now = { 0 }, soon = { .tv_nsec = SENT_NS };

	return ppoll(fds, NR_FDS, more ? &now : sent ? &soon : NULL, NULL);
}

static void *net_thread(void *arg)
{
	struct virtio_net *net = arg;
	struct virtq *q = net->dev.queue;
	enum net_step rx = NET_EMPTY, tx = NET_EMPTY;
	u16 sent = 0;
	int nr;
	struct pollfd fds[NR_FDS] = {
		[FD_STOP] = { .fd = net->stop_fd, .events = POLLIN },
		[FD_RX] = { .fd = q[QUEUE_RX].kick_fd, .events = POLLIN },
		[FD_TX] = { .fd = q[QUEUE_TX].kick_fd, .events = POLLIN },
		[FD_CTRL] = { .fd = q[QUEUE_CTRL].kick_fd, .events = POLLIN },
	};

	for (;;) {
		fds[FD_LINK].fd = net->pair.fd;
		fds[FD_LINK].events = (rx == NET_BLOCKED ? POLLIN : 0) |
				      (tx == NET_BLOCKED ? POLLOUT : 0);
		nr = wait(fds, rx == NET_MORE || tx == NET_MORE, sent);
		if (nr < 0 && errno != EINTR)
			break;
		if (fds[FD_STOP].revents || vm_stopping(net->dev.vm))
			break;
		if (kicked(&fds[FD_CTRL]))
			serve_commands(net);
		if (kicked(&fds[FD_TX]) || (fds[FD_LINK].revents & POLLOUT))
			tx = NET_MORE;
		if (kicked(&fds[FD_RX]) || (fds[FD_LINK].revents & POLLIN))
			rx = NET_MORE;
		if ((fds[FD_LINK].revents & (POLLERR | POLLHUP)) &&
		    !(fds[FD_LINK].revents & POLLIN))
			unplugged(net);
		sent = take_turns(net, &rx, &tx, !nr);
	}
	return NULL;
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

static int init(struct virtio_net *net, struct vm *vm)
{
	struct virtio_dev *dev = &net->dev;
	int err;

	err = virtio_dev_init(dev, vm, VIRTIO_ID_NET, NR_QUEUES);
	if (err)
		return err;
	net->config.status = VIRTIO_NET_S_LINK_UP;
	net->config.max_virtqueue_pairs = 1;
	net->config.mtu = net->link.mtu;
	dev->config = &net->config;
	dev->config_len = sizeof(net->config);
	dev->features |= FEATURES;
	if (net->link.mtu)
		dev->features |= BIT_ULL(VIRTIO_NET_F_MTU);
	if (net->link.offloads)
		dev->features |= OFFLOADS;
	dev->changed = driver_changed;
	net->ctrl.filter = &net->filter;
	net->ctrl.set_offloads = set_offloads;
	net->ctrl.ctx = net;
	net->pair.rx = &dev->queue[QUEUE_RX];
	net->pair.tx = &dev->queue[QUEUE_TX];
	net->pair.filter = &net->filter;
	net->pair.fd = net->link.fd;
	driver_changed(dev);
	net->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (net->stop_fd < 0)
		return -errno;
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
	int err;

	*out = net;
	if (!net)
		return -ENOMEM;
	net->stop_fd = -1;
	net->link.fd = -1;
	snprintf(net->name, sizeof(net->name), "%s",
		 config->kind == VMM_NET_TAP ? config->file.path : "user");
	make_mac(net, config, index);
	err = link_open(&net->link, config);
	if (err)
		return err;
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
	if (!net)
		return;
	virtio_pci_destroy(&net->pci);
	virtio_dev_destroy(&net->dev);
	link_close(&net->link);
	if (net->stop_fd >= 0)
		close(net->stop_fd);
	free(net);
}

/* Return: 0, or -errno with the reason logged. */
int virtio_net_start(struct virtio_net *net)
{
	int err = thread_start(&net->thread, "net", net_thread, net);

	if (err) {
		log_err("cannot start the thread of the network %s: %s", net->name,
			strerror(-err));
		return err;
	}
	net->started = true;
	return 0;
}

/* The frame in work is finished, the others are lost. */
void virtio_net_stop(struct virtio_net *net)
{
	if (!net || !net->started)
		return;
	eventfd_write(net->stop_fd, 1);
	pthread_join(net->thread, NULL);
	net->started = false;
}
