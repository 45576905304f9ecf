// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walker of the guest's own page tables: Intel SDM volume 3, chapter 4,
 * and AMD APM volume 2, chapter 5.
 */
#include <asm/processor-flags.h>
#include <asm/msr-index.h>

#include "walk.h"

/* Bits of an entry, the same at every level and in every mode. */
#define PTE_P		BIT_ULL(0)
#define PTE_W		BIT_ULL(1)
#define PTE_U		BIT_ULL(2)
#define PTE_A		BIT_ULL(5)
#define PTE_D		BIT_ULL(6)
#define PTE_PS		BIT_ULL(7)
#define PTE_NX		BIT_ULL(63)
#define PTE_PKEY(e)	(((e) >> 59) & 15)

/* The #PF error code. */
#define ERR_P		BIT(0)
#define ERR_W		BIT(1)
#define ERR_U		BIT(2)
#define ERR_RSVD	BIT(3)
#define ERR_I		BIT(4)
#define ERR_PK		BIT(5)

/* Entries that another CPU changes under the walk: how often to start over. */
#define WALK_ATTEMPTS	8

enum paging_mode { PAGING_NONE, PAGING_32, PAGING_PAE, PAGING_LONG };

/**
 * struct walk - one walk under way
 * @ctx: what the caller asked with
 * @res: and where the answer goes
 * @gva: to be translated
 * @access: WALK_*
 * @mode: format of the tables
 * @entry_size: 4 or 8 bytes
 * @index_bits: of the address, that one level consumes
 */
struct walk {
	const struct walk_ctx *ctx;
	struct walk_result *res;
	u64 gva;
	u32 access;
	enum paging_mode mode;
	unsigned int entry_size;
	unsigned int index_bits;
};

static u64 bits_mask(unsigned int high, unsigned int low)
{
	return (~0ULL >> (63 - high)) & (~0ULL << low);
}

static enum paging_mode paging_mode(const struct walk_ctx *ctx)
{
	if (!(ctx->cr0 & X86_CR0_PG))
		return PAGING_NONE;
	if (ctx->efer & EFER_LMA)
		return PAGING_LONG;
	return ctx->cr4 & X86_CR4_PAE ? PAGING_PAE : PAGING_32;
}

static unsigned int entry_size(enum paging_mode mode)
{
	return mode == PAGING_32 ? 4 : 8;
}

static bool nx_enabled(const struct walk *w)
{
	return w->mode != PAGING_32 && (w->ctx->efer & EFER_NX);
}

/* Address bits below @level's index: 12 for 4 KiB pages. */
static unsigned int level_shift(const struct walk *w, int level)
{
	return 12 + (level - 1) * w->index_bits;
}

static int walk_fault(const struct walk *w, u32 why)
{
	u32 error = why;

	if (w->access & WALK_WRITE)
		error |= ERR_W;
	if (w->access & WALK_USER)
		error |= ERR_U;
	if ((w->access & WALK_EXEC) &&
	    (nx_enabled(w) || (w->ctx->cr4 & X86_CR4_SMEP)))
		error |= ERR_I;
	w->res->error = error;
	return WALK_FAULT;
}

static bool entry_is_leaf(const struct walk *w, u64 entry, int level)
{
	if (level == 1)
		return true;
	if (!(entry & PTE_PS))
		return false;
	switch (w->mode) {
	case PAGING_32:
		return w->ctx->cr4 & X86_CR4_PSE;
	case PAGING_PAE:
		return level == 2;
	default:
		return level == 2 || (level == 3 && w->ctx->gbpages);
	}
}

static bool entry_reserved_32(const struct walk *w, u64 entry, bool large)
{
	unsigned int width = w->ctx->maxphyaddr;

	if (!large)
		return false;
	/* PSE-36: bits 20:13 are the address's bits 39:32. */
	if (width < 40 && (entry & bits_mask(20, 13 + width - 32)))
		return true;
	return entry & BIT_ULL(21);
}

/* Does the present entry have a bit set that must be zero? */
static bool entry_reserved(const struct walk *w, u64 entry, int level)
{
	bool leaf = entry_is_leaf(w, entry, level);
	u64 reserved = 0;

	if (w->mode == PAGING_32)
		return entry_reserved_32(w, entry, leaf && level > 1);

	if (w->ctx->maxphyaddr < 52)
		reserved |= bits_mask(51, w->ctx->maxphyaddr);
	if (w->mode == PAGING_PAE) {
		reserved |= bits_mask(62, 52);
		if (level == 3)
			reserved |= PTE_NX | bits_mask(8, 5) | bits_mask(2, 1);
	}
	if (!nx_enabled(w))
		reserved |= PTE_NX;
	if (level > 1 && leaf)
		reserved |= bits_mask(level_shift(w, level) - 1, 13);
	else if (level > 2)
		reserved |= PTE_PS;
	return entry & reserved;
}

