// SPDX-License-Identifier: GPL-2.0-only
/* What is done about each kind of exit. The vendors have decoded it. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/nospec.h>
#include <linux/sched.h>
#include <asm/msr.h>
#include <asm/trapnr.h>
#include <uapi/asm/debugreg.h>

#include "admin.h"
#include "exit.h"
#include "io.h"
#include "regs.h"
#include "report.h"
#include "vm.h"
#include "../irqchip/irqchip.h"
#include "../x86/msr.h"
#include "../x86/quirk.h"
#include "../x86/x86.h"

/* Done with the instruction that exited. */
static int skip_and_resume(struct vcpu *vcpu)
{
	return vcpu_skip_insn(vcpu) ?: EXIT_RESUME;
}

static int fault_and_resume(struct vcpu *vcpu)
{
	exception_queue_error(vcpu, X86_TRAP_GP, 0);
	return EXIT_RESUME;
}

/**
 * exit_shutdown() - KVM_EXIT_SHUTDOWN, of a triple fault
 * @vcpu: owner thread
 *
 * Return: EXIT_USERSPACE.
 */
int exit_shutdown(struct vcpu *vcpu)
{
	registry_note_fault(vcpu, JOIST_FAULT_KIND_TRIPLE_FAULT, "triple fault");
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	return EXIT_USERSPACE;
}

/**
 * exit_internal_error() - KVM_EXIT_INTERNAL_ERROR
 * @vcpu: owner thread
 * @suberror: KVM_INTERNAL_ERROR_*
 *
 * Return: EXIT_USERSPACE.
 */
int exit_internal_error(struct vcpu *vcpu, u32 suberror)
{
	struct kvm_run *run = vcpu->run;

	if (suberror == KVM_INTERNAL_ERROR_EMULATION)
		registry_note_fault(vcpu, JOIST_FAULT_KIND_EMULATION_FAILURE,
				    "what the guest does is not emulated");
	else
		registry_note_fault(vcpu, JOIST_FAULT_KIND_INTERNAL,
				    suberror == KVM_INTERNAL_ERROR_DELIVERY_EV ?
				    "an event could not be delivered" :
				    "exit that joist does not know");
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = suberror;
	run->internal.ndata = 4;
	run->internal.data[0] = vcpu->exit.hw_reason;
	run->internal.data[1] = vcpu->exit.hw_info1;
	run->internal.data[2] = vcpu->exit.hw_info2;
	run->internal.data[3] = vcpu->exit.kind;
	return EXIT_USERSPACE;
}

/* What INVD would throw away may be the host's: it is written back, too. */
static int exit_wbinvd(struct vcpu *vcpu)
{
	wbinvd_guest(vcpu);
	return skip_and_resume(vcpu);
}

static int exit_nothing(struct vcpu *vcpu)
{
	return EXIT_RESUME;
}

static int exit_preempt_timer(struct vcpu *vcpu)
{
	if (vcpu->lapic)
		lapic_timer_poll(vcpu->lapic);
	return EXIT_RESUME;
}

static int exit_window(struct vcpu *vcpu)
{
	vcpu_request(vcpu, REQ_EVENT);
	return EXIT_RESUME;
}

static int exit_cpuid(struct vcpu *vcpu)
{
	if (vcpu->misc_features & MSR_MISC_FEATURES_ENABLES_CPUID_FAULT &&
	    vendor_call(get_cpl)(vcpu))
		return fault_and_resume(vcpu);
	cpuid_exit(vcpu);
	return skip_and_resume(vcpu);
}

static int exit_hlt(struct vcpu *vcpu)
{
	int err = vcpu_skip_insn(vcpu);

	if (err)
		return err;
	if (vcpu->lapic) {
		vcpu->mp_state = KVM_MP_STATE_HALTED;
		return EXIT_RESUME;
	}
	vcpu->run->exit_reason = KVM_EXIT_HLT;
	return EXIT_USERSPACE;
}

/* The guest spins: whoever holds what it waits for may be without a CPU. */
static int exit_pause(struct vcpu *vcpu)
{
	int err = vcpu_skip_insn(vcpu);

	if (err)
		return err;
	vcpu_yield(vcpu);
	return EXIT_RESUME;
}

static int exit_rdtsc(struct vcpu *vcpu)
{
	put_edx_eax(vcpu, tsc_guest(vcpu, rdtsc()));
	if (vcpu->exit.kind == EXIT_RDTSCP)
		reg_write(vcpu, REG_RCX, (u32)vcpu->tsc_aux);
	return skip_and_resume(vcpu);
}

static int exit_rdpmc(struct vcpu *vcpu)
{
	return fault_and_resume(vcpu);
}

