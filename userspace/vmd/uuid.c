// SPDX-License-Identifier: GPL-2.0-only
/* UUIDs: random ones (version 4), and those that follow from a name (version 8). */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "definition.h"

static void print_uuid(char *uuid, u8 *b, u8 version)
{
	b[6] = (u8)((b[6] & 0x0f) | version << 4);
	b[8] = (u8)((b[8] & 0x3f) | 0x80);
	snprintf(uuid, UUID_LEN + 1,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9],
		 b[10], b[11], b[12], b[13], b[14], b[15]);
}

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

int uuid_random(char *uuid)
{
	u8 bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -errno;
	print_uuid(uuid, bytes, 4);
	return 0;
}

/* FNV-1a, 64 bits. */
static u64 hash(u64 h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (u8)*text) * 0x100000001b3ULL;
	return h;
}

/* The same one whenever the same host reads the same name in its configuration. */
void uuid_from_name(char *uuid, const char *host, const char *name)
{
	u64 half[2] = { hash(hash(0xcbf29ce484222325ULL, host), name), 0 };
	u8 bytes[16];

	half[1] = hash(hash(hash(half[0], name), "/"), host);
	memcpy(bytes, half, sizeof(bytes));
	print_uuid(uuid, bytes, 8);
}
