// SPDX-License-Identifier: GPL-2.0-only
/* Mutations of programs: an instruction is the unit, libFuzzer's own do the rest. */
#include <string.h>

#include "prog.h"
#include "wrap.h"

static u64 state;

static u32 rnd(u32 below)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return below ? (u32)(state >> 33) % below : 0;
}

/* Small, at an edge, of one bit, or anything. */
static u64 value(void)
{
	switch (rnd(5)) {
	case 0:
		return rnd(16);
	case 1:
		return (1ULL << rnd(64)) - rnd(2);
	case 2:
		return (u64)rnd(16) << 28 | rnd(0x4000);
	case 3:
		return 0x1ffULL * rnd(9);
	default:
		return (u64)rnd(~0U) << 32 | rnd(~0U);
	}
}

/* Mostly harmless: what is zero is what a driver does that means well. */
static struct insn fresh(void)
{
	struct insn insn = { .op = (u8)(1 + rnd(NR_OPS - 1)) };

	if (rnd(2))
		insn.a = (u8)value();
	if (rnd(2))
		insn.b = (u16)value();
	if (rnd(2))
		insn.c = (u32)value();
	if (rnd(2))
		insn.d = value();
	return insn;
}

static void change(struct insn *insn)
{
	switch (rnd(7)) {
	case 0:
		insn->op = (u8)rnd(NR_OPS);
		break;
	case 1:
		insn->a ^= (u8)(1 << rnd(8));
		break;
	case 2:
		insn->b = rnd(2) ? (u16)value() : insn->b ^ (u16)(1 << rnd(16));
		break;
	case 3:
		insn->c = rnd(2) ? (u32)value() : insn->c + rnd(3) - 1;
		break;
	case 4:
		insn->d = rnd(2) ? value() : insn->d ^ 1ULL << rnd(64);
		break;
	case 5:
		insn->a = (u8)value();
		break;
	default:
		LLVMFuzzerMutate((u8 *)insn, sizeof(*insn), sizeof(*insn));
	}
}

static size_t insert(struct insn *p, size_t nr, size_t max, const struct insn *new)
{
	size_t at = nr ? 1 + rnd((u32)nr) : 0;

	if (nr >= max)
		return nr;
	memmove(p + at + 1, p + at, (nr - at) * sizeof(*p));
	p[at] = *new;
	return nr + 1;
}

/* A few in a row once more, somewhere else. */
static size_t repeat(struct insn *p, size_t nr, size_t max)
{
	size_t from = rnd((u32)nr), len = 1 + rnd(4), to = rnd((u32)nr + 1);

	len = min(len, nr - from);
	if (nr + len > max)
		return nr;
	memmove(p + to + len, p + to, (nr - to) * sizeof(*p));
	if (from >= to)
		from += len;
	memmove(p + to, p + from, min(len, nr + len - from) * sizeof(*p));
	return nr + len;
}

static size_t take_out(struct insn *p, size_t nr)
{
	size_t at = rnd((u32)nr), len = min((size_t)1 + rnd(3), nr - at);

	if (nr - len < 1)
		return nr;
	memmove(p + at, p + at + len, (nr - at - len) * sizeof(*p));
	return nr - len;
}

static void swap(struct insn *p, size_t nr)
{
	size_t x = rnd((u32)nr), y = rnd((u32)nr);
	struct insn insn = p[x];

	p[x] = p[y];
	p[y] = insn;
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned int seed)
{
	static struct insn p[INSNS_MAX];
	size_t max = min(max_size / sizeof(*p), (size_t)INSNS_MAX);
	size_t nr = min(size / sizeof(*p), max);
	struct insn insn;
	u32 times;

	state = seed;
	memcpy(p, data, nr * sizeof(*p));
	for (times = 1 + rnd(4); times; times--) {
		if (!nr || !rnd(4)) {
			insn = fresh();
			nr = insert(p, nr, max, &insn);
		} else if (!rnd(8)) {
			nr = repeat(p, nr, max);
		} else if (!rnd(8)) {
			nr = take_out(p, nr);
		} else if (!rnd(10)) {
			swap(p, nr);
		} else {
			change(&p[rnd((u32)nr)]);
		}
	}
	memcpy(data, p, nr * sizeof(*p));
	return nr * sizeof(*p);
}

/* The start of one, and from somewhere on the other. */
size_t LLVMFuzzerCustomCrossOver(const u8 *data1, size_t size1, const u8 *data2, size_t size2,
				 u8 *out, size_t max_out, unsigned int seed)
{
	const size_t unit = sizeof(struct insn);
	size_t head, from, len;

	state = seed;
	head = min((size_t)rnd((u32)(size1 / unit) + 1), max_out / unit) * unit;
	from = rnd((u32)(size2 / unit) + 1) * unit;
	len = min(size2 / unit * unit - from, (max_out - head) / unit * unit);
	memcpy(out, data1, head);
	memcpy(out + head, data2 + from, len);
	return head + len;
}
