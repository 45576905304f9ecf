// SPDX-License-Identifier: GPL-2.0-only
/* The report on a vCPU: registers, code, page walk, last exits. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libjoist/joist.h"
#include "report.h"
#include "vcpu.h"
#include "vm.h"
#include "walk.h"

#define CODE_BEFORE	16
#define CODE_AFTER	32
#define STACK_WORDS	8

static const char *reason_name(u32 reason)
{
	static const char *const names[] = {
		[KVM_EXIT_UNKNOWN] = "unknown",
		[KVM_EXIT_EXCEPTION] = "exception",
		[KVM_EXIT_IO] = "io",
		[KVM_EXIT_HYPERCALL] = "hypercall",
		[KVM_EXIT_DEBUG] = "debug",
		[KVM_EXIT_HLT] = "hlt",
		[KVM_EXIT_MMIO] = "mmio",
		[KVM_EXIT_IRQ_WINDOW_OPEN] = "irq-window",
		[KVM_EXIT_SHUTDOWN] = "shutdown",
		[KVM_EXIT_FAIL_ENTRY] = "entry-failed",
		[KVM_EXIT_INTR] = "interrupted",
		[KVM_EXIT_SET_TPR] = "set-tpr",
		[KVM_EXIT_TPR_ACCESS] = "tpr-access",
		[KVM_EXIT_NMI] = "nmi",
		[KVM_EXIT_INTERNAL_ERROR] = "internal-error",
		[KVM_EXIT_SYSTEM_EVENT] = "system-event",
	};

	if (reason < ARRAY_SIZE(names) && names[reason])
		return names[reason];
	return "?";
}

static void print_regs(FILE *out, const struct kvm_regs *r)
{
	fprintf(out, "  rip %016llx  rflags %08llx\n", r->rip, r->rflags);
	fprintf(out, "  rax %016llx  rbx %016llx  rcx %016llx  rdx %016llx\n",
		r->rax, r->rbx, r->rcx, r->rdx);
	fprintf(out, "  rsi %016llx  rdi %016llx  rbp %016llx  rsp %016llx\n",
		r->rsi, r->rdi, r->rbp, r->rsp);
	fprintf(out, "  r8  %016llx  r9  %016llx  r10 %016llx  r11 %016llx\n",
		r->r8, r->r9, r->r10, r->r11);
	fprintf(out, "  r12 %016llx  r13 %016llx  r14 %016llx  r15 %016llx\n",
		r->r12, r->r13, r->r14, r->r15);
}

static void print_segment(FILE *out, const char *name,
			  const struct kvm_segment *s)
{
	fprintf(out, "  %-3s %04x  base %016llx  limit %08x  type %x s %u dpl %u",
		name, s->selector, s->base, s->limit, s->type, s->s, s->dpl);
	fprintf(out, " p %u l %u db %u g %u%s\n", s->present, s->l, s->db, s->g,
		s->unusable ? "  unusable" : "");
}

static void print_sregs(FILE *out, const struct kvm_sregs *s)
{
	print_segment(out, "cs", &s->cs);
	print_segment(out, "ss", &s->ss);
	print_segment(out, "ds", &s->ds);
	print_segment(out, "es", &s->es);
	print_segment(out, "fs", &s->fs);
	print_segment(out, "gs", &s->gs);
	print_segment(out, "tr", &s->tr);
	print_segment(out, "ldt", &s->ldt);
	fprintf(out, "  gdt base %016llx limit %04x  idt base %016llx limit %04x\n",
		s->gdt.base, s->gdt.limit, s->idt.base, s->idt.limit);
	fprintf(out, "  cr0 %08llx  cr2 %016llx  cr3 %016llx  cr4 %08llx\n",
		s->cr0, s->cr2, s->cr3, s->cr4);
	fprintf(out, "  cr8 %llx  efer %llx  apic base %llx\n", s->cr8, s->efer,
		s->apic_base);
}

static void print_walk(FILE *out, const struct walk *walk, u64 gva)
{
	int i;

	fprintf(out, " page walk of %#" PRIx64 "\n", gva);
	for (i = 0; i < walk->nr_steps; i++)
		fprintf(out, "  level %d  entry at %#" PRIx64 ": %016" PRIx64 "\n",
			walk->steps[i].level, walk->steps[i].gpa,
			walk->steps[i].entry);
	if (walk->ok)
		fprintf(out, "  -> %#" PRIx64 " in a page of %" PRIu64 " KiB\n",
			walk->gpa, walk->page_size >> 10);
	else
		fprintf(out, "  -> nothing: %s\n", walk->why);
}

/* Reads byte by byte through the guest's tables: code may cross a page. */
static bool read_gva(const struct memory *mem, const struct kvm_sregs *sregs,
		     u64 gva, void *data, unsigned int len)
{
	struct walk walk;
	unsigned int i;

	for (i = 0; i < len; i++) {
		walk_gva(mem, sregs, gva + i, &walk);
		if (!walk.ok || memory_read(mem, walk.gpa, (u8 *)data + i, 1))
			return false;
	}
	return true;
}

