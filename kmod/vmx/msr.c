// SPDX-License-Identifier: GPL-2.0-only
/* MSRs that VMX or its host switching keeps. */
#include <asm/cpufeature.h>
#include <asm/page.h>

#include "vmx.h"
#include "../core/regs.h"
#include "../x86/msr.h"

/* What a guest may set in IA32_DEBUGCTL: single-step on branches. Recording them
 * is accepted and not done.
 */
#define DEBUGCTL_GUEST		DEBUGCTLMSR_BTF
#define DEBUGCTL_IGNORED	DEBUGCTLMSR_LBR

/* WRMSR faults on an address that is not canonical for the CPU, whatever the
 * guest's paging mode: so it would in the host.
 */
static bool cpu_canonical(u64 addr)
{
	return __is_canonical_address(addr,
				      boot_cpu_has(X86_FEATURE_LA57) ? 57 : 48);
}

static int uret_of(u32 index)
{
	switch (index) {
	case MSR_STAR:
		return URET_STAR;
	case MSR_LSTAR:
		return URET_LSTAR;
	case MSR_SYSCALL_MASK:
		return URET_FMASK;
	}
	return -1;
}

static void set_uret(struct vmx_vcpu *vmx, int i, u64 val)
{
	vmx->guest_uret[i] = val;
	vmx_uret_changed(vmx);
}

/**
 * vmx_get_msr() - read one of VMX's own
 * @vcpu: loaded
 * @msr: index, and where the value goes
 *
 * Return: 0 or MSR_UNKNOWN.
 */
int vmx_get_msr(struct vcpu *vcpu, struct msr_access *msr)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	struct kvm_segment seg;

	switch (msr->index) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
		vmx_get_segment(vcpu, &seg, msr->index == MSR_FS_BASE ?
				VCPU_SREG_FS : VCPU_SREG_GS);
		msr->data = seg.base;
		return 0;
	case MSR_KERNEL_GS_BASE:
		msr->data = vmx_kernel_gs_base(vmx);
		return 0;
	case MSR_STAR:
	case MSR_LSTAR:
	case MSR_SYSCALL_MASK:
		msr->data = vmx->guest_uret[uret_of(msr->index)];
		return 0;
	case MSR_CSTAR:
		msr->data = vmx->guest_cstar;
		return 0;
	case MSR_TSC_AUX:
		msr->data = vcpu->tsc_aux;
		return 0;
	case MSR_IA32_SYSENTER_CS:
		msr->data = vmcs_read32(GUEST_SYSENTER_CS);
		return 0;
	case MSR_IA32_SYSENTER_ESP:
		msr->data = vmcs_read(GUEST_SYSENTER_ESP);
		return 0;
	case MSR_IA32_SYSENTER_EIP:
		msr->data = vmcs_read(GUEST_SYSENTER_EIP);
		return 0;
	case MSR_IA32_DEBUGCTLMSR:
		msr->data = vmx->guest_debugctl;
		return 0;
	}
	return MSR_UNKNOWN;
}

static void set_base(struct vcpu *vcpu, enum vcpu_sreg which, u64 base)
{
	struct kvm_segment seg;

	vmx_get_segment(vcpu, &seg, which);
	seg.base = base;
	vmx_set_segment(vcpu, &seg, which);
}

/**
 * vmx_set_msr() - write one of VMX's own
 * @vcpu: loaded
 * @msr: index and value
 *
 * Return: 0, MSR_FAULT or MSR_UNKNOWN.
 */
int vmx_set_msr(struct vcpu *vcpu, const struct msr_access *msr)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u64 data = msr->data;

	switch (msr->index) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_IA32_SYSENTER_ESP:
	case MSR_IA32_SYSENTER_EIP:
		if (!cpu_canonical(data))
			return MSR_FAULT;
	}

	switch (msr->index) {
	case MSR_FS_BASE:
		set_base(vcpu, VCPU_SREG_FS, data);
		return 0;
	case MSR_GS_BASE:
		set_base(vcpu, VCPU_SREG_GS, data);
		return 0;
	case MSR_KERNEL_GS_BASE:
		vmx_set_kernel_gs_base(vmx, data);
		return 0;
	case MSR_SYSCALL_MASK:
		if (upper_32_bits(data))
			return MSR_FAULT;
		fallthrough;
	case MSR_STAR:
	case MSR_LSTAR:
		set_uret(vmx, uret_of(msr->index), data);
		return 0;
	case MSR_CSTAR:
		vmx->guest_cstar = data;
		return 0;
	case MSR_TSC_AUX:
		if (upper_32_bits(data))
			return MSR_FAULT;
		vcpu->tsc_aux = data;
		set_uret(vmx, URET_TSC_AUX, data);
		return 0;
	case MSR_IA32_SYSENTER_CS:
		vmcs_write(GUEST_SYSENTER_CS, (u32)data);
		return 0;
	case MSR_IA32_SYSENTER_ESP:
		vmcs_write(GUEST_SYSENTER_ESP, data);
		return 0;
	case MSR_IA32_SYSENTER_EIP:
		vmcs_write(GUEST_SYSENTER_EIP, data);
		return 0;
	case MSR_IA32_CR_PAT:
		vmcs_write(GUEST_IA32_PAT, data);
		return 0;
	case MSR_IA32_SPEC_CTRL:
		/* A guest that uses it does so at each of its kernel's entries:
		 * vmx_run() keeps vcpu->spec_ctrl from now on.
		 */
		if (!msr->host && boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
			vmx_intercept_msr(vcpu, MSR_IA32_SPEC_CTRL, false, false);
		return 0;
	case MSR_IA32_DEBUGCTLMSR:
		data &= ~(u64)DEBUGCTL_IGNORED;
		if (data & ~(u64)DEBUGCTL_GUEST)
			return MSR_FAULT;
		vmx->guest_debugctl = data;
		vmcs_write(GUEST_IA32_DEBUGCTL, data);
		return 0;
	}
	return MSR_UNKNOWN;
}