static u64 leaf_base(const struct walk *w, u64 entry, int level)
{
	unsigned int shift = level_shift(w, level);
	u64 base;

	if (w->mode != PAGING_32)
		return entry & bits_mask(51, shift);
	base = entry & bits_mask(31, shift);
	if (level == 2)
		base |= (entry & bits_mask(20, 13)) << (32 - 13);
	return base;
}

/* The page is present and well-formed: may this access use it? */
static int check_rights(const struct walk *w, u64 leaf)
{
	const struct walk_ctx *ctx = w->ctx;
	const struct walk_result *res = w->res;
	bool user = w->access & WALK_USER;
	bool write = w->access & WALK_WRITE;
	bool wp = user || (ctx->cr0 & X86_CR0_WP);

	if (user && !res->user)
		return walk_fault(w, ERR_P);
	if (write && !res->writable && wp)
		return walk_fault(w, ERR_P);
	if (w->access & WALK_EXEC) {
		if (!res->exec)
			return walk_fault(w, ERR_P);
		if (!user && res->user && (ctx->cr4 & X86_CR4_SMEP))
			return walk_fault(w, ERR_P);
		return WALK_OK;
	}
	if (!user && res->user && (ctx->cr4 & X86_CR4_SMAP) &&
	    ((w->access & WALK_IMPLICIT) || !(ctx->rflags & X86_EFLAGS_AC)))
		return walk_fault(w, ERR_P);
	if (res->user && w->mode == PAGING_LONG &&
	    (ctx->cr4 & X86_CR4_PKE)) {
		u32 key = ctx->pkru >> (2 * PTE_PKEY(leaf));

		if ((key & 1) || ((key & 2) && write && wp))
			return walk_fault(w, ERR_P | ERR_PK);
	}
	return WALK_OK;
}

/* Set accessed (and, on a written leaf, dirty) in what the walk went through. */
static int set_accessed_dirty(const struct walk *w)
{
	struct walk_result *res = w->res;
	int level;

	for (level = res->top; level >= res->level; level--) {
		u64 old = res->entry[level - 1];
		u64 seen = old;
		u64 new = old | PTE_A;

		/* The PDPTEs of PAE paging have no such bits. */
		if (w->mode == PAGING_PAE && level == 3)
			continue;
		if (level == res->level && (w->access & WALK_WRITE))
			new |= PTE_D;
		if (new == old)
			continue;
		if (w->ctx->compare_exchange(w->ctx->host,
					     res->entry_gpa[level - 1],
					     &seen, &new, w->entry_size))
			continue;
		if (seen != old)
			return WALK_RETRY;
		res->entry[level - 1] = new;
	}
	return WALK_OK;
}

static int read_entry(const struct walk *w, u64 table, int level)
{
	const struct walk_ctx *ctx = w->ctx;
	struct walk_result *res = w->res;
	unsigned int bits = w->index_bits;
	u64 *entry = &res->entry[level - 1];
	unsigned int index;

	if (w->mode == PAGING_PAE && level == 3)
		bits = 2;
	index = (w->gva >> level_shift(w, level)) & ((1U << bits) - 1);

	res->level = level;
	res->entry_gpa[level - 1] = table + index * w->entry_size;
	if (w->mode == PAGING_PAE && level == 3 && ctx->pdptr) {
		*entry = ctx->pdptr[index];
		return WALK_OK;
	}
	*entry = 0;
	if (!ctx->read(ctx->host, res->entry_gpa[level - 1], entry,
		       w->entry_size))
		return WALK_OK;
	res->table_gpa = res->entry_gpa[level - 1];
	return WALK_NO_TABLE;
}

/* From CR3 to the leaf. */
static int walk_tables(const struct walk *w, u64 table)
{
	struct walk_result *res = w->res;
	int level, status;
	u64 entry;

	res->writable = true;
	res->user = true;
	res->exec = true;
	for (level = res->top; ; level--) {
		status = read_entry(w, table, level);
		if (status)
			return status;
		entry = res->entry[level - 1];
		if (!(entry & PTE_P))
			return walk_fault(w, 0);
		if (entry_reserved(w, entry, level))
			return walk_fault(w, ERR_P | ERR_RSVD);

		if (w->mode != PAGING_PAE || level != 3) {
			res->writable &= !!(entry & PTE_W);
			res->user &= !!(entry & PTE_U);
			if (nx_enabled(w))
				res->exec &= !(entry & PTE_NX);
		}
		if (entry_is_leaf(w, entry, level))
			break;
		table = entry & bits_mask(w->mode == PAGING_32 ? 31 : 51, 12);
	}

	status = check_rights(w, entry);
	if (status)
		return status;
	if (!(w->access & WALK_PROBE)) {
		status = set_accessed_dirty(w);
		if (status)
			return status;
	}
	res->page_size = 1ULL << level_shift(w, level);
	res->gpa = leaf_base(w, entry, level) |
		   (w->gva & (res->page_size - 1));
	return WALK_OK;
}

/* Flat: linear addresses are physical ones. */
static int walk_nothing(const struct walk *w)
{
	struct walk_result *res = w->res;

	res->top = 0;
	res->level = 0;
	res->gpa = (u32)w->gva;
	res->page_size = 4096;
	res->writable = true;
	res->user = true;
	res->exec = true;
	return WALK_OK;
}

