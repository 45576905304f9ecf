// SPDX-License-Identifier: GPL-2.0-only
/*
 * The servers of shares: the parent's children, with the rights of the VM's creator, as
 * processes of disks have; the VM's process gets their sockets.
 */
#include "disk_tool.h"
#include "share_tool.h"
#include "vmm/backend/share_tool.h"

/**
 * share_open_as() - start the server of a share
 * @def: VM
 * @share: one of its
 * @uid: of its process: where root has defined the VM the server has its rights, not root's
 * @gid: likewise
 * @procs_fd: the VM's cgroup, or -1
 * @f: why not
 *
 * Return: a socket, or less.
 */
int share_open_as(const struct definition *def, const struct share *share, u32 uid, u32 gid,
		  int procs_fd, struct failure *f)
{
	struct tool_user who = { def->uid ?: uid, def->uid ? def->gid : gid, procs_fd };
	int fd = share_tool_start(share->path, share->readonly, tool_become, &who);

	if (fd >= 0)
		return fd;
	return fail(f, "failed", "cannot share %s: %s", share->path, share_tool_error(fd));
}
