/* SPDX-License-Identifier: GPL-2.0-only */
/* The ACPI tables that describe the board to the guest. */
#ifndef VMM_ACPI_H
#define VMM_ACPI_H

#include "libjoist/types.h"

struct vm;

int acpi_build(struct vm *vm, u64 *rsdp);

#endif
