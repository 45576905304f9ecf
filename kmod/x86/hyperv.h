/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hyper-V's interface to its guests, by the Top Level Functional Specification:
 * what of it a VM and a vCPU hold, and what the rest of the module asks.
 */
#ifndef JOIST_X86_HYPERV_H
#define JOIST_X86_HYPERV_H

#include <linux/bitmap.h>
#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/mutex.h>

#include "../core/types.h"

struct vm;
struct vcpu;
struct msr_access;

#define HV_MSR_FIRST		0x40000000
#define HV_MSR_LAST		0x400001ff

/* The debugger's, which the kernel's own header has not. */
#define HV_MSR_SYNDBG_CONTROL	0x400000f1
#define HV_MSR_SYNDBG_STATUS	0x400000f2
#define HV_MSR_SYNDBG_SEND	0x400000f3
#define HV_MSR_SYNDBG_RECV	0x400000f4
#define HV_MSR_SYNDBG_PENDING	0x400000f5
#define HV_MSR_SYNDBG_OPTIONS	0x400000ff

/* What the MSRs that hold a page's address have below it. */
#define HV_PAGE_ENABLE		BIT_ULL(0)
#define HV_PAGE_ADDR		(~0xfffULL)

#define HV_CRASH_PARAMS		5
#define HV_SINTS		16
#define HV_TIMERS		4

/**
 * struct hv_tsc - what the reference TSC page says
 * @valid: the page's function holds, for the guest and for the counter's MSR
 * @shown: the page has been written so
 * @sequence: the page's, never zero while @valid
 * @scale: 100 ns units per cycle, times 2^64
 * @offset: units at cycle zero
 */
struct hv_tsc {
	bool valid;
	bool shown;
	u32 sequence;
	u64 scale;
	u64 offset;
};

/**
 * struct hv_debug - the synthetic debugger's registers; userspace does the work
 */
struct hv_debug {
	u64 control;
	u64 status;
	u64 send_page;
	u64 recv_page;
	u64 pending_page;
	u64 options;
};

/**
 * struct hv_vm - of one VM
 * @page_lock: who writes the TSC page. That may take as long as the VMM likes:
 *             taken so that a signal ends the wait
 * @lock: protects the rest; not held where guest memory is touched. Both are taken
 *        in the order of struct vm's after vcpu->mutex
 * @guest_os_id: not zero: VMCALL is Hyper-V's; read racily
 * @hypercall: MSR: the page with the instruction in it
 * @tsc_page: MSR
 * @tsc: what was written there
 * @crash: what the guest says of its crash
 * @crash_ctl: what the VMM lets it say
 * @reenlightenment: MSR
 * @tsc_emulation: MSR
 * @tsc_emulation_status: MSR
 * @debug: the debugger
 */
struct hv_vm {
	struct mutex page_lock;	/* before @lock */
	struct mutex lock;	/* the rest of it */
	u64 guest_os_id;
	u64 hypercall;
	u64 tsc_page;
	struct hv_tsc tsc;
	u64 crash[HV_CRASH_PARAMS];
	u64 crash_ctl;
	u64 reenlightenment;
	u64 tsc_emulation;
	u64 tsc_emulation_status;
	struct hv_debug debug;
};

/**
 * struct hv_timer - a synthetic timer
 * @hrtimer: armed while an expiry is due
 * @vcpu: whose
 * @index: 0..3
 * @config: MSR
 * @count: MSR
 * @expiry: reference time of the next expiry; 0: not started
 */
struct hv_timer {
	struct hrtimer hrtimer;
	struct vcpu *vcpu;
	unsigned int index;
	u64 config;
	u64 count;
	u64 expiry;
};

/**
 * struct hv_synic - the synthetic interrupt controller of a vCPU
 * @keep_pages: SYNIC2: its pages are not cleared when they are enabled
 * @control: MSR
 * @evt_page: MSR
 * @msg_page: MSR
 * @sint: MSRs; read by others racily
 * @auto_eoi: vectors that are not in service when they are taken
 * @timers: the timers
 * @timers_due: (a) those that have expired or are to be started
 *
 * Protection: vcpu->mutex but where said.
 */
struct hv_synic {
	bool keep_pages;
	u64 control;
	u64 evt_page;
	u64 msg_page;
	u64 sint[HV_SINTS];
	DECLARE_BITMAP(auto_eoi, 256);
	struct hv_timer timers[HV_TIMERS];
	unsigned long timers_due;
};

