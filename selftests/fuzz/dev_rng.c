// SPDX-License-Identifier: GPL-2.0-only
#include "target.h"

static void configure(struct vmm_config *config, const struct options *options)
{
	(void)options;
	config->rng = true;
}

const struct target target = { .configure = configure };
