// SPDX-License-Identifier: GPL-2.0-only
/* Making a virtual machine, its memory and its vCPUs. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "vm.h"

const char *test_dev(void)
{
	const char *dev = getenv("JOIST_DEV");

	return dev ? dev : "/dev/joist";
}

int dev_open(void)
{
	int fd = open(test_dev(), O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int xioctl(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

int xioctl_val(int fd, unsigned long cmd, unsigned long arg)
{
	return xioctl(fd, cmd, (void *)arg);
}

static int failed(const char *what, int err)
{
	fprintf(stderr, "%s: %s: %s\n", test_dev(), what, strerror(-err));
	return err;
}

/**
 * vm_set_memory() - KVM_SET_USER_MEMORY_REGION
 * @vm: which
 * @slot: number
 * @flags: KVM_MEM_*
 * @gpa: where the guest sees it
 * @size: bytes
 * @hva: where it is here
 *
 * Return: 0 or -errno
 */
int vm_set_memory(struct test_vm *vm, uint32_t slot, uint32_t flags,
		  uint64_t gpa, uint64_t size, const void *hva)
{
	struct kvm_userspace_memory_region mem = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	return xioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &mem);
}

static int vm_add_memory(struct test_vm *vm)
{
	vm->mem_size = MEM_SIZE;
	vm->mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (vm->mem == MAP_FAILED) {
		vm->mem = NULL;
		return failed("mmap", -errno);
	}
	vm_write_tables(vm);
	return vm_set_memory(vm, 0, 0, 0, MEM_SIZE, vm->mem);
}

/**
 * vm_new() - a VM with some memory and no vCPU
 * @vm: to be filled in
 * @flags: VM_*
 *
 * Return: 0 or -errno
 */
int vm_new(struct test_vm *vm, unsigned int flags)
{
	int ret;

	memset(vm, 0, sizeof(*vm));
	vm->fd = -1;
	vm->dev = dev_open();
	if (vm->dev < 0)
		return failed("open", vm->dev);
	ret = xioctl(vm->dev, KVM_GET_VCPU_MMAP_SIZE, NULL);
	if (ret < 0)
		return failed("KVM_GET_VCPU_MMAP_SIZE", ret);
	vm->run_size = ret;
	vm->fd = xioctl(vm->dev, KVM_CREATE_VM, NULL);
	if (vm->fd < 0)
		return failed("KVM_CREATE_VM", vm->fd);
	/* Intel CPUs that cannot run real mode need this; the others allow it. */
	ret = xioctl_val(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000);
	if (ret)
		return failed("KVM_SET_TSS_ADDR", ret);
	ret = vm_add_memory(vm);
	if (ret)
		return failed("memory", ret);
	if (flags & VM_IRQCHIP) {
		ret = xioctl(vm->fd, KVM_CREATE_IRQCHIP, NULL);
		if (ret)
			return failed("KVM_CREATE_IRQCHIP", ret);
	}
	return 0;
}

/**
 * vm_add_vcpu() - one more vCPU, with all of the supported CPUID
 * @vm: which
 * @id: its APIC id
 *
 * Return: its index, or -errno
 */
int vm_add_vcpu(struct test_vm *vm, int id)
{
	int i = vm->nr_vcpus;
	int fd = xioctl_val(vm->fd, KVM_CREATE_VCPU, id);
	void *run;

	if (fd < 0)
		return failed("KVM_CREATE_VCPU", fd);
	run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (run == MAP_FAILED)
		return failed("mmap of a vCPU", -errno);
	vm->vcpu[i] = fd;
	vm->run[i] = run;
	vm->nr_vcpus++;
	fd = vcpu_cpuid(vm, i);
	return fd ? failed("KVM_SET_CPUID2", fd) : i;
}

/** vm_close() - all that vm_new() and vm_add_vcpu() made */
void vm_close(struct test_vm *vm)
{
	for (int i = 0; i < vm->nr_vcpus; i++) {
		munmap(vm->run[i], vm->run_size);
		close(vm->vcpu[i]);
	}
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->dev >= 0)
		close(vm->dev);
	if (vm->mem)
		munmap(vm->mem, vm->mem_size);
	memset(vm, 0, sizeof(*vm));
	vm->fd = -1;
	vm->dev = -1;
}

/** vm_copy() - put code or data into the guest's memory */
void vm_copy(struct test_vm *vm, uint64_t gpa, const void *start,
	     const void *end)
{
	memcpy(vm->mem + gpa, start,
	       (const uint8_t *)end - (const uint8_t *)start);
}

/** vm_set_dtable() - ten bytes for LGDT or LIDT; 32-bit code reads six of them */
void vm_set_dtable(struct test_vm *vm, uint64_t gpa, uint16_t limit,
		   uint64_t base)
{
	memcpy(vm->mem + gpa, &limit, sizeof(limit));
	memcpy(vm->mem + gpa + sizeof(limit), &base, sizeof(base));
}

#define GPA_AP		0x9000		/* SIPI vector 9 */
#define GPA_AP_LONG	0x9800

GUEST16(ap_start,
	"cli\n"
	"xor %ax, %ax\n"
	"mov %ax, %ds\n"
	"lgdtl (0x6ff0)\n"
	TO_LONG_MODE(0x620, 0x80000003)
	"ljmpl $0x08, $0x9800\n");

