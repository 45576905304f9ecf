// SPDX-License-Identifier: GPL-2.0-only
/* Device accesses of one instruction: see io.h for the model. */
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "io.h"
#include "iobus.h"
#include "regs.h"
#include "vm.h"
#include "../irqchip/irqchip.h"
#include "../x86/x86.h"

/**
 * io_insn_begin() - an instruction is about to be emulated
 * @vcpu: owner thread, vcpu->mutex held
 * @replay: the same instruction as before, with userspace's answers
 */
void io_insn_begin(struct vcpu *vcpu, bool replay)
{
	struct vcpu_io *io = &vcpu->io;

	io->next_read = 0;
	io->nr_writes = 0;
	io->next_write = 0;
	io->atomic = false;
	if (replay)
		return;
	io->nr_reads = 0;
	io->read_pending = false;
	io->pio_left = 0;
	io->pio_pending = false;
}

/* In-kernel devices: 0, or -EOPNOTSUPP. */
static int mmio_kernel_read(struct vcpu *vcpu, gpa_t gpa, void *val,
			    unsigned int len)
{
	if (vcpu->lapic && lapic_in_mmio(vcpu->lapic, gpa) &&
	    lapic_mmio_read(vcpu->lapic, offset_in_page(gpa), len, val))
		return 0;
	return iobus_read(vcpu, IOBUS_MMIO, gpa, len, val);
}

static int mmio_kernel_write(struct vcpu *vcpu, gpa_t gpa, const void *val,
			     unsigned int len)
{
	if (vcpu->lapic && lapic_in_mmio(vcpu->lapic, gpa) &&
	    lapic_mmio_write(vcpu->lapic, offset_in_page(gpa), len, val))
		return 0;
	return iobus_write(vcpu, IOBUS_MMIO, gpa, len, val);
}

/* Remember a read that was answered, so that a replay sees the same value. */
static int read_record(struct vcpu_io *io, gpa_t gpa, const void *val,
		       unsigned int len)
{
	struct mmio_fragment *frag;

	if (io->nr_reads == MMIO_MAX_FRAGMENTS)
		return EMU_UNHANDLED;
	frag = &io->reads[io->nr_reads++];
	frag->gpa = gpa;
	frag->len = len;
	if (val)
		memcpy(frag->data, val, len);
	io->next_read = io->nr_reads;
	return EMU_OK;
}

/**
 * io_mmio_read() - the instruction reads device memory
 * @vcpu: between io_insn_begin() and io_insn_end()
 * @gpa: guest physical address; the access does not cross a page
 * @val: filled in on EMU_OK
 * @len: 1..8 bytes
 *
 * Return: EMU_OK; EMU_IO: call io_to_userspace(); EMU_UNHANDLED: too many
 * accesses in one instruction.
 */
int io_mmio_read(struct vcpu *vcpu, gpa_t gpa, void *val, unsigned int len)
{
	struct vcpu_io *io = &vcpu->io;

	if (io->next_read < io->nr_reads) {
		struct mmio_fragment *frag = &io->reads[io->next_read];

		/* A guest that changed its code meanwhile starts afresh. */
		if (frag->gpa == gpa && frag->len == len) {
			memcpy(val, frag->data, len);
			io->next_read++;
			return EMU_OK;
		}
		io->nr_reads = io->next_read;
	}
	if (!mmio_kernel_read(vcpu, gpa, val, len))
		return read_record(io, gpa, val, len);
	if (read_record(io, gpa, NULL, len) != EMU_OK)
		return EMU_UNHANDLED;
	io->read_pending = true;
	return EMU_IO;
}

/** io_mmio_write() - likewise, writing; a write for userspace is queued */
int io_mmio_write(struct vcpu *vcpu, gpa_t gpa, const void *val,
		  unsigned int len)
{
	struct vcpu_io *io = &vcpu->io;
	struct mmio_fragment *frag;

	if (!mmio_kernel_write(vcpu, gpa, val, len))
		return EMU_OK;
	if (io->nr_writes == MMIO_MAX_FRAGMENTS)
		return EMU_UNHANDLED;
	frag = &io->writes[io->nr_writes++];
	frag->gpa = gpa;
	frag->len = len;
	memcpy(frag->data, val, len);
	return EMU_OK;
}

