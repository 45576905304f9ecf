// SPDX-License-Identifier: GPL-2.0-only
/* The first vCPU's registers, with the tables they need in guest memory. */
#include <errno.h>
#include <string.h>

#include "../log.h"
#include "../vcpu.h"
#include "../vm.h"
#include "boot.h"
#include "layout.h"
#include "libjoist/joist.h"

#define CR0_PE		BIT(0)
#define CR0_ET		BIT(4)
#define CR0_PG		BIT(31)
#define CR4_PAE		BIT(5)
#define EFER_LME	BIT(8)
#define EFER_LMA	BIT(10)
#define RFLAGS_FIXED	BIT(1)

#define PTE_PRESENT	BIT(0)
#define PTE_WRITE	BIT(1)
#define PTE_LARGE	BIT(7)
#define PTES		512
#define NR_PDS		4	/* one per GiB mapped */

/* The selectors that Linux's boot protocol wants. */
#define SEL_CODE	0x10
#define SEL_DATA	0x18
#define SEL_TSS		0x20
#define GDT_ENTRIES	6	/* the TSS's descriptor takes two in long mode */

#define SEG_CODE	0xb	/* executable, readable, accessed */
#define SEG_DATA	0x3	/* writable, accessed */
#define SEG_TSS_BUSY	0xb
#define TSS_LIMIT	0x67

static struct kvm_segment code_segment(bool long_mode)
{
	return (struct kvm_segment) {
		.limit = 0xffffffff, .selector = SEL_CODE, .type = SEG_CODE,
		.present = 1, .s = 1, .g = 1, .l = long_mode, .db = !long_mode,
	};
}

static struct kvm_segment data_segment(void)
{
	return (struct kvm_segment) {
		.limit = 0xffffffff, .selector = SEL_DATA, .type = SEG_DATA,
		.present = 1, .s = 1, .g = 1, .db = 1,
	};
}

static struct kvm_segment tss_segment(void)
{
	return (struct kvm_segment) {
		.base = TSS_BOOT_GPA, .limit = TSS_LIMIT, .selector = SEL_TSS,
		.type = SEG_TSS_BUSY, .present = 1,
	};
}

/* A segment as the CPU would read it from the descriptor table. */
static u64 descriptor(const struct kvm_segment *s)
{
	u32 limit = s->g ? s->limit >> 12 : s->limit;

	return (u64)(limit & 0xffff) | (s->base & 0xffffff) << 16 |
	       (u64)s->type << 40 | (u64)s->s << 44 | (u64)s->dpl << 45 |
	       (u64)s->present << 47 | (u64)(limit >> 16) << 48 |
	       (u64)s->l << 53 | (u64)s->db << 54 | (u64)s->g << 55 |
	       (s->base >> 24 & 0xff) << 56;
}

static int write_gdt(const struct memory *mem, struct kvm_sregs *sregs)
{
	u64 gdt[GDT_ENTRIES] = {
		[SEL_CODE / 8] = descriptor(&sregs->cs),
		[SEL_DATA / 8] = descriptor(&sregs->ds),
		[SEL_TSS / 8] = descriptor(&sregs->tr),
	};

	sregs->gdt.base = GDT_GPA;
	sregs->gdt.limit = sizeof(gdt) - 1;
	sregs->idt.base = 0;
	sregs->idt.limit = 0;
	return memory_write(mem, GDT_GPA, gdt, sizeof(gdt));
}

/* The first 4 GiB at their own addresses, in 2 MiB pages. */
static int write_page_tables(const struct memory *mem)
{
	u64 *tables = memory_ptr(mem, PAGE_TABLES_GPA, (2 + NR_PDS) * PAGE_SIZE);
	u64 pdpt = PAGE_TABLES_GPA + PAGE_SIZE;
	u64 i;

	if (!tables)
		return -EFAULT;
	memset(tables, 0, (2 + NR_PDS) * PAGE_SIZE);
	tables[0] = pdpt | PTE_PRESENT | PTE_WRITE;
	for (i = 0; i < NR_PDS; i++)
		tables[PTES + i] = (pdpt + (1 + i) * PAGE_SIZE) |
				   PTE_PRESENT | PTE_WRITE;
	for (i = 0; i < (u64)NR_PDS * PTES; i++)
		tables[2UL * PTES + i] = i << 21 | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
	return 0;
}

static int set_sregs(struct vcpu *vcpu, bool long_mode)
{
	const struct memory *mem = &vcpu->vm->mem;
	struct kvm_sregs sregs;
	int err;

	err = joist_get_sregs(vcpu->fd, &sregs);
	if (err)
		return err;
	sregs.cs = code_segment(long_mode);
	sregs.ds = data_segment();
	sregs.es = sregs.ds;
	sregs.fs = sregs.ds;
	sregs.gs = sregs.ds;
	sregs.ss = sregs.ds;
	sregs.tr = tss_segment();
	sregs.cr0 = CR0_PE | CR0_ET;
	sregs.cr4 = 0;
	sregs.efer = 0;
	if (long_mode) {
		err = write_page_tables(mem);
		sregs.cr0 |= CR0_PG;
		sregs.cr3 = PAGE_TABLES_GPA;
		sregs.cr4 = CR4_PAE;
		sregs.efer = EFER_LME | EFER_LMA;
	}
	if (!err)
		err = write_gdt(mem, &sregs);
	return err ? err : joist_set_sregs(vcpu->fd, &sregs);
}

/**
 * vcpu_boot() - point the first vCPU at the kernel
 * @vcpu: vCPU 0; the others wait for their start-up interrupts
 * @entry: from boot_load()
 *
 * Return: 0, or -errno with the reason logged.
 */
int vcpu_boot(struct vcpu *vcpu, const struct boot_entry *entry)
{
	struct kvm_regs regs = {
		.rip = entry->rip,
		.rax = entry->rax,
		.rbx = entry->rbx,
		.rsi = entry->rsi,
		.rsp = BOOT_STACK_TOP,
		.rbp = BOOT_STACK_TOP,
		.rflags = RFLAGS_FIXED,
	};
	int err;

	err = set_sregs(vcpu, entry->long_mode);
	if (!err)
		err = joist_set_regs(vcpu->fd, &regs);
	if (err)
		log_err("cannot set the registers of vCPU %u: %s", vcpu->id,
			strerror(-err));
	return err;
}
