// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the VMM says of CPUID, MSRs and ports, and changes while its guest runs, where
 * exits are answered at once.
 */
#include <pthread.h>

#include "lib/doorbell.h"
#include "lib/irq.h"
#include "lib/site.h"

#define MSR_PAT		0x277
#define LEAF		0x80000000
#define SITE		(GPA_CODE + 0x100)
#define GPA_COUNT	0x20020
#define GPA_TABLE	0x20100

FIXTURE(hot_vmm)
{
	struct test_vm vm;
	struct kvm_run *run;
	int vcpu;
	struct test_cpuid cpuid;
};

FIXTURE_SETUP(hot_vmm)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->run = self->vm.run[0];
	self->vcpu = self->vm.vcpu[0];
	ASSERT_EQ(0, supported_cpuid(&self->vm, &self->cpuid));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
}

FIXTURE_TEARDOWN(hot_vmm)
{
	vm_close(&self->vm);
}

static uint64_t peek(struct test_vm *vm, uint64_t gpa)
{
	return __atomic_load_n((uint64_t *)(vm->mem + gpa), __ATOMIC_SEQ_CST);
}

/* --- CPUID ---------------------------------------------------------------------------- */

#define MAX_ROWS	600

struct row {
	uint32_t leaf;
	uint32_t subleaf;
	uint32_t eax, ebx, ecx, edx;
};

/* RSI counts the rows that differ, R8 is past the last of them. */
GUEST64(code_rows,
	"mov $0x20100, %r8d\n"
	"1: mov (%r8), %eax\n mov 4(%r8), %ecx\n cpuid\n"
	"cmp 8(%r8), %eax\n jne 2f\n cmp 12(%r8), %ebx\n jne 2f\n"
	"cmp 16(%r8), %ecx\n jne 2f\n cmp 20(%r8), %edx\n je 3f\n"
	"2: inc %rsi\n 3: add $24, %r8\n"
	"dec %rbp\n jnz 1b\n" DONE);

static bool mirrors_registers(uint32_t leaf)
{
	return leaf == 1 || leaf == 7 || leaf == 0xd || leaf == 0x80000001;
}

static int add_row(struct test_vm *vm, int n, const struct kvm_cpuid_entry2 *e,
		   uint32_t subleaf)
{
	struct row row = { e->function, subleaf, e->eax, e->ebx, e->ecx, e->edx };

	memcpy(vm->mem + GPA_TABLE + n * sizeof(row), &row, sizeof(row));
	return n + 1;
}

/* How many of the rows are not as they are to be, or -1. */
static int64_t rows_wrong(struct test_vm *vm, int rows)
{
	struct kvm_regs regs;

	vm_load(vm, GPA_CODE, code_rows);
	site_begin(&regs, GPA_CODE + SITE_BEFORE);
	regs.rbp = rows;
	if (xioctl(vm->vcpu[0], KVM_SET_REGS, &regs) || vcpu_done(vm, 0) ||
	    site_finish(vm) || xioctl(vm->vcpu[0], KVM_GET_REGS, &regs))
		return -1;
	return regs.rsi;
}

TEST_F(hot_vmm, each_cpuid_row)
{
	int n = 0, nent = self->cpuid.head.nent;

	/* As it is now: some bits depend on what else the VM has. */
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_CPUID2, &self->cpuid));

	/* Each again, and after the one before it. */
	for (int i = 0; i < 4 * nent && n < MAX_ROWS - 2; i++) {
		int at = i % 2 && i > 2 ? i / 2 % nent - 1 : i / 2 % nent;
		struct kvm_cpuid_entry2 *e = &self->cpuid.entry[at < 0 ? 0 : at];
		bool indexed = e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

		if (mirrors_registers(e->function) || e->function == 0xb ||
		    e->function == 0x1f)
			continue;
		n = add_row(&self->vm, n, e, indexed ? e->index : i);
		n = add_row(&self->vm, n, e, indexed ? e->index : 0);
	}
	ASSERT_LT(20, n);
	EXPECT_EQ(0, rows_wrong(&self->vm, n));
}

