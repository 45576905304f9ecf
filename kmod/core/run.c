// SPDX-License-Identifier: GPL-2.0-only
/* KVM_RUN: requests, events, the guest, its exit, and again. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/entry-kvm.h>
#include <linux/ktime.h>
#include <linux/kvm_para.h>
#include <linux/rcuwait.h>
#include <linux/sched/signal.h>
#include <trace/events/ipi.h>
#include <asm/fpu/api.h>

#include "admin.h"
#include "enter.h"
#include "exit.h"
#include "hardware.h"
#include "regs.h"
#include "run.h"
#include "state.h"
#include "vm.h"
#include "../compat/compat.h"
#include "../irqchip/irqchip.h"
#include "../x86/x86.h"

/* What cannot wait for the next entry of a halted vCPU. */
#define REQ_MASK_ASLEEP	(~(BIT(REQ_EVENT) | BIT(REQ_STEAL_UPDATE)))

static int request_triple_fault(struct vcpu *vcpu)
{
	return exit_shutdown(vcpu);
}

/* Until there is room again. */
static int request_ring_full(struct vcpu *vcpu)
{
	dirty_ring_complain(vcpu);
	vcpu_request(vcpu, REQ_DIRTY_RING_FULL);
	vcpu->run->exit_reason = KVM_EXIT_DIRTY_RING_FULL;
	return EXIT_USERSPACE;
}

static int request_ioapic_eoi(struct vcpu *vcpu)
{
	vcpu->run->exit_reason = KVM_EXIT_IOAPIC_EOI;
	vcpu->run->eoi.vector = vcpu->ioapic_eoi;
	return EXIT_USERSPACE;
}

static int request_tpr_access(struct vcpu *vcpu)
{
	vcpu->run->exit_reason = KVM_EXIT_TPR_ACCESS;
	vcpu->run->tpr_access.rip = vcpu->vapic.rip;
	vcpu->run->tpr_access.is_write = vcpu->vapic.is_write;
	return EXIT_USERSPACE;
}

/* NMIs coalesce: one in service, one waiting (two where none is masked). */
static void request_nmis(struct vcpu *vcpu)
{
	u32 limit = 2;

	if (vendor_call(get_nmi_mask)(vcpu) || vcpu->nmi_injected)
		limit = 1;
	vcpu->nmi_pending += atomic_xchg(&vcpu->nmi_queued, 0);
	vcpu->nmi_pending = min(vcpu->nmi_pending, limit);
	vcpu_request(vcpu, REQ_EVENT);
}

static void request_smi(struct vcpu *vcpu)
{
	vcpu->smi_pending = true;
	vcpu_request(vcpu, REQ_EVENT);
}

/* INIT and SIPI from another vCPU: reset, and start at the page it named. */
static void request_init_sipi(struct vcpu *vcpu)
{
	bool waiting = vcpu->mp_state == KVM_MP_STATE_INIT_RECEIVED;
	unsigned long events;
	u8 vector;

	/* Latched until RSM, which asks again. */
	if (vcpu->smm)
		return;
	events = lapic_take_init_sipi(vcpu->lapic, &vector, waiting);
	if (events & LAPIC_EVENT_INIT) {
		vcpu_reset(vcpu, true);
		vcpu->mp_state = vcpu->id == vcpu->vm->bsp_id ?
				 KVM_MP_STATE_RUNNABLE :
				 KVM_MP_STATE_INIT_RECEIVED;
	}
	if (events & LAPIC_EVENT_SIPI &&
	    vcpu->mp_state == KVM_MP_STATE_INIT_RECEIVED) {
		struct kvm_segment cs;

		vendor_call(get_segment)(vcpu, &cs, VCPU_SREG_CS);
		cs.selector = vector << 8;
		cs.base = vector << 12;
		vendor_call(set_segment)(vcpu, &cs, VCPU_SREG_CS);
		reg_write(vcpu, REG_RIP, 0);
		vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
	}
}

/* What others than the VMM want: REQ_PAUSE, REQ_DEAD. EXIT_RESUME or -errno. */
static int requests_admin(struct vcpu *vcpu)
{
	int ret = EXIT_RESUME;

	if (vcpu_check_request(vcpu, REQ_PAUSE))
		ret = vcpu_pause_wait(vcpu);
	return vcpu_test_request(vcpu, REQ_DEAD) ? -EIO : ret;
}

