/* SPDX-License-Identifier: GPL-2.0-only */
/* What is typed as KIND[,OPTION]... */
#ifndef VMM_PIECES_H
#define VMM_PIECES_H

/* Return: NULL, or what is wrong with @piece. */
typedef const char *(*piece_fn)(char *piece, void *into);

int pieces_parse(char *text, piece_fn kind, piece_fn option, void *into, const char **wrong);

#endif
