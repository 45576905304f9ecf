// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-9p (virtio device 9): a folder of the host's. What the guest asks of it is 9P2000.L,
 * which a process of its own understands: here whole messages go to it and come back, each
 * request with a tag that its reply has, too.
 */
#include <errno.h>
#include <linux/virtio_9p.h>
#include <linux/virtio_ids.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "../backend/share_tool.h"
#include "../console.h"
#include "../log.h"
#include "../vm.h"
#include "device.h"
#include "iov.h"
#include "p9_wire.h"
#include "pci.h"
#include "share.h"
#include "worker.h"

#define CLASS_OTHER	0x00ff00	/* what PCI has no class for */
#define REPLIES		64		/* taken at a time */

enum state {
	FREE,
	ASKED,	/* the guest waits for the reply */
	LOST,	/* it does not, since a reset: nothing of its memory is to be touched */
};

/**
 * struct request - one that the server has; by its chain's head
 * @flush: it asks to forget the one with @flush_tag
 * @iov: where the reply goes
 */
struct request {
	enum state state;
	bool flush;
	u16 tag;
	u16 flush_tag;
	int nr;
	struct iovec iov[CHAIN_MAX];
};

struct config {
	__le16 len;
	char tag[VMM_SHARE_TAG_SIZE];
} __packed;

/**
 * struct virtio_share - a share
 * @path: of the folder, for messages
 * @nr_lost: requests in that state: until their replies have come their tags are not free
 * @gone: the server is; atomic
 * @chain: the request being taken; the thread's own
 *
 * The device's lock protects what changes, and is not held while the server is waited for.
 */
struct virtio_share {
	struct virtio_dev dev;
	struct virtio_pci pci;
	struct virtio_worker worker;
	struct config config;
	struct p9_wire wire;
	const char *path;
	int nr_lost;
	bool gone;
	struct chain chain;
	struct request request[QUEUE_SIZE_MAX];
};

static struct virtq *queue_of(struct virtio_share *share)
{
	return &share->dev.queue[0];
}

static struct request *find(struct virtio_share *share, u16 tag)
{
	int i;

	for (i = 0; i < QUEUE_SIZE_MAX; i++)
		if (share->request[i].state != FREE && share->request[i].tag == tag)
			return &share->request[i];
	return NULL;
}

/* The guest has its buffers back, with @written bytes in them, if it still wants them. */
static void finish(struct virtio_share *share, struct request *r, u32 written)
{
	if (r->state == LOST)
		share->nr_lost--;
	else
		virtio_dev_return(&share->dev, queue_of(share), (u16)(r - share->request), written);
	r->state = FREE;
}

static void finish_error(struct virtio_share *share, struct request *r, int err)
{
	u8 reply[P9_ERROR_SIZE] = {
		P9_ERROR_SIZE, 0, 0, 0, P9_RLERROR, (u8)r->tag, (u8)(r->tag >> 8), (u8)err,
	};

	if (r->state == ASKED)
		iov_put(r->iov, r->nr, reply, sizeof(reply));
	finish(share, r, sizeof(reply));
}

/* Nobody is there to be asked any more: the guest has an I/O error for an answer, always. */
static void lose_server(struct virtio_share *share, int err)
{
	int i;

	log_trouble("the share of %s is lost: its server %s", share->path,
		    err == -EPROTO ? "breaks the rules" : "has ended");
	p9_wire_close(&share->wire);
	share->worker.fd = -1;
	for (i = 0; i < QUEUE_SIZE_MAX; i++)
		if (share->request[i].state != FREE)
			finish_error(share, &share->request[i], EIO);
	__atomic_store_n(&share->gone, true, __ATOMIC_RELEASE);
	console_wake(share->dev.vm->console);
}

static void send_on(struct virtio_share *share)
{
	int err = p9_wire_send(&share->wire);

	if (err)
		lose_server(share, err);
	share->worker.events = p9_wire_sending(&share->wire) ? POLLIN | POLLOUT : POLLIN;
}

/*
 * The message of the chain, copied once. Return: its slot; NULL: against the rules. Whatever
 * is asked, there is to be room for the word that it failed.
 */
static struct request *take(struct virtio_share *share)
{
	const struct chain *chain = &share->chain;
	const struct iovec *in = chain->iov + chain->nr_out;
	u8 *tx = share->wire.tx;
	struct request *r;
	size_t len;

	len = iov_get(chain->iov, chain->nr_out, 0, tx, P9_MESSAGE_MAX);
	if (len < P9_HEADER || p9_size(tx) < P9_HEADER || p9_size(tx) > len)
		return NULL;
	if (chain->head >= QUEUE_SIZE_MAX || iov_total(in, chain->nr_in) < P9_ERROR_SIZE)
		return NULL;
	r = &share->request[chain->head];
	if (r->state != FREE || find(share, p9_tag(tx)))
		return NULL;
	r->state = ASKED;
	r->tag = p9_tag(tx);
	r->flush = tx[4] == P9_TFLUSH && p9_size(tx) == P9_HEADER + sizeof(u16);
	if (r->flush)
		r->flush_tag = p9_tag(tx + 2);
	r->nr = chain->nr_in;
	memcpy(r->iov, in, (size_t)r->nr * sizeof(*in));
	return r;
}