/* Everything but REQ_EVENT. EXIT_RESUME, EXIT_USERSPACE or -errno. */
static int requests_process(struct vcpu *vcpu)
{
	if (unlikely(READ_ONCE(vcpu->requests) & (BIT(REQ_PAUSE) | BIT(REQ_DEAD)))) {
		int ret = requests_admin(vcpu);

		if (ret != EXIT_RESUME)
			return ret;
	}
	if (vcpu_check_request(vcpu, REQ_TRIPLE_FAULT))
		return request_triple_fault(vcpu);
	if (vcpu_check_request(vcpu, REQ_DIRTY_RING_FULL) &&
	    dirty_ring_full(&vcpu->dirty_ring))
		return request_ring_full(vcpu);
	if (vcpu_check_request(vcpu, REQ_DEBUG)) {
		guest_debug_exit(vcpu);
		return EXIT_USERSPACE;
	}
	if (vcpu_check_request(vcpu, REQ_INIT_SIPI) && vcpu->lapic)
		request_init_sipi(vcpu);
	if (vcpu_check_request(vcpu, REQ_APICV))
		vendor_call(update_apicv)(vcpu);
	if (vcpu_check_request(vcpu, REQ_APIC_TIMER) && vcpu->lapic)
		lapic_timer_inject(vcpu->lapic);
	if (vcpu_check_request(vcpu, REQ_TIMER_REARM) && vcpu->lapic)
		lapic_timer_update(vcpu->lapic);
	if (vcpu_check_request(vcpu, REQ_NMI))
		request_nmis(vcpu);
	if (vcpu_check_request(vcpu, REQ_SMI))
		request_smi(vcpu);
	if (vcpu_check_request(vcpu, REQ_CLOCK_UPDATE)) {
		pv_clock_update(vcpu);
		hv_clock_update(vcpu);
	}
	if (vcpu_check_request(vcpu, REQ_HV_TIMER))
		hv_timers_run(vcpu);
	/* Before the flushes: it may ask for one. */
	if (vcpu_check_request(vcpu, REQ_STEAL_UPDATE))
		pv_steal_update(vcpu);
	if (vcpu_check_request(vcpu, REQ_APF))
		pv_apf_ready(vcpu);
	if (vcpu_check_request(vcpu, REQ_LOAD_ROOT))
		vendor_call(load_root)(vcpu,
				       vcpu->vm->mmu.root[vcpu_space(vcpu)],
				       vcpu->vm->mmu.level);
	if (vcpu_check_request(vcpu, REQ_TLB_FLUSH)) {
		clear_bit(REQ_TLB_FLUSH_GUEST, &vcpu->requests);
		vendor_call(flush_tlb)(vcpu);
	}
	if (vcpu_check_request(vcpu, REQ_TLB_FLUSH_GUEST))
		vendor_call(flush_tlb_guest)(vcpu);
	if (vcpu_check_request(vcpu, REQ_MSR_FILTER))
		vendor_call(update_msr_intercepts)(vcpu);
	if (vcpu_check_request(vcpu, REQ_PORTS))
		vendor_call(load_ports)(vcpu);
	if (vcpu_check_request(vcpu, REQ_TRACE))
		vcpu_trace_update(vcpu);
	vcpu_check_request(vcpu, REQ_KICK);
	/* Those that leave are the last: nothing else is put off by them. */
	if (vcpu_check_request(vcpu, REQ_STOP) && vcpu_stop_exit(vcpu) == EXIT_USERSPACE)
		return EXIT_USERSPACE;
	if (vcpu_check_request(vcpu, REQ_HYPERV))
		return hv_exit(vcpu);
	if (vcpu_check_request(vcpu, REQ_TPR_ACCESS))
		return request_tpr_access(vcpu);
	if (vcpu_check_request(vcpu, REQ_IOAPIC_EOI))
		return request_ioapic_eoi(vcpu);
	if (vcpu_check_request(vcpu, REQ_BUS_LOCK)) {
		vcpu->run->exit_reason = KVM_EXIT_X86_BUS_LOCK;
		return EXIT_USERSPACE;
	}
	return EXIT_RESUME;
}

