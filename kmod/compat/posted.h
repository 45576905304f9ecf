/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's side of posted interrupts: it has vectors for them where KVM can be built. */
#ifndef JOIST_COMPAT_POSTED_H
#define JOIST_COMPAT_POSTED_H

#include <linux/cpumask.h>
#include <linux/irq.h>
#include <asm/apic.h>
#include <asm/cpufeature.h>
#include <asm/irq.h>
#include <asm/irq_remapping.h>
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

/* By which a CPU is told to look through its list of vCPUs that sleep. */
static inline u8 compat_wakeup_vector(void)
{
#ifdef POSTED_INTR_WAKEUP_VECTOR
	return POSTED_INTR_WAKEUP_VECTOR;
#else
	return 0;
#endif
}

/* Send that to this CPU. Context: interrupts off. */
static inline void compat_send_wakeup_here(void)
{
#ifdef HAVE_APIC_SEND_IPI_MASK
	__apic_send_IPI_self(compat_wakeup_vector());
#else
	apic->send_IPI_self(compat_wakeup_vector());
#endif
}

/* @handler is called by it, interrupts off; NULL: nobody is any more. */
static inline void compat_on_wakeup(void (*handler)(void))
{
#ifdef POSTED_INTR_WAKEUP_VECTOR
	kvm_set_posted_intr_wakeup_handler(handler);
#endif
}

/* Do the machine's IOMMUs post interrupts? */
static inline bool compat_iommu_posts(void)
{
	return irq_remapping_cap(IRQ_POSTING_CAP);
}

/* The physical address of a descriptor, or 0: back to the host's handler. */
static inline int compat_post_irq(unsigned int irq, u64 desc, u8 vector)
{
#ifdef HAVE_INTEL_IOMMU_PI_DATA
	struct intel_iommu_pi_data data = {
#else
	struct vcpu_data data = {
#endif
		.pi_desc_addr = desc,
		.vector = vector,
	};

	return irq_set_vcpu_affinity(irq, desc ? &data : NULL);
}

#endif
