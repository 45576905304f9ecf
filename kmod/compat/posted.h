/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's side of posted interrupts: it has vectors for them where KVM can be built. */
#ifndef JOIST_COMPAT_POSTED_H
#define JOIST_COMPAT_POSTED_H

#include <linux/cpumask.h>
#include <asm/apic.h>
#include <asm/cpufeature.h>
#include <asm/irq_vectors.h>

/* With FRED interrupts have other entries than those of the IDT. */
static inline bool compat_has_idt(void)
{
#ifdef X86_FEATURE_FRED
	return !boot_cpu_has(X86_FEATURE_FRED);
#else
	return true;
#endif
}

static inline bool compat_has_posted(void)
{
#ifdef POSTED_INTR_VECTOR
	return true;
#else
	return false;
#endif
}

/* By which a CPU in guest mode is told to look; the host only counts it. */
static inline u8 compat_posted_vector(void)
{
#ifdef POSTED_INTR_VECTOR
	return POSTED_INTR_VECTOR;
#else
	return 0;
#endif
}

/* Send it. Context: any. */
static inline void compat_send_posted(int cpu)
{
#ifdef HAVE_APIC_SEND_IPI_MASK
	__apic_send_IPI_mask(cpumask_of(cpu), compat_posted_vector());
#else
	apic->send_IPI_mask(cpumask_of(cpu), compat_posted_vector());
#endif
}

#endif