/* One request. The lock is held. */
static bool serve(struct virtio_dev *dev, int queue)
{
	struct virtio_share *share = container_of(dev, struct virtio_share, dev);
	struct virtq *q = &dev->queue[queue];
	struct request *r = NULL;
	int ret;

	if (!virtio_dev_live(dev) || !q->ready || share->nr_lost ||
	    p9_wire_sending(&share->wire))
		return false;
	ret = queue_pop(q, &share->chain);
	if (!ret)
		return queue_arm(q);
	if (ret > 0)
		r = take(share);
	if (!r) {
		log_warn("the guest broke the queue of the share of %s", share->path);
		virtio_dev_fail(dev);
		return false;
	}
	if (share->gone) {
		finish_error(share, r, EIO);
		return true;
	}
	p9_wire_put(&share->wire);
	send_on(share);
	return true;
}

/* What was to be forgotten gets no reply from the server, but from us: before the flush has. */
static void forget(struct virtio_share *share, u16 tag)
{
	struct request *r = find(share, tag);

	if (r)
		finish_error(share, r, EINTR);
}

/* The reply in @rx goes where it belongs. Return: 0, or -EPROTO: nobody has asked for it. */
static int give(struct virtio_share *share)
{
	const u8 *rx = share->wire.rx;
	struct request *r = find(share, p9_tag(rx));
	u32 size = p9_size(rx);

	if (!r)
		return -EPROTO;
	if (r->flush && rx[4] == P9_RFLUSH && r->flush_tag != r->tag)
		forget(share, r->flush_tag);
	if (r->state == ASKED && iov_total(r->iov, r->nr) < size) {
		log_warn("the guest left no room for what it asked the share of %s for",
			 share->path);
		virtio_dev_fail(&share->dev);
		finish_error(share, r, EIO);
		return 0;
	}
	if (r->state == ASKED)
		iov_put(r->iov, r->nr, rx, size);
	finish(share, r, size);
	return 0;
}

/* The server reads or writes. The lock is held. */
static void server_ready(struct virtio_dev *dev, short revents)
{
	struct virtio_share *share = container_of(dev, struct virtio_share, dev);
	int ret = 0, i;

	(void)revents;
	send_on(share);
	for (i = 0; i < REPLIES && !share->gone; i++) {
		ret = p9_wire_receive(&share->wire);
		if (ret <= 0)
			break;
		share->wire.rx_len = 0;
		ret = give(share);
		if (ret)
			break;
	}
	if (ret < 0 && !share->gone)
		lose_server(share, ret);
}

/* After a reset no reply may go where one was to go. The lock is held. */
static void driver_changed(struct virtio_dev *dev)
{
	struct virtio_share *share = container_of(dev, struct virtio_share, dev);
	int i;

	if (dev->status)
		return;
	for (i = 0; i < QUEUE_SIZE_MAX; i++) {
		if (share->request[i].state != ASKED)
			continue;
		share->request[i].state = LOST;
		share->nr_lost++;
	}
}

/* Whether its server has ended. Any thread. */
bool virtio_share_lost(const struct virtio_share *share)
{
	return share && __atomic_load_n(&share->gone, __ATOMIC_ACQUIRE);
}

static int init(struct virtio_share *share, struct vm *vm, const struct vmm_share *config)
{
	struct virtio_dev *dev = &share->dev;
	int fd = config->dir.fd, err;

	if (fd < 0)
		fd = share_tool_start(config->dir.path, config->readonly, NULL, NULL);
	if (fd < 0)
		return fd;
	err = p9_wire_init(&share->wire, fd);
	err = err ?: virtio_dev_init(dev, vm, VIRTIO_ID_9P, 1);
	if (err)
		return err;
	share->config.len = (u16)strlen(config->tag);
	memcpy(share->config.tag, config->tag, share->config.len);
	dev->config = &share->config;
	dev->config_len = sizeof(share->config.len) + share->config.len;
	dev->features |= BIT_ULL(VIRTIO_9P_MOUNT_TAG);
	dev->changed = driver_changed;
	err = worker_init(&share->worker, dev, serve);
	share->worker.fd = fd;
	share->worker.events = POLLIN;
	share->worker.ready = server_ready;
	return err ?: virtio_pci_init(&share->pci, dev, CLASS_OTHER);
}

/**
 * virtio_share_create() - a share on the PCI bus
 * @vm: VM
 * @config: what of; constant while the VM lives
 * @out: the share; set even on failure: virtio_share_destroy() is due then too
 *
 * Return: 0, or -errno with the reason logged.
 */
int virtio_share_create(struct vm *vm, const struct vmm_share *config,
			struct virtio_share **out)
{
	struct virtio_share *share = calloc(1, sizeof(*share));
	int err;

	*out = share;
	if (!share)
		return -ENOMEM;
	share->wire.fd = -1;
	share->path = config->dir.path;
	err = init(share, vm, config);
	if (err)
		log_err("cannot share %s: %s", share->path, share_tool_error(err));
	return err;
}

void virtio_share_destroy(struct virtio_share *share)
{
	if (!share)
		return;
	virtio_pci_destroy(&share->pci);
	virtio_dev_destroy(&share->dev);
	worker_destroy(&share->worker);
	p9_wire_destroy(&share->wire);
	free(share);
}

/* Return: 0, or -errno with the reason logged. */
int virtio_share_start(struct virtio_share *share)
{
	int err = worker_start(&share->worker, "share");

	if (err)
		log_err("cannot start the thread of a share: %s", strerror(-err));
	return err;
}

/* The server ends with the connection. */
void virtio_share_stop(struct virtio_share *share)
{
	if (share)
		worker_stop(&share->worker);
}
