// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest page-table walker against an oracle: another walker, written flat
 * from the manuals' figures, on random tables in all paging modes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "mmu/walk.h"

#define MEM_PAGES	64
#define MEM_SIZE	(MEM_PAGES * 4096)

static u8 mem[MEM_SIZE];
static u8 mem_before[MEM_SIZE];
static int interfere;		/* entries to change under the walker */
static bool read_only;
static unsigned int nr_reads;
static unsigned int nr_writes;

static int mem_read(void *host, gpa_t gpa, void *entry, unsigned int len)
{
	if (gpa + len > MEM_SIZE)
		return -1;
	nr_reads++;
	memcpy(entry, mem + gpa, len);
	return 0;
}

static int mem_cmpxchg(void *host, gpa_t gpa, void *old, const void *new,
		       unsigned int len)
{
	if (gpa + len > MEM_SIZE || read_only)
		return -1;
	nr_writes++;
	if (interfere) {
		interfere--;
		mem[gpa + 1] ^= 0x02;		/* a bit that software uses */
	}
	if (!memcmp(mem + gpa, old, len))
		memcpy(mem + gpa, new, len);
	else
		memcpy(old, mem + gpa, len);
	return 0;
}

static u64 rnd(void)
{
	return (u64)random() << 42 ^ (u64)random() << 21 ^ random();
}

static u64 mem_entry(u64 gpa, unsigned int size)
{
	u64 e = 0;

	memcpy(&e, mem_before + gpa, size);
	return e;
}

/* --- the oracle -------------------------------------------------------------- */

struct answer {
	int status;
	u64 gpa;
	u64 page_size;
	u32 error;
	int nr;			/* entries used, for accessed and dirty */
	u64 where[5];
	bool has_a[5];
};

static void oracle_fault(const struct walk_ctx *c, u32 access, struct answer *a,
			 u32 bits)
{
	bool nx = (c->efer & EFER_NX) && (c->cr4 & X86_CR4_PAE);

	a->status = WALK_FAULT;
	a->error = bits;
	a->error |= access & WALK_WRITE ? 2 : 0;
	a->error |= access & WALK_USER ? 4 : 0;
	if ((access & WALK_EXEC) && (nx || (c->cr4 & X86_CR4_SMEP)))
		a->error |= 16;
}

static bool rsvd_long(const struct walk_ctx *c, u64 e, int level, bool pae)
{
	for (int bit = 0; bit < 64; bit++) {
		bool bad = false;

		if (!(e >> bit & 1))
			continue;
		if (bit >= c->maxphyaddr && bit <= 51)
			bad = true;
		if (bit >= 52 && bit <= 62)
			bad = pae;
		if (bit == 63)
			bad = !(c->efer & EFER_NX) || (pae && level == 3);
		if (pae && level == 3 &&
		    (bit == 1 || bit == 2 || (bit >= 5 && bit <= 8)))
			bad = true;
		if (bit == 7 && level >= 4)
			bad = true;
		if (bit == 7 && level == 3 && !c->gbpages)
			bad = true;
		if (level == 2 && (e & 0x80) && bit >= 13 && bit <= 20)
			bad = true;
		if (level == 3 && (e & 0x80) && !pae && bit >= 13 && bit <= 29)
			bad = true;
		if (bad)
			return true;
	}
	return false;
}

static bool rsvd_32(const struct walk_ctx *c, u64 e, bool large)
{
	if (!large)
		return false;
	if (e & (1 << 21))
		return true;
	for (int bit = 13; bit <= 20; bit++)
		if ((e >> bit & 1) && bit - 13 + 32 >= c->maxphyaddr)
			return true;
	return false;
}

