// SPDX-License-Identifier: GPL-2.0-only
/* Registers go in and come out, and are what the guest sees. */
#include <sys/syscall.h>

#include "lib/test.h"

FIXTURE(regs)
{
	struct test_vm vm;
	int fd;
};

FIXTURE_SETUP(regs)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->fd = self->vm.vcpu[0];
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
}

FIXTURE_TEARDOWN(regs)
{
	vm_close(&self->vm);
}

TEST(reset_state)
{
	struct kvm_debugregs d;
	struct kvm_sregs s;
	struct kvm_regs r;
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	ASSERT_EQ(0, xioctl(vm.vcpu[0], KVM_GET_REGS, &r));
	ASSERT_EQ(0, xioctl(vm.vcpu[0], KVM_GET_SREGS, &s));
	ASSERT_EQ(0, xioctl(vm.vcpu[0], KVM_GET_DEBUGREGS, &d));
	EXPECT_EQ(0xfff0, r.rip);
	EXPECT_EQ(2, r.rflags);
	EXPECT_EQ(0, r.rax);
	EXPECT_NE(0, r.rdx);		/* family, model, stepping */
	EXPECT_EQ(0x60000010, s.cr0);
	EXPECT_EQ(0, s.cr3 | s.cr4 | s.efer);
	EXPECT_EQ(0xffff0000, s.cs.base);
	EXPECT_EQ(0xf000, s.cs.selector);
	EXPECT_EQ(0xffff, s.cs.limit);
	EXPECT_EQ(0, s.ds.base | s.ss.base | s.es.base | s.gdt.base);
	EXPECT_EQ(0xffff, s.idt.limit);
	EXPECT_EQ(0xfee00900, s.apic_base);
	EXPECT_EQ(0xffff0ff0, d.dr6);
	EXPECT_EQ(0x400, d.dr7);
	vm_close(&vm);
}

TEST_F(regs, general_round_trip)
{
	struct kvm_regs set, got;
	uint64_t *p = (uint64_t *)&set;

	for (unsigned int i = 0; i < sizeof(set) / 8; i++)
		p[i] = 0x0101010101010101 * (i + 1);
	set.rflags = 0x246;
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_REGS, &set));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_REGS, &got));
	EXPECT_EQ(0, memcmp(&set, &got, sizeof(set)));
}

/* Adds 1 to every register but RSP. */
GUEST64(code_add_one,
	"inc %rax\n inc %rbx\n inc %rcx\n inc %rdx\n inc %rsi\n inc %rdi\n"
	"inc %rbp\n inc %r8\n inc %r9\n inc %r10\n inc %r11\n inc %r12\n"
	"inc %r13\n inc %r14\n inc %r15\n hlt\n");

TEST_F(regs, general_in_the_guest)
{
	struct kvm_regs set = {
		.rax = 0x100, .rbx = 0x200, .rcx = 0x300, .rdx = 0x400,
		.rsi = 0x500, .rdi = 0x600, .rbp = 0x700, .r8 = 0x800,
		.r9 = 0x900, .r10 = 0xa00, .r11 = 0xb00, .r12 = 0xc00,
		.r13 = 0xd00, .r14 = 0xe00, .r15 = 0xffffffffffffffff,
		.rsp = GPA_STACK, .rip = GPA_CODE, .rflags = 2,
	};
	struct kvm_regs got;

	vm_load(&self->vm, GPA_CODE, code_add_one);
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_REGS, &set));
	ASSERT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_REGS, &got));
	EXPECT_EQ(0x101, got.rax);
	EXPECT_EQ(0x201, got.rbx);
	EXPECT_EQ(0x301, got.rcx);
	EXPECT_EQ(0x401, got.rdx);
	EXPECT_EQ(0x501, got.rsi);
	EXPECT_EQ(0x601, got.rdi);
	EXPECT_EQ(0x701, got.rbp);
	EXPECT_EQ(0x801, got.r8);
	EXPECT_EQ(0x901, got.r9);
	EXPECT_EQ(0xa01, got.r10);
	EXPECT_EQ(0xb01, got.r11);
	EXPECT_EQ(0xc01, got.r12);
	EXPECT_EQ(0xd01, got.r13);
	EXPECT_EQ(0xe01, got.r14);
	EXPECT_EQ(0, got.r15);
	EXPECT_EQ(GPA_STACK, got.rsp);
	EXPECT_EQ(0x44, got.rflags & 0x44);	/* zero, parity */
}

