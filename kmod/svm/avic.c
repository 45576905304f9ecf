// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC, virtualized by the CPU: AMD's x2AVIC, in x2APIC mode alone. The CPU
 * delivers what is in IRR of the register page when the guest takes it, keeps ISR, and
 * sends fixed IPIs: avic_table.c. TPR is no exit, and neither is EOI where nobody hears of
 * it; that of a level-triggered interrupt always is one.
 *
 * Whoever has an interrupt sets IRR itself, be it a thread or a CPU, and rings the
 * doorbell of the CPU where the guest runs. One that is not in the guest, or leaves it
 * before it rings, looks at IRR with the next VMRUN.
 *
 * A vCPU does without while something wants to see each interrupt, and while a window is
 * waited for: V_IRQ is not there then, and what the CPU delivers by itself would push the
 * TF of a step. Its entry does not run meanwhile: who sends it an IPI exits.
 *
 * It has run on no hardware: what it takes for granted is in Documentation/interrupts.rst.
 */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <asm/msr.h>
#include <asm/smp.h>

#include "svm.h"
#include "avic_table.h"
#include "../irqchip/lapic.h"

static bool param_avic;
module_param_named(avic, param_avic, bool, 0444);
MODULE_PARM_DESC(avic, "SVM: have the CPU virtualize local APICs in x2APIC mode; it has run on no hardware yet (default: 0)");

/* Nobody posts: IRR is open. */
static struct posted_desc nothing_posted;

/**
 * svm_avic_usable() - at load: is it to be used?
 * @cpu_has: AVIC and x2AVIC
 *
 * CPUs whose IPIs may miss that a target has just stopped (erratum 1235, family 17h) have
 * no x2AVIC.
 */
bool svm_avic_usable(bool cpu_has)
{
	int cpu;

	if (!param_avic)
		return false;
	for_each_present_cpu(cpu)
		cpu_has &= cpu_physical_id(cpu) <=
			   AVIC_PHYSICAL_ID_ENTRY_HOST_PHYSICAL_ID_MASK;
	if (!cpu_has)
		pr_notice("avic=1 is of no use here: this CPU has no x2AVIC, or its APIC ids are too large\n");
	param_avic = cpu_has;	/* what is read there is what is so */
	return cpu_has;
}

int svm_avic_vm_init(struct svm_vm *vm)
{
	if (!svm_caps.avic)
		return 0;
	vm->avic_table = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return vm->avic_table ? 0 : -ENOMEM;
}

void svm_avic_vm_destroy(struct svm_vm *vm)
{
	free_page((unsigned long)vm->avic_table);
}

static void wake(struct irq_work *work)
{
	vcpu_wake(&container_of(work, struct svm_vcpu, avic_wake)->vcpu);
}

/**
 * svm_avic_create() - an entry for a vCPU with a local APIC, and the VMCB's part of it
 * @svm: new, in no list yet; vm->lock held
 */
void svm_avic_create(struct svm_vcpu *svm)
{
	struct vmcb_control_area *control = &svm->vmcb->control;
	struct svm_vm *vm = to_svm_vm(svm->vcpu.vm);
	struct lapic *lapic = svm->vcpu.lapic;

	if (!svm_caps.avic || !lapic)
		return;
	if (lapic->id > X2AVIC_MAX_PHYSICAL_ID) {
		/* A broadcast of the CPU's would not get there. */
		WRITE_ONCE(vm->avic_short, true);
		vm_request_all(&vm->vm, REQ_APICV);
		return;
	}
	lapic->irr_open = true;
	lapic->posted = &nothing_posted;
	init_irq_work(&svm->avic_wake, wake);
	svm->avic_entry = &vm->avic_table[lapic->id];
	avic_entry_init(svm->avic_entry, __sme_pa(lapic->regs));
	control->avic_vapic_bar = APIC_DEFAULT_PHYS_BASE;
	control->avic_backing_page = __sme_pa(lapic->regs);
	control->avic_physical_id = __sme_pa(vm->avic_table) | X2AVIC_MAX_PHYSICAL_ID;
	/* Of xAPIC mode: nobody is there. */
	control->avic_logical_id = __sme_set(page_to_phys(ZERO_PAGE(0)));
}

void svm_avic_destroy(struct svm_vcpu *svm)
{
	if (!svm->avic_entry)
		return;
	irq_work_sync(&svm->avic_wake);
	WRITE_ONCE(*svm->avic_entry, 0);
}

/** svm_apic_changed() - see struct vendor_ops */
void svm_apic_changed(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	if (svm->avic_entry)
		avic_entry_takes(svm->avic_entry,
				 lapic_is_x2apic(vcpu->lapic) &&
				 lapic_sw_enabled(vcpu->lapic));
}

static bool is_virt(const struct vcpu *vcpu)
{
	return vcpu->lapic && vcpu->lapic->virt;
}

/* Does somebody hear of the end of edges: the PIT, those who resample lines? */
static bool eois_heard(struct vm *vm)
{
	unsigned long map[256 / BITS_PER_LONG];

	if (!vm_has_ioapic(vm))
		return false;
	irqchip_eoi_vectors(vm, map);
	return !bitmap_empty(map, 256);
}

/* While it is not virtualized the MSRs are the host's: each access has to exit. */
static void intercept_msrs(struct vcpu *vcpu)
{
	bool virt = is_virt(vcpu), heard = eois_heard(vcpu->vm);
	u32 reg;

	for (reg = 0; reg < 0x400; reg += 16)
		svm_intercept_msr(vcpu, X2APIC_MSR_BASE + (reg >> 4),
				  !virt || !avic_reads_pass(vcpu->lapic, reg),
				  !virt || !avic_writes_pass(reg, heard));
}

