// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions whose exits are answered at once, before the vCPU's loop sees them:
 * each form of them, in each place, and what may change between two of them.
 */
#include <sys/mman.h>
#include <linux/kvm_para.h>

#include "lib/irq.h"
#include "lib/site.h"

#define MSR_PAT		0x277
#define PAT		0x0007040600070406ULL
#define LEAF		0x80000000
#define ENOSYS_PV	(-1000LL)	/* KVM_ENOSYS */
#define EPERM_PV	(-1LL)
#define HANDLER		0x18000
#define SITE		(GPA_CODE + 0x100)
#define PDE(pa)		((pa) | 0x87ULL)

#define GPA_COUNT	0x20020
#define GPA_SEEN	0x20028
#define GPA_TABLE	0x20100

enum kind { CPUID, RDMSR, WRMSR, CALL, NR_KINDS };

static const char *const stat_names[] = {
	"exits_cpuid", "exits_rdmsr", "exits_wrmsr", "exits_hypercall",
};

static const struct site_insn plain[] = {
	[CPUID] = SITE_INSN(0x0f, 0xa2),
	[RDMSR] = SITE_INSN(0x0f, 0x32),
	[WRMSR] = SITE_INSN(0x0f, 0x30),
	[CALL] = SITE_INSN(0x0f, 0x01, 0xd9),
};

static const struct form {
	enum kind kind;
	struct site_insn insn;
} forms[] = {
	{ CPUID, SITE_INSN(0x0f, 0xa2) },
	{ CPUID, SITE_INSN(0x66, 0x0f, 0xa2) },
	{ CPUID, SITE_INSN(0x48, 0x0f, 0xa2) },
	{ CPUID, SITE_INSN(0xf2, 0x0f, 0xa2) },
	{ CPUID, SITE_INSN(0xf3, 0x0f, 0xa2) },
	{ CPUID, SITE_INSN(0x2e, 0x66, 0x67, 0x4f, 0x0f, 0xa2) },
	{ CPUID, SITE_INSN(0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
			   0x66, 0x66, 0x66, 0x66, 0x0f, 0xa2) },
	{ RDMSR, SITE_INSN(0x0f, 0x32) },
	{ RDMSR, SITE_INSN(0x66, 0x0f, 0x32) },
	{ RDMSR, SITE_INSN(0x48, 0x0f, 0x32) },
	{ RDMSR, SITE_INSN(0x2e, 0x66, 0x67, 0x4f, 0x0f, 0x32) },
	{ WRMSR, SITE_INSN(0x0f, 0x30) },
	{ WRMSR, SITE_INSN(0x66, 0x0f, 0x30) },
	{ WRMSR, SITE_INSN(0x48, 0x0f, 0x30) },
	{ CALL, SITE_INSN(0x0f, 0x01, 0xd9) },
	{ CALL, SITE_INSN(0x48, 0x0f, 0x01, 0xd9) },
	{ CALL, SITE_INSN(0x2e, 0x4f, 0x0f, 0x01, 0xd9) },
};

#define NR_FORMS	(sizeof(forms) / sizeof(*forms))

static bool is_intel(void)
{
	uint32_t a = 0, b, c, d;

	asm volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return b == 0x756e6547;	/* Genu... */
}

/* VMMCALL on the CPU that has VMCALL. */
static struct site_insn of_vendor(const struct site_insn *insn)
{
	struct site_insn here = *insn;

	if (is_intel() && here.bytes[here.len - 1] == 0xd9)
		here.bytes[here.len - 1] = 0xc1;
	return here;
}

FIXTURE(hot)
{
	struct test_vm vm;
	struct kvm_run *run;
	int vcpu;
	struct test_cpuid cpuid;
	void *map[3];			/* behind slots of a test's own */
};

#define MAP_SIZE	0x4000

FIXTURE_SETUP(hot)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->run = self->vm.run[0];
	self->vcpu = self->vm.vcpu[0];
	ASSERT_EQ(0, supported_cpuid(&self->vm, &self->cpuid));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_PAT, PAT));
	for (int i = 0; i < 3; i++) {
		self->map[i] = mmap(NULL, MAP_SIZE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, self->map[i]);
	}
}

