// SPDX-License-Identifier: GPL-2.0-only
/*
 * AVIC: the table and the exits. No machine here has it: its side is played by the test,
 * by the APM's rules, on register pages and table entries.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <asm/svm.h>

#include "core/exit.h"
#include "fake_irq_host.h"
#include "irqchip/irqchip.h"
#include "irqchip/lapic.h"
#include "svm/avic_table.h"

#define VCPUS		3
#define MAX_INDEX	511
#define RUNS		BIT_ULL(62)
#define VALID		BIT_ULL(63)
#define ICR		0x830
#define EOI		0x80b
#define TO(id)		((u64)(id) << 32)
#define OTHERS		(3 << 18)
#define SELF		BIT(18)
#define LOGICAL		BIT(11)
#define FIXED		0x4000

static struct posted_desc nothing;
static u64 table[MAX_INDEX + 1];
static unsigned int doorbells[16];	/* by the host's APIC id */
static struct vm *vm;

static struct lapic *lapic(unsigned int i)
{
	return vm->vcpus[i].lapic;
}

/* Where the register page of a vCPU is said to be, and whose a page is. */
static hpa_t page_of(unsigned int i)
{
	return (hpa_t)(i + 1) << 12;
}

static struct lapic *at_page(u64 entry)
{
	return lapic((entry >> 12 & 0xffffffffffULL) - 1);
}

static int setup(void **state)
{
	unsigned int i;

	memset(table, 0, sizeof(table));
	memset(doorbells, 0, sizeof(doorbells));
	vm = fake_vm_create(VCPUS);
	for (i = 0; i < VCPUS; i++) {
		lapic(i)->irr_open = true;
		lapic(i)->posted = &nothing;
		lapic_set_base(lapic(i), 0xfee00000 | LAPIC_BASE_ENABLE |
			       LAPIC_BASE_X2APIC);
		lapic_msr_write(lapic(i), 0x80f, 0x1ff);
		lapic_set_virt(lapic(i), true);
		avic_entry_init(&table[i], page_of(i));
		avic_entry_takes(&table[i], true);
	}
	fake_vm_forget(vm);
	return 0;
}

static int teardown(void **state)
{
	fake_vm_destroy(vm);
	return 0;
}

static bool irr(unsigned int i, u8 vector)
{
	return lapic_vec_test(lapic(i), LAPIC_REG_IRR, vector);
}

/* A CPU's part: IRR, and then the entry. Return: it runs, as far as is known. */
static bool cpu_sets(u64 *entry, u8 vector)
{
	u64 now = READ_ONCE(*entry);

	set_bit(vector & 31, lapic_vec_word(at_page(now), LAPIC_REG_IRR, vector));
	smp_mb(); /* a locked instruction */
	now = READ_ONCE(*entry);
	if (now & RUNS)
		doorbells[now & 0xf]++;
	return now & RUNS;
}

/* Whom the CPU finds in the table: bits. False: one of them is not there. */
static bool cpu_finds(unsigned int from, u64 icr, u32 *targets)
{
	u32 dest = icr >> 32, bits = dest & 0xffff, i;

	*targets = 0;
	if ((icr & OTHERS) == OTHERS) {
		for (i = 0; i < VCPUS; i++)
			if (i != from && table[i] & VALID)
				*targets |= BIT(i);
		return true;
	}
	if (!(icr & LOGICAL)) {
		*targets = dest < VCPUS ? BIT(dest) : 0;
		return dest <= MAX_INDEX && table[dest] & VALID;
	}
	for (; bits; bits &= bits - 1) {
		i = (dest >> 16 << 4) + __ffs(bits);
		if (i > MAX_INDEX || !(table[i] & VALID))
			return false;
		*targets |= BIT(i);
	}
	return true;
}

/* What core/exit.c does. */
static void core_does(unsigned int i, const struct exit *e)
{
	assert_int_equal(e->kind, EXIT_APIC);
	switch (e->apic.op) {
	case APIC_EXIT_EOI:
		lapic_eoi_virtual(lapic(i), e->apic.vector);
		break;
	case APIC_EXIT_WRITE:
		lapic_virtual_write(lapic(i), e->apic.reg);
		break;
	case APIC_EXIT_WAKE:
		lapic_wake_targets(lapic(i));
		break;
	}
}

