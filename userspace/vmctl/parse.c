// SPDX-License-Identifier: GPL-2.0-only
/* Numbers and sizes as people type them: nothing is guessed. */
#include <ctype.h>

#include "libjoist/number.h"
#include "parse.h"

#define SECONDS_MAX	(366ULL * 86400)

/* Return: whether @text is a whole number from @lowest to @highest. */
bool parse_number(const char *text, u64 lowest, u64 highest, u64 *value)
{
	const char *end;

	return !number_take(text, 0, value, &end) && !*end && *value >= lowest &&
	       *value <= highest;
}

/* Return: whether @text is bytes, or a number with suffix K, M, G or T. */
bool parse_size(const char *text, u64 *bytes)
{
	const char *end;

	return !number_take(text, 0, bytes, &end) && !number_unit(bytes, &end) && !*end;
}

/* Return: whether @text is seconds, up to a year, with up to three decimals. */
bool parse_seconds(const char *text, u64 *ms)
{
	u64 scale = 100;
	const char *end;

	if (number_take(text, 10, ms, &end) || *ms > SECONDS_MAX)
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
