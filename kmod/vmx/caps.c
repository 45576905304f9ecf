// SPDX-License-Identifier: GPL-2.0-only
/* What the CPU can do, and what of it joist uses. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/dmi.h>
#include <linux/moduleparam.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/special_insns.h>
#include <asm/tsc.h>

#include "vmx.h"
#include "../x86/x86.h"

static bool param_ept = true;
module_param_named(ept, param_ept, bool, 0444);
MODULE_PARM_DESC(ept, "use extended page tables (Intel; default on; off is not supported yet)");

static bool param_unrestricted = true;
module_param_named(unrestricted_guest, param_unrestricted, bool, 0444);
MODULE_PARM_DESC(unrestricted_guest, "let the CPU run real mode (Intel; default on; off, or where the CPU cannot: joist interprets it)");

bool vmx_param_vpid = true;
module_param_named(vpid, vmx_param_vpid, bool, 0444);
MODULE_PARM_DESC(vpid, "tag translations by vCPU, so that exits do not flush them (Intel; default on)");

unsigned int vmx_param_ple_gap = 128;
module_param_named(ple_gap, vmx_param_ple_gap, uint, 0444);
MODULE_PARM_DESC(ple_gap, "most TSC ticks between two PAUSEs of one spinning loop (Intel; 0: no pause-loop exits; default 128)");

struct vmx_caps vmx_caps __ro_after_init;

/* Controls by name, for what is missing. */
struct control_name {
	u32 bit;
	const char *name;
};

static const struct control_name pin_names[] = {
	{ PIN_BASED_EXT_INTR_MASK, "external-interrupt exiting" },
	{ PIN_BASED_NMI_EXITING, "NMI exiting" },
	{ PIN_BASED_VIRTUAL_NMIS, "virtual NMIs" },
	{ }
};

static const struct control_name cpu_names[] = {
	{ CPU_BASED_INTR_WINDOW_EXITING, "interrupt-window exiting" },
	{ CPU_BASED_NMI_WINDOW_EXITING, "NMI-window exiting" },
	{ CPU_BASED_USE_TSC_OFFSETTING, "TSC offsetting" },
	{ CPU_BASED_HLT_EXITING, "HLT exiting" },
	{ CPU_BASED_MWAIT_EXITING, "MWAIT exiting" },
	{ CPU_BASED_MONITOR_EXITING, "MONITOR exiting" },
	{ CPU_BASED_RDPMC_EXITING, "RDPMC exiting" },
	{ CPU_BASED_CR8_LOAD_EXITING, "CR8-load exiting" },
	{ CPU_BASED_CR8_STORE_EXITING, "CR8-store exiting" },
	{ CPU_BASED_MOV_DR_EXITING, "MOV-DR exiting" },
	{ CPU_BASED_USE_IO_BITMAPS, "I/O bitmaps" },
	{ CPU_BASED_USE_MSR_BITMAPS, "MSR bitmaps" },
	{ CPU_BASED_ACTIVATE_SECONDARY_CONTROLS, "secondary controls" },
	{ }
};

static const struct control_name cpu2_names[] = {
	{ SECONDARY_EXEC_ENABLE_EPT, "EPT" },
	{ SECONDARY_EXEC_WBINVD_EXITING, "WBINVD exiting" },
	{ }
};

static const struct control_name exit_names[] = {
	{ VM_EXIT_HOST_ADDR_SPACE_SIZE, "64-bit host" },
	{ VM_EXIT_LOAD_IA32_EFER, "load IA32_EFER on exit" },
	{ VM_EXIT_LOAD_IA32_PAT, "load IA32_PAT on exit" },
	{ }
};

static const struct control_name entry_names[] = {
	{ VM_ENTRY_LOAD_IA32_EFER, "load IA32_EFER on entry" },
	{ VM_ENTRY_LOAD_IA32_PAT, "load IA32_PAT on entry" },
	{ VM_ENTRY_LOAD_DEBUG_CONTROLS, "load debug controls on entry" },
	{ }
};

