// SPDX-License-Identifier: GPL-2.0-only
/*
 * System management mode: in by an SMI, out by RSM, and what is between. SMRAM is
 * memory that only address space 1 has.
 */
#include <sys/mman.h>

#include "lib/irq.h"
#include "lib/test.h"

#define SMBASE		0x30000
#define SMBASE2		0x50000
#define SMRAM_SIZE	0x30000		/* from the first to the end of the second */
#define GPA_HANDLER	0x18000
#define MSR_SMBASE	0x9e
#define MSR_SMI_COUNT	0x34

FIXTURE(smm)
{
	struct test_vm vm;
	struct kvm_run *run;
	uint8_t *smram;
	int fd;
};

FIXTURE_VARIANT(smm)
{
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(smm, plain) { .flags = 0 };
FIXTURE_VARIANT_ADD(smm, irqchip) { .flags = VM_IRQCHIP };

static uint8_t *smram_map(struct test_vm *vm)
{
	uint8_t *smram = mmap(NULL, SMRAM_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (smram == MAP_FAILED ||
	    vm_set_memory(vm, 1 << 16, 0, SMBASE, SMRAM_SIZE, smram))
		return NULL;
	/* What the same addresses are to everybody else. */
	memset(vm->mem + SMBASE, 0xcc, SMRAM_SIZE);
	return smram;
}

FIXTURE_SETUP(smm)
{
	ASSERT_EQ(0, vm_new(&self->vm, variant->flags));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->fd = self->vm.vcpu[0];
	self->run = self->vm.run[0];
	self->smram = smram_map(&self->vm);
	ASSERT_NE(NULL, self->smram);
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
}

FIXTURE_TEARDOWN(smm)
{
	munmap(self->smram, SMRAM_SIZE);
	vm_close(&self->vm);
}

#define smm_load(smram, base, name)					\
	memcpy((smram) + (base) - SMBASE + 0x8000, name, name##_end - name)

/* A field of the save area, by its offset from SMBASE. */
static uint64_t saved(uint8_t *smram, unsigned int offset, int len)
{
	uint64_t val = 0;

	memcpy(&val, smram + offset, len);
	return val;
}

static void save(uint8_t *smram, unsigned int offset, int len, uint64_t val)
{
	memcpy(smram + offset, &val, len);
}

static int smi(struct test_vm *vm)
{
	return xioctl(vm->vcpu[0], KVM_SMI, NULL);
}

/* Exits are completed, the guest does not run. */
static int settle(struct test_vm *vm)
{
	int ret;

	vm->run[0]->immediate_exit = 1;
	ret = vcpu_run(vm, 0);
	vm->run[0]->immediate_exit = 0;
	return ret;
}

static bool in_smm(struct test_vm *vm)
{
	struct kvm_vcpu_events ev;

	if (xioctl(vm->vcpu[0], KVM_GET_VCPU_EVENTS, &ev) ||
	    !(ev.flags & KVM_VCPUEVENT_VALID_SMM))
		return false;
	return ev.smi.smm && vm->run[0]->flags & KVM_RUN_X86_SMM;
}

struct cpu {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_debugregs dregs;
};

static int cpu_get(struct test_vm *vm, struct cpu *cpu)
{
	return xioctl(vm->vcpu[0], KVM_GET_REGS, &cpu->regs) ||
	       xioctl(vm->vcpu[0], KVM_GET_SREGS, &cpu->sregs) ||
	       xioctl(vm->vcpu[0], KVM_GET_DEBUGREGS, &cpu->dregs);
}

GUEST16(smi_report, "mov $0x5111, %eax\n" REPORT "rsm\n");
GUEST16(smi_two_reports,
	"mov $0x5111, %eax\n" REPORT "mov $0x5222, %eax\n" REPORT "rsm\n");
GUEST16(smi_clobber,
	"mov $0x5111, %eax\n" REPORT
	"xor %eax, %eax\n mov %eax, %ebx\n mov %eax, %ecx\n mov %eax, %edx\n"
	"mov %eax, %esi\n mov %eax, %edi\n mov %eax, %ebp\n mov %eax, %esp\n"
	"mov %eax, %dr6\n mov %ax, %ds\n mov %ax, %es\n mov %ax, %fs\n"
	"mov %ax, %gs\n mov %ax, %ss\n"
	"mov $0x20, %al\n mov %eax, %cr4\n"
	"stc\n std\n"
	"rsm\n");
GUEST64(code_two_outs, "out %al, $0x80\n out %al, $0x81\n hlt\n");

/* --- there and back ------------------------------------------------------------- */

TEST_F(smm, registers_come_back)
{
	struct cpu before, inside, after;

	vm_load(&self->vm, GPA_CODE, code_two_outs);
	smm_load(self->smram, SMBASE, smi_clobber);
	ASSERT_EQ(0, cpu_get(&self->vm, &before));
	for (unsigned int i = 0; i < 16; i++)
		(&before.regs.rax)[i] = 0x1111111122222222ULL * (i + 1);
	before.regs.rsp = 0xe000;
	before.regs.rflags = 0x8d7;
	before.sregs.fs.base = 0xffff800012345000;
	before.sregs.gs.base = 0x7fff12345000;
	before.sregs.ldt.base = 0x12345;
	before.sregs.cr4 |= 0x80;
	before.dregs.dr6 = 0xffff0ff1;
	before.dregs.dr7 = 0x500;
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_REGS, &before.regs));
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_SREGS, &before.sregs));
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_DEBUGREGS, &before.dregs));

	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	ASSERT_EQ(-EINTR, settle(&self->vm));
	EXPECT_FALSE(in_smm(&self->vm));
	ASSERT_EQ(0, cpu_get(&self->vm, &before));
	EXPECT_EQ(GPA_CODE + 2, before.regs.rip);

	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0x5111, vcpu_report(&self->vm, 0));
	EXPECT_TRUE(in_smm(&self->vm));
	ASSERT_EQ(0, cpu_get(&self->vm, &inside));
	EXPECT_EQ(0, inside.sregs.cr0 & 0x8000000d);
	EXPECT_EQ(before.sregs.cr0 & ~0x8000000dULL, inside.sregs.cr0);
	EXPECT_EQ(0, inside.sregs.cr4);
	EXPECT_EQ(0, inside.sregs.efer);
	EXPECT_EQ(SMBASE, inside.sregs.cs.base);
	EXPECT_EQ(SMBASE >> 4, inside.sregs.cs.selector);
	EXPECT_EQ(0xffffffff, inside.sregs.cs.limit);
	EXPECT_EQ(0, inside.sregs.ds.base | inside.sregs.ss.base |
		     inside.sregs.fs.base | inside.sregs.gs.base);
	EXPECT_EQ(0, inside.sregs.ds.selector | inside.sregs.ss.selector);
	EXPECT_EQ(0xffffffff, inside.sregs.ss.limit);
	EXPECT_EQ(0, inside.sregs.idt.limit);
	EXPECT_EQ(2, inside.regs.rflags);
	EXPECT_EQ(before.regs.r15, inside.regs.r15);
	EXPECT_EQ(0x400, inside.dregs.dr7);

	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x81, self->run->io.port);
	EXPECT_EQ(0, self->run->flags);
	ASSERT_EQ(-EINTR, settle(&self->vm));
	ASSERT_EQ(0, cpu_get(&self->vm, &after));
	EXPECT_EQ(GPA_CODE + 4, after.regs.rip);
	after.regs.rip = before.regs.rip;
	EXPECT_EQ(0, memcmp(&before.regs, &after.regs, sizeof(before.regs)));
	EXPECT_EQ(0, memcmp(&before.sregs, &after.sregs, sizeof(before.sregs)));
	EXPECT_EQ(0, memcmp(&before.dregs, &after.dregs, sizeof(before.dregs)));
}

