/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of users and groups. */
#ifndef VMD_USERS_H
#define VMD_USERS_H

#include "definition.h"

#define GROUPS_MAX	256

int user_find(const char *name, u32 *uid, u32 *gid);
int user_find_id(u32 uid, u32 *gid);
int group_find(const char *name, u32 *gid);
int owner_resolve(struct owner *owner, struct complaint *c);
int user_groups(u32 uid, u32 gid, u32 *groups, int max);

#endif
