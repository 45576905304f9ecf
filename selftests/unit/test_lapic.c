// SPDX-License-Identifier: GPL-2.0-only
/* The local APIC: registers, priorities, IPIs and their destinations, state. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_irq_host.h"
#include "irqchip/irqchip.h"
#include "irqchip/lapic.h"
#include "x86/msr.h"

#define VCPUS	8

static struct vm *vm;

static struct lapic *lapic(unsigned int cpu)
{
	return vm->vcpus[cpu].lapic;
}

static u32 rd(unsigned int cpu, u32 reg)
{
	u32 val;

	assert_true(lapic_mmio_read(lapic(cpu), reg, 4, &val));
	return val;
}

static void wr(unsigned int cpu, u32 reg, u32 val)
{
	assert_true(lapic_mmio_write(lapic(cpu), reg, 4, &val));
}

static u64 rdx(unsigned int cpu, u32 reg)
{
	u64 val;

	assert_int_equal(lapic_msr_read(lapic(cpu), 0x800 + (reg >> 4), &val),
			 0);
	return val;
}

static int wrx(unsigned int cpu, u32 reg, u64 val)
{
	return lapic_msr_write(lapic(cpu), 0x800 + (reg >> 4), val);
}

static void x2apic(unsigned int cpu)
{
	lapic_set_base(lapic(cpu), 0xfee00000 | LAPIC_BASE_ENABLE |
		       LAPIC_BASE_X2APIC);
}

static int take(unsigned int cpu)
{
	int vector = lapic_next_irq(lapic(cpu));

	if (vector >= 0)
		lapic_ack(lapic(cpu), vector);
	return vector;
}

static void ipi(unsigned int cpu, u8 dest, u32 icr)
{
	wr(cpu, LAPIC_REG_ICR2, (u32)dest << 24);
	wr(cpu, LAPIC_REG_ICR, icr);
}

/* The vCPUs that have @vector pending, a bit each; it is taken away. */
static u32 who(u8 vector)
{
	u32 mask = 0;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		if (lapic_highest_irr(lapic(i)) == vector) {
			mask |= BIT(i);
			lapic_ack(lapic(i), vector);
			lapic_eoi(lapic(i));
		}
	return mask;
}

static int setup(void **state)
{
	unsigned int i;

	vm = fake_vm_create(VCPUS);
	for (i = 0; i < VCPUS; i++)
		wr(i, LAPIC_REG_SVR, 0x1ff);
	fake_vm_forget(vm);
	return 0;
}

static int teardown(void **state)
{
	fake_vm_destroy(vm);
	return 0;
}

static void reset_values(void **state)
{
	u32 reg;

	lapic_reset(lapic(0), false);
	lapic_reset(lapic(3), false);
	assert_int_equal(rd(3, LAPIC_REG_ID), 3u << 24);
	assert_int_equal(rd(3, LAPIC_REG_VERSION), 0x01050014);
	assert_int_equal(rd(3, LAPIC_REG_SVR), 0xff);
	assert_int_equal(rd(3, LAPIC_REG_DFR), ~0u);
	assert_int_equal(rd(3, LAPIC_REG_LDR), 0);
	assert_int_equal(rd(3, LAPIC_REG_TPR), 0);
	for (reg = LAPIC_REG_LVTT; reg <= LAPIC_REG_LVT_ERROR; reg += 16) {
		assert_int_equal(rd(3, reg), LAPIC_LVT_MASKED);
		if (reg != LAPIC_REG_LVT0)
			assert_int_equal(rd(0, reg), LAPIC_LVT_MASKED);
	}
	/* The bootstrap processor hears the PIC without further ado. */
	assert_int_equal(rd(0, LAPIC_REG_LVT0), 0x700);
	assert_true(lapic_accepts_pic(lapic(0)));
	assert_false(lapic_accepts_pic(lapic(3)));
	wr(0, LAPIC_REG_LVT0, 0x10700);
	assert_false(lapic_accepts_pic(lapic(0)));
	lapic_set_base(lapic(0), 0xfee00100);
	assert_true(lapic_accepts_pic(lapic(0)));
}

static void init_keeps_the_base(void **state)
{
	x2apic(3);
	assert_int_equal(wrx(3, LAPIC_REG_TPR, 0x20), 0);
	lapic_reset(lapic(3), true);
	assert_true(lapic_x2apic(lapic(3)));
	assert_int_equal(rdx(3, LAPIC_REG_TPR), 0);
	assert_int_equal(rdx(3, LAPIC_REG_LDR), BIT(3));
	lapic_reset(lapic(3), false);
	assert_false(lapic_x2apic(lapic(3)));
}