static void oracle_rights(const struct walk_ctx *c, u32 access, struct answer *a,
			  bool w, bool u, bool x, u64 leaf)
{
	bool user = access & WALK_USER, write = access & WALK_WRITE;
	bool exec = access & WALK_EXEC;
	bool wp = c->cr0 & X86_CR0_WP;
	u32 pk = c->pkru >> (2 * (leaf >> 59 & 15));
	bool bad = false;

	if (user && !u)
		bad = true;
	if (user && write && !w)
		bad = true;
	if (!user && write && !w && wp)
		bad = true;
	if (exec && !x)
		bad = true;
	if (exec && !user && u && (c->cr4 & X86_CR4_SMEP))
		bad = true;
	if (!exec && !user && u && (c->cr4 & X86_CR4_SMAP)) {
		if (access & WALK_IMPLICIT)
			bad = true;
		else if (!(c->rflags & X86_EFLAGS_AC))
			bad = true;
	}
	if (bad) {
		oracle_fault(c, access, a, 1);
		return;
	}
	if ((c->efer & EFER_LMA) && (c->cr4 & X86_CR4_PKE) && u && !exec) {
		if (pk & 1)
			bad = true;
		if ((pk & 2) && write && (user || wp))
			bad = true;
	}
	if (bad)
		oracle_fault(c, access, a, 1 | 32);
}

static void oracle_walk(const struct walk_ctx *c, u64 gva, u32 access,
			struct answer *a)
{
	bool lma = c->efer & EFER_LMA;
	bool pae = !lma && (c->cr4 & X86_CR4_PAE);
	bool old = !lma && !pae;
	bool w = true, u = true, x = true;
	int level;
	u64 table, e;

	memset(a, 0, sizeof(*a));
	if (!(c->cr0 & X86_CR0_PG)) {
		a->gpa = gva & 0xffffffff;
		a->page_size = 4096;
		return;
	}
	if (lma)
		table = c->cr3 & 0xffffffffff000, level = c->cr4 & X86_CR4_LA57 ? 5 : 4;
	else if (pae)
		table = c->cr3 & 0xffffffe0, level = 3;
	else
		table = c->cr3 & 0xfffff000, level = 2;

	for (;; level--) {
		u64 index, where;
		bool leaf, top = pae && level == 3;

		if (old)
			index = (level == 2 ? gva >> 22 : gva >> 12) & 1023;
		else if (top)
			index = gva >> 30 & 3;
		else
			index = gva >> (3 + 9 * level) & 511;
		where = table + index * (old ? 4 : 8);
		if (where + (old ? 4 : 8) > MEM_SIZE) {
			a->status = WALK_NO_TABLE;
			return;
		}
		e = mem_entry(where, old ? 4 : 8);
		a->where[a->nr] = where;
		a->has_a[a->nr++] = !top;
		if (!(e & 1)) {
			oracle_fault(c, access, a, 0);
			return;
		}
		leaf = level == 1;
		if (e & 0x80) {
			if (old && level == 2 && (c->cr4 & X86_CR4_PSE))
				leaf = true;
			if (!old && level == 2)
				leaf = true;
			if (lma && level == 3 && c->gbpages)
				leaf = true;
		}
		if (old ? rsvd_32(c, e, leaf && level == 2) :
			  rsvd_long(c, e, level, pae)) {
			oracle_fault(c, access, a, 1 | 8);
			return;
		}
		if (!top) {
			w = w && (e & 2);
			u = u && (e & 4);
			x = x && !(!old && (e >> 63) && (c->efer & EFER_NX));
		}
		if (leaf)
			break;
		table = old ? e & 0xfffff000 : e & 0xffffffffff000;
	}

	oracle_rights(c, access, a, w, u, x, e);
	if (a->status)
		return;
	if (old && level == 2) {
		a->page_size = 4 << 20;
		a->gpa = (e & 0xffc00000) | (e >> 13 & 0xff) << 32;
	} else {
		a->page_size = old ? 4096 : 1ULL << (3 + 9 * level);
		a->gpa = e & (old ? 0xfffff000 : 0xffffffffff000) &
			 ~(a->page_size - 1);
	}
	a->gpa |= gva & (a->page_size - 1);
}

/* --- random worlds ------------------------------------------------------------- */

static u64 random_entry(bool old, int maxphyaddr)
{
	u64 e = (rnd() % MEM_PAGES) << 12;

	e |= rnd() & 0xf7f;
	e |= random() % 16 ? 1 : 0;
	e |= random() % 4 ? 2 | 4 : 0;
	if (random() % 4 == 0)
		e |= 0x80;
	if (random() % 8 == 0)		/* a large page, well-formed */
		e = (e & 0xfff) | 0x81 | (rnd() & 3) << 30;
	if (random() % 16 == 0)
		e |= 1ULL << random() % (old ? 32 : 64);
	if (random() % 8 == 0)
		e |= (rnd() & 15) << 59;
	if (random() % 16 == 0)
		e |= 1ULL << 63;
	return e;
}