TEST_F(smm, save_area_64)
{
	vm_load(&self->vm, GPA_CODE, code_two_outs);
	smm_load(self->smram, SMBASE, smi_report);
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0x5111, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x20064, saved(self->smram, 0xfefc, 4));
	EXPECT_EQ(SMBASE, saved(self->smram, 0xff00, 4));
	EXPECT_EQ(GPA_CODE, saved(self->smram, 0xff78, 8));
	EXPECT_EQ(GPA_PML4, saved(self->smram, 0xff50, 8));
	EXPECT_EQ(0x501, saved(self->smram, 0xfed0, 8));
	EXPECT_EQ(SEL_CODE64, saved(self->smram, 0xfe10, 2));
	EXPECT_EQ(0, saved(self->smram, 0xfec9, 1));
	/* It is in SMRAM, and nowhere else. */
	EXPECT_EQ(0xcccccccc, saved(self->vm.mem + SMBASE, 0xfefc, 4));
	EXPECT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x80, self->run->io.port);
}

GUEST32(code32_two_outs, "out %al, $0x80\n out %al, $0x81\n hlt\n");

/* A guest without long mode has the other map. */
TEST_F(smm, save_area_32)
{
	struct cpu before, after;
	struct test_cpuid c;

	ASSERT_EQ(0, supported_cpuid(&self->vm, &c));
	cpuid_entry(&c, 0x80000001, 0)->edx &= ~(1U << 29);
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_CPUID2, &c.head));
	ASSERT_EQ(0, vcpu_prot32(&self->vm, 0, GPA_CODE));
	vm_load(&self->vm, GPA_CODE, code32_two_outs);
	smm_load(self->smram, SMBASE, smi_clobber);
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	ASSERT_EQ(-EINTR, settle(&self->vm));
	ASSERT_EQ(0, cpu_get(&self->vm, &before));
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0x5111, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x20000, saved(self->smram, 0xfefc, 4));
	EXPECT_EQ(SMBASE, saved(self->smram, 0xfef8, 4));
	EXPECT_EQ(GPA_CODE + 2, saved(self->smram, 0xfff0, 4));
	EXPECT_EQ(SEL_CODE32, saved(self->smram, 0xffac, 4));
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x81, self->run->io.port);
	ASSERT_EQ(-EINTR, settle(&self->vm));
	ASSERT_EQ(0, cpu_get(&self->vm, &after));
	before.regs.rip += 2;
	EXPECT_EQ(0, memcmp(&before.regs, &after.regs, sizeof(before.regs)));
	EXPECT_EQ(0, memcmp(&before.sregs, &after.sregs, sizeof(before.sregs)));
}

