// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an exit costs: the same guest loops on whatever speaks the KVM ABI
 * ($JOIST_DEV), in ticks of the host's TSC for each iteration. In the benches the
 * TSC counts instructions. The guest's own instructions are included, what it
 * takes to start and end a loop is not.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

#define ITERATIONS	1000
#define ROUNDS		3

/* Fresh pages for each round, which runs N and then 2N iterations. */
#define TOUCH_GPA	0x1000000UL
#define TOUCH_SIZE	(ROUNDS * 3UL * ITERATIONS * 4096)

/* The loop counter is in r12, a device's address in rdi, memory in rsi. */
#define LOOP(name, body)						\
	GUEST64(name, "1:\n" body "dec %r12\njnz 1b\n" DONE)

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
LOOP(touch, "mov %eax, (%rsi)\nadd $4096, %rsi\n");

struct loop {
	const char *name;
	const uint8_t *start, *end;
	uint64_t cr0;		/* more bits of CR0 */
};

#define X86_CR0_NW	(1UL << 29)
#define X86_CR0_CD	(1UL << 30)

#define ROW(text, code)	{ .name = text, .start = code, .end = code##_end }

static struct loop loops[] = {
	ROW("CPUID, handled in the kernel", cpuid),
	ROW("VMCALL/VMMCALL", vmcall),
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
		.start = cr0, .end = cr0_end,
		.cr0 = X86_CR0_CD | X86_CR0_NW,
	},
	ROW("first touch of a 4 KiB page", touch),
	{ }
};

static uint64_t tsc(void)
{
	uint32_t lo, hi;

	asm volatile("lfence; rdtsc; lfence" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

/* Runs until the loop's end: 0, or -1 after saying why. */
static int run_to_end(struct test_vm *vm)
{
	struct kvm_run *run = vm->run[0];
	int ret;

	for (;;) {
		ret = vcpu_run(vm, 0);
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
			vcpu_complain(vm, 0, "the loop's end", ret);
			return -1;
		}
	}
}

/* Ticks of @n iterations, or 0. */
static uint64_t measure(struct test_vm *vm, const struct loop *l, uint64_t n,
			uint64_t memory)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	uint64_t start;

	vm_copy(vm, GPA_CODE, l->start, l->end);
	if (vcpu_long64(vm, 0, GPA_CODE) ||
	    xioctl(vm->vcpu[0], KVM_GET_SREGS, &sregs) ||
	    xioctl(vm->vcpu[0], KVM_GET_REGS, &regs))
		return 0;
	sregs.cr0 |= l->cr0;
	if (xioctl(vm->vcpu[0], KVM_SET_SREGS, &sregs))
		return 0;
	regs.r12 = n;
	regs.rdi = GPA_HOLE;
	regs.rsi = memory;
	if (xioctl(vm->vcpu[0], KVM_SET_REGS, &regs))
		return 0;
	if (getenv("BENCH_BREAK"))
		asm volatile("xchg %bx, %bx");
	start = tsc();
	if (run_to_end(vm))
		return 0;
	return tsc() - start;
}

/* The cheapest of some rounds: interrupts of the host only add. -1: it failed. */
static long cost(struct test_vm *vm, const struct loop *l)
{
	uint64_t memory = TOUCH_GPA, once, twice;
	long best = -1, ticks;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		once = measure(vm, l, ITERATIONS, memory);
		memory += ITERATIONS * 4096UL;
		twice = measure(vm, l, 2 * ITERATIONS, memory);
		memory += 2 * ITERATIONS * 4096UL;
		if (!once || !twice)
			return -1;
		ticks = ((long)(twice - once) + ITERATIONS / 2) / ITERATIONS;
		if (best < 0 || ticks < best)
			best = ticks;
	}
	return best;
}

/* Memory that the host has not given yet, in pages of 4 KiB. */
static int add_touch_memory(struct test_vm *vm)
{
	void *mem = mmap(NULL, TOUCH_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mem == MAP_FAILED)
		return -errno;
	madvise(mem, TOUCH_SIZE, MADV_NOHUGEPAGE);
	return vm_set_memory(vm, 1, 0, TOUCH_GPA, TOUCH_SIZE, mem);
}

/* The other vendor's hypercall instruction would be an undefined one. */
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

/* exit_cost [ROW]: all, or those whose name begins so. */
int main(int argc, char **argv)
{
	const char *row = argc > 1 ? argv[1] : "";
	const struct loop *l;
	struct test_vm vm;
	long ticks;
	int rc = 0;

	if (cpu_is_amd())
		loops[1] = (struct loop)ROW("VMCALL/VMMCALL", vmmcall);
	for (l = loops; l->name; l++) {
		if (strncmp(l->name, row, strlen(row)))
			continue;
		ticks = -1;
		if (!vm_new(&vm, 0) && !vm_add_vcpu(&vm, 0) &&
		    !vcpu_cpuid(&vm, 0) && !add_touch_memory(&vm))
			ticks = cost(&vm, l);
		vm_close(&vm);
		if (ticks < 0)
			rc = 1;
		printf("%s\t%s\t%ld\n", strrchr(test_dev(), '/') + 1,
		       l->name, ticks);
	}
	return rc;
}
