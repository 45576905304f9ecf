// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC where the CPU virtualizes it, and in and out of that: the same is to be
 * seen with the module's parameter apicv off.
 */
#include <pthread.h>
#include <sys/eventfd.h>

#include "lib/hyperv.h"
#include "lib/irq.h"
#include "lib/test.h"

#define MSI_GSI		30

#define WRMSR(index, low)						\
	"mov $" #index ", %ecx\n mov $" #low ", %eax\n xor %edx, %edx\n wrmsr\n"
#define RDMSR(index)	"mov $" #index ", %ecx\n rdmsr\n"
#define X2APIC								\
	RDMSR(0x1b) "or $0xc00, %eax\n wrmsr\n" WRMSR(0x80f, 0x1ff)
#define SELF(vector)	WRMSR(0x83f, vector)
#define EOI		WRMSR(0x80b, 0)
#define LET_IN		"sti\n nop\n nop\n cli\n"

GUEST64(serve41, SAVE NOTE(0x41) EOI RESTORE "iretq\n");
GUEST64(serve51, SAVE NOTE(0x51) EOI RESTORE "iretq\n");
GUEST64(count51, SAVE "inc %r13\n" EOI RESTORE "iretq\n");

FIXTURE(apicv)
{
	struct test_vm vm;
	int vcpu;
};

FIXTURE_SETUP(apicv)
{
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->vcpu = self->vm.vcpu[0];
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	ASSERT_EQ(0, vcpu_cpuid(&self->vm, 0));
	SET_HANDLER(0x41, serve41);
	SET_HANDLER(0x51, serve51);
}

FIXTURE_TEARDOWN(apicv)
{
	vm_close(&self->vm);
}

/* Does a file have this word? */
static bool says(const char *name, const char *word)
{
	FILE *f = fopen(name, "r");
	char got[64];
	bool does = false;

	while (f && !does && fscanf(f, "%63s", got) == 1)
		does = !strcmp(got, word);
	if (f)
		fclose(f);
	return does;
}

/* Is it the CPU that does it here? On Intel's the parameter says so. */
static bool cpu_does_it(void)
{
	return says("/proc/cpuinfo", "vmx") &&
	       says("/sys/module/joist/parameters/apicv", "1");
}

static bool vector_in(const struct kvm_lapic_state *state, int reg, int vector)
{
	return state->regs[reg + vector / 32 * 16 + vector % 32 / 8] & 1 << vector % 8;
}

/* Interrupts, their ends, the task priority and registers that are read. */
GUEST64(code_quiet,
	X2APIC "mov $1, %eax\n" REPORT "sti\n"
	"mov $200, %r12d\n"
	"1:" SELF(0x51) RDMSR(0x80a) RDMSR(0x822) WRMSR(0x808, 0x20) WRMSR(0x808, 0)
	"mov $3, %eax\n mov %rax, %cr8\n mov %cr8, %rax\n xor %eax, %eax\n"
	"mov %rax, %cr8\n dec %r12\n jnz 1b\n"
	"mov $2, %eax\n" REPORT DONE);

TEST_F(apicv, no_exits)
{
	int64_t exits;

	SET_HANDLER(0x51, count51);
	vm_load(&self->vm, GPA_CODE, code_quiet);
	ASSERT_EQ(1, vcpu_report(&self->vm, 0));
	exits = vcpu_stat(self->vcpu, "entries");
	ASSERT_EQ(2, vcpu_report(&self->vm, 0));
	exits = vcpu_stat(self->vcpu, "entries") - exits;
	EXPECT_EQ(200, noted(&self->vm));
	EXPECT_EQ(cpu_does_it(), exits < 100);
}

/* From one mode to another, with an interrupt pending where that survives. */
GUEST64(code_modes,
	X2APIC SELF(0x51) "mov $1, %eax\n" REPORT
	LET_IN SELF(0x41)
	RDMSR(0x1b) "and $~0xc00, %eax\n wrmsr\n" LET_IN	/* lost */
	NOTE(1) RDMSR(0x1b) "or $0x800, %eax\n wrmsr\n"
	APIC_BASE_RBP LAPIC_SET(0xf0, 0x1ff) LAPIC_SET(0x300, 0x40051)
	"mov $2, %eax\n" REPORT DONE);
GUEST64(code_modes_on,
	LET_IN X2APIC SELF(0x41) LET_IN DONE);
GUEST64(serve_both,
	SAVE NOTE(0x51) RDMSR(0x1b) "test $0x400, %eax\n jz 1f\n"
	EOI "jmp 2f\n 1:" APIC_BASE_RBP LAPIC_SET(0xb0, 0) "2:" RESTORE "iretq\n");