static void page_accesses(void **state)
{
	u64 val = ~0ULL;
	u8 byte;

	assert_true(lapic_in_mmio(lapic(0), 0xfee00000));
	assert_true(lapic_in_mmio(lapic(0), 0xfee00fff));
	assert_false(lapic_in_mmio(lapic(0), 0xfee01000));
	assert_false(lapic_in_mmio(lapic(0), 0xfedff000));
	lapic_set_base(lapic(0), 0x1fee5000 | LAPIC_BASE_ENABLE);
	assert_true(lapic_in_mmio(lapic(0), 0x1fee5010));
	assert_false(lapic_in_mmio(lapic(0), 0xfee00000));

	assert_true(lapic_mmio_read(lapic(1), LAPIC_REG_ID + 3, 1, &byte));
	assert_int_equal(byte, 1);
	assert_true(lapic_mmio_read(lapic(1), LAPIC_REG_ID, 8, &val));
	assert_int_equal(val, 0);
	/* Stores that are not 32 bits wide and aligned are dropped. */
	val = 0x20;
	assert_true(lapic_mmio_write(lapic(1), LAPIC_REG_TPR, 1, &val));
	assert_true(lapic_mmio_write(lapic(1), LAPIC_REG_TPR, 8, &val));
	assert_true(lapic_mmio_write(lapic(1), LAPIC_REG_TPR + 1, 4, &val));
	assert_int_equal(rd(1, LAPIC_REG_TPR), 0);
	/* Not there in x2APIC mode, nor when disabled. */
	x2apic(1);
	assert_false(lapic_mmio_read(lapic(1), LAPIC_REG_ID, 4, &val));
	assert_false(lapic_mmio_write(lapic(1), LAPIC_REG_TPR, 4, &val));
	assert_false(lapic_in_mmio(lapic(1), 0xfee00000));
	lapic_set_base(lapic(1), 0xfee00000);
	assert_false(lapic_mmio_read(lapic(1), LAPIC_REG_ID, 4, &val));
	assert_false(lapic_in_mmio(lapic(1), 0xfee00000));
}

static void read_only_registers(void **state)
{
	wr(1, LAPIC_REG_ID, 0x77000000);
	assert_int_equal(rd(1, LAPIC_REG_ID), 1u << 24);
	wr(1, LAPIC_REG_VERSION, 0);
	assert_int_equal(rd(1, LAPIC_REG_VERSION), 0x01050014);
	wr(1, LAPIC_REG_IRR, ~0u);
	assert_int_equal(lapic_highest_irr(lapic(1)), -1);
	wr(1, LAPIC_REG_ESR, 0);
	assert_int_equal(rd(1, LAPIC_REG_ESR), 0);
	wr(1, LAPIC_REG_LDR, ~0u);
	assert_int_equal(rd(1, LAPIC_REG_LDR), 0xff000000);
	wr(1, LAPIC_REG_DFR, 0);
	assert_int_equal(rd(1, LAPIC_REG_DFR), 0x0fffffff);
}

static void priorities(void **state)
{
	lapic_set_irr(lapic(1), 0x45, false);
	lapic_set_irr(lapic(1), 0x31, false);
	lapic_set_irr(lapic(1), 0x48, false);
	assert_int_equal(vm->vcpus[1].notified, 3);
	assert_int_equal(take(1), 0x48);
	assert_int_equal(rd(1, LAPIC_REG_PPR), 0x40);
	/* The same class waits, the next does not. */
	assert_int_equal(take(1), -1);
	lapic_set_irr(lapic(1), 0x50, false);
	assert_int_equal(take(1), 0x50);
	assert_int_equal(rd(1, LAPIC_REG_ISR + 0x20), BIT(8) | BIT(16));
	fake_vm_forget(vm);
	wr(1, LAPIC_REG_EOI, 0);
	assert_int_equal(vm->last_eoi, 0x50);
	assert_int_equal(vm->vcpus[1].notified, 0);
	wr(1, LAPIC_REG_EOI, 0);
	assert_int_equal(vm->vcpus[1].notified, 1);
	assert_int_equal(take(1), 0x45);
	wr(1, LAPIC_REG_EOI, 0);
	assert_int_equal(take(1), 0x31);
	wr(1, LAPIC_REG_EOI, 0);
	wr(1, LAPIC_REG_EOI, 0);	/* nothing in service: nothing happens */
	assert_int_equal(vm->eois, 4);
}

