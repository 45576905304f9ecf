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

/**
 * number_range() - FIRST or FIRST-LAST, each as in C
 * @text: text, all of it
 * @most: neither is larger
 * @range: filled in
 *
 * Return: 0; -EINVAL: it is none; -ERANGE: it ends before it begins, or beyond @most.
 */
int number_range(const char *text, u64 most, struct range *range)
{
	const char *end;
	int err = number_take(text, 0, &range->first, &end);

	range->last = range->first;
	if (!err && *end == '-')
		err = number_take(end + 1, 0, &range->last, &end);
	if (err)
		return err;
	if (*end)
		return -EINVAL;
	return range->first <= range->last && range->last <= most ? 0 : -ERANGE;
}