FIXTURE_TEARDOWN(hot)
{
	vm_close(&self->vm);
	for (int i = 0; i < 3; i++)
		if (self->map[i])
			munmap(self->map[i], MAP_SIZE);
}

static uint64_t peek(struct test_vm *vm, uint64_t gpa)
{
	uint64_t val;

	memcpy(&val, vm->mem + gpa, sizeof(val));
	return val;
}

static void poke(struct test_vm *vm, uint64_t gpa, uint64_t val)
{
	memcpy(vm->mem + gpa, &val, sizeof(val));
}

/* --- what each does ------------------------------------------------------------------- */

static void arguments(enum kind kind, struct kvm_regs *regs)
{
	memset(regs, 0, sizeof(*regs));
	regs->r12 = kind == CPUID ? LEAF : kind == CALL ? 1000 : 0x00070106;
	regs->r13 = kind == CPUID ? 0 : MSR_PAT;
	regs->r14 = PAT >> 32;
}

/* Is the outcome right? */
static bool outcome(struct test_vm *vm, struct test_cpuid *cpuid, enum kind kind,
		    const struct kvm_regs *regs)
{
	const struct kvm_cpuid_entry2 *e = cpuid_entry(cpuid, LEAF, 0);
	uint64_t val;

	switch (kind) {
	case CPUID:
		return regs->rax == e->eax && regs->rbx == e->ebx &&
		       regs->rcx == e->ecx && regs->rdx == e->edx;
	case RDMSR:
		return regs->rax == (uint32_t)PAT && regs->rdx == PAT >> 32;
	case WRMSR:
		return vcpu_get_msr(vm, 0, MSR_PAT, &val) == 1 &&
		       val == ((PAT & ~0xffffffffULL) | 0x00070106) &&
		       vcpu_set_msr(vm, 0, MSR_PAT, PAT) == 1;
	case CALL:
		return regs->rax == (uint64_t)ENOSYS_PV;
	default:
		return false;
	}
}

/* Of code that is at @va, and at @host here. */
static bool right(struct test_vm *vm, struct test_cpuid *cpuid, uint64_t va,
		  enum kind kind)
{
	struct kvm_regs regs;

	arguments(kind, &regs);
	return !site_run(vm, va, &regs) && outcome(vm, cpuid, kind, &regs);
}

#define EXPECT_RIGHT(va, kind)						\
	EXPECT_TRUE(right(&self->vm, &self->cpuid, va, kind))

static void place(uint8_t *at, const struct site_insn *insn)
{
	struct site_insn here = of_vendor(insn);

	site_place(at, &here);
}

/* All at one address: it is the VMM who rewrites the code. */
TEST_F(hot, each_form)
{
	for (int n = 0; n < 2 * NR_FORMS; n++) {
		const struct form *f = &forms[n * 5 % NR_FORMS];

		place(self->vm.mem + SITE, &f->insn);
		EXPECT_RIGHT(SITE, f->kind)
			TH_LOG("form %d", (int)(f - forms));
	}
}

TEST_F(hot, across_pages)
{
	for (int n = 0; n < NR_FORMS; n++) {
		for (int before = 1; before <= 16; before += n % 3 + 1) {
			uint64_t va = GPA_CODE + 0x1000 - before;

			place(self->vm.mem + va, &forms[n].insn);
			EXPECT_RIGHT(va, forms[n].kind)
				TH_LOG("form %d, %d before", n, before);
		}
	}
}

/* Past the last page of memory is another, but only for the guest. */
TEST_F(hot, at_the_end_of_memory)
{
	uint8_t *mem = self->vm.mem, code[64];

	*vm_pte_2m(&self->vm, MEM_SIZE) = PDE(0x200000);
	for (int n = 0; n < NR_FORMS; n++) {
		for (int before = 1; before <= 16; before += n % 3 + 1) {
			uint64_t va = MEM_SIZE - before;
			int head = SITE_BEFORE + before;

			place(code + SITE_BEFORE, &forms[n].insn);
			memcpy(mem + va - SITE_BEFORE, code, head);
			memcpy(mem + 0x200000, code + head, sizeof(code) - head);
			EXPECT_RIGHT(va, forms[n].kind)
				TH_LOG("form %d, %d before", n, before);
		}
	}
}

