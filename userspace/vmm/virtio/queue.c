// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtqueues: split ones (virtio 1.2, chapter 2.7), and the way to packed ones.
 * Everything in the rings may change under our hands: each index and descriptor is read
 * once, then checked.
 */
#include <errno.h>
#include <string.h>

#include "../memory.h"
#include "queue_packed.h"

static u16 load16(const __virtio16 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store16(__virtio16 *p, u16 value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

/* The last word of each ring, beyond its entries: when the other side cares. */
static __virtio16 *used_event(const struct virtq *q)
{
	return &q->avail->ring[q->size];
}

static __virtio16 *avail_event(const struct virtq *q)
{
	return (__virtio16 *)&q->used->ring[q->size];
}

void queue_reset(struct virtq *q)
{
	q->size = QUEUE_SIZE_MAX;
	q->ready = false;
	q->event_idx = false;
	q->is_packed = false;
	q->desc_gpa = 0;
	q->avail_gpa = 0;
	q->used_gpa = 0;
	q->last_avail = 0;
	q->used_idx = 0;
	q->signalled = 0;
	q->vector = QUEUE_NO_VECTOR;
}

/**
 * queue_enable() - take the rings the guest has set up
 * @q: queue with its size and addresses filled in, of any value
 *
 * Return: 0, or -EINVAL: they are not usable.
 */
int queue_enable(struct virtq *q)
{
	u64 size = q->size;

	if (q->is_packed)
		return packed_enable(q);
	if (!size || size > QUEUE_SIZE_MAX || (size & (size - 1)))
		return -EINVAL;
	if (q->desc_gpa % VRING_DESC_ALIGN_SIZE ||
	    q->avail_gpa % VRING_AVAIL_ALIGN_SIZE ||
	    q->used_gpa % VRING_USED_ALIGN_SIZE)
		return -EINVAL;
	q->desc = memory_ptr(q->mem, q->desc_gpa, size * sizeof(*q->desc));
	q->avail = memory_ptr(q->mem, q->avail_gpa, sizeof(*q->avail) +
			      (size + 1) * sizeof(q->avail->ring[0]));
	q->used = memory_ptr(q->mem, q->used_gpa, sizeof(*q->used) +
			     size * sizeof(q->used->ring[0]) +
			     sizeof(__virtio16));
	if (!q->desc || !q->avail || !q->used)
		return -EINVAL;
	q->ready = true;
	return 0;
}

/* A descriptor, copied. Return: 0 or -EINVAL. */
int queue_add_piece(const struct virtq *q, struct chain *chain, const struct vring_desc *desc)
{
	int nr = chain->nr_out + chain->nr_in;
	void *p;

	if (nr == CHAIN_MAX)
		return -EINVAL;
	p = memory_ptr(q->mem, desc->addr, desc->len);
	if (!p)
		return -EINVAL;
	/* What is read comes before what is written. */
	if (!(desc->flags & VRING_DESC_F_WRITE) && chain->nr_in)
		return -EINVAL;
	if (desc->flags & VRING_DESC_F_WRITE)
		chain->nr_in++;
	else
		chain->nr_out++;
	chain->iov[nr] = (struct iovec) { .iov_base = p, .iov_len = desc->len };
	return 0;
}

/*
 * Follow a chain through a table of @nr descriptors. A chain longer than its table
 * has a loop.
 */
static int follow(const struct virtq *q, struct chain *chain,
		  const struct vring_desc *table, u32 nr, u32 i,
		  struct vring_desc *indirect)
{
	struct vring_desc desc;
	u32 steps;
	int err;

	for (steps = 0; steps < nr; steps++) {
		if (i >= nr)
			return -EINVAL;
		/* One copy, which the guest cannot change after the checks. */
		desc.addr = __atomic_load_n(&table[i].addr, __ATOMIC_RELAXED);
		desc.len = __atomic_load_n(&table[i].len, __ATOMIC_RELAXED);
		desc.flags = __atomic_load_n(&table[i].flags, __ATOMIC_RELAXED);
		desc.next = __atomic_load_n(&table[i].next, __ATOMIC_RELAXED);

		if (desc.flags & VRING_DESC_F_INDIRECT) {
			/* Only as the whole chain, and never inside a table. */
			if (!indirect || steps ||
			    (desc.flags & VRING_DESC_F_NEXT))
				return -EINVAL;
			*indirect = desc;
			return 0;
		}
		err = queue_add_piece(q, chain, &desc);
		if (err)
			return err;
		if (!(desc.flags & VRING_DESC_F_NEXT))
			return 0;
		i = desc.next;
	}
	return -EINVAL;
}

/**
 * queue_pop() - take the next request
 * @q: ready queue
 * @chain: filled in
 *
 * Return: 1: there is one; 0: there is none; -EINVAL: the guest broke the
 * rules, and the queue cannot go on.
 */
int queue_pop(struct virtq *q, struct chain *chain)
{
	struct vring_desc indirect = { .len = 0 };
	const struct vring_desc *table;
	u16 avail;
	u32 nr;
	int err;

	if (q->is_packed)
		return packed_pop(q, chain);
	avail = load16(&q->avail->idx);
	if (avail == q->last_avail)
		return 0;
	if ((u16)(avail - q->last_avail) > q->size)
		return -EINVAL;
	chain->nr_out = 0;
	chain->nr_in = 0;
	chain->head = __atomic_load_n(&q->avail->ring[q->last_avail & (q->size - 1)],
				      __ATOMIC_RELAXED);
	q->last_avail++;
	err = follow(q, chain, q->desc, q->size, chain->head, &indirect);
	if (err)
		return err;
	if (!indirect.len)
		return chain->nr_out + chain->nr_in ? 1 : -EINVAL;
	nr = indirect.len / sizeof(*table);
	if (indirect.len % sizeof(*table) || nr > CHAIN_MAX)
		return -EINVAL;
	table = memory_ptr(q->mem, indirect.addr, indirect.len);
	if (!table || indirect.addr % sizeof(u64))
		return -EINVAL;
	err = follow(q, chain, table, nr, 0, NULL);
	return err ? err : 1;
}

/**
 * queue_unpop() - leave requests where they are after all
 * @q: ready queue
 * @nr: how many, the last ones taken; none of them was returned
 */
void queue_unpop(struct virtq *q, u16 nr)
{
	if (q->is_packed)
		packed_unpop(q, nr);
	else
		q->last_avail = (u16)(q->last_avail - nr);
}

/**
 * queue_fill() - prepare the return of a request, which the guest does not see yet
 * @q: ready queue
 * @i: how many were prepared since the last queue_commit()
 * @head: the chain's
 * @written: bytes written into it
 */
void queue_fill(struct virtq *q, u16 i, u16 head, u32 written)
{
	struct vring_used_elem *elem;

	if (q->is_packed) {
		packed_fill(q, i, head, written);
		return;
	}
	elem = &q->used->ring[(u16)(q->used_idx + i) & (q->size - 1)];
	elem->id = head;
	elem->len = written;
}

/* Return to the guest what queue_fill() prepared, all of it at once. */
void queue_commit(struct virtq *q, u16 nr)
{
	if (q->is_packed) {
		packed_commit(q, nr);
		return;
	}
	q->used_idx = (u16)(q->used_idx + nr);
	store16(&q->used->idx, q->used_idx);
}

/**
 * queue_push() - return a request to the guest
 * @q: ready queue
 * @head: the chain's
 * @written: bytes written into it
 */
void queue_push(struct virtq *q, u16 head, u32 written)
{
	queue_fill(q, 0, head, written);
	queue_commit(q, 1);
}

/* Return: how many were pushed since the last queue_wants_interrupt(). */
u16 queue_untold(const struct virtq *q)
{
	return q->is_packed ? q->packed.untold : (u16)(q->used_idx - q->signalled);
}

/* Return: whether the guest wants to hear of what was pushed since the last time. */
bool queue_wants_interrupt(struct virtq *q)
{
	u16 old = q->signalled, event;

	if (q->is_packed)
		return packed_wants_interrupt(q);
	if (old == q->used_idx)
		return false;
	/* The index is to be seen before the guest's wish is read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!q->event_idx) {
		q->signalled = q->used_idx;
		return !(load16(&q->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
	}
	event = load16(used_event(q));
	q->signalled = q->used_idx;
	return vring_need_event(event, q->used_idx, old);
}

/**
 * queue_arm() - ask to be notified of the next request
 * @q: ready queue that was empty
 *
 * Return: whether it is empty no longer: the guest may not notify then.
 */
bool queue_arm(struct virtq *q)
{
	if (q->is_packed)
		return packed_arm(q);
	if (q->event_idx)
		store16(avail_event(q), q->last_avail);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return load16(&q->avail->idx) != q->last_avail;
}