TEST_F(regs, special_round_trip)
{
	struct kvm_sregs set, got;

	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_SREGS, &set));
	set.fs.base = 0x123456789000;
	set.gs.base = 0xffff888000000000;
	set.cr2 = 0xdeadbeef000;
	set.cr8 = 5;
	set.gdt.limit = 0x7f;
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_SREGS, &set));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_SREGS, &got));
	EXPECT_EQ(set.fs.base, got.fs.base);
	EXPECT_EQ(set.gs.base, got.gs.base);
	EXPECT_EQ(set.cr0, got.cr0);
	EXPECT_EQ(set.cr2, got.cr2);
	EXPECT_EQ(set.cr3, got.cr3);
	EXPECT_EQ(set.cr4, got.cr4);
	EXPECT_EQ(set.cr8, got.cr8);
	EXPECT_EQ(set.efer, got.efer);
	EXPECT_EQ(0x7f, got.gdt.limit);
	EXPECT_EQ(set.cs.selector, got.cs.selector);
	EXPECT_EQ(set.cs.l, got.cs.l);
	EXPECT_EQ(set.ss.limit, got.ss.limit);
	EXPECT_EQ(set.tr.base, got.tr.base);
	EXPECT_EQ(set.ldt.unusable, got.ldt.unusable);
}

/* KVM_GET_SREGS2 says nothing of PDPTEs in long mode, and takes none. */
TEST_F(regs, special2_long_mode)
{
	struct kvm_sregs2 s;

	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_SREGS2, &s));
	EXPECT_EQ(0, s.flags);
	s.cr2 = 0xc2c2;
	EXPECT_EQ(0, xioctl(self->fd, KVM_SET_SREGS2, &s));
	s.cr2 = 0;
	EXPECT_EQ(0, xioctl(self->fd, KVM_GET_SREGS2, &s));
	EXPECT_EQ(0xc2c2, s.cr2);
	s.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
	EXPECT_EQ(-EINVAL, xioctl(self->fd, KVM_SET_SREGS2, &s));
	s.flags = 2;
	EXPECT_EQ(-EINVAL, xioctl(self->fd, KVM_SET_SREGS2, &s));
}

#define GPA_PDPT	0x30000
#define GPA_PD		0x31000

GUEST32(code_pae, "mov 0x400000, %eax\n" REPORT DONE);

