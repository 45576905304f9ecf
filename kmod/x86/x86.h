/* SPDX-License-Identifier: GPL-2.0-only */
/* What x86/ offers to core/ and the vendors. */
#ifndef JOIST_X86_X86_H
#define JOIST_X86_X86_H

#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <asm/tsc.h>

#include "../core/vcpu.h"
#include "../irqchip/irqchip.h"
#include "decode.h"

struct msr_access;

/* inject.c: events on their way into the guest */
void exception_queue(struct vcpu *vcpu, u8 vector);
void exception_queue_error(struct vcpu *vcpu, u8 vector, u32 error);
void exception_queue_payload(struct vcpu *vcpu, u8 vector, bool has_error,
			     u32 error, u64 payload);
/* 0 or -errno. want_exit_now: leave right after the event's delivery, another
 * one waits behind it.
 */
int inject_events(struct vcpu *vcpu, bool *want_exit_now);
/* KVM_INTERRUPT without an in-kernel controller: 0 or -EEXIST. */
int irq_queue_user(struct vcpu *vcpu, u8 vector);
/* No event waits that an interrupt would have to queue behind. */
bool irq_injectable(struct vcpu *vcpu);
bool irq_fits(struct vcpu *vcpu);
void event_delivery_faulted(struct vcpu *vcpu);
void events_reset(struct vcpu *vcpu);
void events_get(struct vcpu *vcpu, struct kvm_vcpu_events *ev);
int events_set(struct vcpu *vcpu, const struct kvm_vcpu_events *ev);

/* cr.c: control, debug and extended-control registers, guest rules.
 * 0, or 1: the guest gets #GP(0) (nothing was changed).
 */
int cr0_write(struct vcpu *vcpu, u64 val);
int cr3_write(struct vcpu *vcpu, u64 val);
int cr4_write(struct vcpu *vcpu, u64 val);
int cr8_write(struct vcpu *vcpu, u64 val);

/* The task priority. */
static inline u64 cr8_read(struct vcpu *vcpu)
{
	return vcpu->lapic ? lapic_get_cr8(vcpu->lapic) : vcpu->cr8;
}

int efer_write(struct vcpu *vcpu, u64 val, bool host);
/* By the guest's MOV DR: 0, or 1 with the exception it raises queued. */
int dr_write(struct vcpu *vcpu, int nr, u64 val);
int dr_read(struct vcpu *vcpu, int nr, u64 *val);
int xcr_write(struct vcpu *vcpu, u32 index, u64 val);
bool cr4_valid(struct vcpu *vcpu, u64 val);
bool cr0_valid(struct vcpu *vcpu, u64 val);
int apic_base_write(struct vcpu *vcpu, u64 val, bool host);
void dr_restore(struct vcpu *vcpu, u64 dr6, u64 dr7);

/* debug.c: the VMM debugs the guest */
#define GUEST_DEBUG_FLAGS						\
	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP |		\
	 KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_USE_HW_BP |		\
	 KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP |		\
	 KVM_GUESTDBG_BLOCKIRQ)
int guest_debug_set(struct vcpu *vcpu, const struct kvm_guest_debug *debug);
void guest_debug_report(struct vcpu *vcpu, u8 vector, u64 dr6);
void guest_debug_trap(struct vcpu *vcpu, u64 payload);
void guest_debug_exit(struct vcpu *vcpu);	/* REQ_DEBUG */
int guest_debug_emulate(struct vcpu *vcpu);	/* enum exit_result */
void guest_debug_update_dr7(struct vcpu *vcpu);

/* The CPU's debug registers are the VMM's, the guest's are emulated. */
static inline bool guest_debug_owns_dr(const struct vcpu *vcpu)
{
	return vcpu->debug.control & KVM_GUESTDBG_USE_HW_BP;
}

/* DR0..DR3 as the CPU is to have them. */
static inline const u64 *guest_debug_dr(const struct vcpu *vcpu)
{
	return guest_debug_owns_dr(vcpu) ? vcpu->debug.dr : vcpu->dr;
}

