// SPDX-License-Identifier: GPL-2.0-only
/* The board alone: serial port, clock, power management, resets, what ends a VM. */
#include "target.h"

static void configure(struct vmm_config *config, const struct options *options)
{
	(void)config;
	(void)options;
}

const struct target target = { .configure = configure };
