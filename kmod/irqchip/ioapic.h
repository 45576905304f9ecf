/* SPDX-License-Identifier: GPL-2.0-only */
/* The I/O APIC: Intel 82093AA with the EOI register of version 0x20. */
#ifndef JOIST_IRQCHIP_IOAPIC_H
#define JOIST_IRQCHIP_IOAPIC_H

#include <linux/bitops.h>
#include <linux/kvm.h>
#include <linux/spinlock.h>

#include "../core/types.h"

struct vm;

#define IOAPIC_BASE	0xfec00000
#define IOAPIC_SIZE	0x100
#define IOAPIC_PINS	KVM_IOAPIC_NUM_PINS

/**
 * struct ioapic - one I/O APIC
 * @lock: protects all below; taken with interrupts off
 * @vm: (constant)
 * @state: registers, as userspace saves them; irr: level of level-triggered
 *         pins, requests of edge-triggered ones that nobody took
 * @lines: per pin the sources that assert it, a bit each
 * @vectors: of all pins' entries; read without the lock
 */
struct ioapic {
	spinlock_t lock;	/* registers and lines */
	struct vm *vm;
	struct kvm_ioapic_state state;
	u32 lines[IOAPIC_PINS];
	unsigned long vectors[256 / BITS_PER_LONG];
};

void ioapic_init(struct ioapic *ioapic, struct vm *vm);
int ioapic_set_line(struct ioapic *ioapic, unsigned int pin,
		    unsigned int source, bool level);
void ioapic_eoi(struct ioapic *ioapic, u8 vector, bool level);
bool ioapic_has_vector(const struct ioapic *ioapic, u8 vector);
u32 ioapic_read(struct ioapic *ioapic, u32 offset);
void ioapic_write(struct ioapic *ioapic, u32 offset, u32 val);
void ioapic_get_state(struct ioapic *ioapic, struct kvm_ioapic_state *state);
void ioapic_set_state(struct ioapic *ioapic,
		      const struct kvm_ioapic_state *state);

#endif
