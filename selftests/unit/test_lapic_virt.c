// SPDX-License-Identifier: GPL-2.0-only
/*
 * A local APIC that the CPU virtualizes: interrupts are posted, the register page is
 * the CPU's while the guest runs. The test plays the CPU.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fake_irq_host.h"
#include "irqchip/ioapic.h"
#include "irqchip/irqchip.h"
#include "irqchip/lapic.h"

#define VCPUS	2
#define EOI	0x80b
#define ICR	0x830

static struct posted_desc descs[VCPUS];
static struct vm *vm;

static struct lapic *lapic(unsigned int cpu)
{
	return vm->vcpus[cpu].lapic;
}

static int setup(void **state)
{
	unsigned int i;

	memset(descs, 0, sizeof(descs));
	vm = fake_vm_create(VCPUS);
	for (i = 0; i < VCPUS; i++) {
		lapic(i)->posted = &descs[i];
		lapic_set_base(lapic(i), 0xfee00000 | LAPIC_BASE_ENABLE |
			       LAPIC_BASE_X2APIC);
		lapic_msr_write(lapic(i), 0x80f, 0x1ff);
		lapic_set_virt(lapic(i), true);
	}
	fake_vm_forget(vm);
	return 0;
}

static int teardown(void **state)
{
	fake_vm_destroy(vm);
	return 0;
}

static void reg_change(struct lapic *apic, u32 reg, u8 vector, bool set)
{
	u32 word = lapic_reg(apic, reg + vector / 32 * 16);

	word = set ? word | BIT(vector % 32) : word & ~BIT(vector % 32);
	lapic_reg_set(apic, reg + vector / 32 * 16, word);
}

/* The guest takes what is pending. */
static int cpu_delivers(struct lapic *apic)
{
	int vector = posted_top(apic->regs + LAPIC_REG_IRR);

	if (vector < 0)
		return -1;
	reg_change(apic, LAPIC_REG_IRR, vector, false);
	reg_change(apic, LAPIC_REG_ISR, vector, true);
	return vector;
}

static int cpu_ends(struct lapic *apic)
{
	int vector = posted_top(apic->regs + LAPIC_REG_ISR);

	reg_change(apic, LAPIC_REG_ISR, vector, false);
	return vector;
}

static void posts(void **state)
{
	assert_int_equal(lapic_msr_write(lapic(0), ICR, 1ULL << 32 | 0x4041), 0);
	assert_int_equal(vm->vcpus[1].posted, 1);
	assert_int_equal(vm->vcpus[1].notified, 0);
	assert_false(lapic_vec_test(lapic(1), LAPIC_REG_IRR, 0x41));
	/* A second before it is taken: nobody is told again. */
	lapic_msr_write(lapic(0), ICR, 1ULL << 32 | 0x4042);
	assert_int_equal(vm->vcpus[1].posted, 1);
	assert_int_equal(lapic_next_irq(lapic(1)), 0x42);
	assert_true(lapic_vec_test(lapic(1), LAPIC_REG_IRR, 0x41));
	lapic_msr_write(lapic(0), ICR, 1ULL << 32 | 0x4043);
	assert_int_equal(vm->vcpus[1].posted, 2);
}

static void coalesces(void **state)
{
	struct lapic_msg msg = {
		.dest = 1, .vector = 0x50, .assert = true, .x2apic = true,
	};

	assert_int_equal(lapic_deliver(vm, NULL, &msg), 1);
	assert_int_equal(lapic_deliver(vm, NULL, &msg), 0);
	assert_int_equal(lapic_highest_irr(lapic(1)), 0x50);
	assert_int_equal(lapic_deliver(vm, NULL, &msg), 0);	/* in IRR by now */
	lapic_highest_irr(lapic(1));
	assert_int_equal(cpu_delivers(lapic(1)), 0x50);
	assert_int_equal(lapic_deliver(vm, NULL, &msg), 1);
}

