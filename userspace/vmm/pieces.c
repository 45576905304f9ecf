// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "pieces.h"

/**
 * pieces_parse() - take apart what commas separate
 * @text: what was typed; cut into pieces, which must last as long as what they are put into
 * @kind: takes the first
 * @option: takes each of the others
 * @into: for both
 * @wrong: what is wrong, if something is, with what @text is then; else NULL
 *
 * Return: 0 or -EINVAL.
 */
int pieces_parse(char *text, piece_fn kind, piece_fn option, void *into, const char **wrong)
{
	char *rest = text, *piece = strsep(&rest, ",");

	*wrong = kind(piece, into);
	while (!*wrong && rest) {
		piece = strsep(&rest, ",");
		*wrong = option(piece, into);
	}
	if (!*wrong)
		return 0;
	memmove(text, piece, strlen(piece) + 1);
	return -EINVAL;
}
