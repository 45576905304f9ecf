// SPDX-License-Identifier: GPL-2.0-only
/* Running a vCPU and getting it back: run control, and every kind of exit. */
#include <pthread.h>
#include <signal.h>

#include "lib/test.h"

FIXTURE(run)
{
	struct test_vm vm;
	struct kvm_run *run;
};

FIXTURE_SETUP(run)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->run = self->vm.run[0];
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
}

FIXTURE_TEARDOWN(run)
{
	vm_close(&self->vm);
}

/* --- control ----------------------------------------------------------------- */

GUEST64(code_spin, "1: jmp 1b\n");

TEST_F(run, signal_ends_it)
{
	vm_load(&self->vm, GPA_CODE, code_spin);
	alarm_in(100000);
	EXPECT_EQ(-EINTR, vcpu_run(&self->vm, 0));
	EXPECT_EQ(KVM_EXIT_INTR, self->run->exit_reason);
}

TEST_F(run, immediate_exit)
{
	struct kvm_regs regs;

	vm_load(&self->vm, GPA_CODE, code_spin);
	self->run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_REGS, &regs));
	EXPECT_EQ(GPA_CODE, regs.rip);
}

/* A signal blocked by the thread but not by KVM_SET_SIGNAL_MASK ends KVM_RUN
 * and stays pending.
 */
TEST_F(run, signal_mask)
{
	struct {
		struct kvm_signal_mask head;
		uint8_t bits[8];
	} mask = { .head.len = 8 };
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	memset(mask.head.sigset, 0, 8);
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_SIGNAL_MASK, &mask));
	mask.head.len = 4;
	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_SET_SIGNAL_MASK, &mask));

	vm_load(&self->vm, GPA_CODE, code_spin);
	alarm_in(100000);
	EXPECT_EQ(-EINTR, vcpu_run(&self->vm, 0));
	sigpending(&pending);
	EXPECT_TRUE(sigismember(&pending, SIGALRM));
}

static void *send_usr1(void *arg)
{
	usleep(2000);
	pthread_kill(*(pthread_t *)arg, SIGUSR1);
	return NULL;
}

/* A signal that only KVM_RUN lets in ends it, whatever else the signal would do,
 * and is left for the thread to take.
 */
TEST_F(run, signal_stays_pending)
{
	struct {
		struct kvm_signal_mask head;
		uint64_t set;
	} mask = { .head.len = 8, .set = ~(1ULL << (SIGUSR1 - 1)) };
	pthread_t me = pthread_self(), other;
	struct test_vm *vm = &self->vm;
	struct timespec none = { };
	sigset_t usr1, old, now;

	vm_load(vm, GPA_CODE, code_spin);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	ASSERT_EQ(0, pthread_sigmask(SIG_BLOCK, &usr1, &old));
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_SIGNAL_MASK, &mask));
	for (int i = 0; i < 30; i++) {
		signal(SIGUSR1, i % 3 == 2 ? SIG_IGN : SIG_DFL);
		/* Before, and while it runs. */
		ASSERT_EQ(0, i % 3 ?
			  pthread_create(&other, NULL, send_usr1, &me) :
			  pthread_kill(me, SIGUSR1));
		EXPECT_EQ(-EINTR, vcpu_run(vm, 0));
		ASSERT_EQ(0, pthread_sigmask(SIG_BLOCK, NULL, &now));
		EXPECT_EQ(1, sigismember(&now, SIGUSR1));
		EXPECT_EQ(SIGUSR1, sigtimedwait(&usr1, NULL, &none));
		EXPECT_EQ(-1, sigtimedwait(&usr1, NULL, &none));
		if (i % 3)
			pthread_join(other, NULL);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	signal(SIGUSR1, SIG_DFL);
}

/* --- ports --------------------------------------------------------------------- */

GUEST64(code_out,
	"mov $0x11223344, %eax\n"
	"mov $0x1234, %dx\n"
	"out %al, %dx\n"
	"out %ax, %dx\n"
	"out %eax, %dx\n"
	"out %al, $0x80\n"
	"hlt\n");

