// SPDX-License-Identifier: GPL-2.0-only
/*
 * The preemption timer, by Intel SDM volume 3, "VMX-Preemption Timer": it ends the
 * guest's stay when the guest's own deadline comes, which so takes no timer of the
 * host's; and it bounds each stay where the host's interrupts do not.
 */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "vmx.h"
#include "../x86/x86.h"

static int param_preemption_timer = -1;
module_param_named(preemption_timer, param_preemption_timer, int, 0444);
MODULE_PARM_DESC(preemption_timer, "longest run of a guest between two looks at the host's interrupts, in microseconds (Intel; 0: no bound; -1, the default: 1000 on emulators that need it, else none)");

static bool param_deadline_timer = true;
module_param_named(deadline_timer, param_deadline_timer, bool, 0444);
MODULE_PARM_DESC(deadline_timer, "guests' TSC deadlines by the CPU's preemption timer (Intel; default on where it can be relied on)");

static u32 bound __ro_after_init;	/* of a stay, in its ticks; 0: none */
static u8 rate __ro_after_init;		/* one tick is 1 << rate of the TSC's */
static bool deadlines __ro_after_init;

/* By Intel's specification updates: from Nehalem to Westmere, and of Ivy Bridge. */
static bool timer_is_wrong(void)
{
	const struct cpuinfo_x86 *c = &boot_cpu_data;

	if (c->x86 != 6)
		return false;
	switch (c->x86_model) {
	case 0x1a:
	case 0x1e:
	case 0x1f:
	case 0x25:
	case 0x2c:
	case 0x2e:
	case 0x2f:
		return true;
	case 0x3a:
		return c->x86_stepping == 8;
	}
	return false;
}

/**
 * vmx_timer_setup() - what the timer is to be used for here
 * @caps: gets its control bit, if each stay is bounded
 */
void vmx_timer_setup(struct vmx_caps *caps)
{
	int usec = param_preemption_timer;
	u64 ctls, misc, ticks;

	if (usec < 0) {
		/*
		 * Bochs 2.7 forgets the host's interrupts in a guest that was entered
		 * with its own off: only a timer brings such a guest back.
		 */
		usec = vmx_under_bochs() ? 1000 : 0;
	}
	rdmsrl(MSR_IA32_VMX_PINBASED_CTLS, ctls);
	if (!(ctls >> 32 & PIN_BASED_VMX_PREEMPTION_TIMER)) {
		if (usec)
			pr_warn("preemption_timer is ignored: this CPU has none\n");
		return;
	}
	rdmsrl(MSR_IA32_VMX_MISC, misc);
	rate = vmx_misc_preemption_timer_rate(misc);
	deadlines = param_deadline_timer && !timer_is_wrong();
	if (!usec)
		return;
	ticks = mul_u64_u32_div(usec, tsc_khz, 1000) >> rate;
	bound = clamp_t(u64, ticks, 1, U32_MAX);
	caps->pin |= PIN_BASED_VMX_PREEMPTION_TIMER;
}

/** vmx_timer_init() - of a new VMCS, which is current and has its controls */
void vmx_timer_init(struct vmx_vcpu *vmx)
{
	if (vmx->pin & PIN_BASED_VMX_PREEMPTION_TIMER)
		vmcs_write(VMX_PREEMPTION_TIMER_VALUE, bound);
}

/**
 * vmx_set_deadline() - the guest's deadline is, or is not any more, the CPU's business
 * @vcpu: vcpu->mutex held
 * @guest_tsc: when, not far away; 0: never
 *
 * While the guest runs an exit comes at that time. Whoever changes its TSC sets it
 * again.
 *
 * Return: false: not here.
 */
bool vmx_set_deadline(struct vcpu *vcpu, u64 guest_tsc)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx->deadline = 0;
	if (!guest_tsc || !deadlines)
		return false;
	if (tsc_scaling.bits && vcpu->tsc_ratio != TSC_MULTIPLIER_ONE)
		return false;
	vmx->deadline = guest_tsc - vcpu->tsc_offset ?: 1;
	vmx->deadline_armed = true;
	return true;
}

/**
 * vmx_timer_load() - before an entry while there is a deadline, and the first without
 * @vmx: its VMCS is current; interrupts off
 *
 * The timer counts from the VMCS's value at each entry.
 */
void vmx_timer_load(struct vmx_vcpu *vmx)
{
	s64 left = vmx->deadline - rdtsc();
	u32 most = bound ?: U32_MAX;

	if (!vmx->deadline) {
		vmx->deadline_armed = false;
		if (bound)
			vmcs_write(VMX_PREEMPTION_TIMER_VALUE, bound);
		else
			vmx_write_pin(vmx, vmx->pin & ~PIN_BASED_VMX_PREEMPTION_TIMER);
		return;
	}
	vmx_write_pin(vmx, vmx->pin | PIN_BASED_VMX_PREEMPTION_TIMER);
	vmcs_write(VMX_PREEMPTION_TIMER_VALUE,
		   left > 0 ? min_t(u64, left >> rate, most) : 0);
}
