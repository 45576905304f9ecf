/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The local APIC's registers: Intel SDM volume 3, chapter "Advanced
 * Programmable Interrupt Controller (APIC)". Offsets in the xAPIC page; an
 * x2APIC MSR is 0x800 + (offset >> 4).
 */
#ifndef JOIST_IRQCHIP_LAPIC_REGS_H
#define JOIST_IRQCHIP_LAPIC_REGS_H

#include <linux/bits.h>

#define LAPIC_REG_ID		0x020
#define LAPIC_REG_VERSION	0x030
#define LAPIC_REG_TPR		0x080
#define LAPIC_REG_APR		0x090
#define LAPIC_REG_PPR		0x0a0
#define LAPIC_REG_EOI		0x0b0
#define LAPIC_REG_RRD		0x0c0
#define LAPIC_REG_LDR		0x0d0
#define LAPIC_REG_DFR		0x0e0
#define LAPIC_REG_SVR		0x0f0
#define LAPIC_REG_ISR		0x100
#define LAPIC_REG_TMR		0x180
#define LAPIC_REG_IRR		0x200
#define LAPIC_REG_ESR		0x280
#define LAPIC_REG_LVT_CMCI	0x2f0
#define LAPIC_REG_ICR		0x300
#define LAPIC_REG_ICR2		0x310
#define LAPIC_REG_LVTT		0x320
#define LAPIC_REG_LVT_THERMAL	0x330
#define LAPIC_REG_LVT_PERF	0x340
#define LAPIC_REG_LVT0		0x350
#define LAPIC_REG_LVT1		0x360
#define LAPIC_REG_LVT_ERROR	0x370
#define LAPIC_REG_TMICT		0x380
#define LAPIC_REG_TMCCT		0x390
#define LAPIC_REG_TDCR		0x3e0
#define LAPIC_REG_SELF_IPI	0x3f0

#define X2APIC_MSR_BASE		0x800
#define X2APIC_MSR_LAST		0x8ff

/* Version 0x14: integrated, xAPIC; six LVT entries, CMCI's aside; may suppress
 * broadcasts.
 */
#define LAPIC_VERSION		0x14
#define LAPIC_NR_LVTS		6
#define LAPIC_DIRECTED_EOI	BIT(24)
#define LAPIC_VERSION_VALUE	(LAPIC_VERSION | (LAPIC_NR_LVTS - 1) << 16 | \
				 LAPIC_DIRECTED_EOI)
#define LAPIC_VERSION_CMCI	(LAPIC_VERSION_VALUE + (1 << 16))

#define LAPIC_SVR_ENABLE	BIT(8)
#define LAPIC_SVR_FOCUS_OFF	BIT(9)
#define LAPIC_SVR_NO_BROADCAST	BIT(12)
#define LAPIC_SVR_VALID		(0xff | LAPIC_SVR_ENABLE |		\
				 LAPIC_SVR_FOCUS_OFF | LAPIC_SVR_NO_BROADCAST)

#define LAPIC_ESR_SEND_ILLEGAL	BIT(5)
#define LAPIC_ESR_RECV_ILLEGAL	BIT(6)
#define LAPIC_ESR_REGISTER	BIT(7)

#define LAPIC_LVT_MASKED	BIT(16)
#define LAPIC_LVT_LEVEL		BIT(15)
#define LAPIC_LVT_REMOTE_IRR	BIT(14)
#define LAPIC_LVT_POLARITY	BIT(13)
#define LAPIC_LVT_PENDING	BIT(12)
#define LAPIC_LVT_MODE_SHIFT	8
#define LAPIC_LVT_TIMER_SHIFT	17
#define LAPIC_LVT_TIMER_MODE	(3u << LAPIC_LVT_TIMER_SHIFT)

enum lapic_timer_mode {
	LAPIC_TIMER_ONESHOT,
	LAPIC_TIMER_PERIODIC,
	LAPIC_TIMER_DEADLINE,
	LAPIC_TIMER_RESERVED,
};

/* Delivery modes of messages, ICR, LVT and redirection entries. */
enum lapic_delivery {
	LAPIC_DM_FIXED,
	LAPIC_DM_LOWEST,
	LAPIC_DM_SMI,
	LAPIC_DM_RESERVED,
	LAPIC_DM_NMI,
	LAPIC_DM_INIT,
	LAPIC_DM_SIPI,
	LAPIC_DM_EXTINT,
};

#define LAPIC_ICR_VECTOR	0xff
#define LAPIC_ICR_MODE_SHIFT	8
#define LAPIC_ICR_LOGICAL	BIT(11)
#define LAPIC_ICR_BUSY		BIT(12)
#define LAPIC_ICR_ASSERT	BIT(14)
#define LAPIC_ICR_LEVEL		BIT(15)
#define LAPIC_ICR_SHORT_SHIFT	18
/* What WRMSR of the x2APIC ICR may not set; BUSY is tolerated and dropped. */
#define X2APIC_ICR_RESERVED	(GENMASK_ULL(31, 20) | GENMASK_ULL(17, 16) | \
				 BIT_ULL(13))

enum lapic_shorthand {
	LAPIC_SHORT_NONE,
	LAPIC_SHORT_SELF,
	LAPIC_SHORT_ALL,
	LAPIC_SHORT_OTHERS,
};

#define XAPIC_BROADCAST		0xffu
#define X2APIC_BROADCAST	0xffffffffu

#define LAPIC_DFR_FLAT		0xfu	/* DFR bits 31..28 */
#define LAPIC_DFR_CLUSTER	0x0u

/* IA32_APIC_BASE */
#define LAPIC_BASE_BSP		BIT_ULL(8)
#define LAPIC_BASE_X2APIC	BIT_ULL(10)
#define LAPIC_BASE_ENABLE	BIT_ULL(11)
#define LAPIC_BASE_ADDR		GENMASK_ULL(51, 12)

#endif
