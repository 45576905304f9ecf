/* SPDX-License-Identifier: GPL-2.0-only */
/* A folder of the host's, for the guest to mount. */
#ifndef VMM_VIRTIO_SHARE_H
#define VMM_VIRTIO_SHARE_H

#include "../vmm.h"

struct virtio_share;
struct vm;

int virtio_share_create(struct vm *vm, const struct vmm_share *config,
			struct virtio_share **out);
void virtio_share_destroy(struct virtio_share *share);
int virtio_share_start(struct virtio_share *share);
void virtio_share_stop(struct virtio_share *share);
bool virtio_share_lost(const struct virtio_share *share);

#endif