/* Control registers that are loaded together; CS.L must fit them. */
struct cr_set {
	u64 cr0;
	u64 cr3;
	u64 cr4;
	u64 efer;
	const u64 *pdptrs;	/* four, valid; NULL: as memory has them at CR3 */
	bool cs_l;
};

bool cr_set_valid(struct vcpu *vcpu, const struct cr_set *set);
bool cr_set_load(struct vcpu *vcpu, const struct cr_set *set);
/* CR0, CR3, CR4, EFER of KVM_SET_SREGS, in the order that is always legal:
 * 0, or -EINVAL with nothing changed.
 */
int cr_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs,
		 const u64 *pdptrs);
bool cr_get_pdptrs(struct vcpu *vcpu, u64 *pdptrs);

/* wbinvd.c: WBINVD, and INVD */
void wbinvd_guest(struct vcpu *vcpu);

/* smm.c: system management mode */
bool smm_smi_ready(struct vcpu *vcpu);
int smm_enter(struct vcpu *vcpu, bool halted);	/* 0 or -errno */
int smm_leave(struct vcpu *vcpu);	/* RSM: enum exit_result */
void smm_reset(struct vcpu *vcpu);
void smm_events_get(struct vcpu *vcpu, struct kvm_vcpu_events *ev);
int smm_events_set(struct vcpu *vcpu, const struct kvm_vcpu_events *ev);

/* cpuid.c */
void cpuid_exit(struct vcpu *vcpu);	/* EAX, ECX in regs -> results in regs */
const struct kvm_cpuid_entry2 *cpuid_find(struct vcpu *vcpu, u32 leaf,
					  u32 subleaf);

/* fpu.c */
int fpu_setup(void);
u64 fpu_guest_xcr0(void);		/* components a guest may enable */
void fpu_get(struct vcpu *vcpu, struct kvm_fpu *out);
int fpu_set(struct vcpu *vcpu, const struct kvm_fpu *in);
/* Buffers of @size >= 4096 bytes. */
void fpu_get_xsave(struct vcpu *vcpu, void *buf, unsigned int size);
int fpu_set_xsave(struct vcpu *vcpu, const void *buf);
void fpu_get_xcrs(struct vcpu *vcpu, struct kvm_xcrs *out);
int fpu_set_xcrs(struct vcpu *vcpu, const struct kvm_xcrs *in);
int fpu_create(struct vcpu *vcpu);
void fpu_destroy(struct vcpu *vcpu);
void fpu_load_guest(struct vcpu *vcpu);	/* once per KVM_RUN */
void fpu_put_guest(struct vcpu *vcpu);
u8 fpu_exchange(struct vcpu *vcpu, u64 cr4);
void fpu_restore(struct vcpu *vcpu, u8 switched);

/* fpu_quick.c: once per KVM_RUN, too, if interrupts are off throughout */
bool fpu_quick_possible(const struct fpstate *fps);
void fpu_quick_in(struct vcpu *vcpu);
void fpu_quick_out(struct vcpu *vcpu);

/* tsc.c */
/* How the machine scales guests' TSC; set by the vendor at load. */
struct tsc_scaling {
	u8 bits;		/* binary places of a ratio; 0: not at all */
	u64 max;		/* largest ratio */
};

extern struct tsc_scaling tsc_scaling;

void tsc_scaling_setup(u8 bits, u64 max);
void tsc_setup(void);
void tsc_vm_init(struct vm *vm);
void tsc_vcpu_init(struct vcpu *vcpu);
u64 tsc_guest(struct vcpu *vcpu, u64 host_tsc);
void tsc_write(struct vcpu *vcpu, u64 guest_tsc, bool host);
void tsc_set_offset(struct vcpu *vcpu, u64 offset);
int tsc_set_khz(struct vcpu *vcpu, u32 khz);	/* KVM_SET_TSC_KHZ */
int tsc_vm_set_khz(struct vm *vm, u32 khz);
u32 tsc_guest_khz(struct vcpu *vcpu);
bool tsc_host_stable(void);
/* Around the host's sleep: last CPU, interrupts off. */
void tsc_host_suspend(void);
void tsc_host_resume(void);
extern u64 tsc_lost;			/* by the host's in its sleeps; read racily */
void tsc_vcpu_catch_up(struct vcpu *vcpu);

