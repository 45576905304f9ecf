/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers as people type them: what command lines, configuration and protocol have in common. */
#ifndef LIBJOIST_NUMBER_H
#define LIBJOIST_NUMBER_H

#include "types.h"

int number_take(const char *text, int base, u64 *value, const char **end);
int number_unit(u64 *value, const char **end);

#endif
