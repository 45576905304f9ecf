// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plain moves between a register and a device of the VMM's. A driver makes the same
 * few of them all the time: what one was found to be is remembered, and the next one
 * with the same bytes, to the same page, goes to userspace without being decoded.
 */
#include <linux/mm.h>

#include "glue.h"
#include "x86.h"
#include "../core/iobus.h"
#include "../core/regs.h"
#include "../core/vm.h"

static struct mmio_move *move_at(struct glue *glue, u64 rip)
{
	return &glue->moves[rip & (NR_MMIO_MOVES - 1)];
}

/* AH to BH are halves of others, RSP is not always in regs[]. */
static bool move_register(const struct insn *insn, unsigned int size)
{
	return insn->reg != REG_RSP && (size > 1 || insn->rex || insn->reg < 4);
}

/* Is it one? Fills in what it does. */
static bool move_decode(const struct insn *insn, struct mmio_move *move)
{
	if (insn->vex || insn->mod == 3 || !insn->has_modrm)
		return false;
	move->width = insn->opsize;
	move->size = insn->opsize;
	move->reg = insn->reg;
	move->write = false;
	move->base = insn->base;
	move->index = insn->index;
	move->scale = insn->scale;
	move->disp = insn->disp;
	/* By registers that are in regs[], and no segment's base. */
	move->addressed = !insn->rip_relative && insn->adsize == 8 &&
			  insn->base != REG_RSP && insn->seg != EMU_FS &&
			  insn->seg != EMU_GS;
	if (insn->map == 1) {			/* MOVZX */
		if (insn->opcode != 0xb6 && insn->opcode != 0xb7)
			return false;
		move->size = insn->opcode == 0xb6 ? 1 : 2;
		return insn->reg != REG_RSP;
	}
	if (insn->map)
		return false;
	switch (insn->opcode) {
	case 0x88:
	case 0x8a:
		move->width = 1;
		move->size = 1;
		break;
	case 0x89:
	case 0x8b:
		break;
	default:
		return false;
	}
	move->write = insn->opcode < 0x8a;
	return move_register(insn, move->size);
}

/**
 * glue_move_learn() - an instruction on a device has just been emulated
 * @glue: whose emu.insn has its bytes
 * @rip: where it is
 *
 * Context: owner thread, in a read section of vm->srcu.
 */
void glue_move_learn(struct glue *glue, u64 rip)
{
	struct mmio_move *move = move_at(glue, rip);
	const struct emu *emu = &glue->emu;
	struct vcpu *vcpu = glue->vcpu;
	const struct exit *exit = &vcpu->exit;
	u8 mask[sizeof(move->mask)] = { };
	struct insn insn;
	u64 slots_seq;

	if (exit->kind != EXIT_PAGE_FAULT || emu->mode != EMU_MODE_LONG ||
	    !(exit->fault.access & PF_FINAL))
		return;
	slots_seq = READ_ONCE(vcpu->vm->slots_seq);
	smp_rmb();	/* pairs with memslots_replace() */
	move->gfn = INVALID_GFN;
	if (decode_insn(&insn, emu->mode, emu->insn, emu->insn_len) < 0 ||
	    !move_decode(&insn, move) ||
	    move->write != !!(exit->fault.access & PF_WRITE) ||
	    space_slot(vcpu->vm, vcpu_space(vcpu), gpa_to_gfn(exit->fault.gpa)))
		return;
	memset(mask, 0xff, insn.len);
	memcpy(move->mask, mask, sizeof(mask));
	memset(move->bytes, 0, sizeof(move->bytes));
	memcpy(move->bytes, emu->insn, insn.len);
	move->len = insn.len;
	move->smm = vcpu->smm;
	move->slots_seq = slots_seq;
	move->gfn = gpa_to_gfn(exit->fault.gpa);
}

/* Where a page begins, the access may have begun on the page before it, which is
 * there: the fault tells only of the second.
 */
static bool begins_a_page(const struct mmio_move *move, const struct vcpu *vcpu)
{
	u64 address = move->disp;

	if (!move->addressed)
		return false;
	if (move->base >= 0)
		address += vcpu->regs[move->base];
	if (move->index >= 0)
		address += vcpu->regs[move->index] << move->scale;
	return !offset_in_page(address);
}

