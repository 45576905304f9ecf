// SPDX-License-Identifier: GPL-2.0-only
/*
 * L1 terminal fault: on an affected CPU a guest reads what the host left in the
 * L1 data cache, so it is emptied before entries, as the host's l1tf= says.
 */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/gfp.h>
#include <linux/jump_label.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "vmx.h"

/* Twice the L1 cache, for CPUs whose microcode cannot empty it. */
#define FLUSH_ORDER	4
#define FLUSH_BYTES	(PAGE_SIZE << FLUSH_ORDER)

DEFINE_STATIC_KEY_FALSE(vmx_l1tf_active);
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

/** vmx_l1tf_empty() - for vmx_l1tf_flush() */
void vmx_l1tf_empty(void)
{
	if (flush_pages)
		flush_by_reading();
	else
		wrmsrl(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
}
