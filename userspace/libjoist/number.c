// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

/**
 * number_take() - digits at the beginning of a text
 * @text: text; no sign and no blank comes first
 * @base: as for strtoull()
 * @value: set
 * @end: set to what is behind them
 *
 * Return: 0; -EINVAL: there are none; -ERANGE: it does not fit.
 */
int number_take(const char *text, int base, u64 *value, const char **end)
{
	char *behind;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &behind, base);
	*end = behind;
	return errno ? -ERANGE : 0;
}

/**
 * number_unit() - K, M, G or T behind a number: powers of 1024
 * @value: changed
 * @end: where it may stand; moved behind it
 *
 * Return: 0; -ERANGE: it does not fit.
 */
int number_unit(u64 *value, const char **end)
{
	static const char letters[] = "KMGT";
	const char *unit = **end ? strchr(letters, toupper((unsigned char)**end)) : NULL;
	int shift;

	if (!unit)
		return 0;
	shift = 10 * (int)(unit - letters + 1);
	++*end;
	if (*value > UINT64_MAX >> shift)
		return -ERANGE;
	*value <<= shift;
	return 0;
}