/* Without an in-kernel PIC the VMM injects: it may ask to be told when the guest
 * would take an interrupt.
 */
static bool wants_irq_window(struct vcpu *vcpu)
{
	return READ_ONCE(vcpu->run->request_interrupt_window) &&
	       irqchip_takes_user_irq(vcpu);
}

static int events_prepare(struct vcpu *vcpu, bool *exit_now)
{
	bool window = wants_irq_window(vcpu);
	int err;

	if (!vcpu_check_request(vcpu, REQ_EVENT) && !window)
		return 0;
	vcpu_srcu_hold(vcpu);
	vcpu->stat.event_checks++;
	err = inject_events(vcpu, exit_now);
	if (err)
		return err;
	if (vcpu->pv.eoi_msr & KVM_MSR_ENABLED)
		pv_eoi_offer(vcpu);
	if (window)
		vendor_call(irq_window)(vcpu);
	if (vcpu->lapic)
		vendor_call(update_tpr)(vcpu, lapic_get_cr8(vcpu->lapic) << 4,
					lapic_highest_irr(vcpu->lapic));
	if (unlikely(vcpu->vapic.gpa))
		vapic_before_entry(vcpu);
	return 0;
}

static noinline void shared_memory_read(struct vcpu *vcpu)
{
	vcpu_srcu_hold(vcpu);
	if (vcpu->pv.eoi_offered)
		pv_eoi_sync(vcpu);
	if (vcpu->pv.apf_telling)
		pv_apf_entered(vcpu);
	if (vcpu->vapic.gpa)
		vapic_after_exit(vcpu);
}

/* After an exit, or as if after one: what the guest has written to shared memory. */
static void guest_left_shared(struct vcpu *vcpu)
{
	if (unlikely(vcpu->pv.eoi_offered || vcpu->pv.apf_telling ||
		     vcpu->vapic.gpa))
		shared_memory_read(vcpu);
}

/* Instead of an entry, some instructions. Whoever changes slots waits for the end of
 * the section that they are in.
 */
static int guest_interpret(struct vcpu *vcpu)
{
	int ret;

	vcpu_srcu_hold(vcpu);
	ret = interpret_guest(vcpu);
	if (vcpu->lapic)
		lapic_timer_poll(vcpu->lapic);
	guest_left_shared(vcpu);
	vcpu_srcu_drop(vcpu);
	return ret;
}

/* It was not entered after all, or is to be left at once. */
static int guest_not_entered(struct vcpu *vcpu)
{
	int ret = this_cpu_read(hardware_on) ? EXIT_RESUME : -EIO;

	/* What was done as IN_GUEST comes before. */
	smp_store_release(&vcpu->mode, VCPU_OUTSIDE);
	local_irq_enable();
	preempt_enable();
	vendor_call(cancel_injection)(vcpu);
	return ret;
}

/* What became of an exit. EXIT_RESUME, EXIT_USERSPACE or -errno. */
static int guest_exited(struct vcpu *vcpu, enum hot hot)
{
	guest_left_shared(vcpu);
	switch (hot) {
	case HOT_USERSPACE:
		vcpu->straight = straight_possible(vcpu);
		return EXIT_USERSPACE;
	case HOT_NO:
		vcpu_srcu_hold(vcpu);
		vendor_call(decode_exit)(vcpu);
		return exit_handle(vcpu);
	default:
		return EXIT_RESUME;
	}
}

