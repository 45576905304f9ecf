// SPDX-License-Identifier: GPL-2.0-only
/* Numbers and sizes as people type them: nothing is guessed. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

#define SECONDS_MAX	(366ULL * 86400)

static bool parse_u64(const char *text, u64 *value, char **end)
{
	if (!isdigit((unsigned char)*text))
		return false;	/* no sign, no space */
	errno = 0;
	*value = strtoull(text, end, 0);
	return !errno;
}

/* Return: whether @text is a whole number from @lowest to @highest. */
bool parse_number(const char *text, u64 lowest, u64 highest, u64 *value)
{
	char *end;

	return parse_u64(text, value, &end) && !*end && *value >= lowest &&
	       *value <= highest;
}

/* Return: whether @text is bytes, or a number with suffix K, M, G or T. */
bool parse_size(const char *text, u64 *bytes)
{
	int shift = 0;
	char *end;

	if (!parse_u64(text, bytes, &end))
		return false;
	switch (toupper((unsigned char)*end)) {
	case 'T':
		shift += 10;
		fallthrough;
	case 'G':
		shift += 10;
		fallthrough;
	case 'M':
		shift += 10;
		fallthrough;
	case 'K':
		shift += 10;
		end++;
	}
	if (*end || *bytes > UINT64_MAX >> shift)
		return false;
	*bytes <<= shift;
	return true;
}

/* Return: whether @text is seconds, up to a year, with up to three decimals. */
bool parse_seconds(const char *text, u64 *ms)
{
	u64 scale = 100;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*ms = strtoull(text, &end, 10);
	if (errno || *ms > SECONDS_MAX)
		return false;
	*ms *= 1000;
	if (*end == '.') {
		if (!isdigit((unsigned char)end[1]))
			return false;
		for (end++; isdigit((unsigned char)*end) && scale; end++) {
			*ms += (u64)(*end - '0') * scale;
			scale /= 10;
		}
	}
	return !*end;
}