static const u32 cpu2_optional =
	SECONDARY_EXEC_ENABLE_VPID | SECONDARY_EXEC_ENABLE_RDTSCP |
	SECONDARY_EXEC_ENABLE_INVPCID | SECONDARY_EXEC_PAUSE_LOOP_EXITING |
	VMCS_CONTROL_BIT(XSAVES) | SECONDARY_EXEC_BUS_LOCK_DETECTION |
	VMX_APICV_CPU2 |
	SECONDARY_EXEC_NOTIFY_VM_EXITING | SECONDARY_EXEC_TSC_SCALING |
	SECONDARY_EXEC_ENABLE_PML |
	SECONDARY_EXEC_UNRESTRICTED_GUEST;

static u32 names_mask(const struct control_name *names)
{
	u32 mask = 0;

	for (; names->name; names++)
		mask |= names->bit;
	return mask;
}

/*
 * The low half of a capability MSR holds the controls that must be one, the
 * high half those that may be. All of @names must be possible.
 */
static int negotiate(u32 msr, const struct control_name *names, u32 optional,
		     u32 *out)
{
	u32 must, may, want = names_mask(names) | optional;

	rdmsr(msr, must, may);
	*out = (want & may) | must;
	for (; names->name; names++) {
		if (*out & names->bit)
			continue;
		pr_err("this CPU's VMX lacks \"%s\", which joist needs\n",
		       names->name);
		return -EOPNOTSUPP;
	}
	return 0;
}

/* What may be on: the high half. */
static u32 may_be_one(u32 msr)
{
	u64 controls;

	rdmsrl(msr, controls);
	return controls >> 32;
}

/* All there is to it, or nothing: no CPU has less that is worth a way of its own. */
static void caps_read_apicv(struct vmx_caps *caps, bool true_ctls)
{
	u32 cpu = may_be_one(true_ctls ? MSR_IA32_VMX_TRUE_PROCBASED_CTLS :
					 MSR_IA32_VMX_PROCBASED_CTLS);
	u32 exit = may_be_one(true_ctls ? MSR_IA32_VMX_TRUE_EXIT_CTLS :
					  MSR_IA32_VMX_EXIT_CTLS);
	u32 pin = may_be_one(true_ctls ? MSR_IA32_VMX_TRUE_PINBASED_CTLS :
					 MSR_IA32_VMX_PINBASED_CTLS);

	caps->apicv = (caps->cpu2 & VMX_APICV_CPU2) == VMX_APICV_CPU2 &&
		      cpu & CPU_BASED_TPR_SHADOW &&
		      exit & VM_EXIT_ACK_INTR_ON_EXIT &&
		      caps->cpu2 & SECONDARY_EXEC_UNRESTRICTED_GUEST;
	caps->posted = caps->apicv && pin & PIN_BASED_POSTED_INTR;
	/* Each vCPU turns them on by itself: vmx_update_apicv(). */
	caps->cpu2 &= ~VMX_APICV_CPU2;
}

