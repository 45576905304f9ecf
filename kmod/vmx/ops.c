// SPDX-License-Identifier: GPL-2.0-only
/* The VMX backend's operations, and the life of its structures. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/printk.h>

#include "vmx.h"
#include "../core/regs.h"
#include "../x86/cpuid.h"
#include "../x86/exits.h"
#include "../x86/x86.h"

/* What guests may be told they have, beyond what needs no help from here. */
static void set_guest_features(void)
{
	u32 features = VENDOR_UMIP;

	if (vmx_has_cpu2(SECONDARY_EXEC_ENABLE_RDTSCP))
		features |= VENDOR_RDTSCP;
	if (vmx_has_cpu2(SECONDARY_EXEC_ENABLE_INVPCID))
		features |= VENDOR_INVPCID;
	if (vmx_has_cpu2(VMCS_CONTROL_BIT(XSAVES)))
		features |= VENDOR_XSAVES;
	if (boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		features |= VENDOR_SPEC_CTRL;
	cpuid_vendor_features |= features;
}

static int vmx_setup(void)
{
	int err = vmx_caps_setup();

	if (err)
		return err;
	err = vmx_io_bitmap_alloc();
	if (err)
		return err;
	err = vmx_l1tf_setup();
	if (err)
		goto out_io;
	err = vmx_cpus_alloc();
	if (err)
		goto out_l1tf;
	vmx_ept_setup();
	vmx_posted_setup();
	set_guest_features();
	err = vmx_flat_setup();
	if (err)
		goto out_cpus;
	if (vmx_has_cpu2(SECONDARY_EXEC_TSC_SCALING))
		tsc_scaling_setup(TSC_MULTIPLIER_BITS, U64_MAX);
	exit_caps.bus_lock = vmx_has_cpu2(SECONDARY_EXEC_BUS_LOCK_DETECTION);
	exit_caps.notify = vmx_has_cpu2(SECONDARY_EXEC_NOTIFY_VM_EXITING);
	if (vmx_has_residencies())
		exit_caps.optional |= KVM_X86_DISABLE_EXITS_CSTATE;
	return 0;

out_cpus:
	vmx_cpus_free();
out_l1tf:
	vmx_l1tf_teardown();
out_io:
	vmx_io_bitmap_free();
	return err;
}

static void vmx_teardown(void)
{
	vmx_posted_teardown();
	vmx_flat_teardown();
	vmx_cpus_free();
	vmx_l1tf_teardown();
	vmx_io_bitmap_free();
}

static int vmx_vm_init(struct vm *vm)
{
	return 0;
}

static void vmx_vm_destroy(struct vm *vm)
{
}

/* The VMCS gets the TSC's offset and rate. @vmx is current. */
static void sync_tsc(struct vmx_vcpu *vmx)
{
	struct vcpu *vcpu = &vmx->vcpu;

	if (vmx->tsc_offset != vcpu->tsc_offset) {
		vmx->tsc_offset = vcpu->tsc_offset;
		vmcs_write(TSC_OFFSET, vmx->tsc_offset);
	}
	if (likely(vmx->tsc_ratio == vcpu->tsc_ratio))
		return;
	vmx->tsc_ratio = vcpu->tsc_ratio;
	if (!tsc_scaling.bits)
		return;
	vmcs_write(TSC_MULTIPLIER, vmx->tsc_ratio);
	vmx_write_cpu2(vmx, vmx->tsc_ratio == TSC_MULTIPLIER_ONE ?
		       vmx->cpu2 & ~SECONDARY_EXEC_TSC_SCALING :
		       vmx->cpu2 | SECONDARY_EXEC_TSC_SCALING);
}

static void vmx_vcpu_load(struct vcpu *vcpu, int cpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (vmcs_activate(vmx, cpu)) {
		vmx_host_cpu_changed(vmx);
		/* This CPU may know old translations of ours, or a former
		 * owner's of our VPID or root.
		 */
		vcpu_request(vcpu, REQ_TLB_FLUSH);
	}
	if (unlikely(vmx_caps.posted && vmx->posted))
		vmx_posted_arrive(vmx, cpu);
	/* Others were here, or the VMM was. */
	vcpu->l1d_exposed = true;
	if (!vmx->launched)
		vmx->enter.flags &= ~BIT(VMX_ENTER_LAUNCHED);
	if (unlikely(vmx->tsc_offset != vcpu->tsc_offset ||
		     vmx->tsc_ratio != vcpu->tsc_ratio))
		sync_tsc(vmx);
}

static void vmx_vcpu_put(struct vcpu *vcpu, bool comes_back)
{
	if (unlikely(vmx_caps.posted && READ_ONCE(vcpu->vm->irqs_posted)))
		vmx_posted_depart(to_vmx(vcpu));
	vmx_host_restore(to_vmx(vcpu), comes_back);
}

static int vmx_vcpu_init(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	int err;

	vmx->enter.regs = vcpu->regs;
	err = vmcs_create(vmx);
	if (err)
		return err;
	err = vmx_msr_bitmap_create(vmx);
	if (err)
		goto out_vmcs;
	err = vmx_pml_create(vmx);
	if (err)
		goto out_bitmap;
	err = vmx_apicv_create(vmx);
	if (err)
		goto out_pml;

	vmx_vcpu_load(vcpu, get_cpu());
	vmcs_init(vmx);
	vmx_update_cr_ownership(vmx);
	put_cpu();
	return 0;

out_pml:
	vmx_pml_destroy(vmx);
out_bitmap:
	vmx_msr_bitmap_destroy(vmx);
out_vmcs:
	vmcs_destroy(vmx);
	return err;
}

static void vmx_vcpu_free(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmcs_destroy(vmx);
	vmx_apicv_destroy(vmx);
	vmx_pml_destroy(vmx);
	vmx_msr_bitmap_destroy(vmx);
	vmx_vpid_free(vmx);
}

/* INIT keeps what SDM volume 3, table "IA-32 Processor States Following Power-
 * up, Reset, or INIT" says is unchanged: the SYSCALL and SYSENTER MSRs.
 */
static void vmx_vcpu_reset(struct vcpu *vcpu, bool init)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx_reset_segments(vmx);
	vmcs_write(GUEST_ACTIVITY_STATE, GUEST_ACTIVITY_ACTIVE);
	vmcs_write(GUEST_INTERRUPTIBILITY_INFO, 0);
	vmcs_write(GUEST_PENDING_DBG_EXCEPTIONS, 0);
	vmx->entry_intr_info = 0;
	vmcs_write(VM_ENTRY_INTR_INFO_FIELD, 0);
	vmx_write_cpu(vmx, vmx->cpu & ~(CPU_BASED_INTR_WINDOW_EXITING |
					CPU_BASED_NMI_WINDOW_EXITING));
	vmcs_write(GUEST_DR7, 0x400);
	vmx->guest_debugctl = 0;
	vmcs_write(GUEST_IA32_DEBUGCTL, 0);
	if (init)
		return;
	vmcs_write(GUEST_SYSENTER_CS, 0);
	vmcs_write(GUEST_SYSENTER_ESP, 0);
	vmcs_write(GUEST_SYSENTER_EIP, 0);
	vmcs_write(GUEST_IA32_PAT, vcpu->pat);
	vmx_set_kernel_gs_base(vmx, 0);
	memset(vmx->guest_uret, 0, sizeof(vmx->guest_uret));
	vmx->guest_cstar = 0;
}