/* exit_info_2 >> 32 of the exit that the write of ICR is, -1: it is none. */
static int cpu_sends(unsigned int from, u64 icr)
{
	u32 targets, all;
	int ret = -1;

	if ((icr & 0x700) || (icr & LAPIC_ICR_LEVEL))
		return AVIC_IPI_FAILURE_INVALID_INT_TYPE;
	if ((icr & 0xff) < 16)
		return AVIC_IPI_FAILURE_INVALID_IPI_VECTOR;
	if ((icr & OTHERS) == SELF) {
		set_bit(icr & 31, lapic_vec_word(lapic(from), LAPIC_REG_IRR, icr));
		return -1;
	}
	if (!cpu_finds(from, icr, &targets))
		return AVIC_IPI_FAILURE_INVALID_TARGET;
	for (all = targets; all; all &= all - 1)
		if (!cpu_sets(&table[__ffs(all)], icr))
			ret = AVIC_IPI_FAILURE_TARGET_NOT_RUNNING;
	return ret;
}

/* The guest writes ICR. Return: why that was an exit; -1: it was none. */
static int guest_sends(unsigned int from, u64 icr)
{
	int why = cpu_sends(from, icr);
	struct exit e = { };

	if (why < 0)
		return why;
	avic_decode_ipi(&e, lapic(from), icr | LAPIC_ICR_BUSY, TO(why));
	core_does(from, &e);
	return why;
}

static void layout(void **state)
{
	u64 entry = ~0ULL;
	const u8 *bytes = (const u8 *)&entry;

	avic_entry_init(&entry, 0x000abcdef1234fffULL);
	assert_true(entry == 0x000abcdef1234000ULL);
	avic_entry_takes(&entry, true);
	assert_int_equal(bytes[7], 0x80);	/* bit 63: valid */
	avic_entry_enter(&entry, 0x123);
	assert_int_equal(bytes[7], 0xc0);	/* bit 62: runs */
	assert_int_equal(bytes[0], 0x23);	/* bits 11:0: where */
	assert_int_equal(bytes[1], 0x41);
	assert_true((entry & 0x000ffffffffff000ULL) == 0x000abcdef1234000ULL);
}

static void life(void **state)
{
	u64 page = page_of(0);

	avic_entry_enter(&table[0], 3);
	assert_true(table[0] == (VALID | RUNS | page | 3));
	avic_entry_enter(&table[0], 9);		/* elsewhere */
	assert_true(table[0] == (VALID | RUNS | page | 9));
	avic_entry_takes(&table[0], false);
	assert_true(table[0] == (RUNS | page | 9));
	assert_false(avic_entry_leave(&table[0], lapic(0), true));
	assert_false(table[0] & (RUNS | VALID));
	avic_entry_takes(&table[0], true);
	avic_entry_enter(&table[0], 4);
	assert_true(table[0] == (VALID | RUNS | page | 4));
	/* An id that has no room leaves the page alone. */
	avic_entry_enter(&table[0], 0x1fff);
	assert_true(table[0] == (VALID | RUNS | page | 0xfff));
}

/* Only what would let it run again keeps it from sleep, or it would never sleep. */
static void leaves(void **state)
{
	cpu_sets(&table[0], 0x41);
	assert_false(avic_entry_leave(&table[0], lapic(0), false));
	assert_true(avic_entry_leave(&table[0], lapic(0), true));
	lapic_set_tpr(lapic(0), 0x40);
	assert_false(avic_entry_leave(&table[0], lapic(0), true));
	lapic_set_tpr(lapic(0), 0x30);
	assert_true(avic_entry_leave(&table[0], lapic(0), true));
	assert_false(avic_entry_leave(&table[1], lapic(1), true));
}

static void registers(void **state)
{
	u64 val;
	u32 reg;

	for (reg = 0; reg < 0x400; reg += 16) {
		if (avic_reads_pass(lapic(0), reg)) {
			assert_int_equal(lapic_msr_read(lapic(0), 0x800 + (reg >> 4), &val), 0);
			assert_int_equal(val, lapic_reg(lapic(0), reg));
		}
		assert_int_equal(avic_writes_pass(reg, true), reg == 0x80 || reg == 0x300);
		assert_int_equal(avic_writes_pass(reg, false),
				 reg == 0x80 || reg == 0x300 || reg == 0xb0);
	}
	assert_true(avic_reads_pass(lapic(0), LAPIC_REG_IRR));
	assert_true(avic_reads_pass(lapic(0), LAPIC_REG_TPR));
	assert_false(avic_reads_pass(lapic(0), LAPIC_REG_PPR));
	assert_false(avic_reads_pass(lapic(0), LAPIC_REG_ICR));
	assert_false(avic_reads_pass(lapic(0), LAPIC_REG_TMCCT));
	assert_false(avic_reads_pass(lapic(0), LAPIC_REG_SELF_IPI));
}

