/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rest of the kernel must know around a guest entry: interrupts are on
 * for lockdep and tracing, RCU sees a quiescent CPU. Both vendors' run.c call
 * these around the entry itself, in noinstr code.
 */
#ifndef JOIST_COMPAT_GUEST_STATE_H
#define JOIST_COMPAT_GUEST_STATE_H

#include <linux/context_tracking.h>
#include <linux/ftrace.h>
#include <linux/instrumentation.h>
#include <linux/irqflags.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <asm/cpufeature.h>
#include <asm/nospec-branch.h>

/**
 * guest_state_enter() - the next thing this CPU runs is a guest
 * @rcu_due: RCU is to be told that this CPU is quiescent. Once for each tick that
 *           ended a guest's run is enough: it found the CPU in the kernel
 *
 * Context: interrupts off; nothing instrumented, traced or using RCU may run
 * until guest_state_exit().
 */
static __always_inline void guest_state_enter(bool rcu_due)
{
	instrumentation_begin();
	trace_hardirqs_on_prepare();
	lockdep_hardirqs_on_prepare();
	instrumentation_end();

	if (!context_tracking_guest_enter() && rcu_due) {
		instrumentation_begin();
#ifdef HAVE_RCU_VIRT_NOTE_CPU
		rcu_virt_note_context_switch(smp_processor_id());
#else
		rcu_virt_note_context_switch();
#endif
		instrumentation_end();
	}
	lockdep_hardirqs_on(CALLER_ADDR0);
}

/** guest_state_exit() - back from the guest, interrupts still off */
static __always_inline void guest_state_exit(void)
{
	lockdep_hardirqs_off(CALLER_ADDR0);
	context_tracking_guest_exit();

	instrumentation_begin();
	trace_hardirqs_off_finish();
	instrumentation_end();
}

/**
 * guest_state_distrust() - the guest may have trained this CPU's predictors
 *
 * Where the CPU is subject to VMSCAPE, the kernel clears them before the VMM's
 * userspace runs here.
 *
 * Context: interrupts off, after the guest has run on this CPU.
 */
static __always_inline void guest_state_distrust(void)
{
#ifdef HAVE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}

#endif
