// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that were taken from their drivers: a file each, there before a device is touched and
 * until it is back, so that whoever comes after a crash can finish.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hostdev.h"
#include "libjoist/sysfs.h"

static void path_of(char path[PATH_MAX], const char *root, const char *addr)
{
	snprintf(path, PATH_MAX, "%s" HOSTDEV_STATE_DIR "/%s", root, addr);
}

/* As vmd makes them, which may not be there. Return: 0 or -errno. */
static int make_dirs(const char *root)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/run/joist", root);
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	/* umask(077) of vmd's does not count for what others are to see. */
	snprintf(path, sizeof(path), "%s" HOSTDEV_STATE_DIR, root);
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

/* One at a time changes hands. Return: a descriptor that the caller closes, or -errno. */
int hostdev_lock(const char *root)
{
	char path[PATH_MAX];
	int err = make_dirs(root), fd;

	if (err)
		return err;
	path_of(path, root, "");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void put(char *to, size_t size, const char *line, const char *key)
{
	size_t len = strlen(key);

	if (!strncmp(line, key, len) && line[len] == '=')
		snprintf(to, size, "%.*s", (int)strcspn(line + len + 1, "\n"), line + len + 1);
}

/* Return: 0; -ENOENT: it is its driver's; or another -errno. */
int hostdev_state(const char *root, const char *addr, struct hostdev_state *state)
{
	char path[PATH_MAX], line[256], bare[4] = "", net[4] = "";
	FILE *f;

	*state = (struct hostdev_state) { 0 };
	path_of(path, root, addr);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		put(state->driver, sizeof(state->driver), line, "driver");
		put(state->vm, sizeof(state->vm), line, "vm");
		put(state->name, sizeof(state->name), line, "name");
		put(bare, sizeof(bare), line, "bare");
		put(net, sizeof(net), line, "net");
	}
	fclose(f);
	state->bare = !strcmp(bare, "yes");
	state->net = !strcmp(net, "yes");
	return 0;
}

/* Whole or as it was. Return: 0 or -errno. */
int hostdev_state_save(const char *root, const char *addr, const struct hostdev_state *state)
{
	char path[PATH_MAX], tmp[PATH_MAX + 8];
	int err = make_dirs(root);
	FILE *f;

	if (err)
		return err;
	path_of(path, root, addr);
	snprintf(tmp, sizeof(tmp), "%s.new", path);
	f = fopen(tmp, "we");
	if (!f)
		return -errno;
	fprintf(f, "driver=%s\nbare=%s\nnet=%s\nvm=%s\nname=%s\n", state->driver,
		state->bare ? "yes" : "no", state->net ? "yes" : "no", state->vm, state->name);
	if (fclose(f) || rename(tmp, path))
		err = -errno;
	if (err)
		unlink(tmp);
	return err;
}

void hostdev_state_drop(const char *root, const char *addr)
{
	char path[PATH_MAX];

	path_of(path, root, addr);
	unlink(path);
}

/* Which there are. Return: as hostdev_addrs(). */
int hostdev_states(const char *root, struct hostdev_id *list, int most)
{
	char path[PATH_MAX];

	path_of(path, root, "");
	return hostdev_addrs(path, list, most);
}
