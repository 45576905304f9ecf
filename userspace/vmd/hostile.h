/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM's process that is taken over, for the tests of its sandbox: `make hostile` builds
 * a daemon of its own with it, which is never installed. Any other has nothing of it.
 */
#ifndef VMD_HOSTILE_H
#define VMD_HOSTILE_H

#include "libjoist/types.h"

struct vmm_result;

#ifdef VMD_HOSTILE
bool hostile(const char *cmdline, struct vmm_result *result);
#else
static inline bool hostile(const char *cmdline, struct vmm_result *result)
{
	(void)cmdline;
	(void)result;
	return false;
}
#endif

#endif
