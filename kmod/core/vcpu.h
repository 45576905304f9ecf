/* SPDX-License-Identifier: GPL-2.0-only */
/* struct vcpu: one virtual CPU, and what every part of the module asks of it. */
#ifndef JOIST_CORE_VCPU_H
#define JOIST_CORE_VCPU_H

#include <linux/cpumask.h>
#include <linux/kvm.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcuwait.h>
#include <linux/hrtimer.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/pvclock-abi.h>

#include "types.h"
#include "dirty_ring.h"
#include "exit.h"
#include "request.h"
#include "../x86/features.h"
#include "../x86/hyperv.h"
#include "../x86/mtrr.h"
#include "../x86/pv.h"

struct vm;
struct lapic;
struct vcpu_mce;

/*
 * The register cache. The first 16 are numbered as instructions encode them.
 * A register whose bit in regs_avail is clear lives in the VMCS/VMCB and is
 * fetched by vendor_call(cache_reg); one whose bit in regs_dirty is set must
 * be written there before entry. RAX..R15 less RSP are always available.
 */
enum vcpu_reg {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	REG_RIP,
	REG_RFLAGS,
	NR_REGS_STORED,		/* above: stored in regs[] */
	REG_CR0 = NR_REGS_STORED,	/* below: stored in fields of their own */
	REG_CR3,
	REG_CR4,
	NR_REGS,
};

enum vcpu_mode {
	VCPU_OUTSIDE,		/* not in guest mode: requests are seen before entry */
	VCPU_IN_GUEST,		/* an IPI is needed to make it see a request */
	VCPU_EXITING,		/* the IPI is already on its way */
};

/**
 * struct pending_exception - an exception on its way into the guest
 * @pending: raised by the core, not yet given to the hardware
 * @injected: given to the hardware, which has not yet delivered it
 * @vector: 0..31
 * @has_error: an error code is pushed
 * @error: that code
 * @payload_valid: CR2 (#PF) or DR6 bits (#DB) are to be set at delivery
 * @payload: those
 */
struct pending_exception {
	bool pending;
	bool injected;
	u8 vector;
	bool has_error;
	u32 error;
	bool payload_valid;
	u64 payload;
};

/**
 * struct pending_interrupt - an interrupt given to the hardware
 * @pending: from KVM_INTERRUPT, waits until the guest can take one
 * @injected: given to the hardware, not yet delivered
 * @soft: INTn/INT3/INTO: RIP advances by the instruction's length
 * @vector: 0..255
 */
struct pending_interrupt {
	bool pending;
	bool injected;
	bool soft;
	u8 vector;
};

/* Reads of devices that userspace answered, replayed when the instruction is
 * emulated again; and the writes it is still to be told of.
 */
#define MMIO_MAX_FRAGMENTS	4

struct mmio_fragment {
	gpa_t gpa;
	u8 len;			/* 1..8 bytes */
	u8 data[8];
};

/**
 * struct vcpu_io - an instruction that userspace helps to complete
 * @complete: called on the next KVM_RUN, before the guest is entered again;
 *            returns an exit_result or -errno
 * @reads: answered reads of the instruction under way
 * @nr_reads: how many
 * @next_read: replay position
 * @read_pending: the last of @reads still waits for userspace
 * @writes: posted writes of the instruction under way
 * @nr_writes: how many
 * @next_write: first that userspace has not seen
 * @atomic: a device in the kernel took it that is asked with interrupts off, too
 * @again: emulates the instruction under way once more, with its answers
 * @pio_pending: the instruction's IN waits for userspace
 * @pio_count: how many values it was asked for
 * @pio_left: answered values of which the guest has not got, in the pio page
 * @pio_next: where in it the first of them is
 * @pio_out: the instruction's OUT is to be told to userspace
 * @pio_port: of these
 * @pio_size: bytes: 1, 2, 4
 * @skip: from mmio_hot() to its caller
 *
 * Protected by vcpu->mutex.
 */