/* The vCPU comes to a CPU: preemption off, vendor state loaded. */
static inline void tsc_vcpu_load(struct vcpu *vcpu)
{
	if (unlikely(READ_ONCE(tsc_lost) != vcpu->tsc_lost ||
		     check_tsc_unstable()))
		tsc_vcpu_catch_up(vcpu);
}

/* And leaves it. */
static inline void tsc_vcpu_put(struct vcpu *vcpu)
{
	if (unlikely(check_tsc_unstable()))
		vcpu->tsc_left = tsc_guest(vcpu, rdtsc());
}

void tsc_vm_sync(struct vm *vm);	/* tsc_lock held */

/* pv.c: the guest clock; pv.h has the other paravirtual services */
void pv_clock_update(struct vcpu *vcpu);	/* REQ_CLOCK_UPDATE */
void pv_clock_vm_init(struct vm *vm);
void pv_clock_rebase(struct vm *vm);	/* tsc_lock held: the TSC has jumped */
/* KVM_GET_CLOCK, KVM_SET_CLOCK, KVM_KVMCLOCK_CTRL: 0 or -EINVAL */
void pv_clock_get(struct vm *vm, struct kvm_clock_data *data);
int pv_clock_set(struct vm *vm, const struct kvm_clock_data *data);
int pv_clock_paused(struct vcpu *vcpu);
u64 pv_clock_now(struct vm *vm, u64 *tsc);
bool pv_tsc_in_step(struct vcpu *vcpu);
void pv_clock_set_rate(struct vcpu *vcpu);

/* Is KVM_FEATURE_@feature there for the guest? What it was not told of is, too,
 * unless the VMM wants it otherwise.
 */
static inline bool pv_has(struct vcpu *vcpu, unsigned int feature)
{
	return !vcpu->pv_enforced || vcpu->feat.pv & BIT(feature);
}

/* hypercall.c */
#define JOIST_HYPERCALL_EXITS	BIT(KVM_HC_MAP_GPA_RANGE)
bool pv_hypercall_result(struct vcpu *vcpu, u64 *rax);
int pv_hypercall(struct vcpu *vcpu);	/* enum exit_result */

/* vapic.c: the task priority, reported and shared */
int vapic_set_reporting(struct vcpu *vcpu, const struct kvm_tpr_access_ctl *ctl);
int vapic_set_addr(struct vcpu *vcpu, gpa_t gpa);
void vapic_tpr_accessed(struct vcpu *vcpu, bool write);
void vapic_after_exit(struct vcpu *vcpu);
void vapic_before_entry(struct vcpu *vcpu);

/* interpret.c: a guest that the CPU does not enter as it is */
int interpret_guest(struct vcpu *vcpu);	/* enum exit_result or -errno */

/* glue.c: the emulator on a vCPU */
int emulate_create(struct vcpu *vcpu);	/* vcpu->emu: 0 or -ENOMEM */
void emulate_destroy(struct vcpu *vcpu);
int emulate_vcpu(struct vcpu *vcpu);	/* enum exit_result or -errno */
int emulate_next(struct vcpu *vcpu);	/* likewise; no exit has led here */
int vcpu_skip_insn(struct vcpu *vcpu);	/* 0, or -errno; uses exit.insn_len */
u64 vcpu_code_linear(struct vcpu *vcpu);
bool vcpu_peek_code(struct vcpu *vcpu, u64 lin, u64 *bytes, unsigned int nr);
enum hot mmio_hot(struct vcpu *vcpu, u64 rip, gpa_t gpa, bool write);
int vcpu_plain_length(enum exit_kind kind, u32 bytes);
int vcpu_decode_insn(struct vcpu *vcpu, struct insn *insn);	/* 0 or -EIO */
bool vcpu_at_rsm(struct vcpu *vcpu);	/* the instruction at RIP is RSM */
/* KVM_TRANSLATE: guest physical address by the guest's tables, without setting
 * accessed bits; INVALID_GPA: not mapped.
 */
gpa_t vcpu_translate_linear(struct vcpu *vcpu, gva_t gva);

#endif
