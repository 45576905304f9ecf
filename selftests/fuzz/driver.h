/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio driver, which can do it right, so that what is wrong comes far. */
#ifndef FUZZ_DRIVER_H
#define FUZZ_DRIVER_H

#include "libjoist/types.h"

#define RINGS		0x40000ULL	/* where the rings are */
#define RINGS_STRIDE	0x8000ULL	/* of one queue */
#define RINGS_SIZE	(QUEUES_MAX * RINGS_STRIDE)
#define DATA		0x200000ULL	/* where buffers are */
#define DATA_SIZE	0x100000ULL
#define QUEUES_MAX	16

/* Where a buffer lies: well, or close to where it must not. */
enum place {
	PLACE_DATA, PLACE_LAST, PLACE_LAST_PLUS_1, PLACE_END, PLACE_LOW_LAST_PLUS_1,
	PLACE_START, PLACE_HOLE, PLACE_WRAP,
};

/* What driver_chain() makes. */
struct chain_shape {
	int queue;
	unsigned int nr_out, nr_in;	/* pieces */
	u32 len;			/* of each, the first and the last excepted */
	bool indirect;
	bool split;			/* the header lies in two pieces */
	bool status;			/* the last piece is a byte */
	bool offer;
	int place;			/* of the pieces that are no header: enum place */
	const u8 *header;
	u32 header_len;
};

void driver_begin(void);
void driver_setup(u8 slot, u64 clear, u64 set, u16 size, u8 status);
void driver_queue(int queue, u16 size, int which, u64 gpa);
void driver_status(u8 status);
void driver_notify(int queue, unsigned int len);
void driver_msix(u16 vector, u64 addr, u32 data, bool mask);
void driver_desc(int queue, u16 i, u64 gpa, u32 len, u16 flags, u16 next);
void driver_offer(int queue, u16 head, u16 by);
void driver_ring(int queue, int which, u16 value);
void driver_chain(const struct chain_shape *shape);
u64 driver_device_regs(void);

#endif
