/* SPDX-License-Identifier: GPL-2.0-only */
/* The terminal on standard input: raw while a guest runs, restored whatever happens. */
#ifndef VMM_TERMINAL_H
#define VMM_TERMINAL_H

#include "libjoist/types.h"

void terminal_enter(void);
void terminal_leave(void);
bool terminal_raw(void);

#endif
