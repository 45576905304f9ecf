/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The walker of the guest's own page tables. Pure: it reaches the tables
 * through callbacks, so the same file builds in the module and in unit tests.
 *
 * How to use it: fill a struct walk_ctx from the vCPU's control registers,
 * with walk_ctx.read = a space_read() and walk_ctx.compare_exchange = a
 * space_cmpxchg() of core/memslot.h bound to the vCPU; then for each page of an
 * access
 *
 *	switch (walk_gva(&ctx, gva, access, &res)) {
 *	case WALK_OK:		res.gpa is where to read or write
 *	case WALK_FAULT:	#PF, error code res.error, CR2 = gva
 *	case WALK_NO_TABLE:	the table at res.table_gpa is not in memory
 *	case WALK_RETRY:	tables change all the time: enter the guest again
 *	}
 *
 * The caller checks segments and canonical addresses before, and splits an
 * access that crosses a page. One context may be used for many walks, as long
 * as the registers in it stay.
 */
#ifndef JOIST_MMU_WALK_H
#define JOIST_MMU_WALK_H

#include "../core/types.h"

/* What the access is: a read, unless it says otherwise. */
#define WALK_WRITE	BIT(0)
#define WALK_EXEC	BIT(1)	/* instruction fetch */
#define WALK_USER	BIT(2)	/* made at CPL 3, and not WALK_IMPLICIT */
#define WALK_IMPLICIT	BIT(3)	/* the CPU's own, to GDT, LDT, IDT, TSS: a
				 * supervisor's whatever the CPL, AC ignored
				 */
#define WALK_PROBE	BIT(4)	/* leave accessed and dirty bits alone */

#define WALK_MAX_LEVELS	5

enum walk_status {
	WALK_OK,
	WALK_FAULT,
	WALK_NO_TABLE,
	WALK_RETRY,
};

/**
 * struct walk_ctx - the guest's paging mode, and how to reach its memory
 * @read: reads @len bytes (4 or 8) of guest-physical memory; 0 on success
 * @compare_exchange: stores @new where @old is, atomically, and puts what was
 *                    there into *@old, by which the caller judges; not 0 when the
 *                    memory cannot be written, and then the bits stay as they are
 * @host: for the callbacks
 * @pdptr: the four loaded PDPTEs of PAE paging, or NULL: read them from memory
 * @cr0: PG and WP are used
 * @cr3: as the guest sees it
 * @cr4: PSE, PAE, LA57, SMEP, SMAP and PKE are used
 * @efer: LMA and NX(E) are used
 * @rflags: AC is used
 * @pkru: used while CR4.PKE is set
 * @maxphyaddr: the guest's physical-address width in bits, 32..52
 * @gbpages: the guest has 1 GiB pages
 */
struct walk_ctx {
	int (*read)(void *host, gpa_t gpa, void *entry, unsigned int len);
	int (*compare_exchange)(void *host, gpa_t gpa, void *old,
				const void *new, unsigned int len);
	void *host;
	const u64 *pdptr;
	u64 cr0;
	u64 cr3;
	u64 cr4;
	u64 efer;
	u64 rflags;
	u32 pkru;
	u8 maxphyaddr;
	bool gbpages;
};

/**
 * struct walk_result - where a walk ended
 * @gpa: WALK_OK: of the byte asked for
 * @page_size: WALK_OK: bytes; the translation is good to the end of this page
 * @writable: WALK_OK: every level allows writing (CR0.WP is not looked at)
 * @user: WALK_OK: every level allows CPL 3
 * @exec: WALK_OK: no level forbids execution
 * @error: WALK_FAULT: the #PF error code
 * @table_gpa: WALK_NO_TABLE: of the entry that could not be read
 * @top: the first level walked: 5, 4, 3, 2, or 0 without paging
 * @level: the last level whose entry was read
 * @entry: entries read, by level - 1: for reports
 * @entry_gpa: where they are
 */
struct walk_result {
	gpa_t gpa;
	u64 page_size;
	bool writable;
	bool user;
	bool exec;
	u32 error;
	gpa_t table_gpa;
	int top;
	int level;
	u64 entry[WALK_MAX_LEVELS];
	gpa_t entry_gpa[WALK_MAX_LEVELS];
};

/**
 * struct walk_memo - a walk that may be asked for again
 * @valid: there is one
 * @entry_size: of its table entries, in bytes
 * @gva: what was translated
 * @access: WALK_*
 * @ctx: with which registers
 * @res: the answer
 *
 * A walk is a function of the registers and of the entries read: where all of
 * them are as they were, so is the answer. No flush or notice is needed, as the
 * entries are read again each time.
 */
struct walk_memo {
	bool valid;
	u8 entry_size;
	u64 gva;
	u32 access;
	struct walk_ctx ctx;
	struct walk_result res;
};

int walk_gva(const struct walk_ctx *ctx, u64 gva, u32 access,
	     struct walk_result *res);
int walk_gva_memo(const struct walk_ctx *ctx, struct walk_memo *memo, u64 gva,
		  u32 access, gpa_t *gpa);

#endif
