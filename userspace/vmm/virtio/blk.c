// SPDX-License-Identifier: GPL-2.0-only
/* virtio-blk (virtio 1.2, chapter 5.2): what the guest sees of a disk, and its life. */
#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../backend/nbd.h"
#include "../disk_error.h"
#include "../log.h"
#include "../vm.h"
#include "blk.h"
#include "blk_queue.h"

#define CLASS_SCSI	0x010000	/* what PCI calls mass storage */
#define SEG_MAX		(CHAIN_MAX - 2)	/* less header and status */
#define QUEUES_DEFAULT	4
#define PAGE_SHIFT	12	/* of the files' blocks: what is best to write at once */

/* Return: how many queues a disk has. */
int virtio_blk_queues(const struct vmm_config *config, const struct vmm_disk *disk)
{
	u32 nr;

	/* What serves it has one thread for it, whatever we do. */
	if (disk->options.format != DISK_RAW)
		return 1;
	nr = disk->options.queues ?: min(config->vcpus, (u32)QUEUES_DEFAULT);

	return (int)min(nr, (u32)DISK_QUEUES_MAX);
}

/* The driver is ready now. The device's lock is held. */
static void driver_changed(struct virtio_dev *dev)
{
	struct virtio_blk *blk = container_of(dev, struct virtio_blk, dev);
	int i;

	if (!virtio_dev_live(dev))
		return;
	for (i = 0; i < dev->nr_queues; i++)
		if (dev->queue[i].ready)
			blk_queue_live(&blk->queue[i], true);
}

/* The driver goes: its memory may be used for something else. The device's lock is held. */
static void driver_goes(struct virtio_dev *dev)
{
	struct virtio_blk *blk = container_of(dev, struct virtio_blk, dev);
	int i;

	for (i = 0; i < dev->nr_queues; i++)
		blk_queue_live(&blk->queue[i], false);
}

static void set_config(struct virtio_blk *blk)
{
	const struct disk *disk = &blk->disk;
	u32 block = disk->block;

	blk->config = (struct virtio_blk_config) {
		.capacity = disk->size / SECTOR_SIZE,
		.seg_max = SEG_MAX,
		.blk_size = block,
		.physical_block_exp = (u8)(PAGE_SHIFT - __builtin_ctz(block)),
		.min_io_size = 1,
		.num_queues = (u16)blk->dev.nr_queues,
	};
	blk->dev.features |= BIT_ULL(VIRTIO_BLK_F_FLUSH) | BIT_ULL(VIRTIO_BLK_F_SEG_MAX) |
			     BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) |
			     BIT_ULL(VIRTIO_BLK_F_TOPOLOGY) | BIT_ULL(VIRTIO_BLK_F_MQ);
	if (disk->nbd) {
		/* All segments together are no more than a request may have. */
		blk->config.size_max = NBD_LENGTH_MAX / QUEUE_SIZE_MAX;
		blk->dev.features |= BIT_ULL(VIRTIO_BLK_F_SIZE_MAX);
	}
	if (disk->readonly)
		blk->dev.features |= BIT_ULL(VIRTIO_BLK_F_RO);
	if (!disk->can_discard)
		return;
	blk->dev.features |= BIT_ULL(VIRTIO_BLK_F_DISCARD) |
			     BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES);
	blk->config.max_discard_sectors = BLK_DISCARD_MAX;
	blk->config.max_discard_seg = 1;
	blk->config.discard_sector_alignment = (u32)PAGE_SIZE / SECTOR_SIZE;
	blk->config.max_write_zeroes_sectors = BLK_DISCARD_MAX;
	blk->config.max_write_zeroes_seg = 1;
	blk->config.write_zeroes_may_unmap = 1;
}

static int create_queues(struct virtio_blk *blk)
{
	int i, err = 0;

	blk->queue = calloc((size_t)blk->dev.nr_queues, sizeof(*blk->queue));
	if (!blk->queue)
		return -ENOMEM;
	for (i = 0; !err && i < blk->dev.nr_queues; i++)
		err = blk_queue_init(&blk->queue[i], blk, i);
	return err;
}

