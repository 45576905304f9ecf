/* SPDX-License-Identifier: GPL-2.0-only */
/* The SVM backend: its structures, and what its files ask of each other. */
#ifndef JOIST_SVM_SVM_H
#define JOIST_SVM_SVM_H

#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <asm/svm.h>

#include "../core/vcpu.h"
#include "../core/vm.h"
#include "../x86/hot.h"
#include "../x86/vendor_ops.h"

/* VMCB clean bits: which parts a CPU may keep from the last VMRUN. */
enum vmcb_clean {
	VMCB_CLEAN_INTERCEPTS,	/* intercepts, TSC offset, pause filter */
	VMCB_CLEAN_PERM,	/* addresses of the permission maps */
	VMCB_CLEAN_ASID,
	VMCB_CLEAN_INTR,	/* int_ctl, int_vector: V_TPR, V_IRQ */
	VMCB_CLEAN_NPT,		/* nested CR3, guest PAT */
	VMCB_CLEAN_CR,		/* CR0, CR3, CR4, EFER */
	VMCB_CLEAN_DR,		/* DR6, DR7 */
	VMCB_CLEAN_DT,		/* GDTR, IDTR */
	VMCB_CLEAN_SEG,		/* CS, DS, SS, ES, CPL */
	VMCB_CLEAN_CR2,
	VMCB_CLEAN_LBR,		/* DEBUGCTL and last branches */
	NR_VMCB_CLEAN,
};

#define VMCB_ALL_CLEAN		(BIT(NR_VMCB_CLEAN) - 1)

/**
 * struct svm_caps - what this machine's SVM has and the parameters allow
 * @nr_asids: ASIDs 0 (the host's) to nr_asids - 1
 * @clean: clean bits to set after an exit; 0 where the CPU has none
 * @nrips: exits tell the next instruction's address
 * @flush_by_asid: TLB_CONTROL can flush one ASID
 * @decode_assists: exits tell operands and instruction bytes
 * @v_spec_ctrl: VMRUN and #VMEXIT switch SPEC_CTRL
 * @pause_filter: PAUSE exits only after many in a row
 * @pause_threshold: which must be close to each other
 * @avic: x2APICs can be virtualized, and are to be: avic.c
 * @tcg: QEMU's (7.2): INT3 and INTO exit as INTn does, not as exceptions, and VMRUN
 *       loads DR7 but arms no breakpoint
 *
 * Written at load only.
 */
struct svm_caps {
	u32 nr_asids;
	u32 clean;
	bool nrips;
	bool flush_by_asid;
	bool decode_assists;
	bool v_spec_ctrl;
	bool pause_filter;
	bool pause_threshold;
	bool avic;
	bool tcg;
};

extern struct svm_caps svm_caps;

const char *svm_feature(unsigned int i);

/* exit_info_1 of a nested page fault. */
#define NPF_INFO_PRESENT	BIT_ULL(0)
#define NPF_INFO_WRITE		BIT_ULL(1)
#define NPF_INFO_FETCH		BIT_ULL(4)
#define NPF_INFO_FINAL		BIT_ULL(32)
#define NPF_INFO_WALK		BIT_ULL(33)

/* Of TSC_RATIO, after the point. */
#define SVM_TSC_RATIO_BITS	32

/**
 * struct svm_cpu - SVM on one physical CPU
 * @asid_generation: counts the times the ASIDs ran out
 * @next_asid: first that was not given out in this generation
 * @hsave_pa: VM_HSAVE_PA: the CPU's own, opaque
 * @host_pa: VMCB-shaped page for the host's VMSAVE state
 * @hsave: kernel address of the first
 * @host: kernel address of the second
 * @last_vmcb: whose guest ran here last, for branch-prediction barriers
 * @tsc_aux: the host's TSC_AUX
 * @tsc_ratio: TSC_RATIO as it is; 0: not written yet
 *
 * Used by its own CPU with preemption off, but for @last_vmcb, which
 * svm_vcpu_free() takes back with cmpxchg from anywhere.
 */
struct svm_cpu {
	u64 asid_generation;
	u32 next_asid;
	hpa_t hsave_pa;
	hpa_t host_pa;
	void *hsave;
	void *host;
	struct vmcb *last_vmcb;
	u64 tsc_aux;
	u64 tsc_ratio;
};

DECLARE_PER_CPU(struct svm_cpu, svm_cpu);

/**
 * struct svm_spec_ctrl - SPEC_CTRL around the guest, for svm_enter()
 * @guest: in and out
 * @host: what the host runs with
 */
struct svm_spec_ctrl {
	u64 guest;
	u64 host;
};