/* One entry and its exit. EXIT_RESUME, EXIT_USERSPACE or -errno. */
static int guest_enter(struct vcpu *vcpu)
{
	bool exit_now = false;
	enum hot hot;
	int ret;

	/* An interrupt that has come is most often all there is. */
	if (READ_ONCE(vcpu->requests) & ~BIT(REQ_EVENT)) {
		vcpu_srcu_hold(vcpu);
		ret = requests_process(vcpu);
		if (ret != EXIT_RESUME)
			return ret;
		if (vcpu->mp_state != KVM_MP_STATE_RUNNABLE)
			return EXIT_RESUME;
	}
	ret = events_prepare(vcpu, &exit_now);
	if (ret)
		return ret;
	if (unlikely(vcpu->enter_unsure) && !vendor_call(can_enter)(vcpu))
		return guest_interpret(vcpu);
	if (unlikely(vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP)) {
		vcpu_srcu_hold(vcpu);
		if (!vendor_call(step_prepare)(vcpu))
			return guest_debug_emulate(vcpu);
	}

	vcpu_srcu_drop(vcpu);
	preempt_disable();
	local_irq_disable();
	vendor_call(prepare_guest)(vcpu);
	/*
	 * From here a kicker sends an interrupt, before it the request is seen:
	 * pairs with the full barrier of set_bit and cmpxchg in vcpu_kick().
	 */
	smp_store_mb(vcpu->mode, VCPU_IN_GUEST);
	if (must_not_enter(vcpu))
		return guest_not_entered(vcpu);
	if (unlikely(exit_now)) {
		smp_send_reschedule(vcpu->cpu);
		vcpu_request(vcpu, REQ_EVENT);
	}
	/* Somebody used the FPU since: the guest's registers are in memory. */
	if (unlikely(test_thread_flag(TIF_NEED_FPU_LOAD)))
		switch_fpu_return();
	hot = guest_run(vcpu);
	guest_stay_ends(vcpu);
	return guest_exited(vcpu, hot);
}

static bool event_on_its_way(struct vcpu *vcpu)
{
	return vcpu->exception.pending || vcpu_event_injected(vcpu);
}

/**
 * vcpu_runnable() - would this vCPU execute instructions now?
 * @vcpu: loaded, vcpu->mutex held
 */
bool vcpu_runnable(struct vcpu *vcpu)
{
	bool halted = vcpu->mp_state == KVM_MP_STATE_HALTED;

	if (vcpu->mp_state == KVM_MP_STATE_RUNNABLE && !vcpu->pv.apf_halted)
		return true;
	if (vcpu->mp_state != KVM_MP_STATE_RUNNABLE && !halted)
		return false;
	if (event_on_its_way(vcpu) || smm_smi_ready(vcpu))
		return true;
	if (vcpu->nmi_pending && vendor_call(nmi_allowed)(vcpu))
		return true;
	if (halted && READ_ONCE(vcpu->pv_unhalted))
		return true;
	return vcpu->lapic && vendor_call(irq_allowed)(vcpu) &&
	       irqchip_has_irq(vcpu);
}

/**
 * vcpu_stays_asleep() - is there nothing a halted vCPU would wake for?
 * @vcpu: loaded, vcpu->mutex held
 */
bool vcpu_stays_asleep(struct vcpu *vcpu)
{
	return !(READ_ONCE(vcpu->requests) & REQ_MASK_ASLEEP) &&
	       !vcpu_runnable(vcpu);
}

/* With interrupts off: for good, as far as it knows. */
static bool sleeps_masked(struct vcpu *vcpu)
{
	return vcpu->mp_state == KVM_MP_STATE_HALTED &&
	       !(vcpu_rflags(vcpu) & X86_EFLAGS_IF);
}

/* Sleep until there is something to run, to process or a signal. */
static int vcpu_sleep(struct vcpu *vcpu)
{
	u64 start = ktime_get_ns();

	if (unlikely(sleeps_masked(vcpu)))
		registry_note_halt(vcpu);
	if (vcpu->lapic)
		lapic_timer_to_host(vcpu->lapic);
	vcpu_srcu_drop(vcpu);
	vcpu->stat.halts++;
	if (halt_poll(vcpu, start))
		goto out;
	WRITE_ONCE(vcpu->asleep, JOIST_VCPU_STATE_HALTED);
	prepare_to_rcuwait(&vcpu->wait);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!vcpu_stays_asleep(vcpu) || signal_pending(current))
			break;
		schedule();
	}
	finish_rcuwait(&vcpu->wait);
	WRITE_ONCE(vcpu->asleep, JOIST_VCPU_STATE_USERSPACE);
	halt_poll_learn(vcpu, ktime_get_ns() - start);
out:
	vcpu_srcu_hold(vcpu);
	return requests_process(vcpu);
}