static int init(struct virtio_blk *blk, struct vm *vm, const struct vmm_disk *config)
{
	int err;

	err = virtio_dev_init(&blk->dev, vm, VIRTIO_ID_BLOCK,
			      virtio_blk_queues(vm->config, config));
	err = err ?: create_queues(blk);
	if (err)
		return err;
	blk_limit_init(&blk->limit, config->options.iops, config->options.bps);
	set_config(blk);
	blk->dev.config = &blk->config;
	blk->dev.config_len = sizeof(blk->config);
	blk->dev.changed = driver_changed;
	blk->dev.goes = driver_goes;
	blk->pci.pci.removable = true;
	err = virtio_pci_init(&blk->pci, &blk->dev, CLASS_SCSI);
	if (err)
		return err;
	snprintf(blk->serial, sizeof(blk->serial), "joist-%d", PCI_SLOT(blk->pci.pci.devfn));
	if (*config->options.serial)
		memcpy(blk->serial, config->options.serial, sizeof(blk->serial));
	return 0;
}

/**
 * virtio_blk_create() - a disk on the PCI bus
 * @vm: VM
 * @config: what to open
 * @index: which of the VM's it is
 * @out: the disk; set even on failure: virtio_blk_destroy() is due then too
 *
 * Return: 0, or -errno with the reason logged.
 */
int virtio_blk_create(struct vm *vm, const struct vmm_disk *config, int index,
		      struct virtio_blk **out)
{
	struct virtio_blk *blk = calloc(1, sizeof(*blk));
	int err;

	*out = blk;
	if (!blk)
		return -ENOMEM;
	blk->index = index;
	blk->disk.fd = -1;
	err = disk_open(&blk->disk, config);
	if (err)
		return err;
	err = init(blk, vm, config);
	if (err)
		log_err("cannot create the disk %s: %s", blk->disk.path,
			strerror(-err));
	return err;
}

struct pci_dev *virtio_blk_pci(struct virtio_blk *blk)
{
	return &blk->pci.pci;
}

/* It is about to be taken away: a guest that gets errors can let go, one that waits cannot. */
void virtio_blk_kill(struct virtio_blk *blk)
{
	__atomic_store_n(&blk->dead, true, __ATOMIC_RELAXED);
}

void virtio_blk_destroy(struct virtio_blk *blk)
{
	int i;

	if (!blk)
		return;
	virtio_pci_destroy(&blk->pci);
	for (i = 0; blk->queue && i < blk->dev.nr_queues; i++)
		blk_queue_destroy(&blk->queue[i]);
	free(blk->queue);
	virtio_dev_destroy(&blk->dev);
	disk_close(&blk->disk);
	free(blk);
}

/* Return: 0, or -errno with the reason logged. */
int virtio_blk_start(struct virtio_blk *blk)
{
	int i, err = 0;

	for (i = 0; !err && i < blk->dev.nr_queues; i++)
		err = blk_queue_start(&blk->queue[i]);
	if (err)
		log_err("cannot start the thread of the disk %s: %s",
			blk->disk.path, strerror(-err));
	return err;
}

/* Requests in progress are finished, the others are lost. */
void virtio_blk_stop(struct virtio_blk *blk)
{
	int i;

	for (i = 0; blk && blk->queue && i < blk->dev.nr_queues; i++)
		blk_queue_stop(&blk->queue[i]);
	if (blk)
		disk_error_end(blk->dev.vm, blk->index, blk->disk.path);
}

/**
 * virtio_blk_resize() - make a disk larger; the guest hears of it
 * @blk: disk
 * @size: bytes
 *
 * Main thread. Return: 0, or -errno as of disk_resize().
 */
int virtio_blk_resize(struct virtio_blk *blk, u64 size)
{
	int err = disk_resize(&blk->disk, size);

	if (err)
		return err;
	pthread_mutex_lock(&blk->dev.lock);
	blk->config.capacity = size / SECTOR_SIZE;
	virtio_dev_config_changed(&blk->dev);
	pthread_mutex_unlock(&blk->dev.lock);
	return 0;
}
