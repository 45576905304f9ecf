/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_VIRTIO_BLK_H
#define VMM_VIRTIO_BLK_H

#include "libjoist/types.h"

struct pci_dev;
struct virtio_blk;
struct vm;
struct vmm_config;
struct vmm_disk;

int virtio_blk_queues(const struct vmm_config *config, const struct vmm_disk *disk);
int virtio_blk_create(struct vm *vm, const struct vmm_disk *config, int index,
		      struct virtio_blk **blk);
struct pci_dev *virtio_blk_pci(struct virtio_blk *blk);
void virtio_blk_kill(struct virtio_blk *blk);
void virtio_blk_destroy(struct virtio_blk *blk);
int virtio_blk_start(struct virtio_blk *blk);
void virtio_blk_stop(struct virtio_blk *blk);
int virtio_blk_resize(struct virtio_blk *blk, u64 size);

#endif