static int vcpu_halted(struct vcpu *vcpu)
{
	int ret = vcpu_sleep(vcpu);

	if (ret != EXIT_RESUME)
		return ret;
	/* What comes in goes first, then it finds the page still missing. */
	if (vcpu->pv.apf_halted && vcpu_runnable(vcpu)) {
		vcpu->pv.apf_halted = false;
		vcpu_request(vcpu, REQ_EVENT);
	}
	if (vcpu->mp_state != KVM_MP_STATE_HALTED || !vcpu_runnable(vcpu))
		return EXIT_RESUME;
	vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
	vcpu->halted_masked = false;
	vcpu_request(vcpu, REQ_EVENT);
	/* From here RSM can go back to the HLT. */
	if (smm_smi_ready(vcpu) && !event_on_its_way(vcpu))
		return smm_enter(vcpu, true) ?: EXIT_RESUME;
	WRITE_ONCE(vcpu->pv_unhalted, false);
	return EXIT_RESUME;
}

/*
 * After each switch of threads the flag is set, for the rseq area: that is for userspace,
 * and has time until this thread is there. It is set again then.
 */
static bool resume_work_waits(struct vcpu *vcpu)
{
	clear_thread_flag(TIF_NOTIFY_RESUME);
	smp_mb__after_atomic();	/* pairs with task_work_add() */
	vcpu->resume_work = !compat_resume_work_urgent();
	if (!vcpu->resume_work)
		set_thread_flag(TIF_NOTIFY_RESUME);
	return vcpu->resume_work;
}

/*
 * The thread's own business between two entries. Work that only the way back
 * to userspace does (task_work, cgroup throttling) sends the system call
 * there; it is restarted by itself and nothing of it is seen.
 */
static int thread_work(struct vcpu *vcpu)
{
	if (need_resched()) {
		vcpu_srcu_drop(vcpu);
		cond_resched();
	}
	/* One that came meanwhile, too: the restart below would hide it. */
	if (signal_pending(current)) {
		vcpu->run->exit_reason = KVM_EXIT_INTR;
		vcpu->stat.signal_exits++;
		return -EINTR;
	}
	if (test_thread_flag(TIF_NOTIFY_RESUME) && !resume_work_waits(vcpu))
		return -ERESTARTNOINTR;
	return EXIT_RESUME;
}

/* Between two entries: EXIT_RESUME, EXIT_USERSPACE or -errno. */
static int run_pause(struct vcpu *vcpu)
{
	if (wants_irq_window(vcpu) && irq_injectable(vcpu)) {
		vcpu->run->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
		return EXIT_USERSPACE;
	}
	return __xfer_to_guest_mode_work_pending() ? thread_work(vcpu) : EXIT_RESUME;
}

/* @ret is what became of the entry before the first here, if there was one. */
static int run_loop(struct vcpu *vcpu, bool entered, int ret)
{
	for (;;) {
		if (entered) {
			if (ret == EXIT_RESUME)
				ret = run_pause(vcpu);
			if (ret != EXIT_RESUME)
				return ret;
		}
		entered = true;
		if (likely(vcpu->mp_state == KVM_MP_STATE_RUNNABLE &&
			   !vcpu->pv.apf_halted))
			ret = guest_enter(vcpu);
		else
			ret = vcpu_halted(vcpu);
	}
}

/* What the VMM wrote into the run page; what it is to find there after. */
static int run_page_in(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 cr8 = READ_ONCE(run->cr8);
	int err;

	if (unlikely(READ_ONCE(run->kvm_valid_regs) |
		     READ_ONCE(run->kvm_dirty_regs))) {
		vcpu_srcu_hold(vcpu);
		err = state_sync_in(vcpu);
		if (err)
			return err;
	}
	if (!vcpu->lapic && unlikely(cr8 != vcpu->cr8) && cr8_write(vcpu, cr8))
		return -EINVAL;
	return 0;
}

static int run_prepared(struct vcpu *vcpu)
{
	struct vcpu_io *io = &vcpu->io;
	int ret;

	if (io->complete) {
		int (*complete)(struct vcpu *vcpu) = io->complete;

		io->complete = NULL;
		vcpu_srcu_hold(vcpu);
		ret = complete(vcpu);
		if (ret != EXIT_RESUME)
			return ret;
	}
	/* A VMM that only completes an exit so still finds which one it was. */
	if (compat_immediate_exit(vcpu->run))
		return -EINTR;
	vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	if (signal_pending(current)) {
		vcpu->run->exit_reason = KVM_EXIT_INTR;
		return -EINTR;
	}
	return run_loop(vcpu, false, EXIT_RESUME);
}