TEST_F(hot, statistics)
{
	if (vcpu_stat(self->vcpu, "exits_cpuid") < 0)
		SKIP(return, "not joist's statistics");
	for (enum kind kind = 0; kind < NR_KINDS; kind++) {
		int64_t exits = vcpu_stat(self->vcpu, stat_names[kind]);
		int64_t entries = vcpu_stat(self->vcpu, "entries");

		place(self->vm.mem + SITE, &plain[kind]);
		EXPECT_RIGHT(SITE, kind);
		EXPECT_EQ(exits + SITE_LOOPS,
			  vcpu_stat(self->vcpu, stat_names[kind]));
		EXPECT_LE(entries + SITE_LOOPS + 1,
			  vcpu_stat(self->vcpu, "entries"));
	}
}

/* ESI is the sum of all results. */
#define ADD_UP(insn)	insn "\n add %eax, %esi\n"
#define OF_LEAF		"mov $0x80000000, %eax\n xor %ecx, %ecx\n"
#define OF_PAT		"mov $0x277, %ecx\n mov $0x70406, %eax\n mov %eax, %edx\n"
#define WIDE_PREFIX	".byte 0x66\n"
#define NARROW								\
	"1:\n"								\
	ADD_UP(OF_LEAF "cpuid") ADD_UP(OF_LEAF WIDE_PREFIX "cpuid")	\
	ADD_UP(OF_PAT "rdmsr") ADD_UP(OF_PAT WIDE_PREFIX "rdmsr")	\
	ADD_UP(OF_PAT "wrmsr") ADD_UP(OF_PAT WIDE_PREFIX "wrmsr")

GUEST16(code_real, NARROW "dec %ebp\n jnz 1b\n" DONE);
GUEST32(code_32, NARROW "mov $99, %eax\n vmmcall\n add %eax, %esi\n"
	"dec %ebp\n jnz 1b\n" DONE);
GUEST32(code_32_intel, NARROW "mov $99, %eax\n vmcall\n add %eax, %esi\n"
	"dec %ebp\n jnz 1b\n" DONE);

TEST_F(hot, narrow_modes)
{
	uint32_t sum = 2 * (cpuid_entry(&self->cpuid, LEAF, 0)->eax +
			    2 * (uint32_t)PAT);
	struct kvm_regs regs;

	if (is_intel())
		vm_load(&self->vm, GPA_CODE, code_32_intel);
	else
		vm_load(&self->vm, GPA_CODE, code_32);
	vm_load(&self->vm, 0xa000, code_real);
	/* Real mode first: its segments are those of reset. */
	for (int real = 1; real >= 0; real--) {
		ASSERT_EQ(0, real ? vcpu_real(&self->vm, 0, 0xa000) :
				    vcpu_prot32(&self->vm, 0, GPA_CODE));
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
		regs.rbp = SITE_LOOPS;
		regs.rsi = 0;
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
		ASSERT_EQ(0, vcpu_done(&self->vm, 0));
		ASSERT_EQ(0, site_finish(&self->vm));
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
		EXPECT_EQ((uint32_t)(SITE_LOOPS * (real ? sum : sum + ENOSYS_PV)),
			  (uint32_t)regs.rsi);
	}
}

/* --- code that changes ---------------------------------------------------------------- */

/* RBP times: one of eight codes of eight bytes is put where it is called. */
GUEST64(code_rewrite,
	"movb $0xc3, 0x12008\n"
	"1: mov %ebp, %edi\n and $7, %edi\n"
	"mov 0x20100(,%rdi,8), %rdi\n mov %rdi, 0x12000\n"
	"mov $0x80000000, %eax\n xor %ecx, %ecx\n"
	"mov $0x12000, %edi\n call *%rdi\n"
	"add %rax, %rsi\n"
	"dec %rbp\n jnz 1b\n" DONE);