/** vm_copy_ap() - vm_load_ap(): its code, and how it comes there */
void vm_copy_ap(struct test_vm *vm, const void *start, const void *end)
{
	vm_set_dtable(vm, 0x6ff0, 0x2f, GPA_GDT);
	vm_set_dtable(vm, 0x6fe0, 0xfff, GPA_IDT);
	vm_load(vm, GPA_AP, ap_start);
	vm_copy(vm, GPA_AP_LONG, start, end);
}

/* --- running ------------------------------------------------------------------ */

static const char *const exit_names[] = {
	[KVM_EXIT_UNKNOWN] = "unknown", [KVM_EXIT_EXCEPTION] = "exception",
	[KVM_EXIT_IO] = "io", [KVM_EXIT_HYPERCALL] = "hypercall",
	[KVM_EXIT_DEBUG] = "debug", [KVM_EXIT_HLT] = "hlt",
	[KVM_EXIT_MMIO] = "mmio",
	[KVM_EXIT_IRQ_WINDOW_OPEN] = "irq window open",
	[KVM_EXIT_SHUTDOWN] = "shutdown",
	[KVM_EXIT_FAIL_ENTRY] = "entry failed", [KVM_EXIT_INTR] = "intr",
	[KVM_EXIT_SET_TPR] = "set tpr", [KVM_EXIT_TPR_ACCESS] = "tpr access",
	[KVM_EXIT_NMI] = "nmi", [KVM_EXIT_INTERNAL_ERROR] = "internal error",
	[KVM_EXIT_SYSTEM_EVENT] = "system event",
	[KVM_EXIT_IOAPIC_EOI] = "ioapic eoi",
	[KVM_EXIT_X86_RDMSR] = "rdmsr", [KVM_EXIT_X86_WRMSR] = "wrmsr",
};

const char *exit_name(int reason)
{
	if (reason < 0)
		return strerror(-reason);
	if (reason < (int)(sizeof(exit_names) / sizeof(*exit_names)) &&
	    exit_names[reason])
		return exit_names[reason];
	return "other";
}

/** vcpu_complain() - say how a vCPU stopped instead of as wanted */
void vcpu_complain(struct test_vm *vm, int i, const char *wanted, int got)
{
	struct kvm_run *run = vm->run[i];
	struct kvm_regs regs;

	fprintf(stderr, "vCPU %d: wanted %s, got %s", i, wanted,
		exit_name(got));
	if (got == KVM_EXIT_IO)
		fprintf(stderr, " (port 0x%x, %s, data 0x%x)", run->io.port,
			run->io.direction ? "out" : "in",
			*(uint32_t *)run_io_data(run));
	if (got == KVM_EXIT_MMIO)
		fprintf(stderr, " (gpa 0x%llx)",
			(unsigned long long)run->mmio.phys_addr);
	if (got == KVM_EXIT_INTERNAL_ERROR)
		fprintf(stderr, " (suberror %u)", run->internal.suberror);
	if (got == KVM_EXIT_FAIL_ENTRY)
		fprintf(stderr, " (hardware reason 0x%llx)",
			(unsigned long long)
			run->fail_entry.hardware_entry_failure_reason);
	if (!xioctl(vm->vcpu[i], KVM_GET_REGS, &regs))
		fprintf(stderr, " at rip 0x%llx, rax 0x%llx",
			(unsigned long long)regs.rip,
			(unsigned long long)regs.rax);
	fputc('\n', stderr);
}

int vcpu_run(struct test_vm *vm, int i)
{
	int ret = xioctl(vm->vcpu[i], KVM_RUN, NULL);

	return ret < 0 ? ret : (int)vm->run[i]->exit_reason;
}

static bool is_out(struct kvm_run *run, int port)
{
	return run->io.direction == KVM_EXIT_IO_OUT && run->io.port == port;
}

int64_t vcpu_report(struct test_vm *vm, int i)
{
	struct kvm_run *run = vm->run[i];
	int ret;

	do
		ret = vcpu_run(vm, i);
	while (ret == -EINTR || ret == -EAGAIN);
	if (ret == KVM_EXIT_IO && is_out(run, PORT_REPORT))
		return *(uint32_t *)run_io_data(run);
	vcpu_complain(vm, i, "a report", ret);
	return -1;
}

int vcpu_done(struct test_vm *vm, int i)
{
	int ret;

	do
		ret = vcpu_run(vm, i);
	while (ret == -EINTR || ret == -EAGAIN);
	if (ret == KVM_EXIT_IO && is_out(vm->run[i], PORT_DONE))
		return 0;
	vcpu_complain(vm, i, "the end", ret);
	return -1;
}

static void on_alarm(int sig)
{
}

static void alarm_set(int usec, int again)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval it = {
		.it_value.tv_usec = usec, .it_interval.tv_usec = again,
	};

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

void alarm_in(int usec)
{
	alarm_set(usec, 0);
}

void alarm_every(int usec)
{
	alarm_set(usec, usec);
}

/* The only route there is: 0 or -errno. */
int vm_route(struct test_vm *vm, const struct kvm_irq_routing_entry *route)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry route;
	} r = { .head.nr = 1, .route = *route };

	return xioctl(vm->fd, KVM_SET_GSI_ROUTING, &r);
}

/* @gsi is an MSI for @vector, to APIC 0: 0 or -errno. */
int vm_route_msi(struct test_vm *vm, uint32_t gsi, uint8_t vector)
{
	const struct kvm_irq_routing_entry msi = {
		.gsi = gsi, .type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000, .data = vector },
	};

	return vm_route(vm, &msi);
}
