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

/**
 * guest_state_enter() - the next thing this CPU runs is a guest
 *
 * Context: interrupts off; nothing instrumented, traced or using RCU may run
 * until guest_state_exit().
 */
static __always_inline void guest_state_enter(void)
{
	instrumentation_begin();
	trace_hardirqs_on_prepare();
	lockdep_hardirqs_on_prepare();
	instrumentation_end();

	if (!context_tracking_guest_enter()) {
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

#endif
