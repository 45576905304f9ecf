/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU from the reset vector on, and 16-bit code that says what it sees. */
#ifndef JOIST_SELFTESTS_REALMODE_H
#define JOIST_SELFTESTS_REALMODE_H

#include <sys/mman.h>

#include "irq.h"
#include "test.h"

#define GPA_ROM		0xffff0000UL
#define ROM_SIZE	0x10000
#define CS_CODE		"0x1000"	/* GPA_CODE >> 4 */
#define IVT(n)		((n) * 4)
#define HANDLER		0x8000		/* in the code segment, and below */

FIXTURE(realmode)
{
	struct test_vm vm;
	struct kvm_run *run;
	uint8_t *rom;
};

/* LJMP to the code segment. */
static const uint8_t reset_vector[] = { 0xea, 0, 0, 0, 0x10 };

/* The ROM, or NULL. */
static uint8_t *rom_add(struct test_vm *vm)
{
	uint8_t *rom = mmap(NULL, ROM_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (rom == MAP_FAILED)
		return NULL;
	memcpy(rom + 0xfff0, reset_vector, sizeof(reset_vector));
	if (vm_set_memory(vm, 1, KVM_MEM_READONLY, GPA_ROM, ROM_SIZE, rom)) {
		munmap(rom, ROM_SIZE);
		return NULL;
	}
	return rom;
}

FIXTURE_SETUP(realmode)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->run = self->vm.run[0];
	self->rom = rom_add(&self->vm);
	ASSERT_NE(NULL, self->rom);
	memset(self->vm.mem, 0, 0x1000);
}

FIXTURE_TEARDOWN(realmode)
{
	vm_close(&self->vm);
	munmap(self->rom, ROM_SIZE);
}

static void set_ivt(struct test_vm *vm, int vector, uint16_t ip)
{
	const uint16_t entry[] = { ip, GPA_CODE >> 4 };

	memcpy(vm->mem + IVT(vector), entry, sizeof(entry));
}

static void load_handler(struct test_vm *vm, int vector, unsigned int at,
			 const void *start, const void *end)
{
	vm_copy(vm, GPA_CODE + HANDLER + at, start, end);
	set_ivt(vm, vector, HANDLER + at);
}

#define LOAD_HANDLER(vm, vector, at, name) \
	load_handler(vm, vector, at, name, name##_end)

/* What the guest reports, one after the other. */
#define EXPECT_REPORTS(...)						\
do {									\
	static const uint32_t want[] = { __VA_ARGS__ };			\
									\
	for (unsigned int n_ = 0; n_ < sizeof(want) / sizeof(*want); n_++) { \
		int64_t got_ = vcpu_report(&self->vm, 0);		\
									\
		EXPECT_EQ(want[n_], got_) {				\
			TH_LOG("report %u", n_);			\
		}							\
		if (got_ < 0)						\
			break;						\
	}								\
} while (0)

/* Data at 0x2000:0, a stack that ends at 0x3000:0x1000. */
#define SETUP								\
	"mov $0x2000, %ax\n mov %ax, %ds\n mov %ax, %es\n"		\
	"mov $0x3000, %ax\n mov %ax, %ss\n mov $0x1000, %esp\n"

/* Reports a 16-bit or 8-bit register by way of EAX, which it keeps. */
#define SAY(reg)							\
	"pushl %eax\n pushl %ebx\n mov %" #reg ", %ebx\n"		\
	"mov %ebx, %eax\n" REPORT "popl %ebx\n popl %eax\n"
/* The status flags that all instructions define: CF, ZF, SF. */
#define SAY_FLAGS							\
	"pushfl\n pushl %eax\n mov 4(%esp), %eax\n and $0xc1, %eax\n"	\
	REPORT "popl %eax\n popfl\n"

#endif
