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
	struct vcpu *vcpu = host;
	enum space space = vcpu_space(vcpu);

	if (likely(len == sizeof(u64)))
		return space_read_u64(vcpu->vm, space, gpa, entry);
	return space_read(vcpu->vm, space, gpa, entry, len);
}

static int walk_cmpxchg(void *host, gpa_t gpa, void *old, const void *new,
			unsigned int len)
{
	struct vcpu *vcpu = host;

	return space_cmpxchg(vcpu->vm, vcpu_space(vcpu), gpa, old, new, len);
}

/**
 * glue_walk_init() - what of a walk stays the same for the life of a vCPU
 * @glue: new
 */
void glue_walk_init(struct glue *glue)
{
	glue->walk = (struct walk_ctx) {
		.read = walk_read,
		.compare_exchange = walk_cmpxchg,
		.host = glue->vcpu,
	};
}

/**
 * glue_walk_begin() - the guest's paging mode as it is now
 * @glue: of a loaded vCPU, in a read section of vm->srcu while it is used
 */
void glue_walk_begin(struct glue *glue)
{
	struct vcpu *vcpu = glue->vcpu;
	struct walk_ctx *ctx = &glue->walk;

	ctx->cr0 = vcpu_cr0(vcpu);
	ctx->cr3 = vcpu_cr3(vcpu);
	ctx->cr4 = vcpu_cr4(vcpu);
	ctx->efer = vcpu->efer;
	ctx->rflags = vcpu_rflags(vcpu);
	ctx->pkru = vcpu->pkru;
	ctx->maxphyaddr = vcpu->feat.maxphyaddr;
	ctx->gbpages = vcpu->feat.gbpages;
}

static struct walk_memo *walk_memo(struct glue *glue, u32 access)
{
	if (access & WALK_EXEC)
		return &glue->memo[GLUE_WALK_FETCH];
	return &glue->memo[access & WALK_WRITE ? GLUE_WALK_WRITE :
						 GLUE_WALK_READ];
}

/**
 * glue_translate() - one page of an access
 * @glue: glue_walk_begin() was called
 * @lin: linear address
 * @access: WALK_*
 * @gpa: EMU_OK: where it is
 * @fault: EMU_EXCEPTION: the #PF
 *
 * Return: enum emu_result.
 */
int glue_translate(struct glue *glue, u64 lin, u32 access, gpa_t *gpa,
		   struct emu_fault *fault)
{
	struct walk_memo *memo = walk_memo(glue, access);
	const struct walk_ctx *ctx = &glue->walk;

