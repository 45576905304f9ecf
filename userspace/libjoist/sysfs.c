// SPDX-License-Identifier: GPL-2.0-only
/* Small files below a root. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sysfs.h"

static int path_of(char *path, const char *root, const char *fmt, va_list args)
{
	int n = snprintf(path, PATH_MAX, "%s", root), m;

	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	m = vsnprintf(path + n, (size_t)(PATH_MAX - n), fmt, args);
	return m < PATH_MAX - n ? 0 : -ENAMETOOLONG;
}

/* In a function whose last named argument is @fmt. */
#define PATH_OF(path, root) ({				\
	va_list args_;					\
	int err_;					\
							\
	va_start(args_, fmt);				\
	err_ = path_of(path, root, fmt, args_);		\
	va_end(args_);					\
	err_;						\
})

/* A file's first line. Return: 0 or -errno. */
int sysfs_read(char *text, size_t size, const char *root, const char *fmt, ...)
{
	char path[PATH_MAX];
	int err = PATH_OF(path, root), fd;
	ssize_t n;

	*text = '\0';
	if (err)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	err = n < 0 ? -errno : 0;
	close(fd);
	text[max(n, (ssize_t)0)] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return err;
}

/* Likewise a number, in hexadecimal behind "0x". */
int sysfs_number(u64 *value, const char *root, const char *fmt, ...)
{
	char path[PATH_MAX], text[32], *end;
	int err = PATH_OF(path, root);

	err = err ?: sysfs_read(text, sizeof(text), path, "%s", "");
	if (err)
		return err;
	*value = strtoull(text, &end, 0);
	return *text && !*end ? 0 : -EINVAL;
}

/* Return: 0 or -errno. */
int sysfs_write(const char *text, const char *root, const char *fmt, ...)
{
	char path[PATH_MAX];
	int err = PATH_OF(path, root), fd;

	if (err)
		return err;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* The last part of what a link points to. Return: 0 or -errno. */
int sysfs_link(char *name, size_t size, const char *root, const char *fmt, ...)
{
	char path[PATH_MAX], target[PATH_MAX], *last;
	int err = PATH_OF(path, root);
	ssize_t n;

	*name = '\0';
	if (err)
		return err;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	if (strlen(last) >= size)
		return -ENAMETOOLONG;
	strcpy(name, last);
	return 0;
}

/* Return: 0 or -errno. */
int sysfs_real(char path[PATH_MAX], const char *root, const char *fmt, ...)
{
	char from[PATH_MAX];
	int err = PATH_OF(from, root);

	return err ?: realpath(from, path) ? 0 : -errno;
}

bool sysfs_there(const char *root, const char *fmt, ...)
{
	char path[PATH_MAX];

	return !PATH_OF(path, root) && !access(path, F_OK);
}

/* Is @path in @dir, or it? */
bool sysfs_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && (!path[len] || path[len] == '/');
}
