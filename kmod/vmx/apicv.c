// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC, virtualized by the CPU, by Intel SDM volume 3, "APIC Virtualization and
 * Virtual Interrupts": it delivers what is in IRR of the register page when the guest
 * takes it, and reads, TPR, EOI and SELF IPI are no exits. EOIs that somebody waits for
 * are, by a bitmap. In x2APIC mode alone: in the other each access of the page exits, the
 * more so if the CPU delivered, for then PV EOI could not be offered.
 *
 * Others than the vCPU's thread leave interrupts in its descriptor (irqchip/posted.c).
 * A CPU that processes posted interrupts takes them from there while the guest runs;
 * else, and where the guest does not run, the thread does before the next entry.
 *
 * A vCPU does without all that while something wants to see each interrupt.
 */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <asm/desc.h>
#include <asm/io.h>

#include "vmx.h"
#include "../compat/posted.h"
#include "../core/regs.h"
#include "../irqchip/lapic.h"
#include "../x86/x86.h"

static int param_apicv = -1;
module_param_named(apicv, param_apicv, int, 0444);
MODULE_PARM_DESC(apicv,
		 "the CPU virtualizes local APICs and delivers interrupts (Intel): 1, 0; default -1: where it can, but not Bochs, which delivers some while they are off");

/* GUEST_INTR_STATUS. */
#define INTR_STATUS_SVI_SHIFT	8

/* The host's interrupt descriptor table, the same on each CPU. */
static unsigned long host_idt __ro_after_init;

/* See vmx_apicv_vectoring(). */
static bool vectoring_is_wrong __ro_after_init;

/** vmx_apicv_setup() - at load: what of it is used */
void vmx_apicv_setup(struct vmx_caps *caps)
{
	bool wanted = param_apicv < 0 ? !vmx_under_bochs() : param_apicv;
	struct desc_ptr idt;

	/* The CPU hands over the host's interrupts, whose handlers are found there. */
	if (!wanted || !compat_has_idt() ||
	    !(caps->cpu2 & SECONDARY_EXEC_UNRESTRICTED_GUEST))
		caps->apicv = false;
	if (!caps->apicv || !compat_has_posted())
		caps->posted = false;
	param_apicv = caps->apicv;	/* what is read there is what is so */
	store_idt(&idt);
	host_idt = idt.address;
	vectoring_is_wrong = vmx_under_bochs();
}

/** vmx_apicv_create() - a descriptor for a vCPU with a local APIC: 0 or -ENOMEM */
int vmx_apicv_create(struct vmx_vcpu *vmx)
{
	struct lapic *lapic = vmx->vcpu.lapic;

	vmx->posted_cpu = -1;
	if (!vmx_caps.apicv || !lapic)
		return 0;
	/* As aligned as it is big: kmalloc() says so of powers of two. */
	vmx->posted = kzalloc(sizeof(*vmx->posted), GFP_KERNEL_ACCOUNT);
	if (!vmx->posted)
		return -ENOMEM;
	lapic->posted = vmx->posted;
	return 0;
}

void vmx_apicv_destroy(struct vmx_vcpu *vmx)
{
	vmx_posted_forget(vmx);
	kfree(vmx->posted);
}

/** vmx_apicv_init() - the VMCS's part of it, off for now */
void vmx_apicv_init(struct vmx_vcpu *vmx)
{
	int i;

	if (!vmx->posted)
		return;
	vmcs_write(VIRTUAL_APIC_PAGE_ADDR, __pa(vmx->vcpu.lapic->regs));
	vmcs_write(TPR_THRESHOLD, 0);
	vmcs_write(GUEST_INTR_STATUS, 0);
	for (i = 0; i < ARRAY_SIZE(vmx->eoi_exits); i++)
		vmcs_write(EOI_EXIT_BITMAP0 + 2 * i, 0);
	if (!vmx_caps.posted)
		return;
	vmcs_write(POSTED_INTR_NV, compat_posted_vector());
	vmcs_write(POSTED_INTR_DESC_ADDR, __pa(vmx->posted));
}

/* Is there a register to be read, or written, without an exit? */

static bool reads_pass(const struct lapic *lapic, u32 reg)
{
	return lapic->virt && lapic_reads_plain(lapic, reg);
}

static bool writes_pass(const struct lapic *lapic, u32 reg)
{
	return lapic->virt && (reg == LAPIC_REG_TPR || reg == LAPIC_REG_EOI ||
			       reg == LAPIC_REG_SELF_IPI);
}

/** vmx_apicv_msrs() - which of the x2APIC's MSRs exit */
void vmx_apicv_msrs(struct vmx_vcpu *vmx)
{
	const struct lapic *lapic = vmx->vcpu.lapic;
	u32 reg;

	if (!vmx->posted)
		return;
	for (reg = 0; reg < 0x400; reg += 16)
		vmx_intercept_msr(&vmx->vcpu, X2APIC_MSR_BASE + (reg >> 4),
				  !reads_pass(lapic, reg), !writes_pass(lapic, reg));
}

static void write_eoi_exits(struct vmx_vcpu *vmx)
{
	unsigned long map[ARRAY_SIZE(vmx->eoi_exits)];
	int i;

	irqchip_eoi_vectors(vmx->vcpu.vm, map);
	for (i = 0; i < ARRAY_SIZE(map); i++) {
		if (map[i] == vmx->eoi_exits[i])
			continue;
		vmx->eoi_exits[i] = map[i];
		vmcs_write(EOI_EXIT_BITMAP0 + 2 * i, map[i]);
	}
}

