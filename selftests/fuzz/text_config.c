// SPDX-License-Identifier: GPL-2.0-only
/* vmd's configuration file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmd/config.h"
#include "vmd/js.h"
#include "wrap.h"

static char path[64];
static int file = -1;

/* It is opened by its name: a file in memory has one, too. */
static void put(const u8 *data, size_t size)
{
	if (file < 0) {
		file = memfd_create("joist.conf", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	}
	if (ftruncate(file, 0) || pwrite(file, data, size, 0) != (ssize_t)size)
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct config config;
	int err, i;

	put(data, size);
	err = config_read(&config, path, "host");
	/* Refused with a reason, or taken, and then good. */
	if (!err != !config.nr_faults)
		__builtin_trap();
	for (i = 0; !err && i < config.nr_vms; i++) {
		struct complaint c;

		if (definition_check(&config.vm[i], &c))
			__builtin_trap();
		json_object_put(definition_json(&config.vm[i], true));
	}
	json_object_put(config_faults_json(&config));
	config_free(&config);
	return 0;
}