/* Rows of one leaf with and without an index, in the order in which they are looked for. */
TEST_F(hot_vmm, odd_cpuid_rows)
{
	static const uint32_t asked[] = { 0, 1, 0, 2, 1, 0, 3, 0, 1, 2, 0 };
	struct kvm_cpuid_entry2 rows[3] = {
		{ .function = 0x40000077, .index = 0, .eax = 10,
		  .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
		{ .function = 0x40000077, .index = 1, .eax = 11,
		  .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
		{ .function = 0x40000078, .index = 9, .eax = 12 },
	};
	uint32_t nent = self->cpuid.head.nent;
	int n = 0;

	memcpy(&self->cpuid.entry[nent], rows, sizeof(rows));
	self->cpuid.head.nent += 3;
	cpuid_entry(&self->cpuid, 0x40000000, 0)->eax = 0x40000078;
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_CPUID2, &self->cpuid));
	for (int i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		struct kvm_cpuid_entry2 none = { .function = 0x40000077 };

		n = add_row(&self->vm, n, asked[i] < 2 ? &rows[asked[i]] : &none,
			    asked[i]);
		n = add_row(&self->vm, n, &rows[2], asked[i]);
		n = add_row(&self->vm, n, asked[i] < 2 ? &rows[asked[i]] : &none,
			    asked[i]);
	}
	EXPECT_EQ(0, rows_wrong(&self->vm, n));
}

TEST_F(hot_vmm, the_last_cpuid_counts)
{
	struct kvm_cpuid_entry2 *e = cpuid_entry(&self->cpuid, 0x80000002, 0);
	int n;

	ASSERT_NE(NULL, e);
	for (int i = 1; i <= 3; i++) {
		e->eax = 0x1000 + i;
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_CPUID2, &self->cpuid));
	}
	n = add_row(&self->vm, 0, e, 0);
	n = add_row(&self->vm, n, e, 0);
	EXPECT_EQ(0, rows_wrong(&self->vm, n));
	/* No more after it ran; what it was is allowed. */
	EXPECT_EQ(0, xioctl(self->vcpu, KVM_SET_CPUID2, &self->cpuid));
	EXPECT_EQ(0, rows_wrong(&self->vm, n));
	e->eax++;
	EXPECT_EQ(-EINVAL, xioctl(self->vcpu, KVM_SET_CPUID2, &self->cpuid));
	EXPECT_EQ(0, rows_wrong(&self->vm, n));
}

/* OSXSAVE as CR4 has it, each time. RSI counts the mistakes. */
GUEST64(code_osxsave,
	"1: mov $1, %eax\n cpuid\n"
	/* CR4's is bit 18, CPUID's bit 27. */
	"mov %cr4, %rax\n shr $18, %eax\n shr $27, %ecx\n xor %ecx, %eax\n"
	"and $1, %eax\n add %rax, %rsi\n"
	"mov %cr4, %rax\n xor $0x40000, %rax\n mov %rax, %cr4\n"
	"dec %rbp\n jnz 1b\n" DONE);

TEST_F(hot_vmm, cpuid_mirrors_cr4)
{
	struct kvm_regs regs;

	if (!(cpuid_entry(&self->cpuid, 1, 0)->ecx & 1U << 26))
		SKIP(return, "no XSAVE");
	vm_load(&self->vm, GPA_CODE, code_osxsave);
	site_begin(&regs, GPA_CODE + SITE_BEFORE);
	regs.rbp = 8;
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	ASSERT_EQ(0, vcpu_done(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
	EXPECT_EQ(0, regs.rsi);
}

/* --- MSRs ----------------------------------------------------------------------------- */

GUEST64(code_rdmsr,
	"1: mov $0x277, %ecx\n rdmsr\n incq 0x20020\n jmp 1b\n");

static void *run_once(void *arg)
{
	return (void *)(intptr_t)vcpu_run(arg, 0);
}

/* From when the ioctl returns on the guest reads no such MSR. */
TEST_F(hot_vmm, filter_while_it_runs)
{
	static uint8_t none[8];
	struct kvm_msr_filter filter = {
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			.nmsrs = 1, .base = MSR_PAT, .bitmap = none,
		},
	};
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args = { KVM_MSR_EXIT_REASON_FILTER },
	};

	for (int i = 0; i < 8; i++) {
		pthread_t thread;
		uint64_t at;
		void *ret;

		vm_close(&self->vm);
		ASSERT_EQ(0, vm_new(&self->vm, 0));
		ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
		ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
		vm_load(&self->vm, GPA_CODE, code_rdmsr);
		ASSERT_EQ(0, xioctl(self->vm.fd, KVM_ENABLE_CAP, &cap));
		ASSERT_EQ(0, pthread_create(&thread, NULL, run_once, &self->vm));
		while (peek(&self->vm, GPA_COUNT) < 5)
			usleep(100);
		ASSERT_EQ(0, xioctl(self->vm.fd, KVM_X86_SET_MSR_FILTER, &filter));
		at = peek(&self->vm, GPA_COUNT);
		pthread_join(thread, &ret);
		EXPECT_EQ(KVM_EXIT_X86_RDMSR, (intptr_t)ret);
		/* One was read, and not counted yet. */
		EXPECT_GE(at + 1, peek(&self->vm, GPA_COUNT));
	}
}