/* The thread that runs a vCPU is remembered for the scheduler and for people. */
static void run_note_thread(struct vcpu *vcpu)
{
	struct pid *pid = task_pid(current), *old = vcpu->pid;

	if (likely(old == pid))
		return;
	spin_lock(&vcpu->pid_lock);	/* vcpu_yield_to() of others */
	WRITE_ONCE(vcpu->pid, get_pid(pid));
	spin_unlock(&vcpu->pid_lock);
	put_pid(old);
}

/*
 * The thread's mask during KVM_RUN. As in sigtimedwait(2), a signal that only this
 * mask lets in ends the wait, and is still there for the thread to take: real_blocked
 * keeps it from being ignored, or from killing the process, as it comes.
 */
static void run_signals_in(struct vcpu *vcpu)
{
	if (vcpu->sigset_active)
		sigprocmask(SIG_SETMASK, &vcpu->sigset, &current->real_blocked);
}

static void run_signals_out(struct vcpu *vcpu)
{
	if (!vcpu->sigset_active)
		return;
	sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
	sigemptyset(&current->real_blocked);
}

/* KVM_RUN ends: EXIT_USERSPACE or -errno. */
static int run_end(struct vcpu *vcpu, int ret)
{
	fpu_put_guest(vcpu);
	/* Restarted, it is not noticed by anybody: see vcpu_call() for who would. */
	if (unlikely(vcpu->pv.eoi_offered) && ret != -ERESTARTNOINTR) {
		vcpu_srcu_hold(vcpu);
		pv_eoi_retract(vcpu);
	}
	run_page_tell(vcpu);
	if (unlikely(READ_ONCE(vcpu->run->kvm_valid_regs))) {
		vcpu_srcu_hold(vcpu);
		state_sync_out(vcpu);
	}
	vcpu_put(vcpu);
	vcpu_srcu_drop(vcpu);
	run_signals_out(vcpu);
	if (unlikely(vcpu->resume_work)) {
		vcpu->resume_work = false;
		set_thread_flag(TIF_NOTIFY_RESUME);
	}
	/* Only with this flag, which sigprocmask() clears, is it restarted. */
	if (ret == -ERESTARTNOINTR)
		set_thread_flag(TIF_SIGPENDING);
	return ret;
}

/* The straight road led elsewhere: on from the exit. */
static int run_from_exit(struct vcpu *vcpu, enum hot hot)
{
	vcpu->straight = false;
	guest_stay_ends(vcpu);
	fpu_load_guest(vcpu);
	vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	return run_end(vcpu, run_loop(vcpu, true, guest_exited(vcpu, hot)));
}

static int run_from_start(struct vcpu *vcpu)
{
	int ret;

	vcpu->straight = false;
	run_note_thread(vcpu);
	if (unlikely(!vcpu->ran)) {
		vcpu->ran = true;
		registry_note_start(vcpu);
	}
	/* The VMM may have changed what it halted for: it will see. */
	vcpu->pv.apf_halted = false;
	run_signals_in(vcpu);
	vcpu_load(vcpu);
	fpu_load_guest(vcpu);

	ret = run_page_in(vcpu);
	if (unlikely(vcpu->pv.apf_telling)) {
		vcpu_srcu_hold(vcpu);
		pv_apf_settle(vcpu);
	}
	if (!ret)
		ret = run_prepared(vcpu);
	return run_end(vcpu, ret);
}

/**
 * vcpu_run_long() - KVM_RUN, but for what run_straight() does
 * @vcpu: vcpu->mutex held
 * @hot: what became of that; HOT_AGAIN: the vCPU is not loaded
 *
 * Return: see vcpu_run().
 */
int vcpu_run_long(struct vcpu *vcpu, enum hot hot)
{
	lockdep_assert_held(&vcpu->mutex);
	return hot == HOT_AGAIN ? run_from_start(vcpu) : run_from_exit(vcpu, hot);
}
