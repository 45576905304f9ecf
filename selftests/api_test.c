// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls themselves: what they refuse and with what. Where KVM's releases
 * differ in the errno, all that were seen are accepted.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/test.h"

FIXTURE(api)
{
	struct test_vm vm;
};

FIXTURE_SETUP(api)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
}

FIXTURE_TEARDOWN(api)
{
	vm_close(&self->vm);
}

/* --- the device -------------------------------------------------------------- */

TEST(version)
{
	int dev = dev_open();

	ASSERT_LE(0, dev);
	EXPECT_EQ(12, xioctl(dev, KVM_GET_API_VERSION, NULL));
	EXPECT_EQ(-EINVAL, xioctl_val(dev, KVM_GET_API_VERSION, 1));
	close(dev);
}

TEST(run_size)
{
	int dev = dev_open();
	int size;

	ASSERT_LE(0, dev);
	size = xioctl(dev, KVM_GET_VCPU_MMAP_SIZE, NULL);
	EXPECT_LE((int)sizeof(struct kvm_run), size);
	EXPECT_EQ(0, size % 4096);
	EXPECT_EQ(-EINVAL, xioctl_val(dev, KVM_GET_VCPU_MMAP_SIZE, 1));
	close(dev);
}

TEST(create_vm)
{
	int dev = dev_open();

	ASSERT_LE(0, dev);
	EXPECT_EQ(-EINVAL, xioctl_val(dev, KVM_CREATE_VM, 0x7fffffff));
	close(dev);
}

TEST(unknown_ioctl)
{
	struct test_vm vm;
	int ret;

	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	ret = xioctl(vm.dev, _IO(KVMIO, 0xff), NULL);
	EXPECT_TRUE(ret == -ENOTTY || ret == -EINVAL);
	ret = xioctl(vm.fd, _IO(KVMIO, 0xff), NULL);
	EXPECT_TRUE(ret == -ENOTTY || ret == -EINVAL);
	ret = xioctl(vm.vcpu[0], _IO(KVMIO, 0xff), NULL);
	EXPECT_TRUE(ret == -ENOTTY || ret == -EINVAL);
	ret = xioctl(vm.vcpu[0], _IO('x', 0x80), NULL);
	EXPECT_TRUE(ret == -ENOTTY || ret == -EINVAL);
	vm_close(&vm);
}

TEST(extensions)
{
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, 0));
#define CAP(c) xioctl_val(vm.fd, KVM_CHECK_EXTENSION, c)
	EXPECT_EQ(1, CAP(KVM_CAP_USER_MEMORY));
	EXPECT_EQ(1, CAP(KVM_CAP_CHECK_EXTENSION_VM));
	EXPECT_EQ(1, CAP(KVM_CAP_IRQCHIP));
	EXPECT_EQ(1, CAP(KVM_CAP_EXT_CPUID));
	EXPECT_EQ(1, CAP(KVM_CAP_IMMEDIATE_EXIT));
	EXPECT_EQ(1, CAP(KVM_CAP_IRQFD));
	EXPECT_EQ(1, CAP(KVM_CAP_IOEVENTFD));
	if (CAP(KVM_CAP_SET_GUEST_DEBUG) == 0) {
		EXPECT_EQ(0, CAP(KVM_CAP_X86_ROBUST_SINGLESTEP));
	}
	EXPECT_LE(1, CAP(KVM_CAP_NR_VCPUS));
	EXPECT_LE(CAP(KVM_CAP_NR_VCPUS), CAP(KVM_CAP_MAX_VCPUS));
	EXPECT_LE(CAP(KVM_CAP_MAX_VCPUS), CAP(KVM_CAP_MAX_VCPU_ID));
	EXPECT_LE(32, CAP(KVM_CAP_NR_MEMSLOTS));
	EXPECT_EQ(0, CAP(0x7fffffff));
	EXPECT_EQ(0, CAP(-1UL));
	/* The device says the same of what does not depend on the VM. */
	EXPECT_EQ(CAP(KVM_CAP_NR_MEMSLOTS),
		  xioctl_val(vm.dev, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS));
#undef CAP
	vm_close(&vm);
}