static void random_world(struct walk_ctx *c)
{
	static const u8 widths[] = { 32, 36, 39, 40, 46, 48, 52 };
	unsigned int i;
	bool old;

	c->read = mem_read;
	c->compare_exchange = mem_cmpxchg;
	c->cr0 = random() % 16 ? X86_CR0_PG : 0;
	c->cr0 |= random() & 1 ? X86_CR0_WP : 0;
	c->cr4 = rnd() & (X86_CR4_PSE | X86_CR4_PAE | X86_CR4_LA57 |
			  X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PKE);
	c->efer = random() & 1 ? EFER_NX : 0;
	if (random() & 1) {
		c->efer |= EFER_LMA;
		c->cr4 |= X86_CR4_PAE;
	}
	c->rflags = random() & 1 ? X86_EFLAGS_AC : 0;
	c->pkru = rnd();
	c->maxphyaddr = widths[random() % ARRAY_SIZE(widths)];
	c->gbpages = random() & 1;
	c->cr3 = (rnd() % MEM_PAGES) << 12 | (rnd() & 0xfff);

	old = !(c->cr4 & X86_CR4_PAE);
	for (i = 0; i < MEM_SIZE / 8; i++) {
		u64 e;

		if (old)
			e = (random_entry(true, 32) & 0xffffffff) |
			    random_entry(true, 32) << 32;
		else
			e = random_entry(false, c->maxphyaddr);
		memcpy(mem + i * 8, &e, 8);
	}
}

/* The top of a PAE world must mostly be well-formed, or nothing gets further. */
static void tame_pdptes(struct walk_ctx *c)
{
	u64 table = c->cr3 & 0xffffffe0;

	if ((c->efer & EFER_LMA) || !(c->cr4 & X86_CR4_PAE))
		return;
	for (int i = 0; i < 4 && random() % 8; i++) {
		u64 e = (rnd() % MEM_PAGES) << 12 | 1;

		memcpy(mem + table + i * 8, &e, 8);
	}
}

static void check_ad(const struct answer *a, u32 access)
{
	static u8 expect[MEM_SIZE];

	memcpy(expect, mem_before, MEM_SIZE);
	if (a->status == WALK_OK && !(access & WALK_PROBE)) {
		for (int i = 0; i < a->nr; i++) {
			if (!a->has_a[i])
				continue;
			expect[a->where[i]] |= 0x20;
			if (i == a->nr - 1 && (access & WALK_WRITE))
				expect[a->where[i]] |= 0x40;
		}
	}
	assert_int_equal(memcmp(expect, mem, MEM_SIZE), 0);
}

static void test_oracle(void **state)
{
	unsigned int seen[4] = { };
	unsigned int faults[64] = { };
	struct walk_ctx c = { };

	srandom(3);
	for (int world = 0; world < 400; world++) {
		random_world(&c);
		tame_pdptes(&c);
		for (int n = 0; n < 100; n++) {
			struct walk_result r = { };
			struct answer a;
			u64 gva = rnd();
			u32 access = rnd() & (WALK_WRITE | WALK_EXEC |
					      WALK_USER | WALK_PROBE);
			int status;

			if (access & WALK_EXEC)
				access &= ~WALK_WRITE;
			if (!(access & WALK_USER) && random() % 4 == 0)
				access |= WALK_IMPLICIT;
			memcpy(mem_before, mem, MEM_SIZE);
			oracle_walk(&c, gva, access, &a);
			status = walk_gva(&c, gva, access, &r);
			assert_int_equal(status, a.status);
			seen[status]++;
			if (status == WALK_OK) {
				assert_int_equal(r.gpa, a.gpa);
				assert_int_equal(r.page_size, a.page_size);
			} else if (status == WALK_FAULT) {
				assert_int_equal(r.error, a.error);
				faults[r.error & 63]++;
			}
			check_ad(&a, access);
		}
	}
	/* The worlds are worth something only if all that happens. */
	assert_true(seen[WALK_OK] > 4000);
	assert_true(seen[WALK_FAULT] > 4000);
	assert_true(seen[WALK_NO_TABLE] > 100);
	for (unsigned int e = 0; e < 64; e++) {
		bool p = e & 1, w = e & 2, i = e & 16;

		/* What no access can produce. */
		if ((w && i) || (!p && (e & (8 | 32))) || (i && (e & 32)) ||
		    ((e & 8) && (e & 32)))
			assert_int_equal(faults[e], 0);
		else
			assert_true(faults[e] > 0);
	}
}