/* --- ports ---------------------------------------------------------------------------- */

static const struct port_form {
	bool in;
	uint8_t size;
	struct site_insn insn;
} port_forms[] = {
	{ false, 1, SITE_INSN(0xe6, SITE_PORT) },
	{ false, 4, SITE_INSN(0xe7, SITE_PORT) },
	{ false, 2, SITE_INSN(0x66, 0xe7, SITE_PORT) },
	{ false, 1, SITE_INSN(0xee) },
	{ false, 4, SITE_INSN(0xef) },
	{ false, 2, SITE_INSN(0x66, 0xef) },
	{ false, 4, SITE_INSN(0x48, 0xef) },
	{ false, 1, SITE_INSN(0x2e, 0x66, 0x4f, 0xee) },
	{ true, 1, SITE_INSN(0xe4, SITE_PORT) },
	{ true, 4, SITE_INSN(0xe5, SITE_PORT) },
	{ true, 2, SITE_INSN(0x66, 0xe5, SITE_PORT) },
	{ true, 1, SITE_INSN(0xec) },
	{ true, 4, SITE_INSN(0xed) },
	{ true, 2, SITE_INSN(0x66, 0xed) },
	{ true, 4, SITE_INSN(0x48, 0xed) },
};

#define NR_PORT_FORMS	(sizeof(port_forms) / sizeof(*port_forms))
#define OUT_EAX		(port_forms[4].insn)
#define IN_AL		(port_forms[11].insn)

/* The next exit is the instruction's. */
static bool told(struct test_vm *vm, const struct port_form *f, uint16_t port,
		 uint64_t rax)
{
	struct kvm_run *run = vm->run[0];
	int got = vcpu_run(vm, 0);

	if (got == KVM_EXIT_IO && run->io.port == port && run->io.count == 1 &&
	    run->io.size == f->size &&
	    run->io.direction == (f->in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT) &&
	    (f->in || !memcmp(run_io_data(run), &rax, f->size)))
		return true;
	vcpu_complain(vm, 0, "its port", got);
	return false;
}

static uint64_t after_in(uint64_t rax, int size, uint64_t val)
{
	if (size == 4)
		rax = 0;
	memcpy(&rax, &val, size);
	return rax;
}

TEST_F(hot_vmm, nobodys_port)
{
	const uint64_t rax = 0x1122334455667788, val = 0xa1b2c3d4;

	for (int n = 0; n < 2 * NR_PORT_FORMS; n++) {
		const struct port_form *f = &port_forms[n * 4 % NR_PORT_FORMS];
		/* In a page, and across two. */
		uint64_t va = n & 1 ? GPA_CODE + 0x1000 - 1 : SITE;
		struct kvm_regs regs = { .r12 = rax, .r14 = SITE_PORT };

		site_place(self->vm.mem + va, &f->insn);
		site_begin(&regs, va);
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
		for (int i = 0; i < SITE_LOOPS; i++) {
			ASSERT_TRUE(told(&self->vm, f, SITE_PORT, rax));
			memcpy(run_io_data(self->run), &val, 4);
		}
		ASSERT_EQ(0, vcpu_done(&self->vm, 0));
		ASSERT_EQ(0, site_finish(&self->vm));
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
		EXPECT_EQ(SITE_LOOPS, regs.rsi);
		EXPECT_EQ(f->in ? after_in(rax, f->size, val) : rax, regs.rax);
	}
}

