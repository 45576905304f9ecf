// SPDX-License-Identifier: GPL-2.0-only
/* The SVM backend as the core sees it; SVM on the CPUs, vCPUs coming and going. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/topology.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>

#include "svm.h"
#include "insn.h"
#include "../x86/cpuid.h"
#include "../x86/x86.h"

DEFINE_PER_CPU(struct svm_cpu, svm_cpu);

static void free_cpu_pages(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct svm_cpu *c = &per_cpu(svm_cpu, cpu);

		free_page((unsigned long)c->hsave);
		free_page((unsigned long)c->host);
		memset(c, 0, sizeof(*c));
	}
}

static void *alloc_cpu_page(int cpu)
{
	struct page *page = alloc_pages_node(cpu_to_node(cpu),
					     GFP_KERNEL | __GFP_ZERO, 0);

	return page ? page_address(page) : NULL;
}

static int alloc_cpu_pages(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct svm_cpu *c = &per_cpu(svm_cpu, cpu);

		c->hsave = alloc_cpu_page(cpu);
		c->host = alloc_cpu_page(cpu);
		if (!c->hsave || !c->host) {
			free_cpu_pages();
			return -ENOMEM;
		}
		c->hsave_pa = __sme_pa(c->hsave);
		c->host_pa = __sme_pa(c->host);
	}
	return 0;
}

/* What guests may be told they have, beyond what needs no help from here. */
static void set_guest_features(void)
{
	u32 features = VENDOR_XSAVES | VENDOR_UMIP | VENDOR_INVPCID;

	if (svm_has_tsc_aux())
		features |= VENDOR_RDTSCP;
	if (boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		features |= VENDOR_SPEC_CTRL;
	cpuid_vendor_features |= features;
}

static int svm_setup(void)
{
	int err;

	err = svm_caps_setup();
	if (err)
		return err;
	err = alloc_cpu_pages();
	if (err)
		return err;
	err = svm_iopm_create();
	if (err)
		goto out_pages;
	svm_npt_setup();
	svm_avic_bind();
	set_guest_features();
	return 0;

out_pages:
	free_cpu_pages();
	return err;
}

static void svm_teardown(void)
{
	svm_iopm_destroy();
	free_cpu_pages();
}

/**
 * svm_load_tsc_ratio() - this CPU's guests' TSC
 * @ratio: to the host's, which it does not touch
 *
 * Context: preemption off.
 */
void svm_load_tsc_ratio(u64 ratio)
{
	if (!tsc_scaling.bits || this_cpu_read(svm_cpu.tsc_ratio) == ratio)
		return;
	this_cpu_write(svm_cpu.tsc_ratio, ratio);
	wrmsrl(MSR_AMD64_TSC_RATIO, ratio);
}

static int svm_cpu_enable(void)
{
	struct svm_cpu *cpu = this_cpu_ptr(&svm_cpu);
	u64 efer;

	rdmsrl(MSR_EFER, efer);
	if (efer & EFER_SVME) {
		pr_err("CPU %d: SVM is held by another hypervisor (kvm_amd?): rmmod kvm_amd, or boot with kvm.enable_virt_at_load=0\n",
		       smp_processor_id());
		return -EBUSY;
	}
	wrmsrl(MSR_EFER, efer | EFER_SVME);
	wrmsrl(MSR_VM_HSAVE_PA, cpu->hsave_pa);
	if (svm_has_tsc_aux())
		rdmsrl(MSR_TSC_AUX, cpu->tsc_aux);
	/* Nobody knows what was there. */
	cpu->tsc_ratio = 0;
	svm_load_tsc_ratio(SVM_TSC_RATIO_DEFAULT);
	svm_asid_cpu_init(cpu);
	return 0;
}

/* Also by NMI in a crash, where it may have hit between CLGI and STGI. */
static void svm_cpu_disable(bool crash)
{
	u64 efer;

	rdmsrl(MSR_EFER, efer);
	if (!(efer & EFER_SVME))
		return;
	insn_stgi();
	svm_load_tsc_ratio(SVM_TSC_RATIO_DEFAULT);
	wrmsrl(MSR_VM_HSAVE_PA, 0);
	wrmsrl(MSR_EFER, efer & ~EFER_SVME);
}

static int svm_vm_init(struct vm *vm)
{
	return svm_avic_vm_init(to_svm_vm(vm));
}

static void svm_vm_destroy(struct vm *vm)
{
	svm_avic_vm_destroy(to_svm_vm(vm));
}

/* VMRUN takes real mode, and segments of any kind. */
static bool svm_can_enter(struct vcpu *vcpu)
{
	return true;
}

static int svm_vcpu_init(struct vcpu *vcpu)
{
	int err = svm_vmcb_create(to_svm(vcpu));

	if (!err)
		svm_avic_create(to_svm(vcpu));
	return err;
}

static void svm_vcpu_free(struct vcpu *vcpu)
{
	svm_avic_destroy(to_svm(vcpu));
	svm_vmcb_destroy(to_svm(vcpu));
}

/** svm_vcpu_load() - see struct vendor_ops */
void svm_vcpu_load(struct vcpu *vcpu, int cpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct svm_cpu *c = this_cpu_ptr(&svm_cpu);

	if (vcpu->last_cpu != cpu) {
		/* Nothing this CPU may remember of the VMCB or of the ASID's
		 * translations is up to date.
		 */
		svm->vmcb->control.clean = 0;
		svm->asid_generation = 0;
	}
	svm_load_tsc_ratio(vcpu->tsc_ratio);
	if (c->last_vmcb != svm->vmcb) {
		c->last_vmcb = svm->vmcb;
		/* What another guest taught the predictors is not for this. */
		indirect_branch_prediction_barrier();
	}
}

static void svm_prepare_guest(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	if (vcpu->guest_state_loaded)
		return;
	svm_save_host();
	if (vcpu->feat.rdtscp || vcpu->feat.rdpid) {
		if (vcpu->tsc_aux != this_cpu_read(svm_cpu.tsc_aux))
			wrmsrl(MSR_TSC_AUX, vcpu->tsc_aux);
		svm->tsc_aux_loaded = true;
	}
	vcpu->guest_state_loaded = true;
}

/** svm_vcpu_put() - see struct vendor_ops */
void svm_vcpu_put(struct vcpu *vcpu, bool comes_back)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	u64 host = this_cpu_read(svm_cpu.tsc_aux);

	if (svm->tsc_aux_loaded && vcpu->tsc_aux != host)
		wrmsrl(MSR_TSC_AUX, host);
	svm->tsc_aux_loaded = false;
	if (unlikely(svm->debug_native))
		svm_debug_trap(svm);
	vcpu->guest_state_loaded = false;
}

