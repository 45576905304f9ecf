/* SPDX-License-Identifier: GPL-2.0-only */
/* The VMX backend's own structures, and what its files offer each other. */
#ifndef JOIST_VMX_VMX_H
#define JOIST_VMX_VMX_H

#include <linux/jump_label.h>
#include <linux/kvm.h>
#include <linux/list.h>
#include <linux/percpu.h>

#include "enter.h"
#include "insn.h"
#include "../core/vcpu.h"
#include "../core/vm.h"
#include "../irqchip/posted.h"
#include "../x86/vendor_ops.h"

/**
 * struct vmx_caps - what this CPU's capability MSRs allow, negotiated once
 * @vmcs_revision: first word of every VMCS and VMXON region
 * @pin: pin-based controls every VMCS starts with
 * @cpu: primary processor-based controls likewise
 * @cpu2: secondary controls that may be used; the vCPU chooses among them
 * @exit: VM-exit controls
 * @entry: VM-entry controls
 * @ept_vpid: IA32_VMX_EPT_VPID_CAP
 * @monitor_trap: an exit after each instruction can be had
 * @apicv: local APICs can be virtualized, all of it: see apicv.c
 * @posted: and the CPU takes what is posted while the guest runs
 * @cr0_fixed0: bits of CR0 that must be one in VMX operation
 * @cr4_fixed0: likewise of CR4
 *
 * Written at load, the same on every CPU: vmx_caps_same() checks it.
 */
struct vmx_caps {
	u32 vmcs_revision;
	u32 pin;
	u32 cpu;
	u32 cpu2;
	u32 exit;
	u32 entry;
	u64 ept_vpid;
	bool monitor_trap;
	bool apicv;
	bool posted;
	u64 cr0_fixed0;
	u64 cr4_fixed0;
};

extern struct vmx_caps vmx_caps;

const char *vmx_feature(unsigned int i);

static inline bool vmx_has_cpu2(u32 control)
{
	return vmx_caps.cpu2 & control;
}

/* Of the secondary controls, those that virtualize the local APIC. */
#define VMX_APICV_CPU2	(SECONDARY_EXEC_APIC_REGISTER_VIRT |		\
			 SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY |		\
			 SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE)

/* Does the CPU run real mode, and a guest without paging, by itself? */
static inline bool vmx_unrestricted(void)
{
	return vmx_has_cpu2(SECONDARY_EXEC_UNRESTRICTED_GUEST);
}

/* The TSC multiplier's places after the point. */
#define TSC_MULTIPLIER_BITS	48
#define TSC_MULTIPLIER_ONE	BIT_ULL(TSC_MULTIPLIER_BITS)

struct vmx_vm {
	struct vm vm;		/* first */
};

/* One physical page: VMCS or VMXON region. */
struct vmcs_page {
	u32 revision;
	u32 abort;
	u8 data[PAGE_SIZE - 8];
};

/* MSRs that the guest's SYSCALL and RDTSCP use and the host needs back only in
 * its user mode.
 */
enum vmx_uret { URET_STAR, URET_LSTAR, URET_FMASK, URET_TSC_AUX, NR_URETS };

/* Fields of a segment register, one bit each in vmx_vcpu.seg_avail. */
enum vmx_seg_field { SEG_SELECTOR, SEG_BASE, SEG_LIMIT, SEG_AR, NR_SEG_FIELDS };

/* Exit information read at most once per exit: bits of vmx_vcpu.info_avail. */
#define INFO_QUALIFICATION	BIT(0)
#define INFO_INTR		BIT(1)

