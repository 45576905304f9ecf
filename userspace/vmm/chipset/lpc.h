/* SPDX-License-Identifier: GPL-2.0-only */
/* The LPC bridge, an ICH9's: it says where power management's ports are. */
#ifndef VMM_LPC_H
#define VMM_LPC_H

struct vm;

int lpc_create(struct vm *vm);
void lpc_destroy(struct vm *vm);

#endif
