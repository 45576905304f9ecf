/* SPDX-License-Identifier: GPL-2.0-only */
/* vmctl top on a terminal; the only file that knows ncurses is top_screen.c. */
#ifndef VMCTL_TOP_SCREEN_H
#define VMCTL_TOP_SCREEN_H

#include "top.h"

enum screen_key {
	SCREEN_NONE,	/* the time is up */
	SCREEN_QUIT,
	SCREEN_RIGHT,	/* sort by the column to the right */
	SCREEN_LEFT,
	SCREEN_REVERSE,
	SCREEN_VCPUS,
	SCREEN_UP,
	SCREEN_DOWN,
	SCREEN_PAGE_UP,
	SCREEN_PAGE_DOWN,
	SCREEN_FIRST,
	SCREEN_REDRAW,	/* it has another size */
};

int screen_open(void);
void screen_close(void);
void screen_draw(const struct top *top, const struct top_view *view, size_t *first);
size_t screen_page(void);
enum screen_key screen_key(int wait_ms);
int screen_signal(void);

#endif
