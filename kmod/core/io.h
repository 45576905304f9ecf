/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device accesses of one instruction: in-kernel devices at once, userspace by
 * replay. The emulator's glue calls io_insn_begin(), emulates, and on EMU_OK
 * io_insn_end(), on EMU_IO io_to_userspace().
 *
 * A read that only userspace can answer ends the emulation with EMU_IO; when
 * the answer is there vcpu->io.complete runs, the same instruction is emulated
 * again and the answered reads are replayed in order. Writes come after all
 * reads of an instruction: in-kernel devices get them at once, those for
 * userspace are queued and shown to it one by one after the commit.
 */
#ifndef JOIST_CORE_IO_H
#define JOIST_CORE_IO_H

#include "types.h"
#include "../x86/vendor_ops.h"

struct vcpu;

/* A new emulation (replay false), or the same again (replay true). */
void io_insn_begin(struct vcpu *vcpu, bool replay);

/* Each returns EMU_OK, EMU_IO or EMU_UNHANDLED (too many fragments). @len is
 * 1..8 and does not cross a page.
 */
int io_mmio_read(struct vcpu *vcpu, gpa_t gpa, void *val, unsigned int len);
int io_mmio_write(struct vcpu *vcpu, gpa_t gpa, const void *val,
		  unsigned int len);
int io_pio_in(struct vcpu *vcpu, u16 port, void *val, unsigned int size,
	      unsigned int count);
int io_pio_out(struct vcpu *vcpu, u16 port, const void *val,
	       unsigned int size);

/* INS: answered iterations that userspace was asked for ahead, and are left. */
unsigned int io_pio_ahead(struct vcpu *vcpu);

/* After EMU_OK and the commit of registers: EXIT_RESUME, or EXIT_USERSPACE with
 * the run page filled in while queued writes are left.
 */
int io_insn_end(struct vcpu *vcpu);

/* After EMU_IO: fills in the run page; @again is called once userspace has
 * answered (with io_insn_begin(vcpu, true) to be its first step).
 * EXIT_USERSPACE.
 */
int io_to_userspace(struct vcpu *vcpu, int (*again)(struct vcpu *vcpu));

/* IN and OUT without the emulator: exit.pio describes it, RAX is used, and the
 * instruction is skipped. enum exit_result or -errno.
 */
int io_pio_exit(struct vcpu *vcpu);
bool io_answer_hot(struct vcpu *vcpu);
enum hot io_pio_hot(struct vcpu *vcpu, u16 port, unsigned int size, bool in);

#endif
