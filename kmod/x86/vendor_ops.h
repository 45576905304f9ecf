/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vendor boundary: one X-macro declares, defines and checks every
 * operation that vmx/ and svm/ provide. vendor_call(op)(args) is a static
 * call: no indirect branch on any path.
 */
#ifndef JOIST_X86_VENDOR_OPS_H
#define JOIST_X86_VENDOR_OPS_H

#include <linux/static_call.h>
#include <linux/kvm.h>

#include "../core/types.h"
#include "../core/vcpu.h"

struct vm;
struct msr_access;

enum vcpu_sreg {		/* the first six as emu_seg encodes them */
	VCPU_SREG_ES, VCPU_SREG_CS, VCPU_SREG_SS, VCPU_SREG_DS, VCPU_SREG_FS,
	VCPU_SREG_GS, VCPU_SREG_TR, VCPU_SREG_LDTR, NR_VCPU_SREGS,
};

enum vcpu_dt { VCPU_GDT, VCPU_IDT };

/* What became of the exit that ended a run. */
enum hot {
	HOT_NO,			/* nothing was done: decode it, exit_handle() */
	HOT_DONE,		/* done; there is something else to be looked at */
	HOT_USERSPACE,		/* done; the run page says what it is for */
	HOT_AGAIN,		/* done: the guest goes on; not for the core */
};

/* What of CS says how instructions are decoded: get_cs_bits. */
#define CS_BIT_L	BIT(0)
#define CS_BIT_DB	BIT(1)

/*
 * VENDOR_OP(return type, name, arguments). All are mandatory.
 *
 * The module (process context):
 *  setup	allocate what is global, read capabilities, set the spte
 *		layout (mmu_set_layout()); teardown undoes it
 *  cpu_enable	turn this CPU's VMX/SVM on; -EBUSY if already on (interrupts
 *		off, called by IPI or the hotplug thread); cpu_disable undoes it
 * Life (vCPU mutex or exclusive):
 *  vm_init/vm_destroy, vcpu_init/vcpu_free: the vendor's part of the structs
 *  vcpu_reset	architectural reset (init false) or INIT (true) of what the
 *		hardware holds; the core resets regs[], crs through set_cr*
 *  vcpu_load/vcpu_put: the vCPU comes to / leaves a CPU (preemption off; interrupts
 *		off, too, if it leaves, or was here before),
 *		comes_back: because its thread does so, in the scheduler;
 *		vcpu->last_cpu is still where it was before
 *  prepare_guest: save host state that must be saved before entries
 *		(once per load, interrupts off); undone by vcpu_put
 *  cpuid_changed: feat and cpuid were set: recompute controls
 * Registers (vCPU loaded):
 *  cache_reg	fetch one of enum vcpu_reg into its place
 *  get_segment/set_segment, get_cpl, get_cs_bits, get_dt/set_dt
 *  set_cr0/set_cr3/set_cr4/set_efer: value already validated; also
 *		stores into vcpu->cr0/cr3/cr4/efer
 *  set_dr7	vcpu->dr7_hw changed
 *  debug_changed: vcpu->debug.control changed: recompute intercepts
 *  step_prepare: KVM_GUESTDBG_SINGLESTEP is on and an entry follows (events are
 *		written; may sleep). False: no, have the instruction emulated
 *  get_msr/set_msr: MSRs that hardware switches or that only the vendor
 *		knows; 0, MSR_FAULT or MSR_UNKNOWN
 *  update_msr_intercepts: the VMM's MSR filter changed: recompute them
 *  load_ports	ports_map() has changed: go by it from the next entry on
 * Events (vCPU loaded, before entry; preemption may be on but for flush):
 *  inject_exception: vcpu->exception (injected) is written for the entry
 *  inject_irq	vcpu->interrupt likewise; inject_nmi likewise
 *  cancel_injection: entry did not happen: take the event back into
 *		vcpu->exception/interrupt/nmi_injected
 *  irq_allowed/nmi_allowed: the hardware would take one now (RFLAGS.IF,
 *		shadow, NMI blocking; nothing else being injected)
 *  irq_window/nmi_window: exit as soon as it would
 *  get_shadow/set_shadow: STI/MOV SS shadow as KVM_X86_SHADOW_INT_* bits
 *  get_nmi_mask/set_nmi_mask: NMIs are blocked until IRET
 *  smm_changed: vcpu->smm was set or cleared: nothing that was under way
 *		outside goes on inside. RSM exits always, by itself or as #UD
 *  update_tpr: tpr and highest pending vector (-1: none) for CR8 intercepts, or for
 *		the CPU that virtualizes the local APIC
 *  update_apicv: does it? It depends on the APIC's mode, on who hears of EOIs, and on
 *		what else the vCPU is to do. REQ_APICV
 *  apic_changed: its local APIC has another mode, takes interrupts, or does not; it may
 *		be just being made. Not from the guest
 *  notify_posted: something was posted to vcpu->lapic->posted, or set in an open IRR, by
 *		another thread: have it taken, if the guest runs; wake the vCPU, if it
 *		sleeps. False: neither was done. Any context
 *  posts_irqs	can interrupts of devices be posted, by the IOMMU and the CPU?
 *  post_irq	from now on the IOMMU posts @irq of the host's to @vcpu's local APIC, as
 *		@vector; NULL: it goes to its handler again. 0 or -errno. May sleep
 *  handle_irq	vcpu->host_vector: the CPU took it from the host's interrupt controller
 *		with the exit: call the handler. Interrupts off
 * Run:
 *  can_enter	would the CPU take the guest's state? Asked while vcpu->enter_unsure,
 *		which the vendor sets when that is in doubt, and clears here. Else
 *		the guest is interpreted: nothing is entered
 *  run		enter the guest, handle hot exits, loop while
 *		!vcpu->requests and no thread work is pending; called and
 *		returns with interrupts off; after HOT_NO the exit is to be
 *		decoded. Host NMIs and machine checks have been handled. Each
 *		entry itself stands between guest_state_enter() and
 *		guest_state_exit() of compat/guest_state.h
 *  decode_exit	fill vcpu->exit from what the hardware reported (interrupts
 *		on, vCPU loaded)
 * MMU:
 *  load_root	use this nested paging root (host physical) from next entry
 *  flush_tlb	drop all translations of this vCPU (at entry)
 *  flush_tlb_guest: drop linear translations only
 *  take_dirty	mark_gfn_dirty() for what a log of the CPU's (mmu_set_cpu_logs()) has.
 *		Any thread, in a vm->srcu read section, after the vCPU was kicked
 * Time:
 *  write_tsc	vcpu->tsc_offset or vcpu->tsc_ratio changed
 * Reports:
 *  dump	print the VMCS or VMCB readably with pr_err
 *  feature	name of the CPU's i-th feature that joist uses; "": it lacks that
 *		one; NULL: there are no more
 */