TEST_F(run, out)
{
	static const uint8_t sizes[] = { 1, 2, 4 };
	static const uint32_t want[] = { 0x44, 0x3344, 0x11223344 };

	vm_load(&self->vm, GPA_CODE, code_out);
	for (int i = 0; i < 3; i++) {
		uint32_t val = 0;

		ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
		EXPECT_EQ(KVM_EXIT_IO_OUT, self->run->io.direction);
		EXPECT_EQ(0x1234, self->run->io.port);
		EXPECT_EQ(1, self->run->io.count);
		ASSERT_EQ(sizes[i], self->run->io.size);
		memcpy(&val, run_io_data(self->run), sizes[i]);
		EXPECT_EQ(want[i], val);
	}
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x80, self->run->io.port);
	EXPECT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
}

GUEST64(code_in,
	"mov $-1, %rax\n"
	"mov $0x1234, %dx\n"
	"in %dx, %al\n"
	"mov %rax, %r8\n"
	"in %dx, %ax\n"
	"mov %rax, %r9\n"
	"in %dx, %eax\n"
	"mov %rax, %r10\n"
	"hlt\n");

/* Byte and word leave the rest of RAX, a double word clears the upper half. */
TEST_F(run, in)
{
	static const uint32_t answers[] = { 0x11, 0x2222, 0x33333333 };
	struct kvm_regs regs;

	vm_load(&self->vm, GPA_CODE, code_in);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
		EXPECT_EQ(KVM_EXIT_IO_IN, self->run->io.direction);
		ASSERT_EQ(1 << i, self->run->io.size);
		memcpy(run_io_data(self->run), &answers[i], 1 << i);
	}
	ASSERT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_REGS, &regs));
	EXPECT_EQ(0xffffffffffffff11, regs.r8);
	EXPECT_EQ(0xffffffffffff2222, regs.r9);
	EXPECT_EQ(0x33333333, regs.r10);
}

GUEST64(code_outs,
	"cld\n"
	"mov $0x20000, %esi\n"
	"mov $10, %ecx\n"
	"mov $0x99, %dx\n"
	"rep outsb\n"
	"mov %rsi, %rax\n"
	"hlt\n");

TEST_F(run, outs)
{
	struct kvm_regs regs;
	char got[16] = "";
	int n = 0, ret;

	memcpy(self->vm.mem + GPA_DATA, "0123456789", 10);
	vm_load(&self->vm, GPA_CODE, code_outs);
	/* All at once or piece by piece: the host may choose. */
	while ((ret = vcpu_run(&self->vm, 0)) == KVM_EXIT_IO) {
		ASSERT_EQ(KVM_EXIT_IO_OUT, self->run->io.direction);
		ASSERT_EQ(1, self->run->io.size);
		ASSERT_LE(n + self->run->io.count, 10);
		memcpy(got + n, run_io_data(self->run), self->run->io.count);
		n += self->run->io.count;
	}
	EXPECT_EQ(KVM_EXIT_HLT, ret);
	EXPECT_STREQ("0123456789", got);
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_REGS, &regs));
	EXPECT_EQ(GPA_DATA + 10, regs.rax);
	EXPECT_EQ(0, regs.rcx);
}

GUEST64(code_ins,
	"cld\n"
	"mov $0x20000, %edi\n"
	"mov $5, %ecx\n"
	"mov $0x99, %dx\n"
	"rep insw\n"
	"hlt\n");

TEST_F(run, ins)
{
	uint16_t next = 0x4100;
	int ret, n = 0;

	vm_load(&self->vm, GPA_CODE, code_ins);
	while ((ret = vcpu_run(&self->vm, 0)) == KVM_EXIT_IO) {
		uint16_t *data = run_io_data(self->run);

		ASSERT_EQ(KVM_EXIT_IO_IN, self->run->io.direction);
		ASSERT_EQ(2, self->run->io.size);
		for (uint32_t c = 0; c < self->run->io.count; c++)
			data[c] = next++;
		n += self->run->io.count;
	}
	EXPECT_EQ(KVM_EXIT_HLT, ret);
	/* A host may read ahead, but not by more than the guest asked. */
	EXPECT_EQ(5, n);
	for (int i = 0; i < 5; i++)
		EXPECT_EQ(0x4100 + i,
			  ((uint16_t *)(self->vm.mem + GPA_DATA))[i]);
}

