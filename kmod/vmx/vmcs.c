// SPDX-License-Identifier: GPL-2.0-only
/* VMX on the CPUs; a VMCS per vCPU, and on which CPU each is active. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/perf_event.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/io.h>
#include <asm/nospec-branch.h>
#include <asm/tlbflush.h>
#include <asm/trapnr.h>

#include "vmx.h"

/* PAUSEs closer than the gap, for this many TSC ticks, are a spinning loop. */
#define PLE_WINDOW_TICKS	4096

/* Each CPU's own: written there with interrupts off. */
static DEFINE_PER_CPU(struct vmcs_page *, vmxon_region);
static DEFINE_PER_CPU(struct list_head, active_vmcss);
DEFINE_PER_CPU(struct vmx_vcpu *, current_vmcs);

/**
 * vmx_insn_error() - a VMX instruction failed
 * @insn: its name
 * @arg: field, address or extent
 * @val: second operand
 *
 * A bug of joist's, or VMX was turned off by a crash or reboot.
 */
noinline __cold void vmx_insn_error(const char *insn, unsigned long arg,
				    unsigned long val)
{
	pr_warn_ratelimited("%s failed: %#lx, %#lx\n", insn, arg, val);
}

static void vmcs_page_free(struct vmcs_page *page)
{
	free_page((unsigned long)page);
}

static struct vmcs_page *vmcs_page_alloc(int node, gfp_t gfp)
{
	struct page *page = alloc_pages_node(node, gfp | __GFP_ZERO, 0);
	struct vmcs_page *vmcs;

	BUILD_BUG_ON(sizeof(*vmcs) != PAGE_SIZE);
	if (!page)
		return NULL;
	vmcs = page_address(page);
	vmcs->revision = vmx_caps.vmcs_revision;
	return vmcs;
}

/** vmx_cpus_alloc() - a VMXON region for every possible CPU: 0 or -ENOMEM */
int vmx_cpus_alloc(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmcs_page *region;

		INIT_LIST_HEAD(per_cpu_ptr(&active_vmcss, cpu));
		region = vmcs_page_alloc(cpu_to_node(cpu), GFP_KERNEL);
		if (!region) {
			vmx_cpus_free();
			return -ENOMEM;
		}
		per_cpu(vmxon_region, cpu) = region;
	}
	return 0;
}

/** vmx_cpus_free() - undo vmx_cpus_alloc(); VMX is off everywhere */
void vmx_cpus_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		vmcs_page_free(per_cpu(vmxon_region, cpu));
		per_cpu(vmxon_region, cpu) = NULL;
	}
}

/* Firmware that left the lock open leaves the choice to us. */
static void feat_ctl_open(void)
{
	u64 feat_ctl;

	rdmsrl(MSR_IA32_FEAT_CTL, feat_ctl);
	if (!(feat_ctl & FEAT_CTL_LOCKED))
		wrmsrl(MSR_IA32_FEAT_CTL, feat_ctl | FEAT_CTL_LOCKED |
		       FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX);
}

static void intel_pt_in_vmx(int on)
{
#if IS_ENABLED(CONFIG_PERF_EVENTS) && IS_ENABLED(CONFIG_CPU_SUP_INTEL)
	intel_pt_handle_vmx(on);
#endif
}

/**
 * vmx_cpu_enable() - enter VMX operation on this CPU
 *
 * Context: interrupts off.
 * Return: 0; -EBUSY: someone is in VMX operation here; -EIO: the CPU refuses,
 * or is not like the others.
 */
int vmx_cpu_enable(void)
{
	int cpu = smp_processor_id();
	int err;

	if (__read_cr4() & X86_CR4_VMXE) {
		pr_err("CPU %d: VMX is held by another hypervisor, likely kvm_intel: rmmod kvm_intel\n",
		       cpu);
		return -EBUSY;
	}
	if (!vmx_caps_same()) {
		pr_err("CPU %d: VMX capabilities differ from the boot CPU's: load one microcode on all CPUs\n",
		       cpu);
		return -EIO;
	}
	feat_ctl_open();
	intel_pt_in_vmx(1);
	cr4_set_bits(X86_CR4_VMXE);
	err = vmx_vmxon(__pa(this_cpu_read(vmxon_region)));
	if (err) {
		cr4_clear_bits(X86_CR4_VMXE);
		intel_pt_in_vmx(0);
		pr_err("CPU %d: VMXON failed: VMX is locked off or in use\n",
		       cpu);
		return err;
	}
	/* Whatever an earlier hypervisor left in the TLBs is not ours. */
	vmx_invept(VMX_EPT_EXTENT_GLOBAL, 0);
	vmx_uret_cpu_init();
	return 0;
}

