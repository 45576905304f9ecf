/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's paravirtual services, a vCPU's part of them: pv_msr.c has their MSRs,
 * pv.c the clock, pv_steal.c, pv_eoi.c and pv_apf.c one each.
 */
#ifndef JOIST_X86_PV_H
#define JOIST_X86_PV_H

#include "../core/types.h"

struct vm;
struct vcpu;
struct msr_access;
struct apf_queue;

/**
 * struct pv_vcpu - what a guest has turned on, and how far each of them is
 * @steal_msr: MSR_KVM_STEAL_TIME
 * @steal_delay: what @steal_task had waited for a CPU when last asked
 * @steal_task: the thread that ran the vCPU then
 * @steal_running: the guest is told that it has a CPU; the owner thread's alone,
 *                 which clears it on its way off the CPU, preemption off
 * @eoi_msr: MSR_KVM_PV_EOI_EN
 * @eoi_offered: the guest may end the interrupt in service by clearing its bit
 * @eoi_vector: that interrupt
 * @poll_msr: MSR_KVM_POLL_CONTROL
 * @apf_msr: MSR_KVM_ASYNC_PF_EN
 * @apf_vector: MSR_KVM_ASYNC_PF_INT
 * @apf_next: number of the next page that is waited for
 * @apf_telling: token that a #PF on its way to the guest tells of, 0: none
 * @apf_told_ready: the guest has a "page ready" that it has not acknowledged
 * @apf_wake_all: it is to be told that all pages are ready
 * @apf_halted: it waits for a page like a HLT, for it cannot do anything else
 * @apf_queue: pages on their way: outlives the vCPU; made when first needed, and
 *             locks itself
 *
 * Protected by vcpu->mutex.
 */
struct pv_vcpu {
	u64 steal_msr;
	u64 steal_delay;
	pid_t steal_task;
	bool steal_running;
	u64 eoi_msr;
	bool eoi_offered;
	u8 eoi_vector;
	u64 poll_msr;
	u64 apf_msr;
	u64 apf_vector;
	u32 apf_next;
	u32 apf_telling;
	bool apf_told_ready;
	bool apf_wake_all;
	bool apf_halted;
	struct apf_queue *apf_queue;
};

/* pv_msr.c */
int pv_msr_get(struct vcpu *vcpu, struct msr_access *msr);
int pv_msr_set(struct vcpu *vcpu, const struct msr_access *msr);
void pv_create(struct vcpu *vcpu);
void pv_reset(struct vcpu *vcpu);
/* The page that holds @gpa is guest memory that can be written. */
bool pv_writable(struct vcpu *vcpu, gpa_t gpa);
void pv_memory_came(struct vm *vm);

/* pv.c: the clock's MSRs */
void pv_clock_msr_set(struct vcpu *vcpu, const struct msr_access *msr);

/* pv_steal.c; MSR writes return 0 or MSR_FAULT, as all below */
bool pv_steal_supported(void);
int pv_steal_msr_set(struct vcpu *vcpu, u64 data);
void pv_steal_preempted(struct vcpu *vcpu);
void pv_steal_update(struct vcpu *vcpu);	/* REQ_STEAL_UPDATE */

/* pv_eoi.c */
int pv_eoi_msr_set(struct vcpu *vcpu, u64 data);
void pv_eoi_offer(struct vcpu *vcpu);
void pv_eoi_retract(struct vcpu *vcpu);
void pv_eoi_sync(struct vcpu *vcpu);

/* pv_apf.c */
bool pv_apf_possible(struct vcpu *vcpu);
bool pv_apf_start(struct vcpu *vcpu, gfn_t gfn, hva_t hva, bool write);
void pv_apf_ready(struct vcpu *vcpu);		/* REQ_APF */
void pv_apf_settle(struct vcpu *vcpu);		/* KVM_RUN begins; @apf_telling */
void pv_apf_entered(struct vcpu *vcpu);		/* the guest was left; likewise */
void pv_apf_hurry(struct vcpu *vcpu);
void pv_apf_reset(struct vcpu *vcpu);
void pv_apf_destroy(struct vcpu *vcpu);
int pv_apf_msr_set(struct vcpu *vcpu, const struct msr_access *msr);
int pv_apf_int_set(struct vcpu *vcpu, u64 data);
void pv_apf_ack(struct vcpu *vcpu, u64 data);

#endif