TEST(lists_of_msrs)
{
	struct {
		struct kvm_msr_list head;
		uint32_t index[1024];
	} list = { .head.nmsrs = 0 };
	unsigned long cmds[] = {
		KVM_GET_MSR_INDEX_LIST, KVM_GET_MSR_FEATURE_INDEX_LIST
	};
	int dev = dev_open();

	ASSERT_LE(0, dev);
	for (int i = 0; i < 2; i++) {
		uint32_t n;
		int ret;

		list.head.nmsrs = 0;
		ret = xioctl(dev, cmds[i], &list.head);
		n = list.head.nmsrs;
		EXPECT_TRUE(ret == -E2BIG || (ret == 0 && n == 0));
		ASSERT_LE(n, ARRAY_SIZE(list.index));
		list.head.nmsrs = ARRAY_SIZE(list.index);
		EXPECT_EQ(0, xioctl(dev, cmds[i], &list.head));
		EXPECT_EQ(n, list.head.nmsrs);
		EXPECT_EQ(-EFAULT, xioctl(dev, cmds[i], (void *)8));
	}
	close(dev);
}

TEST_F(api, supported_cpuid_sizes)
{
	struct test_cpuid c = { .head.nent = 1 };
	uint32_t n;

	EXPECT_EQ(-E2BIG, xioctl(self->vm.dev, KVM_GET_SUPPORTED_CPUID,
				 &c.head));
	ASSERT_EQ(0, supported_cpuid(&self->vm, &c));
	n = c.head.nent;
	EXPECT_LT(4, n);
	/* Exactly enough. */
	EXPECT_EQ(0, xioctl(self->vm.dev, KVM_GET_SUPPORTED_CPUID, &c.head));
	c.head.nent = n - 1;
	EXPECT_EQ(-E2BIG, xioctl(self->vm.dev, KVM_GET_SUPPORTED_CPUID,
				 &c.head));
	EXPECT_EQ(n - 1, c.head.nent);
	/* As many as vm_add_vcpu() has set. */
	c.head.nent = 1;
	EXPECT_EQ(-E2BIG, xioctl(self->vm.vcpu[0], KVM_GET_CPUID2, &c.head));
	EXPECT_EQ(1, c.head.nent);
	EXPECT_EQ(-EFAULT, xioctl(self->vm.dev, KVM_GET_SUPPORTED_CPUID,
				  (void *)8));
}

/* --- files -------------------------------------------------------------------- */

TEST_F(api, files)
{
	int fds[] = { self->vm.dev, self->vm.fd, self->vm.vcpu[0] };
	char c = 0;

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-1, read(fds[i], &c, 1));
		EXPECT_EQ(-1, write(fds[i], &c, 1));
	}
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED,
				   self->vm.fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED,
				   self->vm.dev, 0));
}

/* More of a vCPU's file than there is: refused, or no memory behind it. */
TEST_F(api, mapping_too_much)
{
	void *map = mmap(NULL, 64 << 20, PROT_READ, MAP_SHARED,
			 self->vm.vcpu[0], 0);
	int to[2];

	if (map == MAP_FAILED)
		return;
	ASSERT_EQ(0, pipe(to));
	EXPECT_EQ(-1, write(to[1], (char *)map + (63 << 20), 1));
	EXPECT_EQ(EFAULT, errno);
	munmap(map, 64 << 20);
}

/* --- making things -------------------------------------------------------------- */

TEST_F(api, vcpu_ids)
{
	int max = xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
			     KVM_CAP_MAX_VCPU_ID);

	EXPECT_EQ(-EEXIST, xioctl_val(self->vm.fd, KVM_CREATE_VCPU, 0));
	EXPECT_EQ(-EINVAL, xioctl_val(self->vm.fd, KVM_CREATE_VCPU, max));
	EXPECT_EQ(-EINVAL, xioctl_val(self->vm.fd, KVM_CREATE_VCPU, -1UL));
}