/**
 * struct svm_vcpu - a vCPU on SVM
 * @vcpu: must be first
 * @vmcb: its control block
 * @vmcb_pa: host physical address of it, as the CPU takes it
 * @msrpm: MSR permission map
 * @asid_generation: of the CPU last run on; 0: needs a new ASID
 * @spec_ctrl: for CPUs that do not virtualize SPEC_CTRL
 * @spec_ctrl_native: the guest has its own SPEC_CTRL
 * @tsc_aux_loaded: this CPU's TSC_AUX is the guest's
 * @debug_native: the guest has the debug registers for itself
 * @nmi_masked: NMIs are blocked until an IRET completes
 * @iret_seen: that IRET is about to be executed at @iret_rip
 * @nmi_step: one instruction is to be stepped to find the NMI window
 * @step_iret: it is the IRET
 * @stepped: the last entry stepped it
 * @exit_now: the next entry only delivers its event
 * @iret_rip: address of it
 * @intn_len: length of the INT whose interrupt is to be injected; 0: none
 * @soft_len: RIP moved so far for the injected #BP, #OF or INT
 * @step_rflags: the guest's own TF and RF
 * @avic_entry: in the VM's table; NULL: the CPU does not virtualize its local APIC
 * @avic_wake: wakes its thread, from where it goes to sleep
 * @avic_paused: until a window has come
 *
 * Protection: vcpu->mutex, and loaded where the hardware is concerned.
 */
struct svm_vcpu {
	struct vcpu vcpu;
	struct vmcb *vmcb;
	hpa_t vmcb_pa;
	void *msrpm;
	u64 asid_generation;
	struct svm_spec_ctrl spec_ctrl;
	bool spec_ctrl_native;
	bool tsc_aux_loaded;
	bool debug_native;
	bool nmi_masked;
	bool iret_seen;
	bool nmi_step;
	bool step_iret;
	bool stepped;
	bool exit_now;
	u64 iret_rip;
	u64 step_rflags;
	u8 intn_len;
	u8 soft_len;
	u64 *avic_entry;
	struct irq_work avic_wake;
	bool avic_paused;
};

/**
 * struct svm_vm - a VM on SVM
 * @vm: must be first
 * @avic_table: by APIC id, a page: avic_table.h; NULL: none is virtualized
 * @avic_short: there is an id for which that has no room
 *
 * @avic_short is set once, under vm->lock, and read racily.
 */
struct svm_vm {
	struct vm vm;
	u64 *avic_table;
	bool avic_short;
};

static inline struct svm_vcpu *to_svm(struct vcpu *vcpu)
{
	return container_of(vcpu, struct svm_vcpu, vcpu);
}

static inline struct svm_vm *to_svm_vm(struct vm *vm)
{
	return container_of(vm, struct svm_vm, vm);
}

static inline void vmcb_mark_dirty(struct vmcb *vmcb, enum vmcb_clean part)
{
	vmcb->control.clean &= ~BIT(part);
}

static inline bool vmcb_intercepts(const struct vmcb *vmcb, unsigned int bit)
{
	return vmcb->control.intercepts[bit / 32] & BIT(bit % 32);
}

static inline void vmcb_set_intercept(struct vmcb *vmcb, unsigned int bit)
{
	if (vmcb_intercepts(vmcb, bit))
		return;
	vmcb->control.intercepts[bit / 32] |= BIT(bit % 32);
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_INTERCEPTS);
}

static inline void vmcb_clear_intercept(struct vmcb *vmcb, unsigned int bit)
{
	if (!vmcb_intercepts(vmcb, bit))
		return;
	vmcb->control.intercepts[bit / 32] &= ~BIT(bit % 32);
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_INTERCEPTS);
}

static inline void vmcb_intercept(struct vmcb *vmcb, unsigned int bit, bool on)
{
	if (on)
		vmcb_set_intercept(vmcb, bit);
	else
		vmcb_clear_intercept(vmcb, bit);
}

/* caps.c */
int svm_probe(void);
int svm_caps_setup(void);
extern unsigned short svm_pause_count;
extern unsigned short svm_pause_window;

/* ops.c */
void svm_load_tsc_ratio(u64 ratio);
void svm_vcpu_load(struct vcpu *vcpu, int cpu);
void svm_vcpu_put(struct vcpu *vcpu, bool comes_back);

/* vmcb.c */
void svm_intercept_exceptions(struct vmcb *vmcb, u32 more);
int svm_vmcb_create(struct svm_vcpu *svm);
void svm_vmcb_destroy(struct svm_vcpu *svm);
void svm_vcpu_reset(struct vcpu *vcpu, bool init);
void svm_cpuid_changed(struct vcpu *vcpu);
void svm_write_tsc(struct vcpu *vcpu);

/* state.c: registers */
void svm_cache_reg(struct vcpu *vcpu, enum vcpu_reg reg);
void svm_get_segment(struct vcpu *vcpu, struct kvm_segment *seg,
		     enum vcpu_sreg which);
void svm_set_segment(struct vcpu *vcpu, const struct kvm_segment *seg,
		     enum vcpu_sreg which);
int svm_get_cpl(struct vcpu *vcpu);
u32 svm_get_cs_bits(struct vcpu *vcpu);
void svm_get_dt(struct vcpu *vcpu, struct kvm_dtable *dt, enum vcpu_dt which);
void svm_set_dt(struct vcpu *vcpu, const struct kvm_dtable *dt,
		enum vcpu_dt which);