/* --- device memory ------------------------------------------------------------ */

GUEST64(code_mmio_write,
	"mov $0xc0000000, %ebx\n"
	"mov $0x1122334455667788, %rax\n"
	"mov %al, (%rbx)\n"
	"mov %ax, 2(%rbx)\n"
	"mov %eax, 4(%rbx)\n"
	"mov %rax, 8(%rbx)\n"
	"movl $0x5a, 16(%rbx)\n"
	"hlt\n");

TEST_F(run, mmio_write)
{
	static const struct {
		uint32_t off, len;
		uint64_t val;
	} want[] = {
		{ 0, 1, 0x88 }, { 2, 2, 0x7788 }, { 4, 4, 0x55667788 },
		{ 8, 8, 0x1122334455667788 }, { 16, 4, 0x5a },
	};

	vm_load(&self->vm, GPA_CODE, code_mmio_write);
	for (unsigned int i = 0; i < ARRAY_SIZE(want); i++) {
		uint64_t val = 0;

		ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
		EXPECT_EQ(1, self->run->mmio.is_write);
		EXPECT_EQ(GPA_HOLE + want[i].off, self->run->mmio.phys_addr);
		ASSERT_EQ(want[i].len, self->run->mmio.len);
		memcpy(&val, self->run->mmio.data, want[i].len);
		EXPECT_EQ(want[i].val, val);
	}
	EXPECT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
}

GUEST64(code_mmio_read,
	"mov $0xc0000000, %ebx\n"
	"movzbl (%rbx), %r8d\n"
	"movswq 2(%rbx), %r9\n"
	"mov 4(%rbx), %r10d\n"
	"mov 8(%rbx), %r11\n"
	"hlt\n");

TEST_F(run, mmio_read)
{
	static const uint64_t answers[] = {
		0xfe, 0x8001, 0x89abcdef, 0x0123456789abcdef
	};
	struct kvm_regs regs;

	vm_load(&self->vm, GPA_CODE, code_mmio_read);
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
		EXPECT_EQ(0, self->run->mmio.is_write);
		ASSERT_EQ(1 << i, self->run->mmio.len);
		memcpy(self->run->mmio.data, &answers[i], 1 << i);
	}
	ASSERT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_REGS, &regs));
	EXPECT_EQ(0xfe, regs.r8);
	EXPECT_EQ(0xffffffffffff8001, regs.r9);
	EXPECT_EQ(0x89abcdef, regs.r10);
	EXPECT_EQ(0x0123456789abcdef, regs.r11);
}

GUEST64(code_mmio_rmw,
	"mov $0xc0000000, %ebx\n"
	"orl $0xf0, (%rbx)\n"
	"pushf\n"
	"pop %r8\n"
	"addl $1, (%rbx)\n"
	"pushf\n"
	"pop %r9\n"
	"testb $1, (%rbx)\n"
	"pushf\n"
	"pop %r10\n"
	"mov $7, %eax\n"
	"xchg %eax, (%rbx)\n"
	"mov %rax, %r11\n"
	"hlt\n");

