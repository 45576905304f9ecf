// SPDX-License-Identifier: GPL-2.0-only
/* Which ports and MSRs make the guest exit. */
#include <linux/bitops.h>
#include <linux/gfp.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/io.h>
#include <asm/msr.h>

#include "vmx.h"
#include "../x86/msr.h"

/* I/O bitmaps A and B, every port intercepted, of VMs without ports of their own: constant. */
static unsigned long io_bitmap;

int vmx_io_bitmap_alloc(void)
{
	io_bitmap = __get_free_pages(GFP_KERNEL, 1);
	if (!io_bitmap)
		return -ENOMEM;
	memset((void *)io_bitmap, 0xff, 2 * PAGE_SIZE);
	return 0;
}

void vmx_io_bitmap_free(void)
{
	free_pages(io_bitmap, 1);
	io_bitmap = 0;
}

u64 vmx_io_bitmap_pa(int which)
{
	return __pa(io_bitmap) + which * PAGE_SIZE;
}

/** vmx_load_ports() - the VM's own I/O bitmaps, in place of the common ones */
void vmx_load_ports(struct vcpu *vcpu)
{
	unsigned long *map = ports_map(vcpu->vm);
	u64 pa = map ? __pa(map) : vmx_io_bitmap_pa(0);

	vmcs_write(IO_BITMAP_A, pa);
	vmcs_write(IO_BITMAP_B, pa + PAGE_SIZE);
}

/* Four bitmaps of 1 KiB: reads of low and high MSRs, then writes of both. */
#define MSR_READ_LOW	0
#define MSR_READ_HIGH	0x400
#define MSR_WRITE_LOW	0x800
#define MSR_WRITE_HIGH	0xc00
#define MSRS_PER_MAP	0x2000
#define MSR_HIGH_BASE	0xc0000000

/* Bit number in the page, or -1: an MSR outside the bitmaps always exits. */
static int msr_bit(u32 msr, bool write)
{
	if (msr < MSRS_PER_MAP)
		return (write ? MSR_WRITE_LOW : MSR_READ_LOW) * 8 + msr;
	if (msr >= MSR_HIGH_BASE && msr < MSR_HIGH_BASE + MSRS_PER_MAP)
		return (write ? MSR_WRITE_HIGH : MSR_READ_HIGH) * 8 +
		       (msr - MSR_HIGH_BASE);
	return -1;
}

static void intercept(struct vmx_vcpu *vmx, u32 msr, bool write, bool on)
{
	int bit = msr_bit(msr, write);

	if (bit < 0)
		return;
	if (on || !msr_allowed(&vmx->vcpu, msr, write))
		__set_bit(bit, vmx->msr_bitmap);
	else
		__clear_bit(bit, vmx->msr_bitmap);
}

/**
 * vmx_intercept_msr() - does an access to an MSR exit?
 * @vcpu: mutex held, not in the guest
 * @msr: index
 * @read: RDMSR exits
 * @write: WRMSR exits
 *
 * What the VMM's filter denies exits in any case.
 */
void vmx_intercept_msr(struct vcpu *vcpu, u32 msr, bool read, bool write)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	intercept(vmx, msr, false, read);
	intercept(vmx, msr, true, write);
	if (msr == MSR_IA32_SPEC_CTRL) {
		if (write || !msr_allowed(vcpu, msr, true))
			vmx->enter.flags &= ~BIT(VMX_ENTER_SPEC_SAVE);
		else
			vmx->enter.flags |= BIT(VMX_ENTER_SPEC_SAVE);
	}
}

/* The VMCS, or prepare_guest, holds the guest's values of these. STAR, LSTAR
 * and FMASK are read freely, but a write must be known: the host changes them
 * too.
 */
static const struct {
	u32 msr;
	bool write;
} passed[] = {
	{ MSR_IA32_TSC, false },
	{ MSR_FS_BASE, true },
	{ MSR_GS_BASE, true },
	{ MSR_KERNEL_GS_BASE, true },
	{ MSR_IA32_SYSENTER_CS, true },
	{ MSR_IA32_SYSENTER_ESP, true },
	{ MSR_IA32_SYSENTER_EIP, true },
	{ MSR_STAR, false },
	{ MSR_LSTAR, false },
	{ MSR_SYSCALL_MASK, false },
};

/* How long the core slept, and how deep. */
static const u32 residencies[] = {
	MSR_CORE_C1_RES, MSR_CORE_C3_RESIDENCY, MSR_CORE_C6_RESIDENCY,
	MSR_CORE_C7_RESIDENCY,
};

/** vmx_has_residencies() - this CPU counts its cores' sleep */
bool vmx_has_residencies(void)
{
	u64 val;
	int i;

	for (i = 0; i < ARRAY_SIZE(residencies); i++)
		if (!rdmsrl_safe(residencies[i], &val))
			return true;
	return false;
}

static void pass_residencies(struct vcpu *vcpu)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(residencies); i++)
		vmx_intercept_msr(vcpu, residencies[i], false, true);
}

/** vmx_update_msr_intercepts() - all of them, by the VMM's filter of now */
void vmx_update_msr_intercepts(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	int i;

	memset(vmx->msr_bitmap, 0xff, PAGE_SIZE);
	/* A guest that uses it will be seen to do so again. */
	vmx_intercept_msr(vcpu, MSR_IA32_SPEC_CTRL, true, true);
	for (i = 0; i < ARRAY_SIZE(passed); i++)
		vmx_intercept_msr(vcpu, passed[i].msr, false, !passed[i].write);
	if (vcpu->vm->disabled_exits & KVM_X86_DISABLE_EXITS_CSTATE)
		pass_residencies(vcpu);
	vmx_msr_bitmap_cpuid(vmx);
	vmx_apicv_msrs(vmx);
}

/** vmx_msr_bitmap_create() - intercept all but @passed: 0 or -ENOMEM */
int vmx_msr_bitmap_create(struct vmx_vcpu *vmx)
{
	vmx->msr_bitmap = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!vmx->msr_bitmap)
		return -ENOMEM;
	vmx_update_msr_intercepts(&vmx->vcpu);
	return 0;
}

void vmx_msr_bitmap_destroy(struct vmx_vcpu *vmx)
{
	free_page((unsigned long)vmx->msr_bitmap);
}

/** vmx_msr_bitmap_cpuid() - commands that the guest may give the CPU itself */
void vmx_msr_bitmap_cpuid(struct vmx_vcpu *vmx)
{
	const struct guest_features *feat = &vmx->vcpu.feat;

	intercept(vmx, MSR_IA32_PRED_CMD, true,
		  !(feat->ibpb && boot_cpu_has(X86_FEATURE_IBPB)));
	intercept(vmx, MSR_IA32_FLUSH_CMD, true,
		  !(feat->flush_l1d && boot_cpu_has(X86_FEATURE_FLUSH_L1D)));
}
