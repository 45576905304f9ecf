/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest in C: what its instructions are to the VMM. All are for the guest's own fiber. */
#ifndef FUZZ_GUEST_H
#define FUZZ_GUEST_H

#include "prog.h"

void guest_begin(const struct insn *insn, size_t nr);

/* Accesses that leave to userspace, unless it is memory or a notifier's. */
u64 guest_in(u16 port, unsigned int len);
void guest_out(u16 port, unsigned int len, u64 value, u32 count);
u64 guest_read(u64 gpa, unsigned int len);
void guest_write(u64 gpa, unsigned int len, u64 value);
void guest_exit(u32 reason, u32 detail);
void guest_yield(int rounds);

/* Straight to memory, which takes any length. */
void guest_ram_write(u64 gpa, const void *data, size_t len);
bool guest_has_ram(u64 gpa);
void guest_ram_fill(u64 gpa, size_t len, u64 pattern);

/* PCI. */
u32 guest_cfg_read(u8 slot, u8 reg, unsigned int len);
void guest_cfg_write(u8 slot, u8 reg, unsigned int len, u32 value);
u64 guest_bar(u8 slot, int bar);

/* exec.c: the program. Return: whether there was an instruction left. */
void exec_begin(const struct insn *insn, size_t nr);
bool exec_next(void);

#endif