/* Read, then write: the device sees both, the flags are right. */
TEST_F(run, mmio_read_modify_write)
{
	static const struct {
		int write;
		uint32_t val;
	} steps[] = {
		{ 0, 0x0f }, { 1, 0xff }, { 0, 0xffffffff }, { 1, 0 },
		{ 0, 0x01 }, { 0, 0x55 }, { 1, 7 },
	};
	struct kvm_regs regs;

	vm_load(&self->vm, GPA_CODE, code_mmio_rmw);
	for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++) {
		ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
		ASSERT_EQ(steps[i].write, self->run->mmio.is_write);
		if (steps[i].write) {
			EXPECT_EQ(steps[i].val,
				  *(uint32_t *)self->run->mmio.data);
		} else {
			memcpy(self->run->mmio.data, &steps[i].val, 4);
		}
	}
	ASSERT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_REGS, &regs));
	EXPECT_EQ(0, regs.r8 & 0x8c1 & ~0x80);
	EXPECT_EQ(0x41, regs.r9 & 0x41);	/* carry and zero */
	EXPECT_EQ(0, regs.r10 & 0x40);
	EXPECT_EQ(0x55, regs.r11);
}

GUEST64(code_mmio_movs,
	"cld\n"
	"mov $0xc0000000, %edi\n"
	"mov $0x20000, %esi\n"
	"mov $4, %ecx\n"
	"rep movsl\n"
	"mov $0xc0000000, %esi\n"
	"mov $0x21000, %edi\n"
	"mov $4, %ecx\n"
	"rep movsl\n"
	"hlt\n");

TEST_F(run, mmio_strings)
{
	uint32_t *from = (uint32_t *)(self->vm.mem + GPA_DATA);
	uint32_t *to = (uint32_t *)(self->vm.mem + GPA_DATA + 0x1000);
	uint32_t device[4] = { };
	int ret;

	for (int i = 0; i < 4; i++)
		from[i] = 0x1000 + i;
	vm_load(&self->vm, GPA_CODE, code_mmio_movs);
	while ((ret = vcpu_run(&self->vm, 0)) == KVM_EXIT_MMIO) {
		uint32_t off = self->run->mmio.phys_addr - GPA_HOLE;

		ASSERT_LE(off + self->run->mmio.len, sizeof(device));
		if (self->run->mmio.is_write)
			memcpy((uint8_t *)device + off, self->run->mmio.data,
			       self->run->mmio.len);
		else
			memcpy(self->run->mmio.data, (uint8_t *)device + off,
			       self->run->mmio.len);
	}
	EXPECT_EQ(KVM_EXIT_HLT, ret);
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(0x1000 + i, device[i]);
		EXPECT_EQ(0x1000 + i, to[i]);
	}
}

GUEST64(code_mmio_split,
	"mov $0x3ffffc, %ebx\n"
	"mov $0x1122334455667788, %rax\n"
	"mov %rax, (%rbx)\n"
	"mov (%rbx), %r8\n"
	"hlt\n");

/* Half of it in memory, half in a device behind the end of memory. */
TEST_F(run, mmio_across_the_end_of_memory)
{
	uint32_t upper = 0xaabbccdd;
	struct kvm_regs regs;

	vm_load(&self->vm, GPA_CODE, code_mmio_split);
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(1, self->run->mmio.is_write);
	EXPECT_EQ(MEM_SIZE, self->run->mmio.phys_addr);
	EXPECT_EQ(4, self->run->mmio.len);
	EXPECT_EQ(0x11223344, *(uint32_t *)self->run->mmio.data);
	EXPECT_EQ(0x55667788, *(uint32_t *)(self->vm.mem + MEM_SIZE - 4));
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0, self->run->mmio.is_write);
	memcpy(self->run->mmio.data, &upper, 4);
	ASSERT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_REGS, &regs));
	EXPECT_EQ(0xaabbccdd55667788, regs.r8);
}

GUEST64(code_execute_hole, "mov $0xc0000000, %eax\n jmp *%rax\n");

/* There is nothing to fetch: the VM stops, the host does not. */
TEST_F(run, execute_device_memory)
{
	int ret;

	vm_load(&self->vm, GPA_CODE, code_execute_hole);
	ret = vcpu_run(&self->vm, 0);
	EXPECT_TRUE(ret == KVM_EXIT_INTERNAL_ERROR || ret == KVM_EXIT_MMIO);
}

/* --- instructions that leave the guest ------------------------------------------ */

GUEST64(code_hlt, "hlt\n mov $1, %eax\n hlt\n");

