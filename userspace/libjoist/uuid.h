/* SPDX-License-Identifier: GPL-2.0-only */
/* UUIDs as text. */
#ifndef LIBJOIST_UUID_H
#define LIBJOIST_UUID_H

#include "types.h"

#define UUID_LEN	36	/* without its NUL */

bool uuid_valid(const char *text);
void uuid_bytes(const char *uuid, u8 *bytes);

#endif
