// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving up: the parent keeps the capabilities its work needs; the control process and
 * the VMs' processes have none, no files, and another user.
 */
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"

/* Each with what takes it away from the parent's list: its reason to be there. */
static const cap_value_t parent_caps[] = {
	CAP_SYS_ADMIN,		/* mount namespaces and roots of its children; names of VMs */
	CAP_SYS_CHROOT,		/* likewise, where the root is an initramfs */
	CAP_SETUID,		/* users of the children; setfsuid() to open files */
	CAP_SETGID,		/* their groups */
	CAP_SETPCAP,		/* children empty their bounding set */
	CAP_DAC_OVERRIDE,	/* files that the configuration names for a VM */
	CAP_CHOWN,		/* the control socket's group */
	CAP_FOWNER,		/* modes of files in directories of ours */
	CAP_KILL,		/* VMs that do not end by themselves have other users */
	CAP_SYS_PTRACE,		/* pidfds and /proc of processes that are not dumpable */
	CAP_NET_ADMIN,		/* switches, and the taps that VMs are plugged in by */
	CAP_NET_BIND_SERVICE,	/* dnsmasq, of switches with dhcp */
	CAP_SYS_RESOURCE,	/* children may have more files than we do */
	CAP_SYS_RAWIO,		/* ports and memory of the host's that root gives a VM */
};

static int set_caps(const cap_value_t *keep, int nr)
{
	cap_t caps = cap_init();
	int err = -ENOMEM;

	if (!caps)
		return err;
	err = 0;
	if (nr && (cap_set_flag(caps, CAP_PERMITTED, nr, keep, CAP_SET) ||
		   cap_set_flag(caps, CAP_EFFECTIVE, nr, keep, CAP_SET)))
		err = -errno;
	if (!err && cap_set_proc(caps))
		err = -errno;
	cap_free(caps);
	return err;
}

static bool listed(cap_value_t cap, const cap_value_t *keep, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		if (keep[i] == cap)
			return true;
	return false;
}

/**
 * sandbox_bound() - no program that is executed later can have more
 * @keep: capabilities
 * @nr: how many
 *
 * Return: 0 or -errno.
 */
int sandbox_bound(const cap_value_t *keep, int nr)
{
	cap_value_t cap;

	for (cap = 0; cap <= cap_max_bits() - 1; cap++) {
		if (listed(cap, keep, nr) || cap_get_bound(cap) <= 0)
			continue;
		if (cap_drop_bound(cap))
			return -errno;
	}
	return 0;
}

/**
 * sandbox_parent() - give up what the parent does not need
 *
 * Return: 0 or -errno.
 */
int sandbox_parent(void)
{
	int err = sandbox_bound(parent_caps, ARRAY_SIZE(parent_caps));

	return err ?: set_caps(parent_caps, ARRAY_SIZE(parent_caps));
}

/**
 * sandbox_empty_root() - a mount namespace with nothing in it
 *
 * EMPTY_DIR is there. Open descriptors stay as they are.
 *
 * Return: 0 or -errno.
 */
int sandbox_empty_root(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS))
		return -errno;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("empty", EMPTY_DIR, "tmpfs",
		  MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
		  "size=4k,nr_inodes=2,mode=0555") ||
	    chdir(EMPTY_DIR))
		return -errno;
	if (!syscall(SYS_pivot_root, ".", ".")) {
		if (umount2(".", MNT_DETACH) || chdir("/"))
			return -errno;
		return 0;
	}
	/* An initramfs cannot be pivoted away from: be moved over it instead. */
	if (mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		return -errno;
	return 0;
}

/**
 * sandbox_become() - be somebody else, for good
 * @uid: who; not root
 * @gid: their group, the only one
 *
 * Return: 0 or -errno.
 */
int sandbox_become(u32 uid, u32 gid)
{
	int err;

	if (!uid || !gid)
		return -EINVAL;
	err = sandbox_bound(NULL, 0);
	if (err)
		return err;
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) ||
	    setresuid(uid, uid, uid))
		return -errno;
	err = set_caps(NULL, 0);
	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	return setuid(0) ? 0 : -EPERM;
}
