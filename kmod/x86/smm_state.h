/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an SMI saves of a CPU and RSM loads: as the module has it, and as it lies
 * in SMRAM. Pure.
 */
#ifndef JOIST_X86_SMM_STATE_H
#define JOIST_X86_SMM_STATE_H

#include <linux/kvm.h>
#include <linux/types.h>

#include "../core/types.h"

#define SMM_NR_SEGS		6	/* as instructions encode them */
#define SMM_ENTRY_RIP		0x8000
#define SMRAM_SAVE_OFFSET	0xfe00	/* of the save area, from SMBASE */
#define SMRAM_SAVE_SIZE		512

/* SMBASE can be changed by the handler (bit 17); the low word tells the map. */
#define SMRAM_REVISION_32	0x20000
#define SMRAM_REVISION_64	0x20064

/**
 * struct smm_state - a CPU's state across an SMI
 * @regs: the general ones, as instructions encode them; 8 in the 32-bit map
 * @rip: of the next instruction
 * @rflags: all of them
 * @cr0: control registers
 * @cr3: likewise
 * @cr4: likewise
 * @efer: IA32_EFER; the 32-bit map has none
 * @dr6: debug status
 * @dr7: debug control
 * @smbase: base of SMRAM, for the next SMI
 * @shadow: KVM_X86_SHADOW_*: interrupts were held back for one instruction
 * @halted: the CPU was in HLT, and goes back there
 * @seg: ES, CS, SS, DS, FS, GS
 * @ldtr: local descriptor table
 * @tr: task register
 * @gdt: global descriptor table
 * @idt: interrupt descriptor table
 */
struct smm_state {
	u64 regs[16];
	u64 rip;
	u64 rflags;
	u64 cr0;
	u64 cr3;
	u64 cr4;
	u64 efer;
	u64 dr6;
	u64 dr7;
	u32 smbase;
	u8 shadow;
	bool halted;
	struct kvm_segment seg[SMM_NR_SEGS];
	struct kvm_segment ldtr;
	struct kvm_segment tr;
	struct kvm_dtable gdt;
	struct kvm_dtable idt;
};

/* A segment's hidden part in the 32-bit map. */
struct smram32_segment {
	u32 flags;		/* as in the second word of a descriptor */
	u32 limit;		/* in bytes */
	u32 base;
};

/*
 * The 32-bit map. Intel documents the registers, and leaves the rest to each
 * model: hidden parts and CR4 are where everybody has them.
 */
struct smram32 {
	u8 reserved1[0xf8];
	u32 smbase;
	u32 revision;
	u16 io_restart;
	u16 auto_halt;
	u32 shadow;		/* joist's own */
	u32 reserved2[3];
	u32 cr4;
	u32 reserved3[5];
	struct smram32_segment ds_fs_gs[3];
	u32 reserved4;
	u32 idt_limit;
	u32 idt_base;
	struct smram32_segment tr;
	u32 reserved5[2];
	u32 gdt_limit;
	u32 gdt_base;
	struct smram32_segment ldtr;
	struct smram32_segment es_cs_ss[3];
	u32 selectors[SMM_NR_SEGS];
	u32 ldtr_selector;
	u32 tr_selector;
	u32 dr7;
	u32 dr6;
	u32 regs[8];
	u32 eip;
	u32 eflags;
	u32 cr3;
	u32 cr0;
};

struct smram64_segment {
	u16 selector;
	u16 attrib;		/* bits 8 to 23 of a descriptor's second word */
	u32 limit;		/* in bytes; of a table 16 bits count */
	u64 base;
};

/* The AMD64 map, for every guest that has long mode. */
struct smram64 {
	struct smram64_segment seg[SMM_NR_SEGS];
	struct smram64_segment gdt;
	struct smram64_segment ldtr;
	struct smram64_segment idt;
	struct smram64_segment tr;
	u64 io_restart_regs[4];
	u32 io_trap;
	u32 local_smi_status;
	u8 io_restart;
	u8 auto_halt;
	u8 reserved1;
	u8 shadow;		/* joist's own */
	u32 reserved2;
	u64 efer;
	u64 svm_guest[3];
	u32 reserved3[3];
	u32 revision;
	u32 smbase;
	u32 reserved4[7];
	u64 svm_host[5];
	u64 cr4;
	u64 cr3;
	u64 cr0;
	u64 dr7;
	u64 dr6;
	u64 rflags;
	u64 rip;
	u64 regs[16];		/* R15 first, RAX last */
};

union smram {
	struct smram32 map32;
	struct smram64 map64;
};

void smm_state_pack(const struct smm_state *s, bool lm, union smram *out);
void smm_state_unpack(const union smram *in, bool lm, struct smm_state *s);

#endif