static bool all_of_access(const struct mmio_move *move, const struct vcpu *vcpu,
			  gpa_t gpa)
{
	unsigned int offset = offset_in_page(gpa);

	return move->size == 1 ||
	       (offset + move->size <= PAGE_SIZE &&
		(offset || begins_a_page(move, vcpu)));
}

static bool same_insn(const struct mmio_move *move, struct vcpu *vcpu, u64 rip)
{
	u64 bytes[2];

	if (move->len <= sizeof(bytes[0]))
		return vcpu_peek_code(vcpu, rip, bytes, 1) &&
		       (bytes[0] & move->mask[0]) == move->bytes[0];
	return vcpu_peek_code(vcpu, rip, bytes, 2) &&
	       !((bytes[0] ^ move->bytes[0]) |
		 ((bytes[1] & move->mask[1]) ^ move->bytes[1]));
}

static bool move_known(const struct mmio_move *move, struct vcpu *vcpu, u64 rip,
		       gpa_t gpa, bool write)
{
	return move->gfn == gpa_to_gfn(gpa) && move->write == write &&
	       move->smm == vcpu->smm &&
	       move->slots_seq == READ_ONCE(vcpu->vm->slots_seq) &&
	       all_of_access(move, vcpu, gpa) && same_insn(move, vcpu, rip);
}

/* @size: 1..8 */
static u64 low_bytes(u64 val, unsigned int size)
{
	return val & ~0ULL >> (BITS_PER_LONG - 8 * size);
}

/* Userspace has read the device: now the instruction is done. */
static int move_answered(struct vcpu *vcpu)
{
	const struct mmio_move *move = &to_glue(vcpu->emu)->move;
	u64 old = reg_read(vcpu, move->reg);
	u64 rflags = vcpu_rflags(vcpu);
	u64 val;

	memcpy(&val, vcpu->run->mmio.data, sizeof(val));
	val = low_bytes(val, move->size);
	if (move->width < sizeof(u32))
		val |= old & ~low_bytes(~0ULL, move->width);
	reg_write(vcpu, move->reg, val);
	reg_write(vcpu, REG_RIP, vcpu_rip(vcpu) + move->len);
	reg_write(vcpu, REG_RFLAGS, rflags & ~(u64)X86_EFLAGS_RF);
	glue_insn_completed(vcpu, rflags, 0);
	return EXIT_RESUME;
}

/* One that a device in the kernel may take. */
static noinline enum hot move_kernel(struct vcpu *vcpu, gpa_t gpa,
				     unsigned int size, bool write, u64 val)
{
	if (!write || !iobus_write_hot(vcpu, IOBUS_MMIO, gpa, size, &val))
		return HOT_NO;
	vcpu->stat.page_faults++;
	return HOT_AGAIN;
}

/**
 * mmio_hot() - an access to memory that there is not, if it was made before
 * @vcpu: its guest has just exited, in 64-bit code; no event was being delivered
 * @rip: of the instruction
 * @gpa: where the access faulted, its linear address translated and allowed
 * @write: what it is
 *
 * vcpu->io.skip becomes the bytes to skip: none yet if userspace has to answer a read.
 * Context: interrupts off.
 *
 * Return: HOT_NO: exit_handle() finds out what is to be done. HOT_USERSPACE: the run
 * page is filled in. HOT_AGAIN: an ioeventfd was told.
 */
enum hot mmio_hot(struct vcpu *vcpu, u64 rip, gpa_t gpa, bool write)
{
	struct glue *glue = to_glue(vcpu->emu);
	const struct mmio_move *move = move_at(glue, rip);
	struct kvm_run *run = vcpu->run;
	u64 val = 0;

	if (!move_known(move, vcpu, rip, gpa, write) ||
	    (vcpu->lapic && lapic_in_mmio(vcpu->lapic, gpa)))
		return HOT_NO;
	if (write)
		val = low_bytes(vcpu->regs[move->reg], move->size);
	vcpu->io.skip = write ? move->len : 0;
	if (vm_claims_page(vcpu->vm, gpa))
		return move_kernel(vcpu, gpa, move->size, write, val);
	if (!write) {
		glue->move = *move;
		vcpu->io.complete = move_answered;
	}
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = gpa;
	run->mmio.len = move->size;
	run->mmio.is_write = write;
	memcpy(run->mmio.data, &val, sizeof(val));
	vcpu->stat.page_faults++;
	return HOT_USERSPACE;
}
