/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests: one word of pending work per vCPU. Anyone may set a bit and kick;
 * the vCPU's own thread consumes it before the next guest entry. The hot loop
 * of a vendor's run.c may re-enter the guest only while this word is zero.
 */
#ifndef JOIST_CORE_REQUEST_H
#define JOIST_CORE_REQUEST_H

enum request {
	REQ_EVENT,		/* look for something to inject */
	REQ_TLB_FLUSH,		/* nested translations changed: flush this vCPU's */
	REQ_TLB_FLUSH_GUEST,	/* guest's own linear translations only */
	REQ_LOAD_ROOT,		/* the paging root went away: load the new one */
	REQ_TRIPLE_FAULT,
	REQ_NMI,		/* nmi_queued is not zero */
	REQ_SMI,		/* KVM_SMI, an SMI from a local APIC or an MSI */
	REQ_APIC_TIMER,		/* lapic timer expired: lapic_timer_inject() */
	REQ_TIMER_REARM,	/* lapic timer: another CPU, or the guest's TSC jumped */
	REQ_CLOCK_UPDATE,	/* rewrite the guest's pvclock page */
	REQ_STEAL_UPDATE,	/* tell the guest of steal time, and that it runs */
	REQ_APF,		/* pages that the guest waits for are there */
	REQ_APICV,		/* how the CPU virtualizes the local APIC: look again */
	REQ_INIT_SIPI,		/* lapic has INIT or SIPI pending */
	REQ_DEBUG,		/* vcpu->debug says what the VMM is to see */
	REQ_MSR_FILTER,		/* vm->msr_filter changed: recompute intercepts */
	REQ_HV_TIMER,		/* synthetic timers expired or are to be started */
	REQ_HYPERV,		/* hv.exit: leave, and tell userspace */
	REQ_DIRTY_RING_FULL,	/* the VMM has to read the vCPU's ring first */
	REQ_IOAPIC_EOI,		/* the IOAPIC in userspace is told of vcpu->ioapic_eoi */
	REQ_TPR_ACCESS,		/* userspace is told of vcpu->vapic */
	REQ_BUS_LOCK,		/* leave: vcpu->bus_lock */
	REQ_PAUSE,		/* wait for the end of vm_pause() */
	REQ_STOP,		/* leave: the VMM is to end the VM */
	REQ_DEAD,		/* the VM was killed; stays for ever */
	REQ_PORTS,		/* other ports are the guest's: vm->admin.ports */
	REQ_TRACE,		/* other exits of the VM are traced: vm_trace() */
	REQ_KICK,		/* leave the guest, nothing else */
	NR_REQUESTS,
};

#endif