TEST_F(run, hlt)
{
	struct kvm_regs regs;

	vm_load(&self->vm, GPA_CODE, code_hlt);
	ASSERT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_REGS, &regs));
	EXPECT_EQ(GPA_CODE + 1, regs.rip);
	ASSERT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_REGS, &regs));
	EXPECT_EQ(1, regs.rax);
}

GUEST64(code_cpuid,
	"mov $0x40000000, %eax\n"
	"cpuid\n"
	"mov %ebx, %eax\n" REPORT
	"mov $0x12345678, %eax\n"	/* beyond the last leaf: some answer */
	"cpuid\n"
	"xor %eax, %eax\n"
	"cpuid\n"
	"mov %ebx, %eax\n" REPORT
	DONE);

TEST_F(run, cpuid)
{
	struct kvm_cpuid_entry2 *e;
	struct test_cpuid c;

	ASSERT_EQ(0, supported_cpuid(&self->vm, &c));
	e = cpuid_entry(&c, 0, 0);
	ASSERT_NE(NULL, e);
	vm_load(&self->vm, GPA_CODE, code_cpuid);
	EXPECT_EQ(0x4b4d564b, vcpu_report(&self->vm, 0));	/* "KVMK" */
	EXPECT_EQ(e->ebx, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* Handled inside: nothing of it is seen but that the guest goes on. */
GUEST64(code_quiet,
	"pause\n"
	"wbinvd\n"
	"invd\n"
	"rdtsc\n"
	"mov %cr0, %rax\n"
	"mov %rax, %cr0\n"
	"clts\n"
	"mov %cr3, %rax\n"
	"mov %rax, %cr3\n"
	"mov %cr4, %rax\n"
	"mov %rax, %cr4\n"
	"mov $3, %eax\n"
	"mov %rax, %cr8\n"
	"mov %cr8, %rbx\n"
	"mov $0x1000, %eax\n"
	"mov %rax, %dr0\n"
	"mov %dr0, %rcx\n"
	"mov %dr7, %rsi\n"
	"invlpg (%rax)\n"
	"smsw %di\n"
	DONE);

TEST_F(run, privileged_instructions)
{
	struct kvm_regs regs;

	vm_load(&self->vm, GPA_CODE, code_quiet);
	do {
		int ret = vcpu_run(&self->vm, 0);

		if (ret == KVM_EXIT_SET_TPR)	/* allowed without an irqchip */
			continue;
		ASSERT_EQ(KVM_EXIT_IO, ret) {
			vcpu_complain(&self->vm, 0, "io", ret);
		}
		break;
	} while (1);
	EXPECT_EQ(PORT_DONE, self->run->io.port);
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_REGS, &regs));
	EXPECT_EQ(3, regs.rbx);
	EXPECT_EQ(0x1000, regs.rcx);
	EXPECT_EQ(0x400, regs.rsi & 0x400);
	EXPECT_EQ(1, regs.rdi & 1);
}

GUEST64(code_vmcall, "mov $999, %eax\n vmcall\n" REPORT DONE);
GUEST64(code_vmmcall, "mov $999, %eax\n vmmcall\n" REPORT DONE);

