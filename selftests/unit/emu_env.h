/* SPDX-License-Identifier: GPL-2.0-only */
/* A host for the emulator under test: flat memory and a log of the rest. */
#ifndef JOIST_UNIT_EMU_ENV_H
#define JOIST_UNIT_EMU_ENV_H

#include "x86/emulate.h"

enum { R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI };

#define FL_CF	0x001
#define FL_PF	0x004
#define FL_AF	0x010
#define FL_ZF	0x040
#define FL_SF	0x080
#define FL_TF	0x100
#define FL_IF	0x200
#define FL_DF	0x400
#define FL_OF	0x800
#define FL_IOPL	0x3000
#define FL_NT	0x4000
#define FL_RF	0x10000
#define FL_VM	0x20000
#define FL_AC	0x40000
#define FL_STATUS (FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF)

/**
 * struct emu_env - the emulator and what surrounds it
 * @emu: first, so that a callback finds the rest
 * @regs: the general registers
 * @mem: memory of @size bytes at linear address @base; elsewhere is #PF
 * @writable: linear addresses from here on may be written
 * @device: linear address of @device_len bytes that need userspace: a read
 *          is EMU_IO until @device_ready
 * @reads: callbacks so far
 * @writes: likewise
 * @read_after_write: a read followed a write
 * @lose: this many of the next cmpxchgs find that memory changed
 * @port: of the last IN or OUT
 * @port_len: its size in bytes
 * @port_val: what was written, or what is read next
 * @cr: control registers
 * @dr: debug registers
 * @msr_index: of the last access
 * @msr_val: what was written, or is read next
 * @dt_base: GDTR and IDTR
 * @dt_limit: likewise
 * @system: last enum emu_system, or -1
 * @system_arg: its argument
 * @xmm: vector registers, 32 bytes each
 * @fpu_control: the x87's control word
 * @fpu_status: and its status
 */
struct emu_env {
	struct emu emu;
	u64 regs[EMU_NR_REGS];
	u8 *mem;
	u64 base;
	u64 size;
	u64 writable;
	u64 device;
	unsigned int device_len;
	bool device_ready;
	unsigned int reads;
	unsigned int writes;
	bool read_after_write;
	unsigned int lose;
	u16 port;
	unsigned int port_len;
	u32 port_val;
	u64 cr[16];
	u64 dr[8];
	u32 msr_index;
	u64 msr_val;
	u64 dt_base[2];
	u16 dt_limit[2];
	int system;
	u64 system_arg;
	u8 xmm[16][32];
	u16 fpu_control;
	u16 fpu_status;
};

extern const struct emu_ops emu_env_ops;

void emu_env_init(struct emu_env *env, enum emu_mode mode, u8 *mem, u64 base,
		  u64 size);

#endif