/**
 * walk_gva() - translate a guest linear address by the guest's own tables
 * @ctx: paging mode and memory
 * @gva: linear address; canonical in long mode, cut to 32 bits elsewhere
 * @access: WALK_*
 * @res: the answer, by the status returned
 *
 * Sets accessed and dirty bits as the CPU would, but for WALK_PROBE.
 * Context: that of the callbacks, which may sleep.
 *
 * Return: enum walk_status
 */
int walk_gva(const struct walk_ctx *ctx, u64 gva, u32 access,
	     struct walk_result *res)
{
	struct walk w = {
		.ctx = ctx,
		.res = res,
		.gva = gva,
		.access = access,
		.mode = paging_mode(ctx),
		.index_bits = 9,
	};
	int status, attempt;
	u64 table;

	w.entry_size = entry_size(w.mode);
	if (w.mode != PAGING_LONG)
		w.gva = (u32)gva;
	switch (w.mode) {
	case PAGING_NONE:
		return walk_nothing(&w);
	case PAGING_32:
		w.index_bits = 10;
		res->top = 2;
		table = ctx->cr3 & bits_mask(31, 12);
		break;
	case PAGING_PAE:
		res->top = 3;
		table = ctx->cr3 & bits_mask(31, 5);
		break;
	default:
		res->top = ctx->cr4 & X86_CR4_LA57 ? 5 : 4;
		table = ctx->cr3 & bits_mask(51, 12);
		break;
	}

	for (attempt = 0; attempt < WALK_ATTEMPTS; attempt++) {
		status = walk_tables(&w, table);
		if (status != WALK_RETRY)
			break;
	}
	return status;
}

static bool same_registers(const struct walk_ctx *a, const struct walk_ctx *b)
{
	return !((a->cr0 ^ b->cr0) | (a->cr3 ^ b->cr3) | (a->cr4 ^ b->cr4) |
		 (a->efer ^ b->efer) | (a->pkru ^ b->pkru) |
		 ((a->rflags ^ b->rflags) & X86_EFLAGS_AC) |
		 (a->maxphyaddr ^ b->maxphyaddr) | (a->gbpages ^ b->gbpages));
}

/* Are the entries that the walk read what they were? */
static bool same_entries(const struct walk_ctx *ctx,
			 const struct walk_memo *memo)
{
	const struct walk_result *res = &memo->res;
	int i;

	for (i = res->top - 1; i >= res->level - 1; i--) {
		u64 entry = 0;

		if (ctx->read(ctx->host, res->entry_gpa[i], &entry,
			      memo->entry_size) ||
		    entry != res->entry[i])
			return false;
	}
	return true;
}

static bool memo_answers(const struct walk_ctx *ctx,
			 const struct walk_memo *memo, u64 gva, u32 access)
{
	return memo->valid && memo->access == access &&
	       !((memo->gva ^ gva) & ~(memo->res.page_size - 1)) &&
	       same_registers(&memo->ctx, ctx) && same_entries(ctx, memo);
}

/*
 * Only a walk that leaves nothing to be set in the tables may be answered without
 * being made, and only one that read its entries from there.
 */
static bool memo_worthwhile(const struct walk_ctx *ctx,
			    const struct walk_memo *memo)
{
	const struct walk_result *res = &memo->res;
	enum paging_mode mode = paging_mode(ctx);
	u64 set = PTE_A;
	int level;

	if (mode == PAGING_NONE || ctx->pdptr || (memo->access & WALK_PROBE))
		return false;
	if ((memo->access & WALK_WRITE))
		set |= PTE_D;
	for (level = res->level; level <= res->top; level++) {
		if (mode == PAGING_PAE && level == 3)
			break;
		if ((res->entry[level - 1] & set) != set)
			return false;
		set = PTE_A;
	}
	return true;
}

/**
 * walk_gva_memo() - as walk_gva(), by the last walk where that answers it
 * @ctx: paging mode and memory
 * @memo: of the last walk, always of the same host; replaced by this one
 * @gva: as for walk_gva()
 * @access: WALK_*
 * @gpa: WALK_OK: the answer; other statuses: see @memo->res
 *
 * Return: enum walk_status
 */
int walk_gva_memo(const struct walk_ctx *ctx, struct walk_memo *memo, u64 gva,
		  u32 access, gpa_t *gpa)
{
	u64 offset_mask;
	int status;

	if (memo_answers(ctx, memo, gva, access)) {
		offset_mask = memo->res.page_size - 1;
		*gpa = (memo->res.gpa & ~offset_mask) | (gva & offset_mask);
		return WALK_OK;
	}
	status = walk_gva(ctx, gva, access, &memo->res);
	memo->gva = gva;
	memo->access = access;
	memo->ctx = *ctx;
	memo->entry_size = entry_size(paging_mode(ctx));
	memo->valid = status == WALK_OK && memo_worthwhile(ctx, memo);
	if (status == WALK_OK)
		*gpa = memo->res.gpa;
	return status;
}