/** vmx_update_apicv() - see struct vendor_ops */
void vmx_update_apicv(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 cr8 = CPU_BASED_CR8_LOAD_EXITING | CPU_BASED_CR8_STORE_EXITING;
	u32 cpu, cpu2;
	bool virt;

	if (!vmx->posted)
		return;
	virt = irqchip_may_virtualize(vcpu);
	cpu = vmx->cpu & ~(cr8 | CPU_BASED_TPR_SHADOW);
	cpu2 = vmx->cpu2 & ~VMX_APICV_CPU2;
	vmx_write_cpu(vmx, cpu | (virt ? CPU_BASED_TPR_SHADOW : cr8));
	vmx_write_cpu2(vmx, cpu2 | (virt ? VMX_APICV_CPU2 : 0));
	if (vmx_caps.posted)
		vmx_write_pin(vmx, virt ? vmx->pin | PIN_BASED_POSTED_INTR :
					  vmx->pin & ~PIN_BASED_POSTED_INTR);
	write_eoi_exits(vmx);
	if (virt == vcpu->lapic->virt)
		return;
	lapic_set_virt(vcpu->lapic, virt);
	vmx_apicv_msrs(vmx);
}

/**
 * vmx_apicv_vectors() - the CPU's copies of the page's highest vectors are written
 * @vcpu: loaded, its local APIC virtualized
 * @pending: of IRR, -1: none
 *
 * While the guest runs the CPU keeps them itself.
 */
void vmx_apicv_vectors(struct vcpu *vcpu, int pending)
{
	u16 status = max(lapic_highest_isr(vcpu->lapic), 0) <<
		     INTR_STATUS_SVI_SHIFT | max(pending, 0);

	if (vmcs_read32(GUEST_INTR_STATUS) != status)
		vmcs_write(GUEST_INTR_STATUS, status);
}

/**
 * vmx_apicv_take() - what was posted becomes pending
 * @vmx: about to be entered; the poster notifies it from now on
 *
 * Context: interrupts off.
 *
 * Return: false: the CPU does not deliver it: it is to be injected first.
 */
bool vmx_apicv_take(struct vmx_vcpu *vmx)
{
	struct vcpu *vcpu = &vmx->vcpu;

	lapic_take_posted(vcpu->lapic);
	if (likely(vcpu->lapic->virt)) {
		vmx_apicv_vectors(vcpu, lapic_highest_irr(vcpu->lapic));
		return true;
	}
	vcpu_request(vcpu, REQ_EVENT);
	return false;
}

/* The exit came with the access to the descriptor of the vector in service. */
static bool at_gate(struct vmx_vcpu *vmx, u8 vector)
{
	unsigned int size = vcpu_long_mode(&vmx->vcpu) ? 16 : 8;

	return vmx->exit_reason == EXIT_REASON_EPT_VIOLATION &&
	       vmx_exit_qualification(vmx) & EPT_VIOLATION_GVA_IS_VALID &&
	       vmcs_read(GUEST_LINEAR_ADDRESS) - vmcs_read(GUEST_IDTR_BASE) -
	       vector * size < size;
}

/**
 * vmx_apicv_vectoring() - which event was being delivered?
 * @vmx: just left the guest in the middle of that
 * @info: what the CPU says
 *
 * Of a virtual interrupt, which is in service by then, Bochs 2.7 says what it said of
 * the event before. Where that cannot be told from an exception in the handler, the
 * interrupt is delivered once too often, and the exception comes again.
 *
 * Return: @info, or what it should be.
 */
u32 vmx_apicv_vectoring(struct vmx_vcpu *vmx, u32 info)
{
	u8 vector;

	if (!vectoring_is_wrong || !vmx->vcpu.lapic->virt)
		return info;
	vector = vmcs_read32(GUEST_INTR_STATUS) >> INTR_STATUS_SVI_SHIFT;
	if (!vector || !(vmcs_read(GUEST_RFLAGS) & X86_EFLAGS_IF) ||
	    (vmx->entry_intr_info && !at_gate(vmx, vector)))
		return info;
	return VECTORING_INFO_VALID_MASK | INTR_TYPE_EXT_INTR | vector;
}

/** vmx_notify_posted() - see struct vendor_ops */
bool vmx_notify_posted(struct vcpu *vcpu)
{
	int cpu;

	if (!vmx_caps.posted)
		return false;
	/*
	 * ON was set by a full barrier. Either the guest's side looks at it after it
	 * said IN_GUEST, or that is seen here: the CPU takes it, or, out of the guest
	 * by then, the next entry does.
	 */
	if (READ_ONCE(vcpu->mode) == VCPU_OUTSIDE) {
		vcpu_wake(vcpu);
		return true;
	}
	cpu = READ_ONCE(vcpu->cpu);
	if (cpu >= 0)
		compat_send_posted(cpu);
	return true;
}

/** vmx_handle_irq() - see struct vendor_ops */
void vmx_handle_irq(struct vcpu *vcpu)
{
	const gate_desc *gate = (gate_desc *)host_idt + vcpu->host_vector;

	vcpu->host_vector = 0;
	vmx_call_irq(gate_offset(gate));
}
