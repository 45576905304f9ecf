// SPDX-License-Identifier: GPL-2.0-only
/* Files: opened with their users' rights, written so that they are whole or not there. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "js.h"
#include "users.h"

#define JSON_SIZE_MAX	(256 << 10)

/* A file's kind that a guest may be given: no FIFO that makes us wait, no terminal. */
static int check_kind(mode_t mode)
{
	if (S_ISREG(mode) || S_ISBLK(mode))
		return 0;
	return S_ISDIR(mode) ? -EISDIR : -EINVAL;
}

static int check_char_device(mode_t mode)
{
	return S_ISCHR(mode) ? 0 : -ENODEV;
}

/*
 * The daemon has one thread, so nobody else sees it with these rights. Without root's
 * fsuid the kernel does not let the capabilities for files count.
 */
static int open_as(u32 uid, u32 gid, const char *path, int flags, int (*check)(mode_t mode))
{
	u32 groups[GROUPS_MAX];
	int fd = -EPERM, err;
	struct stat st;

	if (uid) {
		int nr = user_groups(uid, gid, groups, GROUPS_MAX);

		if (setgroups((size_t)nr, groups))
			return -errno;
		setfsgid(gid);
		setfsuid(uid);
	}
	/* -1 changes nothing: it asks. */
	if (!uid || (u32)setfsuid((uid_t)-1) == uid) {
		fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
		if (fd < 0)
			fd = -errno;
	}
	if (uid) {
		setfsuid(0);
		setfsgid(0);
		setgroups(0, NULL);
	}
	if (fd < 0)
		return fd;
	err = fstat(fd, &st) ? -errno : check(st.st_mode);
	if (err) {
		close(fd);
		return err;
	}
	fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	return fd;
}

/**
 * file_open_as() - open a file with somebody's rights
 * @uid: who; root: with the daemon's own
 * @gid: their group; the others they are in count too
 * @path: absolute
 * @flags: as for open()
 *
 * Return: a descriptor or -errno.
 */
int file_open_as(u32 uid, u32 gid, const char *path, int flags)
{
	return open_as(uid, gid, path, flags, check_kind);
}

/* Likewise a device of the kernel's, by a path that is ours. */
int char_device_open_as(u32 uid, u32 gid, const char *path, int flags)
{
	return open_as(uid, gid, path, flags, check_char_device);
}

int dir_make(const char *path, unsigned int mode)
{
	if (mkdir(path, mode) && errno != EEXIST)
		return -errno;
	return chmod(path, mode) ? -errno : 0;
}

/**
 * file_write() - replace a file
 * @path: file
 * @text: its content
 *
 * After a crash the old one or the new one is there, whole.
 *
 * Return: 0 or -errno.
 */
int file_write(const char *path, const char *text)
{
	size_t len = strlen(text);
	char tmp[512];
	int fd, err = 0;

	if (snprintf(tmp, sizeof(tmp), "%s.new", path) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	errno = ENOSPC;
	if (write(fd, text, len) != (ssize_t)len || fsync(fd))
		err = -errno;
	close(fd);
	if (!err && rename(tmp, path))
		err = -errno;
	if (err)
		unlink(tmp);
	return err;
}

/* Return: an object, the caller's; NULL if there is none. */
struct json_object *file_read_json(const char *path)
{
	struct json_object *obj = NULL;
	char *text = calloc(1, JSON_SIZE_MAX + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 && text && read(fd, text, JSON_SIZE_MAX) > 0)
		obj = json_tokener_parse(text);
	if (fd >= 0)
		close(fd);
	free(text);
	if (obj && !json_object_is_type(obj, json_type_object)) {
		json_object_put(obj);
		obj = NULL;
	}
	return obj;
}
