// SPDX-License-Identifier: GPL-2.0-only
/* Many devices of little interest, for what they share: the bus, windows, messages. */
#include "target.h"

#define OPTION_FEW	BIT(0)
#define NR_DISKS	4

static void configure(struct vmm_config *config, const struct options *options)
{
	static int disk = -1;
	int i;

	if (disk < 0)
		disk = fuzz_memfd("disk", NULL, 4096);
	config->rng = true;
	config->balloon = true;
	config->nr_disks = options->flags & OPTION_FEW ? 1 : NR_DISKS;
	for (i = 0; i < config->nr_disks; i++)
		config->disk[i] = (struct vmm_disk) {
			.file = { "disk", disk }, .options = { .readonly = true },
		};
}

const struct target target = { .configure = configure };
