/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU that is debugged by KVM_SET_GUEST_DEBUG. */
#ifndef JOIST_SELFTESTS_DEBUG_H
#define JOIST_SELFTESTS_DEBUG_H

#include <string.h>

#include "test.h"

#define DB		1
#define DR6_NONE	0xffff0ff0ULL
#define DR7_NONE	0x400ULL
#define DR7_EXEC(n)	(DR7_NONE | 2ULL << 2 * (n))

#define ENABLE		KVM_GUESTDBG_ENABLE
#define HW_BP		(ENABLE | KVM_GUESTDBG_USE_HW_BP)

#define HANDLER		0x18000UL	/* of #DB, #BP and others */

FIXTURE(debug)
{
	struct test_vm vm;
	struct kvm_run *run;
	int vcpu;
};

FIXTURE_SETUP(debug)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->run = self->vm.run[0];
	self->vcpu = self->vm.vcpu[0];
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	if (!xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
			KVM_CAP_SET_GUEST_DEBUG))
		SKIP(return, "no KVM_CAP_SET_GUEST_DEBUG");
}

FIXTURE_TEARDOWN(debug)
{
	vm_close(&self->vm);
}

static int set_debug(int vcpu, uint32_t control, int n, uint64_t addr,
		     uint64_t dr7)
{
	struct kvm_guest_debug debug = { .control = control };

	debug.arch.debugreg[n] = addr;
	debug.arch.debugreg[7] = dr7;
	return xioctl(vcpu, KVM_SET_GUEST_DEBUG, &debug);
}

static int set_rip(int vcpu, uint64_t rip)
{
	struct kvm_regs regs;
	int err = xioctl(vcpu, KVM_GET_REGS, &regs);

	regs.rip = rip;
	return err ? err : xioctl(vcpu, KVM_SET_REGS, &regs);
}

/* The next exit is a debug exit that says this. */
#define EXPECT_DEBUG(vector, at, dr6_)					\
do {									\
	ASSERT_EQ(KVM_EXIT_DEBUG, vcpu_run(&self->vm, 0));		\
	EXPECT_EQ(vector, self->run->debug.arch.exception);		\
	EXPECT_EQ(at, self->run->debug.arch.pc);			\
	EXPECT_EQ(dr6_, self->run->debug.arch.dr6);			\
} while (0)

#define EXPECT_REPORT(val)	EXPECT_EQ((int64_t)(val), vcpu_report(&self->vm, 0))

#endif
