/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM's quirks. */
#ifndef JOIST_X86_QUIRK_H
#define JOIST_X86_QUIRK_H

#include <linux/kvm.h>

#include "../core/vm.h"

#ifndef KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS	/* newer than some headers */
#define KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS	BIT(6)
#endif

/* Those that can be turned off. */
#define JOIST_QUIRKS	(KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT |	\
			 KVM_X86_QUIRK_FIX_HYPERCALL_INSN |	\
			 KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS)

static inline bool vm_has_quirk(struct vm *vm, u64 quirk)
{
	return !(READ_ONCE(vm->disabled_quirks) & quirk);
}

bool quirk_fix_hypercall(struct vcpu *vcpu);
bool quirk_mwait_undefined(struct vcpu *vcpu);

#endif