/**
 * struct vmx_vcpu - a vCPU as VMX sees it
 * @vcpu: the neutral part, first
 * @vmcs: its VMCS
 * @vmcs_pa: physical address of that
 * @vmcs_cpu: the CPU it is active on, -1: clear; written there, interrupts off
 * @vmcs_node: in that CPU's list of active VMCSs
 * @launched: VMRESUME rather than VMLAUNCH
 * @failed: the last entry was VMfail
 * @host_saved: the host's FS, GS and MSRs are aside, the guest's are loaded
 * @pae_paging: the guest has four PDPTEs, in the VMCS
 * @vpid: 0: none was free
 * @eptp: EPT_POINTER as written; 0: not yet
 * @msr_bitmap: page of intercepts
 * @enter: arguments of the assembly
 * @pin: controls as they stand in the VMCS, and those below
 * @exit_reason: of the last exit, all bits
 * @info_avail: INFO_*
 * @exit_qualification: if available
 * @exit_intr_info: if available
 * @entry_intr_info: event written for the next entry, or what this one had; or 0
 * @entry_error: its error code
 * @event_len: instruction length of a software interrupt or exception
 * @seg_avail: NR_SEG_FIELDS bits per segment register
 * @seg: those fields as the VMCS holds them
 * @tsc_offset: as the VMCS holds it
 * @tsc_ratio: likewise; 0: not written yet
 * @deadline: the host's TSC when the guest's deadline comes; 0: not by the CPU
 * @deadline_armed: the preemption timer is to be, or was, loaded for one
 * @posted: interrupts for its local APIC; NULL: the CPU does not virtualize that
 * @posted_node: in the list of @posted_cpu's sleepers; its lock
 * @posted_cpu: whose list it is in, -1: none
 * @eoi_exits: EOI_EXIT_BITMAP as written
 * @pml: pages that the CPU found clean and made dirty; NULL: it does not log
 * @host_cr3: HOST_CR3 as written, and the others below
 * @host_segs_odd: some of those selectors are not null
 * @urets_used: of the MSRs that userspace needs: which are the guest's in it
 * @host_gdt: this CPU's, with the limit that an exit takes away
 * @host_debugctl: the host's DEBUGCTL, cleared by every exit
 * @step_shadow: the interrupt shadow of what is stepped: KVM_X86_SHADOW_INT_*
 * @guest_kernel_gs_base: while not loaded
 * @guest_uret: the guest's values of enum vmx_uret
 * @guest_debugctl: IA32_DEBUGCTL of the guest
 * @guest_cstar: IA32_CSTAR, which no Intel CPU uses
 *
 * Protection: vcpu->mutex, and the CPU it is loaded on; others say so.
 */
struct vmx_vcpu {
	struct vcpu vcpu;
	struct vmcs_page *vmcs;
	u64 vmcs_pa;
	int vmcs_cpu;
	struct list_head vmcs_node;
	bool launched;
	bool failed;
	bool host_saved;
	bool pae_paging;
	u16 vpid;
	u64 eptp;
	unsigned long *msr_bitmap;
	struct vmx_enter_args enter;

	u32 pin;
	u32 cpu;
	u32 cpu2;
	u32 entry;
	u32 exit;
	u32 exception_bitmap;

	u32 exit_reason;
	u32 info_avail;
	u64 exit_qualification;
	u32 exit_intr_info;

	u32 entry_intr_info;
	u32 entry_error;
	u32 event_len;

	u32 seg_avail;
	struct {
		u64 base;
		u32 limit;
		u32 ar;
		u16 selector;
	} seg[NR_VCPU_SREGS];

	u64 tsc_offset;
	u64 tsc_ratio;
	u64 deadline;
	bool deadline_armed;
	struct vmx_pml *pml;
	struct posted_desc *posted;
	struct list_head posted_node;
	int posted_cpu;
	unsigned long eoi_exits[4];

	u64 host_cr3;
	u64 host_cr4;
	u64 host_fs_base;
	u16 host_fs_sel;
	u16 host_gs_sel;
	u16 host_ldt_sel;
	u16 host_ds_sel;
	u16 host_es_sel;
	u16 vmcs_fs_sel;
	u16 vmcs_gs_sel;
	bool host_segs_odd;
	u8 urets_used;
	u64 host_kernel_gs_base;
	struct desc_ptr host_gdt;
	u64 host_debugctl;

	u32 step_shadow;

	u64 guest_kernel_gs_base;
	u64 guest_uret[NR_URETS];
	u64 guest_debugctl;
	u64 guest_cstar;
};

static inline struct vmx_vcpu *to_vmx(struct vcpu *vcpu)
{
	return container_of(vcpu, struct vmx_vcpu, vcpu);
}

