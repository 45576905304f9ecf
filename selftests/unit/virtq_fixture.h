/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's memory with a virtqueue in it, for the tests of who serves it. */
#ifndef UNIT_VIRTQ_FIXTURE_H
#define UNIT_VIRTQ_FIXTURE_H

#include <stdlib.h>

#include "vmm/memory.h"
#include "vmm/virtio/queue.h"

#define MEM_SIZE	(64 * PAGE_SIZE)
#define MEM_BASE	0x100000ULL
#define DESC		(MEM_BASE + 0x0000)
#define AVAIL		(MEM_BASE + 0x2000)
#define USED		(MEM_BASE + 0x3000)
#define DATA		(MEM_BASE + 0x8000)
#define SIZE		8

static u8 *ram;
static struct memory mem;
static struct virtq q;
static struct vring_desc *desc;
static struct vring_avail *avail;
static struct vring_used *used;

static void *at(u64 gpa)
{
	return ram + (gpa - MEM_BASE);
}

static int virtq_setup(void)
{
	/* Of its exact size, so that the sanitizer sees a byte too many. */
	ram = calloc(1, MEM_SIZE);
	mem = (struct memory) {
		.nr_regions = 1,
		.region[0] = { .gpa = MEM_BASE, .size = MEM_SIZE, .hva = ram },
	};
	desc = at(DESC);
	avail = at(AVAIL);
	used = at(USED);
	q.mem = &mem;
	queue_reset(&q);
	q.size = SIZE;
	q.desc_gpa = DESC;
	q.avail_gpa = AVAIL;
	q.used_gpa = USED;
	return queue_enable(&q);
}

static void set(struct vring_desc *d, u64 addr, u32 len, u16 flags, u16 next)
{
	*d = (struct vring_desc) { addr, len, flags, next };
}

static void offer(u16 head)
{
	avail->ring[avail->idx % SIZE] = head;
	avail->idx++;
}

#endif
