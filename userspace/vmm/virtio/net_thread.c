// SPDX-License-Identifier: GPL-2.0-only
/* The threads of a network device: each serves a pair of queues, the first commands, too. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "../log.h"
#include "net_dev.h"

#define BURST		64	/* frames in one direction before the other gets its turn */

/*
 * That frames were sent is told to the guest after so many of them, or when nothing has
 * happened for so long, as network cards do: it seldom waits for it, and what it receives
 * in between has it look anyway.
 */
#define SENT_MANY	32
#define SENT_NS		50000

static void broken(struct virtio_net *net)
{
	log_warn("the guest broke a queue of the network %s", net->name);
	virtio_dev_fail(&net->dev);
	net->dev.goes(&net->dev);
}

/* Likewise, without the device's lock. */
static void broken_pair(struct virtio_net *net)
{
	pthread_mutex_lock(&net->dev.lock);
	if (virtio_dev_live(&net->dev))
		broken(net);
	pthread_mutex_unlock(&net->dev.lock);
}

/* One command, or the news that there is none. The lock is held. */
static bool serve_command(struct net_worker *w)
{
	struct virtio_net *net = w->net;
	struct virtq *q = &net->dev.queue[net->ctrl_queue];
	struct chain *chain = &w->pair.chain;
	int ret;

	if (!virtio_dev_live(&net->dev) || !q->ready)
		return false;
	net_lock_workers(net);
	ret = queue_pop(q, chain);
	if (ret > 0)
		ret = net_ctrl_serve(&net->ctrl, chain);
	net_unlock_workers(net);
	if (!ret)
		return queue_arm(q);
	if (ret < 0) {
		broken(net);
		return false;
	}
	memcpy(net->config.mac, net->filter.mac, sizeof(net->config.mac));
	net_vhost_filter(net);
	virtio_dev_return(&net->dev, q, chain->head, (u32)ret);
	return true;
}

static void serve_commands(struct net_worker *w)
{
	bool more;

	do {
		pthread_mutex_lock(&w->net->dev.lock);
		more = serve_command(w);
		pthread_mutex_unlock(&w->net->dev.lock);
	} while (more && !vm_stopping(w->net->dev.vm));
}

/* Frames in one direction. Unlocked between them: a reset may come at any time. */
static enum net_step serve_frames(struct net_worker *w,
				  enum net_step (*move)(struct net_pair *pair))
{
	enum net_step step = NET_MORE;
	int i;

	for (i = 0; i < BURST && step == NET_MORE; i++) {
		pthread_mutex_lock(&w->lock);
		step = w->live ? move(&w->pair) : NET_EMPTY;
		pthread_mutex_unlock(&w->lock);
	}
	if (step != NET_BROKEN)
		return step;
	broken_pair(w->net);
	return NET_EMPTY;
}

/* One interrupt for all that was returned to the guest. */
static void tell(struct net_worker *w, struct virtq *q)
{
	struct virtio_dev *dev = &w->net->dev;
	bool wanted;

	pthread_mutex_lock(&w->lock);
	wanted = w->live && queue_wants_interrupt(q);
	pthread_mutex_unlock(&w->lock);
	if (!wanted)
		return;
	pthread_mutex_lock(&dev->lock);
	/* The driver may be gone by now. */
	if (q->ready)
		dev->notify(dev, q);
	pthread_mutex_unlock(&dev->lock);
}

/* Return: how many frames the guest has back without a word. */
static u16 untold(struct net_worker *w, struct virtq *q)
{
	u16 nr;

	pthread_mutex_lock(&w->lock);
	nr = w->live ? queue_untold(q) : 0;
	pthread_mutex_unlock(&w->lock);
	return nr;
}

/* The other end is not there any more: the guest sees its cable pulled. */
static void unplugged(struct net_worker *w)
{
	struct virtio_net *net = w->net;
	bool up;

	w->pair.fd = -1;
	pthread_mutex_lock(&net->dev.lock);
	up = net->config.status & VIRTIO_NET_S_LINK_UP;
	net->config.status &= (u16)~VIRTIO_NET_S_LINK_UP;
	if (up)
		virtio_dev_config_changed(&net->dev);
	pthread_mutex_unlock(&net->dev.lock);
	if (up)
		log_warn("the network %s is gone", net->name);
}