static void priorities(void **state)
{
	struct lapic *apic = lapic(0);

	lapic_set_irr(apic, 0x61, false);
	assert_int_equal(lapic_highest_irr(apic), 0x61);
	assert_int_equal(cpu_delivers(apic), 0x61);
	assert_int_equal(lapic_highest_isr(apic), 0x61);
	assert_int_equal(lapic_ppr(apic), 0x60);
	lapic_set_irr(apic, 0x65, false);
	assert_int_equal(lapic_next_irq(apic), -1);
	assert_int_equal(lapic_highest_irr(apic), 0x65);
	lapic_set_irr(apic, 0x70, false);
	assert_int_equal(lapic_next_irq(apic), 0x70);
	assert_int_equal(cpu_ends(apic), 0x61);
	assert_int_equal(lapic_ppr(apic), 0);
	lapic_set_tpr(apic, 0x75);
	assert_int_equal(lapic_ppr(apic), 0x75);
	assert_int_equal(lapic_next_irq(apic), -1);
}

/* Ended in software, by Hyper-V's MSR or a store: the CPU is to hear of it. */
static void ends_in_software(void **state)
{
	struct lapic *apic = lapic(0);

	lapic_set_irr(apic, 0x61, false);
	lapic_highest_irr(apic);
	cpu_delivers(apic);
	fake_vm_forget(vm);
	lapic_eoi(apic);
	assert_int_equal(lapic_highest_isr(apic), -1);
	assert_true(vm->vcpus[0].notified > 0);
	assert_int_equal(vm->eois, 1);
	assert_int_equal(vm->last_eoi, 0x61);
	/* Nothing is in service: nothing happens. */
	fake_vm_forget(vm);
	lapic_eoi(apic);
	assert_int_equal(vm->eois, 0);
}

static void ends_in_the_cpu(void **state)
{
	struct lapic *apic = lapic(0);

	lapic_set_irr(apic, 0x61, true);
	lapic_highest_irr(apic);
	cpu_delivers(apic);
	lapic_eoi_virtual(apic, cpu_ends(apic));
	assert_int_equal(vm->eois, 1);
	assert_int_equal(vm->last_eoi, 0x61);
	assert_true(vm->last_eoi_level);
	/* Software that speaks to the IOAPIC by itself. */
	lapic_msr_write(apic, 0x80f, 0x11ff);
	lapic_eoi_virtual(apic, 0x61);
	assert_int_equal(vm->eois, 1);
}

static void no_lazy_end(void **state)
{
	struct lapic *apic = lapic(0);

	lapic_set_irr(apic, 0x61, false);
	lapic_highest_irr(apic);
	cpu_delivers(apic);
	assert_int_equal(lapic_lazy_vector(apic), -1);
}

/* To and fro with interrupts pending and in service. */
static void off_and_on(void **state)
{
	struct lapic *apic = lapic(0);

	lapic_set_irr(apic, 0x61, false);
	lapic_highest_irr(apic);
	cpu_delivers(apic);
	lapic_set_irr(apic, 0x81, false);
	lapic_set_virt(apic, false);
	assert_int_equal(lapic_highest_isr(apic), 0x61);
	assert_int_equal(lapic_next_irq(apic), 0x81);
	lapic_ack(apic, 0x81);
	assert_int_equal(lapic_highest_isr(apic), 0x81);
	lapic_set_irr(apic, 0x91, false);
	lapic_set_virt(apic, true);
	assert_int_equal(lapic_highest_isr(apic), 0x81);
	assert_int_equal(lapic_highest_irr(apic), 0x91);
	assert_int_equal(cpu_ends(apic), 0x81);
	assert_int_equal(lapic_highest_isr(apic), 0x61);
}

/* Without the CPU's help a posted interrupt still is one. */
static void not_virtual(void **state)
{
	struct lapic *apic = lapic(0);

	lapic_set_virt(apic, false);
	lapic_set_irr(apic, 0x61, false);
	assert_int_equal(lapic_next_irq(apic), 0x61);
	lapic_ack(apic, 0x61);
	assert_int_equal(lapic_next_irq(apic), -1);
	assert_int_equal(lapic_lazy_vector(apic), 0x61);
	assert_true(lapic_msr_write_hot(apic, EOI, 0));
	assert_int_equal(lapic_highest_isr(apic), -1);
}

