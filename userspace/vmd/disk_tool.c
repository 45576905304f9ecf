// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks of other formats than raw: the process that knows them is the parent's child, with
 * the rights of who named the disk; the VM's process gets its socket, as it gets files.
 */
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "disk_tool.h"
#include "sandbox.h"
#include "users.h"
#include "vmm/backend/tool.h"

/* Root's opens what the configuration names, and can do nothing else. */
static int become_root(void)
{
	static const cap_value_t keep[] = { CAP_DAC_OVERRIDE };

	return sandbox_bound(keep, ARRAY_SIZE(keep));
}

/* In a tool's process. The images behind an image are opened with these rights, too. */
int tool_become(void *arg)
{
	const struct tool_user *who = arg;
	u32 groups[GROUPS_MAX];
	int nr;

	/* What it uses is the VM's. */
	if (who->procs_fd >= 0 && write(who->procs_fd, "0", 1) != 1)
		return -errno;
	if (!who->uid)
		return become_root();
	nr = user_groups(who->uid, who->gid, groups, GROUPS_MAX);
	if (setgroups((size_t)nr, groups) || setresgid(who->gid, who->gid, who->gid) ||
	    setresuid(who->uid, who->uid, who->uid))
		return -errno;
	return 0;
}

/**
 * disk_tool_start() - start the process of a disk's format
 * @def: VM
 * @disk: which of its disks
 * @procs_fd: the VM's cgroup, or -1
 * @f: why not
 *
 * Return: a socket, or less.
 */
int disk_tool_start(const struct definition *def, const struct disk *disk, int procs_fd,
		    struct failure *f)
{
	struct tool_user who = { def->uid, def->gid, procs_fd };
	const char *path = disk->path;
	int fd;

	if (disk->uid != NOBODY) {
		who.uid = disk->uid;
		who.gid = disk->gid;
	}
	fd = tool_start(path, &disk->options, RUN_DIR, tool_become, &who, NULL);

	if (fd == -ENOPKG) {
		fail(f, "failed", "the disk %s needs qemu-nbd", path);
		f->remedy = "install the package qemu-utils";
	} else if (fd < 0) {
		fail(f, "failed", "cannot start qemu-nbd for the disk %s: %s", path,
		     strerror(-fd));
	}
	return fd;
}
