/* SPDX-License-Identifier: GPL-2.0-only */
/* Which VM is meant. Pure. */
#ifndef VMCTL_MATCH_H
#define VMCTL_MATCH_H

#include "libjoist/types.h"

#define UUID_TEXT	37	/* with its zero */
#define UUID_PREFIX_MIN	4

#define MATCH_NONE	(-1)
#define MATCH_MANY	(-2)

/**
 * struct match_key - by what a VM can be named
 * @name: NULL or "": it has none
 * @uuid: 8-4-4-4-12 in lower case; "": not known
 * @id: netlink's; 0: it has none
 */
struct match_key {
	const char *name;
	char uuid[UUID_TEXT];
	u32 id;
};

enum match_kind { MATCH_NAME, MATCH_ID, MATCH_UUID, NR_MATCH_KINDS };

bool match_is(const struct match_key *key, const char *text, enum match_kind kind);
int match_find(const struct match_key *keys, size_t nr, const char *text,
	       enum match_kind *kind);
void match_uuid_text(const u8 *uuid, char *text);

#endif
