// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator's memory: linear addresses through the guest's own page tables,
 * then memory slots, or a device where there is none.
 */
#include <linux/mm.h>
#include <asm/trapnr.h>

#include "glue.h"
#include "x86.h"
#include "../core/io.h"
#include "../core/regs.h"
#include "../core/vm.h"

#define MMIO_PIECE	8	/* bytes a device access has at most */
#define ACCESS_MAX	32	/* bytes of the widest operand */

/* Where an access goes: it crosses one page boundary at most. */
struct span {
	gpa_t gpa[2];
	unsigned int len[2];
	int nr;
};

static int walk_read(void *host, gpa_t gpa, void *entry, unsigned int len)
{
	return guest_read(host, gpa, entry, len);
}

static int walk_cmpxchg(void *host, gpa_t gpa, void *old, const void *new,
			unsigned int len)
{
	return guest_cmpxchg(host, gpa, old, new, len);
}

/**
 * glue_walk_init() - the guest's paging mode as it is now
 * @vcpu: loaded vCPU, in a read section of vm->srcu while @ctx is used
 * @ctx: out
 */
void glue_walk_init(struct vcpu *vcpu, struct walk_ctx *ctx)
{
	*ctx = (struct walk_ctx) {
		.read = walk_read,
		.cmpxchg = walk_cmpxchg,
		.host = vcpu->vm,
		.cr0 = vcpu_cr0(vcpu),
		.cr3 = vcpu_cr3(vcpu),
		.cr4 = vcpu_cr4(vcpu),
		.efer = vcpu->efer,
		.rflags = vcpu_rflags(vcpu),
		.pkru = vcpu->pkru,
		.maxphyaddr = vcpu->feat.maxphyaddr,
		.gbpages = vcpu->feat.gbpages,
	};
}

static int translate(const struct walk_ctx *ctx, u64 lin, u32 access,
		     gpa_t *gpa, struct emu_fault *fault)
{
	struct walk_result res;

	if (!(ctx->cr0 & X86_CR0_PG)) {
		*gpa = lin;
		return EMU_OK;
	}
	switch (walk_gva(ctx, lin, access, &res)) {
	case WALK_OK:
		*gpa = res.gpa;
		return EMU_OK;
	case WALK_FAULT:
		*fault = (struct emu_fault) {
			.vector = X86_TRAP_PF,
			.has_error = true,
			.error = res.error,
			.cr2 = lin,
		};
		return EMU_EXCEPTION;
	case WALK_RETRY:
		return EMU_RETRY;
	default:
		return EMU_UNHANDLED;	/* a page table that is not memory */
	}
}

/* Translate all of an access before any of it is done. */
static int span_translate(const struct walk_ctx *ctx, u64 lin,
			  unsigned int len, u32 access, struct span *span,
			  struct emu_fault *fault)
{
	u64 mask = ctx->efer & EFER_LMA ? ~0ULL : U32_MAX;
	unsigned int part;
	int rc;

	span->nr = 0;
	while (len) {
		part = min_t(unsigned int, len, PAGE_SIZE - offset_in_page(lin));
		rc = translate(ctx, lin, access, &span->gpa[span->nr], fault);
		if (rc != EMU_OK)
			return rc;
		span->len[span->nr++] = part;
		lin = (lin + part) & mask;
		len -= part;
	}
	return EMU_OK;
}

static u32 user_access(struct emu *emu, u32 access)
{
	return emu->cpl == 3 ? access | WALK_USER : access;
}

/* Is this page memory, for reading or for writing? If not it is a device. */
static bool gpa_is_memory(struct vcpu *vcpu, gpa_t gpa, bool write)
{
	struct memslot *slot = gfn_to_memslot(vcpu->vm, gpa_to_gfn(gpa));

	return slot && !(write && slot->flags & KVM_MEM_READONLY);
}