/* Something that a walk depends on changes, or nothing does. */
static void change_something(struct walk_ctx *c, const struct walk_result *r,
			     u64 *gva, u32 *access)
{
	int level = r->top ? 1 + random() % r->top : 1;
	u64 gpa = r->entry_gpa[level - 1];

	switch (random() % 8) {
	case 0:
		c->cr0 ^= X86_CR0_WP;
		break;
	case 1:
		c->rflags ^= X86_EFLAGS_AC;
		break;
	case 2:
		c->pkru = rnd();
		break;
	case 3:
		*access ^= WALK_USER;
		*access &= ~WALK_IMPLICIT;
		break;
	case 4:
		*gva ^= 1ULL << random() % 30;
		break;
	case 5:
		if (gpa < MEM_SIZE)
			mem[gpa + random() % 8] ^= 1 << random() % 8;
		break;
	}
}

/* A remembered walk says what the oracle says, whatever has changed since. */
static void test_memo_oracle(void **state)
{
	struct walk_ctx c = { };
	unsigned int remembered = 0;

	srandom(4);
	for (int world = 0; world < 300; world++) {
		struct walk_memo memo = { };
		u64 gva = rnd();
		u32 access = rnd() & (WALK_WRITE | WALK_USER);

		random_world(&c);
		tame_pdptes(&c);
		for (int n = 0; n < 60; n++) {
			u64 gpa = 0, offset;
			struct answer a;
			int status;

			memcpy(mem_before, mem, MEM_SIZE);
			oracle_walk(&c, gva, access, &a);
			remembered += memo.valid;
			status = walk_gva_memo(&c, &memo, gva, access, &gpa);
			assert_int_equal(status, a.status);
			if (status == WALK_OK) {
				offset = a.page_size - 1;
				assert_int_equal(gpa, a.gpa);
				assert_int_equal(memo.res.gpa & ~offset,
						 a.gpa & ~offset);
			} else if (status == WALK_FAULT) {
				assert_int_equal(memo.res.error, a.error);
			}
			check_ad(&a, access);
			if (status == WALK_OK || random() % 4)
				change_something(&c, &memo.res, &gva, &access);
			else
				gva = rnd();
		}
	}
	assert_true(remembered > 1000);
}

/* --- cases of their own ---------------------------------------------------------- */

static void put(u64 gpa, u64 e, unsigned int size)
{
	memcpy(mem + gpa, &e, size);
}

static void long_mode(struct walk_ctx *c)
{
	memset(c, 0, sizeof(*c));
	c->read = mem_read;
	c->compare_exchange = mem_cmpxchg;
	c->cr0 = X86_CR0_PG | X86_CR0_WP;
	c->cr4 = X86_CR4_PAE;
	c->efer = EFER_LMA | EFER_NX;
	c->maxphyaddr = 48;
	c->cr3 = 0x1000;
	memset(mem, 0, sizeof(mem));
	put(0x1000, 0x2007, 8);
	put(0x2000, 0x3007, 8);
	put(0x3000, 0x4007, 8);
	put(0x4000 + 5 * 8, 0x9007, 8);
}

static void test_raced(void **state)
{
	struct walk_ctx c;
	struct walk_result r;

	/* One change on the way: seen, and done again. */
	long_mode(&c);
	interfere = 1;
	assert_int_equal(walk_gva(&c, 0x5123, WALK_WRITE, &r), WALK_OK);
	assert_int_equal(r.gpa, 0x9123);
	assert_int_equal(mem[0x4000 + 5 * 8] & 0x60, 0x60);

	/* Changes without end. */
	long_mode(&c);
	interfere = 1000;
	assert_int_equal(walk_gva(&c, 0x5123, 0, &r), WALK_RETRY);
	interfere = 0;
}

/* Tables in memory that cannot be written: bits stay, the walk succeeds. */
static void test_rom_tables(void **state)
{
	struct walk_ctx c;
	struct walk_result r;

	long_mode(&c);
	read_only = true;
	assert_int_equal(walk_gva(&c, 0x5fff, WALK_WRITE, &r), WALK_OK);
	assert_int_equal(r.gpa, 0x9fff);
	assert_int_equal(mem[0x4000 + 5 * 8] & 0x60, 0);
	read_only = false;
}

