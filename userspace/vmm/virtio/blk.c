// SPDX-License-Identifier: GPL-2.0-only
/* virtio-blk (virtio 1.2, chapter 5.2): a thread that serves one queue. */
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../backend/raw.h"
#include "../log.h"
#include "../vm.h"
#include "blk.h"
#include "device.h"
#include "iov.h"
#include "pci.h"
#include "worker.h"

#define CLASS_SCSI	0x010000	/* what PCI calls mass storage */
#define SEG_MAX		(CHAIN_MAX - 2)	/* less header and status */

/**
 * struct virtio_blk - a disk
 * @chain: the request being served; the thread's own
 */
struct virtio_blk {
	struct virtio_dev dev;
	struct virtio_pci pci;
	struct raw_disk disk;
	struct virtio_blk_config config;
	const char *path;
	struct virtio_worker worker;
	struct chain chain;
};

/* Return: VIRTIO_BLK_S_*. */
static u8 transfer(struct virtio_blk *blk, const struct iovec *iov, int nr,
		   u64 sector, bool write)
{
	u64 sectors = blk->disk.size / SECTOR_SIZE;
	u64 len = iov_total(iov, nr);

	if (len % SECTOR_SIZE || sector > sectors ||
	    len / SECTOR_SIZE > sectors - sector)
		return VIRTIO_BLK_S_IOERR;
	if (write && blk->disk.readonly)
		return VIRTIO_BLK_S_IOERR;
	if (raw_rw(&blk->disk, iov, nr, sector * SECTOR_SIZE, write))
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

static u8 get_id(const struct virtio_blk *blk, const struct iovec *iov, int nr,
		 u32 *written)
{
	char id[VIRTIO_BLK_ID_BYTES] = { 0 };

	if (nr != 1 || iov->iov_len < sizeof(id))
		return VIRTIO_BLK_S_IOERR;
	snprintf(id, sizeof(id), "joist-%d", PCI_SLOT(blk->pci.pci.devfn));
	memcpy(iov->iov_base, id, sizeof(id));
	*written = sizeof(id);
	return VIRTIO_BLK_S_OK;
}

static bool can_flush(const struct virtio_blk *blk)
{
	return blk->dev.driver_features & BIT_ULL(VIRTIO_BLK_F_FLUSH);
}

static u8 serve(struct virtio_blk *blk, const struct virtio_blk_outhdr *hdr,
		const struct iovec *out, int nr_out,
		const struct iovec *in, int nr_in, u32 *written)
{
	u8 status;

	switch (hdr->type) {
	case VIRTIO_BLK_T_IN:
		status = transfer(blk, in, nr_in, hdr->sector, false);
		if (status == VIRTIO_BLK_S_OK)
			*written = (u32)iov_total(in, nr_in);
		return status;
	case VIRTIO_BLK_T_OUT:
		status = transfer(blk, out, nr_out, hdr->sector, true);
		/* A driver that cannot flush takes what is written as safe. */
		if (status == VIRTIO_BLK_S_OK && !can_flush(blk) &&
		    raw_flush(&blk->disk))
			status = VIRTIO_BLK_S_IOERR;
		return status;
	case VIRTIO_BLK_T_FLUSH:
		return raw_flush(&blk->disk) ? VIRTIO_BLK_S_IOERR :
					       VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_GET_ID:
		return get_id(blk, in, nr_in, written);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* Return: 0, or -EINVAL: a request without header or status. */
static int serve_chain(struct virtio_blk *blk, u32 *written)
{
	struct chain *chain = &blk->chain;
	struct iovec *out = chain->iov;
	struct iovec *in = chain->iov + chain->nr_out;
	struct virtio_blk_outhdr hdr;
	u8 *status;

	*written = 0;
	status = iov_pull_last(in, &chain->nr_in);
	if (!status || !iov_pull(&out, &chain->nr_out, &hdr, sizeof(hdr)))
		return -EINVAL;
	*status = serve(blk, &hdr, out, chain->nr_out, in, chain->nr_in,
			written);
	*written += sizeof(*status);
	return 0;
}

/* One request, or the news that there is none. The lock is held. */
static bool serve_next(struct virtio_dev *dev, int queue)
{
	struct virtio_blk *blk = container_of(dev, struct virtio_blk, dev);
	struct virtq *q = &dev->queue[queue];
	u32 written;
	int ret;

	if (!virtio_dev_live(&blk->dev) || !q->ready)
		return false;
	ret = queue_pop(q, &blk->chain);
	if (!ret)
		return queue_arm(q);
	if (ret > 0)
		ret = serve_chain(blk, &written);
	if (ret < 0) {
		log_warn("the guest broke the queue of the disk %s", blk->path);
		virtio_dev_fail(&blk->dev);
		return false;
	}
	virtio_dev_return(dev, q, blk->chain.head, written);
	return true;
}

static int init(struct virtio_blk *blk, struct vm *vm)
{
	int err;

	err = virtio_dev_init(&blk->dev, vm, VIRTIO_ID_BLOCK, 1);
	if (err)
		return err;
	blk->config.capacity = blk->disk.size / SECTOR_SIZE;
	blk->config.seg_max = SEG_MAX;
	blk->dev.config = &blk->config;
	blk->dev.config_len = sizeof(blk->config);
	blk->dev.features |= BIT_ULL(VIRTIO_BLK_F_FLUSH) |
			     BIT_ULL(VIRTIO_BLK_F_SEG_MAX);
	if (blk->disk.readonly)
		blk->dev.features |= BIT_ULL(VIRTIO_BLK_F_RO);
	err = worker_init(&blk->worker, &blk->dev, serve_next);
	if (err)
		return err;
	return virtio_pci_init(&blk->pci, &blk->dev, CLASS_SCSI);
}

/**
 * virtio_blk_create() - a disk on the PCI bus
 * @vm: VM
 * @config: what to open
 * @out: the disk; set even on failure: virtio_blk_destroy() is due then too
 *
 * Return: 0, or -errno with the reason logged.
 */
int virtio_blk_create(struct vm *vm, const struct vmm_disk *config,
		      struct virtio_blk **out)
{
	struct virtio_blk *blk = calloc(1, sizeof(*blk));
	int err;

	*out = blk;
	if (!blk)
		return -ENOMEM;
	blk->path = config->file.path;
	err = raw_open(&blk->disk, &config->file, config->readonly);
	if (err)
		return err;
	err = init(blk, vm);
	if (err)
		log_err("cannot create the disk %s: %s", blk->path,
			strerror(-err));
	return err;
}

void virtio_blk_destroy(struct virtio_blk *blk)
{
	if (!blk)
		return;
	virtio_pci_destroy(&blk->pci);
	virtio_dev_destroy(&blk->dev);
	raw_close(&blk->disk);
	worker_destroy(&blk->worker);
	free(blk);
}

/* Return: 0, or -errno with the reason logged. */
int virtio_blk_start(struct virtio_blk *blk)
{
	int err = worker_start(&blk->worker, "blk");

	if (err)
		log_err("cannot start the thread of the disk %s: %s",
			blk->path, strerror(-err));
	return err;
}

/* The request in progress is finished, the others are lost. */
void virtio_blk_stop(struct virtio_blk *blk)
{
	if (blk)
		worker_stop(&blk->worker);
}