TEST_F(regs, special2_pae)
{
	uint64_t *pdpt = (void *)(self->vm.mem + GPA_PDPT);
	uint64_t *pd = (void *)(self->vm.mem + GPA_PD);
	struct kvm_sregs2 s;

	/* The second 4 MiB show the first's data. */
	for (int i = 0; i < 3; i++)
		pd[i] = (i % 2) << 21 | 0x83;
	pdpt[0] = GPA_PD | 1;
	*(uint32_t *)self->vm.mem = 0x9ae;
	ASSERT_EQ(0, vcpu_prot32(&self->vm, 0, GPA_CODE));
	vm_load(&self->vm, GPA_CODE, code_pae);
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_SREGS2, &s));
	EXPECT_EQ(0, s.flags);
	s.cr3 = GPA_PDPT;
	s.cr4 |= 1 << 5;
	s.cr0 |= 1UL << 31;
	s.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
	s.pdptrs[0] = pdpt[0] | 1 << 5;	/* reserved */
	EXPECT_EQ(-EINVAL, xioctl(self->fd, KVM_SET_SREGS2, &s));
	s.pdptrs[0] = pdpt[0];
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_SREGS2, &s));
	EXPECT_EQ(0x9ae, vcpu_report(&self->vm, 0));
	memset(&s, 0xff, sizeof(s));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_SREGS2, &s));
	EXPECT_EQ(KVM_SREGS2_FLAGS_PDPTRS_VALID, s.flags);
	EXPECT_EQ(GPA_PD | 1, s.pdptrs[0]);
	EXPECT_EQ(0, s.pdptrs[3]);
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* Reads what it was given back: FS and GS bases, CR2, DRs. */
GUEST64(code_special,
	"mov %fs:0, %eax\n" REPORT
	"mov %gs:4, %eax\n" REPORT
	"mov %cr2, %rax\n" REPORT
	"mov %dr3, %rax\n" REPORT
	"str %eax\n" REPORT
	"mov %cr8, %rax\n" REPORT
	"swapgs\n"
	"rdtsc\n"
	DONE);

TEST_F(regs, special_in_the_guest)
{
	struct kvm_debugregs d = { .db = { 1, 2, 3, 0x4444 }, .dr7 = 0x400,
				   .dr6 = 0xffff0ff0 };
	uint32_t *mem = (uint32_t *)(self->vm.mem + GPA_DATA);
	struct kvm_sregs s;

	mem[0] = 0xf5f5;
	mem[0x400 + 1] = 0x9595;
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_SREGS, &s));
	s.fs.base = GPA_DATA;
	s.gs.base = GPA_DATA + 0x1000;
	s.cr2 = 0xc2c2;
	s.cr8 = 9;
	self->vm.run[0]->cr8 = 9;
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_SREGS, &s));
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_DEBUGREGS, &d));
	vm_load(&self->vm, GPA_CODE, code_special);
	EXPECT_EQ(0xf5f5, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x9595, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0xc2c2, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x4444, vcpu_report(&self->vm, 0));
	EXPECT_EQ(SEL_TSS, vcpu_report(&self->vm, 0));
	EXPECT_EQ(9, vcpu_report(&self->vm, 0));
	EXPECT_EQ(9, self->vm.run[0]->cr8);
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

TEST_F(regs, debug_registers)
{
	struct kvm_debugregs set = {
		.db = { 0x1000, 0x2000, 0x3000, 0x4000 },
		.dr6 = 0xffff0ff1, .dr7 = 0x455,
	}, got;

	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_DEBUGREGS, &set));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_DEBUGREGS, &got));
	EXPECT_EQ(0, memcmp(&set, &got, sizeof(set)));
}

#define GPA_HANDLER	0x18000

GUEST64(handler_db,
	"mov %dr6, %rax\n" REPORT "pop %rax\n sub $0x10000, %eax\n" REPORT DONE);
GUEST64(code_watch, "nop\n nop\n movl $1, 0x20000\n nop\n hlt\n");

/* The guest's own hardware breakpoints work, set by whoever. */
TEST_F(regs, guest_breakpoint)
{
	struct kvm_debugregs d = { .dr6 = 0xffff0ff0 };

	if (cpu_is_tcg())
		SKIP(return, "QEMU's CPU has no breakpoints in guests");
	vm_set_gate(&self->vm, 1, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_db);
	vm_load(&self->vm, GPA_CODE, code_watch);
	d.db[0] = GPA_CODE + 1;
	d.dr7 = 0x402;			/* execution, global */
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_DEBUGREGS, &d));
	EXPECT_EQ(1, vcpu_report(&self->vm, 0) & 0xf);
	EXPECT_EQ(1, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));

	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	d.db[0] = GPA_DATA;
	d.dr7 = 0xd0402;		/* four bytes written */
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_DEBUGREGS, &d));
	EXPECT_EQ(1, vcpu_report(&self->vm, 0) & 0xf);
	EXPECT_LT(2, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* --- floating point ------------------------------------------------------------- */

TEST_F(regs, fpu_round_trip)
{
	struct kvm_fpu set = { .fcw = 0x37f }, got;

	for (int i = 0; i < 8; i++)
		for (int b = 0; b < 10; b++)
			set.fpr[i][b] = i * 16 + b;
	for (int i = 0; i < 16; i++)
		for (int b = 0; b < 16; b++)
			set.xmm[i][b] = i * 16 + b;
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_FPU, &set));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_FPU, &got));
	EXPECT_EQ(0, memcmp(set.xmm, got.xmm, sizeof(set.xmm)));
	EXPECT_EQ(set.fcw, got.fcw);
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(0, memcmp(set.fpr[i], got.fpr[i], 10));
}

