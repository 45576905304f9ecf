// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packed virtqueues (virtio 1.2, chapter 2.8): one ring of descriptors, which the driver
 * makes available in order and the device returns in order of completion, each side with a
 * wrap counter that says what the flags of a descriptor mean in this round.
 */
#include <errno.h>

#include "../memory.h"
#include "queue_packed.h"

#define DESC_AVAIL	BIT(VRING_PACKED_DESC_F_AVAIL)
#define DESC_USED	BIT(VRING_PACKED_DESC_F_USED)
#define EVENT_WRAP	VRING_PACKED_EVENT_F_WRAP_CTR
#define EVENT_OFFSET	(BIT(EVENT_WRAP) - 1)

static u16 load16(const u16 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store16(u16 *p, u16 value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

/* Move a place in the ring. */
static void forward(const struct virtq *q, u16 *at, bool *wrap, u16 by)
{
	*at = (u16)(*at + by);
	if (*at >= q->size) {
		*at = (u16)(*at - q->size);
		*wrap = !*wrap;
	}
}

/* Return: 0, or -EINVAL: the areas are not usable. */
int packed_enable(struct virtq *q)
{
	struct packed *p = &q->packed;
	u64 size = q->size;

	if (!size || size > QUEUE_SIZE_MAX || q->desc_gpa % sizeof(*p->ring) ||
	    q->avail_gpa % sizeof(*p->driver) || q->used_gpa % sizeof(*p->device))
		return -EINVAL;
	p->ring = memory_ptr(q->mem, q->desc_gpa, size * sizeof(*p->ring));
	p->driver = memory_ptr(q->mem, q->avail_gpa, sizeof(*p->driver));
	p->device = memory_ptr(q->mem, q->used_gpa, sizeof(*p->device));
	if (!p->ring || !p->driver || !p->device)
		return -EINVAL;
	p->avail_wrap = true;
	p->used_wrap = true;
	p->untold = 0;
	p->moved = 0;
	q->ready = true;
	return 0;
}

static bool available(const struct virtq *q, u16 flags)
{
	bool avail = flags & DESC_AVAIL, used = flags & DESC_USED;

	return avail == q->packed.avail_wrap && used != q->packed.avail_wrap;
}

static struct vring_desc copy(const struct vring_packed_desc *from, u16 flags, u16 *id)
{
	*id = __atomic_load_n(&from->id, __ATOMIC_RELAXED);
	return (struct vring_desc) {
		.addr = __atomic_load_n(&from->addr, __ATOMIC_RELAXED),
		.len = __atomic_load_n(&from->len, __ATOMIC_RELAXED),
		.flags = flags,
	};
}

/* A table in memory, all of which is the chain. */
static int follow_table(const struct virtq *q, struct chain *chain, const struct vring_desc *at)
{
	const struct vring_packed_desc *table;
	u32 nr = at->len / sizeof(*table), i;
	struct vring_desc desc;
	u16 id, flags;
	int err = 0;

	if (!nr || at->len % sizeof(*table) || nr > CHAIN_MAX || at->addr % sizeof(u64))
		return -EINVAL;
	table = memory_ptr(q->mem, at->addr, at->len);
	if (!table)
		return -EINVAL;
	for (i = 0; !err && i < nr; i++) {
		flags = __atomic_load_n(&table[i].flags, __ATOMIC_RELAXED);
		desc = copy(&table[i], flags & VRING_DESC_F_WRITE, &id);
		err = flags & VRING_DESC_F_INDIRECT ? -EINVAL :
						      queue_add_piece(q, chain, &desc);
	}
	return err;
}

int packed_pop(struct virtq *q, struct chain *chain)
{
	struct packed *p = &q->packed;
	u16 at = q->last_avail, span = 0, id;
	struct vring_desc desc;
	bool wrap = p->avail_wrap;
	u16 flags = load16(&p->ring[at].flags);
	int err;

	if (!available(q, flags))
		return 0;
	chain->nr_out = 0;
	chain->nr_in = 0;
	chain->head = at;
	for (;;) {
		desc = copy(&p->ring[at], flags, &id);
		if (!(flags & VRING_DESC_F_INDIRECT))
			err = queue_add_piece(q, chain, &desc);
		else if (span || (flags & VRING_DESC_F_NEXT))
			err = -EINVAL;
		else
			err = follow_table(q, chain, &desc);
		if (err)
			return err;
		forward(q, &at, &wrap, 1);
		span++;
		if (!(flags & VRING_DESC_F_NEXT))
			break;
		if (span == q->size)
			return -EINVAL;
		flags = __atomic_load_n(&p->ring[at].flags, __ATOMIC_RELAXED);
	}
	p->taken[chain->head] = (struct packed_chain) { .id = id, .span = span };
	p->before[at] = span;
	q->last_avail = at;
	p->avail_wrap = wrap;
	return 1;
}

void packed_unpop(struct virtq *q, u16 nr)
{
	struct packed *p = &q->packed;

	for (; nr; nr--) {
		u16 span = p->before[q->last_avail];

		if (span > q->last_avail) {
			q->last_avail = (u16)(q->last_avail + q->size);
			p->avail_wrap = !p->avail_wrap;
		}
		q->last_avail = (u16)(q->last_avail - span);
	}
}

/*
 * A driver that makes descriptors available while we take them can have us take more than
 * the queue has: those are not returned.
 */
void packed_fill(struct virtq *q, u16 i, u16 head, u32 written)
{
	if (i >= QUEUE_SIZE_MAX)
		return;
	q->packed.held[i].head = head;
	q->packed.held[i].written = written;
}

/* The driver looks at the first one's flags first: they are written last. */
void packed_commit(struct virtq *q, u16 nr)
{
	struct packed *p = &q->packed;
	u16 first = q->used_idx, first_flags = 0, i;

	if (nr > QUEUE_SIZE_MAX)
		nr = QUEUE_SIZE_MAX;
	for (i = 0; i < nr; i++) {
		const struct packed_chain *chain = &p->taken[p->held[i].head];
		struct vring_packed_desc *desc = &p->ring[q->used_idx];
		u16 flags = p->used_wrap ? DESC_AVAIL | DESC_USED : 0;

		if (p->held[i].written)
			flags |= VRING_DESC_F_WRITE;
		desc->id = chain->id;
		desc->len = p->held[i].written;
		if (i)
			store16(&desc->flags, flags);
		else
			first_flags = flags;
		forward(q, &q->used_idx, &p->used_wrap, chain->span);
		p->moved = (u16)(p->moved + chain->span);
	}
	if (!nr)
		return;
	store16(&p->ring[first].flags, first_flags);
	p->untold = (u16)(p->untold + nr);
}

bool packed_wants_interrupt(struct virtq *q)
{
	struct packed *p = &q->packed;
	u16 moved = p->moved, flags, event;

	if (!p->untold)
		return false;
	p->untold = 0;
	p->moved = 0;
	/* What was returned is to be seen before the guest's wish is read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	flags = load16(&p->driver->flags);
	if (flags == VRING_PACKED_EVENT_FLAG_DISABLE)
		return false;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !q->event_idx)
		return true;
	event = load16(&p->driver->off_wrap);
	flags = event >> EVENT_WRAP;
	event &= EVENT_OFFSET;
	if (flags != p->used_wrap)
		event = (u16)(event - q->size);
	return vring_need_event(event, q->used_idx, (u16)(q->used_idx - moved));
}

bool packed_arm(struct virtq *q)
{
	struct packed *p = &q->packed;

	if (q->event_idx) {
		store16(&p->device->off_wrap,
			(u16)(q->last_avail | p->avail_wrap << EVENT_WRAP));
		store16(&p->device->flags, VRING_PACKED_EVENT_FLAG_DESC);
	} else {
		store16(&p->device->flags, VRING_PACKED_EVENT_FLAG_ENABLE);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return available(q, load16(&p->ring[q->last_avail].flags));
}