TEST_F(apicv, modes)
{
	struct kvm_lapic_state state;
	struct kvm_regs regs;

	SET_HANDLER(0x51, serve_both);
	vm_load(&self->vm, GPA_CODE, code_modes);
	ASSERT_EQ(1, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_LAPIC, &state));
	EXPECT_TRUE(vector_in(&state, 0x200, 0x51));
	ASSERT_EQ(2, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_LAPIC, &state));
	EXPECT_TRUE(vector_in(&state, 0x200, 0x51));
	EXPECT_FALSE(vector_in(&state, 0x200, 0x41));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
	EXPECT_EQ(0x5101, regs.r13);
	vm_load(&self->vm, GPA_CODE, code_modes_on);
	regs.rip = GPA_CODE;
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	EXPECT_EQ(0x51015141, noted(&self->vm));
}

/* Saved and restored while one is in service and others wait behind it. */
GUEST64(code_state, X2APIC SELF(0x51) LET_IN DONE);
GUEST64(serve_slow,
	SAVE NOTE(0x51) SELF(0x41) SELF(0x52) "mov $0x51, %eax\n" REPORT
	EOI "mov $0x52, %eax\n" REPORT RESTORE "iretq\n");
GUEST64(serve52, SAVE NOTE(0x52) EOI RESTORE "iretq\n");

TEST_F(apicv, state)
{
	struct kvm_lapic_state state, after;

	SET_HANDLER(0x51, serve_slow);
	SET_HANDLER(0x52, serve52);
	vm_load(&self->vm, GPA_CODE, code_state);
	ASSERT_EQ(0x51, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_LAPIC, &state));
	EXPECT_TRUE(vector_in(&state, 0x100, 0x51));
	EXPECT_TRUE(vector_in(&state, 0x200, 0x41));
	EXPECT_TRUE(vector_in(&state, 0x200, 0x52));
	EXPECT_EQ(0x50, state.regs[0xa0]);
	/* None in service; and back. */
	memset(state.regs + 0x100, 0, 0x80);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_LAPIC, &state));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_LAPIC, &after));
	EXPECT_EQ(0, after.regs[0xa0]);
	state.regs[0x100 + 0x20 + 2] = 2;	/* 0x51 */
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_LAPIC, &state));
	ASSERT_EQ(0x52, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_LAPIC, &after));
	EXPECT_FALSE(vector_in(&after, 0x100, 0x51));
	EXPECT_EQ(0x515241, noted(&self->vm));
}

/* What the register page does not have. */
GUEST64(code_registers,
	X2APIC SELF(5) WRMSR(0x828, 0) RDMSR(0x828) REPORT
	WRMSR(0x83e, 0xb) WRMSR(0x832, 0x10041) WRMSR(0x838, 0x7fffffff)
	RDMSR(0x839) "mov %eax, %r12d\n" RDMSR(0x839)
	"sub %eax, %r12d\n seta %al\n movzbl %al, %eax\n" REPORT
	RDMSR(0x802) REPORT
	"mov $0x830, %ecx\n mov $0x40041, %eax\n mov $7, %edx\n wrmsr\n"
	RDMSR(0x830) "mov %edx, %eax\n" REPORT
	DONE);

TEST_F(apicv, registers)
{
	vm_load(&self->vm, GPA_CODE, code_registers);
	EXPECT_EQ(1 << 5, vcpu_report(&self->vm, 0));	/* ESR: illegal vector */
	EXPECT_EQ(1, vcpu_report(&self->vm, 0));	/* the timer counts */
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));	/* the id */
	EXPECT_EQ(7, vcpu_report(&self->vm, 0));	/* all of ICR */
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* Registers that are not there fault, whoever has an eye on it. */
GUEST64(code_absent,
	X2APIC "mov $0x80e, %ecx\n rdmsr\n mov $0x83f, %ecx\n rdmsr\n"
	"mov $0x808, %ecx\n mov $0x100, %eax\n wrmsr\n" DONE);
GUEST64(skip_two, "inc %r13\n add $8, %rsp\n addq $2, (%rsp)\n iretq\n");

TEST_F(apicv, absent_registers)
{
	SET_HANDLER(13, skip_two);
	vm_load(&self->vm, GPA_CODE, code_absent);
	EXPECT_EQ(3, noted(&self->vm));
}

/* Sources of Hyper-V's that end by themselves come and go. */
GUEST64(code_auto,
	X2APIC "mov $1, %eax\n" REPORT
	SELF(0x51) SELF(0x41) LET_IN "mov $2, %eax\n" REPORT
	SELF(0x51) SELF(0x41) LET_IN "mov $3, %eax\n" REPORT EOI LET_IN DONE);
GUEST64(no_eoi, NOTE(0x51) "iretq\n");

TEST_F(apicv, sources_that_end_by_themselves)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_HYPERV_SYNIC2 };
	struct kvm_regs regs;

	ASSERT_EQ(0, xioctl(self->vcpu, KVM_ENABLE_CAP, &cap));
	SET_HANDLER(0x51, no_eoi);
	vm_load(&self->vm, GPA_CODE, code_auto);
	ASSERT_EQ(1, vcpu_report(&self->vm, 0));
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_SINT2, 1 << 17 | 0x51));
	ASSERT_EQ(2, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
	EXPECT_EQ(0x5141, regs.r13);
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_SINT2, 1 << 16));
	ASSERT_EQ(3, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
	EXPECT_EQ(0x514151, regs.r13);	/* that is in service */
	EXPECT_EQ(0x51415141, noted(&self->vm));
}

