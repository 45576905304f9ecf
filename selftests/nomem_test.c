// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of each request fails once: the request fails, or does without, and
 * nothing else comes of it: asked again, it works. Needs a kernel with fault injection
 * (make check-debug); what is left behind is told by its kmemleak.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "lib/admin.h"
#include "lib/test.h"

#define MORE_GPA	0x800000UL
#define MORE_SIZE	0x200000UL
#define MORE_SLOT	1
#define SMM_SPACE	(1 << 16)
#define LOGGED		KVM_MEM_LOG_DIRTY_PAGES
#define ASYNC_PF	0x4b564d02
#define MOST		300		/* allocations in one request */

/* --- failing allocations ------------------------------------------------------------------ */

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* The @n-th allocation from now on; 0: none. What was left of the last one. */
static int fail_nth(int n)
{
	static int fd = -1;
	char text[16] = "";

	if (fd < 0)
		fd = open("/proc/thread-self/fail-nth", O_RDWR);
	if (fd < 0 || pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return -errno;
	dprintf(fd, "%d", n);
	lseek(fd, 0, SEEK_SET);
	return atoi(text);
}

/* Of all sizes, those that may wait, too. */
static bool can_fail(void)
{
	return write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N") &&
	       write_file("/sys/kernel/debug/failslab/verbose", "0") &&
	       write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N") &&
	       write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0") &&
	       write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0") &&
	       fail_nth(0) == 0;
}

/* --- requests: 0 or more, or -errno ------------------------------------------------------- */

static _Alignas(0x200000) uint8_t more[MORE_SIZE];

static int closed(int fd)
{
	return fd < 0 ? fd : close(fd);
}

static int enable_cap(int fd, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap enable = { .cap = cap, .args = { arg } };

	return xioctl(fd, KVM_ENABLE_CAP, &enable);
}

static int create_vm(struct test_vm *vm)
{
	return closed(xioctl(vm->dev, KVM_CREATE_VM, NULL));
}

static int create_vcpu(struct test_vm *vm)
{
	return closed(xioctl_val(vm->fd, KVM_CREATE_VCPU, 7));
}

static int create_irqchip(struct test_vm *vm)
{
	return xioctl(vm->fd, KVM_CREATE_IRQCHIP, NULL);
}

static int create_pit(struct test_vm *vm)
{
	struct kvm_pit_config pit = { 0 };

	return xioctl(vm->fd, KVM_CREATE_PIT2, &pit);
}

static int split_irqchip(struct test_vm *vm)
{
	return enable_cap(vm->fd, KVM_CAP_SPLIT_IRQCHIP, 24);
}

static int dirty_ring(struct test_vm *vm)
{
	return enable_cap(vm->fd, KVM_CAP_DIRTY_LOG_RING, 65536);
}

static int add_memory(struct test_vm *vm)
{
	return vm_set_memory(vm, MORE_SLOT, 0, MORE_GPA, MORE_SIZE, more);
}

static int add_smm_memory(struct test_vm *vm)
{
	return vm_set_memory(vm, SMM_SPACE | MORE_SLOT, 0, MORE_GPA, MORE_SIZE, more);
}

static int log_memory(struct test_vm *vm)
{
	return vm_set_memory(vm, MORE_SLOT, LOGGED, MORE_GPA, MORE_SIZE, more);
}

static int move_memory(struct test_vm *vm)
{
	return vm_set_memory(vm, MORE_SLOT, 0, 2 * MORE_GPA, MORE_SIZE, more);
}

static int delete_memory(struct test_vm *vm)
{
	return vm_set_memory(vm, MORE_SLOT, 0, MORE_GPA, 0, more);
}

static int get_dirty_log(struct test_vm *vm)
{
	static uint64_t bits[MORE_SIZE >> 12 >> 6];
	struct kvm_dirty_log log = { .slot = MORE_SLOT, .dirty_bitmap = bits };

	return xioctl(vm->fd, KVM_GET_DIRTY_LOG, &log);
}

static int event = -1, resample = -1;

static int irqfd(struct test_vm *vm, uint32_t flags)
{
	struct kvm_irqfd args = { .fd = event, .gsi = 5, .flags = flags,
				  .resamplefd = resample };

	return xioctl(vm->fd, KVM_IRQFD, &args);
}

static int assign_irqfd(struct test_vm *vm)
{
	return irqfd(vm, 0);
}

static int assign_resample(struct test_vm *vm)
{
	return irqfd(vm, KVM_IRQFD_FLAG_RESAMPLE);
}

static int deassign_irqfd(struct test_vm *vm)
{
	return irqfd(vm, KVM_IRQFD_FLAG_DEASSIGN);
}

static int ioeventfd(struct test_vm *vm, uint32_t flags)
{
	struct kvm_ioeventfd args = { .fd = event, .addr = 0x500, .len = 2,
				      .flags = flags };

	return xioctl(vm->fd, KVM_IOEVENTFD, &args);
}

static int assign_ioeventfd(struct test_vm *vm)
{
	return ioeventfd(vm, 0);
}

static int assign_pio_eventfd(struct test_vm *vm)
{
	return ioeventfd(vm, KVM_IOEVENTFD_FLAG_PIO);
}

static int deassign_ioeventfd(struct test_vm *vm)
{
	return ioeventfd(vm, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

static int route_msi(struct test_vm *vm)
{
	return vm_route_msi(vm, 30, 0x42);
}

static int coalesced(struct test_vm *vm, unsigned long cmd)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = GPA_HOLE, .size = 16 };

	return xioctl(vm->fd, cmd, &zone);
}

static int coalesce(struct test_vm *vm)
{
	return coalesced(vm, KVM_REGISTER_COALESCED_MMIO);
}

static int uncoalesce(struct test_vm *vm)
{
	return coalesced(vm, KVM_UNREGISTER_COALESCED_MMIO);
}

static int filter_msrs(struct test_vm *vm)
{
	static uint8_t bits[64];
	struct kvm_msr_filter filter = {
		.ranges = { { .flags = KVM_MSR_FILTER_READ, .base = 0x174,
			      .nmsrs = 64, .bitmap = bits },
			    { .flags = KVM_MSR_FILTER_WRITE, .base = 0x200,
			      .nmsrs = 512, .bitmap = bits } },
	};

	return xioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter);
}

