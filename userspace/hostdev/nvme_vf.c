// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual functions of NVMe controllers. A secondary controller is offline, with no queues and no
 * interrupts of its own, until the primary one gives it some of those that are flexible: NVMe base
 * specification, virtualization enhancements.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hostdev.h"
#include "libjoist/nvme.h"
#include "libjoist/sysfs.h"

#define CLASS_NVME	0x010802
#define LIVE_MS		10000
#define POLL_MS		50

enum resource { QUEUES, INTERRUPTS, NR_RESOURCES };

static const char *const resource_names[] = { "queues", "interrupts" };

bool nvme_vf_of(const struct hostdev *pf)
{
	return pf->class == CLASS_NVME;
}

/* After a reset, or with a driver that is new, it takes a moment. Return: 0 or -ETIMEDOUT. */
static int await_live(const struct hostdev *pf)
{
	const struct timespec nap = { 0, POLL_MS * 1000000L };
	char name[32], state[16];
	int ms;

	for (ms = 0; ms < LIVE_MS; ms += POLL_MS) {
		if (!hostdev_child(pf, "nvme", name, sizeof(name)) &&
		    !sysfs_read(state, sizeof(state), pf->root, SYSFS_DEVICES "/%s/nvme/%s/state",
				pf->addr, name) && !strcmp(state, "live"))
			return 0;
		nanosleep(&nap, NULL);
	}
	return -ETIMEDOUT;
}

/* The controller's character device. Return: a descriptor, or -1 with the reason. */
static int open_controller(const struct hostdev *pf, struct hostdev_why *why)
{
	char name[32], path[PATH_MAX];
	int fd;

	if (hostdev_child(pf, "nvme", name, sizeof(name)))
		return hostdev_why(why, "failed", "bind it to the driver nvme",
				   "%s is not with the driver nvme, which speaks to it", pf->addr);
	/* One that is not live yet cannot be opened. */
	await_live(pf);
	snprintf(path, sizeof(path), "%s/dev/%s", pf->root, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		hostdev_errno(why, -errno, NULL, "cannot open %s", path);
	return fd;
}

static int refused(const struct hostdev *pf, const char *what, int err, struct hostdev_why *why)
{
	if (err > 0)
		return hostdev_why(why, "failed", NULL,
				   "the NVMe controller %s does not %s: status %#x", pf->addr, what,
				   (unsigned int)err);
	return hostdev_why(why, "failed", NULL, "the NVMe controller %s does not %s: %s", pf->addr,
			   what, strerror(-err));
}

/**
 * nvme_vf_prepare() - the primary controller lets go of all that is flexible
 * @pf: physical function
 * @why: why not
 *
 * That takes effect with a reset of the function, which the driver nvme survives.
 *
 * Return: 0 or less.
 */
int nvme_vf_prepare(const struct hostdev *pf, struct hostdev_why *why)
{
	int fd = open_controller(pf, why), err;
	struct nvme_primary caps;

	if (fd < 0)
		return -1;
	err = nvme_identify_primary(fd, &caps);
	if (!err && caps.queues.of_primary)
		err = nvme_virtualize(fd, NVME_VIRT_PRIMARY, NVME_VIRT_QUEUES, caps.id, 0);
	if (!err && caps.interrupts.of_primary)
		err = nvme_virtualize(fd, NVME_VIRT_PRIMARY, NVME_VIRT_INTERRUPTS, caps.id, 0);
	close(fd);
	if (err)
		return refused(pf, "let go of its queues and interrupts", err, why);
	if (!caps.queues.of_primary && !caps.interrupts.of_primary)
		return 0;
	err = sysfs_write("1", pf->root, SYSFS_DEVICES "/%s/reset", pf->addr) ?: await_live(pf);
	return err ? refused(pf, "come back after its reset", err, why) : 0;
}

/* How many of @res each of @count gets. */
static u32 share_of(const struct nvme_flexible *res, u32 count)
{
	u32 share = min(res->total / count, (u32)res->most);

	return share - share % max((u32)res->granularity, 1U);
}

static int bring_online(int fd, u16 id, const u32 *share, const char **what)
{
	static const u32 kinds[] = { NVME_VIRT_QUEUES, NVME_VIRT_INTERRUPTS };
	int err = 0, i;

	for (i = 0; !err && i < NR_RESOURCES; i++) {
		*what = i == QUEUES ? "give queues to its functions" :
			"give interrupts to its functions";
		err = share[i] ? nvme_virtualize(fd, NVME_VIRT_ASSIGN, kinds[i], id, share[i]) : 0;
	}
	if (!err) {
		*what = "set its functions online";
		err = nvme_virtualize(fd, NVME_VIRT_ONLINE, 0, id, 0);
	}
	return err;
}

/**
 * nvme_vf_online() - share what is flexible evenly, and set them online
 * @pf: physical function, prepared
 * @count: virtual functions there are now
 * @why: why not
 *
 * Return: 0 or less.
 */
int nvme_vf_online(const struct hostdev *pf, u32 count, struct hostdev_why *why)
{
	int fd = open_controller(pf, why), err, i, nr;
	static struct nvme_secondary list[NVME_SECONDARIES_MAX];
	const char *what = "tell of its functions";
	struct nvme_primary caps;
	u32 share[NR_RESOURCES];

	if (fd < 0)
		return -1;
	nr = nvme_identify_secondaries(fd, list);
	err = nr < 0 ? nr : nvme_identify_primary(fd, &caps);
	if (!err) {
		share[QUEUES] = share_of(&caps.queues, count);
		share[INTERRUPTS] = share_of(&caps.interrupts, count);
	}
	for (i = 0; !err && i < NR_RESOURCES; i++) {
		/* Two queues: one for administration. */
		if (share[i] >= (i == QUEUES ? 2U : 1U))
			continue;
		close(fd);
		return hostdev_why(why, "limit", "make fewer",
				   "the NVMe controller %s has too few flexible %s for %u virtual functions",
				   pf->addr, resource_names[i], count);
	}
	for (i = 0; !err && i < nr; i++)
		if (list[i].vf && list[i].vf <= count && !list[i].online)
			err = bring_online(fd, list[i].id, share, &what);
	close(fd);
	return err ? refused(pf, what, err, why) : 0;
}

/* Before they are taken away; one that fails goes all the same. */
void nvme_vf_offline(const struct hostdev *pf)
{
	static struct nvme_secondary list[NVME_SECONDARIES_MAX];
	struct hostdev_why why;
	int fd = open_controller(pf, &why), nr, i;

	if (fd < 0)
		return;
	nr = nvme_identify_secondaries(fd, list);
	for (i = 0; i < nr; i++)
		if (list[i].online)
			nvme_virtualize(fd, NVME_VIRT_OFFLINE, 0, list[i].id, 0);
	close(fd);
}