/* Adds XMM1 to XMM0, again and again, with exits of all weights between. */
GUEST64(code_sse,
	"movdqu 0x20000, %xmm0\n"
	"movdqu 0x20010, %xmm1\n"
	"1: paddd %xmm1, %xmm0\n"
	"xor %eax, %eax\n"
	"cpuid\n"
	"movd %xmm0, %eax\n" REPORT
	"jmp 1b\n");

TEST_F(regs, fpu_survives_exits_and_the_host)
{
	uint32_t *mem = (uint32_t *)(self->vm.mem + GPA_DATA);
	volatile float host = 1.5;
	struct kvm_fpu fpu;

	mem[0] = 1000;
	mem[4] = 7;
	vm_load(&self->vm, GPA_CODE, code_sse);
	for (uint32_t i = 1; i < 200; i++) {
		uint32_t mine = 0;

		/* The host's registers are the host's, and the other way. */
		asm volatile("movd %0, %%xmm0\n movd %0, %%xmm1\n"
			     :: "r"(0x5555) : "xmm0", "xmm1");
		ASSERT_EQ(1000 + 7 * i, vcpu_report(&self->vm, 0));
		asm volatile("movd %%xmm1, %0\n" : "=r"(mine));
		(void)mine;
		host = host * 1.0f;
	}
	EXPECT_EQ(1.5f, host);
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_FPU, &fpu));
	EXPECT_EQ(1000 + 7 * 199, *(uint32_t *)fpu.xmm[0]);
}

TEST_F(regs, xsave_round_trip)
{
	struct kvm_xsave *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	uint8_t *area;

	ASSERT_NE(NULL, a);
	ASSERT_NE(NULL, b);
	if (xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE) <= 0)
		SKIP(return, "no KVM_CAP_XSAVE");
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_XSAVE, a));
	area = (uint8_t *)a->region;
	*(uint64_t *)(area + 512) |= 3;		/* x87 and SSE are there */
	memset(area + 160, 0xa5, 256);		/* XMM0..15 */
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_XSAVE, a));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_XSAVE, b));
	EXPECT_EQ(0, memcmp(area + 160, (uint8_t *)b->region + 160, 256));

	/* Components that nobody has, and bits of MXCSR that nobody has. */
	*(uint64_t *)(area + 512) |= 1ULL << 62;
	EXPECT_EQ(-EINVAL, xioctl(self->fd, KVM_SET_XSAVE, a));
	*(uint64_t *)(area + 512) &= ~(1ULL << 62);
	*(uint32_t *)(area + 24) = 0xffffffff;
	EXPECT_EQ(-EINVAL, xioctl(self->fd, KVM_SET_XSAVE, a));
	free(a);
	free(b);
}

#define AREA		4096		/* without dynamic components */
#define ARCH_REQ_XCOMP_GUEST_PERM	0x1025
#define XTILE_DATA	18