TEST_F(api, boot_id_is_below_the_limit)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MAX_VCPU_ID, .args = { 8 } };
	int vm = xioctl(self->vm.dev, KVM_CREATE_VM, NULL);

	ASSERT_LE(0, vm);
	EXPECT_EQ(0, xioctl_val(vm, KVM_SET_BOOT_CPU_ID, 9));
	EXPECT_EQ(-EINVAL, xioctl(vm, KVM_ENABLE_CAP, &cap));
	/* As KVM: that it is one too many is found when it is created. */
	EXPECT_EQ(0, xioctl_val(vm, KVM_SET_BOOT_CPU_ID, 8));
	EXPECT_EQ(0, xioctl(vm, KVM_ENABLE_CAP, &cap));
	EXPECT_EQ(-EINVAL, xioctl_val(vm, KVM_CREATE_VCPU, 8));
	close(vm);
}

TEST_F(api, vcpus_until_the_limit)
{
	int max = xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
			     KVM_CAP_MAX_VCPUS);
	int n = 1, fd = 0;

	if (max > 300)
		max = 300;
	for (; n < max; n++) {
		fd = xioctl_val(self->vm.fd, KVM_CREATE_VCPU, n);
		ASSERT_LE(0, fd);
	}
	if (max < 300) {
		EXPECT_EQ(-EINVAL, xioctl_val(self->vm.fd, KVM_CREATE_VCPU, n));
	}
}

TEST_F(api, irqchip_comes_first)
{
	EXPECT_EQ(-EINVAL, xioctl(self->vm.fd, KVM_CREATE_IRQCHIP, NULL));
}

TEST(irqchip_once)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, VM_IRQCHIP));
	EXPECT_EQ(-EEXIST, xioctl(vm.fd, KVM_CREATE_IRQCHIP, NULL));
	EXPECT_EQ(0, xioctl(vm.fd, KVM_CREATE_PIT2, &pit));
	EXPECT_EQ(-EEXIST, xioctl(vm.fd, KVM_CREATE_PIT2, &pit));
	vm_close(&vm);
}

/* Without an irqchip there is nothing to talk to. */
TEST_F(api, no_irqchip)
{
	struct kvm_irq_level level = { .irq = 1, .level = 1 };
	struct kvm_irqchip chip = { .chip_id = 0 };
	struct kvm_lapic_state lapic;
	struct kvm_pit_state2 pit;
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = 0x31 };

	EXPECT_EQ(-ENXIO, xioctl(self->vm.fd, KVM_IRQ_LINE, &level));
	EXPECT_EQ(-ENXIO, xioctl(self->vm.fd, KVM_GET_IRQCHIP, &chip));
	EXPECT_EQ(-ENXIO, xioctl(self->vm.fd, KVM_SET_IRQCHIP, &chip));
	EXPECT_EQ(-ENXIO, xioctl(self->vm.fd, KVM_GET_PIT2, &pit));
	EXPECT_EQ(-EINVAL, xioctl(self->vm.fd, KVM_SIGNAL_MSI, &msi));
	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_GET_LAPIC, &lapic));
	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_SET_LAPIC, &lapic));
}

TEST(with_irqchip)
{
	struct kvm_interrupt irq = { .irq = 0x20 };
	struct kvm_irqchip chip = { .chip_id = 7 };
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	EXPECT_EQ(-ENXIO, xioctl(vm.vcpu[0], KVM_INTERRUPT, &irq));
	EXPECT_EQ(-EINVAL, xioctl(vm.fd, KVM_GET_IRQCHIP, &chip));
	EXPECT_EQ(-EINVAL, xioctl(vm.fd, KVM_SET_IRQCHIP, &chip));
	vm_close(&vm);
}

TEST_F(api, bad_interrupt_vector)
{
	struct kvm_interrupt irq = { .irq = 256 };

	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_INTERRUPT, &irq));
}

TEST_F(api, bad_addresses)
{
	EXPECT_EQ(-EINVAL, xioctl_val(self->vm.fd, KVM_SET_TSS_ADDR,
				      0xfffff000));
}

TEST_F(api, bad_sregs)
{
	struct kvm_sregs good, s;

	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_SREGS, &good));
	s = good;
	s.cr0 |= 0x80000000;		/* PG without PE */
	s.cr0 &= ~1ULL;
	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_SET_SREGS, &s));
	s = good;
	s.cr4 |= 1ULL << 31;
	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_SET_SREGS, &s));
	s = good;
	s.efer = 0x500;			/* LMA without PG */
	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_SET_SREGS, &s));
	s = good;
	s.cr0 |= 1ULL << 40;
	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_SET_SREGS, &s));
	EXPECT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_SREGS, &good));
}

