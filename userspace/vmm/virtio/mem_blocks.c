// SPDX-License-Identifier: GPL-2.0-only
/* Requests of a virtio-mem driver (virtio 1.2, chapter 5.15), each checked as a whole. */
#include <errno.h>
#include <linux/virtio_mem.h>
#include <stdlib.h>

#include "mem_blocks.h"

/* @size: bytes, whole blocks. Return: 0 or -ENOMEM; blocks_destroy() is due in both cases. */
int blocks_init(struct mem_blocks *b, u64 addr, u64 size)
{
	b->addr = addr;
	b->nr = (u32)(size / MEM_BLOCK_SIZE);
	b->wanted = 0;
	b->nr_plugged = 0;
	b->plugged = calloc(b->nr, sizeof(*b->plugged));
	return b->plugged ? 0 : -ENOMEM;
}

void blocks_destroy(struct mem_blocks *b)
{
	free(b->plugged);
	b->plugged = NULL;
}

/* Return: whether they are blocks of ours. */
static bool find(const struct mem_blocks *b, u64 addr, u16 nr, u32 *first)
{
	u64 index = (addr - b->addr) / MEM_BLOCK_SIZE;

	if (addr < b->addr || addr % MEM_BLOCK_SIZE || !nr || index >= b->nr ||
	    nr > b->nr - index)
		return false;
	*first = (u32)index;
	return true;
}

static u32 count(const struct mem_blocks *b, u32 first, u16 nr)
{
	u32 n = 0, i;

	for (i = first; i < first + nr; i++)
		n += b->plugged[i];
	return n;
}

static void set(struct mem_blocks *b, u32 first, u16 nr, bool plugged)
{
	u32 i;

	for (i = first; i < first + nr; i++)
		b->plugged[i] = plugged;
}

/* Return: VIRTIO_MEM_RESP_*, as all of these. */
u16 blocks_plug(struct mem_blocks *b, u64 addr, u16 nr)
{
	u32 first;

	if (!find(b, addr, nr, &first) || count(b, first, nr))
		return VIRTIO_MEM_RESP_ERROR;
	if (b->nr_plugged + nr > b->wanted || (b->plug && !b->plug(b->ctx, first, nr)))
		return VIRTIO_MEM_RESP_NACK;
	set(b, first, nr, true);
	b->nr_plugged += nr;
	return VIRTIO_MEM_RESP_ACK;
}

u16 blocks_unplug(struct mem_blocks *b, u64 addr, u16 nr)
{
	u32 first;

	if (!find(b, addr, nr, &first) || count(b, first, nr) != nr)
		return VIRTIO_MEM_RESP_ERROR;
	set(b, first, nr, false);
	b->nr_plugged -= nr;
	b->unplug(b->ctx, first, nr);
	return VIRTIO_MEM_RESP_ACK;
}

/* A driver that begins does not know what the one before it had. */
u16 blocks_unplug_all(struct mem_blocks *b)
{
	u32 i;

	for (i = 0; i < b->nr; i++)
		b->plugged[i] = false;
	b->nr_plugged = 0;
	b->unplug(b->ctx, 0, b->nr);
	return VIRTIO_MEM_RESP_ACK;
}

u16 blocks_state(const struct mem_blocks *b, u64 addr, u16 nr, u16 *state)
{
	u32 first, plugged;

	if (!find(b, addr, nr, &first))
		return VIRTIO_MEM_RESP_ERROR;
	plugged = count(b, first, nr);
	*state = plugged == nr ? VIRTIO_MEM_STATE_PLUGGED :
		 plugged ? VIRTIO_MEM_STATE_MIXED : VIRTIO_MEM_STATE_UNPLUGGED;
	return VIRTIO_MEM_RESP_ACK;
}
