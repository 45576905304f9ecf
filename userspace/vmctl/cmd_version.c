// SPDX-License-Identifier: GPL-2.0-only
/* vmctl version */
#include <stdio.h>

#include "vmctl.h"

int cmd_version(int argc, char **argv)
{
	if (argc > 1)
		return usage_error(argv[0], "unexpected argument '%s'", argv[1]);
	printf("vmctl %s\n", VMCTL_VERSION);
	return 0;
}
