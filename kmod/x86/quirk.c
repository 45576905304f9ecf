// SPDX-License-Identifier: GPL-2.0-only
/*
 * What no CPU does, and guests have come to expect of KVM. A VMM turns each off by
 * KVM_CAP_DISABLE_QUIRKS2.
 */
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor.h>

#include "cpuid.h"
#include "glue.h"
#include "quirk.h"
#include "x86.h"
#include "../core/regs.h"

#define CPUID_1_MWAIT	BIT(3)

#define HYPERCALL_BYTES	3

static const u8 vmcall[HYPERCALL_BYTES] = { 0x0f, 0x01, 0xc1 };
static const u8 vmmcall[HYPERCALL_BYTES] = { 0x0f, 0x01, 0xd9 };

/**
 * quirk_fix_hypercall() - the guest's #UD may be the other vendor's hypercall: put
 * this one's in its place
 * @vcpu: loaded vCPU, in a read section of vm->srcu
 *
 * Return: true: the instruction is to be executed again.
 */
bool quirk_fix_hypercall(struct vcpu *vcpu)
{
	bool svm = boot_cpu_has(X86_FEATURE_SVM);
	const u8 *other = svm ? vmcall : vmmcall;
	const u8 *native = svm ? vmmcall : vmcall;
	u8 code[HYPERCALL_BYTES];
	u64 lin;

	if (!vm_has_quirk(vcpu->vm, KVM_X86_QUIRK_FIX_HYPERCALL_INSN))
		return false;
	lin = vcpu_code_linear(vcpu);
	/* The kernel that has it on a boundary of pages gets its #UD. */
	if (offset_in_page(lin) > PAGE_SIZE - HYPERCALL_BYTES ||
	    glue_read_code(vcpu, lin, code, HYPERCALL_BYTES) ||
	    memcmp(code, other, HYPERCALL_BYTES))
		return false;
	return !glue_write_code(vcpu, lin, native, HYPERCALL_BYTES);
}

/* CPUID's MWAIT bit: as it was set, or a copy of MISC_ENABLE's. */
static bool guest_has_mwait(struct vcpu *vcpu)
{
	struct cpuid_values leaf1;

	cpuid_guest(vcpu, 1, 0, &leaf1);
	return leaf1.ecx & CPUID_1_MWAIT;
}

/**
 * quirk_mwait_undefined() - do MONITOR and MWAIT raise #UD?
 * @vcpu: loaded vCPU
 *
 * Else they do nothing: a guest that was not told of them uses them all the same.
 */
bool quirk_mwait_undefined(struct vcpu *vcpu)
{
	return !vm_has_quirk(vcpu->vm, KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS) &&
	       !guest_has_mwait(vcpu);
}
