/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers and sizes as people type them. */
#ifndef VMCTL_PARSE_H
#define VMCTL_PARSE_H

#include "libjoist/types.h"

bool parse_number(const char *text, u64 lowest, u64 highest, u64 *value);
bool parse_size(const char *text, u64 *bytes);
bool parse_seconds(const char *text, u64 *ms);

#endif
