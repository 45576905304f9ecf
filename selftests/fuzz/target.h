/* SPDX-License-Identifier: GPL-2.0-only */
/* What a fuzzer of a device adds to the VM that all have. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include "vmm/vmm.h"

#define HEADER_MAX	64

struct vm;

/* The program's first instruction: what the VM is like. */
struct options {
	u8 flags;	/* each target's own, but for OPTION_* */
	u16 more;
	u64 value;
};

#define OPTION_TWO_VCPUS	BIT(6)
#define OPTION_HIGH_MEMORY	BIT(7)

/**
 * struct target - a device
 * @configure: put it into the VM; what it opens is closed by @end
 * @header: what the first piece of a request on @queue begins with, made of the program's
 *          @d; returns its length, at most HEADER_MAX; may be NULL: there is none
 * @status: a request's last piece is a byte
 * @event: something happens to it that is not the guest's doing, in the main thread; may
 *         be NULL
 * @end: the VM is gone; may be NULL
 * @take: inputs are no programs: their first byte is struct options' flags, and this is
 *        the rest, before @configure
 */
struct target {
	void (*configure)(struct vmm_config *config, const struct options *options);
	u32 (*header)(u8 *header, int queue, u64 d);
	bool status;
	void (*event)(struct vm *vm, u8 kind, u32 c, u64 d);
	void (*end)(void);
	void (*take)(const u8 *data, size_t size);
};

extern const struct target target;

/* vm.c */
void vm_event(u8 kind, u32 c, u64 d);
int fuzz_memfd(const char *name, const void *data, size_t len);

#endif