GUEST16(smi_relocate,
	"mov $0x3ff00, %ebx\n"
	"movl $0x50000, (%ebx)\n"
	"mov $0x5111, %eax\n" REPORT
	"rsm\n");
GUEST16(smi_other_base, "mov $0x5333, %eax\n" REPORT "rsm\n");

TEST_F(smm, smbase_moves)
{
	uint64_t base;

	vm_load(&self->vm, GPA_CODE, code_two_outs);
	smm_load(self->smram, SMBASE, smi_relocate);
	smm_load(self->smram, SMBASE2, smi_other_base);
	ASSERT_EQ(1, vcpu_get_msr(&self->vm, 0, MSR_SMBASE, &base));
	EXPECT_EQ(SMBASE, base);
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0x5111, vcpu_report(&self->vm, 0));
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x80, self->run->io.port);
	ASSERT_EQ(1, vcpu_get_msr(&self->vm, 0, MSR_SMBASE, &base));
	EXPECT_EQ(SMBASE2, base);
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0x5333, vcpu_report(&self->vm, 0));
	EXPECT_EQ(SMBASE2, saved(self->smram + SMBASE2 - SMBASE, 0xff00, 4));
	EXPECT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x81, self->run->io.port);
}

/* Handler and program use one address, and each finds its own there. */
GUEST16(smi_own_memory,
	"mov $0x40000, %ebx\n"
	"mov (%ebx), %eax\n" REPORT
	"movl $0x66, (%ebx)\n"
	"rsm\n");