/* Held back by a debugger. */
GUEST64(code_held, X2APIC SELF(0x51) "mov $1, %eax\n" REPORT "sti\n 1: jmp 1b\n");
GUEST64(serve_done, SAVE NOTE(0x51) EOI RESTORE DONE);

TEST_F(apicv, held_back)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP |
			   KVM_GUESTDBG_BLOCKIRQ,
	};
	struct kvm_regs regs;
	int i;

	SET_HANDLER(0x51, serve_done);
	vm_load(&self->vm, GPA_CODE, code_held);
	ASSERT_EQ(1, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_GUEST_DEBUG, &debug));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(KVM_EXIT_DEBUG, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
	EXPECT_EQ(0, regs.r13);
	debug.control = 0;
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_GUEST_DEBUG, &debug));
	EXPECT_EQ(0x51, noted(&self->vm));
}

/* Another thread's, to a guest that never exits; and to one that sleeps. */
#define SHOTS	100
GUEST64(code_spin,
	X2APIC "movl $1, 0x20004\n sti\n"
	"1: pause\n mov %r13d, %ebx\n mov %ebx, 0x20000\n"
	"cmp $100, %ebx\n jb 1b\n" DONE);
GUEST64(code_sleep,
	X2APIC "movl $1, 0x20004\n"
	"1: sti\n hlt\n cli\n mov %r13d, 0x20000\n cmp $100, %r13\n jb 1b\n" DONE);
GUEST64(count51_hlt, SAVE "inc %r13\n" EOI RESTORE IRET_PAST_HLT);

struct shooter {
	struct test_vm *vm;
	int fd;
	uint32_t fired;
};

static void *shoot(void *arg)
{
	struct shooter *s = arg;
	volatile uint32_t *seen = (void *)(s->vm->mem + GPA_DATA);

	/* Its local APIC takes none before. */
	while (!seen[1])
		usleep(100);
	while (s->fired < SHOTS && *seen < SHOTS) {
		s->fired++;
		eventfd_write(s->fd, 1);
		while (*seen < s->fired)
			usleep(100);
	}
	return NULL;
}

/* How many the guest saw, if it has seen them all. */
static int shots_seen(struct test_vm *vm, uint32_t *fired)
{
	struct shooter s = { .vm = vm, .fd = eventfd(0, 0) };
	struct kvm_irqfd irq = { .gsi = MSI_GSI, .fd = s.fd };
	pthread_t thread;
	int seen = -1;

	memset(vm->mem + GPA_DATA, 0, 8);
	if (vm_route_msi(vm, MSI_GSI, 0x51) || xioctl(vm->fd, KVM_IRQFD, &irq) ||
	    pthread_create(&thread, NULL, shoot, &s))
		return seen;
	seen = noted(vm);
	pthread_join(thread, NULL);
	close(s.fd);
	*fired = s.fired;
	return seen;
}

TEST_F(apicv, to_one_that_runs)
{
	uint32_t fired = 0;

	SET_HANDLER(0x51, count51);
	vm_load(&self->vm, GPA_CODE, code_spin);
	EXPECT_EQ(SHOTS, shots_seen(&self->vm, &fired));
	EXPECT_TRUE(irq_count_is(fired, SHOTS));
}

TEST_F(apicv, to_one_that_sleeps)
{
	uint32_t fired = 0;

	SET_HANDLER(0x51, count51_hlt);
	vm_load(&self->vm, GPA_CODE, code_sleep);
	EXPECT_EQ(SHOTS, shots_seen(&self->vm, &fired));
	EXPECT_TRUE(irq_count_is(fired, SHOTS));
}

/* Likewise, where HLT is no exit: what comes in ends it. */
TEST(to_one_that_sleeps_in_the_guest)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_DISABLE_EXITS,
		.args = { KVM_X86_DISABLE_EXITS_HLT },
	};
	struct test_vm vm;
	uint32_t fired = 0;

	ASSERT_EQ(0, vm_new(&vm, VM_IRQCHIP));
	ASSERT_EQ(0, xioctl(vm.fd, KVM_ENABLE_CAP, &cap));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	ASSERT_EQ(0, vcpu_long64(&vm, 0, GPA_CODE));
	ASSERT_EQ(0, vcpu_cpuid(&vm, 0));
	set_handler(&vm, 0x51, count51_hlt, count51_hlt_end);
	vm_load(&vm, GPA_CODE, code_sleep);
	EXPECT_EQ(SHOTS, shots_seen(&vm, &fired));
	EXPECT_TRUE(irq_count_is(fired, SHOTS));
	vm_close(&vm);
}

JOIST_TEST_MAIN