static void task_priority(void **state)
{
	wr(1, LAPIC_REG_TPR, 0x45);
	assert_int_equal(rd(1, LAPIC_REG_PPR), 0x45);
	lapic_set_irr(lapic(1), 0x4f, false);
	assert_int_equal(take(1), -1);
	assert_int_equal(lapic_highest_irr(lapic(1)), 0x4f);
	lapic_set_irr(lapic(1), 0x50, false);
	assert_int_equal(take(1), 0x50);
	assert_int_equal(rd(1, LAPIC_REG_PPR), 0x50);
	wr(1, LAPIC_REG_EOI, 0);
	fake_vm_forget(vm);
	lapic_set_cr8(lapic(1), 3);
	assert_int_equal(rd(1, LAPIC_REG_TPR), 0x30);
	assert_int_equal(lapic_get_cr8(lapic(1)), 3);
	assert_int_equal(vm->vcpus[1].notified, 1);
	assert_int_equal(take(1), 0x4f);
	lapic_set_cr8(lapic(1), 15);
	wr(1, LAPIC_REG_EOI, 0);
	lapic_set_irr(lapic(1), 0xff, false);
	assert_int_equal(take(1), -1);
}

static void all_vectors(void **state)
{
	int v;

	for (v = 16; v < 256; v++)
		assert_true(lapic_set_irr(lapic(1), v, v & 1));
	for (v = 16; v < 256; v++)
		assert_false(lapic_set_irr(lapic(1), v, v & 1));
	for (v = 255; v >= 16; v--) {
		assert_int_equal(take(1), v);
		fake_vm_forget(vm);
		wr(1, LAPIC_REG_EOI, 0);
		assert_int_equal(vm->last_eoi, v);
		assert_int_equal(vm->last_eoi_level, v & 1);
	}
	assert_int_equal(take(1), -1);
}

static void software_disable(void **state)
{
	lapic_set_irr(lapic(1), 0x60, false);
	wr(1, LAPIC_REG_LVT1, 0x400);
	wr(1, LAPIC_REG_SVR, 0xff);
	assert_int_equal(rd(1, LAPIC_REG_LVT1), 0x10400);
	wr(1, LAPIC_REG_LVT1, 0x400);		/* stays masked */
	assert_int_equal(rd(1, LAPIC_REG_LVT1), 0x10400);
	ipi(0, 1, 0x4071);
	ipi(0, 1, 0x4400);
	assert_int_equal(vm->vcpus[1].nmis, 1);	/* NMI, INIT, SIPI still come */
	assert_int_equal(take(1), 0x60);	/* what was pending is held */
	assert_int_equal(take(1), -1);
	wr(1, LAPIC_REG_SVR, 0x1ff);
	assert_int_equal(rd(1, LAPIC_REG_LVT1), 0x10400);
	ipi(0, 1, 0x4071);
	assert_int_equal(take(1), 0x71);
}

static void hardware_disable(void **state)
{
	lapic_set_irr(lapic(1), 0x60, false);
	lapic_set_base(lapic(1), 0xfee00000);
	assert_false(lapic_enabled(lapic(1)));
	assert_int_equal(lapic_next_irq(lapic(1)), -1);
	ipi(0, 1, 0x4500);
	assert_int_equal(vm->vcpus[1].init_sipis, 0);
	lapic_set_base(lapic(1), 0xfee00000 | LAPIC_BASE_ENABLE);
	assert_int_equal(lapic_next_irq(lapic(1)), -1);
	assert_int_equal(rd(1, LAPIC_REG_SVR), 0xff);
}

static void physical_destination(void **state)
{
	ipi(0, 5, 0x4041);
	assert_int_equal(who(0x41), BIT(5));
	ipi(0, 0, 0x4041);
	assert_int_equal(who(0x41), BIT(0));
	ipi(0, 100, 0x4041);
	assert_int_equal(who(0x41), 0);
	ipi(0, 0xff, 0x4041);
	assert_int_equal(who(0x41), 0xff);
	/* The trigger mode means nothing but with INIT: this is an edge. */
	ipi(0, 5, 0xc041);
	assert_int_equal(who(0x41), BIT(5));
	assert_false(vm->last_eoi_level);
	ipi(0, 5, 0x8041);
	assert_int_equal(who(0x41), BIT(5));
}