GUEST64(code_own_memory,
	"movl $0x77, 0x40000\n"
	"out %al, $0x80\n"
	"mov 0x40000, %eax\n" REPORT
	"out %al, $0x80\n"
	"mov 0x40000, %eax\n" REPORT);

TEST_F(smm, address_spaces)
{
	if (xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
		       KVM_CAP_MULTI_ADDRESS_SPACE) < 2)
		SKIP(return, "one address space");
	vm_load(&self->vm, GPA_CODE, code_own_memory);
	smm_load(self->smram, SMBASE, smi_own_memory);
	save(self->smram, 0x10000, 4, 0x55);
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, smi(&self->vm));
	EXPECT_EQ(0x55, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, smi(&self->vm));
	EXPECT_EQ(0x66, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x66, saved(self->smram, 0x10000, 4));
	EXPECT_EQ(0x77, saved(self->vm.mem, 0x40000, 4));
}

/* --- what waits ------------------------------------------------------------------- */

TEST_F(smm, smi_in_smm_is_latched)
{
	struct kvm_vcpu_events ev;
	uint64_t count;

	vm_load(&self->vm, GPA_CODE, code_two_outs);
	smm_load(self->smram, SMBASE, smi_two_reports);
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0x5111, vcpu_report(&self->vm, 0));
	/* Two of them are one. */
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_VCPU_EVENTS, &ev));
	EXPECT_EQ(1, ev.smi.smm);
	EXPECT_EQ(1, ev.smi.pending);
	EXPECT_EQ(0x5222, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x5111, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_VCPU_EVENTS, &ev));
	EXPECT_EQ(0, ev.smi.pending);
	EXPECT_EQ(0x5222, vcpu_report(&self->vm, 0));
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x80, self->run->io.port);
	ASSERT_EQ(1, vcpu_get_msr(&self->vm, 0, MSR_SMI_COUNT, &count));
	EXPECT_EQ(2, count);
	EXPECT_FALSE(in_smm(&self->vm));
}

GUEST64(handler_report, "mov $0x1111, %eax\n" REPORT "iretq\n");

TEST_F(smm, nmi_waits_for_rsm)
{
	vm_set_gate(&self->vm, 2, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_report);
	vm_load(&self->vm, GPA_CODE, code_two_outs);
	smm_load(self->smram, SMBASE, smi_two_reports);
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0x5111, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->fd, KVM_NMI, NULL));
	EXPECT_EQ(0x5222, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x1111, vcpu_report(&self->vm, 0));
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x80, self->run->io.port);
}

/* NMIs blocked before are blocked after, whatever the handler did. */
TEST_F(smm, inside_nmi)
{
	struct kvm_vcpu_events ev;

	vm_set_gate(&self->vm, 2, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_report);
	vm_load(&self->vm, GPA_CODE, code_two_outs);
	smm_load(self->smram, SMBASE, smi_report);
	ASSERT_EQ(0, xioctl(self->fd, KVM_NMI, NULL));
	ASSERT_EQ(0x1111, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0x5111, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_VCPU_EVENTS, &ev));
	EXPECT_EQ(1, ev.smi.smm_inside_nmi);
	EXPECT_EQ(1, ev.nmi.masked);
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_VCPU_EVENTS, &ev));
	EXPECT_EQ(0, ev.smi.smm_inside_nmi);
	EXPECT_EQ(0, ev.nmi.masked);	/* the NMI's handler has returned */
}

GUEST64(code_hlt_report, "hlt\n mov $0x2222, %eax\n" REPORT);

TEST_F(smm, back_to_hlt)
{
	struct kvm_mp_state mp;

	if (!variant->flags)
		SKIP(return, "the VMM does HLT");
	vm_load(&self->vm, GPA_CODE, code_hlt_report);
	smm_load(self->smram, SMBASE, smi_report);
	alarm_in(100000);
	ASSERT_EQ(-EINTR, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0x5111, vcpu_report(&self->vm, 0));
	EXPECT_EQ(1, saved(self->smram, 0xfec9, 1));
	alarm_in(100000);
	ASSERT_EQ(-EINTR, vcpu_run(&self->vm, 0));
	EXPECT_FALSE(in_smm(&self->vm));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_MP_STATE, &mp));
	EXPECT_EQ(KVM_MP_STATE_HALTED, mp.mp_state);
	/* The handler may decide that HLT is over. */
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0x5111, vcpu_report(&self->vm, 0));
	save(self->smram, 0xfec9, 1, 0);
	EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
}

