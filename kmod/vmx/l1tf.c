// SPDX-License-Identifier: GPL-2.0-only
/*
 * L1 terminal fault: on an affected CPU a guest reads what the host left in the
 * L1 data cache, so it is emptied before entries, as the host's l1tf= says: before each, or
 * (the default) where something else than joist's own short code has run since the last:
 * another thread, the VMM, a host interrupt, the emulator, an exit that is not known to be
 * harmless. Linux's admin-guide/hw-vuln/l1tf.rst has the reasoning.
 */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/gfp.h>
#include <linux/jump_label.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "vmx.h"
#include "../compat/compat.h"

/* Twice the L1 cache, for CPUs whose microcode cannot empty it. */
#define FLUSH_ORDER	4
#define FLUSH_BYTES	(PAGE_SIZE << FLUSH_ORDER)

/*
 * What these exits ask for is answered from the vCPU's and its chips' own state. A page
 * fault moves pages of this VM's: who emulates, and who waits for the page, says so.
 */
#define QUIET_EXITS							\
	(BIT_ULL(EXIT_REASON_EXTERNAL_INTERRUPT) |			\
	 BIT_ULL(EXIT_REASON_INTERRUPT_WINDOW) |			\
	 BIT_ULL(EXIT_REASON_NMI_WINDOW) | BIT_ULL(EXIT_REASON_CPUID) |	\
	 BIT_ULL(EXIT_REASON_HLT) | BIT_ULL(EXIT_REASON_VMCALL) |	\
	 BIT_ULL(EXIT_REASON_MSR_READ) | BIT_ULL(EXIT_REASON_MSR_WRITE) | \
	 BIT_ULL(EXIT_REASON_PAUSE_INSTRUCTION) |			\
	 BIT_ULL(EXIT_REASON_TPR_BELOW_THRESHOLD) |			\
	 BIT_ULL(EXIT_REASON_EOI_INDUCED) |				\
	 BIT_ULL(EXIT_REASON_APIC_WRITE) |				\
	 BIT_ULL(EXIT_REASON_PREEMPTION_TIMER) |			\
	 BIT_ULL(EXIT_REASON_EPT_VIOLATION) |				\
	 BIT_ULL(EXIT_REASON_PML_FULL))

DEFINE_STATIC_KEY_FALSE(vmx_l1tf_active);
static bool always __ro_after_init;
static void *flush_pages;

/** vmx_l1tf_setup() - is it needed here? 0 or -ENOMEM */
int vmx_l1tf_setup(void)
{
	u64 arch_cap = 0;
	unsigned long i;

	if (!boot_cpu_has_bug(X86_BUG_L1TF))
		return 0;
	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrl(MSR_IA32_ARCH_CAPABILITIES, arch_cap);
	if (arch_cap & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH)
		return 0;
	if (l1tf_mitigation == L1TF_MITIGATION_OFF)
		return 0;
	if (!boot_cpu_has(X86_FEATURE_FLUSH_L1D)) {
		flush_pages = (void *)__get_free_pages(GFP_KERNEL, FLUSH_ORDER);
		if (!flush_pages)
			return -ENOMEM;
		/* Pages of equal contents could be merged by a host below. */
		for (i = 0; i < FLUSH_BYTES; i += PAGE_SIZE)
			memset(flush_pages + i, 1 + i / PAGE_SIZE, PAGE_SIZE);
	}
	always = l1tf_mitigation == L1TF_MITIGATION_FULL ||
		 l1tf_mitigation == L1TF_MITIGATION_FULL_FORCE;
	static_branch_enable(&vmx_l1tf_active);
	return 0;
}

void vmx_l1tf_teardown(void)
{
	free_pages((unsigned long)flush_pages, FLUSH_ORDER);
	flush_pages = NULL;
}

/* Touch each page's translation first, then read every line. */
static void flush_by_reading(void)
{
	unsigned long i;

	for (i = 0; i < FLUSH_BYTES; i += PAGE_SIZE)
		READ_ONCE(*(u8 *)(flush_pages + i));
	rmb();		/* no page walk among the reads that fill the cache */
	for (i = 0; i < FLUSH_BYTES; i += 64)
		READ_ONCE(*(u8 *)(flush_pages + i));
	rmb();		/* all of them are done before the guest is entered */
}

/** vmx_l1tf_before_entry() - for vmx_l1tf_flush() */
void vmx_l1tf_before_entry(struct vmx_vcpu *vmx)
{
	struct vcpu *vcpu = &vmx->vcpu;

	if (!always && !vcpu->l1d_exposed && !compat_l1d_exposed())
		return;
	vcpu->l1d_exposed = false;
	if (flush_pages)
		flush_by_reading();
	else
		wrmsrl(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
}

/** vmx_l1tf_after_run() - the core has the last exit now; interrupts off */
void vmx_l1tf_after_run(struct vmx_vcpu *vmx)
{
	if (vmx->failed || vmx->exit_reason >= 64 ||
	    !(BIT_ULL(vmx->exit_reason) & QUIET_EXITS))
		vmx->vcpu.l1d_exposed = true;
}
