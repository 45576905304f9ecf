/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM's console, by a descriptor from vmd. */
#ifndef VMCTL_ATTACH_H
#define VMCTL_ATTACH_H

#include "libjoist/types.h"

struct client;

/**
 * struct attach - how
 * @vm: as typed
 * @read_only: look only
 * @force: make who writes a reader
 * @scrollback: bytes of what was printed before
 */
struct attach {
	const char *vm;
	bool read_only;
	bool force;
	u64 scrollback;
};

enum attach_end {
	ATTACH_CLOSED,		/* by vmd: the VM's process ended */
	ATTACH_DETACHED,	/* by keys */
	ATTACH_BROKEN,		/* nobody takes our output */
	ATTACH_SIGNAL = 128,	/* + its number */
};

int attach_open(struct client *client, const struct attach *attach);
int attach_carry(int fd, const struct attach *attach, bool keys,
		 void (*power)(void *arg), void *arg);

#endif
