// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which VM is meant: by name, by id, by the first digits of its UUID, in this
 * order. The first kind that fits any VM decides; more than one VM of that kind is
 * an ambiguity, and nothing is guessed.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "match.h"
#include "parse.h"

/* Both with or without dashes; case does not matter. */
static bool uuid_begins(const char *uuid, const char *prefix)
{
	size_t digits = 0;

	for (; *prefix; prefix++) {
		if (*prefix == '-')
			continue;
		while (*uuid == '-')
			uuid++;
		if (!isxdigit((unsigned char)*prefix) ||
		    tolower((unsigned char)*prefix) != *uuid)
			return false;
		uuid++;
		digits++;
	}
	return digits >= UUID_PREFIX_MIN;
}

static bool decimal(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* Return: whether @text names the VM of @key in this way. */
bool match_is(const struct match_key *key, const char *text, enum match_kind kind)
{
	u64 id;

	switch (kind) {
	case MATCH_NAME:
		return key->name && *key->name && !strcmp(key->name, text);
	case MATCH_ID:
		/* No octal: 010 is no id. */
		return key->id && decimal(text) && *text != '0' &&
		       parse_number(text, 1, UINT32_MAX, &id) && id == key->id;
	case MATCH_UUID:
		return uuid_begins(key->uuid, text);
	default:
		return false;
	}
}

/**
 * match_find() - find the VM that is meant
 * @keys: of all VMs
 * @nr: how many
 * @text: what was typed
 * @kind: set to the kind that fits
 *
 * Return: its index, MATCH_NONE or MATCH_MANY.
 */
int match_find(const struct match_key *keys, size_t nr, const char *text,
	       enum match_kind *kind)
{
	for (*kind = MATCH_NAME; *kind < NR_MATCH_KINDS; (*kind)++) {
		int found = MATCH_NONE;
		size_t i;

		for (i = 0; i < nr; i++) {
			if (!match_is(&keys[i], text, *kind))
				continue;
			if (found != MATCH_NONE)
				return MATCH_MANY;
			found = (int)i;
		}
		if (found != MATCH_NONE)
			return found;
	}
	return MATCH_NONE;
}

/* @text has room for UUID_TEXT bytes. */
void match_uuid_text(const u8 *uuid, char *text)
{
	int i;

	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		text += sprintf(text, "%02x", uuid[i]);
	}
}