TEST_F(api, bad_mp_state)
{
	struct kvm_mp_state mp = { .mp_state = 77 };

	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_SET_MP_STATE, &mp));
	/* These need an irqchip to leave them again. */
	mp.mp_state = KVM_MP_STATE_INIT_RECEIVED;
	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_SET_MP_STATE, &mp));
}

TEST_F(api, bad_events)
{
	struct kvm_vcpu_events ev;

	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_VCPU_EVENTS, &ev));
	ev.flags = 1 << 31;
	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_SET_VCPU_EVENTS, &ev));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_VCPU_EVENTS, &ev));
	ev.exception.injected = 1;
	ev.exception.nr = 32;
	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_SET_VCPU_EVENTS, &ev));
	ev.exception.nr = 2;		/* an NMI is no exception */
	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_SET_VCPU_EVENTS, &ev));
}

TEST_F(api, bad_debugregs)
{
	struct kvm_debugregs d;

	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_DEBUGREGS, &d));
	EXPECT_EQ(0, d.flags);
	EXPECT_EQ(0x400, d.dr7);
	d.dr7 = 1ULL << 33;
	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_SET_DEBUGREGS, &d));
	d.dr7 = 0x400;
	d.flags = 1;
	EXPECT_EQ(-EINVAL, xioctl(self->vm.vcpu[0], KVM_SET_DEBUGREGS, &d));
}

TEST_F(api, bad_counts)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + 8);
	struct test_msrs m = { .head.nmsrs = 1 << 20 };
	int ret;

	ASSERT_NE(NULL, c);
	c->nent = 1 << 20;
	ret = xioctl(self->vm.vcpu[0], KVM_SET_CPUID2, c);
	EXPECT_EQ(-E2BIG, ret);
	c->nent = 0;
	ret = xioctl(self->vm.vcpu[0], KVM_GET_CPUID2, c);
	EXPECT_EQ(-E2BIG, ret);
	EXPECT_EQ(-E2BIG, xioctl(self->vm.vcpu[0], KVM_GET_MSRS, &m.head));
	EXPECT_EQ(-E2BIG, xioctl(self->vm.vcpu[0], KVM_SET_MSRS, &m.head));
	free(c);
}

TEST_F(api, bad_ioeventfd_and_irqfd)
{
	struct kvm_ioeventfd io = { .addr = 0x100, .len = 3, .fd = 0 };
	struct kvm_irqfd irq = { .fd = 0, .gsi = 1 };
	int ret;

	EXPECT_EQ(-EINVAL, xioctl(self->vm.fd, KVM_IOEVENTFD, &io));
	io.len = 4;
	io.flags = 1 << 20;
	EXPECT_EQ(-EINVAL, xioctl(self->vm.fd, KVM_IOEVENTFD, &io));
	io.flags = 0;
	io.fd = 9999;
	EXPECT_EQ(-EBADF, xioctl(self->vm.fd, KVM_IOEVENTFD, &io));
	io.fd = self->vm.dev;		/* no eventfd */
	EXPECT_EQ(-EINVAL, xioctl(self->vm.fd, KVM_IOEVENTFD, &io));
	io.addr = -2ULL;
	EXPECT_EQ(-EINVAL, xioctl(self->vm.fd, KVM_IOEVENTFD, &io));
	irq.flags = 1 << 20;
	EXPECT_EQ(-EINVAL, xioctl(self->vm.fd, KVM_IRQFD, &irq));
	irq.flags = 0;
	irq.fd = 9999;
	ret = xioctl(self->vm.fd, KVM_IRQFD, &irq);
	EXPECT_TRUE(ret == -EBADF || ret == -EINVAL);
}