static void enter_here(struct svm_vcpu *svm)
{
	avic_entry_enter(svm->avic_entry, cpu_physical_id(smp_processor_id()));
}

/* From the next entry on; what is pending is looked at before. */
static void set_virt(struct svm_vcpu *svm, bool virt)
{
	struct vmcb_control_area *control = &svm->vmcb->control;
	struct lapic *lapic = svm->vcpu.lapic;

	control->int_ctl &= ~(AVIC_ENABLE_MASK | X2APIC_MODE_MASK);
	if (virt)
		control->int_ctl |= AVIC_ENABLE_MASK | X2APIC_MODE_MASK;
	vmcb_mark_dirty(svm->vmcb, VMCB_CLEAN_INTR);

	/* The entry goes by it whenever the thread comes to a CPU or leaves one. */
	preempt_disable();
	lapic_set_virt(lapic, virt);
	if (virt)
		enter_here(svm);
	else
		avic_entry_leave(svm->avic_entry, lapic, false);
	preempt_enable();
	intercept_msrs(&svm->vcpu);
}

static bool wanted(struct svm_vcpu *svm)
{
	return irqchip_may_virtualize(&svm->vcpu) && !svm->nmi_step &&
	       !(svm->vmcb->control.int_ctl & V_IRQ_MASK) &&
	       !READ_ONCE(to_svm_vm(svm->vcpu.vm)->avic_short);
}

/** svm_update_apicv() - see struct vendor_ops */
void svm_update_apicv(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	bool virt;

	if (!svm->avic_entry)
		return;
	virt = wanted(svm);
	if (virt)
		svm->avic_paused = false;
	if (virt != vcpu->lapic->virt)
		set_virt(svm, virt);
	else if (virt)
		intercept_msrs(vcpu);	/* EOIs may be heard, or not any more */
}

/** svm_notify_posted() - see struct vendor_ops */
bool svm_notify_posted(struct vcpu *vcpu)
{
	int cpu;

	/*
	 * IRR was set by a full barrier. Either the guest's side looks at it after it said
	 * IN_GUEST, or that is seen here. A doorbell that comes too late does no harm.
	 */
	if (READ_ONCE(vcpu->mode) == VCPU_OUTSIDE) {
		vcpu_wake(vcpu);
		return true;
	}
	cpu = READ_ONCE(vcpu->cpu);
	if (cpu >= 0)
		wrmsrl(MSR_AMD64_SVM_AVIC_DOORBELL, cpu_physical_id(cpu));
	return true;
}

/* Ops that take the place of others where it is used: nobody else pays for it. */

static void load(struct vcpu *vcpu, int cpu)
{
	svm_vcpu_load(vcpu, cpu);
	if (is_virt(vcpu))
		enter_here(to_svm(vcpu));
}

static void put(struct vcpu *vcpu, bool comes_back)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	bool sleeps = READ_ONCE(vcpu->asleep) == JOIST_VCPU_STATE_HALTED;

	svm_vcpu_put(vcpu, comes_back);
	/* Under the run queue's lock nobody is woken: as soon as interrupts are on. */
	if (is_virt(vcpu) &&
	    avic_entry_leave(svm->avic_entry, vcpu->lapic, sleeps) &&
	    svm_irq_allowed(vcpu))
		irq_work_queue(&svm->avic_wake);
}

static void update_msr_intercepts(struct vcpu *vcpu)
{
	svm_update_msr_intercepts(vcpu);
	if (is_virt(vcpu))
		intercept_msrs(vcpu);
}

static void update_tpr(struct vcpu *vcpu, int tpr, int vector)
{
	svm_update_tpr(vcpu, is_virt(vcpu) ? 0 : tpr, is_virt(vcpu) ? -1 : vector);
}

static void pause(struct svm_vcpu *svm)
{
	if (!is_virt(&svm->vcpu))
		return;
	svm->avic_paused = true;
	set_virt(svm, false);
}

static void irq_window(struct vcpu *vcpu)
{
	svm_irq_window(vcpu);
	pause(to_svm(vcpu));
}

static void nmi_window(struct vcpu *vcpu)
{
	svm_nmi_window(vcpu);
	if (to_svm(vcpu)->nmi_step)
		pause(to_svm(vcpu));
}

static void decode_exit(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	const struct vmcb_control_area *control = &svm->vmcb->control;

	svm_decode_exit(vcpu);
	switch (control->exit_code) {
	case SVM_EXIT_AVIC_INCOMPLETE_IPI:
		avic_decode_ipi(&vcpu->exit, vcpu->lapic, control->exit_info_1,
				control->exit_info_2);
		break;
	case SVM_EXIT_AVIC_UNACCELERATED_ACCESS:
		avic_decode_access(&vcpu->exit, vcpu->lapic, control->exit_info_1,
				   control->exit_info_2);
		break;
	}
	if (unlikely(svm->avic_paused))
		vcpu_request(vcpu, REQ_APICV);	/* has the window come? */
}

/** svm_avic_bind() - at load */
void svm_avic_bind(void)
{
	if (!svm_caps.avic)
		return;
	vendor_rebind(vcpu_load, load);
	vendor_rebind(vcpu_put, put);
	vendor_rebind(update_msr_intercepts, update_msr_intercepts);
	vendor_rebind(update_tpr, update_tpr);
	vendor_rebind(irq_window, irq_window);
	vendor_rebind(nmi_window, nmi_window);
	vendor_rebind(decode_exit, decode_exit);
}