/* Take a direction's next steps, if it is its turn. */
static void turn(struct net_worker *w, enum net_step *step,
		 enum net_step (*move)(struct net_pair *pair))
{
	if (*step != NET_MORE)
		return;
	*step = serve_frames(w, move);
	if (*step == NET_GONE && w->pair.fd >= 0)
		unplugged(w);
}

enum { FD_STOP, FD_RX, FD_TX, FD_CTRL, FD_LINK, NR_FDS };

static bool kicked(const struct pollfd *fd)
{
	eventfd_t count;

	return fd->revents && !eventfd_read(fd->fd, &count);
}

/* Serve both directions. @idle: nothing has come for SENT_NS. Return: frames sent, untold. */
static u16 take_turns(struct net_worker *w, enum net_step *rx, enum net_step *tx, bool idle)
{
	u16 sent;

	turn(w, tx, net_transmit);
	turn(w, rx, net_receive);
	tell(w, w->pair.rx);
	sent = untold(w, w->pair.tx);
	if (!idle && sent < SENT_MANY)
		return sent;
	tell(w, w->pair.tx);
	return 0;
}

static int wait(struct pollfd *fds, bool more, bool sent)
{
	const struct timespec now = { 0 }, soon = { .tv_nsec = SENT_NS };

	return ppoll(fds, NR_FDS, more ? &now : sent ? &soon : NULL, NULL);
}

/* Where commands come, for who obeys them. A driver that is ready wakes us, too. */
static int command_fd(struct net_worker *w)
{
	struct virtio_net *net = w->net;
	int fd;

	if (w->index)
		return -1;
	pthread_mutex_lock(&net->dev.lock);
	fd = net->dev.queue[net->ctrl_queue].kick_fd;
	pthread_mutex_unlock(&net->dev.lock);
	return fd;
}

/* The link's, while it is waited for: a pair that is not in use has none. */
static struct pollfd link_fd(struct net_worker *w, enum net_step rx, enum net_step tx)
{
	struct pollfd fd = { .fd = w->pair.fd };

	fd.events = (short)((rx == NET_BLOCKED ? POLLIN : 0) |
			    (tx == NET_BLOCKED ? POLLOUT : 0));
	pthread_mutex_lock(&w->lock);
	/* Of the first the end is seen in any case. */
	if (w->index && !w->live)
		fd.fd = -1;
	pthread_mutex_unlock(&w->lock);
	return fd;
}

/* Is the link's end the other end's, or was our pair put out of use meanwhile? */
static bool link_ended(struct net_worker *w, short revents)
{
	bool live;

	if (!(revents & (POLLERR | POLLHUP)) || (revents & POLLIN) || w->pair.fd < 0)
		return false;
	pthread_mutex_lock(&w->lock);
	live = w->live || !w->index;
	pthread_mutex_unlock(&w->lock);
	return live;
}

/* arg: a struct net_worker */
void *net_thread(void *arg)
{
	struct net_worker *w = arg;
	enum net_step rx = NET_EMPTY, tx = NET_EMPTY;
	u16 sent = 0;
	int nr;
	struct pollfd fds[NR_FDS] = {
		[FD_STOP] = { .fd = w->stop_fd, .events = POLLIN },
		[FD_RX] = { .fd = w->pair.rx->kick_fd, .events = POLLIN },
		[FD_TX] = { .fd = w->pair.tx->kick_fd, .events = POLLIN },
		[FD_CTRL] = { .events = POLLIN },
	};

	/* They wake the kernel then, not us. */
	if (w->net->in_kernel) {
		fds[FD_RX].fd = -1;
		fds[FD_TX].fd = -1;
	}
	for (;;) {
		fds[FD_CTRL].fd = command_fd(w);
		fds[FD_LINK] = link_fd(w, rx, tx);
		nr = wait(fds, rx == NET_MORE || tx == NET_MORE, sent);
		if (nr < 0 && errno != EINTR)
			break;
		if (fds[FD_STOP].revents || vm_stopping(w->net->dev.vm))
			break;
		if (kicked(&fds[FD_CTRL]))
			serve_commands(w);
		if (kicked(&fds[FD_TX]) || (fds[FD_LINK].revents & POLLOUT))
			tx = NET_MORE;
		if (kicked(&fds[FD_RX]) || (fds[FD_LINK].revents & POLLIN))
			rx = NET_MORE;
		if (link_ended(w, fds[FD_LINK].revents))
			unplugged(w);
		sent = take_turns(w, &rx, &tx, !nr);
	}
	return NULL;
}
