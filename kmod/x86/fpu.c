// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's FPU, SSE and XSAVE state. The kernel's own guest-FPU buffers hold
 * it; it is in the registers from the beginning to the end of KVM_RUN. XCR0,
 * XSS and PKRU are exchanged around the run loop, where they differ.
 */
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/special_insns.h>

#include "x86.h"
#include "../core/regs.h"

/* What joist switches; AMX would need XFD and arch_prctl() permissions. */
#define XCR0_SUPPORTED							\
	(XFEATURE_MASK_FP | XFEATURE_MASK_SSE | XFEATURE_MASK_YMM |	\
	 XFEATURE_MASK_OPMASK | XFEATURE_MASK_ZMM_Hi256 |		\
	 XFEATURE_MASK_Hi16_ZMM | XFEATURE_MASK_PKRU)

#define MXCSR_MASK_DEFAULT	0xffbf	/* where FXSAVE stores none */

/* vcpu->fpu_switched */
#define SWITCHED_XCR0	BIT(0)
#define SWITCHED_XSS	BIT(1)
#define SWITCHED_PKRU	BIT(2)

/* Written at load. */
static u64 host_xcr0 __ro_after_init;
static u64 host_xss __ro_after_init;
static u32 mxcsr_mask __ro_after_init;

static void mxcsr_mask_read(struct fxregs_state *fx)
{
	memset(fx, 0, sizeof(*fx));
	kernel_fpu_begin();
	asm volatile("fxsave %0" : "+m" (*fx));
	kernel_fpu_end();
	mxcsr_mask = fx->mxcsr_mask ?: MXCSR_MASK_DEFAULT;
}

/**
 * fpu_setup() - learn the host's state components, at load
 *
 * Return: 0, or -ENOMEM.
 */
int fpu_setup(void)
{
	struct fxregs_state *fx = kzalloc(sizeof(*fx), GFP_KERNEL);

	if (!fx)
		return -ENOMEM;
	mxcsr_mask_read(fx);
	kfree(fx);
	if (boot_cpu_has(X86_FEATURE_XSAVE))
		host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		rdmsrl(MSR_IA32_XSS, host_xss);
	return 0;
}

/** fpu_guest_xcr0() - components a guest may enable; 0: no XSAVE */
u64 fpu_guest_xcr0(void)
{
	return host_xcr0 & XCR0_SUPPORTED;
}

/**
 * fpu_create() - the buffer of a new vCPU, in its initial state
 * @vcpu: new vCPU
 *
 * Return: 0, or -ENOMEM.
 */
int fpu_create(struct vcpu *vcpu)
{
	vcpu->xcr0 = XFEATURE_MASK_FP;
	if (!fpu_alloc_guest_fpstate(&vcpu->fpu))
		return -ENOMEM;
	vcpu->fpu_quick = fpu_quick_possible(vcpu->fpu.fpstate);
	return 0;
}

/** fpu_destroy() - not loaded, nobody has the vCPU any more */
void fpu_destroy(struct vcpu *vcpu)
{
	fpu_free_guest_fpstate(&vcpu->fpu);
}

/**
 * fpu_load_guest() - KVM_RUN begins: the guest's registers replace the thread's
 * @vcpu: owner thread
 */
void fpu_load_guest(struct vcpu *vcpu)
{
	if (cpu_feature_enabled(X86_FEATURE_OSPKE))
		vcpu->host_pkru = rdpkru();
	fpu_swap_kvm_fpstate(&vcpu->fpu, true);
}

/** fpu_put_guest() - KVM_RUN ends */
void fpu_put_guest(struct vcpu *vcpu)
{
	fpu_swap_kvm_fpstate(&vcpu->fpu, false);
}

/**
 * fpu_exchange() - XCR0, XSS and PKRU become the guest's own: see fpu_enter()
 * @vcpu: interrupts off, after fpu_load_guest()
 * @cr4: its register
 *
 * Return: vcpu->fpu_switched.
 */
u8 fpu_exchange(struct vcpu *vcpu, u64 cr4)
{
	bool pkru = cr4 & X86_CR4_PKE;
	u8 switched = 0;

	if (cr4 & X86_CR4_OSXSAVE) {
		if (vcpu->xcr0 != host_xcr0) {
			xsetbv(XCR_XFEATURE_ENABLED_MASK, vcpu->xcr0);
			switched |= SWITCHED_XCR0;
		}
		if (vcpu->xss != host_xss) {
			wrmsrl(MSR_IA32_XSS, vcpu->xss);
			switched |= SWITCHED_XSS;
		}
		pkru |= vcpu->xcr0 & XFEATURE_MASK_PKRU;
	}
	if (pkru && cpu_feature_enabled(X86_FEATURE_OSPKE)) {
		if (vcpu->pkru != vcpu->host_pkru)
			wrpkru(vcpu->pkru);
		switched |= SWITCHED_PKRU;
	}
	return switched;
}

/**
 * fpu_restore() - undo fpu_exchange()
 * @vcpu: interrupts off
 * @switched: vcpu->fpu_switched
 */
