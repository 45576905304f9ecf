// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's code, as its CPU would fetch it. What exits is read again and again
 * from the same few pages: how each was found is remembered, as addresses of the
 * VMM, so that to read one costs a load for each level of the guest's tables.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "glue.h"
#include "x86.h"
#include "../core/regs.h"
#include "../core/vm.h"

/* What a walk for execution depends on. No guest owns any of these bits: they are in
 * vcpu->cr0 and vcpu->cr4 at all times.
 */
#define CODE_CR0	X86_CR0_PG
#define CODE_CR4	(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_SMEP | X86_CR4_LA57)
#define CODE_EFER	(EFER_LME | EFER_LMA | EFER_NX)
#define CODE_SMM	BIT(0)

/* No two of them share a bit: one word tells whether all are the same. */
static_assert(CODE_CR0 + CODE_CR4 + CODE_EFER + CODE_SMM + WALK_USER ==
	      (CODE_CR0 | CODE_CR4 | CODE_EFER | CODE_SMM | WALK_USER));

static u32 code_mode(const struct vcpu *vcpu, u32 access)
{
	return (vcpu->cr0 & CODE_CR0) | (vcpu->cr4 & CODE_CR4) |
	       (vcpu->efer & CODE_EFER) | (access & WALK_USER) |
	       (vcpu->smm ? CODE_SMM : 0);
}

/* Pages of one kernel's functions: mostly near each other, some at round distances. */
static struct code_page *code_page(struct glue *glue, u64 lin)
{
	u64 gfn = lin >> PAGE_SHIFT;

	return &glue->code[(gfn ^ gfn >> ilog2(NR_CODE_PAGES)) &
			   (NR_CODE_PAGES - 1)];
}

/* Is this what a walk with the registers of now begins and ends with? */
static __always_inline bool code_known(const struct code_page *page,
				       struct vcpu *vcpu, u64 lin, u32 access)
{
	return page->gfn == lin >> PAGE_SHIFT &&
	       page->slots_seq == READ_ONCE(vcpu->vm->slots_seq) &&
	       page->cr3 == vcpu_cr3(vcpu) &&
	       page->mode == code_mode(vcpu, access);
}

/*
 * The walk over again, for nothing but that each entry is still what it was, then
 * @nr times eight bytes. What is not in the host's memory right now is not waited
 * for. Slots that went meanwhile had their memory until now: see memslots_replace().
 */
static bool code_load(const struct code_page *page, struct vm *vm, u64 lin,
		      u64 *bytes, unsigned int nr, unsigned int step)
{
	const void __user *code = page->code + offset_in_page(lin);
	unsigned int i;
	u64 entry;

	pagefault_disable();
	__uaccess_begin_nospec();
	for (i = 0; i < page->nr; i++) {
		unsafe_get_user(entry, page->entry_at[i], miss);
		if (unlikely(entry != page->entry[i]))
			goto miss;
	}
	for (i = 0; i < nr; i++) {
		unsafe_get_user(bytes[i], (const u64 __user *)code, miss);
		code += step;
	}
	user_access_end();
	pagefault_enable();
	smp_rmb();	/* pairs with memslots_replace() */
	return likely(READ_ONCE(vm->slots_seq) == page->slots_seq);
miss:
	user_access_end();
	pagefault_enable();
	return false;
}

static const void __user *code_user(struct vcpu *vcpu, gpa_t gpa)
{
	struct memslot *slot = space_slot(vcpu->vm, vcpu_space(vcpu),
					  gpa_to_gfn(gpa));

	return slot ? memslot_user(slot, gpa) : NULL;
}

/* Remember how @lin led to @gpa; a walk that is not plain is not. */
static void code_remember(struct glue *glue, u64 lin, u32 access, gpa_t gpa,
			  u64 slots_seq)
{
	const struct walk_memo *memo = &glue->memo[GLUE_WALK_FETCH];
	struct code_page *page = code_page(glue, lin);
	struct vcpu *vcpu = glue->vcpu;
	int level;

	page->gfn = ~0ULL;
	page->nr = 0;
	if (glue->walk.cr0 & X86_CR0_PG) {
		if (!memo->valid ||
		    (memo->gva ^ lin) & ~(memo->res.page_size - 1) ||
		    memo->entry_size != sizeof(u64) ||
		    !(glue->walk.efer & EFER_LMA))
			return;
		for (level = memo->res.top; level >= memo->res.level; level--) {
			const void __user *at;

			at = code_user(vcpu, memo->res.entry_gpa[level - 1]);
			if (!at)
				return;
			page->entry_at[page->nr] = at;
			page->entry[page->nr++] = memo->res.entry[level - 1];
		}
	}
	page->code = code_user(vcpu, gpa & PAGE_MASK);
	if (!page->code)
		return;
	page->cr3 = glue->walk.cr3;
	page->mode = code_mode(vcpu, access);
	page->slots_seq = slots_seq;
	page->gfn = lin >> PAGE_SHIFT;
}

