// SPDX-License-Identifier: GPL-2.0-only
/* Guest tables, and vCPU state for each mode. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vm.h"

#define CR0_PE		0x1
#define CR0_ET		0x10
#define CR0_NE		0x20
#define CR0_WP		0x10000
#define CR0_PG		0x80000000UL
#define CR4_PAE		0x20
#define CR4_OSFXSR	0x200
#define CR4_OSXMMEXCPT	0x400
#define EFER_SCE	0x1
#define EFER_LME	0x100
#define EFER_LMA	0x400

static void put64(struct test_vm *vm, uint64_t gpa, uint64_t val)
{
	memcpy(vm->mem + gpa, &val, sizeof(val));
}

/** vm_pte_2m() - the page-directory entry of an address, in long mode */
uint64_t *vm_pte_2m(struct test_vm *vm, uint64_t gpa)
{
	return (uint64_t *)(vm->mem + 0x3000) + (gpa >> 21);
}

/** vm_write_tables() - page tables, GDT, TSS and an empty IDT */
void vm_write_tables(struct test_vm *vm)
{
	put64(vm, GPA_PML4, 0x2007);
	for (int i = 0; i < 4; i++)
		put64(vm, 0x2000 + i * 8, 0x3007 + i * 0x1000);
	for (uint64_t i = 0; i < 4 * 512; i++)
		put64(vm, 0x3000 + i * 8, i << 21 | 0x87);

	put64(vm, GPA_GDT + SEL_CODE64, 0x00af9b000000ffff);
	put64(vm, GPA_GDT + SEL_DATA, 0x00cf93000000ffff);
	put64(vm, GPA_GDT + SEL_CODE32, 0x00cf9b000000ffff);
	put64(vm, GPA_GDT + SEL_TSS, 0x00008b0000000067 |
	      (uint64_t)GPA_TSS << 16);
	put64(vm, GPA_GDT + SEL_TSS + 8, 0);
	memset(vm->mem + GPA_TSS, 0, 0x68);
	memset(vm->mem + GPA_IDT, 0, 4096);
}

/** vm_set_gate() - a 64-bit interrupt gate */
void vm_set_gate(struct test_vm *vm, int vector, uint64_t handler)
{
	put64(vm, GPA_IDT + vector * 16,
	      (handler & 0xffff) | SEL_CODE64 << 16 | 0x8eULL << 40 |
	      (handler >> 16 & 0xffff) << 48);
	put64(vm, GPA_IDT + vector * 16 + 8, handler >> 32);
}

/** vm_set_absent_gate() - one that raises #NP */
void vm_set_absent_gate(struct test_vm *vm, int vector)
{
	put64(vm, GPA_IDT + vector * 16, SEL_CODE64 << 16 | 0x0eULL << 40);
	put64(vm, GPA_IDT + vector * 16 + 8, 0);
}

static void flat_segment(struct kvm_segment *seg, uint16_t selector, int type)
{
	memset(seg, 0, sizeof(*seg));
	seg->selector = selector;
	seg->limit = 0xffffffff;
	seg->type = type;
	seg->present = 1;
	seg->s = 1;
	seg->db = 1;
	seg->g = 1;
}

static void data_segments(struct kvm_sregs *s, int selector)
{
	flat_segment(&s->ds, selector, 3);
	s->es = s->ds;
	s->fs = s->ds;
	s->gs = s->ds;
	s->ss = s->ds;
}

static void tables(struct kvm_sregs *s)
{
	memset(&s->tr, 0, sizeof(s->tr));
	s->tr.selector = SEL_TSS;
	s->tr.base = GPA_TSS;
	s->tr.limit = 0x67;
	s->tr.type = 11;
	s->tr.present = 1;
	memset(&s->ldt, 0, sizeof(s->ldt));
	s->ldt.unusable = 1;
	s->ldt.type = 2;
	s->gdt.base = GPA_GDT;
	s->gdt.limit = 0x2f;
	s->idt.base = GPA_IDT;
	s->idt.limit = 0xfff;
}

static int set_regs(struct test_vm *vm, int i, uint64_t ip)
{
	struct kvm_regs regs = {
		.rip = ip,
		.rsp = GPA_STACK - i * 0x1000,
		.rflags = 2,
	};

	return xioctl(vm->vcpu[i], KVM_SET_REGS, &regs);
}

static int set_mode(struct test_vm *vm, int i, struct kvm_sregs *s, uint64_t ip)
{
	int ret = xioctl(vm->vcpu[i], KVM_SET_SREGS, s);

	return ret ? ret : set_regs(vm, i, ip);
}

/** vcpu_real() - 16-bit real mode, segments at 0 */
int vcpu_real(struct test_vm *vm, int i, uint16_t ip)
{
	struct kvm_sregs s;
	int ret = xioctl(vm->vcpu[i], KVM_GET_SREGS, &s);

	if (ret)
		return ret;
	/* Whatever mode it was in before. */
	s.cr0 &= ~(CR0_PG | CR0_PE);
	s.cr4 = 0;
	s.efer = 0;
	s.cs = (struct kvm_segment){
		.limit = 0xffff, .type = 11, .present = 1, .s = 1,
	};
	s.ds = s.cs;
	s.ds.type = 3;
	s.es = s.ds;
	s.fs = s.ds;
	s.gs = s.ds;
	s.ss = s.ds;
	return set_mode(vm, i, &s, ip);
}