void fpu_restore(struct vcpu *vcpu, u8 switched)
{
	if (switched & SWITCHED_PKRU) {
		vcpu->pkru = rdpkru();
		if (vcpu->pkru != vcpu->host_pkru)
			wrpkru(vcpu->host_pkru);
	}
	if (switched & SWITCHED_XCR0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, host_xcr0);
	if (switched & SWITCHED_XSS)
		wrmsrl(MSR_IA32_XSS, host_xss);
}

/**
 * fpu_get() - KVM_GET_FPU
 * @vcpu: not in KVM_RUN, its mutex held
 * @out: out
 */
void fpu_get(struct vcpu *vcpu, struct kvm_fpu *out)
{
	const struct fxregs_state *fx = &vcpu->fpu.fpstate->regs.fxsave;

	memset(out, 0, sizeof(*out));
	BUILD_BUG_ON(sizeof(out->fpr) != sizeof(fx->st_space));
	BUILD_BUG_ON(sizeof(out->xmm) != sizeof(fx->xmm_space));
	memcpy(out->fpr, fx->st_space, sizeof(out->fpr));
	memcpy(out->xmm, fx->xmm_space, sizeof(out->xmm));
	out->fcw = fx->cwd;
	out->fsw = fx->swd;
	out->ftwx = fx->twd;
	out->last_opcode = fx->fop;
	out->last_ip = fx->rip;
	out->last_dp = fx->rdp;
	out->mxcsr = fx->mxcsr;
}

/**
 * fpu_set() - KVM_SET_FPU
 * @vcpu: not in KVM_RUN, its mutex held
 * @in: x87 and SSE state
 *
 * Return: 0; -EINVAL: reserved bits in MXCSR, which the CPU would refuse.
 */
int fpu_set(struct vcpu *vcpu, const struct kvm_fpu *in)
{
	union fpregs_state *regs = &vcpu->fpu.fpstate->regs;
	struct fxregs_state *fx = &regs->fxsave;

	if (in->mxcsr & ~mxcsr_mask)
		return -EINVAL;
	memcpy(fx->st_space, in->fpr, sizeof(in->fpr));
	memcpy(fx->xmm_space, in->xmm, sizeof(in->xmm));
	fx->cwd = in->fcw;
	fx->swd = in->fsw;
	fx->twd = in->ftwx;
	fx->fop = in->last_opcode;
	fx->rip = in->last_ip;
	fx->rdp = in->last_dp;
	fx->mxcsr = in->mxcsr;
	/* Else XRSTOR would put the initial values there. */
	if (boot_cpu_has(X86_FEATURE_XSAVE))
		regs->xsave.header.xfeatures |= XFEATURE_MASK_FPSSE;
	return 0;
}

/**
 * fpu_get_xsave() - KVM_GET_XSAVE, KVM_GET_XSAVE2
 * @vcpu: not in KVM_RUN, its mutex held
 * @buf: in the layout of CPUID leaf 0xD
 * @size: bytes, at least 4096
 */
void fpu_get_xsave(struct vcpu *vcpu, void *buf, unsigned int size)
{
	u64 components = XFEATURE_MASK_FPSSE | fpu_guest_xcr0();

	memset(buf, 0, size);
	fpu_copy_guest_fpstate_to_uabi(&vcpu->fpu, buf, size, components,
				       vcpu->pkru);
}

/**
 * fpu_set_xsave() - KVM_SET_XSAVE
 * @vcpu: not in KVM_RUN, its mutex held
 * @buf: in the same layout
 *
 * Return: 0; -EINVAL: components the guest cannot have, or reserved bits.
 */
int fpu_set_xsave(struct vcpu *vcpu, const void *buf)
{
	return fpu_copy_uabi_to_guest_fpstate(&vcpu->fpu, buf,
					      fpu_guest_xcr0(), &vcpu->pkru);
}

/** fpu_get_xcrs() - KVM_GET_XCRS */
void fpu_get_xcrs(struct vcpu *vcpu, struct kvm_xcrs *out)
{
	memset(out, 0, sizeof(*out));
	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return;
	out->nr_xcrs = 1;
	out->xcrs[0].xcr = XCR_XFEATURE_ENABLED_MASK;
	out->xcrs[0].value = vcpu->xcr0;
}

/**
 * fpu_set_xcrs() - KVM_SET_XCRS
 * @vcpu: its mutex held
 * @in: registers other than XCR0 are ignored, as in KVM
 *
 * Return: 0; -EINVAL: no XSAVE, a flag, or a value the guest's CPU refuses.
 */
int fpu_set_xcrs(struct vcpu *vcpu, const struct kvm_xcrs *in)
{
	u32 i;

	if (!boot_cpu_has(X86_FEATURE_XSAVE) || in->flags ||
	    in->nr_xcrs > KVM_MAX_XCRS)
		return -EINVAL;
	for (i = 0; i < in->nr_xcrs; i++) {
		if (in->xcrs[i].xcr != XCR_XFEATURE_ENABLED_MASK)
			continue;
		return xcr_write(vcpu, 0, in->xcrs[i].value) ? -EINVAL : 0;
	}
	return 0;
}
