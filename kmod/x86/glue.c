// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator on a vCPU: one instruction from the vCPU's registers, through the
 * pure emulator, back into them; and skipping an instruction that an exit has
 * completed.
 */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/trapnr.h>
#include <uapi/asm/debugreg.h>

#include "glue.h"
#include "x86.h"
#include "../core/admin.h"
#include "../core/io.h"
#include "../core/regs.h"
#include "../core/vm.h"

#define OPCODE_STI	0xfb

static int glue_pio_in(struct emu *emu, u16 port, void *val, unsigned int len)
{
	return io_pio_in(to_glue(emu)->vcpu, port, val, len, 1);
}

/*
 * A port that was read cannot be given back: whether there is a place for its
 * value is found out before. Ahead only into memory, which takes all.
 */
static int glue_pio_in_string(struct emu *emu, u16 port, void *val,
			      unsigned int len, u64 lin, unsigned int count)
{
	struct vcpu *vcpu = to_glue(emu)->vcpu;
	bool memory;
	int rc;

	if (io_pio_ahead(vcpu))
		return io_pio_in(vcpu, port, val, len, 1);
	rc = glue_write_probe(emu, lin, len, &memory);
	if (rc != EMU_OK)
		return rc;
	return io_pio_in(vcpu, port, val, len, memory ? count : 1);
}

static int glue_pio_out(struct emu *emu, u16 port, const void *val,
			unsigned int len)
{
	return io_pio_out(to_glue(emu)->vcpu, port, val, len);
}

static const struct emu_ops glue_ops = {
	.fetch = glue_fetch,
	.read = glue_read,
	.write = glue_write,
	.compare_exchange = glue_cmpxchg,
	.pio_in = glue_pio_in,
	.pio_in_string = glue_pio_in_string,
	.pio_out = glue_pio_out,
	.read_cr = glue_read_cr,
	.write_cr = glue_write_cr,
	.read_msr = glue_read_msr,
	.write_msr = glue_write_msr,
	.load_segment = glue_load_segment,
	.get_segment = glue_get_segment,
	.io_allowed = glue_io_allowed,
	.read_dr = glue_read_dr,
	.write_dr = glue_write_dr,
	.read_dt = glue_read_dt,
	.write_dt = glue_write_dt,
	.system = glue_system,
	.fpu = glue_fpu,
};

/**
 * emulate_create() - the emulator's scratch of a new vCPU
 * @vcpu: new vCPU
 *
 * Return: 0, or -ENOMEM.
 */
int emulate_create(struct vcpu *vcpu)
{
	struct glue *glue = kzalloc(sizeof(*glue), GFP_KERNEL_ACCOUNT);
	int i;

	if (!glue)
		return -ENOMEM;
	glue->vcpu = vcpu;
	glue->emu.ops = &glue_ops;
	glue->emu.regs = vcpu->regs;
	glue->emu.sse_read = glue_sse_read;
	glue->emu.sse_write = glue_sse_write;
	glue_walk_init(glue);
	for (i = 0; i < NR_CODE_PAGES; i++)
		glue->code[i].gfn = ~0ULL;
	for (i = 0; i < NR_MMIO_MOVES; i++)
		glue->moves[i].gfn = INVALID_GFN;
	vcpu->emu = &glue->emu;
	return 0;
}

/** emulate_destroy() - nobody has the vCPU any more */
void emulate_destroy(struct vcpu *vcpu)
{
	kfree(to_glue(vcpu->emu));
	vcpu->emu = NULL;
}

/* The mode instructions are decoded in now. */
static enum emu_mode emu_mode(struct vcpu *vcpu)
{
	if (vcpu_64bit(vcpu))
		return EMU_MODE_LONG;
	if (!vcpu_protected(vcpu))
		return EMU_MODE_REAL;
	if (vcpu_rflags(vcpu) & X86_EFLAGS_VM)
		return EMU_MODE_VM86;
	return vendor_call(get_cs_bits)(vcpu) & CS_BIT_DB ? EMU_MODE_PROT32 :
							    EMU_MODE_PROT16;
}

/* Everything the instruction may look at, out of the vCPU; its general registers
 * are used where they are.
 */
