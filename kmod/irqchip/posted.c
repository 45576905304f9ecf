// SPDX-License-Identifier: GPL-2.0-only
/* What is done to posted-interrupt descriptors. Pure: no host state. */
#include <linux/atomic.h>

#include "posted.h"

/* Who is notified, and whether. */
#define NOTIFICATION	(0xffULL << POSTED_NV_SHIFT |			\
			 0xffffffffULL << POSTED_NDST_SHIFT | POSTED_SN)

static u64 notified(u32 ndst, u8 nv)
{
	return (u64)nv << POSTED_NV_SHIFT | (u64)ndst << POSTED_NDST_SHIFT;
}

/* xAPIC ids are in the second byte of NDST, x2APIC ids fill it. */
u32 posted_ndst(u32 apic_id, bool x2apic)
{
	return x2apic ? apic_id : (apic_id & 0xff) << 8;
}

static u64 control_change(struct posted_desc *desc, u64 clear, u64 set)
{
	return word_change(&desc->control, clear, set);
}

static bool pir_empty(const struct posted_desc *desc)
{
	int i;

	for (i = 0; i < POSTED_WORDS; i++)
		if (READ_ONCE(desc->pir[i]))
			return false;
	return true;
}

/**
 * posted_set() - leave an interrupt, as an IOMMU does
 * @desc: whose
 * @vector: of the local APIC
 *
 * Unlike an IOMMU's posts, software's do not heed SN: a vCPU that is not in the guest
 * is woken by other means.
 *
 * Return: is the vCPU to be told? Context: any.
 */
enum posted posted_set(struct posted_desc *desc, u8 vector)
{
	if (test_and_set_bit(vector, desc->pir))
		return POSTED_AGAIN;
	if (control_change(desc, 0, POSTED_ON) & POSTED_ON)
		return POSTED_SILENT;
	return POSTED_NOTIFY;
}

/**
 * posted_take() - what was posted becomes pending
 * @desc: whose; its own thread, outside the guest
 * @irr: the first word of IRR in its register page
 *
 * ON goes first: who posts from now on notifies again.
 *
 * Return: there was something.
 */
bool posted_take(struct posted_desc *desc, u8 *irr)
{
	bool any = false;
	int i;

	if (!(control_change(desc, POSTED_ON, 0) & POSTED_ON))
		return false;
	for (i = 0; i < POSTED_WORDS; i++) {
		u32 *low = (u32 *)(irr + 2 * i * 16);
		u32 *high = (u32 *)(irr + (2 * i + 1) * 16);
		unsigned long bits;

		if (!READ_ONCE(desc->pir[i]))
			continue;
		bits = xchg(&desc->pir[i], 0);
		/* Others look at IRR, nobody else writes it. */
		WRITE_ONCE(*low, *low | (u32)bits);
		WRITE_ONCE(*high, *high | (u32)(bits >> 32));
		any |= bits;
	}
	return any;
}

/**
 * posted_load() - the vCPU is on a CPU: notifications go there
 * @desc: whose; its own thread
 * @ndst: posted_ndst() of the CPU
 * @nv: vector by which a CPU in guest mode takes what is posted
 *
 * What came while they were suppressed did not set ON: it is not to be missed.
 */
void posted_load(struct posted_desc *desc, u32 ndst, u8 nv)
{
	u64 here = notified(ndst, nv);

	if ((READ_ONCE(desc->control) & NOTIFICATION) == here)
		return;
	control_change(desc, NOTIFICATION, here);
	/* Posts after this notify: those before are seen here. */
	smp_mb__after_atomic();
	if (!pir_empty(desc))
		control_change(desc, 0, POSTED_ON);
}

/** posted_preempt() - it has lost the CPU, and will look when it gets one */
void posted_preempt(struct posted_desc *desc)
{
	control_change(desc, 0, POSTED_SN);
}

/**
 * posted_halt() - it has given the CPU up until an interrupt comes
 * @desc: whose; its own thread
 * @ndst: posted_ndst() of the CPU whose wake-up list it is in by now
 * @nv: vector by which that CPU looks through the list
 *
 * Return: false: one has come already, of which nobody will be notified.
 */
bool posted_halt(struct posted_desc *desc, u32 ndst, u8 nv)
{
	u64 old = control_change(desc, NOTIFICATION, notified(ndst, nv));

	smp_mb__after_atomic();	/* as in posted_load() */
	return !(old & POSTED_ON) && (!(old & POSTED_SN) || pir_empty(desc));
}

/**
 * posted_top() - the highest vector of a 256-bit register, -1: none
 * @regs: its first word in the register page
 *
 * Of IRR it is what the CPU calls RVI, of ISR it is SVI.
 */
int posted_top(const u8 *regs)
{
	int i;

	for (i = 7; i >= 0; i--) {
		u32 word = READ_ONCE(*(const u32 *)(regs + i * 16));

		if (word)
			return i * 32 + fls(word) - 1;
	}
	return -1;
}