static void shorthands(void **state)
{
	ipi(2, 5, 0x44041);
	assert_int_equal(who(0x41), BIT(2));
	ipi(2, 5, 0x84041);
	assert_int_equal(who(0x41), 0xff);
	ipi(2, 5, 0xc4041);
	assert_int_equal(who(0x41), 0xff & ~BIT(2));
}

static void logical_flat(void **state)
{
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		wr(i, LAPIC_REG_LDR, BIT(i) << 24);
	ipi(0, 0x25, 0x4841);
	assert_int_equal(who(0x41), 0x25);
	ipi(0, 0xff, 0x4841);
	assert_int_equal(who(0x41), 0xff);
	ipi(0, 0, 0x4841);
	assert_int_equal(who(0x41), 0);
}

static void logical_cluster(void **state)
{
	unsigned int i;

	for (i = 0; i < VCPUS; i++) {
		wr(i, LAPIC_REG_DFR, 0x0fffffff);
		wr(i, LAPIC_REG_LDR, (i / 4 << 4 | BIT(i % 4)) << 24);
	}
	ipi(0, 0x05, 0x4841);
	assert_int_equal(who(0x41), 0x05);
	ipi(0, 0x1a, 0x4841);
	assert_int_equal(who(0x41), 0xa0);
	ipi(0, 0x2f, 0x4841);
	assert_int_equal(who(0x41), 0);
	ipi(0, 0xff, 0x4841);
	assert_int_equal(who(0x41), 0xff);
	/* An undefined model matches nothing. */
	wr(0, LAPIC_REG_DFR, 0x5fffffff);
	ipi(1, 0x01, 0x4841);
	assert_int_equal(who(0x41), 0);
}

static void lowest_priority(void **state)
{
	unsigned int i;
	u32 seen = 0;

	for (i = 0; i < VCPUS; i++) {
		wr(i, LAPIC_REG_LDR, BIT(i) << 24);
		wr(i, LAPIC_REG_TPR, i == 6 ? 0x20 : 0x30);
	}
	ipi(0, 0xff, 0x4941);
	assert_int_equal(who(0x41), BIT(6));
	ipi(0, 0x0f, 0x4941);
	assert_int_equal(__builtin_popcount(who(0x41)), 1);
	/* Equals share the vectors. */
	for (i = 0x50; i < 0x90; i++) {
		ipi(0, 0x0f, 0x4900 | i);
		seen |= who(i);
	}
	assert_int_equal(seen, 0x0f);
	/* In service counts as the task's priority does. */
	for (i = 0; i < 4; i++)
		wr(i, LAPIC_REG_TPR, 0);
	for (i = 0; i < 3; i++) {
		lapic_set_irr(lapic(i), 0x80, false);
		assert_int_equal(take(i), 0x80);
	}
	ipi(0, 0x0f, 0x4991);
	assert_int_equal(lapic_highest_irr(lapic(3)), 0x91);
	/* Disabled ones take no part. */
	wr(3, LAPIC_REG_SVR, 0xff);
	ipi(0, 0x08, 0x4992);
	assert_int_equal(lapic_highest_irr(lapic(3)), 0x91);
}

static void init_and_sipi(void **state)
{
	u8 vector = 0;

	ipi(0, 3, 0xc500);			/* INIT, level assert */
	assert_int_equal(vm->vcpus[3].init_sipis, 1);
	ipi(0, 3, 0x8500);			/* de-assert */
	assert_int_equal(vm->vcpus[3].init_sipis, 1);
	assert_true(lapic_init_sipi_pending(lapic(3), false));
	ipi(0, 3, 0x4699);
	/* Both latched: INIT first, then the SIPI after it. */
	assert_int_equal(lapic_take_init_sipi(lapic(3), &vector, false),
			 LAPIC_EVENT_INIT | LAPIC_EVENT_SIPI);
	assert_int_equal(vector, 0x99);
	assert_int_equal(lapic_take_init_sipi(lapic(3), &vector, true), 0);

	/* A SIPI without INIT is for one that waits. */
	ipi(0, 3, 0x4612);
	assert_false(lapic_init_sipi_pending(lapic(3), false));
	assert_true(lapic_init_sipi_pending(lapic(3), true));
	assert_int_equal(lapic_take_init_sipi(lapic(3), &vector, false), 0);
	ipi(0, 3, 0x4612);
	assert_int_equal(lapic_take_init_sipi(lapic(3), &vector, true),
			 LAPIC_EVENT_SIPI);
	assert_int_equal(vector, 0x12);
	/* INIT after SIPI voids it. */
	ipi(0, 3, 0x4612);
	ipi(0, 3, 0x4500);
	assert_int_equal(lapic_take_init_sipi(lapic(3), &vector, true),
			 LAPIC_EVENT_INIT);
	/* What is latched survives the reset by INIT. */
	ipi(0, 3, 0x4612);
	lapic_reset(lapic(3), true);
	assert_true(lapic_init_sipi_pending(lapic(3), true));
}