/* --- by the interrupt controllers -------------------------------------------------- */

GUEST64(code_self_smi,
	APIC_BASE_RBP
	LAPIC_SET(0x300, 0x44200)
	"mov $0x2222, %eax\n" REPORT);

TEST_F(smm, by_icr)
{
	if (!variant->flags)
		SKIP(return, "no local APIC");
	vm_load(&self->vm, GPA_CODE, code_self_smi);
	smm_load(self->smram, SMBASE, smi_report);
	EXPECT_EQ(0x5111, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
}

static int signal_msi(struct test_vm *vm, uint32_t data)
{
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = data };

	return xioctl(vm->fd, KVM_SIGNAL_MSI, &msi);
}

TEST_F(smm, by_msi)
{
	if (!variant->flags)
		SKIP(return, "no local APIC");
	vm_load(&self->vm, GPA_CODE, code_two_outs);
	smm_load(self->smram, SMBASE, smi_report);
	ASSERT_EQ(1, signal_msi(&self->vm, 0x200));
	EXPECT_EQ(0x5111, vcpu_report(&self->vm, 0));
	EXPECT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x80, self->run->io.port);
}

TEST_F(smm, init_is_latched)
{
	struct kvm_vcpu_events ev;
	struct kvm_regs regs;

	if (!variant->flags)
		SKIP(return, "no local APIC");
	vm_load(&self->vm, GPA_CODE, code_two_outs);
	smm_load(self->smram, SMBASE, smi_two_reports);
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0x5111, vcpu_report(&self->vm, 0));
	ASSERT_EQ(1, signal_msi(&self->vm, 0x500));
	EXPECT_EQ(0x5222, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_VCPU_EVENTS, &ev));
	EXPECT_EQ(1, ev.smi.latched_init);
	EXPECT_EQ(1, ev.smi.smm);
	/* RSM, and INIT: there is no memory at the reset vector. */
	ASSERT_NE(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_REGS, &regs));
	EXPECT_EQ(0xfff0, regs.rip);
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_VCPU_EVENTS, &ev));
	EXPECT_EQ(0, ev.smi.latched_init);
	EXPECT_EQ(0, ev.smi.smm);
}

/* --- what must not work ------------------------------------------------------------ */

GUEST64(code_rsm, "rsm\n");
GUEST64(handler_ud, "mov $0x6666, %eax\n" REPORT);

TEST_F(smm, rsm_outside_is_undefined)
{
	vm_set_gate(&self->vm, 6, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_ud);
	vm_load(&self->vm, GPA_CODE, code_rsm);
	EXPECT_EQ(0x6666, vcpu_report(&self->vm, 0));
}

/* Of what is undefined in SMM, RSM alone is not: here #UD has no handler. */
GUEST16(smi_undefined, "mov $0x5111, %eax\n" REPORT "ud2\n");

TEST_F(smm, undefined_inside)
{
	vm_load(&self->vm, GPA_CODE, code_two_outs);
	smm_load(self->smram, SMBASE, smi_undefined);
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0x5111, vcpu_report(&self->vm, 0));
	EXPECT_EQ(KVM_EXIT_SHUTDOWN, vcpu_run(&self->vm, 0));
}