/* IOMMUs post nothing here, and the CPU leaves the host's interrupts where they are. */

static bool svm_posts_irqs(void)
{
	return false;
}

static int svm_post_irq(struct vcpu *vcpu, unsigned int irq, u8 vector)
{
	return -EOPNOTSUPP;
}

static void svm_handle_irq(struct vcpu *vcpu)
{
}

const struct vendor_ops svm_ops = {
	.name = "svm",
	.vcpu_size = sizeof(struct svm_vcpu),
	.vm_size = sizeof(struct svm_vm),
	.probe = svm_probe,
	.setup = svm_setup,
	.teardown = svm_teardown,
	.cpu_enable = svm_cpu_enable,
	.cpu_disable = svm_cpu_disable,
	.vm_init = svm_vm_init,
	.vm_destroy = svm_vm_destroy,
	.vcpu_init = svm_vcpu_init,
	.vcpu_free = svm_vcpu_free,
	.vcpu_reset = svm_vcpu_reset,
	.vcpu_load = svm_vcpu_load,
	.vcpu_put = svm_vcpu_put,
	.prepare_guest = svm_prepare_guest,
	.cpuid_changed = svm_cpuid_changed,
	.cache_reg = svm_cache_reg,
	.get_segment = svm_get_segment,
	.set_segment = svm_set_segment,
	.get_cpl = svm_get_cpl,
	.get_cs_bits = svm_get_cs_bits,
	.get_dt = svm_get_dt,
	.set_dt = svm_set_dt,
	.set_cr0 = svm_set_cr0,
	.set_cr3 = svm_set_cr3,
	.set_cr4 = svm_set_cr4,
	.set_efer = svm_set_efer,
	.set_dr7 = svm_set_dr7,
	.debug_changed = svm_debug_changed,
	.step_prepare = svm_step_prepare,
	.get_msr = svm_get_msr,
	.set_msr = svm_set_msr,
	.update_msr_intercepts = svm_update_msr_intercepts,
	.load_ports = svm_load_ports,
	.inject_exception = svm_inject_exception,
	.inject_irq = svm_inject_irq,
	.inject_nmi = svm_inject_nmi,
	.cancel_injection = svm_cancel_injection,
	.irq_allowed = svm_irq_allowed,
	.nmi_allowed = svm_nmi_allowed,
	.irq_window = svm_irq_window,
	.nmi_window = svm_nmi_window,
	.get_shadow = svm_get_shadow,
	.set_shadow = svm_set_shadow,
	.get_nmi_mask = svm_get_nmi_mask,
	.set_nmi_mask = svm_set_nmi_mask,
	.smm_changed = svm_smm_changed,
	.update_tpr = svm_update_tpr,
	.update_apicv = svm_update_apicv,
	.apic_changed = svm_apic_changed,
	.notify_posted = svm_notify_posted,
	.posts_irqs = svm_posts_irqs,
	.post_irq = svm_post_irq,
	.handle_irq = svm_handle_irq,
	.set_deadline = svm_set_deadline,
	.can_enter = svm_can_enter,
	.run = svm_run,
	.decode_exit = svm_decode_exit,
	.load_root = svm_load_root,
	.flush_tlb = svm_flush_tlb,
	.flush_tlb_guest = svm_flush_tlb,
	.take_dirty = svm_take_dirty,
	.write_tsc = svm_write_tsc,
	.dump = svm_dump,
	.feature = svm_feature,
};