static void pio_fill_run(struct vcpu *vcpu, u16 port, unsigned int size,
			 unsigned int count, bool in)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
	run->io.size = size;
	run->io.port = port;
	run->io.count = count;
	run->io.data_offset = KVM_PIO_PAGE_OFFSET * PAGE_SIZE;
}

/**
 * io_pio_in() - an emulated IN or INS iteration
 * @vcpu: between io_insn_begin() and io_insn_end()
 * @port: which
 * @val: filled in on EMU_OK
 * @size: 1, 2, 4 bytes
 * @count: so many iterations may be asked for at once, 1 or more; their values
 *         fit in a page
 *
 * Return: EMU_OK; EMU_IO: call io_to_userspace().
 */
int io_pio_in(struct vcpu *vcpu, u16 port, void *val, unsigned int size,
	      unsigned int count)
{
	struct vcpu_io *io = &vcpu->io;

	if (io->pio_left && io->pio_port == port && io->pio_size == size) {
		memcpy(val, vcpu->pio_data + io->pio_next, size);
		io->pio_next += size;
		io->pio_left--;
		return EMU_OK;
	}
	if (!iobus_read(vcpu, IOBUS_PIO, port, size, val))
		return EMU_OK;
	io->pio_port = port;
	io->pio_size = size;
	io->pio_count = count;
	io->pio_left = 0;
	io->pio_pending = true;
	return EMU_IO;
}

/** io_pio_ahead() - values of INS that are here before they are asked for */
unsigned int io_pio_ahead(struct vcpu *vcpu)
{
	return vcpu->io.pio_left;
}

/** io_pio_out() - an emulated OUT or OUTS iteration */
int io_pio_out(struct vcpu *vcpu, u16 port, const void *val, unsigned int size)
{
	struct vcpu_io *io = &vcpu->io;

	if (!iobus_write(vcpu, IOBUS_PIO, port, size, val))
		return EMU_OK;
	memcpy(vcpu->pio_data, val, size);
	io->pio_port = port;
	io->pio_size = size;
	io->pio_out = true;
	return EMU_OK;
}

static int next_write_to_userspace(struct vcpu *vcpu)
{
	struct vcpu_io *io = &vcpu->io;
	struct mmio_fragment *frag;
	struct kvm_run *run = vcpu->run;

	if (io->next_write >= io->nr_writes)
		return EXIT_RESUME;
	frag = &io->writes[io->next_write++];
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = frag->gpa;
	run->mmio.len = frag->len;
	run->mmio.is_write = 1;
	memset(run->mmio.data, 0, sizeof(run->mmio.data));
	memcpy(run->mmio.data, frag->data, frag->len);
	if (io->next_write < io->nr_writes)
		io->complete = next_write_to_userspace;
	return EXIT_USERSPACE;
}

/**
 * io_insn_end() - the instruction is done and committed
 * @vcpu: after io_insn_begin()
 *
 * Return: EXIT_RESUME, or EXIT_USERSPACE: it has writes to be told of.
 */
int io_insn_end(struct vcpu *vcpu)
{
	struct vcpu_io *io = &vcpu->io;

	io->nr_reads = 0;
	if (io->pio_out) {
		io->pio_out = false;
		pio_fill_run(vcpu, io->pio_port, io->pio_size, 1, false);
		if (io->nr_writes)
			io->complete = next_write_to_userspace;
		return EXIT_USERSPACE;
	}
	return next_write_to_userspace(vcpu);
}

static int read_answered(struct vcpu *vcpu)
{
	struct vcpu_io *io = &vcpu->io;

	if (io->read_pending) {
		struct mmio_fragment *frag = &io->reads[io->nr_reads - 1];

		memcpy(frag->data, vcpu->run->mmio.data, frag->len);
		io->read_pending = false;
	} else if (io->pio_pending) {
		io->pio_pending = false;
		io->pio_left = io->pio_count;
		io->pio_next = 0;
	}
	return io->again(vcpu);
}

/**
 * io_to_userspace() - userspace is asked for the read that gave EMU_IO
 * @vcpu: after EMU_IO
 * @again: emulates the same instruction once more
 *
 * Return: EXIT_USERSPACE, the run page is filled in.
 */