static void print_code(FILE *out, const struct memory *mem,
		       const struct kvm_sregs *sregs, u64 rip)
{
	u64 gva;
	u8 byte;

	fprintf(out, " code\n ");
	for (gva = rip - CODE_BEFORE; gva != rip + CODE_AFTER; gva++) {
		const char *form = gva == rip ? " <%02x>" : " %02x";

		if (read_gva(mem, sregs, gva, &byte, 1))
			fprintf(out, form, byte);
		else
			fprintf(out, " ??");
	}
	fprintf(out, "\n");
}

static void print_stack(FILE *out, const struct memory *mem,
			const struct kvm_sregs *sregs, u64 rsp)
{
	u64 word;
	int i;

	fprintf(out, " stack\n");
	for (i = 0; i < STACK_WORDS; i++) {
		if (!read_gva(mem, sregs, rsp + i * sizeof(word), &word,
			      sizeof(word)))
			break;
		fprintf(out, "  %016" PRIx64 "%s", word,
			i % 4 == 3 ? "\n" : "");
	}
	if (i % 4)
		fprintf(out, "\n");
}

static void print_ring(FILE *out, const struct vcpu *vcpu)
{
	u64 nr = min(vcpu->exits, (u64)EXIT_RING);
	u64 i;

	fprintf(out, " last exits of %" PRIu64 ", the newest last\n", vcpu->exits);
	for (i = vcpu->exits - nr; i < vcpu->exits; i++) {
		const struct exit_record *rec = &vcpu->ring[i % EXIT_RING];

		fprintf(out, "  %-14s", reason_name(rec->reason));
		if (rec->len)
			fprintf(out, " %s %#" PRIx64 " size %u value %#" PRIx64,
				rec->write ? "write" : "read ", rec->addr,
				rec->len, rec->data);
		fprintf(out, "\n");
	}
}

static void print_internal(FILE *out, const struct kvm_run *run)
{
	u32 i;

	if (run->exit_reason != KVM_EXIT_INTERNAL_ERROR || !run->internal.ndata)
		return;
	fprintf(out, " internal error data\n ");
	for (i = 0; i < min(run->internal.ndata,
			    (u32)ARRAY_SIZE(run->internal.data)); i++)
		fprintf(out, " %#llx", run->internal.data[i]);
	fprintf(out, "\n");
}

static void print_events(FILE *out, int vcpu_fd)
{
	struct kvm_vcpu_events ev;

	if (joist_get_events(vcpu_fd, &ev))
		return;
	if (ev.exception.injected)
		fprintf(out, "  exception %u pending, error code %#x\n",
			ev.exception.nr, ev.exception.error_code);
	if (ev.interrupt.injected)
		fprintf(out, "  interrupt %#x pending\n", ev.interrupt.nr);
	if (ev.interrupt.shadow)
		fprintf(out, "  in an interrupt shadow\n");
	if (ev.nmi.pending || ev.nmi.masked)
		fprintf(out, "  nmi%s%s\n", ev.nmi.pending ? " pending" : "",
			ev.nmi.masked ? " masked" : "");
}

/**
 * report_vcpu() - describe a stopped vCPU
 * @vcpu: vCPU of the calling thread
 *
 * Return: text to be freed, or NULL when there is no memory for it.
 */
char *report_vcpu(struct vcpu *vcpu)
{
	const struct memory *mem = &vcpu->vm->mem;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct walk walk;
	char *text = NULL;
	size_t size;
	FILE *out;
	u64 rip;

	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	fprintf(out, "vCPU %u: exit %u (%s)\n", vcpu->id, vcpu->run->exit_reason,
		reason_name(vcpu->run->exit_reason));
	print_internal(out, vcpu->run);
	if (joist_get_regs(vcpu->fd, &regs) ||
	    joist_get_sregs(vcpu->fd, &sregs)) {
		fprintf(out, " its registers cannot be read\n");
	} else {
		fprintf(out, " registers\n");
		print_regs(out, &regs);
		print_sregs(out, &sregs);
		print_events(out, vcpu->fd);
		rip = regs.rip + (sregs.cs.l ? 0 : sregs.cs.base);
		print_code(out, mem, &sregs, rip);
		print_stack(out, mem, &sregs,
			    regs.rsp + (sregs.cs.l ? 0 : sregs.ss.base));
		walk_gva(mem, &sregs, rip, &walk);
		print_walk(out, &walk, rip);
	}
	print_ring(out, vcpu);
	fclose(out);
	return text;
}

/* Return: as report_vcpu(), of the calling thread's vCPU; NULL if it has none. */
char *report_current(struct vm *vm)
{
	struct vcpu *vcpu = vcpu_current();

	return vcpu && vcpu->vm == vm ? report_vcpu(vcpu) : NULL;
}