/* All of it in one page, and glue->walk is of now. enum emu_result */
static int code_fetch(struct glue *glue, u64 lin, void *buf, unsigned int len,
		      u32 access, struct emu_fault *fault)
{
	const struct code_page *page = code_page(glue, lin);
	unsigned int step = len - sizeof(u64);
	struct vcpu *vcpu = glue->vcpu;
	u64 bytes[2], slots_seq;
	gpa_t gpa;
	int rc;

	/* As much as an instruction may have: two loads, which overlap. */
	if (likely(len >= sizeof(u64) && step <= sizeof(u64) &&
		   code_known(page, vcpu, lin, access) &&
		   code_load(page, vcpu->vm, lin, bytes, step ? 2 : 1, step))) {
		memcpy(buf, &bytes[0], sizeof(u64));
		if (step)
			memcpy(buf + step, &bytes[1], sizeof(u64));
		return EMU_OK;
	}
	slots_seq = READ_ONCE(vcpu->vm->slots_seq);
	smp_rmb();	/* pairs with memslots_replace() */
	rc = glue_translate(glue, lin, access, &gpa, fault);
	if (rc != EMU_OK)
		return rc;
	if (space_read(vcpu->vm, vcpu_space(vcpu), gpa, buf, len))
		return EMU_UNHANDLED;
	code_remember(glue, lin, access, gpa, slots_seq);
	return EMU_OK;
}

/** glue_fetch() - instruction bytes of one page; only from memory */
int glue_fetch(struct emu *emu, u64 lin, void *buf, unsigned int len)
{
	return code_fetch(to_glue(emu), lin, buf, len,
			  glue_user_access(emu, WALK_EXEC), &emu->fault);
}

static u32 code_access(struct vcpu *vcpu, u32 access)
{
	return vendor_call(get_cpl)(vcpu) == 3 ? access | WALK_USER : access;
}

/**
 * vcpu_peek_code() - the bytes at an address, if they are at hand
 * @vcpu: owner thread, loaded
 * @lin: linear address, of what has just been executed
 * @bytes: out
 * @nr: so many times eight of them, 1 or 2
 *
 * Does not sleep, and takes no read section of vm->srcu.
 *
 * Return: false: only vcpu_skip_insn() finds them.
 */
bool vcpu_peek_code(struct vcpu *vcpu, u64 lin, u64 *bytes, unsigned int nr)
{
	const struct code_page *page = code_page(to_glue(vcpu->emu), lin);

	return offset_in_page(lin) <= PAGE_SIZE - nr * sizeof(u64) &&
	       code_known(page, vcpu, lin, code_access(vcpu, 0)) &&
	       code_load(page, vcpu->vm, lin, bytes, nr, sizeof(u64));
}

/**
 * glue_read_code() - instruction bytes, outside of an emulation
 * @vcpu: loaded vCPU, in a read section of vm->srcu
 * @lin: linear address
 * @buf: to where
 * @len: bytes, of one page
 *
 * Return: 0, or 1: the guest has no code there now.
 */
int glue_read_code(struct vcpu *vcpu, u64 lin, void *buf, unsigned int len)
{
	struct glue *glue = to_glue(vcpu->emu);

	glue_walk_begin(glue);
	return code_fetch(glue, lin, buf, len, code_access(vcpu, WALK_EXEC),
			  &glue->emu.fault) != EMU_OK;
}

/**
 * glue_write_code() - likewise, writing, as the guest itself could
 * @vcpu: loaded vCPU, in a read section of vm->srcu
 * @lin: linear address
 * @buf: bytes
 * @len: how many, of one page
 *
 * Return: 0, or 1: the guest could not.
 */
int glue_write_code(struct vcpu *vcpu, u64 lin, const void *buf,
		    unsigned int len)
{
	struct glue *glue = to_glue(vcpu->emu);
	gpa_t gpa;

	glue_walk_begin(glue);
	if (glue_translate(glue, lin, code_access(vcpu, WALK_WRITE), &gpa,
			   &glue->emu.fault) != EMU_OK)
		return 1;
	return space_write(vcpu->vm, vcpu_space(vcpu), gpa, buf, len) ? 1 : 0;
}
