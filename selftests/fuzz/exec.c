// SPDX-License-Identifier: GPL-2.0-only
/* What each instruction of a program means. */
#include <endian.h>
#include <linux/kvm.h>
#include <string.h>

#include "driver.h"
#include "fake_kvm.h"
#include "guest.h"
#include "sched.h"
#include "target.h"
#include "vmm/chipset/chipset.h"
#include "vmm/memory.h"

#define DEVICES_FROM	1	/* slot 0 is the host's bridge */
#define EDGE		0x2000	/* how close "close to" is */
#define FWCFG_BYTES	256	/* read one by one, at most */
#define FWCFG_COPY	0x10000

static const struct insn *program;
static size_t left;

void exec_begin(const struct insn *insn, size_t nr)
{
	program = insn;
	left = nr;
	driver_begin();
}

/* 1, 2, 4, 8 bytes. */
static unsigned int len_of(const struct insn *i)
{
	return 1U << (i->a & 3);
}

/*
 * An address in 32 bits, the places that matter near each other: a mutation that is
 * small stays in one of them.
 */
static u64 gpa_of(u32 code)
{
	u64 at = code & 0x0fffffff;

	switch (code >> 28) {
	case 1:
		return RINGS + at % RINGS_SIZE;
	case 2:
		return DATA + at % DATA_SIZE;
	case 3:
		return LOW_RAM_MAX - at % EDGE;
	case 4:
		return HIGH_RAM_START + at;
	case 5:
		return HIGH_RAM_START + MEM_SIZE_MIN - at % EDGE;
	case 6:
		return PCI_HOLE_START + at;
	case 7:
		return PCI_HOLE_END + at;
	case 8:
		return ~0ULL - at;
	case 9:
		return at << 36;
	case 10:
		return MEM_SIZE_MIN - at % EDGE;
	case 11:
		return FIRMWARE_END - 1 - at;
	default:
		return at;
	}
}

/* Raw if it is longer than a code. */
static u64 gpa64_of(u64 code)
{
	return code >> 32 ? code : gpa_of((u32)code);
}

static u8 slot_of(const struct insn *i)
{
	return (u8)(i->b >> 8) + DEVICES_FROM;
}

static u64 bar_at(const struct insn *i)
{
	return guest_bar(slot_of(i), (i->a >> 4) % 6) + i->c;
}

static void do_chain(const struct insn *i)
{
	u8 header[HEADER_MAX] = { 0 };
	struct chain_shape shape = {
		.queue = i->a & 7,
		.indirect = i->a & BIT(3),
		.split = i->a & BIT(4),
		.offer = !(i->a & BIT(5)),
		.nr_out = i->b & 15,
		.nr_in = i->b >> 4 & 15,
		.len = i->c,
		.status = target.status && !(i->b & BIT(8)),
		.place = i->b >> 10 & 7,
		.header = header,
	};

	if (target.header && !(i->b & BIT(9)))
		shape.header_len = target.header(header, shape.queue, i->d);
	driver_chain(&shape);
	if (i->a & BIT(6)) {
		driver_notify(shape.queue, 2);
		guest_yield(2);
	}
}

/* The next instructions are data. */
static void do_data(const struct insn *i)
{
	size_t nr = min((size_t)i->a, left);

	guest_ram_write(gpa_of(i->c), program, nr * sizeof(*program));
	program += nr;
	left -= nr;
}

/* Registers that a report shows, page tables in memory for its walk. */
static void do_exit(const struct insn *i)
{
	static const u32 reasons[] = {
		KVM_EXIT_INTR, KVM_EXIT_IRQ_WINDOW_OPEN, KVM_EXIT_SHUTDOWN,
		KVM_EXIT_INTERNAL_ERROR, KVM_EXIT_FAIL_ENTRY, KVM_EXIT_SYSTEM_EVENT,
		KVM_EXIT_UNKNOWN, KVM_EXIT_HLT, KVM_EXIT_DEBUG,
	};
	struct fake_regs regs = {
		.cr0 = i->b & BIT(0) ? 0x80000001 : 1,
		.cr4 = (i->b & BIT(1) ? BIT(5) : 0) | (i->b & BIT(2) ? BIT(12) : 0),
		.efer = i->b & BIT(3) ? 0x500 : 0,
		.cr3 = gpa_of(i->c), .rip = i->d, .rsp = i->d,
	};

	fake_kvm_set_regs(&regs);
	guest_exit(reasons[i->a % ARRAY_SIZE(reasons)], i->b >> 8);
}

/*
 * A request of fw_cfg's. a: what it asks for, and from bit 5 on where it lies: well, beyond the
 * end of memory, where its own answer goes; by the data port, then. b: key; c: bytes: few, or
 * more than there is memory, for to fill all of it takes that of the host; d: where to.
 */