int io_to_userspace(struct vcpu *vcpu, int (*again)(struct vcpu *vcpu))
{
	struct vcpu_io *io = &vcpu->io;
	struct kvm_run *run = vcpu->run;

	if (io->read_pending) {
		struct mmio_fragment *frag = &io->reads[io->nr_reads - 1];

		run->exit_reason = KVM_EXIT_MMIO;
		run->mmio.phys_addr = frag->gpa;
		run->mmio.len = frag->len;
		run->mmio.is_write = 0;
	} else {
		pio_fill_run(vcpu, io->pio_port, io->pio_size, io->pio_count,
			     true);
	}
	io->again = again;
	io->complete = read_answered;
	return EXIT_USERSPACE;
}

/* IN writes AL, AX or EAX; the 32-bit form clears the upper half. */
static void pio_in_commit(struct vcpu *vcpu, unsigned int size, u32 val)
{
	u64 mask = GENMASK(8 * size - 1, 0);
	u64 rax = size == 4 ? 0 : vcpu->regs[REG_RAX] & ~mask;

	reg_write(vcpu, REG_RAX, rax | (val & mask));
}

static int pio_in_answered(struct vcpu *vcpu)
{
	pio_in_commit(vcpu, vcpu->io.pio_size, READ_ONCE(*(u32 *)vcpu->pio_data));
	return EXIT_RESUME;
}

/**
 * io_answer_hot() - what the last exit left to be done for the next KVM_RUN
 * @vcpu: owner thread, vcpu->mutex held; vcpu->io.complete is set
 *
 * Return: it is done; false: it needs the srcu read section.
 */
bool io_answer_hot(struct vcpu *vcpu)
{
	if (vcpu->io.complete != pio_in_answered)
		return false;
	vcpu->io.complete = NULL;
	pio_in_answered(vcpu);
	return true;
}

/* All of EAX is there; @size tells the VMM what of it counts. */
static void pio_tell(struct vcpu *vcpu, u16 port, unsigned int size, bool in)
{
	if (in) {
		*(u32 *)vcpu->pio_data = 0;
		vcpu->io.pio_size = size;
		vcpu->io.complete = pio_in_answered;
	} else {
		*(u32 *)vcpu->pio_data = vcpu->regs[REG_RAX];
	}
	pio_fill_run(vcpu, port, size, 1, in);
}

/**
 * io_pio_hot() - IN or OUT of a register, if it is clearly userspace's
 * @vcpu: its guest has just exited
 * @port: which
 * @size: 1, 2, 4 bytes
 * @in: the guest reads
 *
 * Or an ioeventfd's. Does not skip the instruction. Context: interrupts off.
 *
 * Return: HOT_NO: somebody here may have the port: io_pio_exit() asks. HOT_USERSPACE:
 * the run page is filled in. HOT_AGAIN: done.
 */
enum hot io_pio_hot(struct vcpu *vcpu, u16 port, unsigned int size, bool in)
{
	if (test_bit(port / IOBUS_PORT_BLOCK, vcpu->vm->port_blocks)) {
		u32 val = vcpu->regs[REG_RAX];

		return !in && iobus_write_hot(vcpu, IOBUS_PIO, port, size, &val) ?
		       HOT_AGAIN : HOT_NO;
	}
	pio_tell(vcpu, port, size, in);
	return HOT_USERSPACE;
}

/**
 * io_pio_exit() - IN or OUT of a register, described by vcpu->exit
 * @vcpu: owner thread, srcu read section held
 *
 * Return: EXIT_RESUME, EXIT_USERSPACE, or -errno of skipping the instruction.
 */
int io_pio_exit(struct vcpu *vcpu)
{
	unsigned int size = vcpu->exit.pio.size;
	u16 port = vcpu->exit.pio.port;
	bool in = vcpu->exit.pio.in;
	u32 val = vcpu->regs[REG_RAX];
	int err;

	err = vcpu_skip_insn(vcpu);
	if (err)
		return err;
	if (in && !iobus_read(vcpu, IOBUS_PIO, port, size, &val)) {
		pio_in_commit(vcpu, size, val);
		return EXIT_RESUME;
	}
	if (!in && !iobus_write(vcpu, IOBUS_PIO, port, size, &val))
		return EXIT_RESUME;

	pio_tell(vcpu, port, size, in);
	return EXIT_USERSPACE;
}