static void load_state(struct vcpu *vcpu, struct glue *glue)
{
	struct emu *emu = &glue->emu;
	const struct exit *exit = &vcpu->exit;

	reg_cache(vcpu, REG_RSP);
	emu->rip = vcpu_rip(vcpu);
	emu->rflags = vcpu_rflags(vcpu);
	emu->cr0 = vcpu_cr0(vcpu);
	emu->cr4 = vcpu_cr4(vcpu);
	emu->efer = vcpu->efer;
	emu->mode = emu_mode(vcpu);
	emu->cpl = vendor_call(get_cpl)(vcpu);
	emu->seg_known = 0;

	emu->fault = (struct emu_fault) { };
	emu->insn_len = 0;
	if (exit->insn_bytes) {
		emu->insn_len = min_t(unsigned int, exit->insn_bytes,
				      sizeof(emu->insn));
		memcpy(emu->insn, exit->insn, emu->insn_len);
	}

	glue_walk_begin(glue);
	glue->err = 0;
	glue->exception_queued = false;
	glue->exit_kind = EXIT_NONE;
	glue->after = GLUE_NOTHING;
}

/* STI's shadow differs from that of MOV SS: it lets NMIs pass. */
static u32 new_shadow(const struct emu *emu, u64 old_rip)
{
	u64 len = emu->rip - old_rip;

	if (!emu->interrupt_shadow)
		return 0;
	if (len && len <= emu->insn_len && emu->insn[len - 1] == OPCODE_STI)
		return KVM_X86_SHADOW_INT_STI;
	return KVM_X86_SHADOW_INT_MOV_SS;
}

/* After an instruction: shadow, NMI blocking, single step. A step of the VMM's and
 * one of the guest's own are told to each.
 */
void glue_insn_completed(struct vcpu *vcpu, u64 old_rflags, u32 shadow)
{
	if (shadow || vendor_call(get_shadow)(vcpu)) {
		vendor_call(set_shadow)(vcpu, shadow);
		/* No window of the hardware's may tell that it has ended. */
		vcpu_request(vcpu, REQ_EVENT);
	}
	if (unlikely(vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP))
		guest_debug_report(vcpu, X86_TRAP_DB, DR_STEP);
	/* MOV SS puts the trap off, too. */
	if (old_rflags & X86_EFLAGS_TF && shadow != KVM_X86_SHADOW_INT_MOV_SS)
		exception_queue_payload(vcpu, X86_TRAP_DB, false, 0, DR_STEP);
}

static void commit(struct vcpu *vcpu, struct emu *emu)
{
	u64 old_rflags = vcpu_rflags(vcpu);
	u32 shadow = new_shadow(emu, vcpu_rip(vcpu));

	reg_mark_dirty(vcpu, REG_RSP);
	reg_write(vcpu, REG_RIP, emu->rip);
	/* Set by IRET, it is for the instruction that follows. */
	if (!emu->iret)
		emu->rflags &= ~(u64)X86_EFLAGS_RF;
	if (emu->rflags != old_rflags) {
		reg_write(vcpu, REG_RFLAGS, emu->rflags);
		if (emu->rflags & ~old_rflags & X86_EFLAGS_IF)
			vcpu_request(vcpu, REQ_EVENT);
	}
	if (emu->iret) {
		vendor_call(set_nmi_mask)(vcpu, false);
		vcpu_request(vcpu, REQ_EVENT);
	}
	if (emu->interrupted)
		old_rflags &= ~(u64)X86_EFLAGS_TF;
	glue_insn_completed(vcpu, old_rflags, shadow);
}

static int after_commit(struct vcpu *vcpu, struct glue *glue)
{
	int ret = io_insn_end(vcpu);

	if (ret != EXIT_RESUME)
		return ret;
	switch (glue->after) {
	case GLUE_HALT:
		if (vcpu->lapic) {
			vcpu->mp_state = KVM_MP_STATE_HALTED;
			return EXIT_RESUME;
		}
		vcpu->run->exit_reason = KVM_EXIT_HLT;
		return EXIT_USERSPACE;
	case GLUE_TPR_LOWERED:
		vcpu->run->exit_reason = KVM_EXIT_SET_TPR;
		return EXIT_USERSPACE;
	case GLUE_LEAVE_SMM:
		return smm_leave(vcpu);
	case GLUE_NOTHING:
		break;
	}
	return EXIT_RESUME;
}