static int exit_xsetbv(struct vcpu *vcpu)
{
	if (vendor_call(get_cpl)(vcpu) ||
	    xcr_write(vcpu, vcpu->regs[REG_RCX], get_edx_eax(vcpu)))
		return fault_and_resume(vcpu);
	return skip_and_resume(vcpu);
}

static int exit_undefined(struct vcpu *vcpu)
{
	exception_queue(vcpu, X86_TRAP_UD);
	return EXIT_RESUME;
}

static int exit_mwait(struct vcpu *vcpu)
{
	return quirk_mwait_undefined(vcpu) ? exit_undefined(vcpu) :
					     skip_and_resume(vcpu);
}

static int exit_hypercall(struct vcpu *vcpu)
{
	return pv_hypercall(vcpu);
}

static int exit_rdmsr(struct vcpu *vcpu)
{
	struct msr_access msr = { .index = vcpu->regs[REG_RCX] };
	int ret = msr_guest_get(vcpu, &msr);

	if (unlikely(ret))
		return msr_exit_failed(vcpu, &msr, false, ret);
	put_edx_eax(vcpu, msr.data);
	return skip_and_resume(vcpu);
}

static int exit_wrmsr(struct vcpu *vcpu)
{
	struct msr_access msr = {
		.index = vcpu->regs[REG_RCX],
		.data = get_edx_eax(vcpu),
	};
	int ret = msr_guest_set(vcpu, &msr);

	if (unlikely(ret))
		return msr_exit_failed(vcpu, &msr, true, ret);
	return skip_and_resume(vcpu);
}

static int exit_pio(struct vcpu *vcpu)
{
	if (vcpu->exit.pio.string)
		return emulate_vcpu(vcpu);
	return io_pio_exit(vcpu);
}

static int cr_write(struct vcpu *vcpu, int nr, u64 val)
{
	switch (nr) {
	case 0:
		return cr0_write(vcpu, val);
	case 3:
		return cr3_write(vcpu, val);
	case 4:
		return cr4_write(vcpu, val);
	case 8:
		return cr8_write(vcpu, val);
	}
	return 1;
}

static u64 cr_read(struct vcpu *vcpu, int nr)
{
	switch (nr) {
	case 0:
		return vcpu_cr0(vcpu);
	case 3:
		return vcpu_cr3(vcpu);
	case 4:
		return vcpu_cr4(vcpu);
	case 8:
		return cr8_read(vcpu);
	}
	return 0;
}

static u64 cr_gpr(struct vcpu *vcpu, int reg)
{
	u64 val = reg_read(vcpu, reg);

	return vcpu_64bit(vcpu) ? val : (u32)val;
}

/* Without a controller in the kernel the VMM wants to see CR8 fall. */
static int cr8_written(struct vcpu *vcpu, u64 old)
{
	int err = vcpu_skip_insn(vcpu);

	if (err || vcpu->lapic || cr8_read(vcpu) >= old)
		return err ?: EXIT_RESUME;
	vcpu->run->exit_reason = KVM_EXIT_SET_TPR;
	return EXIT_USERSPACE;
}

static int exit_cr(struct vcpu *vcpu)
{
	const struct exit *e = &vcpu->exit;
	u64 val, old_cr8;

	if (e->cr.decode)
		return emulate_vcpu(vcpu);
	if (!e->cr.write) {
		reg_write(vcpu, e->cr.reg & 15, cr_read(vcpu, e->cr.nr));
		return skip_and_resume(vcpu);
	}
	switch (e->cr.op) {
	case CR_CLTS:
		val = vcpu_cr0(vcpu) & ~X86_CR0_TS;
		break;
	case CR_LMSW:
		/* PE can be set so, never cleared. */
		val = (vcpu_cr0(vcpu) & ~0xeULL) | (e->cr.lmsw & 0xf);
		break;
	default:
		val = cr_gpr(vcpu, e->cr.reg & 15);
		break;
	}
	old_cr8 = cr8_read(vcpu);
	if (cr_write(vcpu, e->cr.nr, val))
		return fault_and_resume(vcpu);
	if (e->cr.nr == 8)
		return cr8_written(vcpu, old_cr8);
	return skip_and_resume(vcpu);
}

static int exit_dr(struct vcpu *vcpu)
{
	const struct exit *e = &vcpu->exit;
	u64 val;

	if (e->cr.decode)
		return emulate_vcpu(vcpu);
	if (vendor_call(get_cpl)(vcpu))
		return fault_and_resume(vcpu);
	if (e->cr.write) {
		if (dr_write(vcpu, e->cr.nr, cr_gpr(vcpu, e->cr.reg & 15)))
			return EXIT_RESUME;
	} else {
		if (dr_read(vcpu, e->cr.nr, &val))
			return EXIT_RESUME;
		reg_write(vcpu, e->cr.reg & 15, val);
	}
	return skip_and_resume(vcpu);
}

