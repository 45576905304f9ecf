/* SPDX-License-Identifier: GPL-2.0-only */
/* Flash memory as its commands show it: Intel's command set, one byte wide. */
#ifndef VMM_CFI_H
#define VMM_CFI_H

#include "libjoist/types.h"

#define CFI_BLOCK	4096	/* what is erased at once: as OVMF's variables want it */

/**
 * struct cfi - a chip
 * @data: its contents
 * @size: bytes, a multiple of CFI_BLOCK
 * @mode: what a read shows: the last command's
 * @setup: command whose second write is due; 0: none
 * @status: status register
 * @dirty_start: bytes from here
 * @dirty_end: to here have changed; equal: none
 */
struct cfi {
	u8 *data;
	u32 size;
	u8 mode;
	u8 setup;
	u8 status;
	u32 dirty_start;
	u32 dirty_end;
};

void cfi_init(struct cfi *cfi, u8 *data, u32 size);
u8 cfi_read(const struct cfi *cfi, u32 offset);
void cfi_write(struct cfi *cfi, u32 offset, u8 value);
bool cfi_is_array(const struct cfi *cfi);

#endif