static int device_read(struct vcpu *vcpu, gpa_t gpa, void *buf,
		       unsigned int len)
{
	unsigned int n;
	int rc;

	while (len) {
		n = min_t(unsigned int, len, MMIO_PIECE);
		rc = io_mmio_read(vcpu, gpa, buf, n);
		if (rc != EMU_OK)
			return rc;
		gpa += n;
		buf += n;
		len -= n;
	}
	return EMU_OK;
}

static int device_write(struct vcpu *vcpu, gpa_t gpa, const void *buf,
			unsigned int len)
{
	unsigned int n;
	int rc;

	while (len) {
		n = min_t(unsigned int, len, MMIO_PIECE);
		rc = io_mmio_write(vcpu, gpa, buf, n);
		if (rc != EMU_OK)
			return rc;
		gpa += n;
		buf += n;
		len -= n;
	}
	return EMU_OK;
}

/* The VMM's memory behind a slot is gone: KVM_RUN says so. */
static int memory_gone(struct glue *glue)
{
	glue->err = -EFAULT;
	return EMU_UNHANDLED;
}

static int span_read(struct glue *glue, const struct span *span, void *buf)
{
	struct vcpu *vcpu = glue->vcpu;
	int i, rc;

	for (i = 0; i < span->nr; i++) {
		if (!gpa_is_memory(vcpu, span->gpa[i], false)) {
			rc = device_read(vcpu, span->gpa[i], buf, span->len[i]);
			if (rc != EMU_OK)
				return rc;
		} else if (guest_read(vcpu->vm, span->gpa[i], buf,
				      span->len[i])) {
			return memory_gone(glue);
		}
		buf += span->len[i];
	}
	return EMU_OK;
}

static int span_write(struct glue *glue, const struct span *span,
		      const void *buf)
{
	struct vcpu *vcpu = glue->vcpu;
	int i, rc;

	for (i = 0; i < span->nr; i++) {
		if (!gpa_is_memory(vcpu, span->gpa[i], true)) {
			rc = device_write(vcpu, span->gpa[i], buf, span->len[i]);
			if (rc != EMU_OK)
				return rc;
		} else if (guest_write(vcpu->vm, span->gpa[i], buf,
				       span->len[i])) {
			return memory_gone(glue);
		}
		buf += span->len[i];
	}
	return EMU_OK;
}

/** glue_fetch() - instruction bytes; only from memory */
int glue_fetch(struct emu *emu, u64 lin, void *buf, unsigned int len)
{
	struct glue *glue = to_glue(emu);
	struct span span;
	int i, rc;

	rc = span_translate(&glue->walk, lin, len, user_access(emu, WALK_EXEC),
			    &span, &emu->fault);
	if (rc != EMU_OK)
		return rc;
	for (i = 0; i < span.nr; i++) {
		if (guest_read(glue->vcpu->vm, span.gpa[i], buf, span.len[i]))
			return EMU_UNHANDLED;
		buf += span.len[i];
	}
	return EMU_OK;
}

static int read_access(struct emu *emu, u64 lin, void *buf, unsigned int len,
		       u32 access)
{
	struct glue *glue = to_glue(emu);
	struct span span;
	int rc;

	rc = span_translate(&glue->walk, lin, len, access, &span, &emu->fault);
	return rc == EMU_OK ? span_read(glue, &span, buf) : rc;
}

static int write_access(struct emu *emu, u64 lin, const void *buf,
			unsigned int len, u32 access)
{
	struct glue *glue = to_glue(emu);
	struct span span;
	int rc;

	rc = span_translate(&glue->walk, lin, len, access | WALK_WRITE, &span,
			    &emu->fault);
	return rc == EMU_OK ? span_write(glue, &span, buf) : rc;
}

/** glue_read() - an operand; @len as emu_ops.read says */
int glue_read(struct emu *emu, u64 lin, void *buf, unsigned int len)
{
	return read_access(emu, lin, buf, len, user_access(emu, 0));
}

/** glue_write() - likewise */
int glue_write(struct emu *emu, u64 lin, const void *buf, unsigned int len)
{
	return write_access(emu, lin, buf, len, user_access(emu, 0));
}

