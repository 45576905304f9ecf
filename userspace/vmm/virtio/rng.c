// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-rng (virtio 1.2, chapter 5.4): the host kernel's random numbers. A guest that
 * asks for them all the time gets a bounded share of a host's CPU.
 */
#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../clock.h"
#include "../log.h"
#include "../vm.h"
#include "bucket.h"
#include "device.h"
#include "iov.h"
#include "pci.h"
#include "rng.h"
#include "worker.h"

#define CLASS_OTHER	0x00ff00	/* what PCI has no class for */
#define REQUEST_MAX	4096		/* the guest may ask again */
#define RATE		(1ULL << 20)
#define AT_ONCE		(64ULL << 10)

struct virtio_rng {
	struct virtio_dev dev;
	struct virtio_pci pci;
	struct virtio_worker worker;
	struct bucket bucket;
	struct chain chain;
};

/* Return: how many bytes, or -EINVAL: there is nothing to fill. */
static int fill(struct virtio_rng *rng)
{
	struct chain *chain = &rng->chain;
	u8 data[REQUEST_MAX];
	ssize_t n;
	u64 want;

	want = min(iov_total(chain->iov, chain->nr_in), (u64)REQUEST_MAX);
	if (chain->nr_out || !want)
		return -EINVAL;
	want = min(want, rng->bucket.level);
	do {
		n = getrandom(data, want, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	n = (ssize_t)iov_put(chain->iov, chain->nr_in, data, (size_t)n);
	explicit_bzero(data, sizeof(data));
	rng->bucket.level -= (u64)n;
	return (int)n;
}

static bool serve(struct virtio_dev *dev, int queue)
{
	struct virtio_rng *rng = container_of(dev, struct virtio_rng, dev);
	struct virtq *q = &dev->queue[queue];
	int ret;

	if (!virtio_dev_live(dev) || !q->ready)
		return false;
	if (!bucket_fill(&rng->bucket, now_ns())) {
		rng->worker.wait_ms = bucket_wait(&rng->bucket, REQUEST_MAX);
		return false;
	}
	ret = queue_pop(q, &rng->chain);
	if (!ret)
		return queue_arm(q);
	if (ret > 0)
		ret = fill(rng);
	if (ret < 0) {
		log_warn("the guest broke the queue of the random numbers");
		virtio_dev_fail(dev);
		return false;
	}
	virtio_dev_return(dev, q, rng->chain.head, (u32)ret);
	return true;
}

/**
 * virtio_rng_create() - a source of random numbers on the PCI bus
 * @vm: VM
 * @out: the device; set even on failure: virtio_rng_destroy() is due then too
 *
 * Return: 0, or -errno with the reason logged.
 */
int virtio_rng_create(struct vm *vm, struct virtio_rng **out)
{
	struct virtio_rng *rng = calloc(1, sizeof(*rng));
	int err;

	*out = rng;
	if (!rng)
		return -ENOMEM;
	rng->bucket = (struct bucket) {
		.rate = RATE, .size = AT_ONCE, .level = AT_ONCE, .filled = now_ns(),
	};
	err = virtio_dev_init(&rng->dev, vm, VIRTIO_ID_RNG, 1);
	err = err ?: worker_init(&rng->worker, &rng->dev, serve);
	err = err ?: virtio_pci_init(&rng->pci, &rng->dev, CLASS_OTHER);
	if (err)
		log_err("cannot create the source of random numbers: %s", strerror(-err));
	return err;
}

void virtio_rng_destroy(struct virtio_rng *rng)
{
	if (!rng)
		return;
	virtio_pci_destroy(&rng->pci);
	virtio_dev_destroy(&rng->dev);
	worker_destroy(&rng->worker);
	free(rng);
}

/* Return: 0, or -errno with the reason logged. */
int virtio_rng_start(struct virtio_rng *rng)
{
	int err = worker_start(&rng->worker, "rng");

	if (err)
		log_err("cannot start the thread of the random numbers: %s", strerror(-err));
	return err;
}

void virtio_rng_stop(struct virtio_rng *rng)
{
	if (rng)
		worker_stop(&rng->worker);
}