TEST_F(hot, rewritten_by_the_guest)
{
	static const uint8_t codes[8][8] = {
		{ 0x0f, 0xa2, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90 },
		{ 0x66, 0x0f, 0xa2, 0x90, 0x90, 0x90, 0x90, 0x90 },
		{ 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90 },
		{ 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x0f, 0xa2 },
		{ 0x0f, 0xa2, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90 },
		{ 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x0f, 0xa2 },
		{ 0xeb, 0x06, 0x0f, 0xa2, 0x0f, 0xa2, 0x0f, 0xa2 },
		{ 0x48, 0x0f, 0xa2, 0x90, 0x90, 0x90, 0x90, 0x90 },
	};
	uint64_t max = cpuid_entry(&self->cpuid, LEAF, 0)->eax;
	struct kvm_regs regs = {};

	memcpy(self->vm.mem + GPA_TABLE, codes, sizeof(codes));
	vm_load(&self->vm, GPA_CODE, code_rewrite);
	site_begin(&regs, GPA_CODE + SITE_BEFORE);
	regs.rbp = 64;
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	ASSERT_EQ(0, vcpu_done(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
	EXPECT_EQ(48 * max + 16ULL * LEAF, regs.rsi);
}

/* RBP times: another table entry at RDI, and what is at R15 then is called. */
#define REMAP(flush)							\
	"1: xchg %r8, %r9\n mov %r8, (%rdi)\n"				\
	flush								\
	"mov $0x80000000, %eax\n xor %ecx, %ecx\n call *%r15\n"		\
	"add %rax, %rsi\n"						\
	"dec %rbp\n jnz 1b\n" DONE
GUEST64(code_remap_page, REMAP("invlpg (%r15)\n"));
GUEST64(code_remap_all, REMAP("mov %cr3, %rax\n mov %rax, %cr3\n"));
GUEST64(code_remap_late, REMAP(""));

#define REMAPPED	0x40012000ULL
#define EXPECT_REMAPPED(at, first, second)				\
do {									\
	struct kvm_regs regs_ = { .rdi = (at), .r8 = (first),		\
				  .r9 = (second), .r15 = REMAPPED };	\
	site_begin(&regs_, GPA_CODE + SITE_BEFORE);			\
	regs_.rbp = 32;							\
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs_));		\
	ASSERT_EQ(0, vcpu_done(&self->vm, 0));				\
	ASSERT_EQ(0, site_finish(&self->vm));				\
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs_));		\
	EXPECT_EQ(32ULL * cpuid_entry(&self->cpuid, LEAF, 0)->eax, regs_.rsi); \
} while (0)

TEST_F(hot, remapped_by_the_guest)
{
	static const uint8_t one[] = { 0x0f, 0xa2, 0xc3 };
	static const uint8_t other[] = { 0x66, 0x48, 0x0f, 0xa2, 0xc3 };
	uint8_t *mem = self->vm.mem;

	memcpy(mem + 0x12000, one, sizeof(one));
	memcpy(mem + 0x212000, other, sizeof(other));
	for (int all = 0; all < 2; all++) {
		if (all)
			vm_load(&self->vm, GPA_CODE, code_remap_all);
		else
			vm_load(&self->vm, GPA_CODE, code_remap_page);
		/* The last table's entry, then the directory's pointer. */
		EXPECT_REMAPPED(0x4000, PDE(0), PDE(0x200000));
		poke(&self->vm, 0x4000, PDE(0));
		poke(&self->vm, 0x5000, PDE(0x200000));
		EXPECT_REMAPPED(0x2008, 0x4007, 0x5007);
		poke(&self->vm, 0x2008, 0x4007);
	}
	/* Nobody knows which one the CPU uses: they are alike. */
	memcpy(mem + 0x212000, one, sizeof(one));
	vm_load(&self->vm, GPA_CODE, code_remap_late);
	EXPECT_REMAPPED(0x4000, PDE(0), PDE(0x200000));
}

TEST_F(hot, remapped_by_the_vmm)
{
	uint8_t *mem = self->vm.mem;
	struct kvm_sregs sregs;

	place(mem + 0x12000, &forms[0].insn);
	place(mem + 0x212000, &forms[1].insn);
	for (int i = 0; i < 6; i++) {
		*vm_pte_2m(&self->vm, 0x40000000) = PDE(i & 1 ? 0x200000 : 0);
		/* It has the guest's translations forgotten. */
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_SREGS, &sregs));
		sregs.cr3 ^= 8;
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_SREGS, &sregs));
		EXPECT_RIGHT(REMAPPED, CPUID);
	}
}

