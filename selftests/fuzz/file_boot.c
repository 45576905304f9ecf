// SPDX-License-Identifier: GPL-2.0-only
/* A kernel's file that means no good: bzImage, ELF with a PVH note, multiboot. */
#include <stdlib.h>
#include <unistd.h>

#include "target.h"

#define OPTION_INITRD	BIT(0)
#define INITRD_SIZE	10000

static int kernel = -1, initrd = -1;

static void take(const u8 *data, size_t size)
{
	if (kernel < 0) {
		kernel = fuzz_memfd("kernel", NULL, 0);
		initrd = fuzz_memfd("initrd", NULL, INITRD_SIZE);
	}
	if (ftruncate(kernel, 0) || pwrite(kernel, data, size, 0) != (ssize_t)size)
		abort();
}

static void configure(struct vmm_config *config, const struct options *options)
{
	if (kernel >= 0)
		config->kernel.fd = kernel;
	if (options->flags & OPTION_INITRD)
		config->initrd = (struct vmm_file) { "initrd", initrd };
}

const struct target target = { .configure = configure, .take = take };