static const struct broken {
	const char *what;
	unsigned int offset;
	int len;
	uint64_t val;
} broken[] = {
	{ "CR0: paging without protection", 0xff58, 8, 0x80000010 },
	{ "CR0: NW without CD", 0xff58, 8, 0x20000011 },
	{ "CR0: over 32 bits", 0xff58, 8, 0x100000011 },
	{ "CR4: a bit that is none", 0xff48, 8, 0x80000020 },
	{ "CR4: long mode without PAE", 0xff48, 8, 0 },
	{ "EFER: a bit that is none", 0xfed0, 8, 0x10501 },
	{ "EFER: LMA without LME", 0xfed0, 8, 0x400 },
	{ "CR3: beyond physical addresses", 0xff50, 8, 1ULL << 62 },
	{ "CS: 64-bit and 32-bit", 0xfe12, 2, 0xe09b },
	{ "RFLAGS: VM86 in long mode", 0xff70, 8, 0x20002 },
	{ "RIP: not canonical", 0xff78, 8, 1ULL << 60 },
	{ "GDT: not canonical", 0xfe68, 8, 1ULL << 60 },
	{ "IDT: not canonical", 0xfe88, 8, 1ULL << 60 },
	{ "FS: not canonical", 0xfe48, 8, 1ULL << 60 },
	{ "TR: not canonical", 0xfe98, 8, 1ULL << 60 },
};

TEST_F(smm, broken_save_area)
{
	uint8_t good[512];

	vm_load(&self->vm, GPA_CODE, code_two_outs);
	smm_load(self->smram, SMBASE, smi_report);
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0x5111, vcpu_report(&self->vm, 0));
	ASSERT_EQ(-EINTR, settle(&self->vm));
	memcpy(good, self->smram + 0xfe00, sizeof(good));
	for (unsigned int i = 0; i < ARRAY_SIZE(broken); i++) {
		const struct broken *b = &broken[i];
		struct kvm_regs regs;

		memcpy(self->smram + 0xfe00, good, sizeof(good));
		save(self->smram, b->offset, b->len, b->val);
		EXPECT_EQ(KVM_EXIT_SHUTDOWN, vcpu_run(&self->vm, 0))
			TH_LOG("%s", b->what);
		EXPECT_TRUE(in_smm(&self->vm));
		/* RSM once more. */
		ASSERT_EQ(0, xioctl(self->fd, KVM_GET_REGS, &regs));
		regs.rip = 0x8000 + (smi_report_end - smi_report) - 2;
		ASSERT_EQ(0, xioctl(self->fd, KVM_SET_REGS, &regs));
	}
	memcpy(self->smram + 0xfe00, good, sizeof(good));
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x80, self->run->io.port);
}

/* Anything at all: the guest may go astray, the host may not notice. */
TEST_F(smm, random_save_area)
{
	vm_load(&self->vm, GPA_CODE, code_two_outs);
	smm_load(self->smram, SMBASE, smi_report);
	srandom(1);
	for (int n = 0; n < 200; n++) {
		struct kvm_vcpu_events ev = { .flags = KVM_VCPUEVENT_VALID_SMM };

		ASSERT_EQ(0, xioctl(self->fd, KVM_SET_VCPU_EVENTS, &ev));
		ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
		ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_SMBASE, SMBASE));
		ASSERT_EQ(0, smi(&self->vm));
		ASSERT_EQ(0x5111, vcpu_report(&self->vm, 0));
		for (int i = 0; i <= n % 5; i++)
			self->smram[0xfe00 + random() % 512] = random();
		alarm_in(20000);
		vcpu_run(&self->vm, 0);
	}
}

TEST_F(smm, no_memory_for_the_save_area)
{
	struct kvm_vcpu_events ev = { .flags = KVM_VCPUEVENT_VALID_SMM };

	vm_load(&self->vm, GPA_CODE, code_two_outs);
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_SMBASE, GPA_HOLE));
	ASSERT_EQ(0, smi(&self->vm));
	EXPECT_EQ(KVM_EXIT_SHUTDOWN, vcpu_run(&self->vm, 0));
	/* The end of it lies beyond memory. */
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_VCPU_EVENTS, &ev));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_SMBASE,
				  SMBASE + SMRAM_SIZE - 0xff00));
	ASSERT_EQ(0, smi(&self->vm));
	EXPECT_EQ(KVM_EXIT_SHUTDOWN, vcpu_run(&self->vm, 0));
}

