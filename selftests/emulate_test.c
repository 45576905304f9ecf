// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the emulator takes a short way: remembered walks of the guest's tables,
 * instructions known by their bytes, addresses that the exit told. What the guest
 * has changed since, or means otherwise, must count.
 */
#include "lib/test.h"

#define PAGE		4096
#define VA		0x40000000UL	/* mapped in pages of 4 KiB */
#define GPA_PT		(GPA_DATA + 0x4000)
#define GPA_PAGE(n)	(GPA_DATA + 0x10000 + (n) * PAGE)
#define PTE_RW		3

FIXTURE(emulate)
{
	struct test_vm vm;
	struct kvm_run *run;
	uint64_t *pt;
};

FIXTURE_SETUP(emulate)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->run = self->vm.run[0];
	self->pt = (uint64_t *)(self->vm.mem + GPA_PT);
	*vm_pte_2m(&self->vm, VA) = GPA_PT | PTE_RW;
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
}

FIXTURE_TEARDOWN(emulate)
{
	vm_close(&self->vm);
}

static void map(uint64_t *pt, unsigned int page, uint64_t gpa)
{
	pt[page] = gpa | PTE_RW;
}

/* Both pages at VA afresh, then what is at RBX; CPUID's leaf is 0. */
GUEST64(code_jump,
	"invlpg 0x40000000\n"
	"invlpg 0x40001000\n"
	"xor %eax, %eax\n"
	"jmp *%rbx\n");

/* 0: the code at @va comes to its end. */
static int run_at(struct test_vm *vm, uint64_t va)
{
	struct kvm_regs regs;

	vm_load(vm, GPA_CODE, code_jump);
	if (xioctl(vm->vcpu[0], KVM_GET_REGS, &regs))
		return -1;
	regs.rip = GPA_CODE;
	regs.rbx = va;
	if (xioctl(vm->vcpu[0], KVM_SET_REGS, &regs))
		return -1;
	return vcpu_done(vm, 0);
}

/*
 * CPUID in forms of all lengths, and OUT to the port that ends it: an instruction
 * taken for a shorter or a longer one leads elsewhere.
 */
static const struct form {
	uint8_t len;
	uint8_t bytes[15];
} forms[] = {
	{ 4, { 0x0f, 0xa2, 0xe6, 0xe4 } },
	{ 5, { 0x66, 0x0f, 0xa2, 0xe6, 0xe4 } },
	{ 5, { 0x48, 0x0f, 0xa2, 0xe6, 0xe4 } },
	{ 7, { 0x66, 0x2e, 0x48, 0x0f, 0xa2, 0xe6, 0xe4 } },
	{ 13, { 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x0f, 0xa2,
		0xe6, 0xe4 } },
	{ 15, { 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e,
		0x0f, 0xa2, 0xe6, 0xe4 } },
};

#define NR_FORMS	(sizeof(forms) / sizeof(*forms))

TEST_F(emulate, code_is_rewritten)
{
	map(self->pt, 0, GPA_PAGE(0));
	for (unsigned int i = 0; i < 4 * NR_FORMS; i++) {
		const struct form *f = &forms[i * 5 % NR_FORMS];

		memcpy(self->vm.mem + GPA_PAGE(0), f->bytes, f->len);
		ASSERT_EQ(0, run_at(&self->vm, VA));
	}
}

TEST_F(emulate, code_is_remapped)
{
	for (unsigned int i = 0; i < NR_FORMS; i++)
		memcpy(self->vm.mem + GPA_PAGE(i) + 0x123, forms[i].bytes,
		       forms[i].len);
	for (unsigned int i = 0; i < 4 * NR_FORMS; i++) {
		map(self->pt, 0, GPA_PAGE(i * 5 % NR_FORMS));
		ASSERT_EQ(0, run_at(&self->vm, VA + 0x123));
	}
}