#define SLOT_GPA	0x600000ULL
#define SLOT_SITE	0x100

TEST_F(hot, slots_move)
{
	for (int i = 0; i < 3; i++)
		place(self->map[i] + SLOT_SITE, &forms[i].insn);
	ASSERT_EQ(0, vm_set_memory(&self->vm, 1, 0, SLOT_GPA, MAP_SIZE,
				   self->map[0]));
	EXPECT_RIGHT(SLOT_GPA + SLOT_SITE, CPUID);
	/* Other memory. */
	ASSERT_EQ(0, vm_set_memory(&self->vm, 1, 0, SLOT_GPA, 0, NULL));
	ASSERT_EQ(0, munmap(self->map[0], MAP_SIZE));
	self->map[0] = NULL;
	ASSERT_EQ(0, vm_set_memory(&self->vm, 1, 0, SLOT_GPA, MAP_SIZE,
				   self->map[1]));
	EXPECT_RIGHT(SLOT_GPA + SLOT_SITE, CPUID);
	/* It moves, and what was not there comes. */
	ASSERT_EQ(0, vm_set_memory(&self->vm, 1, 0, 2 * SLOT_GPA, MAP_SIZE,
				   self->map[1]));
	ASSERT_EQ(0, vm_set_memory(&self->vm, 2, 0, SLOT_GPA, MAP_SIZE,
				   self->map[2]));
	EXPECT_RIGHT(SLOT_GPA + SLOT_SITE, CPUID);
	EXPECT_RIGHT(2 * SLOT_GPA + SLOT_SITE, CPUID);
}

TEST_F(hot, memory_gone)
{
	struct kvm_regs regs;

	place(self->map[0] + SLOT_SITE, &forms[0].insn);
	ASSERT_EQ(0, vm_set_memory(&self->vm, 1, 0, SLOT_GPA, MAP_SIZE,
				   self->map[0]));
	EXPECT_RIGHT(SLOT_GPA + SLOT_SITE, CPUID);
	ASSERT_EQ(0, munmap(self->map[0], MAP_SIZE));
	arguments(CPUID, &regs);
	site_begin(&regs, SLOT_GPA + SLOT_SITE);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	EXPECT_EQ(-EFAULT, vcpu_run(&self->vm, 0));
	ASSERT_EQ(self->map[0], mmap(self->map[0], MAP_SIZE,
				     PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				     -1, 0));
	place(self->map[0] + SLOT_SITE, &forms[1].insn);
	EXPECT_RIGHT(SLOT_GPA + SLOT_SITE, CPUID);
}

/* --- events around them --------------------------------------------------------------- */

/* Counts, and says where it was, of a step; the next are none. */
GUEST64(handler_step,
	"push %rax\n mov 8(%rsp), %rax\n mov %rax, 0x20028\n"
	"incq 0x20020\n"
	"andl $~0x100, 24(%rsp)\n pop %rax\n iretq\n");

/* PUSHF, OR, POPF in front of @insn: one step. */
static void place_step(struct test_vm *vm, const struct site_insn *insn)
{
	static const uint8_t tf[] = {
		0x9c, 0x81, 0x0c, 0x24, 0x00, 0x01, 0x00, 0x00, 0x9d,
	};
	struct site_insn here = of_vendor(insn);
	uint8_t *at = vm->mem + SITE;

	site_place(at, &here);
	memmove(at - SITE_BEFORE - sizeof(tf), at - SITE_BEFORE, SITE_BEFORE);
	memcpy(at - sizeof(tf), tf, sizeof(tf));
	at[here.len + 7] -= sizeof(tf);		/* the jump back */
}

TEST_F(hot, one_step)
{
	vm_load(&self->vm, HANDLER, handler_step);
	vm_set_gate(&self->vm, 1, HANDLER);
	for (enum kind kind = 0; kind < NR_KINDS; kind++) {
		struct kvm_regs regs;

		place_step(&self->vm, &plain[kind]);
		poke(&self->vm, GPA_COUNT, 0);
		arguments(kind, &regs);
		site_begin(&regs, SITE - 9);	/* TF's */
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
		ASSERT_EQ(0, vcpu_done(&self->vm, 0));
		ASSERT_EQ(0, site_finish(&self->vm));
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
		EXPECT_TRUE(outcome(&self->vm, &self->cpuid, kind, &regs));
		EXPECT_EQ(SITE_LOOPS, regs.rsi);
		EXPECT_EQ(SITE_LOOPS, peek(&self->vm, GPA_COUNT));
		EXPECT_EQ(SITE + plain[kind].len, peek(&self->vm, GPA_SEEN));
	}
}

