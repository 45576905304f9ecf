/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_VIRTIO_RNG_H
#define VMM_VIRTIO_RNG_H

struct virtio_rng;
struct vm;

int virtio_rng_create(struct vm *vm, struct virtio_rng **rng);
void virtio_rng_destroy(struct virtio_rng *rng);
int virtio_rng_start(struct virtio_rng *rng);
void virtio_rng_stop(struct virtio_rng *rng);

#endif