struct vcpu_io {
	int (*complete)(struct vcpu *vcpu);
	struct mmio_fragment reads[MMIO_MAX_FRAGMENTS];
	u8 nr_reads;
	u8 next_read;
	bool read_pending;
	struct mmio_fragment writes[MMIO_MAX_FRAGMENTS];
	u8 nr_writes;
	u8 next_write;
	bool atomic;
	bool pio_pending;
	bool pio_out;
	u16 pio_port;
	u8 pio_size;
	u8 skip;
	u16 pio_count;
	u16 pio_left;
	u16 pio_next;
	int (*again)(struct vcpu *vcpu);
};

/* In guest_debug.control, and not the VMM's: exits are traced, so that all go the long way. */
#define GUEST_DEBUG_TRACED	BIT(31)

/**
 * struct guest_debug - the VMM debugs the guest
 * @control: KVM_GUESTDBG_*, 0: it does not; GUEST_DEBUG_TRACED
 * @vector: what the VMM is to see: #DB or #BP
 * @dr6: and why: bits of DR6
 * @dr: breakpoints of the VMM's, in the CPU while it uses hardware breakpoints
 * @dr7: and their control
 * @step: what the last entry stepped over by RFLAGS.TF: x86/step.c
 * @step_insn: what the instruction does with it
 * @step_tf: the guest's own TF
 * @step_masked: SYSCALL's mask has TF, but for the step
 * @step_rip: address of the instruction
 *
 * Protected by vcpu->mutex.
 */
struct guest_debug {
	u32 control;
	u8 vector;
	u64 dr6;
	u64 dr[4];
	u64 dr7;
	enum { STEP_NONE, STEP_EVENT, STEP_INSN } step;
	enum {
		STEP_INSN_PLAIN,
		STEP_INSN_LOADS,	/* from elsewhere: IRET, SYSRET */
		STEP_INSN_SYSCALL,	/* keeps it in R11 */
	} step_insn;
	bool step_tf;
	bool step_masked;
	u64 step_rip;
};

/* What is counted besides exits, in the order of the statistics file. */
#define VCPU_COUNTERS(X)						\
	X(entries)							\
	X(irq_injections)						\
	X(nmi_injections)						\
	X(page_faults)							\
	X(halts)							\
	X(signal_exits)							\
	X(event_checks)							\
	X(insn_emulations)						\
	X(cache_flushes)

#define VCPU_COUNTER(name)	u64 name;

struct vcpu_stat {
	u64 exits[NR_EXIT_KINDS];
	VCPU_COUNTERS(VCPU_COUNTER)
};
#undef VCPU_COUNTER

/**
 * struct vcpu_vapic - the task priority between a guest and its VMM
 * @gpa: word of guest memory that has it; 0: none
 * @told: priority that the word had when it was last written or read
 * @reporting: accesses of its register exit
 * @is_write: the one to be reported, REQ_TPR_ACCESS
 * @rip: of its instruction
 */
struct vcpu_vapic {
	gpa_t gpa;
	u8 told;
	bool reporting;
	bool is_write;
	u64 rip;
};

/**
 * struct vcpu - one virtual CPU
 *
 * Protection: (m) vcpu->mutex, held for every vCPU ioctl and all of KVM_RUN;
 * (a) atomic; (c) constant after creation; (o) only the CPU it is loaded on,
 * preemption off; others say so.
 */
