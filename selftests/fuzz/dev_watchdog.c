// SPDX-License-Identifier: GPL-2.0-only
/* The watchdog, and what becomes of a guest that it fires at. */
#include "target.h"

static void configure(struct vmm_config *config, const struct options *options)
{
	config->watchdog = WATCHDOG_NONE + options->flags % WATCHDOG_PAUSE;
}

const struct target target = { .configure = configure };
