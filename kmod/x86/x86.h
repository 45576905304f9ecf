/* SPDX-License-Identifier: GPL-2.0-only */
/* What x86/ offers to core/ and the vendors. */
#ifndef JOIST_X86_X86_H
#define JOIST_X86_X86_H

#include <linux/kvm.h>

#include "../core/vcpu.h"
#include "decode.h"

/* inject.c: events on their way into the guest */
void exception_queue(struct vcpu *vcpu, u8 vector);
void exception_queue_error(struct vcpu *vcpu, u8 vector, u32 error);
void exception_queue_payload(struct vcpu *vcpu, u8 vector, bool has_error,
			     u32 error, u64 payload);
int inject_events(struct vcpu *vcpu, bool *want_exit_now);

/* cr.c: control, debug and extended-control registers, guest rules.
 * 0, or 1: the guest gets #GP(0) (nothing was changed).
 */
int cr0_write(struct vcpu *vcpu, u64 val);
int cr3_write(struct vcpu *vcpu, u64 val);
int cr4_write(struct vcpu *vcpu, u64 val);
int cr8_write(struct vcpu *vcpu, u64 val);
u64 cr8_read(struct vcpu *vcpu);
int efer_write(struct vcpu *vcpu, u64 val, bool host);
int dr_write(struct vcpu *vcpu, int nr, u64 val);
int dr_read(struct vcpu *vcpu, int nr, u64 *val);
int xcr_write(struct vcpu *vcpu, u32 index, u64 val);
bool cr4_valid(struct vcpu *vcpu, u64 val);
int apic_base_write(struct vcpu *vcpu, u64 val, bool host);

/* cpuid.c */
void cpuid_exit(struct vcpu *vcpu);	/* EAX, ECX in regs -> results in regs */
const struct kvm_cpuid_entry2 *cpuid_find(struct vcpu *vcpu, u32 leaf,
					  u32 subleaf);

/* fpu.c */
int fpu_create(struct vcpu *vcpu);
void fpu_destroy(struct vcpu *vcpu);
void fpu_load_guest(struct vcpu *vcpu);	/* once per KVM_RUN */
void fpu_put_guest(struct vcpu *vcpu);
/* Interrupts off, around the run loop: guest's XCR0/XSS/PKRU and the host's. */
void fpu_enter(struct vcpu *vcpu);
void fpu_leave(struct vcpu *vcpu);

/* tsc.c */
void tsc_vm_init(struct vm *vm);
void tsc_vcpu_init(struct vcpu *vcpu);
u64 tsc_guest(struct vcpu *vcpu, u64 host_tsc);
void tsc_write(struct vcpu *vcpu, u64 guest_tsc, bool host);

/* pv.c: the guest clock and the other paravirtual services */
int pv_msr_get(struct vcpu *vcpu, struct msr_access *msr);
int pv_msr_set(struct vcpu *vcpu, const struct msr_access *msr);
void pv_clock_update(struct vcpu *vcpu);
int pv_hypercall(struct vcpu *vcpu);	/* enum exit_result */

/* glue.c: the emulator on a vCPU */
int emulate_vcpu(struct vcpu *vcpu);	/* enum exit_result or -errno */
int vcpu_skip_insn(struct vcpu *vcpu);	/* 0, or -errno; uses exit.insn_len */
enum emu_mode vcpu_emu_mode(struct vcpu *vcpu);
/* Guest linear memory by the guest's own page tables; 0, or 1 with #PF queued
 * in @fault.
 */
int vcpu_read_linear(struct vcpu *vcpu, gva_t gva, void *buf, unsigned int len,
		     bool fetch, struct emu_fault *fault);

#endif