static void state_has_what_was_posted(void **state)
{
	struct kvm_lapic_state regs;
	u32 word;

	lapic_set_irr(lapic(0), 0x61, false);
	lapic_get_state(lapic(0), &regs);
	memcpy(&word, regs.regs + LAPIC_REG_IRR + 0x30, sizeof(word));
	assert_int_equal(word, BIT(1));

	/* What is posted before the state is set is not of it. */
	lapic_set_irr(lapic(0), 0x62, false);
	assert_int_equal(lapic_set_state(lapic(0), &regs), 0);
	assert_false(lapic_vec_test(lapic(0), LAPIC_REG_IRR, 0x62));
	assert_int_equal(lapic_highest_irr(lapic(0)), 0x61);
	/* After it: it is pending. */
	lapic_set_irr(lapic(0), 0x63, false);
	assert_int_equal(lapic_highest_irr(lapic(0)), 0x63);
}

/* Who takes what was posted takes it from the entry, which would have told the CPU. */
static void taken_early_is_told(void **state)
{
	struct kvm_lapic_state regs;

	lapic_set_irr(lapic(0), 0x61, false);
	assert_int_equal(vm->vcpus[0].notified, 0);
	lapic_get_state(lapic(0), &regs);
	assert_int_equal(vm->vcpus[0].notified, 1);
	lapic_set_irr(lapic(0), 0x62, false);
	assert_int_equal(lapic_highest_irr(lapic(0)), 0x62);
	assert_int_equal(vm->vcpus[0].notified, 2);
	/* Nothing was posted since. */
	lapic_get_state(lapic(0), &regs);
	assert_int_equal(lapic_highest_irr(lapic(0)), 0x62);
	assert_int_equal(vm->vcpus[0].notified, 2);
}

static void reset_forgets(void **state)
{
	lapic_set_irr(lapic(0), 0x61, false);
	lapic_reset(lapic(0), true);
	assert_int_equal(lapic_highest_irr(lapic(0)), -1);
	assert_int_equal(vm->vcpus[0].virt_updates, 0);
	lapic_set_base(lapic(0), 0xfee00000);
	assert_true(vm->vcpus[0].virt_updates > 0);
}

/* One that comes late, to an APIC that was disabled meanwhile: nobody waits for it. */
static void disabled(void **state)
{
	lapic_set_base(lapic(0), 0xfee00000);
	assert_int_equal(posted_set(&descs[0], 0x61), POSTED_NOTIFY);
	assert_int_equal(lapic_next_irq(lapic(0)), -1);
	assert_int_equal(lapic_highest_irr(lapic(0)), -1);
	lapic_take_posted(lapic(0));
	assert_false(posted_pending(&descs[0]));
}

static void registers(void **state)
{
	struct lapic *apic = lapic(0);
	u64 val;
	u32 reg;

	/* What is read without an exit is what an exit would read. */
	for (reg = 0; reg < 0x400; reg += 16) {
		if (!lapic_reads_plain(apic, reg))
			continue;
		assert_int_equal(lapic_msr_read(apic, 0x800 + (reg >> 4), &val), 0);
		assert_int_equal(val, lapic_reg(apic, reg));
	}
	assert_false(lapic_reads_plain(apic, LAPIC_REG_TMCCT));
	assert_false(lapic_reads_plain(apic, LAPIC_REG_ICR));
	assert_false(lapic_reads_plain(apic, LAPIC_REG_EOI));
	assert_false(lapic_reads_plain(apic, LAPIC_REG_SELF_IPI));
	assert_false(lapic_reads_plain(apic, LAPIC_REG_DFR));

	/* A vector that is none: recorded, as a bare SELF IPI would. */
	lapic_reg_set(apic, LAPIC_REG_SELF_IPI, 5);
	lapic_virtual_write(apic, LAPIC_REG_SELF_IPI);
	assert_int_equal(apic->esr_pending, LAPIC_ESR_SEND_ILLEGAL);
	/* Only registers that x2APIC mode has, and can be written, are written so. */
	lapic_reg_set(apic, LAPIC_REG_ICR2, 1 << 24);
	lapic_virtual_write(apic, LAPIC_REG_ICR2);
	lapic_virtual_write(apic, LAPIC_REG_LDR);
	assert_int_equal(lapic_reg(apic, LAPIC_REG_LDR), x2apic_ldr(apic->id));
	lapic_reg_set(apic, LAPIC_REG_LVT0, ~0u);
	lapic_virtual_write(apic, LAPIC_REG_LVT0);
	assert_int_equal(lapic_reg(apic, LAPIC_REG_LVT0),
			 lapic_lvt_mask(apic, LAPIC_REG_LVT0));
}