TEST_F(emulate, code_crosses_pages)
{
	/* In this order in the address space only. */
	map(self->pt, 0, GPA_PAGE(1));
	map(self->pt, 1, GPA_PAGE(0));
	for (unsigned int i = 0; i < NR_FORMS; i++) {
		const struct form *f = &forms[i];

		for (unsigned int n = 1; n < f->len; n++) {
			memcpy(self->vm.mem + GPA_PAGE(1) + PAGE - n, f->bytes,
			       n);
			memcpy(self->vm.mem + GPA_PAGE(0), f->bytes + n,
			       f->len - n);
			ASSERT_EQ(0, run_at(&self->vm, VA + PAGE - n));
		}
	}
}

/* The page after it is not there, and nobody needs it. */
TEST_F(emulate, code_ends_at_a_page)
{
	map(self->pt, 0, GPA_PAGE(0));
	self->pt[1] = 0;
	for (unsigned int i = 0; i < NR_FORMS; i++) {
		const struct form *f = &forms[i];

		memcpy(self->vm.mem + GPA_PAGE(0) + PAGE - f->len, f->bytes,
		       f->len);
		ASSERT_EQ(0, run_at(&self->vm, VA + PAGE - f->len));
	}
}

/* --- two operands at the same offset in their pages ------------------------------- */

GUEST64(code_cmps,
	"cld\n"
	"mov $0x20000, %esi\n"
	"mov $0xc0000000, %edi\n"
	"cmpsl\n"
	"sete %bl\n"
	"mov $0xc0000000, %esi\n"
	"mov $0x20000, %edi\n"
	"cmpsl\n"
	"sete %bh\n"
	"hlt\n");

/* One device read for each; memory's operand is memory's. */
TEST_F(emulate, compare_memory_with_device)
{
	struct kvm_regs regs;

	for (uint32_t device = 7; device < 9; device++) {
		ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
		vm_load(&self->vm, GPA_CODE, code_cmps);
		*(uint32_t *)(self->vm.mem + GPA_DATA) = 7;
		for (int n = 0; n < 2; n++) {
			ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
			ASSERT_EQ(0, self->run->mmio.is_write);
			ASSERT_EQ(GPA_HOLE, self->run->mmio.phys_addr);
			ASSERT_EQ(4, self->run->mmio.len);
			memcpy(self->run->mmio.data, &device, 4);
		}
		ASSERT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
		ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_REGS, &regs));
		EXPECT_EQ(device == 7 ? 0x101 : 0, regs.rbx & 0xffff);
	}
}

GUEST64(code_movs,
	"cld\n"
	"mov $0x20000, %esi\n"
	"mov $0xc0000000, %edi\n"
	"movsl\n"
	"mov $0xc0001000, %esi\n"
	"mov $0xc0002000, %edi\n"
	"movsl\n"
	"hlt\n");

TEST_F(emulate, move_between_devices)
{
	uint32_t val = 0x11223344;

	vm_load(&self->vm, GPA_CODE, code_movs);
	*(uint32_t *)(self->vm.mem + GPA_DATA) = 0x55667788;
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(1, self->run->mmio.is_write);
	EXPECT_EQ(GPA_HOLE, self->run->mmio.phys_addr);
	EXPECT_EQ(0x55667788, *(uint32_t *)self->run->mmio.data);

	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0, self->run->mmio.is_write);
	EXPECT_EQ(GPA_HOLE + 0x1000, self->run->mmio.phys_addr);
	memcpy(self->run->mmio.data, &val, 4);
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(1, self->run->mmio.is_write);
	EXPECT_EQ(GPA_HOLE + 0x2000, self->run->mmio.phys_addr);
	EXPECT_EQ(val, *(uint32_t *)self->run->mmio.data);
}

GUEST64(code_unknown, "1: mov $0xc0000000, %eax\n flds (%rax)\n jmp 1b\n");
GUEST64(handler_undefined, "mov $0x6666, %eax\n" REPORT "hlt\n");

