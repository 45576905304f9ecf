// SPDX-License-Identifier: GPL-2.0-only
/* What this machine's SVM can do, and what the module's parameters let it. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/module.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "svm.h"
#include "../x86/x86.h"

#define CPUID_8000000A_NPT	BIT(0)
#define CPUID_8000000A_NRIPS	BIT(3)
#define CPUID_8000000A_TSC_RATE	BIT(4)
#define CPUID_8000000A_CLEAN	BIT(5)
#define CPUID_8000000A_FLUSH	BIT(6)
#define CPUID_8000000A_DECODE	BIT(7)
#define CPUID_8000000A_PAUSE	BIT(10)
#define CPUID_8000000A_PAUSE_TH	BIT(12)
#define CPUID_8000000A_AVIC	BIT(13)
#define CPUID_8000000A_X2AVIC	BIT(18)
#define CPUID_8000000A_V_SPEC	BIT(20)

static bool npt = true;
module_param(npt, bool, 0444);
MODULE_PARM_DESC(npt, "SVM: nested page tables; needed, 0 refuses to load (default: 1)");

static bool nrips = true;
module_param(nrips, bool, 0444);
MODULE_PARM_DESC(nrips, "SVM: use the next RIP that exits report (default: 1)");

static bool vmcb_clean = true;
module_param(vmcb_clean, bool, 0444);
MODULE_PARM_DESC(vmcb_clean, "SVM: use VMCB clean bits (default: 1)");

static bool flushbyasid = true;
module_param(flushbyasid, bool, 0444);
MODULE_PARM_DESC(flushbyasid, "SVM: flush the TLB by ASID (default: 1)");

static bool decodeassists = true;
module_param(decodeassists, bool, 0444);
MODULE_PARM_DESC(decodeassists, "SVM: use operands and instruction bytes that exits report (default: 1)");

static bool v_spec_ctrl = true;
module_param(v_spec_ctrl, bool, 0444);
MODULE_PARM_DESC(v_spec_ctrl, "SVM: let the CPU switch SPEC_CTRL (default: 1)");

unsigned short svm_pause_count = 3000;
module_param_named(pause_filter_count, svm_pause_count, ushort, 0444);
MODULE_PARM_DESC(pause_filter_count, "SVM: a guest exits after this many PAUSEs in a row; 0: never (default: 3000)");

unsigned short svm_pause_window = 128;
module_param_named(pause_filter_threshold, svm_pause_window, ushort, 0444);
MODULE_PARM_DESC(pause_filter_threshold, "SVM: PAUSEs within this many cycles are in a row (default: 128)");

struct svm_caps svm_caps __ro_after_init;

/**
 * svm_probe() - does this machine have an SVM that can be used?
 *
 * Return: 0; -ENODEV: not AMD's kind of machine; -EOPNOTSUPP: no SVM, or
 * locked; -EBUSY: another hypervisor has it. The log names the remedy.
 */
int svm_probe(void)
{
	u64 vm_cr, efer;

	if (boot_cpu_data.x86_vendor != X86_VENDOR_AMD &&
	    boot_cpu_data.x86_vendor != X86_VENDOR_HYGON)
		return -ENODEV;
	if (cpuid_eax(0x80000000) < SVM_CPUID_FUNC ||
	    !(cpuid_ecx(0x80000001) & BIT(X86_FEATURE_SVM & 31))) {
		pr_err("this CPU does not offer SVM (in a guest: its host must enable nested virtualization)\n");
		return -EOPNOTSUPP;
	}
	if (!rdmsrl_safe(MSR_VM_CR, &vm_cr) && (vm_cr & SVM_VM_CR_SVM_DIS_MASK)) {
		pr_err("SVM is disabled%s: enable SVM (AMD-V) in the firmware set-up\n",
		       vm_cr & SVM_VM_CR_SVM_LOCK_MASK ?
		       " and locked by the firmware" : " by VM_CR");
		return -EOPNOTSUPP;
	}
	rdmsrl(MSR_EFER, efer);
	if (efer & EFER_SVME) {
		pr_err("SVM is held by another hypervisor (kvm_amd?): rmmod kvm_amd, or boot with kvm.enable_virt_at_load=0\n");
		return -EBUSY;
	}
	return 0;
}

/**
 * svm_caps_setup() - read CPUID 8000000Ah into svm_caps
 *
 * Return: 0; -EOPNOTSUPP: nested paging is missing
 */
int svm_caps_setup(void)
{
	u32 eax, ebx, ecx, edx;

	cpuid(SVM_CPUID_FUNC, &eax, &ebx, &ecx, &edx);
	if (!(edx & CPUID_8000000A_NPT) || !npt) {
		pr_err("SVM without nested paging is not supported: %s\n",
		       npt ? "this CPU has none" : "load joist with npt=1");
		return -EOPNOTSUPP;
	}
	if (ebx < 2) {
		pr_err("SVM offers no address space identifiers\n");
		return -EOPNOTSUPP;
	}
	svm_caps.nr_asids = ebx;
	svm_caps.nrips = nrips && (edx & CPUID_8000000A_NRIPS);
	svm_caps.clean = vmcb_clean && (edx & CPUID_8000000A_CLEAN) ?
			 VMCB_ALL_CLEAN : 0;
	svm_caps.flush_by_asid = flushbyasid && (edx & CPUID_8000000A_FLUSH);
	svm_caps.decode_assists = decodeassists &&
				  (edx & CPUID_8000000A_DECODE);
	svm_caps.v_spec_ctrl = v_spec_ctrl && (edx & CPUID_8000000A_V_SPEC);
	svm_caps.pause_filter = svm_pause_count &&
				(edx & CPUID_8000000A_PAUSE);
	svm_caps.pause_threshold = svm_caps.pause_filter &&
				   (edx & CPUID_8000000A_PAUSE_TH);
	if (edx & CPUID_8000000A_TSC_RATE)
		tsc_scaling_setup(SVM_TSC_RATIO_BITS, SVM_TSC_RATIO_MAX);
	svm_caps.avic = svm_avic_usable(edx & CPUID_8000000A_AVIC &&
					edx & CPUID_8000000A_X2AVIC);
	svm_caps.tcg = hypervisor_cpuid_base("TCGTCGTCGTCG", 0);
	return 0;
}

/** svm_feature() - names, one by one, of what the CPU has; NULL after the last */
const char *svm_feature(unsigned int i)
{
	switch (i) {
	case 0:
		return "nested-paging";
	case 1:
		return svm_caps.nrips ? "nrip-save" : "";
	case 2:
		return svm_caps.flush_by_asid ? "flush-by-asid" : "";
	case 3:
		return svm_caps.decode_assists ? "decode-assists" : "";
	case 4:
		return svm_caps.v_spec_ctrl ? "virtual-spec-ctrl" : "";
	case 5:
		return svm_caps.pause_filter ? "pause-filter" : "";
	case 6:
		return svm_caps.clean ? "clean-bits" : "";
	case 7:
		return tsc_scaling.bits ? "tsc-scaling" : "";
	case 8:
		return svm_caps.avic ? "apic-virtualization" : "";
	default:
		return NULL;
	}
}