struct vcpu {
	struct vm *vm;			/* (c) */
	u32 id;				/* (c) APIC id at reset */
	u32 idx;			/* (c) position in vm->vcpus */
	struct mutex mutex;
	unsigned long requests;		/* (a) enum request */
	int mode;			/* (a) enum vcpu_mode */
	int cpu;			/* (o) written; read by kickers; -1 when not loaded */
	int last_cpu;			/* (o) written: where it was loaded last; -1: never */
	cpumask_var_t ran_on;		/* (o) since its last WBINVD, or more */
	struct kvm_run *run;		/* (c) shared with the VMM: read once */
	void *pio_data;			/* (c) second page of the run mapping */
	/* (m) and pid_lock written: thread that last ran it; compared racily. */
	struct pid *pid;
	spinlock_t pid_lock;		/* innermost */
	struct rcuwait wait;		/* halted thread, if any */
	struct preempt_notifier preempt_notifier;	/* (m) */
	u8 asleep;			/* (m) HALTED, PAUSED of enum joist_vcpu_state, or not */
	bool halted_masked;		/* (m) it waits with interrupts off, and that is known */
	bool resume_work;		/* (o) TIF_NOTIFY_RESUME was put off until KVM_RUN ends */
	int srcu_idx;			/* (m) vm->srcu read section of KVM_RUN; -1: outside */
	struct exit exit;		/* (m) the last exit */
	struct vcpu_stat stat;		/* (m) written; read racily */
	sigset_t sigset;		/* (m) KVM_SET_SIGNAL_MASK */
	bool sigset_active;		/* (m) */
	bool bus_lock;			/* (m) userspace is to hear of one */
	u16 host_vector;		/* (o) of the host: its interrupt is taken, not handled */
	bool rcu_due;			/* (o) a host interrupt ended its last run */
	bool l1d_exposed;		/* (o) the L1 cache may hold secrets: vmx/l1tf.c */
	bool straight;			/* (m) KVM_RUN may begin on the straight road */
	bool enter_unsure;		/* (m) ask can_enter before an entry */
	bool guest_state_loaded;	/* (o) host state is saved, guest's is in the CPU */

	/* Registers: all (m). */
	u64 regs[NR_REGS_STORED];
	u32 regs_avail;
	u32 regs_dirty;
	u64 cr0;
	u64 cr0_guest_owned;		/* bits read from hardware */
	u64 cr2;
	u64 cr3;
	u64 cr4;
	u64 cr4_guest_owned;		/* never OSXSAVE or PKE */
	u64 pdptrs[4];			/* set before set_cr* when PAE paging starts */
	u64 cr8;			/* without an in-kernel lapic */
	u64 efer;
	u64 xcr0;
	u64 xss;
	u32 pkru;			/* valid while not in fpu_enter/fpu_leave */
	u32 host_pkru;			/* of this thread, during KVM_RUN */
	bool fpu_quick;			/* (c) fpu_quick.c knows this kernel's buffers */
	u8 fpu_switched;		/* (o) what fpu_leave() has to undo */
	u64 apic_base;
	u64 dr[4];
	u64 dr6;
	u64 dr7;
	u64 dr7_hw;			/* in the CPU: dr7, or a debugger's */
	struct guest_debug debug;
	u64 pat;
	u64 tsc_aux;
	u64 misc_enable;
	u64 smbase;
	u64 smi_count;			/* MSR_SMI_COUNT */
	struct mtrr mtrr;
	u64 spec_ctrl;
	u64 arch_capabilities;
	u64 ucode_rev;
	u64 power_ctl;			/* kept, no more */
	u64 platform_info;
	u64 misc_features;		/* MISC_FEATURES_ENABLES */

	/* Events: (m). */
	struct pending_exception exception;
	struct pending_interrupt interrupt;
	bool nmi_injected;
	u32 nmi_pending;		/* to be injected, at most 2 */
	atomic_t nmi_queued;		/* (a) KVM_NMI and NMI IPIs */
	bool smm;			/* in system management mode */
	bool smi_pending;		/* at most one, also while in SMM */
	bool smm_inside_nmi;		/* NMIs were blocked when it entered SMM */
	u32 halt_poll_ns;		/* (m) how long it polls before it sleeps */
	u32 mp_state;			/* (m) KVM_MP_STATE_*; lapic sets through requests */

	/* Interrupt controller. */
	struct lapic *lapic;		/* (c) NULL without irqchip, whole or split */
	s16 extint;			/* (m) split: the PIC's vector, -1: none */
	u8 ioapic_eoi;			/* (m) split: vector of REQ_IOAPIC_EOI */
	struct vcpu_vapic vapic;	/* (m) */

	/* CPUID: (m), fixed once the vCPU ran. */
	struct kvm_cpuid_entry2 *cpuid;
	u32 cpuid_nent;
	const struct kvm_cpuid_entry2 *cpuid_last;	/* row of the last CPUID, or NULL */
	struct guest_features feat;
	bool ran;			/* KVM_RUN happened: CPUID is frozen */

