/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that the guest can plug in and out. */
#ifndef VMM_VIRTIO_MEM_H
#define VMM_VIRTIO_MEM_H

#include "libjoist/types.h"

struct virtio_mem;
struct vm;

/**
 * struct mem_state - how it is
 * @driver: the guest has one that works
 * @size: bytes that can be plugged in
 * @wanted: bytes that the guest is asked to have in
 * @plugged: bytes that are
 */
struct mem_state {
	bool driver;
	u64 size;
	u64 wanted;
	u64 plugged;
};

typedef int (*mem_block_fn)(void *ctx, u64 gpa, u64 size, void *hva);

int virtio_mem_create(struct vm *vm, struct virtio_mem **out);
void virtio_mem_destroy(struct virtio_mem *m);
int virtio_mem_start(struct virtio_mem *m);
void virtio_mem_stop(struct virtio_mem *m);
u64 virtio_mem_set(struct virtio_mem *m, u64 size);
int virtio_mem_plugged(struct virtio_mem *m, mem_block_fn fn, void *ctx);
bool virtio_mem_state(struct virtio_mem *m, struct mem_state *state);

#endif
