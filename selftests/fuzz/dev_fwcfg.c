// SPDX-License-Identifier: GPL-2.0-only
/* fw_cfg, by its ports and by requests in memory; and the board as firmware finds it. */
#include "target.h"

#define OPTION_DEVICES	BIT(0)
#define CODE_SIZE	4096

static void configure(struct vmm_config *config, const struct options *options)
{
	static int code = -1, disk;

	if (code < 0) {
		code = fuzz_memfd("firmware", NULL, CODE_SIZE);
		disk = fuzz_memfd("disk", NULL, 4096);
	}
	config->kernel = vmm_path(NULL);
	config->firmware.code = (struct vmm_file) { "firmware", code };
	config->rng = true;
	/* What is told of them is an order to boot in. */
	if (options->flags & OPTION_DEVICES) {
		config->disk[0] = (struct vmm_disk) {
			.file = { "disk", disk }, .options = { .readonly = true },
		};
		config->nr_disks = 1;
	}
}

const struct target target = { .configure = configure };
