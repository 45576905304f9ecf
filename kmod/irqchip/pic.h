/* SPDX-License-Identifier: GPL-2.0-only */
/* The pair of 8259A interrupt controllers of a PC. */
#ifndef JOIST_IRQCHIP_PIC_H
#define JOIST_IRQCHIP_PIC_H

#include <linux/kvm.h>
#include <linux/spinlock.h>

#include "../core/types.h"

struct vm;

#define PIC_MASTER_PORT		0x20
#define PIC_SLAVE_PORT		0xa0
#define PIC_ELCR_PORT		0x4d0
#define PIC_PINS		16

/**
 * struct pic - master (chip[0]) and slave (chip[1]), cascaded at master pin 2
 * @lock: protects all below but @output; taken with interrupts off
 * @vm: (constant)
 * @chip: registers, as userspace saves them
 * @lines: per pin the sources that assert it, a bit each
 * @output: INT of the master; written under @lock, read without it
 */
struct pic {
	spinlock_t lock;	/* registers and lines */
	struct vm *vm;
	struct kvm_pic_state chip[2];
	u32 lines[PIC_PINS];
	bool output;
};

void pic_init(struct pic *pic, struct vm *vm);
int pic_set_line(struct pic *pic, unsigned int pin, unsigned int source,
		 bool level);
bool pic_output(const struct pic *pic);
u8 pic_ack(struct pic *pic);
u8 pic_read(struct pic *pic, u16 port);
void pic_write(struct pic *pic, u16 port, u8 val);
void pic_get_state(struct pic *pic, unsigned int chip,
		   struct kvm_pic_state *state);
void pic_set_state(struct pic *pic, unsigned int chip,
		   const struct kvm_pic_state *state);

#endif