/* Instructions that exist for the guest only if its CPUID says so. */
static void vmx_cpuid_changed(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 cpu2 = vmx->cpu2;

	cpu2 &= ~(SECONDARY_EXEC_ENABLE_RDTSCP | SECONDARY_EXEC_ENABLE_INVPCID |
		  VMCS_CONTROL_BIT(XSAVES));
	if (vmx_has_cpu2(SECONDARY_EXEC_ENABLE_RDTSCP) &&
	    (vcpu->feat.rdtscp || vcpu->feat.rdpid))
		cpu2 |= SECONDARY_EXEC_ENABLE_RDTSCP;
	if (vmx_has_cpu2(SECONDARY_EXEC_ENABLE_INVPCID) && vcpu->feat.invpcid)
		cpu2 |= SECONDARY_EXEC_ENABLE_INVPCID;
	if (vmx_has_cpu2(VMCS_CONTROL_BIT(XSAVES)) && vcpu->feat.xsaves)
		cpu2 |= VMCS_CONTROL_BIT(XSAVES);
	vmx_write_cpu2(vmx, cpu2);
	vmx_urets_choose(vmx);
	vmx_update_cr_ownership(vmx);
	vmx_msr_bitmap_cpuid(vmx);
}

static void vmx_write_tsc(struct vcpu *vcpu)
{
	/* Not loaded: vcpu_load will see the difference. */
	if (vcpu->cpu >= 0)
		sync_tsc(to_vmx(vcpu));
}