/* Interrupts off, on the CPU where it is active. */
static void vmcs_deactivate(struct vmx_vcpu *vmx)
{
	if (this_cpu_read(current_vmcs) == vmx)
		this_cpu_write(current_vmcs, NULL);
	vmx_vmclear(vmx->vmcs_pa);
	list_del(&vmx->vmcs_node);
	vmx->launched = false;
	/* vmcs_activate() elsewhere sees a VMCS that is clear and off the list. */
	smp_store_release(&vmx->vmcs_cpu, -1);
}

/**
 * vmx_emergency_clear() - every VMCS active on this CPU goes back to memory
 *
 * So that a crash dump shows them, and the CPU writes none of them later into
 * memory that is another's by then.
 *
 * Context: any, NMI included: the list may be half-way through a change, which
 * leaves it walkable.
 */
void vmx_emergency_clear(void)
{
	struct vmx_vcpu *vmx;

	list_for_each_entry(vmx, this_cpu_ptr(&active_vmcss), vmcs_node)
		vmx_vmclear(vmx->vmcs_pa);
}

/**
 * vmx_cpu_disable() - leave VMX operation on this CPU
 * @crash: take no lock: others may have been stopped with it
 *
 * Context: interrupts off; NMI in a crash.
 */
void vmx_cpu_disable(bool crash)
{
	struct vmx_vcpu *vmx, *next;

	if (crash) {
		vmx_emergency_clear();
		vmx_vmxoff();
		cr4_clear_bits(X86_CR4_VMXE);
		return;
	}
	list_for_each_entry_safe(vmx, next, this_cpu_ptr(&active_vmcss),
				 vmcs_node)
		vmcs_deactivate(vmx);
	vmx_posted_cpu_goes();
	vmx_uret_cpu_drop();
	vmx_vmxoff();
	cr4_clear_bits(X86_CR4_VMXE);
	intel_pt_in_vmx(0);
}

static void vmcs_deactivate_ipi(void *data)
{
	struct vmx_vcpu *vmx = data;

	/* The CPU may have gone offline, or left VMX, in between. */
	if (vmx->vmcs_cpu == smp_processor_id())
		vmcs_deactivate(vmx);
}

static void vmcs_clear(struct vmx_vcpu *vmx)
{
	int cpu = READ_ONCE(vmx->vmcs_cpu);

	if (cpu >= 0)
		smp_call_function_single(cpu, vmcs_deactivate_ipi, vmx, 1);
}

/**
 * vmcs_activate_other() - vmcs_activate(), of one that this CPU did not use last
 * @vmx: whose
 * @cpu: this CPU
 *
 * Return: true if it was not active here before.
 */
bool vmcs_activate_other(struct vmx_vcpu *vmx, int cpu)
{
	bool moved = READ_ONCE(vmx->vmcs_cpu) != cpu;
	struct vmx_vcpu *prev;
	unsigned long flags;

	if (moved) {
		vmcs_clear(vmx);
		local_irq_save(flags);
		vmx_vmclear(vmx->vmcs_pa);
		list_add(&vmx->vmcs_node, this_cpu_ptr(&active_vmcss));
		vmx->vmcs_cpu = cpu;
		local_irq_restore(flags);
	}
	prev = this_cpu_read(current_vmcs);
	if (prev != vmx) {
		this_cpu_write(current_vmcs, vmx);
		vmx_vmptrld(vmx->vmcs_pa);
		/* One guest must not steer another's indirect branches. */
		if (prev)
			indirect_branch_prediction_barrier();
	}
	return moved;
}

/**
 * vmcs_create() - allocate the VMCS of a vCPU
 * @vmx: whose
 *
 * Return: 0 or -ENOMEM.
 */
int vmcs_create(struct vmx_vcpu *vmx)
{
	vmx->vmcs = vmcs_page_alloc(NUMA_NO_NODE, GFP_KERNEL_ACCOUNT);
	if (!vmx->vmcs)
		return -ENOMEM;
	vmx->vmcs_pa = __pa(vmx->vmcs);
	vmx->vmcs_cpu = -1;
	return 0;
}

/** vmcs_destroy() - clear it wherever it is active, and free it */
void vmcs_destroy(struct vmx_vcpu *vmx)
{
	vmcs_clear(vmx);
	vmcs_page_free(vmx->vmcs);
}