static void nmi_and_the_rest(void **state)
{
	fake_vm_forget(vm);
	ipi(0, 0, 0xc4400);
	assert_int_equal(vm->vcpus[0].nmis, 0);
	assert_int_equal(vm->vcpus[7].nmis, 1);
	ipi(0, 1, 0x4200);
	assert_int_equal(vm->vcpus[1].smis, 1);
	ipi(0, 0, 0xc4200);
	assert_int_equal(vm->vcpus[0].smis, 0);
	assert_int_equal(vm->vcpus[1].smis, 2);
	assert_int_equal(vm->vcpus[1].nmis, 1);
	ipi(0, 1, 0x4300);
	ipi(0, 1, 0x4741);
	assert_int_equal(lapic_highest_irr(lapic(1)), -1);
}

static void errors(void **state)
{
	u32 dummy;

	wr(1, LAPIC_REG_LVT_ERROR, 0xfe);
	ipi(1, 2, 0x4005);
	assert_int_equal(rd(1, LAPIC_REG_ESR), 0);
	assert_int_equal(take(1), 0xfe);
	wr(1, LAPIC_REG_EOI, 0);
	wr(1, LAPIC_REG_ESR, 0);
	assert_int_equal(rd(1, LAPIC_REG_ESR), LAPIC_ESR_SEND_ILLEGAL);
	wr(1, LAPIC_REG_ESR, 0);
	assert_int_equal(rd(1, LAPIC_REG_ESR), 0);
	/* A register that is not there. */
	lapic_mmio_read(lapic(1), 0x70, 4, &dummy);
	assert_int_equal(dummy, 0);
	wr(1, 0x3f0, 0x41);
	wr(1, 0xff0, 1);
	wr(1, LAPIC_REG_ESR, 0);
	assert_int_equal(rd(1, LAPIC_REG_ESR), LAPIC_ESR_REGISTER);
	assert_int_equal(take(1), 0xfe);
	/* An illegal vector that is received. */
	lapic_deliver(vm, NULL, &(struct lapic_msg) {
		.dest = 1, .vector = 3, .assert = true });
	wr(1, LAPIC_REG_ESR, 0);
	assert_int_equal(rd(1, LAPIC_REG_ESR), LAPIC_ESR_RECV_ILLEGAL);
	/* An error whose own vector is illegal does not go round. */
	wr(1, LAPIC_REG_LVT_ERROR, 0x0e);
	ipi(1, 2, 0x4005);
	wr(1, LAPIC_REG_ESR, 0);
	assert_int_equal(rd(1, LAPIC_REG_ESR),
			 LAPIC_ESR_SEND_ILLEGAL | LAPIC_ESR_RECV_ILLEGAL);
}

static void x2apic_registers(void **state)
{
	u64 val;
	u32 msr;

	assert_int_equal(lapic_msr_read(lapic(1), 0x802, &val), MSR_FAULT);
	assert_int_equal(lapic_msr_write(lapic(1), 0x808, 0), MSR_FAULT);
	wr(1, LAPIC_REG_LDR, 0x12000000);
	x2apic(1);
	assert_int_equal(rdx(1, LAPIC_REG_ID), 1);
	assert_int_equal(rdx(1, LAPIC_REG_LDR), BIT(1));
	assert_int_equal(x2apic_ldr(0x123), 0x120008);

	for (msr = 0x800; msr < 0x900; msr++) {
		u32 n = msr - 0x800;
		bool r = n == 0x02 || n == 0x03 || n == 0x08 || n == 0x0a ||
			 n == 0x0d || n == 0x0f ||
			 (n >= 0x10 && n <= 0x28) || n == 0x30 ||
			 (n >= 0x32 && n <= 0x39) || n == 0x3e;
		bool w = n == 0x08 || n == 0x0b || n == 0x0f || n == 0x28 ||
			 n == 0x30 || (n >= 0x32 && n <= 0x38) || n == 0x3e ||
			 n == 0x3f;

		assert_int_equal(lapic_msr_read(lapic(1), msr, &val),
				 r ? 0 : MSR_FAULT);
		/* ICR and SELF IPI with 0 are an error of another kind. */
		assert_int_equal(lapic_msr_write(lapic(1), msr, 0),
				 w ? 0 : MSR_FAULT);
	}
	assert_int_equal(lapic_msr_read(lapic(1), 0x7ff, &val), MSR_FAULT);
	assert_int_equal(lapic_msr_read(lapic(1), 0x900, &val), MSR_FAULT);
	assert_int_equal(lapic_msr_read(lapic(1), ~0u, &val), MSR_FAULT);
}

