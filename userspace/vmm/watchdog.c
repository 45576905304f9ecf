// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "watchdog.h"

static const char *const names[] = {
	[WATCHDOG_NO] = "no",
	[WATCHDOG_NONE] = "none",
	[WATCHDOG_RESET] = "reset",
	[WATCHDOG_POWEROFF] = "poweroff",
	[WATCHDOG_PAUSE] = "pause",
};

/* Return: whether @text names an action. */
bool watchdog_parse(const char *text, u32 *action)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(text, names[i])) {
			*action = i;
			return true;
		}
	}
	return false;
}

const char *watchdog_name(u32 action)
{
	return names[action];
}