/* What userspace is told before the next entry. */
enum hv_exit {
	HV_EXIT_NONE,
	HV_EXIT_RESET,
	HV_EXIT_CRASH,
	HV_EXIT_SYNIC,
	HV_EXIT_DEBUG,
};

/**
 * struct hv_vcpu - of one vCPU
 * @enforced: only what its CPUID has is there
 * @vp_index: MSR; read by others racily
 * @exit: what REQ_HYPERV is for
 * @exit_msr: the MSR that was written
 * @assist_page: MSR
 * @runtime_offset: VP_RUNTIME less the thread's time, 100 ns
 * @synic: set once, by KVM_ENABLE_CAP; hv_synic_of()
 *
 * Protection: vcpu->mutex but where said.
 */
struct hv_vcpu {
	bool enforced;
	u32 vp_index;
	enum hv_exit exit;
	u32 exit_msr;
	u64 assist_page;
	u64 runtime_offset;
	struct hv_synic *synic;
};

/* hyperv.c: state and MSRs */
void hv_vm_init(struct vm *vm);
void hv_vcpu_init(struct vcpu *vcpu);
void hv_vcpu_destroy(struct vcpu *vcpu);
int hv_msr_get(struct vcpu *vcpu, struct msr_access *msr);
int hv_msr_set(struct vcpu *vcpu, const struct msr_access *msr);
void hv_exit_request(struct vcpu *vcpu, enum hv_exit exit, u32 msr);
int hv_exit(struct vcpu *vcpu);			/* REQ_HYPERV: EXIT_USERSPACE */
bool hv_has(struct vcpu *vcpu, unsigned int word, u32 bit);
struct vcpu *hv_vcpu_by_index(struct vm *vm, u32 vp_index);

/* hyperv_cpuid.c: KVM_GET_SUPPORTED_HV_CPUID; vcpu NULL: on the device */
int hv_cpuid_get(struct vcpu *vcpu, struct kvm_cpuid2 __user *user);

/* hyperv_call.c */
bool hv_hypercalls(struct vcpu *vcpu);		/* are hypercalls Hyper-V's? */
int hv_hypercall(struct vcpu *vcpu);		/* enum exit_result */

/* hyperv_clock.c */
u64 hv_ref_time(struct vcpu *vcpu);
bool hv_clock_used(struct vm *vm);
void hv_clock_update(struct vcpu *vcpu);	/* REQ_CLOCK_UPDATE */

/* hyperv_debug.c */
int hv_debug_get(struct vcpu *vcpu, struct msr_access *msr);
int hv_debug_set(struct vcpu *vcpu, const struct msr_access *msr);
bool hv_debug_announced(struct vcpu *vcpu);
bool hv_debug_by_hypercall(struct vcpu *vcpu);
void hv_debug_exit(struct vcpu *vcpu);

/* hyperv_synic.c */
int hv_synic_enable(struct vcpu *vcpu, bool keep_pages);	/* 0 or -errno */
int hv_synic_get(struct vcpu *vcpu, struct msr_access *msr);
int hv_synic_set(struct vcpu *vcpu, const struct msr_access *msr);
void hv_synic_exit(struct vcpu *vcpu);
bool hv_synic_auto_eoi(struct vcpu *vcpu, u8 vector);
bool hv_synic_any_auto_eoi(struct vcpu *vcpu);
int hv_synic_message(struct vcpu *vcpu, unsigned int sint, const void *payload,
		     u8 size, u32 type);
int hv_synic_set_line(struct vm *vm, u32 vp_index, u32 sint);

/* hyperv_timer.c */
void hv_timers_init(struct vcpu *vcpu, struct hv_synic *synic);
void hv_timers_destroy(struct hv_synic *synic);
int hv_timer_get(struct vcpu *vcpu, struct msr_access *msr);
int hv_timer_set(struct vcpu *vcpu, const struct msr_access *msr);
void hv_timers_run(struct vcpu *vcpu);		/* REQ_HV_TIMER */
void hv_timers_rearm(struct vcpu *vcpu);
void hv_timers_slot_free(struct vcpu *vcpu);

static inline struct hv_synic *hv_synic_of(struct hv_vcpu *hv)
{
	/* Pairs with the release in hv_synic_enable(). */
	return smp_load_acquire(&hv->synic);
}

#endif
