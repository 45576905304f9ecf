/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's string functions are the C library's. */
#ifndef JOIST_SHIM_STRING_H
#define JOIST_SHIM_STRING_H

#include <string.h>

#endif