/* The VMM looks, and puts other registers there, before it answers an IN. */
TEST_F(hot_vmm, registers_between)
{
	struct kvm_regs regs = { .r12 = 5, .r14 = SITE_PORT };

	site_place(self->vm.mem + SITE, &IN_AL);
	site_begin(&regs, SITE);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	ASSERT_TRUE(told(&self->vm, &port_forms[11], SITE_PORT, 0));
	*(uint8_t *)run_io_data(self->run) = 0x77;
	ASSERT_EQ(0, site_finish(&self->vm));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
	EXPECT_EQ(0x77, regs.rax);
	EXPECT_EQ(SITE + IN_AL.len, regs.rip);
	regs.rip = SITE;
	regs.rdx = 0x91;
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	ASSERT_TRUE(told(&self->vm, &port_forms[11], 0x91, 0));
}

#define EVENT_PORT	0x340
#define PIO		KVM_IOEVENTFD_FLAG_PIO

/* How many writes of so many bytes to @port are userspace's; -1: something else. */
static int port_exits(struct test_vm *vm, uint16_t port, int form)
{
	struct kvm_regs regs = { .r12 = 1, .r14 = port };
	int n = 0;

	site_place(vm->mem + SITE, &port_forms[form].insn);
	site_begin(&regs, SITE);
	if (xioctl(vm->vcpu[0], KVM_SET_REGS, &regs))
		return -1;
	for (;;) {
		int ret = vcpu_run(vm, 0);

		if (ret == KVM_EXIT_IO && vm->run[0]->io.port == PORT_DONE)
			return site_finish(vm) ? -1 : n;
		if (ret != KVM_EXIT_IO || vm->run[0]->io.port != port)
			return -1;
		n++;
	}
}

TEST_F(hot_vmm, neighbours_of_a_device)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	ASSERT_LE(0, fd);
	EXPECT_EQ(SITE_LOOPS, port_exits(&self->vm, EVENT_PORT, 4));
	ASSERT_EQ(0, ioeventfd(&self->vm, fd, EVENT_PORT, 4, PIO, 0));
	EXPECT_EQ(0, port_exits(&self->vm, EVENT_PORT, 4));
	EXPECT_EQ(SITE_LOOPS, events(fd));
	/* Other sizes, ports beside it, and one that reaches into it. */
	EXPECT_EQ(SITE_LOOPS, port_exits(&self->vm, EVENT_PORT, 3));
	EXPECT_EQ(SITE_LOOPS, port_exits(&self->vm, EVENT_PORT + 1, 3));
	EXPECT_EQ(SITE_LOOPS, port_exits(&self->vm, EVENT_PORT - 1, 4));
	EXPECT_EQ(SITE_LOOPS, port_exits(&self->vm, EVENT_PORT ^ 0x8000, 4));
	EXPECT_EQ(0, events(fd));
	/* The first port and the last, of any length; what is no port. */
	ASSERT_EQ(0, ioeventfd(&self->vm, fd, 0xffff, 0, PIO, 0));
	ASSERT_EQ(0, ioeventfd(&self->vm, fd, 0, 1, PIO, 0));
	ASSERT_EQ(0, ioeventfd(&self->vm, fd, 0x10000, 4, PIO, 0));
	ASSERT_EQ(0, ioeventfd(&self->vm, fd, ~0ULL - 4, 4, PIO, 0));
	EXPECT_EQ(0, port_exits(&self->vm, 0xffff, 3));
	EXPECT_EQ(0, port_exits(&self->vm, 0, 3));
	EXPECT_EQ(2 * SITE_LOOPS, events(fd));
	EXPECT_EQ(SITE_LOOPS, port_exits(&self->vm, 0, 4));
	EXPECT_EQ(SITE_LOOPS, port_exits(&self->vm, 0xfffe, 3));
	/* Gone; what shared its block stays. */
	ASSERT_EQ(0, ioeventfd(&self->vm, fd, EVENT_PORT + 8, 4, PIO, 0));
	ASSERT_EQ(0, ioeventfd(&self->vm, fd, EVENT_PORT, 4,
			       PIO | KVM_IOEVENTFD_FLAG_DEASSIGN, 0));
	EXPECT_EQ(SITE_LOOPS, port_exits(&self->vm, EVENT_PORT, 4));
	EXPECT_EQ(0, events(fd));
	EXPECT_EQ(0, port_exits(&self->vm, EVENT_PORT + 8, 4));
	EXPECT_EQ(SITE_LOOPS, events(fd));
	close(fd);
}