TEST(bad_routing)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry e;
	} r = { .head.nr = 1 };
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, VM_IRQCHIP));
	r.head.flags = 1;
	EXPECT_EQ(-EINVAL, xioctl(vm.fd, KVM_SET_GSI_ROUTING, &r));
	r.head.flags = 0;
	r.e.type = 99;
	EXPECT_EQ(-EINVAL, xioctl(vm.fd, KVM_SET_GSI_ROUTING, &r));
	r.e.type = KVM_IRQ_ROUTING_IRQCHIP;
	r.e.u.irqchip.irqchip = 9;
	EXPECT_EQ(-EINVAL, xioctl(vm.fd, KVM_SET_GSI_ROUTING, &r));
	r.e.u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
	r.e.u.irqchip.pin = 4096;
	EXPECT_EQ(-EINVAL, xioctl(vm.fd, KVM_SET_GSI_ROUTING, &r));
	r.e.u.irqchip.pin = 1;
	r.e.gsi = 1 << 20;
	EXPECT_EQ(-EINVAL, xioctl(vm.fd, KVM_SET_GSI_ROUTING, &r));
	r.head.nr = 1 << 20;
	EXPECT_EQ(-EINVAL, xioctl(vm.fd, KVM_SET_GSI_ROUTING, &r));
	/* QEMU has as many GSIs as this says. */
	r.head.nr = xioctl_val(vm.fd, KVM_CHECK_EXTENSION,
			       KVM_CAP_IRQ_ROUTING) + 1;
	EXPECT_EQ(4097, r.head.nr);
	EXPECT_EQ(-EINVAL, xioctl(vm.fd, KVM_SET_GSI_ROUTING, &r));
	r.head.nr = 1;
	r.e.gsi = 40;
	EXPECT_EQ(0, xioctl(vm.fd, KVM_SET_GSI_ROUTING, &r));
	vm_close(&vm);
}

/* --- every ioctl with a bad pointer ------------------------------------------------ */

#define DEV	0
#define VM	1
#define VCPU	2

static const struct {
	const char *name;
	unsigned long cmd;
	int on;
} ioctls[] = {
#define I(on, cmd) { #cmd, cmd, on }
	I(DEV, KVM_GET_SUPPORTED_CPUID), I(DEV, KVM_GET_EMULATED_CPUID),
	I(DEV, KVM_GET_MSR_INDEX_LIST), I(DEV, KVM_GET_MSR_FEATURE_INDEX_LIST),
	I(DEV, KVM_GET_MSRS),
	I(VM, KVM_SET_USER_MEMORY_REGION), I(VM, KVM_GET_DIRTY_LOG),
	I(VM, KVM_CLEAR_DIRTY_LOG), I(VM, KVM_SET_IDENTITY_MAP_ADDR),
	I(VM, KVM_IRQ_LINE), I(VM, KVM_IRQ_LINE_STATUS), I(VM, KVM_GET_IRQCHIP),
	I(VM, KVM_SET_IRQCHIP), I(VM, KVM_CREATE_PIT2), I(VM, KVM_GET_PIT2),
	I(VM, KVM_SET_PIT2), I(VM, KVM_REINJECT_CONTROL), I(VM, KVM_GET_CLOCK),
	I(VM, KVM_SET_CLOCK), I(VM, KVM_SIGNAL_MSI), I(VM, KVM_IRQFD),
	I(VM, KVM_IOEVENTFD), I(VM, KVM_SET_GSI_ROUTING), I(VM, KVM_ENABLE_CAP),
	I(VM, KVM_CREATE_DEVICE), I(VM, KVM_REGISTER_COALESCED_MMIO),
	I(VM, KVM_UNREGISTER_COALESCED_MMIO),
	I(VCPU, KVM_GET_REGS), I(VCPU, KVM_SET_REGS), I(VCPU, KVM_GET_SREGS),
	I(VCPU, KVM_SET_SREGS), I(VCPU, KVM_GET_FPU), I(VCPU, KVM_SET_FPU),
	I(VCPU, KVM_GET_MSRS), I(VCPU, KVM_SET_MSRS), I(VCPU, KVM_SET_CPUID2),
	I(VCPU, KVM_GET_CPUID2), I(VCPU, KVM_GET_LAPIC), I(VCPU, KVM_SET_LAPIC),
	I(VCPU, KVM_INTERRUPT), I(VCPU, KVM_GET_MP_STATE),
	I(VCPU, KVM_SET_MP_STATE), I(VCPU, KVM_GET_VCPU_EVENTS),
	I(VCPU, KVM_SET_VCPU_EVENTS), I(VCPU, KVM_GET_DEBUGREGS),
	I(VCPU, KVM_SET_DEBUGREGS), I(VCPU, KVM_GET_XSAVE),
	I(VCPU, KVM_SET_XSAVE), I(VCPU, KVM_GET_XCRS), I(VCPU, KVM_SET_XCRS),
	I(VCPU, KVM_TRANSLATE), I(VCPU, KVM_SET_GUEST_DEBUG),
	I(VCPU, KVM_ENABLE_CAP),
#undef I
};

