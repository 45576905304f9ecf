// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU that halts looks for its wake-up for a while before it gives up the CPU:
 * for short waits that is faster. How long adapts to what the waits turn out to
 * be, as KVM's documentation of halt polling says.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>

#include "run.h"
#include "vcpu.h"
#include "vm.h"

static unsigned int halt_poll_ns = 200000;
module_param(halt_poll_ns, uint, 0644);
MODULE_PARM_DESC(halt_poll_ns, "longest time a halted vCPU polls before it sleeps, ns (default 200000; 0: never)");

static unsigned int halt_poll_ns_grow = 2;
module_param(halt_poll_ns_grow, uint, 0644);
MODULE_PARM_DESC(halt_poll_ns_grow, "factor by which a vCPU's polling time grows (default 2)");

static unsigned int halt_poll_ns_grow_start = 10000;
module_param(halt_poll_ns_grow_start, uint, 0644);
MODULE_PARM_DESC(halt_poll_ns_grow_start, "first polling time that is not zero, ns (default 10000)");

static unsigned int halt_poll_ns_shrink;
module_param(halt_poll_ns_shrink, uint, 0644);
MODULE_PARM_DESC(halt_poll_ns_shrink, "divisor by which it shrinks (default 0: to zero at once)");

/* The guest may forbid it, the VMM may have its own maximum. */
static u32 halt_poll_limit(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	if (!vcpu->pv.poll_msr || vcpu->mp_state != KVM_MP_STATE_HALTED)
		return 0;
	if (smp_load_acquire(&vm->halt_poll_set)) /* pairs with enable_cap.c */
		return READ_ONCE(vm->halt_poll_ns);
	return READ_ONCE(halt_poll_ns);
}

/**
 * halt_poll() - wait for a while, with the CPU
 * @vcpu: owner thread, in no read section of vm->srcu
 * @start: now
 *
 * Return: there is something to do.
 */
bool halt_poll(struct vcpu *vcpu, u64 start)
{
	u32 limit = halt_poll_limit(vcpu);
	u64 end;

	vcpu->halt_poll_ns = min(vcpu->halt_poll_ns, limit);
	end = start + vcpu->halt_poll_ns;
	while (ktime_get_ns() < end) {
		if (!vcpu_stays_asleep(vcpu))
			return true;
		/* Who else wants this CPU may be the one that is to wake us. */
		if (!single_task_running() || need_resched() ||
		    signal_pending(current))
			return false;
		cpu_relax();
	}
	return false;
}

/**
 * halt_poll_learn() - it slept: should it have polled for longer, or not at all?
 * @vcpu: owner thread
 * @waited: all in all, ns
 */
void halt_poll_learn(struct vcpu *vcpu, u64 waited)
{
	u32 limit = halt_poll_limit(vcpu), shrink;
	u64 ns = vcpu->halt_poll_ns;

	if (waited > limit) {
		shrink = READ_ONCE(halt_poll_ns_shrink);
		vcpu->halt_poll_ns = shrink ? (u32)ns / shrink : 0;
	} else if (ns < limit) {
		ns *= READ_ONCE(halt_poll_ns_grow);
		ns = max_t(u64, ns, READ_ONCE(halt_poll_ns_grow_start));
		vcpu->halt_poll_ns = min_t(u64, ns, limit);
	}
}