static int zone(struct test_vm *vm, unsigned long cmd, uint64_t addr, uint32_t size)
{
	struct kvm_coalesced_mmio_zone z = { .addr = addr, .size = size, .pio = 1 };

	return xioctl(vm->fd, cmd, &z);
}

TEST_F(hot_vmm, coalesced_ports)
{
	EXPECT_EQ(SITE_LOOPS, port_exits(&self->vm, EVENT_PORT, 4));
	ASSERT_EQ(0, zone(&self->vm, KVM_REGISTER_COALESCED_MMIO, EVENT_PORT, 8));
	/* Past all ports, and past all addresses. */
	ASSERT_EQ(0, zone(&self->vm, KVM_REGISTER_COALESCED_MMIO, ~0xffULL,
			  0x1000));
	ASSERT_EQ(0, zone(&self->vm, KVM_REGISTER_COALESCED_MMIO, 0xfff0,
			  0xffffffff));
	EXPECT_EQ(0, port_exits(&self->vm, EVENT_PORT + 4, 4));
	EXPECT_EQ(SITE_LOOPS, port_exits(&self->vm, EVENT_PORT + 8, 4));
	EXPECT_EQ(SITE_LOOPS, port_exits(&self->vm, 0x10, 4));
	EXPECT_EQ(0, port_exits(&self->vm, 0xfff8, 4));
	ASSERT_EQ(0, zone(&self->vm, KVM_UNREGISTER_COALESCED_MMIO, EVENT_PORT, 8));
	EXPECT_EQ(SITE_LOOPS, port_exits(&self->vm, EVENT_PORT + 4, 4));
}

#define MANY		3000

GUEST64(code_writes,
	"1: out %eax, (%dx)\n dec %rbp\n jnz 1b\n" DONE);

/* Each write is told once, to the one or the other. */
TEST_F(hot_vmm, ioeventfd_comes_and_goes)
{
	struct kvm_regs regs = { .rdx = EVENT_PORT };
	int64_t rung, exits;

	vm_load(&self->vm, GPA_CODE, code_writes);
	site_begin(&regs, GPA_CODE + SITE_BEFORE);
	regs.rbp = MANY;
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	ASSERT_EQ(0, doorbell_comes_and_goes(&self->vm, EVENT_PORT, true, &rung,
					     &exits));
	EXPECT_EQ(MANY, rung + exits);
	EXPECT_LT(0, rung);
}

/* The mask that was written, and another port of the same block; RSI: the mask. */
GUEST64(code_pic,
	"1: mov %ebp, %eax\n out %al, $0x21\n in $0x21, %al\n"
	"movzx %al, %eax\n add %rax, %rsi\n out %al, $0x70\n"
	"in $0x61, %al\n out %al, $0x80\n"
	"dec %rbp\n jnz 1b\n" DONE);

TEST_F(hot_vmm, devices_in_the_kernel)
{
	struct kvm_pit_config pit = {};
	struct kvm_regs regs;

	vm_close(&self->vm);
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_CREATE_PIT2, &pit));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	vm_load(&self->vm, GPA_CODE, code_pic);
	site_begin(&regs, GPA_CODE + SITE_BEFORE);
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_REGS, &regs));
	for (int i = 0; i < SITE_LOOPS; i++) {
		ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
		EXPECT_EQ(0x70, self->vm.run[0]->io.port);
		EXPECT_EQ(SITE_LOOPS - i, *(uint8_t *)run_io_data(self->vm.run[0]));
		/* 0x61 is the VMM's: no speaker was asked for. */
		ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
		EXPECT_EQ(0x61, self->vm.run[0]->io.port);
		ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
		EXPECT_EQ(0x80, self->vm.run[0]->io.port);
	}
	ASSERT_EQ(0, vcpu_done(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_REGS, &regs));
	EXPECT_EQ(SITE_LOOPS * (SITE_LOOPS + 1) / 2, regs.rsi);
}

JOIST_TEST_MAIN