GUEST16(smi_read_smbase,
	"mov $0x9e, %ecx\n rdmsr\n" REPORT
	"rsm\n");
GUEST64(code_read_smbase, "mov $0x9e, %ecx\n rdmsr\n");
GUEST64(handler_gp, "mov $0x7777, %eax\n" REPORT);

TEST_F(smm, smbase_msr)
{
	vm_set_gate(&self->vm, 13, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_gp);
	vm_load(&self->vm, GPA_CODE, code_read_smbase);
	smm_load(self->smram, SMBASE, smi_read_smbase);
	ASSERT_EQ(0, smi(&self->vm));
	EXPECT_EQ(SMBASE, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x7777, vcpu_report(&self->vm, 0));
}

/* --- the VMM's side ------------------------------------------------------------------ */

TEST_F(smm, events)
{
	struct kvm_vcpu_events ev, got;

	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_VCPU_EVENTS, &ev));
	EXPECT_NE(0, ev.flags & KVM_VCPUEVENT_VALID_SMM);
	EXPECT_EQ(0, ev.smi.smm | ev.smi.pending | ev.smi.smm_inside_nmi |
		     ev.smi.latched_init);
	ev.flags = KVM_VCPUEVENT_VALID_SMM;
	ev.smi.smm = 1;
	ev.smi.pending = 1;
	ev.smi.smm_inside_nmi = 1;
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_VCPU_EVENTS, &ev));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_VCPU_EVENTS, &got));
	EXPECT_EQ(1, got.smi.smm);
	EXPECT_EQ(1, got.smi.pending);
	EXPECT_EQ(1, got.smi.smm_inside_nmi);
	ASSERT_EQ(-EINTR, settle(&self->vm));
	EXPECT_EQ(KVM_RUN_X86_SMM, self->run->flags);
	/* Without the flag nothing of it changes. */
	ev.flags = 0;
	ev.smi.smm = 0;
	ev.smi.pending = 0;
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_VCPU_EVENTS, &ev));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_VCPU_EVENTS, &got));
	EXPECT_EQ(1, got.smi.smm);
	EXPECT_EQ(1, got.smi.pending);
	ev.flags = KVM_VCPUEVENT_VALID_SMM;
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_VCPU_EVENTS, &ev));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_VCPU_EVENTS, &got));
	EXPECT_EQ(0, got.smi.smm | got.smi.pending | got.smi.smm_inside_nmi);
	ASSERT_EQ(-EINTR, settle(&self->vm));
	EXPECT_EQ(0, self->run->flags);
}

/* KVM_SMI and what KVM_SET_VCPU_EVENTS says is pending are one. */
TEST_F(smm, pending_by_events)
{
	struct kvm_vcpu_events ev = { .flags = KVM_VCPUEVENT_VALID_SMM };

	vm_load(&self->vm, GPA_CODE, code_two_outs);
	smm_load(self->smram, SMBASE, smi_report);
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_VCPU_EVENTS, &ev));
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x80, self->run->io.port);
	ev.smi.pending = 1;
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_VCPU_EVENTS, &ev));
	EXPECT_EQ(0x5111, vcpu_report(&self->vm, 0));
}

TEST_F(smm, states_that_cannot_be)
{
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_INIT_RECEIVED };
	struct kvm_vcpu_events ev = {
		.flags = KVM_VCPUEVENT_VALID_SMM,
		.smi.smm = 1,
	};

	if (!variant->flags)
		SKIP(return, "no local APIC");
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_MP_STATE, &mp));
	EXPECT_EQ(-EINVAL, xioctl(self->fd, KVM_SET_VCPU_EVENTS, &ev));
	mp.mp_state = KVM_MP_STATE_RUNNABLE;
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_MP_STATE, &mp));
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_VCPU_EVENTS, &ev));
	mp.mp_state = KVM_MP_STATE_INIT_RECEIVED;
	EXPECT_EQ(-EINVAL, xioctl(self->fd, KVM_SET_MP_STATE, &mp));
	mp.mp_state = KVM_MP_STATE_SIPI_RECEIVED;
	EXPECT_EQ(-EINVAL, xioctl(self->fd, KVM_SET_MP_STATE, &mp));
}

