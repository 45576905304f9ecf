// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl() as the VMM sees it (--wrap): of the hypervisor's device, a VM, a vCPU, a tap, vhost,
 * VFIO. libjoist itself is the real one. Descriptors are memfds; what is registered is checked
 * as the kernel checks it, and the k-th call fails if the input says so.
 */
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_kvm.h"
#include "fake_vfio.h"
#include "fake_vhost.h"
#include "wrap.h"

#define SLOTS_MAX	64
#define NOTIFIERS_MAX	256
#define MSI_HIGH	0xfee00000U

struct notifier {
	struct kvm_ioeventfd key;
	int fd;		/* ours: the kernel holds what was registered */
};

static struct {
	unsigned int calls, fail_at;
	struct kvm_userspace_memory_region slot[SLOTS_MAX];
	struct notifier notifier[NOTIFIERS_MAX];
	int nr_notifiers;
	int vcpu_fd[FAKE_VCPUS_MAX];
	int nr_vcpus;
	struct fake_regs regs;
} kvm;

/* Kept from one VM to the next, for they cost more than the rest of it. */
static int memfds[FAKE_VCPUS_MAX];
static struct kvm_run *runs[FAKE_VCPUS_MAX];
static int device = -1;

static int fail(int err)
{
	errno = err;
	return -1;
}

int fake_kvm_device(void)
{
	if (device < 0)
		device = memfd_create("kvm", MFD_CLOEXEC);
	return device;
}

void fake_kvm_begin(unsigned int fail_at)
{
	int i;

	memset(&kvm, 0, sizeof(kvm));
	kvm.fail_at = fail_at;
	for (i = 0; i < FAKE_VCPUS_MAX; i++) {
		if (!runs[i]) {
			memfds[i] = memfd_create("vcpu", MFD_CLOEXEC);
			if (ftruncate(memfds[i], RUN_SIZE))
				abort();
			runs[i] = mmap(NULL, RUN_SIZE, PROT_READ | PROT_WRITE,
				       MAP_SHARED, memfds[i], 0);
		}
		memset(runs[i], 0, RUN_SIZE);
	}
}

void fake_kvm_end(void)
{
	while (kvm.nr_notifiers)
		close(kvm.notifier[--kvm.nr_notifiers].fd);
}

/* Has the input had a call fail? */
bool fake_kvm_failed(void)
{
	return kvm.fail_at && kvm.calls >= kvm.fail_at;
}

void fake_kvm_set_regs(const struct fake_regs *regs)
{
	kvm.regs = *regs;
}

/* Guest memory, all of it in one slot; NULL: there is none, or none to write to. */
u8 *fake_kvm_ram(u64 gpa, u64 len, bool write)
{
	const struct kvm_userspace_memory_region *s;

	for (s = kvm.slot; s < kvm.slot + SLOTS_MAX; s++) {
		if (gpa < s->guest_phys_addr || gpa - s->guest_phys_addr >= s->memory_size ||
		    len > s->memory_size - (gpa - s->guest_phys_addr))
			continue;
		if (write && (s->flags & KVM_MEM_READONLY))
			return NULL;
		return (u8 *)(uintptr_t)(s->userspace_addr + gpa - s->guest_phys_addr);
	}
	return NULL;
}

/* A guest's write, if somebody waits for it. Return: whether that was so. */
bool fake_kvm_notify(bool pio, u64 addr, unsigned int len, u64 value)
{
	int i;

	for (i = 0; i < kvm.nr_notifiers; i++) {
		const struct kvm_ioeventfd *key = &kvm.notifier[i].key;

		if (key->addr != addr || !(key->flags & KVM_IOEVENTFD_FLAG_PIO) == pio ||
		    (key->len && key->len != len) ||
		    ((key->flags & KVM_IOEVENTFD_FLAG_DATAMATCH) && key->datamatch != value))
			continue;
		eventfd_write(kvm.notifier[i].fd, 1);
		return true;
	}
	return false;
}

static int set_memory(const struct kvm_userspace_memory_region *new)
{
	u64 end = new->guest_phys_addr + new->memory_size;
	u32 i;

	if (new->slot >= SLOTS_MAX)
		return fail(EINVAL);
	if ((new->guest_phys_addr | new->memory_size | new->userspace_addr) % PAGE_SIZE ||
	    end < new->guest_phys_addr)
		return fail(EINVAL);
	for (i = 0; new->memory_size && i < SLOTS_MAX; i++) {
		const struct kvm_userspace_memory_region *s = &kvm.slot[i];

		if (i != new->slot && s->memory_size && new->guest_phys_addr <
		    s->guest_phys_addr + s->memory_size && s->guest_phys_addr < end)
			return fail(EEXIST);
	}
	kvm.slot[new->slot] = *new;
	return 0;
}

static bool same_place(const struct kvm_ioeventfd *x, const struct kvm_ioeventfd *y)
{
	const u32 kind = KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DATAMATCH;

	return x->addr == y->addr && x->len == y->len &&
	       (x->flags & kind) == (y->flags & kind) && x->datamatch == y->datamatch;
}

