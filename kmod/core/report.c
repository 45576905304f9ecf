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

struct text {
	char *buf;
	size_t size;
	size_t len;
};

static __printf(2, 3) void add(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	t->len += vscnprintf(t->buf + t->len, t->size - t->len, format, args);
	va_end(args);
}

static void add_registers(struct text *t, struct vcpu *vcpu)
{
	static const char * const name[] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		" r8", " r9", "r10", "r11", "r12", "r13", "r14", "r15",
	};
	enum vcpu_reg reg;

	for (reg = REG_RAX; reg <= REG_R15; reg++)
		add(t, "%s %016llx%s", name[reg], reg_read(vcpu, reg),
		    reg % 4 == 3 ? "\n" : " ");
	add(t, "rip %016llx rflags %08llx\n", vcpu_rip(vcpu), vcpu_rflags(vcpu));
	add(t, "cr0 %08llx cr2 %016llx cr3 %016llx cr4 %08llx efer %04llx\n",
	    vcpu_cr0(vcpu), vcpu->cr2, vcpu_cr3(vcpu), vcpu_cr4(vcpu), vcpu->efer);
}

static void add_segments(struct text *t, struct vcpu *vcpu)
{
	static const char * const name[NR_VCPU_SREGS] = {
		[VCPU_SREG_ES] = "es", [VCPU_SREG_CS] = "cs", [VCPU_SREG_SS] = "ss",
		[VCPU_SREG_DS] = "ds", [VCPU_SREG_FS] = "fs", [VCPU_SREG_GS] = "gs",
		[VCPU_SREG_TR] = "tr", [VCPU_SREG_LDTR] = "ldtr",
	};
	struct kvm_dtable gdt, idt;
	enum vcpu_sreg which;

	for (which = 0; which < NR_VCPU_SREGS; which++) {
		struct kvm_segment seg;

		vendor_call(get_segment)(vcpu, &seg, which);
		add(t, "%-4s %04x base %016llx limit %08x type %x%s%s%s dpl %u\n",
		    name[which], seg.selector, seg.base, seg.limit, seg.type,
		    seg.present ? " present" : "", seg.l ? " 64-bit" : "",
		    seg.db ? " 32-bit" : "", seg.dpl);
	}
	vendor_call(get_dt)(vcpu, &gdt, VCPU_GDT);
	vendor_call(get_dt)(vcpu, &idt, VCPU_IDT);
	add(t, "gdt  base %016llx limit %04x\nidt  base %016llx limit %04x\n", gdt.base,
	    gdt.limit, idt.base, idt.limit);
}

/**
 * report_compose() - what is known of a guest, for its owner
 * @vcpu: loaded, owned by the caller
 * @why: one line
 * @buf: gets lines of text
 * @size: of it; what does not fit is cut off
 *
 * Nothing of the host is in it: no addresses of its own, no control structures.
 */
void report_compose(struct vcpu *vcpu, const char *why, char *buf, size_t size)
{
	struct text t = { .buf = buf, .size = size };
	const struct exit *e = &vcpu->exit;

	add(&t, "vCPU %u (APIC id %u): %s\n", vcpu->idx, vcpu->id, why);
	add(&t, "last exit %s, hardware reason %#x, info %#llx %#llx\n",
	    exit_kind_name(e->kind), e->hw_reason, e->hw_info1, e->hw_info2);
	if (e->insn_bytes)
		add(&t, "instruction %*ph\n", e->insn_bytes, e->insn);
	add_registers(&t, vcpu);
	add_segments(&t, vcpu);
	if (vcpu->exception.injected || vcpu->exception.pending)
		add(&t, "exception %u on its way, error %x\n", vcpu->exception.vector,
		    vcpu->exception.error);
	if (vcpu->interrupt.injected)
		add(&t, "interrupt %u on its way\n", vcpu->interrupt.vector);
	if (vcpu->nmi_injected)
		add(&t, "NMI on its way\n");
}