/* An unknown hypercall says -KVM_ENOSYS, by either vendor's instruction. */
TEST_F(run, hypercall)
{
	uint32_t magic[3];

	asm volatile("cpuid" : "=b"(magic[0]), "=d"(magic[1]), "=c"(magic[2])
		     : "a"(0));
	if (magic[0] == 0x756e6547)	/* Genu... */
		vm_load(&self->vm, GPA_CODE, code_vmcall);
	else
		vm_load(&self->vm, GPA_CODE, code_vmmcall);
	EXPECT_EQ((uint32_t)-1000, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

GUEST64(code_triple, "lidt 0x20000\n int3\n");

TEST_F(run, triple_fault)
{
	memset(self->vm.mem + GPA_DATA, 0, 16);
	vm_load(&self->vm, GPA_CODE, code_triple);
	EXPECT_EQ(KVM_EXIT_SHUTDOWN, vcpu_run(&self->vm, 0));
}

/* --- exceptions that the guest itself gets ---------------------------------------- */

/* The handler reports the error code, then the faulting RIP - GPA_CODE. */
GUEST64(handler_error,
	"pop %rax\n" REPORT
	"pop %rax\n sub $0x10000, %eax\n" REPORT DONE);
GUEST64(handler_plain, "pop %rax\n sub $0x10000, %eax\n" REPORT DONE);

GUEST64(code_bad_msr, "mov $0xdeadbeef, %ecx\n rdmsr\n hlt\n");
GUEST64(code_bad_cr4, "mov $0x80000000, %eax\n mov %rax, %cr4\n hlt\n");
GUEST64(code_bad_cr8, "mov $0x10, %eax\n mov %rax, %cr8\n hlt\n");
GUEST64(code_xsetbv, "xor %ecx, %ecx\n xor %eax, %eax\n xor %edx, %edx\n"
	"xsetbv\n hlt\n");
GUEST64(code_ud2, "ud2\n");
GUEST64(code_pf, "mov $0x100000000, %rbx\n mov (%rbx), %eax\n");

#define GPA_HANDLER	0x18000

TEST_F(run, unknown_msr)
{
	vm_set_gate(&self->vm, 13, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_error);
	vm_load(&self->vm, GPA_CODE, code_bad_msr);
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	EXPECT_EQ(5, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

TEST_F(run, reserved_cr4_bit)
{
	vm_set_gate(&self->vm, 13, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_error);
	vm_load(&self->vm, GPA_CODE, code_bad_cr4);
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	EXPECT_EQ(5, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

TEST_F(run, reserved_cr8_bit)
{
	vm_set_gate(&self->vm, 13, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_error);
	vm_load(&self->vm, GPA_CODE, code_bad_cr8);
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	EXPECT_EQ(5, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* CR4.OSXSAVE is clear: #UD. */
TEST_F(run, xsetbv_without_osxsave)
{
	vm_set_gate(&self->vm, 6, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_plain);
	vm_load(&self->vm, GPA_CODE, code_xsetbv);
	EXPECT_EQ(6, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

TEST_F(run, undefined_instruction)
{
	vm_set_gate(&self->vm, 6, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_plain);
	vm_load(&self->vm, GPA_CODE, code_ud2);
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* The guest's own page fault is the guest's own business. */
TEST_F(run, page_fault)
{
	struct kvm_sregs s;

	vm_set_gate(&self->vm, 14, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_error);
	vm_load(&self->vm, GPA_CODE, code_pf);
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_SREGS, &s));
	EXPECT_EQ(0x100000000, s.cr2);
	EXPECT_EQ(10, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* --- other modes -------------------------------------------------------------------- */

GUEST16(code_real,
	"mov $0x1234, %ax\n"
	"mov %ax, %ds\n"
	"movw $0xbeef, (0x10)\n"	/* 0x12350 */
	"xor %ax, %ax\n"
	"mov %ax, %ds\n"
	"mov $0x77, %al\n"
	"int $0x21\n"
	"out %al, $0xe4\n"
	"hlt\n");
GUEST16(code_real_int, "inc %ax\n iret\n");

TEST_F(run, real_mode)
{
	uint16_t vector[2] = { 0x2000, 0 };	/* 0000:2000 */
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	ASSERT_EQ(0, vcpu_real(&vm, 0, 0x1000));
	vm_load(&vm, 0x1000, code_real);
	vm_load(&vm, 0x2000, code_real_int);
	memcpy(vm.mem + 0x21 * 4, vector, sizeof(vector));
	ASSERT_EQ(0, vcpu_done(&vm, 0));
	EXPECT_EQ(0x78, *(uint8_t *)run_io_data(vm.run[0]));
	EXPECT_EQ(0xbeef, *(uint16_t *)(vm.mem + 0x12350));
	vm_close(&vm);
}

GUEST32(code_prot32,
	"mov $0x20000, %esp\n"
	"push $0x11223344\n"
	"pop %eax\n"
	"out %eax, $0xe0\n"
	"movl $0x55, 0xc0000000\n"
	"mov %cr0, %eax\n"
	"out %eax, $0xe0\n"
	"out %al, $0xe4\n");

TEST_F(run, protected_mode)
{
	ASSERT_EQ(0, vcpu_prot32(&self->vm, 0, GPA_CODE));
	vm_load(&self->vm, GPA_CODE, code_prot32);
	EXPECT_EQ(0x11223344, vcpu_report(&self->vm, 0));
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x55, *(uint32_t *)self->run->mmio.data);
	EXPECT_EQ(0x31, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* From the reset state's real mode to long mode, as a boot loader does. */
GUEST16(code_boot,
	"cli\n"
	"lgdtl (0x6000)\n"
	"mov $0x31, %eax\n"
	"mov %eax, %cr0\n"
	"ljmpl $0x18, $0x10000\n");
GUEST32(code_boot32,
	"mov $0x10, %eax\n"
	"mov %eax, %ds\n"
	"mov %eax, %es\n"
	"mov %eax, %ss\n"
	TO_LONG_MODE(0x20, 0x80000000)
	"ljmp $0x08, $0x11000\n");
GUEST64(code_boot64,
	"mov $0x123456789abcdef0, %rax\n"
	"shr $32, %rax\n" REPORT
	"mov $0xc0000080, %ecx\n"
	"rdmsr\n" REPORT
	DONE);

TEST_F(run, boot_to_long_mode)
{
	uint64_t pd = 0x87;
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	ASSERT_EQ(0, vcpu_real(&vm, 0, 0x9000));
	vm_load(&vm, 0x9000, code_boot);
	vm_load(&vm, 0x10000, code_boot32);
	vm_load(&vm, 0x11000, code_boot64);
	memcpy(vm.mem + 0x3000, &pd, 8);
	vm_set_dtable(&vm, 0x6000, 0x2f, GPA_GDT);
	EXPECT_EQ(0x12345678, vcpu_report(&vm, 0));
	EXPECT_EQ(0x500, vcpu_report(&vm, 0) & 0x500);
	EXPECT_EQ(0, vcpu_done(&vm, 0));
	vm_close(&vm);
}

/* --- registers through the run page ---------------------------------------------------- */

TEST_F(run, sync_regs)
{
	int cap = xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
			     KVM_CAP_SYNC_REGS);

	if (!(cap & KVM_SYNC_X86_REGS))
		SKIP(return, "no KVM_CAP_SYNC_REGS");
	vm_load(&self->vm, GPA_CODE, code_hlt);
	self->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	ASSERT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
	EXPECT_EQ(GPA_CODE + 1, self->run->s.regs.regs.rip);
	self->run->kvm_valid_regs = 1ULL << 40;
	EXPECT_EQ(-EINVAL, vcpu_run(&self->vm, 0));
}

/* --- single step ------------------------------------------------------------------------ */

GUEST64(code_steps, "nop\n nop\n mov $1, %eax\n hlt\n");

TEST_F(run, single_step)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
	};
	int cap = xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
			     KVM_CAP_SET_GUEST_DEBUG2);

	if (!(cap & KVM_GUESTDBG_SINGLESTEP))
		SKIP(return, "no KVM_GUESTDBG_SINGLESTEP");
	vm_load(&self->vm, GPA_CODE, code_steps);
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_GUEST_DEBUG, &debug));
	for (int i = 1; i <= 2; i++) {
		ASSERT_EQ(KVM_EXIT_DEBUG, vcpu_run(&self->vm, 0));
		EXPECT_EQ(GPA_CODE + i, self->run->debug.arch.pc);
		EXPECT_EQ(1, self->run->debug.arch.exception);
	}
	debug.control = 0;
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_GUEST_DEBUG, &debug));
	EXPECT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
}

JOIST_TEST_MAIN