#define VENDOR_OPS(OP)							\
	OP(int, setup, (void))						\
	OP(void, teardown, (void))					\
	OP(int, cpu_enable, (void))					\
	OP(void, cpu_disable, (bool crash))				\
	OP(int, vm_init, (struct vm *vm))				\
	OP(void, vm_destroy, (struct vm *vm))				\
	OP(int, vcpu_init, (struct vcpu *vcpu))				\
	OP(void, vcpu_free, (struct vcpu *vcpu))			\
	OP(void, vcpu_reset, (struct vcpu *vcpu, bool init))		\
	OP(void, vcpu_load, (struct vcpu *vcpu, int cpu))		\
	OP(void, vcpu_put, (struct vcpu *vcpu, bool comes_back))	\
	OP(void, prepare_guest, (struct vcpu *vcpu))			\
	OP(void, cpuid_changed, (struct vcpu *vcpu))			\
	OP(void, cache_reg, (struct vcpu *vcpu, enum vcpu_reg reg))	\
	OP(void, get_segment, (struct vcpu *vcpu, struct kvm_segment *seg, \
			       enum vcpu_sreg which))			\
	OP(void, set_segment, (struct vcpu *vcpu, const struct kvm_segment *seg, \
			       enum vcpu_sreg which))			\
	OP(int, get_cpl, (struct vcpu *vcpu))				\
	OP(u32, get_cs_bits, (struct vcpu *vcpu))			\
	OP(void, get_dt, (struct vcpu *vcpu, struct kvm_dtable *dt,	\
			  enum vcpu_dt which))				\
	OP(void, set_dt, (struct vcpu *vcpu, const struct kvm_dtable *dt, \
			  enum vcpu_dt which))				\
	OP(void, set_cr0, (struct vcpu *vcpu, u64 cr0))			\
	OP(void, set_cr3, (struct vcpu *vcpu, u64 cr3))			\
	OP(void, set_cr4, (struct vcpu *vcpu, u64 cr4))			\
	OP(void, set_efer, (struct vcpu *vcpu, u64 efer))		\
	OP(void, set_dr7, (struct vcpu *vcpu))				\
	OP(void, debug_changed, (struct vcpu *vcpu))			\
	OP(bool, step_prepare, (struct vcpu *vcpu))			\
	OP(int, get_msr, (struct vcpu *vcpu, struct msr_access *msr))	\
	OP(int, set_msr, (struct vcpu *vcpu, const struct msr_access *msr)) \
	OP(void, update_msr_intercepts, (struct vcpu *vcpu))		\
	OP(void, load_ports, (struct vcpu *vcpu))			\
	OP(void, inject_exception, (struct vcpu *vcpu))			\
	OP(void, inject_irq, (struct vcpu *vcpu))			\
	OP(void, inject_nmi, (struct vcpu *vcpu))			\
	OP(void, cancel_injection, (struct vcpu *vcpu))			\
	OP(bool, irq_allowed, (struct vcpu *vcpu))			\
	OP(bool, nmi_allowed, (struct vcpu *vcpu))			\
	OP(void, irq_window, (struct vcpu *vcpu))			\
	OP(void, nmi_window, (struct vcpu *vcpu))			\
	OP(u32, get_shadow, (struct vcpu *vcpu))			\
	OP(void, set_shadow, (struct vcpu *vcpu, u32 mask))		\
	OP(bool, get_nmi_mask, (struct vcpu *vcpu))			\
	OP(void, set_nmi_mask, (struct vcpu *vcpu, bool masked))	\
	OP(void, smm_changed, (struct vcpu *vcpu))			\
	OP(void, update_tpr, (struct vcpu *vcpu, int tpr, int vector))	\
	OP(void, update_apicv, (struct vcpu *vcpu))			\
	OP(void, apic_changed, (struct vcpu *vcpu))			\
	OP(bool, notify_posted, (struct vcpu *vcpu))			\
	OP(bool, posts_irqs, (void))					\
	OP(int, post_irq, (struct vcpu *vcpu, unsigned int irq, u8 vector)) \
	OP(void, handle_irq, (struct vcpu *vcpu))			\
	OP(bool, set_deadline, (struct vcpu *vcpu, u64 guest_tsc))	\
	OP(bool, can_enter, (struct vcpu *vcpu))			\
	OP(enum hot, run, (struct vcpu *vcpu))				\
	OP(void, decode_exit, (struct vcpu *vcpu))			\
	OP(void, load_root, (struct vcpu *vcpu, hpa_t root, int level))	\
	OP(void, flush_tlb, (struct vcpu *vcpu))			\
	OP(void, flush_tlb_guest, (struct vcpu *vcpu))			\
	OP(void, take_dirty, (struct vcpu *vcpu))			\
	OP(void, write_tsc, (struct vcpu *vcpu))			\
	OP(void, dump, (struct vcpu *vcpu))				\
	OP(const char *, feature, (unsigned int i))