static void x2apic_reserved_bits(void **state)
{
	static const struct {
		u32 reg;
		u64 good, bad;
	} t[] = {
		{ LAPIC_REG_TPR, 0xff, 0x100 },
		{ LAPIC_REG_EOI, 0, 1 },
		{ LAPIC_REG_SVR, 0x13ff, 0x400 },
		{ LAPIC_REG_ESR, 0, 1 },
		{ LAPIC_REG_LVTT, 0x400ff, 0x80000 },
		{ LAPIC_REG_LVTT, 0x210ff, 0x700 },
		{ LAPIC_REG_LVT_THERMAL, 0x107ff, 0x2000 },
		{ LAPIC_REG_LVT0, 0x1e7ff, 0x20000 },
		{ LAPIC_REG_LVT1, 0x1f7ff, 0x800 },
		{ LAPIC_REG_LVT_ERROR, 0x110ff, 0x100 },
		{ LAPIC_REG_TMICT, 0xffffffff, 1ULL << 32 },
		{ LAPIC_REG_TDCR, 0xb, 4 },
		{ LAPIC_REG_SELF_IPI, 0xff, 0x100 },
		{ LAPIC_REG_ICR, 0xff000000000c4541ULL, 0x2000 },
		{ LAPIC_REG_ICR, 0x5041, 0x10000 },
		{ LAPIC_REG_ICR, 0x44041, 0x80000000 },
	};
	unsigned int i;

	x2apic(1);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(wrx(1, t[i].reg, t[i].good), 0);
		assert_int_equal(wrx(1, t[i].reg, t[i].bad), MSR_FAULT);
		assert_int_equal(wrx(1, t[i].reg, t[i].good | t[i].bad),
				 MSR_FAULT);
		if (t[i].reg != LAPIC_REG_ICR)
			assert_int_equal(wrx(1, t[i].reg, t[i].good |
					     1ULL << 63), MSR_FAULT);
	}
	vm->no_deadline = true;
	assert_int_equal(wrx(1, LAPIC_REG_LVTT, 0x40000), MSR_FAULT);
	assert_int_equal(wrx(1, LAPIC_REG_LVTT, 0x20000), 0);
}

static void x2apic_ipis(void **state)
{
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		x2apic(i);
	assert_int_equal(wrx(0, LAPIC_REG_ICR, 5ULL << 32 | 0x4041), 0);
	assert_int_equal(who(0x41), BIT(5));
	assert_int_equal(rdx(0, LAPIC_REG_ICR), 5ULL << 32 | 0x4041);
	wrx(0, LAPIC_REG_ICR, 0xffffffffULL << 32 | 0x4041);
	assert_int_equal(who(0x41), 0xff);
	wrx(0, LAPIC_REG_ICR, 0xffULL << 32 | 0x4041);
	assert_int_equal(who(0x41), 0);
	/* Logical: cluster 0, members by bits. */
	wrx(0, LAPIC_REG_ICR, 0x000000a5ULL << 32 | 0x4841);
	assert_int_equal(who(0x41), 0xa5);
	wrx(0, LAPIC_REG_ICR, 0x000100a5ULL << 32 | 0x4841);
	assert_int_equal(who(0x41), 0);
	wrx(0, LAPIC_REG_ICR, 0xffffffffULL << 32 | 0x4841);
	assert_int_equal(who(0x41), 0xff);
	wrx(0, LAPIC_REG_ICR, 0x000000f0ULL << 32 | 0x4941);
	assert_int_equal(__builtin_popcount(who(0x41)), 1);
	wrx(3, LAPIC_REG_SELF_IPI, 0x55);
	assert_int_equal(who(0x55), BIT(3));
	wrx(3, LAPIC_REG_SELF_IPI, 0x05);
	wrx(3, LAPIC_REG_ESR, 0);
	assert_int_equal(rdx(3, LAPIC_REG_ESR), LAPIC_ESR_SEND_ILLEGAL);
	wrx(3, LAPIC_REG_ICR, 0xc4041);
	assert_int_equal(who(0x41), 0xf7);
	/* One that is not an x2APIC has no such logical id. */
	lapic_reset(lapic(5), false);
	wr(5, LAPIC_REG_SVR, 0x1ff);
	wrx(0, LAPIC_REG_ICR, 0x000000a5ULL << 32 | 0x4841);
	assert_int_equal(who(0x41), 0x85);
}

