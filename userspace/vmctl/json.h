/* SPDX-License-Identifier: GPL-2.0-only */
/* As much JSON as vmctl prints. */
#ifndef VMCTL_JSON_H
#define VMCTL_JSON_H

#include <stdio.h>

void json_string(FILE *out, const char *text);	/* NULL: null */

#endif
