// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "uuid.h"

bool uuid_valid(const char *text)
{
	size_t i;

	if (strlen(text) != UUID_LEN)
		return false;
	for (i = 0; i < UUID_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return true;
}

/* @uuid: a valid one; @bytes: 16 of them, in the order they are written in. */
void uuid_bytes(const char *uuid, u8 *bytes)
{
	char digits[3] = "";
	int i;

	for (i = 0; i < 16; i++) {
		uuid += *uuid == '-';
		memcpy(digits, uuid, 2);
		bytes[i] = (u8)strtoul(digits, NULL, 16);
		uuid += 2;
	}
}