/* An interrupt waits for STI: it comes after the next instruction. */
GUEST64(code_sti,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	"mov $8, %r15d\n"
	"1: " LAPIC_SET(0x300, 0x40050)
	"mov $0x80000000, %eax\n xor %ecx, %ecx\n"
	"sti\n cpuid\n"
	"nop\n nop\n cli\n"
	"cmp %r12, %rax\n je 2f\n incq 0x20030\n"
	"2: dec %r15d\n jnz 1b\n" DONE);
GUEST64(handler_sti,
	"push %rax\n mov 8(%rsp), %rax\n cmp %r14, %rax\n je 1f\n"
	"mov %rax, 0x20028\n"
	"1: incq 0x20020\n"
	LAPIC_SET(0xb0, 0)
	"pop %rax\n iretq\n");

TEST_F(hot, after_sti)
{
	static const uint8_t sti_cpuid[] = { 0xfb, 0x0f, 0xa2 };
	struct kvm_regs regs = {};
	uint8_t *at;

	vm_close(&self->vm);
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	vm_load(&self->vm, GPA_CODE, code_sti);
	vm_load(&self->vm, HANDLER, handler_sti);
	vm_set_gate(&self->vm, 0x50, HANDLER);
	at = memmem(self->vm.mem + GPA_CODE, 256, sti_cpuid, sizeof(sti_cpuid));
	ASSERT_NE(NULL, at);
	site_begin(&regs, GPA_CODE + SITE_BEFORE);
	regs.rflags = 2;
	regs.r12 = cpuid_entry(&self->cpuid, LEAF, 0)->eax;
	regs.r14 = at + sizeof(sti_cpuid) - self->vm.mem;
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_REGS, &regs));
	ASSERT_EQ(0, vcpu_done(&self->vm, 0));
	EXPECT_EQ(8, peek(&self->vm, GPA_COUNT));
	EXPECT_EQ(0, peek(&self->vm, GPA_SEEN));
	EXPECT_EQ(0, peek(&self->vm, 0x20030));
}

/* In #BP's handler an exit, then a fault whose delivery finds its stack missing. */
GUEST64(handler_bp,
	"mov $0x80000000, %eax\n xor %ecx, %ecx\n cpuid\n"
	"mov %r12, %rsp\n ud2\n");
GUEST64(handler_ud, "mov (%rsp), %rax\n" REPORT "hlt\n");

TEST_F(hot, then_an_interrupted_delivery)
{
	uint64_t ud2 = HANDLER + (handler_bp_end - handler_bp) - 2;
	struct kvm_vcpu_events events = {
		.exception = { .injected = 1, .nr = 3 },
	};
	struct kvm_regs regs = {};

	vm_load(&self->vm, HANDLER, handler_bp);
	vm_load(&self->vm, HANDLER + 0x100, handler_ud);
	vm_set_gate(&self->vm, 3, HANDLER);
	vm_set_gate(&self->vm, 6, HANDLER + 0x100);
	for (int i = 0; i < MAP_SIZE / 0x1000; i++) {
		/* Its pages are new to the guest each time. */
		ASSERT_EQ(0, vm_set_memory(&self->vm, 1, 0, SLOT_GPA, MAP_SIZE,
					   self->map[0]));
		site_begin(&regs, GPA_CODE + SITE_BEFORE);
		regs.r12 = SLOT_GPA + i * 0x1000 + 0x800;
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_VCPU_EVENTS, &events));
		EXPECT_EQ((int64_t)ud2, vcpu_report(&self->vm, 0));
		ASSERT_EQ(0, site_finish(&self->vm));
		ASSERT_EQ(0, vm_set_memory(&self->vm, 1, 0, SLOT_GPA, 0, NULL));
	}
}