static void ioapic_vectors(void **state)
{
	struct ioapic ioapic;
	unsigned int n;

	ioapic_init(&ioapic, vm);
	n = vm->eoi_vectors;
	ioapic_write(&ioapic, 0, 0x10);
	ioapic_write(&ioapic, 0x10, 0x8041);
	assert_int_equal(vm->eoi_vectors, n + 1);
	ioapic_write(&ioapic, 0x10, 0x41);	/* the same one */
	assert_int_equal(vm->eoi_vectors, n + 1);
}

/* The message of an MSI, physical or logical, and who alone takes it. */
static int single(u32 dest, bool logical, u8 mode)
{
	struct lapic_msg msg = {
		.dest = dest, .logical = logical, .mode = mode,
		.vector = 0x50, .assert = true,
	};
	struct lapic *target = lapic_single_target(vm, &msg);

	return target ? (int)target->id : -1;
}

static void single_targets(void **state)
{
	struct lapic_msg level = {
		.dest = 1, .vector = 0x50, .assert = true, .level = true,
	};
	struct lapic_msg none = { .dest = 1, .vector = 15, .assert = true };

	assert_int_equal(single(1, false, LAPIC_DM_FIXED), 1);
	assert_int_equal(single(0, false, LAPIC_DM_LOWEST), 0);
	assert_int_equal(single(7, false, LAPIC_DM_FIXED), -1);
	assert_int_equal(single(0xff, false, LAPIC_DM_FIXED), -1);
	assert_int_equal(single(2, true, LAPIC_DM_FIXED), 1);	/* of cluster 0 */
	assert_int_equal(single(3, true, LAPIC_DM_FIXED), -1);
	assert_int_equal(single(3, true, LAPIC_DM_LOWEST), -1);
	assert_int_equal(single(1, false, LAPIC_DM_NMI), -1);
	assert_int_equal(single(1, false, LAPIC_DM_SMI), -1);
	assert_int_equal(single(1, false, LAPIC_DM_INIT), -1);
	assert_int_equal(single(1, false, LAPIC_DM_EXTINT), -1);
	assert_null(lapic_single_target(vm, &level));
	assert_null(lapic_single_target(vm, &none));

	/* One that takes no interrupts is none, and the other is left. */
	fake_vm_forget(vm);
	lapic_msr_write(lapic(0), 0x80f, 0xff);
	assert_int_equal(single(0, false, LAPIC_DM_FIXED), -1);
	assert_int_equal(single(3, true, LAPIC_DM_FIXED), 1);
	assert_int_equal(vm->dest_changes, 1);
	lapic_set_base(lapic(1), 0xfee00000);
	assert_int_equal(single(1, false, LAPIC_DM_FIXED), -1);
	assert_int_equal(vm->dest_changes, 2);
}

/* Whatever changes who is meant is told of, and nothing that happens all the time. */
static void changes_are_told(void **state)
{
	struct lapic *apic = lapic(0);
	u32 val = 0x01000000;

	lapic_set_irr(apic, 0x41, false);
	lapic_set_tpr(apic, 0x20);
	lapic_eoi(apic);
	lapic_msr_write(apic, ICR, 1ULL << 32 | 0x4041);
	assert_int_equal(vm->dest_changes, 0);
	lapic_set_base(apic, 0xfee00000);
	lapic_set_base(apic, 0xfee00000 | LAPIC_BASE_ENABLE);
	fake_vm_forget(vm);
	lapic_mmio_write(apic, LAPIC_REG_LDR, 4, &val);
	assert_int_equal(vm->dest_changes, 1);
	lapic_mmio_write(apic, LAPIC_REG_DFR, 4, &val);
	assert_int_equal(vm->dest_changes, 2);
	lapic_reset(apic, true);
	assert_int_equal(vm->dest_changes, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(posts),
		TEST(coalesces),
		TEST(priorities),
		TEST(ends_in_software),
		TEST(ends_in_the_cpu),
		TEST(no_lazy_end),
		TEST(off_and_on),
		TEST(not_virtual),
		TEST(state_has_what_was_posted),
		TEST(taken_early_is_told),
		TEST(reset_forgets),
		TEST(disabled),
		TEST(registers),
		TEST(ioapic_vectors),
		TEST(single_targets),
		TEST(changes_are_told),
	};

	return cmocka_run_group_tests_name("lapic_virt", tests, NULL, NULL);
}
