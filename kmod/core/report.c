// SPDX-License-Identifier: GPL-2.0-only
/* What a person needs to see of a guest that cannot go on. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/ratelimit.h>

#include "regs.h"
#include "report.h"
#include "vm.h"

/**
 * report_broken_guest() - say what is known of a guest and what stopped it
 * @vcpu: loaded, owned by the caller
 * @why: one line
 *
 * Rate-limited, for each VM and for all: a VMM may make broken guests as fast as
 * it likes, and a serial console takes seconds for one. Context: process,
 * vcpu->mutex held.
 */
void report_broken_guest(struct vcpu *vcpu, const char *why)
{
	static DEFINE_RATELIMIT_STATE(limit, 10 * HZ, 5);
	const struct exit *e = &vcpu->exit;

	/* The VM's own limit first: it is not to use up the others' share. */
	if (!__ratelimit(&vcpu->vm->report_limit) || !__ratelimit(&limit))
		return;
	pr_err("VM %u vCPU %u: %s: exit %s (hardware reason %#x, info %#llx %#llx)\n",
	       vcpu->vm->id, vcpu->id, why, exit_kind_name(e->kind),
	       e->hw_reason, e->hw_info1, e->hw_info2);
	pr_err("  rip %016llx rflags %08llx rsp %016llx\n", vcpu_rip(vcpu),
	       vcpu_rflags(vcpu), reg_read(vcpu, REG_RSP));
	pr_err("  cr0 %08llx cr2 %016llx cr3 %016llx cr4 %08llx efer %04llx\n",
	       vcpu_cr0(vcpu), vcpu->cr2, vcpu_cr3(vcpu), vcpu_cr4(vcpu),
	       vcpu->efer);
	if (e->insn_bytes)
		pr_err("  instruction %*ph\n", e->insn_bytes, e->insn);
	vendor_call(dump)(vcpu);
}
