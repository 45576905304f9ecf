/* SPDX-License-Identifier: GPL-2.0-only */
/* Packed virtqueues, for queue.c alone: there is what each of these does. */
#ifndef VMM_VIRTIO_QUEUE_PACKED_H
#define VMM_VIRTIO_QUEUE_PACKED_H

#include "queue.h"

/* queue.c */
int queue_add_piece(const struct virtq *q, struct chain *chain, const struct vring_desc *desc);

int packed_enable(struct virtq *q);
int packed_pop(struct virtq *q, struct chain *chain);
void packed_unpop(struct virtq *q, u16 nr);
void packed_fill(struct virtq *q, u16 i, u16 head, u32 written);
void packed_commit(struct virtq *q, u16 nr);
bool packed_wants_interrupt(struct virtq *q);
bool packed_arm(struct virtq *q);

#endif