static void to_who_runs(void **state)
{
	avic_entry_enter(&table[1], 5);
	assert_int_equal(guest_sends(0, TO(1) | FIXED | 0x41), -1);
	assert_true(irr(1, 0x41));
	assert_int_equal(doorbells[5], 1);
	assert_int_equal(vm->vcpus[1].posted, 0);
	assert_int_equal(lapic_next_irq(lapic(1)), 0x41);
}

static void to_who_does_not(void **state)
{
	assert_int_equal(guest_sends(0, TO(1) | FIXED | 0x41),
			 AVIC_IPI_FAILURE_TARGET_NOT_RUNNING);
	assert_int_equal(vm->vcpus[0].posted, 0);
	assert_int_equal(vm->vcpus[1].posted, 1);
	assert_int_equal(vm->vcpus[2].posted, 0);
	assert_int_equal(lapic_next_irq(lapic(1)), 0x41);
	/* ICR reads as it was written. */
	assert_int_equal(lapic_reg(lapic(0), LAPIC_REG_ICR), FIXED | 0x41);
	assert_int_equal(lapic_reg(lapic(0), LAPIC_REG_ICR2), 1);

	/* It is set once: who has taken it meanwhile does not get it again. */
	lapic_ack(lapic(1), 0x41);
	lapic_wake_targets(lapic(0));
	assert_false(irr(1, 0x41));
}

static void to_several(void **state)
{
	avic_entry_enter(&table[1], 5);
	assert_int_equal(guest_sends(0, FIXED | OTHERS | 0x51),
			 AVIC_IPI_FAILURE_TARGET_NOT_RUNNING);
	assert_true(irr(1, 0x51) && irr(2, 0x51) && !irr(0, 0x51));
	assert_int_equal(vm->vcpus[2].posted, 1);
	assert_int_equal(vm->vcpus[0].posted, 0);
	fake_vm_forget(vm);
	assert_int_equal(guest_sends(0, TO(0x6) | LOGICAL | FIXED | 0x52),
			 AVIC_IPI_FAILURE_TARGET_NOT_RUNNING);
	assert_true(irr(1, 0x52) && irr(2, 0x52));
	assert_int_equal(vm->vcpus[2].posted, 1);
	assert_int_equal(guest_sends(2, FIXED | SELF | 0x53), -1);
	assert_int_equal(lapic_next_irq(lapic(2)), 0x53);
}

/* Software knows better than the table, or nobody is there. */
static void to_who_is_not_there(void **state)
{
	avic_entry_takes(&table[1], false);
	assert_int_equal(guest_sends(0, TO(1) | FIXED | 0x41),
			 AVIC_IPI_FAILURE_INVALID_TARGET);
	assert_true(irr(1, 0x41));
	assert_int_equal(vm->vcpus[1].posted, 1);
	/* Pending already: it is woken all the same. */
	assert_int_equal(guest_sends(0, TO(1) | FIXED | 0x41),
			 AVIC_IPI_FAILURE_INVALID_TARGET);
	assert_int_equal(vm->vcpus[1].posted, 2);

	/* One that takes none gets none. */
	lapic_msr_write(lapic(1), 0x80f, 0xff);
	fake_vm_forget(vm);
	guest_sends(0, TO(1) | FIXED | 0x42);
	assert_false(irr(1, 0x42));
	assert_int_equal(vm->vcpus[1].posted, 0);
	assert_int_equal(guest_sends(0, TO(300) | FIXED | 0x42),
			 AVIC_IPI_FAILURE_INVALID_TARGET);
	assert_int_equal(guest_sends(0, TO(MAX_INDEX + 1) | FIXED | 0x42),
			 AVIC_IPI_FAILURE_INVALID_TARGET);
}

static void other_messages(void **state)
{
	assert_int_equal(guest_sends(0, TO(1) | FIXED | 0x500),
			 AVIC_IPI_FAILURE_INVALID_INT_TYPE);
	assert_int_equal(vm->vcpus[1].init_sipis, 1);
	assert_int_equal(guest_sends(0, TO(2) | FIXED | 0x400),
			 AVIC_IPI_FAILURE_INVALID_INT_TYPE);
	assert_int_equal(vm->vcpus[2].nmis, 1);
	assert_int_equal(guest_sends(0, TO(1) | FIXED | 0x141),	/* lowest priority */
			 AVIC_IPI_FAILURE_INVALID_INT_TYPE);
	assert_true(irr(1, 0x41));
	assert_int_equal(guest_sends(0, TO(1) | FIXED | 5),
			 AVIC_IPI_FAILURE_INVALID_IPI_VECTOR);
	assert_int_equal(lapic(0)->esr_pending, LAPIC_ESR_SEND_ILLEGAL);
	assert_int_equal(vm->vcpus[0].nmis, 0);
}