static int read_stats(struct test_vm *vm)
{
	int fd = xioctl(vm->vcpu[0], KVM_GET_STATS_FD, NULL);
	char header[64];
	int ret = 0;

	if (fd < 0)
		return fd;
	if (read(fd, header, sizeof(header)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int set_cpuid(struct test_vm *vm)
{
	return vcpu_cpuid(vm, 0);
}

static int enable_synic(struct test_vm *vm)
{
	return enable_cap(vm->vcpu[0], KVM_CAP_HYPERV_SYNIC, 0);
}

static int enable_apf(struct test_vm *vm)
{
	return vcpu_set_msr(vm, 0, ASYNC_PF, GPA_DATA | 9) == 1 ? 0 : -ENOMEM;
}

static int save_and_restore(struct test_vm *vm)
{
	static struct {
		unsigned long get, set;
	} cmds[] = {
		{ KVM_GET_SREGS, KVM_SET_SREGS }, { KVM_GET_FPU, KVM_SET_FPU },
		{ KVM_GET_XSAVE, KVM_SET_XSAVE }, { KVM_GET_XCRS, KVM_SET_XCRS },
		{ KVM_GET_LAPIC, KVM_SET_LAPIC },
		{ KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS },
	};
	static _Alignas(64) uint8_t buf[4096];
	int ret = 0;

	for (unsigned int i = 0; i < sizeof(cmds) / sizeof(*cmds) && !ret; i++) {
		ret = xioctl(vm->vcpu[0], cmds[i].get, buf);
		if (!ret)
			ret = xioctl(vm->vcpu[0], cmds[i].set, buf);
	}
	return ret;
}

/* Over netlink. What the socket has no memory for, ENOBUFS, is no memory, too. */
static struct genl family;
static uint32_t vm_id;

static int answered(int ret)
{
	return ret == -ENOBUFS ? -ENOMEM : ret;
}

static int find_vm(struct test_vm *vm)
{
	vm_id = admin_newest(&family);
	return vm_id ? 0 : -ENOENT;
}

static int name_vm(struct test_vm *vm)
{
	return answered(admin_set_name(&family, vm_id, "short-of-memory"));
}

static int look_at_vm(struct test_vm *vm)
{
	struct admin_vm seen;

	return answered(admin_get(&family, vm_id, &seen));
}

static int list_vcpus(struct test_vm *vm)
{
	struct genl_msg m;

	genl_begin(&m, &family, JOIST_CMD_VCPU_GET, NLM_F_DUMP);
	return answered(genl_ask(&family, &m, NULL, NULL));
}

static int pause_vm(struct test_vm *vm)
{
	int ret = answered(admin_do(&family, JOIST_CMD_VM_PAUSE, vm_id));

	return ret ?: answered(admin_do(&family, JOIST_CMD_VM_RESUME, vm_id));
}

static int grant_ports(struct test_vm *vm)
{
	return answered(admin_ports(&family, JOIST_CMD_PORT_GRANT, vm_id, 0x80, 1));
}

/* Writes to 30 pages, and to a device. */
GUEST64(code_touch,
	"mov $0x100000, %ebx\n mov $30, %ecx\n"
	"1: mov %ecx, (%rbx)\n add $0x11000, %ebx\n loop 1b\n"
	"mov $0xc0000000, %ebx\n mov %ecx, (%rbx)\n"
	DONE);

static int run_guest(struct test_vm *vm)
{
	int ret;

	do {
		ret = vcpu_run(vm, 0);
	} while (ret == KVM_EXIT_MMIO);
	return ret == KVM_EXIT_IO ? 0 : ret < 0 ? ret : -EIO;
}

static int prepare_guest(struct test_vm *vm)
{
	vm_load(vm, GPA_CODE, code_touch);
	return vcpu_long64(vm, 0, GPA_CODE);
}

/* Page by page. */
static int prepare_logged(struct test_vm *vm)
{
	int ret = vm_set_memory(vm, 0, LOGGED, 0, MEM_SIZE, vm->mem);

	return ret ?: prepare_guest(vm);
}

/* --- all of them -------------------------------------------------------------------------- */

enum {
	IRQCHIP = VM_IRQCHIP,
	FIRST = 2,			/* no vCPU before */
};

static const struct request {
	const char *name;
	int (*before)(struct test_vm *vm);
	int (*ask)(struct test_vm *vm);
	int flags;
} requests[] = {
	{ "create_vm", NULL, create_vm },
	{ "create_vcpu", NULL, create_vcpu },
	{ "create_vcpu with LAPIC", NULL, create_vcpu, IRQCHIP },
	{ "create_vcpu with dirty ring", dirty_ring, create_vcpu, FIRST },
	{ "create_irqchip", NULL, create_irqchip, FIRST },
	{ "create_pit", NULL, create_pit, IRQCHIP },
	{ "split_irqchip", NULL, split_irqchip, FIRST },
	{ "add_memory", NULL, add_memory },
	{ "add_memory, SMM", NULL, add_smm_memory },
	{ "add_memory, logged", NULL, log_memory },
	{ "log_memory", add_memory, log_memory },
	{ "do not log memory", log_memory, add_memory },
	{ "move_memory", add_memory, move_memory },
	{ "move_memory, logged", log_memory, move_memory },
	{ "delete_memory", log_memory, delete_memory },
	{ "get_dirty_log", log_memory, get_dirty_log },
	{ "irqfd", NULL, assign_irqfd, IRQCHIP },
	{ "irqfd with resample", NULL, assign_resample, IRQCHIP },
	{ "irqfd off", assign_resample, deassign_irqfd, IRQCHIP },
	{ "ioeventfd", NULL, assign_ioeventfd },
	{ "ioeventfd, port", NULL, assign_pio_eventfd },
	{ "ioeventfd off", assign_ioeventfd, deassign_ioeventfd },
	{ "routing", NULL, route_msi, IRQCHIP },
	{ "coalesced MMIO", NULL, coalesce },
	{ "coalesced MMIO off", coalesce, uncoalesce },
	{ "filter_msrs", NULL, filter_msrs },
	{ "filter_msrs again", filter_msrs, filter_msrs },
	{ "stats", NULL, read_stats },
	{ "set_cpuid", NULL, set_cpuid },
	{ "synic", NULL, enable_synic, IRQCHIP },
	{ "async page faults", NULL, enable_apf, IRQCHIP },
	{ "state", NULL, save_and_restore, IRQCHIP },
	{ "netlink: name", find_vm, name_vm },
	{ "netlink: get", find_vm, look_at_vm },
	{ "netlink: vCPUs", find_vm, list_vcpus },
	{ "netlink: pause, resume", find_vm, pause_vm },
	{ "netlink: ports", find_vm, grant_ports },
	{ "run", prepare_guest, run_guest },
	{ "run, logged", prepare_logged, run_guest },
};

FIXTURE(nomem)
{
	struct test_vm vm;
};

FIXTURE_SETUP(nomem)
{
	ASSERT_EQ(0, genl_open(&family));
	event = eventfd(0, EFD_NONBLOCK);
	resample = eventfd(0, EFD_NONBLOCK);
	memset(more, 1, sizeof(more));
	if (!can_fail())
		SKIP(return, "no fault injection in this kernel");
}

FIXTURE_TEARDOWN(nomem)
{
	vm_close(&self->vm);
	genl_close(&family);
}

/* Asks with the @n-th allocation failing; false: so many there are not. */
static bool ask_once(struct __test_metadata *_metadata, struct test_vm *vm,
		     const struct request *r, int n)
{
	int ret, left;

	ASSERT_EQ(0, vm_new(vm, r->flags & IRQCHIP));
	if (!(r->flags & FIRST))
		ASSERT_EQ(0, vm_add_vcpu(vm, 0));
	if (r->before)
		ASSERT_EQ(0, r->before(vm));
	fail_nth(n);
	ret = r->ask(vm);
	left = fail_nth(0);
	if (left) {
		EXPECT_LE(0, ret);
	} else if (ret < 0) {
		EXPECT_EQ(-ENOMEM, ret) TH_LOG("%s, allocation %d", r->name, n);
		EXPECT_LE(0, r->ask(vm)) TH_LOG("%s, after allocation %d", r->name, n);
	}
	vm_close(vm);
	return !left;
}

TEST_F_TIMEOUT(nomem, requests, 900)
{
	int n;

	for (unsigned int i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		for (n = 1; n < MOST; n++)
			if (!ask_once(_metadata, &self->vm, &requests[i], n))
				break;
		EXPECT_NE(MOST, n);
		TH_LOG("%s: %d allocations", requests[i].name, n - 1);
	}
}

JOIST_TEST_MAIN