static void high_ids(void **state)
{
	struct lapic *high = fake_vm_add(vm, 0x123);
	struct lapic *ap = fake_vm_add(vm, 0x105);
	u32 on = 0x1ff;

	lapic_mmio_write(high, LAPIC_REG_SVR, 4, &on);
	lapic_mmio_write(ap, LAPIC_REG_SVR, 4, &on);
	x2apic(0);
	/* Those above 255 answer to their full id only, in xAPIC mode too. */
	wrx(0, LAPIC_REG_ICR, 0x123ULL << 32 | 0x4500);
	assert_int_equal(vm->vcpus[VCPUS].init_sipis, 1);
	ipi(1, 5, 0x4041);
	assert_int_equal(who(0x41), BIT(5));
	ipi(1, 0x23, 0x4041);
	assert_int_equal(who(0x41), 0);
	lapic_set_base(high, 0xfee00c00);
	wrx(0, LAPIC_REG_ICR, 0x00120008ULL << 32 | 0x4841);
	assert_int_equal(who(0x41), BIT(VCPUS));
}

static void broadcast_quirk(void **state)
{
	struct lapic_msg m = { .dest = 0xff, .vector = 0x41, .assert = true };

	x2apic(1);
	assert_int_equal(lapic_deliver(vm, NULL, &m), VCPUS);
	who(0x41);
	vm->x2apic_api = KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
	assert_int_equal(lapic_deliver(vm, NULL, &m), VCPUS - 1);
	assert_int_equal(who(0x41), 0xff & ~BIT(1));
}

static void state_round_trip(void **state)
{
	struct kvm_lapic_state saved, again;
	u64 base = 0xfee00000 | LAPIC_BASE_ENABLE;

	wr(1, LAPIC_REG_TPR, 0x20);
	wr(1, LAPIC_REG_LDR, 0x02000000);
	wr(1, LAPIC_REG_LVT1, 0x400);
	wr(1, LAPIC_REG_LVT_ERROR, 0xfe);
	lapic_set_irr(lapic(1), 0x61, true);
	assert_int_equal(take(1), 0x61);
	lapic_set_irr(lapic(1), 0x55, false);
	wr(1, LAPIC_REG_ICR2, 0x12000000);
	lapic_get_state(lapic(1), &saved);

	lapic_reset(lapic(1), false);
	saved.regs[LAPIC_REG_ICR2] = 0xff;	/* reserved here */
	assert_int_equal(lapic_set_state(lapic(1), &saved), 0);
	saved.regs[LAPIC_REG_ICR2] = 0;
	lapic_get_state(lapic(1), &again);
	assert_memory_equal(&saved, &again, sizeof(saved));
	assert_int_equal(rd(1, LAPIC_REG_PPR), 0x60);
	assert_int_equal(take(1), -1);
	wr(1, LAPIC_REG_EOI, 0);
	assert_true(vm->last_eoi_level);
	assert_int_equal(take(1), 0x55);

	/* The id belongs to the vCPU. */
	assert_int_equal(lapic_set_state(lapic(2), &saved), -EINVAL);
	/* x2APIC: in the old format until userspace asks for the new. */
	lapic_set_base(lapic(1), base | LAPIC_BASE_X2APIC);
	lapic_get_state(lapic(1), &saved);
	assert_int_equal(*(u32 *)(saved.regs + LAPIC_REG_ID), 1u << 24);
	assert_int_equal(lapic_set_state(lapic(1), &saved), 0);
	vm->x2apic_api = KVM_X2APIC_API_USE_32BIT_IDS;
	assert_int_equal(lapic_set_state(lapic(1), &saved), -EINVAL);
	lapic_get_state(lapic(1), &saved);
	assert_int_equal(*(u32 *)(saved.regs + LAPIC_REG_ID), 1);
	wrx(1, LAPIC_REG_ICR, 0x12345678ULL << 32 | 0x4041);
	lapic_get_state(lapic(1), &saved);
	lapic_reset(lapic(1), true);
	assert_int_equal(lapic_set_state(lapic(1), &saved), 0);
	assert_int_equal(rdx(1, LAPIC_REG_ICR), 0x12345678ULL << 32 | 0x4041);
	assert_int_equal(rdx(1, LAPIC_REG_LDR), BIT(1));
}