/**
 * struct vendor_ops - what a backend is
 * @name: "vmx" or "svm"
 * @keeps_pdptrs: with PAE paging the CPU loads PDPTEs with CR3 only, and exits save
 *                them in vcpu->pdptrs; else it reads memory when it needs them
 * @vcpu_size: bytes of the vendor's vCPU structure, whose first member is
 *             struct vcpu
 * @vm_size: bytes of the vendor's VM structure, whose first member is
 *           struct vm
 * @probe: does this machine have it? 0; -ENODEV: other vendor's machine;
 *         -EOPNOTSUPP: no or locked, said in the log with the remedy; -EBUSY:
 *         someone else holds it, named in the log with the remedy
 */
struct vendor_ops {
	const char *name;
	bool keeps_pdptrs;
	size_t vcpu_size;
	size_t vm_size;
	int (*probe)(void);
#define OP(ret, op, args) ret (*op) args;
	VENDOR_OPS(OP)
#undef OP
};

extern const struct vendor_ops vmx_ops;
extern const struct vendor_ops svm_ops;
extern const struct vendor_ops *vendor;		/* set once at load */

#define OP(ret, op, args) \
	DECLARE_STATIC_CALL(joist_##op, *(((struct vendor_ops *)0)->op));
VENDOR_OPS(OP)
#undef OP

#define vendor_call(op) static_call(joist_##op)

/* From setup only: from now on @fn is the backend's @op. */
#define vendor_rebind(op, fn) static_call_update(joist_##op, fn)

int vendor_select(void);

#endif