	/* Time: (m). */
	u64 tsc_offset;			/* guest TSC = host TSC * ratio + offset */
	u64 tsc_ratio;			/* fixed point, tsc_scaling.bits */
	u32 tsc_khz;			/* as the VMM wants it */
	u32 clock_mul;			/* ns = (guest TSC << shift) * mul >> 32 */
	s8 clock_shift;
	u64 tsc_adjust;
	u64 tsc_lost;			/* (o) host's loss that the offset makes up for */
	u64 tsc_left;			/* (o) guest TSC when last put, if unstable */
	u64 pv_time_msr;		/* MSR_KVM_SYSTEM_TIME_NEW */
	struct pvclock_vcpu_time_info pv_time;
	bool pv_unhalted;		/* (a) set by others: its next HLT is over at once */
	bool pv_enforced;		/* what feat.pv does not have is not there */
	struct pv_vcpu pv;		/* (m) */

	struct hv_vcpu hv;
	struct dirty_ring dirty_ring;	/* says itself */
	struct vcpu_mce *mce;		/* (c) what it holds: (m) */
	struct fpu_guest fpu;		/* (m) */
	struct vcpu_io io;		/* (m) */
	u64 last_fault_gpa;		/* (m) for reports */
	unsigned long moved;		/* (o) written: jiffies when last_cpu changed */
	u32 irqs_follow;		/* vm->bypass.lock to write: host interrupts that do */
	struct emu *emu;		/* (c) scratch of the emulator glue */
};

/* The mapping a VMM makes of a vCPU: the run page, the page of port data, the
 * VM's ring of coalesced writes.
 */
#define VCPU_MMAP_PAGES	3

struct vcpu *vcpu_create(struct vm *vm, u32 id, u32 idx);
void vcpu_destroy(struct vcpu *vcpu);
struct file *vcpu_file(struct vcpu *vcpu);
void vcpu_follow(struct vcpu *vcpu);
void vcpu_moved(struct vcpu *vcpu, int cpu);
void vcpu_load(struct vcpu *vcpu);
void vcpu_put(struct vcpu *vcpu);
struct vcpu *vcpu_running(void);
void vcpu_reset(struct vcpu *vcpu, bool init);
void vcpu_kick(struct vcpu *vcpu);
void vcpu_wake(struct vcpu *vcpu);
bool vcpu_runnable(struct vcpu *vcpu);
bool vcpu_yield_to(struct vcpu *vcpu, struct vcpu *target);
void vcpu_yield(struct vcpu *vcpu);

/* Is an event with the hardware, not yet delivered? Its own thread only. */
static inline bool vcpu_event_injected(const struct vcpu *vcpu)
{
	return vcpu->exception.injected || vcpu->interrupt.injected ||
	       vcpu->nmi_injected;
}

/**
 * vcpu_request() - leave a request for a vCPU; does not kick
 * @vcpu: any vCPU of a live VM
 * @req: what is wanted
 *
 * Context: any, hard interrupts included.
 */
static inline void vcpu_request(struct vcpu *vcpu, enum request req)
{
	/* What the request announces is visible before the bit is. */
	smp_wmb();
	set_bit(req, &vcpu->requests);
}

/* The guest has locked the bus: userspace hears of it with the next exit there, which
 * is due now. Its own thread only.
 */
static inline void vcpu_bus_locked(struct vcpu *vcpu)
{
	vcpu->bus_lock = true;
	vcpu_request(vcpu, REQ_BUS_LOCK);
}

/* What it sees of guest memory: its own thread only. */
static inline enum space vcpu_space(struct vcpu *vcpu)
{
	return vcpu->smm ? SPACE_SMM : SPACE_NORMAL;
}

static inline bool vcpu_test_request(struct vcpu *vcpu, enum request req)
{
	return test_bit(req, &vcpu->requests);
}

/* Consume a request: true if it was set. The vCPU's own thread only. */
static inline bool vcpu_check_request(struct vcpu *vcpu, enum request req)
{
	if (!test_bit(req, &vcpu->requests))
		return false;
	clear_bit(req, &vcpu->requests);
	/* What it announced is read after: pairs with vcpu_request(). */
	smp_mb__after_atomic();
	return true;
}

#endif
