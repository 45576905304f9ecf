// SPDX-License-Identifier: GPL-2.0-only
/* The flash of UEFI's variables, its commands, and the file that follows it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target.h"

#define OPTION_PRIVATE	BIT(0)
#define OPTION_ODD	BIT(1)
#define CODE_SIZE	4096
#define VARS_SIZE	(64L << 10)

static int vars = -1;
static off_t size;

static void configure(struct vmm_config *config, const struct options *options)
{
	static int code = -1;

	if (code < 0) {
		code = fuzz_memfd("firmware", NULL, CODE_SIZE);
		vars = fuzz_memfd("vars", NULL, VARS_SIZE);
	}
	/* Empty again: an input does the same each time. */
	size = VARS_SIZE - (options->flags & OPTION_ODD ? options->more : 0);
	if (ftruncate(vars, 0) || ftruncate(vars, size))
		return;
	config->kernel = vmm_path(NULL);
	config->firmware.code = (struct vmm_file) { "firmware", code };
	config->firmware.vars = (struct vmm_file) { "vars", vars };
	config->firmware.vars_private = options->flags & OPTION_PRIVATE;
}

/* Whatever the guest wrote, the file is as long as it was. */
static void end(void)
{
	struct stat st;

	if (!fstat(vars, &st) && st.st_size == size)
		return;
	fprintf(stderr, "==== the file of the flash has another size\n");
	abort();
}

const struct target target = { .configure = configure, .end = end };