/* Reasons that are not expected: the IPI is sent. */
static void strange_reasons(void **state)
{
	u32 why;

	for (why = AVIC_IPI_FAILURE_INVALID_BACKING_PAGE; why < 8; why++) {
		struct exit e = { };

		avic_decode_ipi(&e, lapic(0), TO(1) | FIXED | (0x60 + why), TO(why) | 1);
		core_does(0, &e);
		assert_true(irr(1, 0x60 + why));
	}
	assert_int_equal(vm->vcpus[1].posted, 8 - AVIC_IPI_FAILURE_INVALID_BACKING_PAGE);
}

/* By software: straight into IRR, whether it is virtualized or not. */
static void open_irr(void **state)
{
	assert_true(lapic_set_irr(lapic(0), 0x41, false));
	assert_true(irr(0, 0x41));
	assert_int_equal(vm->vcpus[0].posted, 1);
	assert_false(lapic_set_irr(lapic(0), 0x41, false));
	assert_int_equal(vm->vcpus[0].posted, 2);
	lapic_set_virt(lapic(0), false);
	cpu_sets(&table[0], 0x61);	/* of a CPU that knows nothing of it */
	assert_int_equal(lapic_next_irq(lapic(0)), 0x61);
	lapic_ack(lapic(0), 0x61);
	assert_int_equal(lapic_next_irq(lapic(0)), -1);
	lapic_set_virt(lapic(0), true);
	assert_int_equal(lapic_highest_isr(lapic(0)), 0x61);
	lapic_set_virt(lapic(0), false);
	fake_vm_forget(vm);
	assert_int_equal(lapic_msr_write(lapic(0), EOI, 0), 0);
	assert_int_equal(lapic_next_irq(lapic(0)), 0x41);
	assert_true(vm->vcpus[0].notified > 0);
	lapic_reset(lapic(0), true);
	assert_int_equal(lapic_highest_irr(lapic(0)), -1);
}

static void serve(u8 vector, bool level)
{
	lapic_set_irr(lapic(0), vector, level);
	lapic_set_virt(lapic(0), false);
	lapic_ack(lapic(0), vector);
	lapic_set_virt(lapic(0), true);
	fake_vm_forget(vm);
}

static void access_exits(u32 reg, bool write, u64 info2)
{
	struct exit e = { };

	avic_decode_access(&e, lapic(0), (write ? BIT_ULL(32) : 0) | reg, info2);
	core_does(0, &e);
}

static void ends(void **state)
{
	/* Of a level, which the CPU has left in service. */
	serve(0x41, true);
	serve(0x61, true);
	access_exits(LAPIC_REG_EOI, true, 0x61);
	assert_int_equal(vm->last_eoi, 0x61);
	assert_true(vm->last_eoi_level);
	assert_int_equal(lapic_highest_isr(lapic(0)), 0x41);
	/* And which it has not. */
	lapic_reg_set(lapic(0), LAPIC_REG_ISR + 0x20, 0);
	access_exits(LAPIC_REG_EOI, true, 0x41);
	assert_int_equal(vm->eois, 2);
	assert_int_equal(vm->last_eoi, 0x41);
	assert_int_equal(lapic_highest_isr(lapic(0)), -1);

	/* Where EOI exits as a WRMSR: the CPU looks at ISR by itself, nobody is told. */
	serve(0x51, false);
	assert_true(lapic_msr_write_hot(lapic(0), EOI, 0));
	assert_int_equal(lapic_highest_isr(lapic(0)), -1);
	assert_int_equal(vm->vcpus[0].notified, 0);
}

/* By the APM's table of register accesses. */
static void accesses(void **state)
{
	static const u16 traps[] = {
		0x20, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0x280, 0x300, 0x320, 0x330, 0x340,
		0x350, 0x360, 0x370, 0x380, 0x3e0,
	};
	unsigned int next = 0;
	struct exit e;
	u32 reg;

	for (reg = 0; reg < 0x1000; reg += 16) {
		bool trap = next < ARRAY_SIZE(traps) && traps[next] == reg;

		next += trap;
		avic_decode_access(&e, lapic(0), reg, 0);
		assert_int_equal(e.kind, EXIT_RDMSR);
		avic_decode_access(&e, lapic(0), BIT_ULL(32) | reg, 0);
		assert_int_equal(e.kind, trap ? EXIT_APIC : EXIT_WRMSR);
		if (trap)
			assert_int_equal(e.apic.reg, reg);
	}
	assert_int_equal(next, ARRAY_SIZE(traps));

	/* A trap's value is in the page, and is made good there. */
	lapic_reg_set(lapic(0), LAPIC_REG_SVR, ~0u);
	access_exits(LAPIC_REG_SVR, true, 0);
	assert_int_equal(lapic_reg(lapic(0), LAPIC_REG_SVR), LAPIC_SVR_VALID);
	lapic_reg_set(lapic(0), LAPIC_REG_TMICT, 1000);
	access_exits(LAPIC_REG_TMICT, true, 0);
	assert_true(lapic(0)->timer.running);
	assert_int_equal(vm->dest_changes, 1);
}