	if (!(ctx->cr0 & X86_CR0_PG)) {
		*gpa = lin;
		return EMU_OK;
	}
	switch (walk_gva_memo(ctx, memo, lin, access, gpa)) {
	case WALK_OK:
		return EMU_OK;
	case WALK_FAULT:
		*fault = (struct emu_fault) {
			.vector = X86_TRAP_PF,
			.has_error = true,
			.error = memo->res.error,
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
static int span_translate(struct glue *glue, u64 lin, unsigned int len,
			  u32 access, struct span *span,
			  struct emu_fault *fault)
{
	u64 mask = glue->walk.efer & EFER_LMA ? ~0ULL : U32_MAX;
	unsigned int part;
	int rc;

	span->nr = 0;
	while (len) {
		part = min_t(unsigned int, len, PAGE_SIZE - offset_in_page(lin));
		rc = glue_translate(glue, lin, access, &span->gpa[span->nr], fault);
		if (rc != EMU_OK)
			return rc;
		span->len[span->nr++] = part;
		lin = (lin + part) & mask;
		len -= part;
	}
	return EMU_OK;
}

/* Is this page memory, for reading or for writing? If not it is a device. */
static bool gpa_is_memory(struct vcpu *vcpu, gpa_t gpa, bool write)
{
	struct memslot *slot = space_slot(vcpu->vm, vcpu_space(vcpu),
					  gpa_to_gfn(gpa));

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

/* All in one page. */
static int phys_read(struct glue *glue, gpa_t gpa, void *buf, unsigned int len)
{
	struct vcpu *vcpu = glue->vcpu;

	if (!gpa_is_memory(vcpu, gpa, false))
		return device_read(vcpu, gpa, buf, len);
	return space_read(vcpu->vm, vcpu_space(vcpu), gpa, buf, len) ?
	       memory_gone(glue) : EMU_OK;
}

static int phys_write(struct glue *glue, gpa_t gpa, const void *buf,
		      unsigned int len)
{
	struct vcpu *vcpu = glue->vcpu;

	if (!gpa_is_memory(vcpu, gpa, true))
		return device_write(vcpu, gpa, buf, len);
	return space_write(vcpu->vm, vcpu_space(vcpu), gpa, buf, len) ?
	       memory_gone(glue) : EMU_OK;
}

static int span_read(struct glue *glue, const struct span *span, void *buf)
{
	int i, rc = EMU_OK;

	for (i = 0; i < span->nr && rc == EMU_OK; i++) {
		rc = phys_read(glue, span->gpa[i], buf, span->len[i]);
		buf += span->len[i];
	}
	return rc;
}

static int span_write(struct glue *glue, const struct span *span,
		      const void *buf)
{
	int i, rc = EMU_OK;

	for (i = 0; i < span->nr && rc == EMU_OK; i++) {
		rc = phys_write(glue, span->gpa[i], buf, span->len[i]);
		buf += span->len[i];
	}
	return rc;
}

/*
 * Where the exit is a nested fault of the access itself, the CPU has translated
 * its address, and checked all rights to it, a moment ago. It is that access if
 * the kind and the offset in the page are the same: of no instruction but one
 * with @two_reads do two accesses share both.
 */
static bool access_faulted(struct glue *glue, u64 lin, unsigned int len,
			   bool write)
{
	const struct exit *exit = &glue->vcpu->exit;
	u32 kind = write ? PF_FINAL | PF_WRITE : PF_FINAL;

	return exit->kind == EXIT_PAGE_FAULT &&
	       (exit->fault.access & (PF_FINAL | PF_WRITE | PF_EXEC)) == kind &&
	       offset_in_page(lin) == offset_in_page(exit->fault.gpa) &&
	       offset_in_page(lin) + len <= PAGE_SIZE && !glue->emu.two_reads;
}

static int read_access(struct emu *emu, u64 lin, void *buf, unsigned int len,
		       u32 access)
{
	struct glue *glue = to_glue(emu);
	struct span span;
	int rc;

	rc = span_translate(glue, lin, len, access, &span, &emu->fault);
	return rc == EMU_OK ? span_read(glue, &span, buf) : rc;
}

static int write_access(struct emu *emu, u64 lin, const void *buf,
			unsigned int len, u32 access)
{
	struct glue *glue = to_glue(emu);
	struct span span;
	int rc;

	rc = span_translate(glue, lin, len, access | WALK_WRITE, &span,
			    &emu->fault);
	return rc == EMU_OK ? span_write(glue, &span, buf) : rc;
}

/** glue_read() - an operand; @len as emu_ops.read says */
int glue_read(struct emu *emu, u64 lin, void *buf, unsigned int len)
{
	struct glue *glue = to_glue(emu);

	if (access_faulted(glue, lin, len, false))
		return phys_read(glue, glue->vcpu->exit.fault.gpa, buf, len);
	return read_access(emu, lin, buf, len, glue_user_access(emu, 0));
}

/** glue_write() - likewise */
int glue_write(struct emu *emu, u64 lin, const void *buf, unsigned int len)
{
	struct glue *glue = to_glue(emu);

	if (access_faulted(glue, lin, len, true))
		return phys_write(glue, glue->vcpu->exit.fault.gpa, buf, len);
	return write_access(emu, lin, buf, len, glue_user_access(emu, 0));
}

/**
 * glue_write_probe() - would glue_write() fault?
 * @emu: one emulation
 * @lin: where
 * @len: bytes
 * @memory: out: it would write memory, not a device
 *
 * Return: EMU_OK, or what glue_write() would return, with emu->fault.
 */
int glue_write_probe(struct emu *emu, u64 lin, unsigned int len, bool *memory)
{
	struct glue *glue = to_glue(emu);
	struct span span;
	int i, rc;

	*memory = false;
	if (access_faulted(glue, lin, len, true))
		return EMU_OK;
	rc = span_translate(glue, lin, len, glue_user_access(emu, WALK_WRITE), &span,
			    &emu->fault);
	if (rc != EMU_OK)
		return rc;
	*memory = true;
	for (i = 0; i < span.nr; i++)
		*memory &= gpa_is_memory(glue->vcpu, span.gpa[i], true);
	return EMU_OK;
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
	rc = span_translate(glue, lin, len, glue_user_access(emu, WALK_WRITE),
			    &span, &emu->fault);
	if (rc != EMU_OK)
		return rc;
	if (!span_is_memory(vcpu, &span))
		return span_write(glue, &span, new);
	if (span.nr == 1 && len <= 8)
		return space_cmpxchg(vcpu->vm, vcpu_space(vcpu), span.gpa[0],
				     old, new, len) ?
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
	struct glue *glue = to_glue(vcpu->emu);
	struct walk_result res;

	glue_walk_begin(glue);
	if (walk_gva(&glue->walk, gva, WALK_PROBE, &res) != WALK_OK)
		return INVALID_GPA;
	return res.gpa;
}
