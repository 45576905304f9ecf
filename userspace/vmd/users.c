// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of users and groups. A static program cannot ask the C library, which would
 * load other libraries for it: then the files are read, and nothing else.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "users.h"

#ifdef VMD_STATIC
static FILE *group_file;

/* In place of the C library's, for libconfuse too. */
struct passwd *getpwnam(const char *name)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *pw = NULL;

	while (f && (pw = fgetpwent(f)) && strcmp(pw->pw_name, name))
		;
	if (f)
		fclose(f);
	return pw;
}

struct passwd *getpwuid(uid_t uid)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *pw = NULL;

	while (f && (pw = fgetpwent(f)) && pw->pw_uid != uid)
		;
	if (f)
		fclose(f);
	return pw;
}

static void group_open(void)
{
	group_file = fopen("/etc/group", "re");
}

static struct group *group_next(void)
{
	return group_file ? fgetgrent(group_file) : NULL;
}

static void group_close(void)
{
	if (group_file)
		fclose(group_file);
}
#else
#define group_open	setgrent
#define group_next	getgrent
#define group_close	endgrent
#endif

/* Return: 0 or -ENOENT. */
int user_find(const char *name, u32 *uid, u32 *gid)
{
	struct passwd *pw = getpwnam(name);

	if (!pw)
		return -ENOENT;
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}

/* The group of somebody. Return: 0 or -ENOENT. */
int user_find_id(u32 uid, u32 *gid)
{
	struct passwd *pw = getpwuid(uid);

	if (!pw)
		return -ENOENT;
	*gid = pw->pw_gid;
	return 0;
}

int group_find(const char *name, u32 *gid)
{
	struct group *gr;

	group_open();
	do
		gr = group_next();
	while (gr && strcmp(gr->gr_name, name));
	if (gr)
		*gid = gr->gr_gid;
	group_close();
	return gr ? 0 : -ENOENT;
}

/* Fill in the number of an owner that has a name. Return: 0 or -EINVAL. */
int owner_resolve(struct owner *owner, struct complaint *c)
{
	u32 gid;

	if (owner->kind == OWNER_NONE || owner->id != NOBODY)
		return 0;
	if (owner->kind == OWNER_USER && user_find(owner->name, &owner->id, &gid))
		return complain(c, "there is no user '%s'", owner->name);
	if (owner->kind == OWNER_GROUP && group_find(owner->name, &owner->id))
		return complain(c, "there is no group '%s'", owner->name);
	return 0;
}

static bool has_member(const struct group *gr, const char *name)
{
	char **member;

	for (member = gr->gr_mem; *member; member++)
		if (!strcmp(*member, name))
			return true;
	return false;
}

/**
 * user_groups() - the groups somebody is in
 * @uid: who
 * @gid: the first of them
 * @groups: filled in, @gid too
 * @max: room
 *
 * Return: how many.
 */
int user_groups(u32 uid, u32 gid, u32 *groups, int max)
{
	struct passwd *pw = getpwuid(uid);
	char name[NAME_LEN_MAX + 1] = "";
	struct group *gr;
	int nr = 0;

	groups[nr++] = gid;
	if (pw)
		snprintf(name, sizeof(name), "%s", pw->pw_name);
	group_open();
	while (*name && nr < max && (gr = group_next()))
		if (has_member(gr, name))
			groups[nr++] = gr->gr_gid;
	group_close();
	return nr;
}