static int set_notifier(const struct kvm_ioeventfd *args)
{
	int i, fd;

	for (i = 0; i < kvm.nr_notifiers; i++)
		if (same_place(&kvm.notifier[i].key, args))
			break;
	if (args->flags & KVM_IOEVENTFD_FLAG_DEASSIGN) {
		if (i == kvm.nr_notifiers)
			return fail(ENOENT);
		close(kvm.notifier[i].fd);
		kvm.notifier[i] = kvm.notifier[--kvm.nr_notifiers];
		return 0;
	}
	if (i < kvm.nr_notifiers)
		return fail(EEXIST);
	if (i == NOTIFIERS_MAX)
		return fail(ENOSPC);
	fd = dup(args->fd);
	if (fd < 0)
		return -1;
	kvm.notifier[kvm.nr_notifiers++] = (struct notifier) { .key = *args, .fd = fd };
	return 0;
}

/* An irqfd is looked at and not kept: who reads it is the guest, which has no CPU. */
static int set_irqfd(const struct kvm_irqfd *args)
{
	int fd = dup((int)args->fd);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int set_routing(const struct kvm_irq_routing *table)
{
	u32 i;

	for (i = 0; i < table->nr; i++) {
		const struct kvm_irq_routing_entry *e = &table->entries[i];

		if (e->type != KVM_IRQ_ROUTING_MSI)
			continue;
		if (e->u.msi.address_hi || (e->u.msi.address_lo & 0xfff00000) != MSI_HIGH)
			return fail(EINVAL);
	}
	return 0;
}

static int supported_cpuid(struct kvm_cpuid2 *table)
{
	static const u32 leaves[][2] = {
		{ 0 }, { 1 }, { 4 }, { 4, 1 }, { 4, 2 }, { 4, 3 }, { 7 }, { 0xb }, { 0xb, 1 },
		{ 0x40000000 }, { 0x40000001 }, { 0x80000000 }, { 0x80000001 }, { 0x80000008 },
	};
	u32 i;

	if (table->nent < ARRAY_SIZE(leaves))
		return fail(E2BIG);
	for (i = 0; i < ARRAY_SIZE(leaves); i++)
		table->entries[i] = (struct kvm_cpuid_entry2) {
			.function = leaves[i][0], .index = leaves[i][1], .eax = 0x21 + i,
		};
	table->nent = ARRAY_SIZE(leaves);
	return 0;
}

static int create_vcpu(void)
{
	int fd;

	if (kvm.nr_vcpus == FAKE_VCPUS_MAX)
		return fail(EINVAL);
	fd = dup(memfds[kvm.nr_vcpus]);
	kvm.vcpu_fd[kvm.nr_vcpus++] = fd;
	return fd;
}

static int run(int fd)
{
	int i, err;

	for (i = 0; i < kvm.nr_vcpus; i++)
		if (kvm.vcpu_fd[i] == fd)
			break;
	if (i == kvm.nr_vcpus)
		return fail(EBADF);
	err = guest_run(i, runs[i]);
	return err ? fail(-err) : 0;
}

static int get_sregs(struct kvm_sregs *sregs)
{
	memset(sregs, 0, sizeof(*sregs));
	sregs->cr0 = kvm.regs.cr0;
	sregs->cr3 = kvm.regs.cr3;
	sregs->cr4 = kvm.regs.cr4;
	sregs->efer = kvm.regs.efer;
	sregs->cs.l = 1;
	return 0;
}

static int get_regs(struct kvm_regs *regs)
{
	memset(regs, 0, sizeof(*regs));
	regs->rip = kvm.regs.rip;
	regs->rsp = kvm.regs.rsp;
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request != KVM_RUN && ++kvm.calls == kvm.fail_at)
		return fail(ENOMEM);
	switch (request) {
	case KVM_GET_API_VERSION:
		return KVM_API_VERSION;
	case KVM_GET_VCPU_MMAP_SIZE:
		return RUN_SIZE;
	case KVM_CHECK_EXTENSION:
		return (long)arg == KVM_CAP_MAX_VCPUS ? FAKE_VCPUS_MAX : 1;
	case KVM_CREATE_VM:
		return dup(fake_kvm_device());
	case KVM_GET_SUPPORTED_CPUID:
		return supported_cpuid(arg);
	case KVM_SET_USER_MEMORY_REGION:
		return set_memory(arg);
	case KVM_IOEVENTFD:
		return set_notifier(arg);
	case KVM_IRQFD:
		return set_irqfd(arg);
	case KVM_SET_GSI_ROUTING:
		return set_routing(arg);
	case KVM_CREATE_VCPU:
		return create_vcpu();
	case KVM_RUN:
		return run(fd);
	case KVM_GET_SREGS:
		return get_sregs(arg);
	case KVM_GET_REGS:
		return get_regs(arg);
	case KVM_GET_VCPU_EVENTS:
		memset(arg, 0, sizeof(struct kvm_vcpu_events));
		return 0;
	case KVM_SET_MSRS:
		return (int)((struct kvm_msrs *)arg)->nmsrs;
	case KVM_SET_TSS_ADDR:
	case KVM_SET_IDENTITY_MAP_ADDR:
	case KVM_CREATE_IRQCHIP:
	case KVM_CREATE_PIT2:
	case KVM_IRQ_LINE:
	case KVM_NMI:
	case KVM_SET_CPUID2:
	case KVM_SET_REGS:
	case KVM_SET_SREGS:
	case TUNSETVNETHDRSZ:
	case TUNSETOFFLOAD:
		return 0;
	}
	ret = fake_vhost_ioctl(request, arg);
	if (ret == -ENOTTY)
		ret = fake_vfio_ioctl(request, arg);
	if (ret != -ENOTTY)
		return ret < 0 ? fail(-ret) : ret;
	return __real_ioctl(fd, request, arg);
}