/** vcpu_prot32() - flat 32-bit protected mode, no paging */
int vcpu_prot32(struct test_vm *vm, int i, uint32_t ip)
{
	struct kvm_sregs s;
	int ret = xioctl(vm->vcpu[i], KVM_GET_SREGS, &s);

	if (ret)
		return ret;
	flat_segment(&s.cs, SEL_CODE32, 11);
	data_segments(&s, SEL_DATA);
	tables(&s);
	s.cr0 = CR0_PE | CR0_ET | CR0_NE;
	s.cr4 = 0;
	s.efer = 0;
	return set_mode(vm, i, &s, ip);
}

/** vcpu_long64() - 64-bit mode, paging one to one */
int vcpu_long64(struct test_vm *vm, int i, uint64_t ip)
{
	struct kvm_sregs s;
	int ret = xioctl(vm->vcpu[i], KVM_GET_SREGS, &s);

	if (ret)
		return ret;
	flat_segment(&s.cs, SEL_CODE64, 11);
	s.cs.db = 0;
	s.cs.l = 1;
	data_segments(&s, SEL_DATA);
	tables(&s);
	s.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
	s.cr3 = GPA_PML4;
	s.cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	s.efer = EFER_SCE | EFER_LME | EFER_LMA;
	return set_mode(vm, i, &s, ip);
}

/** cpu_is_tcg() - the host's CPU is QEMU's, which leaves some things out */
bool cpu_is_tcg(void)
{
	uint32_t eax = 0x40000000, ebx, ecx, edx;

	asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	return ebx == 0x54474354;	/* "TCGT" */
}

/** supported_cpuid() - KVM_GET_SUPPORTED_CPUID */
int supported_cpuid(struct test_vm *vm, struct test_cpuid *c)
{
	memset(c, 0, sizeof(*c));
	c->head.nent = sizeof(c->entry) / sizeof(*c->entry);
	return xioctl(vm->dev, KVM_GET_SUPPORTED_CPUID, &c->head);
}

/** cpuid_entry() - find one */
struct kvm_cpuid_entry2 *cpuid_entry(struct test_cpuid *c, uint32_t leaf,
				     uint32_t subleaf)
{
	for (uint32_t n = 0; n < c->head.nent; n++) {
		struct kvm_cpuid_entry2 *e = &c->entry[n];

		if (e->function == leaf &&
		    (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) ||
		     e->index == subleaf))
			return e;
	}
	return NULL;
}

/** vcpu_allow_deadlines() - KVM_GET_SUPPORTED_CPUID leaves the TSC deadline to the VMM */
int vcpu_allow_deadlines(struct test_vm *vm, int i)
{
	struct kvm_cpuid_entry2 *e;
	struct test_cpuid c;

	if (supported_cpuid(vm, &c))
		return -1;
	e = cpuid_entry(&c, 1, 0);
	if (!e)
		return -1;
	e->ecx |= 1U << 24;
	return xioctl(vm->vcpu[i], KVM_SET_CPUID2, &c.head);
}

/** vcpu_cpuid() - give a vCPU all that is supported, and its own APIC id */
int vcpu_cpuid(struct test_vm *vm, int i)
{
	struct kvm_cpuid_entry2 *e;
	struct test_cpuid c;
	int ret = supported_cpuid(vm, &c);

	if (ret)
		return ret;
	e = cpuid_entry(&c, 1, 0);
	if (e)
		e->ebx = (e->ebx & 0x00ffffff) | (uint32_t)i << 24;
	return xioctl(vm->vcpu[i], KVM_SET_CPUID2, &c.head);
}

/** vcpu_get_msr() - one; 1 if it is there, 0 if not, or -errno */
int vcpu_get_msr(struct test_vm *vm, int i, uint32_t index, uint64_t *val)
{
	struct test_msrs m = { .head.nmsrs = 1, .entry[0].index = index };
	int ret = xioctl(vm->vcpu[i], KVM_GET_MSRS, &m.head);

	*val = m.entry[0].data;
	return ret;
}

/** vcpu_set_msr() - one; 1 if it took it, 0 if not, or -errno */
int vcpu_set_msr(struct test_vm *vm, int i, uint32_t index, uint64_t val)
{
	struct test_msrs m = {
		.head.nmsrs = 1,
		.entry[0] = { .index = index, .data = val },
	};

	return xioctl(vm->vcpu[i], KVM_SET_MSRS, &m.head);
}

/** vcpu_stat() - one of joist's own statistics of a vCPU; -1: none of that name */
int64_t vcpu_stat(int vcpu, const char *name)
{
	struct kvm_stats_header head;
	char desc[256];
	uint64_t val;
	int64_t ret = -1;
	int fd = xioctl(vcpu, KVM_GET_STATS_FD, NULL);

	if (fd < 0)
		return -1;
	if (pread(fd, &head, sizeof(head), 0) != sizeof(head))
		head.num_desc = 0;
	for (uint32_t i = 0; i < head.num_desc && ret < 0; i++) {
		struct kvm_stats_desc *d = (void *)desc;
		size_t size = sizeof(*d) + head.name_size;

		if (pread(fd, desc, size, head.desc_offset + i * size) != size)
			break;
		if (!strcmp(d->name, name) &&
		    pread(fd, &val, 8, head.data_offset + d->offset) == 8)
			ret = val;
	}
	close(fd);
	return ret;
}