/* A vCPU that sleeps when nothing is pending; another's CPU that sends it one by one. */

#define ROUNDS	2000

static sem_t bell;
static unsigned long served, woken;
static bool lost;

static void spin(unsigned int times)
{
	while (times--)
		__asm__ volatile("pause");
}

/* On a CPU of its own, where there are several: what is woken would be put here. */
static void stay_on(int nth)
{
	cpu_set_t all, one;
	int cpu;

	sched_getaffinity(0, sizeof(all), &all);
	for (cpu = 0; nth < CPU_COUNT(&all) && cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all) || nth--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		break;
	}
}

static void *sender(void *arg)
{
	unsigned long n, polls = 0;

	stay_on(1);
	for (n = 1; n <= ROUNDS && !READ_ONCE(lost); n++) {
		if (!cpu_sets(&table[1], 16 + n % 240)) {
			__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
			sem_post(&bell);	/* its exit wakes */
		}
		while (__atomic_load_n(&served, __ATOMIC_SEQ_CST) < n && !READ_ONCE(lost))
			if (!(++polls % 1024))
				sched_yield();
		spin(n % 64);
	}
	return NULL;
}

static void guest_serves(void)
{
	int vector;

	while ((vector = lapic_next_irq(lapic(1))) >= 0) {
		clear_bit(vector & 31, lapic_vec_word(lapic(1), LAPIC_REG_IRR, vector));
		__atomic_fetch_add(&served, 1, __ATOMIC_SEQ_CST);
	}
}

static void sleep_until_woken(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	if (sem_timedwait(&bell, &until))
		WRITE_ONCE(lost, true);
}

static void none_is_lost(void **state)
{
	unsigned long kept = 0, slept = 0, i = 0;
	pthread_t thread;

	served = 0;
	woken = 0;
	lost = false;
	sem_init(&bell, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, sender, NULL), 0);
	stay_on(0);
	while (READ_ONCE(served) < ROUNDS && !lost) {
		avic_entry_enter(&table[1], 7);
		guest_serves();
		if (lapic_next_irq(lapic(1)) >= 0)
			continue;	/* it would not go to sleep */
		spin(i++ % 256);	/* its way there takes a while */
		if (avic_entry_leave(&table[1], lapic(1), true)) {
			kept++;		/* it wakes itself */
			continue;
		}
		if (READ_ONCE(served) == ROUNDS)
			break;
		slept++;
		sleep_until_woken();
	}
	pthread_join(thread, NULL);
	assert_false(lost);
	assert_int_equal(served, ROUNDS);
	print_message("# slept %lu, kept awake %lu, woken %lu, doorbells %u\n", slept, kept,
		      woken, doorbells[7]);
	assert_true(woken + doorbells[7] == ROUNDS);
}

/* The same, the race made to happen: between the last look and the entry's change. */
static void doorbell_that_nobody_heard(void **state)
{
	avic_entry_enter(&table[1], 7);
	assert_int_equal(lapic_next_irq(lapic(1)), -1);
	assert_int_equal(guest_sends(0, TO(1) | FIXED | 0x41), -1);
	assert_true(avic_entry_leave(&table[1], lapic(1), true));
	/* And after it: the sender exits. */
	assert_int_equal(guest_sends(0, TO(1) | FIXED | 0x42),
			 AVIC_IPI_FAILURE_TARGET_NOT_RUNNING);
	assert_int_equal(vm->vcpus[1].posted, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(layout),
		TEST(life),
		TEST(leaves),
		TEST(registers),
		TEST(to_who_runs),
		TEST(to_who_does_not),
		TEST(to_several),
		TEST(to_who_is_not_there),
		TEST(other_messages),
		TEST(strange_reasons),
		TEST(open_irr),
		TEST(ends),
		TEST(accesses),
		TEST(none_is_lost),
		TEST(doorbell_that_nobody_heard),
	};

	return cmocka_run_group_tests_name("avic", tests, NULL, NULL);
}
