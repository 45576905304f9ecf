/* SPDX-License-Identifier: GPL-2.0-only */
/* The flash that keeps UEFI's variables. */
#ifndef VMM_FLASH_H
#define VMM_FLASH_H

#include "libjoist/types.h"

struct vm;

int flash_create(struct vm *vm, u64 end);
void flash_destroy(struct vm *vm);

#endif
