// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits for the kernel's tracing. What a VM is traced by is in its vCPUs' debug.control,
 * which keeps exits from being answered on the hot road: there nothing is looked for.
 */
#include "admin.h"
#include "regs.h"
#include "vm.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static_assert(NR_EXIT_KINDS <= 64);

/** vm_trace_valid() - are these bits kinds of exits? */
bool vm_trace_valid(u64 kinds)
{
	return !(kinds & ~GENMASK_ULL(NR_EXIT_KINDS - 1, 0));
}

/**
 * vm_trace() - choose which exits of a VM are traced
 * @vm: registry_lock is held
 * @kinds: valid; 0: none
 *
 * Every exit from the return of this on goes by it.
 */
void vm_trace(struct vm *vm, u64 kinds)
{
	lockdep_assert_held(&registry_lock);
	WRITE_ONCE(vm->admin.trace_exits, kinds);
	/* What a vCPU that is published now is to see: pairs with vcpu_admin_publish(). */
	smp_mb();
	vm_request_all_wait(vm, REQ_TRACE);
}

/** vcpu_trace_update() - REQ_TRACE: do as vm_trace() wants; its own thread, loaded */
void vcpu_trace_update(struct vcpu *vcpu)
{
	if (READ_ONCE(vcpu->vm->admin.trace_exits))
		vcpu->debug.control |= GUEST_DEBUG_TRACED;
	else
		vcpu->debug.control &= ~GUEST_DEBUG_TRACED;
}

/** vcpu_trace_exit() - vcpu->exit is about to be handled; the VM is traced */
void vcpu_trace_exit(struct vcpu *vcpu)
{
	u64 kinds = READ_ONCE(vcpu->vm->admin.trace_exits);

	if (trace_joist_exit_enabled() && kinds & BIT_ULL(vcpu->exit.kind))
		trace_joist_exit(vcpu->vm->id, vcpu->idx, &vcpu->exit, vcpu_rip(vcpu));
}
