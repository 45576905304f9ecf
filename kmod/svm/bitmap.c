// SPDX-License-Identifier: GPL-2.0-only
/* The I/O and MSR permission maps: a set bit is an exit. */
#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <asm/msr-index.h>

#include "svm.h"
#include "../x86/msr.h"

#define IOPM_SIZE	(3 * PAGE_SIZE)	/* 65536 ports, and 3 bits past them */
#define IOPM_ORDER	2
#define MSRPM_SIZE	(2 * PAGE_SIZE)
#define MSRPM_ORDER	1

/* Two bits per MSR, read then write, for three ranges of 8192. */
static const struct {
	u32 base;
	u32 offset;		/* of the range in the map, bytes */
} msrpm_ranges[] = {
	{ 0x00000000, 0x0000 },
	{ 0xc0000000, 0x0800 },
	{ 0xc0010000, 0x1000 },
};

#define MSRPM_RANGE_MSRS	8192

/* VMLOAD, VMSAVE and VMRUN switch these: the guest has them for itself. */
static const u32 msrs_switched[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
	MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK,
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
};

static void *iopm;	/* of VMs without ports of their own: every port intercepted */

/** svm_iopm_create() - the I/O permission map; 0 or -ENOMEM */
int svm_iopm_create(void)
{
	iopm = (void *)__get_free_pages(GFP_KERNEL, IOPM_ORDER);
	if (!iopm)
		return -ENOMEM;
	memset(iopm, 0xff, IOPM_SIZE);
	return 0;
}

/** svm_iopm_destroy() - no VMCB refers to it any more */
void svm_iopm_destroy(void)
{
	free_pages((unsigned long)iopm, IOPM_ORDER);
	iopm = NULL;
}

/** svm_iopm_pa() - for the VMCB */
hpa_t svm_iopm_pa(void)
{
	return __sme_pa(iopm);
}

/** svm_load_ports() - the VM's own I/O permission map, in place of the common one */
void svm_load_ports(struct vcpu *vcpu)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;
	unsigned long *map = ports_map(vcpu->vm);

	vmcb->control.iopm_base_pa = map ? __sme_pa(map) : svm_iopm_pa();
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_PERM);
}

/**
 * svm_intercept_msr() - choose which accesses of an MSR exit
 * @vcpu: any state but running
 * @msr: index; one outside the map's ranges always exits
 * @read: reads exit
 * @write: writes exit
 *
 * What the VMM's filter denies exits in any case.
 */
void svm_intercept_msr(struct vcpu *vcpu, u32 msr, bool read, bool write)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(msrpm_ranges); i++) {
		if (msr - msrpm_ranges[i].base < MSRPM_RANGE_MSRS)
			break;
	}
	if (i == ARRAY_SIZE(msrpm_ranges))
		return;
	bit = msrpm_ranges[i].offset * BITS_PER_BYTE +
	      (msr - msrpm_ranges[i].base) * 2;
	__assign_bit(bit, svm->msrpm, read || !msr_allowed(vcpu, msr, false));
	__assign_bit(bit + 1, svm->msrpm,
		     write || !msr_allowed(vcpu, msr, true));
	vmcb_mark_dirty(svm->vmcb, VMCB_CLEAN_PERM);
}

/** svm_msrpm_cpuid() - what the guest's features decide */
void svm_msrpm_cpuid(struct vcpu *vcpu)
{
	const struct guest_features *feat = &vcpu->feat;
	bool spec = feat->spec_ctrl || feat->stibp || feat->ssbd;

	/* Without hardware's help SPEC_CTRL is switched at every exit: only
	 * once the guest is seen to use it.
	 */
	spec = spec && (svm_caps.v_spec_ctrl || to_svm(vcpu)->spec_ctrl_native);
	svm_intercept_msr(vcpu, MSR_IA32_SPEC_CTRL, !spec, !spec);
	svm_intercept_msr(vcpu, MSR_IA32_PRED_CMD, true,
			  !(feat->ibpb && boot_cpu_has(X86_FEATURE_IBPB)));
}

/** svm_update_msr_intercepts() - all of them, by the VMM's filter of now */
void svm_update_msr_intercepts(struct vcpu *vcpu)
{
	unsigned int i;

	memset(to_svm(vcpu)->msrpm, 0xff, MSRPM_SIZE);
	for (i = 0; i < ARRAY_SIZE(msrs_switched); i++)
		svm_intercept_msr(vcpu, msrs_switched[i], false, false);
	svm_msrpm_cpuid(vcpu);
}

/**
 * svm_msrpm_create() - a vCPU's MSR permission map, in its VMCB
 * @svm: has a VMCB
 *
 * Return: 0 or -ENOMEM
 */
int svm_msrpm_create(struct svm_vcpu *svm)
{
	svm->msrpm = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT, MSRPM_ORDER);
	if (!svm->msrpm)
		return -ENOMEM;
	svm_update_msr_intercepts(&svm->vcpu);
	svm->vmcb->control.msrpm_base_pa = __sme_pa(svm->msrpm);
	return 0;
}

/** svm_msrpm_destroy() - @svm does not run again */
void svm_msrpm_destroy(struct svm_vcpu *svm)
{
	free_pages((unsigned long)svm->msrpm, MSRPM_ORDER);
	svm->msrpm = NULL;
}
