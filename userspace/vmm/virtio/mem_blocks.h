/* SPDX-License-Identifier: GPL-2.0-only */
/* Which blocks of memory are plugged in: what virtio-mem's requests come to. */
#ifndef VMM_VIRTIO_MEM_BLOCKS_H
#define VMM_VIRTIO_MEM_BLOCKS_H

#include "libjoist/types.h"

#define MEM_BLOCK_SIZE	(2ULL << 20)	/* what the host gives and takes whole */

/**
 * struct mem_blocks - blocks of a region
 * @addr: where the guest has the first
 * @nr: how many there are
 * @wanted: so many shall be in at most
 * @nr_plugged: so many are
 * @plugged: each of them
 * @plug: some blocks are to be used; returns whether they can be; NULL: they always can
 * @unplug: gives the memory of some blocks back
 * @ctx: for both
 */
struct mem_blocks {
	u64 addr;
	u32 nr;
	u32 wanted;
	u32 nr_plugged;
	bool *plugged;
	bool (*plug)(void *ctx, u32 first, u32 nr);
	void (*unplug)(void *ctx, u32 first, u32 nr);
	void *ctx;
};

int blocks_init(struct mem_blocks *b, u64 addr, u64 size);
void blocks_destroy(struct mem_blocks *b);
u16 blocks_plug(struct mem_blocks *b, u64 addr, u16 nr);
u16 blocks_unplug(struct mem_blocks *b, u64 addr, u16 nr);
u16 blocks_unplug_all(struct mem_blocks *b);
u16 blocks_state(const struct mem_blocks *b, u64 addr, u16 nr, u16 *state);

#endif