/* KVM_GET_XSAVE2 gives what KVM_CAP_XSAVE2 says, not a byte more, and the same. */
TEST_F(regs, xsave2)
{
	uint8_t *a = calloc(1, 2 * AREA), *b = calloc(1, 2 * AREA);
	int size = xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2);

	ASSERT_NE(NULL, a);
	ASSERT_NE(NULL, b);
	if (xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE) <= 0) {
		EXPECT_EQ(0, size);
		SKIP(return, "no KVM_CAP_XSAVE");
	}
	ASSERT_EQ(AREA, size);
	EXPECT_EQ(-EFAULT, xioctl(self->fd, KVM_GET_XSAVE2, NULL));
	memset(a, 0x5a, 2 * AREA);
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_XSAVE2, a));
	for (int i = size; i < 2 * AREA; i++)
		ASSERT_EQ(0x5a, a[i]);
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_XSAVE, b));
	EXPECT_EQ(0, memcmp(a, b, size));

	*(uint64_t *)(a + 512) |= 3;
	memset(a + 160, 0x3c, 256);
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_XSAVE, a));
	memset(b, 0, size);
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_XSAVE2, b));
	EXPECT_EQ(0, memcmp(a + 160, b + 160, 256));
	free(a);
	free(b);
}

/* What a process may ask for and joist does not give changes nothing. */
TEST_F(regs, xcomp_permission)
{
	uint64_t supported = ~0ULL;
	struct kvm_device_attr attr = {
		.attr = KVM_X86_XCOMP_GUEST_SUPP,
		.addr = (uintptr_t)&supported,
	};
	struct kvm_cpuid_entry2 *e;
	struct test_cpuid c;

	if (xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE) <= 0)
		SKIP(return, "no KVM_CAP_XSAVE");
	ASSERT_EQ(0, xioctl(self->vm.dev, KVM_HAS_DEVICE_ATTR, &attr));
	ASSERT_EQ(0, xioctl(self->vm.dev, KVM_GET_DEVICE_ATTR, &attr));
	EXPECT_EQ(3, supported & 3);
	EXPECT_EQ(0, supported & (3ULL << (XTILE_DATA - 1)));
	attr.attr++;
	EXPECT_EQ(-ENXIO, xioctl(self->vm.dev, KVM_GET_DEVICE_ATTR, &attr));
	/* Granted or not, by the CPU. */
	syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_GUEST_PERM, XTILE_DATA);
	EXPECT_EQ(AREA, xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
				   KVM_CAP_XSAVE2));
	ASSERT_EQ(0, supported_cpuid(&self->vm, &c));
	e = cpuid_entry(&c, 0xd, 0);
	ASSERT_NE(NULL, e);
	EXPECT_EQ((uint32_t)supported, e->eax);
}

TEST_F(regs, xcrs)
{
	struct kvm_xcrs x;

	if (xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_XCRS) <= 0)
		SKIP(return, "no KVM_CAP_XCRS");
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_XCRS, &x));
	ASSERT_EQ(1, x.nr_xcrs);
	EXPECT_EQ(0, x.xcrs[0].xcr);
	EXPECT_EQ(1, x.xcrs[0].value);
	x.xcrs[0].value = 3;
	EXPECT_EQ(0, xioctl(self->fd, KVM_SET_XCRS, &x));
	x.xcrs[0].value = 2;			/* without x87 */
	EXPECT_EQ(-EINVAL, xioctl(self->fd, KVM_SET_XCRS, &x));
	x.xcrs[0].value = 1ULL << 62 | 1;
	EXPECT_EQ(-EINVAL, xioctl(self->fd, KVM_SET_XCRS, &x));
	x.xcrs[0].value = 1;
	x.flags = 1;
	EXPECT_EQ(-EINVAL, xioctl(self->fd, KVM_SET_XCRS, &x));
}

/* --- events ----------------------------------------------------------------------- */