static void do_fwcfg(const struct insn *i)
{
	struct {
		u32 control, length;
		u64 address;
	} req = {
		htobe32((u32)i->b << 16 | (i->a & 31)),
		htobe32(i->c & BIT(31) ? i->c | 0xf0000000 : i->c % FWCFG_COPY),
		htobe64(gpa64_of(i->d)),
	};
	const u64 at[] = { DATA, MEM_SIZE_MIN - 8, gpa64_of(i->d) };
	unsigned int how = i->a >> 5 & 3;
	u32 n;

	if (how < ARRAY_SIZE(at)) {
		guest_ram_write(at[how], &req, sizeof(req));
		if (at[how] >> 32 || i->a & BIT(7))
			guest_out(PORT_FWCFG + 4, 4, htobe32((u32)(at[how] >> 32)), 1);
		guest_out(PORT_FWCFG + 8, 4, htobe32((u32)at[how]), 1);
		return;
	}
	guest_out(PORT_FWCFG, 2, i->b, 1);
	for (n = 0; n < i->c % FWCFG_BYTES; n++)
		guest_in(PORT_FWCFG + 1, 1);
}

static void do_access(const struct insn *i, enum op op)
{
	switch (op) {
	case OP_OUT:
		guest_out(i->b, len_of(i), i->d, (i->a >> 2) + 1U);
		break;
	case OP_IN:
		guest_in(i->b, len_of(i));
		break;
	case OP_READ:
		guest_read(gpa_of(i->c), len_of(i));
		break;
	case OP_WRITE:
		guest_write(gpa_of(i->c), len_of(i), i->d);
		break;
	case OP_BAR_READ:
		guest_read(bar_at(i), len_of(i));
		break;
	case OP_BAR_WRITE:
		guest_write(bar_at(i), len_of(i), i->d);
		break;
	case OP_CFG_READ:
		guest_cfg_read((u8)(i->b >> 8), (u8)i->b, len_of(i));
		break;
	default:
		guest_cfg_write((u8)(i->b >> 8), (u8)i->b, len_of(i), (u32)i->d);
	}
}

static void do_driver(const struct insn *i, enum op op)
{
	switch (op) {
	case OP_SETUP:
		/* a: device; b: size of queues, status not to set; c, d: features */
		driver_setup((u8)((i->a & 7) + DEVICES_FROM), i->c, i->d, (u16)(i->b & 0xfff),
			     (u8)(15 ^ i->b >> 12));
		break;
	case OP_QUEUE:
		driver_queue(i->a, i->b, (int)(i->c & 3), gpa64_of(i->d));
		break;
	case OP_STATUS:
		driver_status(i->a);
		break;
	case OP_DESC:
		/* b: its number, flags, the next's number less one */
		driver_desc(i->a, i->b & 0xff, gpa64_of(i->d), i->c, i->b >> 8 & 7,
			    (u16)((i->b & 0xff) + 1 + (i->b >> 11)));
		break;
	case OP_AVAIL:
		driver_offer(i->a, i->b, (u16)(1 + i->c));
		break;
	case OP_RING:
		driver_ring(i->a & 15, i->a >> 4, i->b);
		break;
	case OP_NOTIFY:
		driver_notify(i->a & 15, i->b & 1 ? 4 : 2);
		guest_yield(i->b & 2 ? 0 : 2);
		break;
	case OP_MSIX:
		/* An address that is none: d's upper half */
		driver_msix(i->a, 0xfee00000 ^ i->d >> 32, (u32)i->d, i->b & 1);
		break;
	default:
		do_chain(i);
	}
}

static void do_other(const struct insn *i, enum op op)
{
	switch (op) {
	case OP_FILL:
		guest_ram_fill(gpa_of(i->c), i->b, i->d);
		break;
	case OP_DATA:
		do_data(i);
		break;
	case OP_STEP:
		guest_yield(i->a % 8);
		break;
	case OP_TIME:
		sched_advance(i->c % 10000);
		guest_yield(1);
		break;
	case OP_EVENT:
		vm_event(i->a, i->c, i->d);
		guest_yield(i->b & 7);
		break;
	case OP_PREEMPT:
		sched_preempt(i->a);
		break;
	case OP_EXIT:
		do_exit(i);
		break;
	case OP_FWCFG:
		do_fwcfg(i);
		break;
	default:
		break;
	}
}

/* One instruction. Return: whether there was one. */
bool exec_next(void)
{
	const struct insn *i = program;
	enum op op;

	if (!left)
		return false;
	program++;
	left--;
	op = i->op % NR_OPS;
	if (op >= OP_OUT && op <= OP_CFG_WRITE)
		do_access(i, op);
	else if ((op >= OP_SETUP && op <= OP_RING) || op == OP_NOTIFY || op == OP_MSIX)
		do_driver(i, op);
	else
		do_other(i, op);
	return true;
}