static bool sane(int err)
{
	switch (-err) {
	case EFAULT: case EINVAL: case ENXIO: case ENOTTY: case EEXIST:
	case ENOENT: case E2BIG: case ENODEV: case EPERM: case EBUSY:
	case EOPNOTSUPP:
		return true;
	}
	return false;
}

static int fd_of(struct test_vm *vm, int on)
{
	return on == DEV ? vm->dev : on == VM ? vm->fd : vm->vcpu[0];
}

static void bad_pointers(struct __test_metadata *_metadata, struct test_vm *vm)
{
	/* Low, the last byte before nothing, kernel, not canonical. */
	uint8_t *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *bad[] = {
		NULL, (void *)8, page + 4095, (void *)0xffffffff81000000,
		(void *)0x8000000000000000,
	};

	munmap(page + 4096, 4096);
	for (unsigned int i = 0; i < ARRAY_SIZE(ioctls); i++) {
		for (unsigned int p = 0; p < ARRAY_SIZE(bad); p++) {
			int ret = xioctl(fd_of(vm, ioctls[i].on),
					 ioctls[i].cmd, bad[p]);

			ASSERT_TRUE(ret < 0 && sane(ret)) {
				TH_LOG("%s(%p): %d", ioctls[i].name, bad[p],
				       ret);
			}
		}
	}
	munmap(page, 4096);
}

TEST_F(api, bad_pointers)
{
	bad_pointers(_metadata, &self->vm);
}

TEST(bad_pointers_with_irqchip)
{
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	bad_pointers(_metadata, &vm);
	vm_close(&vm);
}

/* --- every ioctl with noise ----------------------------------------------------------- */

/* One byte in four is not zero. By words: an emulated CPU has 64 KiB to fill. */
static void noise(uint64_t *buf, size_t words)
{
	static uint64_t x;

	x = x * 31 + random();
	for (size_t i = 0; i < words; i++) {
		uint64_t ones;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		ones = x >> 3 & x >> 11 & 0x0101010101010101;
		buf[i] = x * 0x9e3779b97f4a7c15 & ones * 0xff;
	}
}

/* Whatever comes in, an answer comes back, and what was made can be closed. */
static void noise_round(struct __test_metadata *_metadata, int seed)
{
	static uint64_t words[8192];
	uint8_t *buf = (uint8_t *)words;
	struct test_vm vm;

	srandom(seed);
	ASSERT_EQ(0, vm_new(&vm, seed & 1 ? VM_IRQCHIP : 0));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	for (int n = 0; n < 300; n++) {
		unsigned int i = random() % ARRAY_SIZE(ioctls);
		int ret;

		/* The guest must not get at this process' own memory. */
		if (ioctls[i].cmd == KVM_SET_USER_MEMORY_REGION)
			continue;
		/* The answer of a query, disturbed, is nearly right. */
		if (random() & 1) {
			noise(words, ARRAY_SIZE(words));
		} else {
			unsigned int g = random() % ARRAY_SIZE(ioctls);

			xioctl(fd_of(&vm, ioctls[g].on), ioctls[g].cmd, buf);
			buf[random() % 400] ^= 1 << random() % 8;
		}
		ret = xioctl(fd_of(&vm, ioctls[i].on), ioctls[i].cmd, buf);
		ASSERT_LE(-200, ret);
		if (n % 30 == 29) {
			alarm_every(20000);
			vcpu_run(&vm, 0);
			alarm_every(0);
		}
	}
	vm_close(&vm);
}

FIXTURE(noise) { };
FIXTURE_SETUP(noise) { }
FIXTURE_TEARDOWN(noise) { }

TEST_F_TIMEOUT(noise, ioctls, 200)
{
	for (int seed = 1; seed <= 20; seed++)
		noise_round(_metadata, seed);
}

JOIST_TEST_MAIN