static int caps_read(struct vmx_caps *caps)
{
	u64 basic;
	bool true_ctls;
	int err;

	memset(caps, 0, sizeof(*caps));
	rdmsrl(MSR_IA32_VMX_BASIC, basic);
	caps->vmcs_revision = vmx_basic_vmcs_revision_id(basic);
	true_ctls = basic & VMX_BASIC_TRUE_CTLS;

	err = negotiate(true_ctls ? MSR_IA32_VMX_TRUE_PINBASED_CTLS :
				    MSR_IA32_VMX_PINBASED_CTLS,
			pin_names, 0, &caps->pin);
	if (err)
		return err;
	err = negotiate(true_ctls ? MSR_IA32_VMX_TRUE_PROCBASED_CTLS :
				    MSR_IA32_VMX_PROCBASED_CTLS,
			cpu_names, CPU_BASED_MONITOR_TRAP_FLAG, &caps->cpu);
	if (err)
		return err;
	/* On while a debugger steps. */
	caps->monitor_trap = caps->cpu & CPU_BASED_MONITOR_TRAP_FLAG;
	caps->cpu &= ~CPU_BASED_MONITOR_TRAP_FLAG;
	/* CR3 and INVLPG exits end when EPT is on: "may be zero" depends on it. */
	caps->cpu &= ~(CPU_BASED_CR3_LOAD_EXITING | CPU_BASED_CR3_STORE_EXITING |
		       CPU_BASED_INVLPG_EXITING);
	/* On until the guest would take it. */
	caps->cpu &= ~(CPU_BASED_INTR_WINDOW_EXITING |
		       CPU_BASED_NMI_WINDOW_EXITING);
	err = negotiate(MSR_IA32_VMX_PROCBASED_CTLS2, cpu2_names, cpu2_optional,
			&caps->cpu2);
	if (err)
		return err;
	err = negotiate(true_ctls ? MSR_IA32_VMX_TRUE_EXIT_CTLS :
				    MSR_IA32_VMX_EXIT_CTLS,
			exit_names, 0, &caps->exit);
	if (err)
		return err;
	err = negotiate(true_ctls ? MSR_IA32_VMX_TRUE_ENTRY_CTLS :
				    MSR_IA32_VMX_ENTRY_CTLS,
			entry_names, 0, &caps->entry);
	if (err)
		return err;

	caps_read_apicv(caps, true_ctls);
	rdmsrl(MSR_IA32_VMX_EPT_VPID_CAP, caps->ept_vpid);
	rdmsrl(MSR_IA32_VMX_CR0_FIXED0, caps->cr0_fixed0);
	rdmsrl(MSR_IA32_VMX_CR4_FIXED0, caps->cr4_fixed0);
	return 0;
}

/** vmx_under_bochs() - is the CPU Bochs's, which has its own mistakes? */
bool vmx_under_bochs(void)
{
	static const struct dmi_system_id bochs[] = {
		{ .matches = { DMI_MATCH(DMI_BIOS_VERSION, "Bochs") } },
		{ }
	};

	return dmi_check_system(bochs);
}

/* EPT as joist builds it: four levels, write-back, flushed by INVEPT. */
static int caps_check_ept(const struct vmx_caps *caps)
{
	static const struct {
		u64 bits;
		const char *name;
	} needed[] = {
		{ VMX_EPT_PAGE_WALK_4_BIT, "4-level EPT" },
		{ VMX_EPTP_WB_BIT, "write-back EPT tables" },
		{ VMX_EPT_INVEPT_BIT, "INVEPT" },
		{ VMX_EPT_EXTENT_GLOBAL_BIT, "INVEPT of all contexts" },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		if (caps->ept_vpid & needed[i].bits)
			continue;
		pr_err("this CPU's VMX lacks \"%s\", which joist needs\n",
		       needed[i].name);
		return -EOPNOTSUPP;
	}
	return 0;
}

/* VPID is worth having only if it can be flushed. */
static bool caps_vpid_usable(const struct vmx_caps *caps)
{
	u64 vpid = caps->ept_vpid >> 32;

	return vpid & VMX_VPID_INVVPID_BIT &&
	       vpid & (VMX_VPID_EXTENT_SINGLE_CONTEXT_BIT |
		       VMX_VPID_EXTENT_GLOBAL_CONTEXT_BIT);
}

/**
 * vmx_caps_setup() - read this CPU's capabilities into vmx_caps
 *
 * Return: 0, or -EOPNOTSUPP: the log names what is missing.
 */
