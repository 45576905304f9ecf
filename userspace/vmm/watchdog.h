/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens to a VM whose watchdog fires: as options and definitions name it. */
#ifndef VMM_WATCHDOG_H
#define VMM_WATCHDOG_H

#include "libjoist/types.h"

enum watchdog_action {
	WATCHDOG_NO,		/* there is no watchdog */
	WATCHDOG_NONE,		/* it is told of, and that is all */
	WATCHDOG_RESET,
	WATCHDOG_POWEROFF,
	WATCHDOG_PAUSE,
};

#define WATCHDOG_RULE	"reset, poweroff, pause, none or no"

bool watchdog_parse(const char *text, u32 *action);
const char *watchdog_name(u32 action);

#endif
