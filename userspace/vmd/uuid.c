// SPDX-License-Identifier: GPL-2.0-only
/* UUIDs: random ones (version 4), and those that follow from a name (version 8). */
#include <errno.h>
#include <stdio.h>
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
