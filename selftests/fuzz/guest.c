// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's CPUs: each is a fiber that KVM_RUN switches to, and that switches back with
 * an exit. They take the program's instructions in turn.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "fake_kvm.h"
#include "fiber.h"
#include "guest.h"
#include "sched.h"

#define STACK_SIZE	(128UL << 10)
#define STRING_MAX	64
#define PORT_PCI_ADDRESS	0xcf8
#define PORT_PCI_DATA		0xcfc

/**
 * struct guest_cpu - one of them
 * @host: the vCPU's thread, which is in KVM_RUN
 * @yields: what it left for: the host's other threads are to run so many times
 */
struct guest_cpu {
	struct fiber fiber;
	struct fiber *host;
	struct kvm_run *run;
	int yields;
	bool started;
};

static struct guest_cpu cpus[FAKE_VCPUS_MAX];

static struct guest_cpu *self(void)
{
	return (struct guest_cpu *)fiber_self()->arg;
}

/* To userspace, and back. */
static void leave(struct guest_cpu *cpu)
{
	fiber_switch(cpu->host);
}

static void cpu_main(void *arg)
{
	struct guest_cpu *cpu = arg;

	while (exec_next())
		;
	if (cpu == &cpus[0])
		guest_exit(KVM_EXIT_SYSTEM_EVENT, KVM_SYSTEM_EVENT_SHUTDOWN);
	for (;;)
		guest_yield(1);
}

void guest_begin(const struct insn *insn, size_t nr)
{
	int i;

	for (i = 0; i < FAKE_VCPUS_MAX; i++)
		cpus[i].started = false;
	exec_begin(insn, nr);
}

int guest_run(int vcpu, struct kvm_run *run)
{
	struct guest_cpu *cpu = &cpus[vcpu];

	cpu->host = fiber_self();
	cpu->run = run;
	if (!cpu->started) {
		fiber_init(&cpu->fiber, STACK_SIZE, cpu_main, cpu);
		cpu->started = true;
	}
	for (;;) {
		if (__atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST))
			return -EINTR;
		cpu->yields = 0;
		fiber_switch(&cpu->fiber);
		if (!cpu->yields)
			return 0;
		sched_yield_rounds(cpu->yields);
	}
}

void guest_yield(int rounds)
{
	struct guest_cpu *cpu = self();

	if (!rounds)
		return;
	cpu->yields = rounds;
	leave(cpu);
}

static unsigned int port_len(unsigned int len)
{
	return len == 8 ? 4 : len;
}

static void exit_io(u16 port, unsigned int len, bool out, u32 count)
{
	struct guest_cpu *cpu = self();

	cpu->run->exit_reason = KVM_EXIT_IO;
	cpu->run->io.direction = out ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
	cpu->run->io.size = (u8)len;
	cpu->run->io.port = port;
	cpu->run->io.count = count;
	cpu->run->io.data_offset = RUN_IO_OFFSET;
	leave(cpu);
}

u64 guest_in(u16 port, unsigned int len)
{
	u64 value = 0;

	len = port_len(len);
	exit_io(port, len, false, 1);
	memcpy(&value, (u8 *)self()->run + RUN_IO_OFFSET, len);
	return value;
}

/* @count: a string of the same value. */
void guest_out(u16 port, unsigned int len, u64 value, u32 count)
{
	u8 *data = (u8 *)self()->run + RUN_IO_OFFSET;
	u32 i;

	len = port_len(len);
	if (fake_kvm_notify(true, port, len, value))
		return;
	count = min(count, (u32)STRING_MAX);
	for (i = 0; i < count; i++)
		memcpy(data + (size_t)i * len, &value, len);
	exit_io(port, len, true, count);
}

static void exit_mmio(u64 gpa, unsigned int len, bool write)
{
	struct guest_cpu *cpu = self();

	cpu->run->exit_reason = KVM_EXIT_MMIO;
	cpu->run->mmio.phys_addr = gpa;
	cpu->run->mmio.len = len;
	cpu->run->mmio.is_write = write;
	leave(cpu);
}

u64 guest_read(u64 gpa, unsigned int len)
{
	const u8 *ram = fake_kvm_ram(gpa, len, false);
	u64 value = 0;

	if (!ram) {
		exit_mmio(gpa, len, false);
		ram = self()->run->mmio.data;
	}
	memcpy(&value, ram, len);
	return value;
}

void guest_write(u64 gpa, unsigned int len, u64 value)
{
	u8 *ram = fake_kvm_ram(gpa, len, true);

	if (ram) {
		memcpy(ram, &value, len);
	} else if (!fake_kvm_notify(false, gpa, len, value)) {
		memcpy(self()->run->mmio.data, &value, sizeof(value));
		exit_mmio(gpa, len, true);
	}
}

/* Any other exit; most of them end the VM. */
void guest_exit(u32 reason, u32 detail)
{
	struct guest_cpu *cpu = self();

	cpu->run->exit_reason = reason;
	/* The first word of each: a type, a suberror, a hardware reason. */
	memset(&cpu->run->internal, 0, sizeof(cpu->run->internal));
	cpu->run->internal.suberror = detail;
	leave(cpu);
}

void guest_ram_write(u64 gpa, const void *data, size_t len)
{
	u8 *ram = fake_kvm_ram(gpa, len, true);

	if (ram)
		memcpy(ram, data, len);
}

bool guest_has_ram(u64 gpa)
{
	return fake_kvm_ram(gpa, 1, false);
}

void guest_ram_fill(u64 gpa, size_t len, u64 pattern)
{
	u8 *ram = fake_kvm_ram(gpa, len, true);
	size_t i;

	for (i = 0; ram && i < len; i++)
		ram[i] = (u8)(pattern >> (i % 8 * 8));
}

static void select_register(u8 slot, u8 reg)
{
	guest_out(PORT_PCI_ADDRESS, 4, 1U << 31 | (u32)(slot & 31) << 11 | (reg & 0xfcU), 1);
}

u32 guest_cfg_read(u8 slot, u8 reg, unsigned int len)
{
	select_register(slot, reg);
	return (u32)guest_in((u16)(PORT_PCI_DATA + (reg & 3)), len);
}

void guest_cfg_write(u8 slot, u8 reg, unsigned int len, u32 value)
{
	select_register(slot, reg);
	guest_out((u16)(PORT_PCI_DATA + (reg & 3)), len, value, 1);
}

/* Where a window is now. */
u64 guest_bar(u8 slot, int bar)
{
	u8 reg = (u8)(0x10 + 4 * bar);
	u32 low = guest_cfg_read(slot, reg, 4);

	if ((low & 7) == 4 && bar < 5)
		return (u64)guest_cfg_read(slot, (u8)(reg + 4), 4) << 32 | (low & ~0xfU);
	return low & ~0xfU;
}