static void test_memo(void **state)
{
	struct walk_memo memo = { };
	struct walk_ctx c;
	gpa_t gpa;

	long_mode(&c);
	assert_int_equal(walk_gva_memo(&c, &memo, 0x5123, 0, &gpa), WALK_OK);
	assert_int_equal(gpa, 0x9123);
	assert_true(memo.valid);
	/* Answered by its four entries, and only for such an access. */
	nr_reads = 0;
	nr_writes = 0;
	assert_int_equal(walk_gva_memo(&c, &memo, 0x5fff, 0, &gpa), WALK_OK);
	assert_int_equal(gpa, 0x9fff);
	assert_int_equal(nr_reads, 4);
	assert_int_equal(walk_gva_memo(&c, &memo, 0x5fff, WALK_WRITE, &gpa),
			 WALK_OK);
	assert_int_equal(nr_writes, 1);
	assert_int_equal(mem[0x4000 + 5 * 8] & 0x60, 0x60);

	/* What the guest changes counts at once, accessed bits too. */
	put(0x4000 + 5 * 8, 0xa007, 8);
	assert_int_equal(walk_gva_memo(&c, &memo, 0x5000, WALK_WRITE, &gpa),
			 WALK_OK);
	assert_int_equal(gpa, 0xa000);
	assert_int_equal(mem[0x4000 + 5 * 8] & 0x60, 0x60);
	put(0x4000 + 5 * 8, 0xa027, 8);
	assert_int_equal(walk_gva_memo(&c, &memo, 0x5000, WALK_WRITE, &gpa),
			 WALK_OK);
	assert_int_equal(mem[0x4000 + 5 * 8] & 0x60, 0x60);
	put(0x3000, 0, 8);
	assert_int_equal(walk_gva_memo(&c, &memo, 0x5000, WALK_WRITE, &gpa),
			 WALK_FAULT);
	assert_false(memo.valid);

	/* Where accessed bits cannot be set, each walk tries again. */
	long_mode(&c);
	read_only = true;
	assert_int_equal(walk_gva_memo(&c, &memo, 0x5000, 0, &gpa), WALK_OK);
	assert_false(memo.valid);
	read_only = false;
}

static void test_report(void **state)
{
	struct walk_ctx c;
	struct walk_result r;

	long_mode(&c);
	assert_int_equal(walk_gva(&c, 0x6000, WALK_USER | WALK_WRITE, &r),
			 WALK_FAULT);
	assert_int_equal(r.error, 6);
	assert_int_equal(r.top, 4);
	assert_int_equal(r.level, 1);
	assert_int_equal(r.entry[3], 0x2007);
	assert_int_equal(r.entry_gpa[0], 0x4000 + 6 * 8);
	assert_int_equal(r.entry[0], 0);

	put(0x3000, 0x12345678007, 8);
	assert_int_equal(walk_gva(&c, 0x6000, 0, &r), WALK_NO_TABLE);
	assert_int_equal(r.table_gpa, 0x12345678030);
}

static void test_loaded_pdptes(void **state)
{
	const u64 pdptr[4] = { 0x3001, 0, 0, 0x3001 };
	struct walk_ctx c;
	struct walk_result r;

	long_mode(&c);
	c.efer = EFER_NX;
	c.cr3 = 0x20;		/* memory there has none */
	c.pdptr = pdptr;
	assert_int_equal(walk_gva(&c, 0xc0005123, WALK_WRITE | WALK_USER, &r),
			 WALK_OK);
	assert_int_equal(r.gpa, 0x9123);
	assert_int_equal(walk_gva(&c, 0x40005123, 0, &r), WALK_FAULT);
	assert_int_equal(r.error, 0);
	/* Addresses are 32 bits wide. */
	assert_int_equal(walk_gva(&c, 0xf00005123, 0, &r), WALK_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oracle),
		cmocka_unit_test(test_memo_oracle),
		cmocka_unit_test(test_raced),
		cmocka_unit_test(test_rom_tables),
		cmocka_unit_test(test_memo),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_loaded_pdptes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
