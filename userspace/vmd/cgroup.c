// SPDX-License-Identifier: GPL-2.0-only
/*
 * cgroup v2: a group for each VM below the daemon's own, or below the one that
 * VMD_CGROUP names. Where there is no cgroup file system, or we may not use it, VMs run
 * without; but not those that have limits.
 *
 * systemd does not start a service whose group has controllers below it, for its process
 * would be put there; and VMs outlive the daemon. So theirs are a service of their own,
 * held by cgroup_hold().
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <unistd.h>

#include "cgroup.h"
#include "notify.h"

#define MOUNT		"/sys/fs/cgroup"
#define CONTROLLERS	"+cpu +memory +pids"
#define PERIOD_US	100000

static char base[512];	/* empty: there is none */

static int put(const char *dir, const char *file, const char *text)
{
	size_t len = strlen(text);
	char path[1024];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		err = -errno;
	close(fd);
	return err;
}

/* Our own group, as /proc tells. Return: whether it was there. */
static bool own_group(char *dir, size_t size)
{
	char line[400];
	FILE *f = fopen("/proc/self/cgroup", "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found = !strncmp(line, "0::/", 4);
	}
	if (f)
		fclose(f);
	if (found)
		snprintf(dir, size, MOUNT "%s", line[4] ? line + 3 : "");
	return found;
}

/* The group that somebody else holds for VMs. */
static void use_group(const char *path)
{
	char dir[512];

	snprintf(dir, sizeof(dir), MOUNT "%s", path);
	if (access(dir, W_OK))
		say("no cgroup %s (%s): VMs run without limits", dir, strerror(errno));
	else
		snprintf(base, sizeof(base), "%s", dir);
}

/*
 * A group that has controllers below it must hold no process itself: ours go to one
 * named "vmd". In the root group, where there is no service manager, all is in "joist".
 */
void cgroup_init(void)
{
	const char *given = getenv("VMD_CGROUP");
	char dir[512], sub[600];
	struct statfs fs;
	size_t len;

	if (statfs(MOUNT, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC ||
	    !own_group(dir, sizeof(dir))) {
		say("no cgroup v2 at " MOUNT ": VMs run without limits");
		return;
	}
	if (given) {
		use_group(given);
		return;
	}
	/* Started again in our own group, by somebody who sits in it. */
	len = strlen(dir);
	if (len > 4 && !strcmp(dir + len - 4, "/vmd"))
		dir[len - 4] = '\0';
	if (!strcmp(dir, MOUNT)) {
		put(dir, "cgroup.subtree_control", CONTROLLERS);
		strcat(dir, "/joist");
	}
	snprintf(sub, sizeof(sub), "%s/vmd", dir);
	if ((mkdir(dir, 0755) && errno != EEXIST) ||
	    (mkdir(sub, 0755) && errno != EEXIST) ||
	    put(sub, "cgroup.procs", "0") ||
	    put(dir, "cgroup.subtree_control", CONTROLLERS)) {
		say("%s cannot be divided (%s): VMs run without limits", dir,
		    strerror(errno));
		return;
	}
	snprintf(base, sizeof(base), "%s", dir);
}

/**
 * cgroup_hold() - divide our group, and stay in it
 *
 * Return: if there is none: an exit code.
 */
int cgroup_hold(void)
{
	cgroup_init();
	if (!*base)
		return 1;
	notify("READY=1");
	for (;;)
		pause();
}

static bool has_limits(const struct definition *def)
{
	return def->cpu_max || def->memory_max || def->pids_max;
}

static int set_limits(const char *dir, const struct definition *def)
{
	char text[64];
	int err;

	snprintf(text, sizeof(text), "max %d", PERIOD_US);
	if (def->cpu_max)
		snprintf(text, sizeof(text), "%llu %d",
			 (unsigned long long)def->cpu_max * PERIOD_US / 100,
			 PERIOD_US);
	err = put(dir, "cpu.max", text);
	snprintf(text, sizeof(text), "max");
	if (def->memory_max)
		snprintf(text, sizeof(text), "%llu",
			 (unsigned long long)def->memory_max);
	err = err ?: put(dir, "memory.max", text);
	snprintf(text, sizeof(text), "max");
	if (def->pids_max)
		snprintf(text, sizeof(text), "%u", def->pids_max);
	return err ?: put(dir, "pids.max", text);
}

/* Return: a descriptor: who writes "0" there is in the VM's group; -1: there is none. */
int cgroup_procs(const char *name)
{
	char path[1100];

	if (!*base)
		return -1;
	snprintf(path, sizeof(path), "%s/vm-%s/cgroup.procs", base, name);
	return open(path, O_WRONLY | O_CLOEXEC);
}

/**
 * cgroup_create() - a group for a VM
 * @def: the VM
 * @procs_fd: set to what cgroup_procs() has
 *
 * Return: 0; -errno: it has limits that cannot be had.
 */
int cgroup_create(const struct definition *def, int *procs_fd)
{
	char dir[1024];
	int err = -ENOENT;

	*procs_fd = -1;
	if (*base) {
		snprintf(dir, sizeof(dir), "%s/vm-%s", base, def->name);
		err = mkdir(dir, 0755) && errno != EEXIST ? -errno : 0;
		err = err ?: set_limits(dir, def);
		*procs_fd = cgroup_procs(def->name);
	}
	if ((!err && *procs_fd >= 0) || !has_limits(def))
		return 0;
	if (*procs_fd >= 0)
		close(*procs_fd);
	*procs_fd = -1;
	return err ?: -ENOENT;
}

void cgroup_remove(const char *name)
{
	char dir[1024];

	if (!*base)
		return;
	snprintf(dir, sizeof(dir), "%s/vm-%s", base, name);
	rmdir(dir);
}