void svm_set_cr0(struct vcpu *vcpu, u64 cr0);
void svm_set_cr3(struct vcpu *vcpu, u64 cr3);
void svm_set_cr4(struct vcpu *vcpu, u64 cr4);
void svm_set_efer(struct vcpu *vcpu, u64 efer);
void svm_set_dr7(struct vcpu *vcpu);

/* msr.c */
int svm_get_msr(struct vcpu *vcpu, struct msr_access *msr);
int svm_set_msr(struct vcpu *vcpu, const struct msr_access *msr);
bool svm_has_tsc_aux(void);

/* bitmap.c: permission maps */
int svm_iopm_create(void);
void svm_iopm_destroy(void);
hpa_t svm_iopm_pa(void);
void svm_load_ports(struct vcpu *vcpu);
void svm_msrpm_cpuid(struct vcpu *vcpu);
int svm_msrpm_create(struct svm_vcpu *svm);
void svm_msrpm_destroy(struct svm_vcpu *svm);
void svm_update_msr_intercepts(struct vcpu *vcpu);
void svm_intercept_msr(struct vcpu *vcpu, u32 msr, bool read, bool write);

/* intr.c: events */
void svm_inject_exception(struct vcpu *vcpu);
void svm_inject_irq(struct vcpu *vcpu);
void svm_inject_nmi(struct vcpu *vcpu);
void svm_cancel_injection(struct vcpu *vcpu);
bool svm_irq_allowed(struct vcpu *vcpu);
bool svm_nmi_allowed(struct vcpu *vcpu);
void svm_irq_window(struct vcpu *vcpu);
void svm_nmi_window(struct vcpu *vcpu);
void svm_irq_window_close(struct svm_vcpu *svm);
u32 svm_get_shadow(struct vcpu *vcpu);
void svm_set_shadow(struct vcpu *vcpu, u32 mask);
bool svm_get_nmi_mask(struct vcpu *vcpu);
void svm_set_nmi_mask(struct vcpu *vcpu, bool masked);
void svm_smm_changed(struct vcpu *vcpu);
void svm_update_tpr(struct vcpu *vcpu, int tpr, int vector);
bool svm_set_deadline(struct vcpu *vcpu, u64 guest_tsc);
void svm_take_dirty(struct vcpu *vcpu);
void svm_events_undelivered(struct svm_vcpu *svm, u32 info, u32 error);
void svm_nmi_iret(struct svm_vcpu *svm);
void svm_nmi_iret_done(struct svm_vcpu *svm);
void svm_nmi_step_stop(struct svm_vcpu *svm);

/* run.c, enter.S */
enum hot svm_run(struct vcpu *vcpu);
void svm_enter(hpa_t vmcb_pa, u64 *regs, hpa_t host_pa,
	       struct svm_spec_ctrl *spec_ctrl);
void svm_enter_armed(hpa_t vmcb_pa, u64 *regs, hpa_t host_pa,
		     struct svm_spec_ctrl *spec_ctrl, u64 dr7);
extern const char svm_armed_begin[], svm_armed_end[];	/* in it */
void svm_save_host(void);

/* avic.c: the local APIC, virtualized by the CPU */
bool svm_avic_usable(bool cpu_has);
void svm_avic_bind(void);
int svm_avic_vm_init(struct svm_vm *vm);
void svm_avic_vm_destroy(struct svm_vm *vm);
void svm_avic_create(struct svm_vcpu *svm);
void svm_avic_destroy(struct svm_vcpu *svm);
void svm_update_apicv(struct vcpu *vcpu);
void svm_apic_changed(struct vcpu *vcpu);
bool svm_notify_posted(struct vcpu *vcpu);

/* debug.c */
void svm_debug_trap(struct svm_vcpu *svm);
void svm_debug_give(struct svm_vcpu *svm);
u64 svm_debug_load(struct vcpu *vcpu);
void svm_debug_save(struct svm_vcpu *svm);

/* step.c: a debugger's breakpoints and steps */
void svm_debug_changed(struct vcpu *vcpu);
bool svm_step_prepare(struct vcpu *vcpu);
void svm_debug_enter(struct svm_vcpu *svm);
void svm_debug_exit(struct svm_vcpu *svm);
void svm_decode_intn(struct svm_vcpu *svm, struct exit *e);

/* exit.c */
void svm_decode_exit(struct vcpu *vcpu);

/* npt.c */
void svm_npt_setup(void);
void svm_load_root(struct vcpu *vcpu, hpa_t root, int level);

/* asid.c */
void svm_asid_cpu_init(struct svm_cpu *cpu);
void svm_asid_assign(struct svm_vcpu *svm, struct svm_cpu *cpu);
void svm_flush_tlb(struct vcpu *vcpu);

/* dump.c */
void svm_dump(struct vcpu *vcpu);

#endif