static int raise(struct vcpu *vcpu, struct glue *glue)
{
	const struct emu_fault *f = &glue->emu.fault;

	if (glue->exception_queued)
		return EXIT_RESUME;
	if (f->vector == X86_TRAP_PF)
		exception_queue_payload(vcpu, f->vector, true, f->error, f->cr2);
	else if (f->has_error)
		exception_queue_error(vcpu, f->vector, f->error);
	else
		exception_queue(vcpu, f->vector);
	return EXIT_RESUME;
}

/*
 * An instruction that joist does not know, on memory that is none. A user
 * program is told so, unless the VMM wants to know; the kernel of the guest cannot
 * go on, and the VMM gets the bytes.
 */
static int unhandled(struct vcpu *vcpu, struct glue *glue)
{
	struct kvm_run *run = vcpu->run;
	const struct emu *emu = &glue->emu;

	if (glue->err)
		return glue->err;
	if (glue->exit_kind != EXIT_NONE) {
		vcpu->exit.kind = glue->exit_kind;
		return exit_handle(vcpu);
	}
	if (emu->cpl && !READ_ONCE(vcpu->vm->exit_on_emulation_failure)) {
		exception_queue(vcpu, X86_TRAP_UD);
		return EXIT_RESUME;
	}
	registry_note_fault(vcpu, JOIST_FAULT_KIND_EMULATION_FAILURE,
			    "instruction that joist does not know");
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	memset(&run->emulation_failure, 0, sizeof(run->emulation_failure));
	run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run->emulation_failure.ndata = 3;
	if (emu->insn_len) {
		run->emulation_failure.flags =
			KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
		run->emulation_failure.insn_size =
			min_t(unsigned int, emu->insn_len,
			      sizeof(run->emulation_failure.insn_bytes));
		memcpy(run->emulation_failure.insn_bytes, emu->insn,
		       run->emulation_failure.insn_size);
	}
	run->internal.data[3] = vcpu->exit.hw_reason;
	run->internal.data[4] = vcpu->exit.hw_info1;
	run->internal.data[5] = vcpu->exit.hw_info2;
	run->internal.ndata = 6;
	return EXIT_USERSPACE;
}

static int emulate_again(struct vcpu *vcpu);

/* One instruction, or one iteration of it. @done: registers are committed. */
static int emulate_once(struct vcpu *vcpu, bool *done)
{
	struct glue *glue = to_glue(vcpu->emu);
	u64 rip = vcpu_rip(vcpu);

	load_state(vcpu, glue);
	switch (emu_run(&glue->emu)) {
	case EMU_OK:
		if (vcpu->io.nr_writes == 1 || vcpu->io.atomic)
			glue_move_learn(glue, rip);
		commit(vcpu, &glue->emu);
		*done = true;
		return after_commit(vcpu, glue);
	case EMU_EXCEPTION:
		return raise(vcpu, glue);
	case EMU_IO:
		if (vcpu->io.nr_reads == 1 && vcpu->io.read_pending)
			glue_move_learn(glue, rip);
		return io_to_userspace(vcpu, emulate_again);
	case EMU_RETRY:
		return EXIT_RESUME;
	default:
		return unhandled(vcpu, glue);
	}
}

/*
 * The iterations of INS whose values are here already follow at once: those
 * would be lost in the guest. There is at most a page of them.
 */
static int emulate(struct vcpu *vcpu, bool replay)
{
	u64 rip = vcpu_rip(vcpu);
	bool done;
	int ret;

	vcpu->l1d_exposed = true;
	do {
		io_insn_begin(vcpu, replay);
		done = false;
		ret = emulate_once(vcpu, &done);
		replay = true;
	} while (done && ret == EXIT_RESUME && io_pio_ahead(vcpu) &&
		 vcpu_rip(vcpu) == rip);
	return ret;
}

static int emulate_again(struct vcpu *vcpu)
{
	return emulate(vcpu, true);
}

/* The next instruction has nothing to do with the last exit. */
static void forget_exit(struct vcpu *vcpu)
{
	struct exit *exit = &vcpu->exit;

	exit->kind = EXIT_NONE;
	exit->insn_len = 0;
	exit->insn_bytes = 0;
	exit->hw_reason = 0;
	exit->hw_info1 = 0;
	exit->hw_info2 = 0;
}

