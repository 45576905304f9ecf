/* SPDX-License-Identifier: GPL-2.0-only */
/* Who carries a VM's console and gives it orders, in the main thread. */
#ifndef VMM_FRONTEND_H
#define VMM_FRONTEND_H

#include "libjoist/types.h"

#define FRONTEND_FDS_MAX	32

struct pollfd;
struct vm;

/**
 * struct vmm_frontend - what the main loop calls
 * @enter: the vCPUs run from here on; returns its context
 * @fds: what poll() shall wait for; returns how many, at most FRONTEND_FDS_MAX
 * @serve: after each poll(), which said @fds
 * @leave: the vCPUs have stopped: time for the guest's last words
 * @arg: for @enter
 */
struct vmm_frontend {
	void *(*enter)(void *arg, struct vm *vm);
	int (*fds)(void *ctx, struct pollfd *fds);
	void (*serve)(void *ctx, const struct pollfd *fds);
	void (*leave)(void *ctx);
	void *arg;
};

extern const struct vmm_frontend stdio_frontend;

#endif