static int exit_page_fault(struct vcpu *vcpu)
{
	struct page_fault pf = {
		.gpa = vcpu->exit.fault.gpa,
		.access = vcpu->exit.fault.access,
		.nowait = pv_apf_possible(vcpu),
	};
	int ret;

	vcpu->stat.page_faults++;
	vcpu->last_fault_gpa = pf.gpa;
	ret = mmu_handle_fault(vcpu, &pf);
	if (ret == FAULT_WAIT) {
		if (pv_apf_start(vcpu, pf.gfn, pf.hva, pf.access & PF_WRITE))
			return EXIT_RESUME;
		pf.nowait = false;
		ret = mmu_handle_fault(vcpu, &pf);
	}
	if (ret != FAULT_EMULATE)
		return ret < 0 ? ret : EXIT_RESUME;
	/* A device cannot be where the CPU was pushing an event's frame. */
	if (vcpu_event_injected(vcpu))
		return exit_internal_error(vcpu, KVM_INTERNAL_ERROR_DELIVERY_EV);
	return emulate_vcpu(vcpu);
}

static int exit_rsm(struct vcpu *vcpu)
{
	return vcpu->smm ? emulate_vcpu(vcpu) : exit_undefined(vcpu);
}

/* Mostly intercepted for the host's safety: the guest gets what it raised. */
static int exit_exception(struct vcpu *vcpu)
{
	const struct exit *e = &vcpu->exit;

	switch (e->exc.vector) {
	case X86_TRAP_MC:
		return EXIT_RESUME;	/* the host has handled it */
	case X86_TRAP_UD:
		/* No CPU runs RSM in a guest: where it has no exit of its own. */
		if (vcpu->smm && vcpu_at_rsm(vcpu))
			return exit_rsm(vcpu);
		if (quirk_fix_hypercall(vcpu))
			return EXIT_RESUME;
		break;
	case X86_TRAP_DB:
		guest_debug_trap(vcpu, e->exc.payload);
		return EXIT_RESUME;
	case X86_TRAP_BP:
		if (!(vcpu->debug.control & KVM_GUESTDBG_USE_SW_BP))
			break;
		guest_debug_report(vcpu, X86_TRAP_BP, 0);
		return EXIT_RESUME;
	}
	event_delivery_faulted(vcpu);
	if (e->exc.vector == X86_TRAP_PF)
		exception_queue_payload(vcpu, X86_TRAP_PF, true, e->exc.error,
					e->exc.payload);
	else if (e->exc.has_error)
		exception_queue_error(vcpu, e->exc.vector, e->exc.error);
	else
		exception_queue(vcpu, e->exc.vector);
	return EXIT_RESUME;
}

static int exit_step(struct vcpu *vcpu)
{
	guest_debug_report(vcpu, X86_TRAP_DB, DR_STEP);
	return EXIT_RESUME;
}

static int exit_tpr_below(struct vcpu *vcpu)
{
	vcpu_request(vcpu, REQ_EVENT);
	if (vcpu->lapic)
		return EXIT_RESUME;
	vcpu->run->exit_reason = KVM_EXIT_SET_TPR;
	return EXIT_USERSPACE;
}

/* The instruction is over, and so is what the CPU does of it. */
static int exit_apic(struct vcpu *vcpu)
{
	switch (vcpu->exit.apic.op) {
	case APIC_EXIT_EOI:
		lapic_eoi_virtual(vcpu->lapic, vcpu->exit.apic.vector);
		break;
	case APIC_EXIT_WRITE:
		lapic_virtual_write(vcpu->lapic, vcpu->exit.apic.reg);
		break;
	case APIC_EXIT_WAKE:
		lapic_wake_targets(vcpu->lapic);
		break;
	}
	return EXIT_RESUME;
}

static int exit_triple_fault(struct vcpu *vcpu)
{
	return exit_shutdown(vcpu);
}

static int exit_bus_lock(struct vcpu *vcpu)
{
	vcpu_bus_locked(vcpu);
	return EXIT_RESUME;
}

/* The guest let no event in for the VM's window. */
static int exit_notify(struct vcpu *vcpu)
{
	bool invalid = vcpu->exit.notify.invalid;

	if (!invalid && !(vcpu->vm->notify_flags & KVM_X86_NOTIFY_VMEXIT_USER))
		return EXIT_RESUME;
	vcpu->run->exit_reason = KVM_EXIT_NOTIFY;
	vcpu->run->notify.flags = invalid ? KVM_NOTIFY_CONTEXT_INVALID : 0;
	return EXIT_USERSPACE;
}