/* --- who may, and what is said -------------------------------------------------------- */

GUEST64(handler_gp, "mov $0xd, %eax\n" REPORT "hlt\n");

static int to_user(struct test_vm *vm)
{
	struct kvm_sregs s;
	int err = xioctl(vm->vcpu[0], KVM_GET_SREGS, &s);

	s.cs.dpl = 3;
	s.ss.dpl = 3;
	s.cs.selector |= 3;
	s.ss.selector |= 3;
	poke(vm, GPA_TSS + 4, GPA_STACK);
	return err ?: xioctl(vm->vcpu[0], KVM_SET_SREGS, &s);
}

TEST_F(hot, user_programs)
{
	struct kvm_regs regs;

	vm_load(&self->vm, HANDLER, handler_gp);
	vm_set_gate(&self->vm, 13, HANDLER);
	place(self->vm.mem + SITE, &plain[CALL]);
	EXPECT_RIGHT(SITE, CALL);
	place(self->vm.mem + SITE + 0x1000, &plain[CPUID]);
	EXPECT_RIGHT(SITE + 0x1000, CPUID);
	ASSERT_EQ(0, to_user(&self->vm));
	EXPECT_RIGHT(SITE + 0x1000, CPUID);
	arguments(CALL, &regs);
	EXPECT_EQ(0, site_run(&self->vm, SITE, &regs));
	EXPECT_EQ(EPERM_PV, (int64_t)regs.rax);
	place(self->vm.mem + SITE, &plain[RDMSR]);
	arguments(RDMSR, &regs);
	site_begin(&regs, SITE);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	EXPECT_EQ(0xd, vcpu_report(&self->vm, 0));
}

#define MSR_PLATFORM	0xce
#define MSR_MISC_ENABLE	0x140

TEST_F(hot, cpuid_faulting)
{
	struct kvm_regs regs;

	vm_load(&self->vm, HANDLER, handler_gp);
	vm_set_gate(&self->vm, 13, HANDLER);
	place(self->vm.mem + SITE, &plain[CPUID]);
	EXPECT_RIGHT(SITE, CPUID);
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_PLATFORM, 1U << 31));
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_MISC_ENABLE, 1));
	EXPECT_RIGHT(SITE, CPUID);
	ASSERT_EQ(0, to_user(&self->vm));
	arguments(CPUID, &regs);
	site_begin(&regs, SITE);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	EXPECT_EQ(0xd, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, site_finish(&self->vm));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, SITE));
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_MISC_ENABLE, 0));
	ASSERT_EQ(0, to_user(&self->vm));
	EXPECT_RIGHT(SITE, CPUID);
}

TEST_F(hot, hypercall_numbers)
{
	static const struct { uint64_t nr; int64_t ret; } calls[] = {
		{ KVM_HC_VAPIC_POLL_IRQ, 0 }, { 0, ENOSYS_PV },
		{ 1ULL << 32 | KVM_HC_VAPIC_POLL_IRQ, ENOSYS_PV },
		{ 12, ENOSYS_PV }, { 13, ENOSYS_PV }, { ~0ULL, ENOSYS_PV },
		{ KVM_HC_VAPIC_POLL_IRQ, 0 },
	};

	place(self->vm.mem + SITE, &plain[CALL]);
	for (int i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		struct kvm_regs regs = { .r12 = calls[i].nr };

		EXPECT_EQ(0, site_run(&self->vm, SITE, &regs));
		EXPECT_EQ(calls[i].ret, (int64_t)regs.rax);
	}
}

TEST_F(hot, bad_pat)
{
	struct kvm_regs regs;

	vm_load(&self->vm, HANDLER, handler_gp);
	vm_set_gate(&self->vm, 13, HANDLER);
	place(self->vm.mem + SITE, &plain[WRMSR]);
	EXPECT_RIGHT(SITE, WRMSR);
	arguments(WRMSR, &regs);
	site_begin(&regs, SITE);
	regs.r12 = 2;			/* no memory type */
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	EXPECT_EQ(0xd, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, site_finish(&self->vm));
	place(self->vm.mem + SITE, &plain[RDMSR]);
	EXPECT_RIGHT(SITE, RDMSR);
}

JOIST_TEST_MAIN
