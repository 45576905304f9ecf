/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The posted-interrupt descriptor of a vCPU: where others, be they other threads or
 * an IOMMU, leave interrupts for its local APIC. By Intel's SDM, volume 3, section
 * "Posted-Interrupt Processing", and the VT-d specification, "Posted Interrupt
 * Descriptor for PCI devices".
 */
#ifndef JOIST_IRQCHIP_POSTED_H
#define JOIST_IRQCHIP_POSTED_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>

#include "../core/types.h"

/* Of the control word. */
#define POSTED_ON		BIT_ULL(0)	/* outstanding: somebody was notified */
#define POSTED_SN		BIT_ULL(1)	/* suppress: do not notify */
#define POSTED_NV_SHIFT		16		/* vector of notifications, 8 bits */
#define POSTED_NDST_SHIFT	32		/* physical APIC id they go to */

#define POSTED_WORDS		4

/**
 * struct posted_desc - the descriptor, as CPUs and IOMMUs know it: 64-byte aligned
 * @pir: a bit for each vector that has been posted
 * @control: ON, SN, NV, NDST
 * @reserved: zero
 *
 * All atomic: anybody posts, the vCPU's own thread, or its CPU, takes. The IOMMU
 * writes @control's ON as well.
 */
struct posted_desc {
	unsigned long pir[POSTED_WORDS];
	u64 control;
	u64 reserved[3];
};

static_assert(sizeof(struct posted_desc) == 64);

/* Set and clear bits of a word that others change as well. Return: as it was before. */
static inline u64 word_change(u64 *word, u64 clear, u64 set)
{
	u64 old = READ_ONCE(*word);

	while (!try_cmpxchg(word, &old, (old & ~clear) | set))
		;
	return old;
}

/* What became of a vector that was posted. */
enum posted {
	POSTED_AGAIN,		/* it was there already */
	POSTED_SILENT,		/* somebody has been, or will be, notified of others */
	POSTED_NOTIFY,		/* the poster is to notify */
};

/* Is there something to be taken? Racy, but for who posts after it. */
static inline bool posted_pending(const struct posted_desc *desc)
{
	return READ_ONCE(desc->control) & POSTED_ON;
}

enum posted posted_set(struct posted_desc *desc, u8 vector);
bool posted_take(struct posted_desc *desc, u8 *irr);
u32 posted_ndst(u32 apic_id, bool x2apic);
void posted_load(struct posted_desc *desc, u32 ndst, u8 nv);
void posted_preempt(struct posted_desc *desc);
bool posted_halt(struct posted_desc *desc, u32 ndst, u8 nv);
int posted_top(const u8 *regs);

#endif