/* Hardware task switches: no operating system of this century makes them. */
static int exit_task_switch(struct vcpu *vcpu)
{
	report_broken_guest(vcpu, "hardware task switch, which joist does not do");
	return exit_internal_error(vcpu, KVM_INTERNAL_ERROR_EMULATION);
}

static int exit_entry_failed(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	report_broken_guest(vcpu, "the CPU refused the guest's state");
	registry_note_fault(vcpu, JOIST_FAULT_KIND_ENTRY_FAILURE,
			    "the CPU refused the guest's state");
	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = vcpu->exit.fail.hw_code;
	run->fail_entry.cpu = raw_smp_processor_id();
	return EXIT_USERSPACE;
}

static int exit_unknown(struct vcpu *vcpu)
{
	report_broken_guest(vcpu, "exit that joist does not know");
	return exit_internal_error(vcpu, KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON);
}

static int (*const exit_handlers[NR_EXIT_KINDS])(struct vcpu *vcpu) = {
	[EXIT_NONE] = exit_nothing,
	[EXIT_INTR] = exit_nothing,
	[EXIT_NMI] = exit_nothing,
	[EXIT_IRQ_WINDOW] = exit_window,
	[EXIT_NMI_WINDOW] = exit_window,
	[EXIT_CPUID] = exit_cpuid,
	[EXIT_HLT] = exit_hlt,
	[EXIT_PAUSE] = exit_pause,
	[EXIT_INVD] = exit_wbinvd,
	[EXIT_WBINVD] = exit_wbinvd,
	[EXIT_INVLPG] = exit_unknown,
	[EXIT_RDPMC] = exit_rdpmc,
	[EXIT_RDTSC] = exit_rdtsc,
	[EXIT_RDTSCP] = exit_rdtsc,
	[EXIT_MONITOR] = exit_mwait,
	[EXIT_MWAIT] = exit_mwait,
	[EXIT_XSETBV] = exit_xsetbv,
	[EXIT_HYPERCALL] = exit_hypercall,
	[EXIT_RDMSR] = exit_rdmsr,
	[EXIT_WRMSR] = exit_wrmsr,
	[EXIT_PIO] = exit_pio,
	[EXIT_CR] = exit_cr,
	[EXIT_DR] = exit_dr,
	[EXIT_PAGE_FAULT] = exit_page_fault,
	[EXIT_EXCEPTION] = exit_exception,
	[EXIT_UNDEFINED] = exit_undefined,
	[EXIT_STEP] = exit_step,
	[EXIT_TASK_SWITCH] = exit_task_switch,
	[EXIT_TPR_BELOW] = exit_tpr_below,
	[EXIT_APIC] = exit_apic,
	[EXIT_SMI] = exit_nothing,
	[EXIT_RSM] = exit_rsm,
	[EXIT_TRIPLE_FAULT] = exit_triple_fault,
	[EXIT_BUS_LOCK] = exit_bus_lock,
	[EXIT_NOTIFY] = exit_notify,
	[EXIT_PREEMPT_TIMER] = exit_preempt_timer,
	[EXIT_LOG_FULL] = exit_nothing,
	[EXIT_ENTRY_FAILED] = exit_entry_failed,
	[EXIT_UNKNOWN] = exit_unknown,
};

/**
 * exit_handle() - do what the decoded exit asks for
 * @vcpu: owner thread, loaded, vm->srcu read section held
 *
 * Return: EXIT_RESUME, EXIT_USERSPACE with the run page filled in, or -errno
 * for KVM_RUN.
 */
int exit_handle(struct vcpu *vcpu)
{
	unsigned int kind = vcpu->exit.kind;

	if (WARN_ON_ONCE(kind >= NR_EXIT_KINDS))
		kind = EXIT_UNKNOWN;
	kind = array_index_nospec(kind, NR_EXIT_KINDS);
	vcpu->stat.exits[kind]++;
	if (unlikely(vcpu->debug.control & GUEST_DEBUG_TRACED))
		vcpu_trace_exit(vcpu);
	return exit_handlers[kind](vcpu);
}

/** exit_kind_name() - for reports, tracing and statistics */
const char *exit_kind_name(enum exit_kind kind)
{
	static const char * const names[NR_EXIT_KINDS] = {
#define X(name, str)						\
		[EXIT_##name] = str,
		EXIT_KINDS(X)
#undef X
	};

	return kind < NR_EXIT_KINDS ? names[kind] : "?";
}
