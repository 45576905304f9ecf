// SPDX-License-Identifier: GPL-2.0-only
/* Guest loops of one exit. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "bench.h"

#define ITERATIONS	1000
#define NOTIFY_PORT	0x300

#define X86_CR0_NW	(1UL << 29)
#define X86_CR0_CD	(1UL << 30)

LOOP(cpuid, "xor %eax, %eax\ncpuid\n");
LOOP(vmcall, "mov $0xffff, %eax\nvmcall\n");
LOOP(vmmcall, "mov $0xffff, %eax\nvmmcall\n");
LOOP(rdmsr_mtrrcap, "mov $0xfe, %ecx\nrdmsr\n");
LOOP(wrmsr_pat, "mov $0x277, %ecx\nmov $0x70406, %eax\nmov %eax, %edx\nwrmsr\n");
LOOP(port_out, "out %al, $0x80\n");
LOOP(port_in, "in $0x80, %al\n");
LOOP(mmio_write, "mov %eax, (%rdi)\n");
LOOP(halt, "hlt\n");
LOOP(cr0, "mov %cr0, %rax\nmov %rax, %cr0\n");
LOOP(notify, "mov $0x300, %edx\nout %eax, %dx\n");

int loop_prepare(struct bench *b, int vcpu, uint64_t n, uint64_t gpa)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int fd = b->vm.vcpu[vcpu];

	vm_copy(&b->vm, GPA_CODE, b->row->start, b->row->end);
	if (vcpu_long64(&b->vm, vcpu, GPA_CODE) ||
	    xioctl(fd, KVM_GET_SREGS, &sregs) || xioctl(fd, KVM_GET_REGS, &regs))
		return -1;
	sregs.cr0 |= b->row->cr0;
	regs.r12 = n;
	regs.r13 = 0;
	regs.r14 = 0;
	regs.rdi = GPA_HOLE;
	regs.rsi = gpa;
	return xioctl(fd, KVM_SET_SREGS, &sregs) ||
	       xioctl(fd, KVM_SET_REGS, &regs) ? -1 : 0;
}

int loop_run(struct bench *b, int vcpu)
{
	struct kvm_run *run = b->vm.run[vcpu];
	int ret;

	for (;;) {
		ret = vcpu_run(&b->vm, vcpu);
		switch (ret) {
		case KVM_EXIT_IO:
			if (run->io.port == PORT_DONE)
				return 0;
			break;
		case KVM_EXIT_MMIO:
		case KVM_EXIT_HLT:
		case -EINTR:
			break;
		default:
			vcpu_complain(&b->vm, vcpu, "the loop's end", ret);
			return -1;
		}
	}
}

int64_t loop_measure(struct bench *b, unsigned int n)
{
	uint64_t start;

	/* Bochs can begin its trace there. */
	if (getenv("BENCH_BREAK"))
		asm volatile("xchg %bx, %bx");
	start = tsc();
	return loop_run(b, 0) ? -1 : (int64_t)(tsc() - start);
}

/* Nobody reads what is counted there. */
static int open_notify(struct bench *b)
{
	struct kvm_ioeventfd notify = {
		.addr = NOTIFY_PORT, .len = 4, .flags = KVM_IOEVENTFD_FLAG_PIO,
	};

	b->fd = eventfd(0, 0);
	notify.fd = b->fd;
	return b->fd < 0 ? -1 : xioctl(b->vm.fd, KVM_IOEVENTFD, &notify);
}

static bool cpu_is_amd(void)
{
	char line[4096];
	bool amd = false;
	FILE *f = fopen("/proc/cpuinfo", "r");

	while (f && !amd && fgets(line, sizeof(line), f))
		amd = !strncmp(line, "flags", 5) && strstr(line, " svm");
	if (f)
		fclose(f);
	return amd;
}

/* The other vendor's instruction would be an undefined one. */
static int prepare_hypercall(struct bench *b, unsigned int n)
{
	int ret = loop_prepare(b, 0, n, 0);

	if (cpu_is_amd())
		vm_load(&b->vm, GPA_CODE, vmmcall);
	return ret;
}

#define ROW(text, code)	{ .name = text, CODE(code), .n = ITERATIONS }

const struct row loop_rows[] = {
	ROW("CPUID, handled in the kernel", cpuid),
	{
		.name = "VMCALL/VMMCALL", CODE(vmcall), .n = ITERATIONS,
		.prepare = prepare_hypercall,
	},
	ROW("RDMSR MTRRcap", rdmsr_mtrrcap),
	ROW("WRMSR PAT", wrmsr_pat),
	ROW("OUT to userspace and back", port_out),
	ROW("IN from userspace", port_in),
	ROW("4-byte MMIO write to userspace", mmio_write),
	ROW("HLT to userspace (no irqchip)", halt),
	ROW("MOV from + to CR0", cr0),
	{
		/* As after reset, when a VMCB cannot hold what the guest sees. */
		.name = "MOV from + to CR0 with CD and NW set",
		CODE(cr0), .n = ITERATIONS, .cr0 = X86_CR0_CD | X86_CR0_NW,
	},
	{
		.name = "OUT to an ioeventfd", CODE(notify), .n = ITERATIONS,
		.open = open_notify,
	},
	{ }
};