static int to_user(struct test_vm *vm)
{
	uint64_t *tables = (void *)(vm->mem + GPA_PML4);
	struct kvm_sregs s;
	int err;

	for (int i = 0; i < 6 * 512; i++)
		if (tables[i] & 1)
			tables[i] |= 4;
	err = xioctl(vm->vcpu[0], KVM_GET_SREGS, &s);
	s.cs.dpl = 3;
	s.ss.dpl = 3;
	s.cs.selector |= 3;
	s.ss.selector |= 3;
	return err ?: xioctl(vm->vcpu[0], KVM_SET_SREGS, &s);
}

/* An instruction that is not known, of a user program: it gets #UD, or the VMM the
 * instruction.
 */
TEST_F(emulate, unknown_in_user_mode)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_EXIT_ON_EMULATION_FAILURE, .args = { 2 },
	};

	vm_set_gate(&self->vm, 6, GPA_DATA);
	vm_load(&self->vm, GPA_DATA, handler_undefined);
	vm_load(&self->vm, GPA_CODE, code_unknown);
	*(uint64_t *)(self->vm.mem + GPA_TSS + 4) = GPA_STACK;
	ASSERT_EQ(0, to_user(&self->vm));
	EXPECT_EQ(0x6666, vcpu_report(&self->vm, 0));

	EXPECT_EQ(-EINVAL, xioctl(self->vm.fd, KVM_ENABLE_CAP, &cap));
	cap.args[0] = 1;
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_ENABLE_CAP, &cap));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	ASSERT_EQ(0, to_user(&self->vm));
	ASSERT_EQ(KVM_EXIT_INTERNAL_ERROR, vcpu_run(&self->vm, 0));
	EXPECT_EQ(KVM_INTERNAL_ERROR_EMULATION,
		  self->run->emulation_failure.suberror);
	EXPECT_EQ(KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES,
		  self->run->emulation_failure.flags);
	EXPECT_LE(2, self->run->emulation_failure.insn_size);
	EXPECT_EQ(0xd9, self->run->emulation_failure.insn_bytes[0]);
	EXPECT_EQ(0x00, self->run->emulation_failure.insn_bytes[1]);
}

GUEST64(code_two_pages, "1: mov %eax, 0x40000010\n invlpg 0x40000000\n jmp 1b\n");

/* The guest maps another device at the same address. */
TEST_F(emulate, device_is_remapped)
{
	vm_load(&self->vm, GPA_CODE, code_two_pages);
	for (unsigned int i = 0; i < 8; i++) {
		map(self->pt, 0, GPA_HOLE + (i & 3) * PAGE);
		ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
		EXPECT_EQ(GPA_HOLE + (i & 3) * PAGE + 0x10,
			  self->run->mmio.phys_addr);
	}
}

/* --- 16-bit code beyond 64 KiB ----------------------------------------------------- */

GUEST16(code_cr4_16,
	"mov %cr4, %eax\n"
	"mov %eax, %cr4\n"
	"mov %cr0, %eax\n"
	"mov %eax, %cr0\n"
	"xor %eax, %eax\n"
	"cpuid\n"
	"in $0x80, %al\n"
	"mov $0x1234, %eax\n"
	REPORT);

/* As firmware runs the first code of its SMM handler: the limit is all of memory. */
TEST(real_mode_beyond_64k)
{
	struct test_vm vm;
	struct kvm_sregs s;
	struct kvm_regs regs = { .rip = GPA_DATA, .rflags = 2 };

	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	ASSERT_EQ(0, vcpu_real(&vm, 0, 0));
	ASSERT_EQ(0, xioctl(vm.vcpu[0], KVM_GET_SREGS, &s));
	s.cs.limit = 0xffffffff;
	s.cs.g = 1;
	ASSERT_EQ(0, xioctl(vm.vcpu[0], KVM_SET_SREGS, &s));
	ASSERT_EQ(0, xioctl(vm.vcpu[0], KVM_SET_REGS, &regs));
	vm_load(&vm, GPA_DATA, code_cr4_16);
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&vm, 0));	/* the IN */
	EXPECT_EQ(0x1234, vcpu_report(&vm, 0));
	vm_close(&vm);
}

JOIST_TEST_MAIN