static void hostile_state(void **state)
{
	struct kvm_lapic_state s;
	unsigned int i, n;

	memset(&s, 0xff, sizeof(s));
	*(u32 *)(s.regs + LAPIC_REG_ID) = 1u << 24;
	assert_int_equal(lapic_set_state(lapic(1), &s), 0);
	assert_int_equal(rd(1, LAPIC_REG_IRR), ~0u);
	assert_int_equal(rd(1, LAPIC_REG_ISR), ~0u);
	for (i = 0; i < 300; i++)
		wr(1, LAPIC_REG_EOI, 0);
	assert_int_equal(rd(1, LAPIC_REG_ISR), 0);

	/* Vectors below 16 stay where they are: no priority is below theirs. */
	memset(s.regs + LAPIC_REG_IRR, 0, 8 * 16);
	memset(s.regs + LAPIC_REG_ISR, 0, 8 * 16);
	memset(s.regs + LAPIC_REG_TPR, 0, 4);
	*(u32 *)(s.regs + LAPIC_REG_IRR) = 0xffff;
	assert_int_equal(lapic_set_state(lapic(1), &s), 0);
	assert_int_equal(rd(1, LAPIC_REG_IRR), 0xffff);
	assert_int_equal(take(1), -1);

	srand(1);
	for (i = 0; i < 30000; i++) {
		unsigned int cpu = rand() % VCPUS;
		u64 val = (u64)rand() << 32 ^ rand();
		u8 vector;

		switch (rand() % 8) {
		case 0:
			lapic_mmio_write(lapic(cpu), rand() % 0x1000, 4, &val);
			break;
		case 1:
			lapic_mmio_write(lapic(cpu), rand() % 0x40 * 16, 4, &val);
			break;
		case 2:
			lapic_msr_write(lapic(cpu), 0x800 + rand() % 0x40,
					rand() % 2 ? val : val & 0xff);
			lapic_msr_read(lapic(cpu), 0x800 + rand() % 0x40, &val);
			break;
		case 3:
			lapic_mmio_read(lapic(cpu), rand() % 0x1000,
					1 << rand() % 4, &val);
			break;
		case 4:
			take(cpu);
			lapic_take_init_sipi(lapic(cpu), &vector, rand() & 1);
			break;
		case 5:
			fake_clock_advance(rand() % 1000000);
			fake_take_timer(&vm->vcpus[cpu]);
			lapic_set_tsc_deadline(lapic(cpu), val);
			break;
		case 6:
			if (!(rand() % 20))
				lapic_set_base(lapic(cpu), 0xfee00000 |
					       (rand() % 3 ?
						LAPIC_BASE_ENABLE : 0) |
					       (rand() % 2 ?
						LAPIC_BASE_X2APIC : 0));
			break;
		case 7:
			for (n = 0; n < sizeof(s); n++)
				((u8 *)&s)[n] = rand();
			s.regs[LAPIC_REG_ID + 3] = cpu;
			if (!(rand() % 20))
				lapic_set_state(lapic(cpu), &s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(reset_values),
		TEST(init_keeps_the_base),
		TEST(page_accesses),
		TEST(read_only_registers),
		TEST(priorities),
		TEST(task_priority),
		TEST(all_vectors),
		TEST(software_disable),
		TEST(hardware_disable),
		TEST(physical_destination),
		TEST(shorthands),
		TEST(logical_flat),
		TEST(logical_cluster),
		TEST(lowest_priority),
		TEST(init_and_sipi),
		TEST(nmi_and_the_rest),
		TEST(errors),
		TEST(x2apic_registers),
		TEST(x2apic_reserved_bits),
		TEST(x2apic_ipis),
		TEST(high_ids),
		TEST(broadcast_quirk),
		TEST(state_round_trip),
		TEST(hostile_state),
	};

	return cmocka_run_group_tests_name("lapic", tests, NULL, NULL);
}