/** glue_read_system() - a supervisor's read whatever the CPL */
int glue_read_system(struct emu *emu, u64 lin, void *buf, unsigned int len)
{
	return read_access(emu, lin, buf, len, WALK_IMPLICIT);
}

/** glue_write_system() - likewise */
int glue_write_system(struct emu *emu, u64 lin, const void *buf,
		      unsigned int len)
{
	return write_access(emu, lin, buf, len, WALK_IMPLICIT);
}

static bool span_is_memory(struct vcpu *vcpu, const struct span *span)
{
	int i;

	for (i = 0; i < span->nr; i++)
		if (!gpa_is_memory(vcpu, span->gpa[i], true))
			return false;
	return true;
}

/**
 * glue_cmpxchg() - a locked access
 * @emu: the instruction
 * @lin: linear address
 * @old: in: expected; out: what was there
 * @new: stored if that was @old
 * @len: bytes
 *
 * Atomic in memory of one page; what crosses a page is read, compared and
 * written. A device is only written: the emulator has read it, and a second
 * read would be one more than the guest made.
 *
 * Return: enum emu_result.
 */
int glue_cmpxchg(struct emu *emu, u64 lin, void *old, const void *new,
		 unsigned int len)
{
	struct glue *glue = to_glue(emu);
	struct vcpu *vcpu = glue->vcpu;
	u8 seen[ACCESS_MAX];
	struct span span;
	int rc;

	if (len > sizeof(seen))
		return EMU_UNHANDLED;
	rc = span_translate(&glue->walk, lin, len, user_access(emu, WALK_WRITE),
			    &span, &emu->fault);
	if (rc != EMU_OK)
		return rc;
	if (!span_is_memory(vcpu, &span))
		return span_write(glue, &span, new);
	if (span.nr == 1 && len <= 8)
		return guest_cmpxchg(vcpu->vm, span.gpa[0], old, new, len) ?
		       memory_gone(glue) : EMU_OK;

	rc = span_read(glue, &span, seen);
	if (rc != EMU_OK)
		return rc;
	if (memcmp(seen, old, len)) {
		memcpy(old, seen, len);
		return EMU_OK;
	}
	return span_write(glue, &span, new);
}

/**
 * vcpu_read_linear() - read guest memory as the guest's own code would
 * @vcpu: loaded vCPU, in a read section of vm->srcu
 * @gva: linear address
 * @buf: to where
 * @len: bytes, not more than a page
 * @fetch: as code, not as data
 * @fault: out, if 1 is returned: the page fault it would be; vector 0 if there
 *         is no memory
 *
 * Return: 0 or 1.
 */
int vcpu_read_linear(struct vcpu *vcpu, gva_t gva, void *buf, unsigned int len,
		     bool fetch, struct emu_fault *fault)
{
	u32 access = fetch ? WALK_EXEC : 0;
	struct walk_ctx ctx;
	struct span span;
	int i;

	*fault = (struct emu_fault) { };
	if (len > PAGE_SIZE)
		return 1;
	glue_walk_init(vcpu, &ctx);
	if (vendor_call(get_cpl)(vcpu) == 3)
		access |= WALK_USER;
	if (span_translate(&ctx, gva, len, access, &span, fault) != EMU_OK)
		return 1;
	for (i = 0; i < span.nr; i++) {
		if (guest_read(vcpu->vm, span.gpa[i], buf, span.len[i]))
			return 1;
		buf += span.len[i];
	}
	return 0;
}

/**
 * vcpu_translate_linear() - where a linear address leads, as KVM_TRANSLATE asks
 * @vcpu: loaded; vm->srcu read section held
 * @gva: linear address
 *
 * Accessed and dirty bits stay as they are.
 *
 * Return: guest physical address, or INVALID_GPA: not mapped.
 */
gpa_t vcpu_translate_linear(struct vcpu *vcpu, gva_t gva)
{
	struct walk_result res;
	struct walk_ctx ctx;

	glue_walk_init(vcpu, &ctx);
	if (walk_gva(&ctx, gva, WALK_PROBE, &res) != WALK_OK)
		return INVALID_GPA;
	return res.gpa;
}