TEST_F(smm, slots)
{
	int nr = xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
			    KVM_CAP_NR_MEMSLOTS);
	uint8_t *mem = self->vm.mem;

	ASSERT_EQ(2, xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
				KVM_CAP_MULTI_ADDRESS_SPACE));
	EXPECT_EQ(1, xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
				KVM_CAP_X86_SMM));
	/* No third space, and no more slots in the second. */
	EXPECT_EQ(-EINVAL, vm_set_memory(&self->vm, 2 << 16, 0, 0x1000000,
					 0x1000, mem));
	EXPECT_EQ(-EINVAL, vm_set_memory(&self->vm, 1 << 16 | nr, 0, 0x1000000,
					 0x1000, mem));
	/* They overlap within a space only. */
	EXPECT_EQ(-EEXIST, vm_set_memory(&self->vm, 1 << 16 | 1, 0, SMBASE,
					 0x1000, mem));
	EXPECT_EQ(-EEXIST, vm_set_memory(&self->vm, 1, 0, SMBASE, 0x1000, mem));
	EXPECT_EQ(0, vm_set_memory(&self->vm, 1 << 16 | 1, 0, 0x1000, 0x1000,
				   mem));
	/* A number is another slot in another space. */
	EXPECT_EQ(-EINVAL, vm_set_memory(&self->vm, 1, 0, 0, 0, NULL));
	EXPECT_EQ(0, vm_set_memory(&self->vm, 1 << 16 | 1, 0, 0, 0, NULL));
	EXPECT_EQ(-EINVAL, vm_set_memory(&self->vm, 1 << 16 | 1, 0, 0, 0, NULL));
}

/* What the handler writes is in the log of its own space's slot. */
TEST_F(smm, dirty_log)
{
	uint64_t bits[2] = { };
	struct kvm_dirty_log log = { .slot = 1 << 16, .dirty_bitmap = bits };

	ASSERT_EQ(0, vm_set_memory(&self->vm, 1 << 16, KVM_MEM_LOG_DIRTY_PAGES,
				   SMBASE, SMRAM_SIZE, self->smram));
	vm_load(&self->vm, GPA_CODE, code_own_memory);
	smm_load(self->smram, SMBASE, smi_own_memory);
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_DIRTY_LOG, &log));
	EXPECT_EQ(0, bits[0]);
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_LE(0, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0x77, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_DIRTY_LOG, &log));
	/* The save area, and the word at 0x40000. */
	EXPECT_EQ(1 << 0xf | 1 << 0x10, bits[0]);
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_DIRTY_LOG, &log));
	EXPECT_EQ(0, bits[0]);
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_LE(0, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0x77, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_DIRTY_LOG, &log));
	EXPECT_EQ(1 << 0xf | 1 << 0x10, bits[0]);
	log.slot = 2 << 16;
	EXPECT_EQ(-EINVAL, xioctl(self->vm.fd, KVM_GET_DIRTY_LOG, &log));
	log.slot = 1 << 16 | 1;
	EXPECT_EQ(-ENOENT, xioctl(self->vm.fd, KVM_GET_DIRTY_LOG, &log));
}

/* Memory that the VMM takes away is gone from both spaces. */
TEST_F(smm, memory_is_unmapped)
{
	vm_load(&self->vm, GPA_CODE, code_own_memory);
	smm_load(self->smram, SMBASE, smi_own_memory);
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	save(self->smram, 0x10000, 4, 0x55);
	ASSERT_EQ(0, smi(&self->vm));
	ASSERT_EQ(0x55, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0x77, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, madvise(self->smram + 0x10000, 0x1000, MADV_DONTNEED));
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, smi(&self->vm));
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x66, saved(self->smram, 0x10000, 4));
}

JOIST_TEST_MAIN