int vmx_caps_setup(void)
{
	int err;

	if (!param_ept) {
		pr_err("ept=0 is not supported yet: load joist without it\n");
		return -EOPNOTSUPP;
	}
	err = caps_read(&vmx_caps);
	if (err)
		return err;
	err = caps_check_ept(&vmx_caps);
	if (err)
		return err;
	if (!param_unrestricted)
		vmx_caps.cpu2 &= ~SECONDARY_EXEC_UNRESTRICTED_GUEST;
	if (!vmx_param_vpid || !caps_vpid_usable(&vmx_caps))
		vmx_caps.cpu2 &= ~SECONDARY_EXEC_ENABLE_VPID;
	vmx_apicv_setup(&vmx_caps);
	if (!vmx_param_ple_gap)
		vmx_caps.cpu2 &= ~SECONDARY_EXEC_PAUSE_LOOP_EXITING;
	vmx_timer_setup(&vmx_caps);
	return 0;
}

/**
 * vmx_caps_same() - is this CPU like the one joist was loaded on?
 *
 * Context: the CPU in question, preemption off.
 */
bool vmx_caps_same(void)
{
	struct vmx_caps caps;

	if (caps_read(&caps))
		return false;
	/* A parameter may have taken something away. */
	if ((vmx_caps.apicv && !caps.apicv) || (vmx_caps.posted && !caps.posted))
		return false;
	return caps.vmcs_revision == vmx_caps.vmcs_revision &&
	       (caps.pin | (vmx_caps.pin & PIN_BASED_VMX_PREEMPTION_TIMER)) ==
	       vmx_caps.pin && caps.cpu == vmx_caps.cpu &&
	       !(vmx_caps.cpu2 & ~caps.cpu2) && caps.exit == vmx_caps.exit &&
	       caps.entry == vmx_caps.entry &&
	       caps.ept_vpid == vmx_caps.ept_vpid &&
	       caps.monitor_trap == vmx_caps.monitor_trap &&
	       caps.cr0_fixed0 == vmx_caps.cr0_fixed0 &&
	       caps.cr4_fixed0 == vmx_caps.cr4_fixed0;
}

/**
 * vmx_probe() - is this an Intel machine whose VMX can be had?
 *
 * The kernel hides the CPUID bit when the firmware locked VMX off, so the CPU
 * itself is asked.
 *
 * Return: as struct vendor_ops says.
 */
int vmx_probe(void)
{
	u64 feat_ctl;

	if (!(cpuid_ecx(1) & BIT(X86_FEATURE_VMX & 31)))
		return -ENODEV;
	if (rdmsrl_safe(MSR_IA32_FEAT_CTL, &feat_ctl)) {
		pr_err("VMX is announced but IA32_FEATURE_CONTROL does not exist: the hypervisor below does not offer it\n");
		return -EOPNOTSUPP;
	}
	if (feat_ctl & FEAT_CTL_LOCKED &&
	    !(feat_ctl & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX)) {
		pr_err("the firmware has locked VMX off: enable Intel Virtualization Technology (VT-x) in its setup and power-cycle\n");
		return -EOPNOTSUPP;
	}
	if (__read_cr4() & X86_CR4_VMXE) {
		pr_err("VMX is held by another hypervisor, likely kvm_intel: rmmod kvm_intel, or boot with kvm.enable_virt_at_load=0\n");
		return -EBUSY;
	}
	return 0;
}

/** vmx_feature() - names, one by one, of what the CPU has; NULL after the last */
const char *vmx_feature(unsigned int i)
{
	switch (i) {
	case 0:
		return "nested-paging";
	case 1:
		return vmx_has_cpu2(SECONDARY_EXEC_ENABLE_VPID) ? "vpid" : "";
	case 2:
		return vmx_unrestricted() ? "unrestricted-guest" : "";
	case 3:
		return vmx_caps.pin & PIN_BASED_VMX_PREEMPTION_TIMER ?
		       "preemption-timer" : "";
	case 4:
		return vmx_caps.monitor_trap ? "monitor-trap" : "";
	case 5:
		return tsc_scaling.bits ? "tsc-scaling" : "";
	case 6:
		return vmx_caps.apicv ? "apic-virtualization" : "";
	case 7:
		return vmx_caps.posted ? "posted-interrupts" : "";
	default:
		return NULL;
	}
}