/**
 * emulate_vcpu() - execute the instruction at the vCPU's RIP in software
 * @vcpu: owner thread, loaded, in a read section of vm->srcu
 *
 * A REP string instruction is done one iteration at a time.
 *
 * Return: EXIT_RESUME: done, or an exception is queued; EXIT_USERSPACE: the run
 * page says what the VMM has to do; -EFAULT: its memory is gone.
 */
int emulate_vcpu(struct vcpu *vcpu)
{
	vcpu->stat.insn_emulations++;
	return emulate(vcpu, false);
}

/**
 * emulate_next() - likewise, where no exit has led there
 * @vcpu: as above
 *
 * Return: as above.
 */
int emulate_next(struct vcpu *vcpu)
{
	forget_exit(vcpu);
	return emulate_vcpu(vcpu);
}

/**
 * emulate_interpreted() - likewise, as the CPU would run it under joist: what exits
 * then is done as that exit
 * @vcpu: as above
 *
 * Return: as above.
 */
int emulate_interpreted(struct vcpu *vcpu)
{
	struct glue *glue = to_glue(vcpu->emu);
	int ret;

	forget_exit(vcpu);
	glue->interpreting = true;
	ret = emulate_vcpu(vcpu);
	glue->interpreting = false;
	return ret;
}

/**
 * emulate_event() - deliver an event to the guest in software
 * @vcpu: as above
 * @ev: what event
 *
 * Return: EMU_OK: done; EMU_EXCEPTION: that raises an exception, which is queued;
 * EMU_RETRY; else the guest's tables or its stack are where that cannot be done.
 */
int emulate_event(struct vcpu *vcpu, const struct emu_event *ev)
{
	struct glue *glue = to_glue(vcpu->emu);
	struct emu *emu = &glue->emu;
	int rc;

	forget_exit(vcpu);
	io_insn_begin(vcpu, false);
	load_state(vcpu, glue);
	rc = emu_deliver(emu, ev);
	switch (rc) {
	case EMU_OK:
		reg_mark_dirty(vcpu, REG_RSP);
		reg_write(vcpu, REG_RIP, emu->rip);
		reg_write(vcpu, REG_RFLAGS, emu->rflags);
		vendor_call(set_shadow)(vcpu, 0);
		break;
	case EMU_EXCEPTION:
		event_delivery_faulted(vcpu);
		raise(vcpu, glue);
		break;
	}
	return rc;
}

/*
 * The encoding without prefixes of what exits most, by the exit, little endian:
 * where it is at the instruction pointer nothing needs to be decoded. The same
 * in all modes.
 */
static const struct plain_insn {
	u32 bytes;
	u8 len;
} plain_insns[NR_EXIT_KINDS] = {
	[EXIT_CPUID] = { 0xa20f, 2 },
	[EXIT_HLT] = { 0xf4, 1 },
	[EXIT_HYPERCALL] = { 0xd9010f, 3 },	/* VMMCALL */
	[EXIT_RDMSR] = { 0x320f, 2 },
	[EXIT_WRMSR] = { 0x300f, 2 },
};

/**
 * vcpu_plain_length() - the length of an instruction by what it exited for
 * @kind: what for
 * @bytes: the first four of it
 *
 * Return: 0: it has to be decoded.
 */
int vcpu_plain_length(enum exit_kind kind, u32 bytes)
{
	const struct plain_insn *plain = &plain_insns[kind];
	u32 mask = ~(~0U << 8 * plain->len);

	return (bytes & mask) == plain->bytes ? plain->len : 0;
}

/*
 * Decode at @lin, of which @have bytes have been read. What follows on the next
 * page is read only if needed: it may be there for nobody.
 */
static noinline int decode_from(struct vcpu *vcpu, enum emu_mode mode, u64 lin,
				const u64 *head, unsigned int have,
				struct insn *insn)
{
	u8 bytes[16];
	int rc;