/* Who is meant by a message, software finds out. */
static void vmx_apic_changed(struct vcpu *vcpu)
{
}

const struct vendor_ops vmx_ops = {
	.name = "vmx",
	.keeps_pdptrs = true,
	.vcpu_size = sizeof(struct vmx_vcpu),
	.vm_size = sizeof(struct vmx_vm),
	.probe = vmx_probe,
	.setup = vmx_setup,
	.teardown = vmx_teardown,
	.cpu_enable = vmx_cpu_enable,
	.cpu_disable = vmx_cpu_disable,
	.vm_init = vmx_vm_init,
	.vm_destroy = vmx_vm_destroy,
	.vcpu_init = vmx_vcpu_init,
	.vcpu_free = vmx_vcpu_free,
	.vcpu_reset = vmx_vcpu_reset,
	.vcpu_load = vmx_vcpu_load,
	.vcpu_put = vmx_vcpu_put,
	.prepare_guest = vmx_prepare_guest,
	.cpuid_changed = vmx_cpuid_changed,
	.cache_reg = vmx_cache_reg,
	.get_segment = vmx_get_segment,
	.set_segment = vmx_set_segment,
	.get_cpl = vmx_get_cpl,
	.get_cs_bits = vmx_get_cs_bits,
	.get_dt = vmx_get_dt,
	.set_dt = vmx_set_dt,
	.set_cr0 = vmx_set_cr0,
	.set_cr3 = vmx_set_cr3,
	.set_cr4 = vmx_set_cr4,
	.set_efer = vmx_set_efer,
	.set_dr7 = vmx_set_dr7,
	.debug_changed = vmx_debug_changed,
	.step_prepare = vmx_step_prepare,
	.get_msr = vmx_get_msr,
	.set_msr = vmx_set_msr,
	.update_msr_intercepts = vmx_update_msr_intercepts,
	.load_ports = vmx_load_ports,
	.inject_exception = vmx_inject_exception,
	.inject_irq = vmx_inject_irq,
	.inject_nmi = vmx_inject_nmi,
	.cancel_injection = vmx_cancel_injection,
	.irq_allowed = vmx_irq_allowed,
	.nmi_allowed = vmx_nmi_allowed,
	.irq_window = vmx_irq_window,
	.nmi_window = vmx_nmi_window,
	.get_shadow = vmx_get_shadow,
	.set_shadow = vmx_set_shadow,
	.get_nmi_mask = vmx_get_nmi_mask,
	.set_nmi_mask = vmx_set_nmi_mask,
	.smm_changed = vmx_smm_changed,
	.update_tpr = vmx_update_tpr,
	.update_apicv = vmx_update_apicv,
	.apic_changed = vmx_apic_changed,
	.notify_posted = vmx_notify_posted,
	.posts_irqs = vmx_posts_irqs,
	.post_irq = vmx_post_irq,
	.handle_irq = vmx_handle_irq,
	.set_deadline = vmx_set_deadline,
	.can_enter = vmx_can_enter,
	.run = vmx_run,
	.decode_exit = vmx_decode_exit,
	.load_root = vmx_load_root,
	.flush_tlb = vmx_flush_tlb,
	.flush_tlb_guest = vmx_flush_tlb_guest,
	.take_dirty = vmx_take_dirty,
	.write_tsc = vmx_write_tsc,
	.dump = vmx_dump,
	.feature = vmx_feature,
};