/* Controls: the VMCS is written only when the value changes. */
#define VMX_CONTROLS(X)							\
	X(pin, PIN_BASED_VM_EXEC_CONTROL)				\
	X(cpu, CPU_BASED_VM_EXEC_CONTROL)				\
	X(cpu2, SECONDARY_VM_EXEC_CONTROL)				\
	X(entry, VM_ENTRY_CONTROLS)					\
	X(exit, VM_EXIT_CONTROLS)					\
	X(exception_bitmap, EXCEPTION_BITMAP)

#define X(name, field)							\
static inline void vmx_write_##name(struct vmx_vcpu *vmx, u32 val)	\
{									\
	if (vmx->name != val) {						\
		vmx->name = val;					\
		vmcs_write(field, val);					\
	}								\
}

VMX_CONTROLS(X)
#undef X

/*
 * A guest that halts without an exit is still in HLT at the next entry. The CPU wakes
 * it for an interrupt; what else changes its state does so here: the CPU would refuse
 * some such states.
 */
static inline void vmx_unhalt(struct vmx_vcpu *vmx)
{
	if (unlikely(vmx->vcpu.vm->disabled_exits & KVM_X86_DISABLE_EXITS_HLT))
		vmcs_write(GUEST_ACTIVITY_STATE, GUEST_ACTIVITY_ACTIVE);
}

/* The qualification of an I/O instruction's exit. */
#define IO_QUAL_SIZE(q)		(((q) & 7) + 1)
#define IO_QUAL_IN		BIT(3)
#define IO_QUAL_STRING		BIT(4)
#define IO_QUAL_PORT(q)		((u16)((q) >> 16))

static inline u64 vmx_exit_qualification(struct vmx_vcpu *vmx)
{
	if (!(vmx->info_avail & INFO_QUALIFICATION)) {
		vmx->info_avail |= INFO_QUALIFICATION;
		vmx->exit_qualification = vmcs_read(EXIT_QUALIFICATION);
	}
	return vmx->exit_qualification;
}

static inline u32 vmx_exit_intr_info(struct vmx_vcpu *vmx)
{
	if (!(vmx->info_avail & INFO_INTR)) {
		vmx->info_avail |= INFO_INTR;
		vmx->exit_intr_info = vmcs_read32(VM_EXIT_INTR_INFO);
	}
	return vmx->exit_intr_info;
}

/* caps.c */
extern bool vmx_param_vpid;
extern unsigned int vmx_param_ple_gap;
int vmx_probe(void);
int vmx_caps_setup(void);
bool vmx_caps_same(void);
bool vmx_under_bochs(void);

/* vmcs.c: VMX on the CPUs, a VMCS per vCPU and where it is active */
int vmx_cpus_alloc(void);
void vmx_cpus_free(void);
int vmx_cpu_enable(void);
void vmx_cpu_disable(bool crash);
void vmx_emergency_clear(void);
int vmcs_create(struct vmx_vcpu *vmx);
void vmcs_destroy(struct vmx_vcpu *vmx);
bool vmcs_activate_other(struct vmx_vcpu *vmx, int cpu);

DECLARE_PER_CPU(struct vmx_vcpu *, current_vmcs);

/*
 * Make a VMCS current on this CPU. Preemption off; interrupts on if it was elsewhere.
 * Return: true if it was not active here before.
 */
static inline bool vmcs_activate(struct vmx_vcpu *vmx, int cpu)
{
	if (likely(READ_ONCE(vmx->vmcs_cpu) == cpu &&
		   this_cpu_read(current_vmcs) == vmx))
		return false;
	return vmcs_activate_other(vmx, cpu);
}

void vmcs_init(struct vmx_vcpu *vmx);
void vmx_intercept_exceptions(struct vmx_vcpu *vmx, u32 more);