TEST_F(regs, events_round_trip)
{
	struct kvm_vcpu_events set, got;

	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_VCPU_EVENTS, &set));
	set.flags = KVM_VCPUEVENT_VALID_NMI_PENDING |
		    KVM_VCPUEVENT_VALID_SHADOW;
	set.exception.injected = 1;
	set.exception.nr = 13;
	set.exception.has_error_code = 1;
	set.exception.error_code = 0x18;
	set.nmi.pending = 1;
	set.nmi.masked = 1;
	set.interrupt.shadow = KVM_X86_SHADOW_INT_STI;
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_VCPU_EVENTS, &set));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_VCPU_EVENTS, &got));
	EXPECT_EQ(1, got.exception.injected);
	EXPECT_EQ(13, got.exception.nr);
	EXPECT_EQ(0x18, got.exception.error_code);
	EXPECT_EQ(1, got.nmi.pending);
	EXPECT_EQ(1, got.nmi.masked);
	EXPECT_NE(0, got.interrupt.shadow);
}

GUEST64(handler_error, "pop %rax\n" REPORT "pop %rax\n sub $0x10000, %eax\n"
	REPORT DONE);
GUEST64(code_hlt, "hlt\n");

/* An exception that the VMM injects reaches the guest's handler. */
TEST_F(regs, exception_is_injected)
{
	struct kvm_vcpu_events ev;

	vm_set_gate(&self->vm, 13, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_error);
	vm_load(&self->vm, GPA_CODE, code_hlt);
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_VCPU_EVENTS, &ev));
	ev.flags = 0;
	ev.exception.injected = 1;
	ev.exception.nr = 13;
	ev.exception.has_error_code = 1;
	ev.exception.error_code = 0x18;
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_VCPU_EVENTS, &ev));
	EXPECT_EQ(0x18, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* --- CPUID ------------------------------------------------------------------------- */

GUEST64(code_cpuid,
	"mov $0x12, %eax\n"
	"mov $5, %ecx\n"
	"cpuid\n" REPORT
	"mov %ebx, %eax\n" REPORT
	DONE);

TEST(cpuid_as_set)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 e[3];
	} c = {
		.head.nent = 3,
		.e[0] = { .function = 0, .eax = 0x12, .ebx = 1 },
		.e[1] = { .function = 0x12, .index = 5, .eax = 0x55, .ebx = 0x66,
			  .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
		.e[2] = { .function = 0x80000001, .edx = 1 << 29 },
	}, got;
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	ASSERT_EQ(0, xioctl(vm.vcpu[0], KVM_SET_CPUID2, &c));
	memset(&got, 0, sizeof(got));
	got.head.nent = 3;
	ASSERT_EQ(0, xioctl(vm.vcpu[0], KVM_GET_CPUID2, &got));
	EXPECT_EQ(3, got.head.nent);
	EXPECT_EQ(0x55, got.e[1].eax);
	ASSERT_EQ(0, vcpu_long64(&vm, 0, GPA_CODE));
	vm_load(&vm, GPA_CODE, code_cpuid);
	EXPECT_EQ(0x55, vcpu_report(&vm, 0));
	EXPECT_EQ(0x66, vcpu_report(&vm, 0));
	EXPECT_EQ(0, vcpu_done(&vm, 0));
	vm_close(&vm);
}

/* --- address translation ----------------------------------------------------------- */

TEST_F(regs, translate)
{
	struct kvm_translation t = { .linear_address = 0x12345 };

	ASSERT_EQ(0, xioctl(self->fd, KVM_TRANSLATE, &t));
	EXPECT_EQ(1, t.valid);
	EXPECT_EQ(0x12345, t.physical_address);
	*vm_pte_2m(&self->vm, 0x200000) = 0x87;
	t.linear_address = 0x212345;
	ASSERT_EQ(0, xioctl(self->fd, KVM_TRANSLATE, &t));
	EXPECT_EQ(0x12345, t.physical_address);
	t.linear_address = 0x100000000;
	ASSERT_EQ(0, xioctl(self->fd, KVM_TRANSLATE, &t));
	EXPECT_EQ(0, t.valid);
}

JOIST_TEST_MAIN