/**
 * vmx_intercept_exceptions() - which exceptions exit
 * @vmx: loaded
 * @more: bits of vectors, beyond those that always do
 *
 * #DB and #AC: the guest could have them delivered endlessly without an
 * instruction completing between. #UD may be the other vendor's hypercall. #MC is
 * the host's.
 */
void vmx_intercept_exceptions(struct vmx_vcpu *vmx, u32 more)
{
	vmx_write_exception_bitmap(vmx, BIT(X86_TRAP_DB) | BIT(X86_TRAP_UD) |
				   BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC) | more);
}

/* What the VMM may do without. */
static void vmcs_init_cpu(struct vmx_vcpu *vmx)
{
	u32 disabled = vmx->vcpu.vm->disabled_exits;
	u32 cpu = vmx_caps.cpu;

	if (disabled & KVM_X86_DISABLE_EXITS_HLT)
		cpu &= ~CPU_BASED_HLT_EXITING;
	if (disabled & KVM_X86_DISABLE_EXITS_MWAIT)
		cpu &= ~(CPU_BASED_MWAIT_EXITING | CPU_BASED_MONITOR_EXITING);
	vmx_write_cpu(vmx, cpu);
}

static void vmcs_init_controls(struct vmx_vcpu *vmx)
{
	const struct vm *vm = vmx->vcpu.vm;
	u32 cpu2 = vmx_caps.cpu2;

	vmx_vpid_alloc(vmx);
	if (!vmx->vpid)
		cpu2 &= ~SECONDARY_EXEC_ENABLE_VPID;
	else
		vmcs_write(VIRTUAL_PROCESSOR_ID, vmx->vpid);

	/* The guest's CPUID turns these on: vmx_cpuid_changed(). */
	cpu2 &= ~(SECONDARY_EXEC_ENABLE_RDTSCP | SECONDARY_EXEC_ENABLE_INVPCID |
		  VMCS_CONTROL_BIT(XSAVES));
	/* A vCPU of another rate: when it is loaded. */
	cpu2 &= ~SECONDARY_EXEC_TSC_SCALING;
	if (vm->disabled_exits & KVM_X86_DISABLE_EXITS_PAUSE)
		cpu2 &= ~SECONDARY_EXEC_PAUSE_LOOP_EXITING;
	if (!vm->bus_lock_exit)
		cpu2 &= ~SECONDARY_EXEC_BUS_LOCK_DETECTION;
	if (!vmx->pml)
		cpu2 &= ~SECONDARY_EXEC_ENABLE_PML;
	if (vm->notify_flags)
		vmcs_write(NOTIFY_WINDOW, vm->notify_window);
	else
		cpu2 &= ~SECONDARY_EXEC_NOTIFY_VM_EXITING;

	vmx_write_pin(vmx, vmx_caps.pin);
	vmcs_init_cpu(vmx);
	vmx_write_cpu2(vmx, cpu2);
	vmx_write_exit(vmx, vmx_caps.exit |
		       (vmx_caps.apicv ? VM_EXIT_ACK_INTR_ON_EXIT : 0));
	vmx_write_entry(vmx, vmx_caps.entry);
	vmx_intercept_exceptions(vmx, 0);
}

/**
 * vmcs_init() - everything in a new VMCS that is not the guest's own state
 * @vmx: its VMCS is current on this CPU and all zero
 *
 * Context: preemption off.
 */
void vmcs_init(struct vmx_vcpu *vmx)
{
	vmcs_init_controls(vmx);

	vmcs_write(IO_BITMAP_A, vmx_io_bitmap_pa(0));
	vmcs_write(IO_BITMAP_B, vmx_io_bitmap_pa(1));
	vmcs_write(MSR_BITMAP, __pa(vmx->msr_bitmap));
	vmcs_write(VMCS_LINK_POINTER, ~0ULL);
	if (vmx_has_cpu2(SECONDARY_EXEC_PAUSE_LOOP_EXITING)) {
		vmcs_write(PLE_GAP, vmx_param_ple_gap);
		vmcs_write(PLE_WINDOW, PLE_WINDOW_TICKS);
	}
	vmx_pml_init(vmx);
	vmx_apicv_init(vmx);
	vmx_timer_init(vmx);
	if (vmx_has_cpu2(VMCS_CONTROL_BIT(XSAVES)))
		vmcs_write(XSS_EXIT_BITMAP, 0);

	vmcs_write(GUEST_IA32_PAT, vmx->vcpu.pat);
	vmcs_write(GUEST_DR7, 0x400);
	vmcs_write(TSC_OFFSET, vmx->tsc_offset);
	vmx_host_constants();
}