/* host.c: the host's state that an exit does not bring back */
void vmx_uret_cpu_init(void);
void vmx_uret_cpu_drop(void);
void vmx_uret_changed(struct vmx_vcpu *vmx);
void vmx_urets_choose(struct vmx_vcpu *vmx);
void vmx_host_constants(void);
void vmx_host_cpu_changed(struct vmx_vcpu *vmx);
void vmx_prepare_guest(struct vcpu *vcpu);
void vmx_host_restore(struct vmx_vcpu *vmx, bool comes_back);
u64 vmx_kernel_gs_base(struct vmx_vcpu *vmx);
void vmx_set_kernel_gs_base(struct vmx_vcpu *vmx, u64 base);

/* regs.c: registers that live in the VMCS */
void vmx_cache_reg(struct vcpu *vcpu, enum vcpu_reg reg);
void vmx_read_pdptrs(struct vcpu *vcpu);
void vmx_set_cr0(struct vcpu *vcpu, u64 cr0);
void vmx_set_cr3(struct vcpu *vcpu, u64 cr3);
void vmx_set_cr4(struct vcpu *vcpu, u64 cr4);
void vmx_set_efer(struct vcpu *vcpu, u64 efer);
void vmx_set_dr7(struct vcpu *vcpu);
void vmx_update_cr_ownership(struct vmx_vcpu *vmx);

/* step.c: the VMM's steps */
void vmx_debug_changed(struct vcpu *vcpu);
bool vmx_step_prepare(struct vcpu *vcpu);
void vmx_step_enter(struct vmx_vcpu *vmx);
void vmx_step_exit(struct vmx_vcpu *vmx);
bool vmx_step_own(struct vmx_vcpu *vmx);
void vmx_keep_step_pending(void);

/* segment.c */
void vmx_get_segment(struct vcpu *vcpu, struct kvm_segment *seg,
		     enum vcpu_sreg which);
void vmx_set_segment(struct vcpu *vcpu, const struct kvm_segment *seg,
		     enum vcpu_sreg which);
int vmx_get_cpl(struct vcpu *vcpu);
u32 vmx_get_cs_bits(struct vcpu *vcpu);
void vmx_get_dt(struct vcpu *vcpu, struct kvm_dtable *dt, enum vcpu_dt which);
void vmx_set_dt(struct vcpu *vcpu, const struct kvm_dtable *dt,
		enum vcpu_dt which);
void vmx_reset_segments(struct vmx_vcpu *vmx);
void vmx_fix_long_mode_tr(struct vmx_vcpu *vmx);

/* msr.c */
int vmx_get_msr(struct vcpu *vcpu, struct msr_access *msr);
int vmx_set_msr(struct vcpu *vcpu, const struct msr_access *msr);

/* bitmap.c */
int vmx_io_bitmap_alloc(void);
void vmx_io_bitmap_free(void);
u64 vmx_io_bitmap_pa(int which);
void vmx_load_ports(struct vcpu *vcpu);
int vmx_msr_bitmap_create(struct vmx_vcpu *vmx);
void vmx_msr_bitmap_destroy(struct vmx_vcpu *vmx);
void vmx_update_msr_intercepts(struct vcpu *vcpu);
void vmx_intercept_msr(struct vcpu *vcpu, u32 msr, bool read, bool write);
bool vmx_has_residencies(void);
void vmx_msr_bitmap_cpuid(struct vmx_vcpu *vmx);

/* intr.c: events into the guest, and what exits say of them */
void vmx_inject_exception(struct vcpu *vcpu);
void vmx_inject_irq(struct vcpu *vcpu);
void vmx_inject_nmi(struct vcpu *vcpu);
void vmx_cancel_injection(struct vcpu *vcpu);
bool vmx_irq_allowed(struct vcpu *vcpu);
bool vmx_nmi_allowed(struct vcpu *vcpu);
void vmx_irq_window(struct vcpu *vcpu);
void vmx_nmi_window(struct vcpu *vcpu);
u32 vmx_get_shadow(struct vcpu *vcpu);
void vmx_set_shadow(struct vcpu *vcpu, u32 mask);
bool vmx_get_nmi_mask(struct vcpu *vcpu);
void vmx_set_nmi_mask(struct vcpu *vcpu, bool masked);
void vmx_smm_changed(struct vcpu *vcpu);
void vmx_update_tpr(struct vcpu *vcpu, int tpr, int vector);
void vmx_events_after_exit(struct vmx_vcpu *vmx);

