// SPDX-License-Identifier: GPL-2.0-only
/* Virtual functions: made, taken away, and one of them that is free. */
#include <errno.h>
#include <stdio.h>

#include "hostdev.h"
#include "libjoist/sysfs.h"

static int set_number(const struct hostdev *pf, const char *file, u32 value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	return sysfs_write(text, pf->root, SYSFS_DEVICES "/%s/%s", pf->addr, file);
}

/* One that a VM has, or that somebody bound, keeps all where they are. */
static int check_assigned(const struct hostdev *pf, struct hostdev_why *why)
{
	char addr[PCI_ADDR_SIZE];
	struct hostdev_state state;
	u32 i;

	for (i = 0; i < pf->nr_vfs && !hostdev_vf(pf, i, addr); i++) {
		if (hostdev_state(pf->root, addr, &state))
			continue;
		if (*state.vm)
			return hostdev_why(why, "in-use",
					   "release it there first: vmctl device release",
					   "its virtual function %s is the VM %s's", addr,
					   state.vm);
		return hostdev_why(why, "in-use", "'vmctl device unbind' gives it back",
				   "its virtual function %s is bound to vfio-pci", addr);
	}
	return 0;
}

static int check_count(const struct hostdev *pf, u32 count, struct hostdev_why *why)
{
	if (!pf->total_vfs)
		return hostdev_why(why, "failed", NULL,
				   "%s has no SR-IOV: it makes no virtual functions", pf->addr);
	if (count > pf->total_vfs)
		return hostdev_why(why, "limit", NULL, "%s makes at most %u virtual functions",
				   pf->addr, pf->total_vfs);
	return 0;
}

static int failed(const struct hostdev *pf, int err, struct hostdev_why *why)
{
	if (err == -ENOENT)
		return hostdev_why(why, "failed", "bind it to the driver that can",
				   "the driver of %s (%s) makes no virtual functions", pf->addr,
				   *pf->driver ? pf->driver : "none");
	return hostdev_errno(why, err, "the kernel's log (dmesg) tells more",
			     "%s makes no virtual functions", pf->addr);
}

static int destroy(const struct hostdev *pf, struct hostdev_why *why)
{
	int err;

	if (!pf->nr_vfs)
		return 0;
	if (nvme_vf_of(pf))
		nvme_vf_offline(pf);
	err = set_number(pf, "sriov_numvfs", 0);
	return err ? failed(pf, err, why) : 0;
}

static int create(const struct hostdev *pf, u32 count, struct hostdev_why *why)
{
	bool nvme = nvme_vf_of(pf);
	u64 autoprobe = 1;
	int err;

	if (nvme && nvme_vf_prepare(pf, why))
		return -1;
	/* The host's drivers are not to have them. */
	sysfs_number(&autoprobe, pf->root, SYSFS_DEVICES "/%s/sriov_drivers_autoprobe", pf->addr);
	err = set_number(pf, "sriov_drivers_autoprobe", 0);
	if (err)
		return failed(pf, err, why);
	err = set_number(pf, "sriov_numvfs", count);
	set_number(pf, "sriov_drivers_autoprobe", (u32)autoprobe);
	if (err)
		return failed(pf, err, why);
	if (!nvme || !nvme_vf_online(pf, count, why))
		return 0;
	nvme_vf_offline(pf);
	set_number(pf, "sriov_numvfs", 0);
	return -1;
}

/**
 * hostdev_set_vfs() - have so many virtual functions
 * @pf: physical function; the caller has hostdev_lock()
 * @count: how many; 0: none
 * @why: why not
 *
 * Return: 0 or less.
 */
int hostdev_set_vfs(const struct hostdev *pf, u32 count, struct hostdev_why *why)
{
	if (check_count(pf, count, why))
		return -1;
	if (count == pf->nr_vfs)
		return 0;
	if (check_assigned(pf, why) || destroy(pf, why))
		return -1;
	return count ? create(pf, count, why) : 0;
}

/**
 * hostdev_free_vf() - a virtual function that nobody has
 * @pf: of which
 * @vf: filled in
 * @why: why there is none
 *
 * Those that a driver of the host's has come last.
 *
 * Return: 0 or less.
 */
int hostdev_free_vf(const struct hostdev *pf, struct hostdev *vf, struct hostdev_why *why)
{
	char addr[PCI_ADDR_SIZE];
	struct hostdev_state state;
	int used;
	u32 i;

	for (used = 0; used < 2; used++) {
		for (i = 0; i < pf->nr_vfs && !hostdev_vf(pf, i, addr); i++) {
			if (!hostdev_state(pf->root, addr, &state) ||
			    hostdev_read(pf->root, addr, vf) || !!*vf->driver != used ||
			    hostdev_check(vf, NULL, 0, false, why))
				continue;
			return 0;
		}
	}
	if (!pf->nr_vfs) {
		hostdev_why(why, "not-found", NULL, "%s has no virtual functions", pf->addr);
		snprintf(why->remedy, sizeof(why->remedy), "make some: vmctl device vf %s -c N",
			 pf->addr);
		return -1;
	}
	return hostdev_why(why, "limit", "release one, or make more of them",
			   "none of the %u virtual functions of %s is free", pf->nr_vfs, pf->addr);
}
