/* SPDX-License-Identifier: GPL-2.0-only */
/* The terminal on standard input: raw while a guest runs, restored whatever happens. */
#ifndef VMM_TERMINAL_H
#define VMM_TERMINAL_H

#include "libjoist/types.h"

void terminal_enter(void);
void terminal_leave(void);
bool terminal_raw(void);
void terminal_farewell(const char *text);

enum terminal_key {
	KEY_BYTE,
	KEY_NONE,
	KEY_LEAVE,	/* Ctrl-A x */
	KEY_DETACH,	/* Ctrl-A d */
	KEY_POWER,	/* Ctrl-A p */
	KEY_SLEEP,	/* Ctrl-A s */
	KEY_CONTINUE,	/* Ctrl-A c */
	KEY_UNKNOWN,	/* Ctrl-A and any other */
};

enum terminal_key terminal_key(bool *escaped, u8 *byte);

#endif
