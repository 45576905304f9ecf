/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small virtual machine for tests, through raw ioctls. The device is
 * /dev/joist, or what $JOIST_DEV names (/dev/kvm: what a test expects is checked
 * against KVM itself).
 */
#ifndef JOIST_SELFTESTS_VM_H
#define JOIST_SELFTESTS_VM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Guest-physical layout. All modes see memory one to one. */
#define GPA_PML4	0x1000		/* 4 GiB in 2 MiB pages; 0x2000..0x6fff too */
#define GPA_GDT		0x7000
#define GPA_TSS		0x7800
#define GPA_IDT		0x8000
#define GPA_STACK	0xf000		/* top of vCPU 0's, grows down */
#define GPA_CODE	0x10000
#define GPA_DATA	0x20000		/* free for the test, to the end */
#define MEM_SIZE	0x400000
#define GPA_HOLE	0xc0000000UL	/* no memory: device accesses */

#define SEL_CODE64	0x08
#define SEL_DATA	0x10
#define SEL_CODE32	0x18
#define SEL_TSS		0x20

#define MAX_TEST_VCPUS	4

struct test_vm {
	int dev;
	int fd;
	int nr_vcpus;
	int vcpu[MAX_TEST_VCPUS];
	struct kvm_run *run[MAX_TEST_VCPUS];
	size_t run_size;
	uint8_t *mem;
	size_t mem_size;
};

/*
 * Guest code, next to the test that runs it: GUEST64(name, "instructions").
 * It is copied to guest memory, so it must not depend on where it is.
 */
#define GUEST_ASM(name, mode, text)					\
	extern const uint8_t name[], name##_end[];			\
	asm(".pushsection .rodata.guest, \"a\", @progbits\n"		\
	    ".globl " #name ", " #name "_end\n"				\
	    mode "\n" #name ":\n" text "\n" #name "_end:\n"		\
	    ".code64\n.popsection\n")
#define GUEST64(name, text)	GUEST_ASM(name, ".code64", text)
#define GUEST32(name, text)	GUEST_ASM(name, ".code32", text)
#define GUEST16(name, text)	GUEST_ASM(name, ".code16", text)

/* What guest code says: a 32-bit value, or that it has come to its end. */
#define PORT_REPORT	0xe0
#define PORT_DONE	0xe4
#define REPORT		"out %eax, $0xe0\n"
#define DONE		"out %al, $0xe4\n"

/* On the page tables at GPA_PML4: CR4, and what CR0 gets more; a far jump follows. */
#define TO_LONG_MODE(cr4, cr0)						\
	"mov $" #cr4 ", %eax\n mov %eax, %cr4\n"			\
	"mov $0x1000, %eax\n mov %eax, %cr3\n"				\
	"mov $0xc0000080, %ecx\n rdmsr\n or $0x100, %eax\n wrmsr\n"	\
	"mov %cr0, %eax\n or $" #cr0 ", %eax\n mov %eax, %cr0\n"

const char *test_dev(void);
int dev_open(void);

/* 0 or -errno; a failed step is named on stderr. */
#define VM_IRQCHIP	1		/* with PIC, IOAPIC, LAPIC */
int vm_new(struct test_vm *vm, unsigned int flags);
int vm_add_vcpu(struct test_vm *vm, int id);
int vm_set_memory(struct test_vm *vm, uint32_t slot, uint32_t flags,
		  uint64_t gpa, uint64_t size, const void *hva);
void vm_close(struct test_vm *vm);

void vm_copy(struct test_vm *vm, uint64_t gpa, const void *start,
	     const void *end);
#define vm_load(vm, gpa, name)	vm_copy(vm, gpa, name, name##_end)

void vm_set_dtable(struct test_vm *vm, uint64_t gpa, uint16_t limit,
		   uint64_t base);
/* What vCPU 1 does once START_AP of irq.h has started it, in 64-bit mode. */
#define vm_load_ap(vm, name)	vm_copy_ap(vm, name, name##_end)
void vm_copy_ap(struct test_vm *vm, const void *start, const void *end);

void vm_set_gate(struct test_vm *vm, int vector, uint64_t handler);
void vm_set_absent_gate(struct test_vm *vm, int vector);
void vm_write_tables(struct test_vm *vm);
uint64_t *vm_pte_2m(struct test_vm *vm, uint64_t gpa);

/* Registers for code at @ip in a mode; vCPU @i. 0 or -errno. */
int vm_route(struct test_vm *vm, const struct kvm_irq_routing_entry *route);
int vm_route_msi(struct test_vm *vm, uint32_t gsi, uint8_t vector);
int vcpu_real(struct test_vm *vm, int i, uint16_t ip);
int vcpu_prot32(struct test_vm *vm, int i, uint32_t ip);
int vcpu_long64(struct test_vm *vm, int i, uint64_t ip);
int vcpu_cpuid(struct test_vm *vm, int i);	/* all that is supported */

/* SIGALRM, which ends KVM_RUN: once, or again and again (the first may come before
 * the run does; 0: no more).
 */
void alarm_in(int usec);
void alarm_every(int usec);

/* KVM_RUN once: the exit reason, or -errno. */
int vcpu_run(struct test_vm *vm, int i);
/* Until it reports: the value, or -1 (said on stderr why). */
int64_t vcpu_report(struct test_vm *vm, int i);
/* Until it is done: 0, or -1. */
int vcpu_done(struct test_vm *vm, int i);
const char *exit_name(int reason);
void vcpu_complain(struct test_vm *vm, int i, const char *wanted, int got);

/* ioctl(): result, or -errno. */
int xioctl(int fd, unsigned long cmd, void *arg);
int xioctl_val(int fd, unsigned long cmd, unsigned long arg);

static inline void *run_io_data(struct kvm_run *run)
{
	return (uint8_t *)run + run->io.data_offset;
}

struct test_msrs {
	struct kvm_msrs head;
	struct kvm_msr_entry entry[8];
};

int vcpu_get_msr(struct test_vm *vm, int i, uint32_t index, uint64_t *val);
int vcpu_set_msr(struct test_vm *vm, int i, uint32_t index, uint64_t val);
int64_t vcpu_stat(int vcpu, const char *name);

struct test_cpuid {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entry[256];
};

struct kvm_cpuid_entry2 *cpuid_entry(struct test_cpuid *c, uint32_t leaf,
				     uint32_t subleaf);
bool cpu_is_tcg(void);
int supported_cpuid(struct test_vm *vm, struct test_cpuid *c);
int vcpu_allow_deadlines(struct test_vm *vm, int i);

#endif
