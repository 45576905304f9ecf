/* SPDX-License-Identifier: GPL-2.0-only */
/* Folders of the host's that a VM shares. */
#ifndef VMD_SHARE_H
#define VMD_SHARE_H

#include "libjoist/types.h"
#include "vmm/vmm.h"

#define SHARES_MAX	VMM_SHARES_MAX

struct complaint;
struct json_object;

/**
 * struct share - one of them
 * @tag: what the guest calls it
 * @path: folder
 */
struct share {
	char tag[VMM_SHARE_TAG_SIZE];
	char *path;
	bool readonly;
};

struct shares {
	int nr;
	struct share share[SHARES_MAX];
};

int shares_add(struct shares *shares, const char *tag, const char *path, bool readonly,
	       struct complaint *c);
void shares_free(struct shares *shares);
bool shares_equal(const struct shares *a, const struct shares *b);
struct json_object *shares_json(const struct shares *shares);
int shares_from_json(struct shares *shares, struct json_object *list, struct complaint *c);

#endif