/* apicv.c: the local APIC, virtualized by the CPU */
void vmx_apicv_setup(struct vmx_caps *caps);
int vmx_apicv_create(struct vmx_vcpu *vmx);
void vmx_apicv_destroy(struct vmx_vcpu *vmx);
void vmx_apicv_init(struct vmx_vcpu *vmx);
void vmx_apicv_msrs(struct vmx_vcpu *vmx);
void vmx_apicv_vectors(struct vcpu *vcpu, int pending);
bool vmx_apicv_take(struct vmx_vcpu *vmx);
u32 vmx_apicv_vectoring(struct vmx_vcpu *vmx, u32 info);
void vmx_update_apicv(struct vcpu *vcpu);
bool vmx_notify_posted(struct vcpu *vcpu);
void vmx_handle_irq(struct vcpu *vcpu);

/* posted.c: interrupts that IOMMUs post */
void vmx_posted_setup(void);
void vmx_posted_teardown(void);
void vmx_posted_arrive(struct vmx_vcpu *vmx, int cpu);
void vmx_posted_depart(struct vmx_vcpu *vmx);
void vmx_posted_cpu_goes(void);
void vmx_posted_forget(struct vmx_vcpu *vmx);
bool vmx_posts_irqs(void);
int vmx_post_irq(struct vcpu *vcpu, unsigned int irq, u8 vector);

/* Before each entry, interrupts off: what was posted goes in. False: not by the CPU. */
static inline bool vmx_take_posted(struct vmx_vcpu *vmx)
{
	return likely(!vmx->posted || !posted_pending(vmx->posted)) ||
	       vmx_apicv_take(vmx);
}

/* flat.c: page tables of guests without */
int vmx_flat_setup(void);
void vmx_flat_teardown(void);
u64 vmx_flat_pdpte(int i);

/* enterable.c */
bool vmx_can_enter(struct vcpu *vcpu);

/* ept.c */
void vmx_ept_setup(void);
void vmx_load_root(struct vcpu *vcpu, hpa_t root, int level);
void vmx_flush_tlb(struct vcpu *vcpu);

/* vpid.c */
void vmx_vpid_alloc(struct vmx_vcpu *vmx);
void vmx_vpid_free(struct vmx_vcpu *vmx);
void vmx_flush_tlb_guest(struct vcpu *vcpu);

/* pml.c */
void vmx_pml_setup(void);
int vmx_pml_create(struct vmx_vcpu *vmx);
void vmx_pml_destroy(struct vmx_vcpu *vmx);
void vmx_pml_init(struct vmx_vcpu *vmx);
void vmx_pml_note(struct vmx_vcpu *vmx);
void vmx_pml_full(struct vmx_vcpu *vmx);
void vmx_take_dirty(struct vcpu *vcpu);

/* timer.c */
void vmx_timer_setup(struct vmx_caps *caps);
void vmx_timer_init(struct vmx_vcpu *vmx);
bool vmx_set_deadline(struct vcpu *vcpu, u64 guest_tsc);
void vmx_timer_load(struct vmx_vcpu *vmx);

/* enter.S: by the host's own entry, as an interrupt would */
void vmx_call_irq(unsigned long entry);

/* run.c, exit.c, l1tf.c */
enum hot vmx_run(struct vcpu *vcpu);
void vmx_decode_exit(struct vcpu *vcpu);
int vmx_l1tf_setup(void);
void vmx_l1tf_teardown(void);
void vmx_l1tf_before_entry(struct vmx_vcpu *vmx);
void vmx_l1tf_after_run(struct vmx_vcpu *vmx);
DECLARE_STATIC_KEY_FALSE(vmx_l1tf_active);

/* Right before each entry, interrupts off: no secret stays in the L1 data cache where a
 * guest could read it.
 */
static inline void vmx_l1tf_flush(struct vmx_vcpu *vmx)
{
	if (static_branch_unlikely(&vmx_l1tf_active))
		vmx_l1tf_before_entry(vmx);
}

/* dump.c */
void vmx_dump(struct vcpu *vcpu);
const char *vmx_exit_name(u32 reason);

#endif