	memcpy(bytes, head, sizeof(*head));
	for (;;) {
		unsigned int more;
		u64 next = lin + have;

		rc = decode_insn(insn, mode, bytes, have);
		if (rc != DECODE_MORE || have == sizeof(bytes))
			break;
		if (mode != EMU_MODE_LONG)
			next = (u32)next;
		more = min_t(unsigned int, sizeof(bytes) - have,
			     PAGE_SIZE - offset_in_page(next));
		if (glue_read_code(vcpu, next, bytes + have, more))
			return -EIO;
		have += more;
	}
	return rc < 0 ? -EIO : 0;
}

static noinline int decoded_length(struct vcpu *vcpu, enum emu_mode mode,
				   u64 lin, const u64 *head, unsigned int have)
{
	struct insn insn;

	return decode_from(vcpu, mode, lin, head, have, &insn) ?: insn.len;
}

static u64 code_base(struct vcpu *vcpu)
{
	struct kvm_segment cs;

	vendor_call(get_segment)(vcpu, &cs, VCPU_SREG_CS);
	return cs.base;
}

/** vcpu_code_linear() - the linear address of the next instruction */
u64 vcpu_code_linear(struct vcpu *vcpu)
{
	u64 rip = vcpu_rip(vcpu);

	if (emu_mode(vcpu) == EMU_MODE_LONG)
		return rip;
	return (u32)(rip + code_base(vcpu));
}

/* The first bytes at RIP into *@head. How many, or -EIO. */
static int read_head(struct vcpu *vcpu, u64 *lin, u64 *head)
{
	unsigned int have;

	*lin = vcpu_code_linear(vcpu);
	have = min_t(unsigned int, sizeof(*head),
		     PAGE_SIZE - offset_in_page(*lin));
	*head = 0;
	return glue_read_code(vcpu, *lin, head, have) ? -EIO : have;
}

/* Of the instruction at RIP, or -EIO. */
static int insn_length(struct vcpu *vcpu)
{
	u64 lin, head;
	int have = read_head(vcpu, &lin, &head);
	int len;

	if (have < 0)
		return have;
	len = vcpu_plain_length(vcpu->exit.kind, head);
	return len ?: decoded_length(vcpu, emu_mode(vcpu), lin, &head, have);
}

/**
 * vcpu_decode_insn() - what is the instruction at RIP?
 * @vcpu: owner thread, loaded, in a read section of vm->srcu
 * @insn: out
 *
 * Return: 0; -EIO: it cannot be read, or is none.
 */
int vcpu_decode_insn(struct vcpu *vcpu, struct insn *insn)
{
	u64 lin, head;
	int have = read_head(vcpu, &lin, &head);

	if (have < 0)
		return have;
	return decode_from(vcpu, emu_mode(vcpu), lin, &head, have, insn);
}

/**
 * vcpu_at_rsm() - is RSM the instruction at RIP?
 * @vcpu: owner thread, loaded, in a read section of vm->srcu
 */
bool vcpu_at_rsm(struct vcpu *vcpu)
{
	struct insn insn;

	if (vcpu_decode_insn(vcpu, &insn))
		return false;
	return insn.map == 1 && insn.opcode == 0xaa && !insn.vex;
}

/**
 * vcpu_skip_insn() - the instruction that exited is done: go on after it
 * @vcpu: owner thread, loaded, in a read section of vm->srcu
 *
 * Return: 0; -EIO: the CPU does not tell how long it is, and what is there now
 * is not an instruction (the guest is rewriting its code).
 */
int vcpu_skip_insn(struct vcpu *vcpu)
{
	u64 rip = vcpu_rip(vcpu), next;
	u64 rflags = vcpu_rflags(vcpu);
	int len = vcpu->exit.insn_len;

	if (unlikely(!len)) {
		len = insn_length(vcpu);
		if (len < 0)
			return len;
	}
	next = rip + len;
	/* Outside 64-bit mode the pointer wraps at 4 GiB. */
	if ((rip ^ next) >> 32 && !vcpu_64bit(vcpu))
		next = (u32)next;
	reg_write(vcpu, REG_RIP, next);
	if (rflags & X86_EFLAGS_RF) {
		rflags &= ~(u64)X86_EFLAGS_RF;
		reg_write(vcpu, REG_RFLAGS, rflags);
	}
	glue_insn_completed(vcpu, rflags, 0);
	return 0;
}
