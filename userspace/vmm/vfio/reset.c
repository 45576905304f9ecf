// SPDX-License-Identifier: GPL-2.0-only
/* A device is reset before and after it is a guest's: nothing goes from one owner to the next. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../log.h"
#include "../vm.h"
#include "device.h"
#include "libjoist/vfio.h"

static bool knows(const int *fds, u32 nr, int fd)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (fds[i] == fd)
			return true;
	return false;
}

/* By its bus, which resets all devices there: they are all the guest's, or it cannot be. */
static int reset_bus(struct hostdev *hd)
{
	struct container *c = &hd->pci.vm->container;
	struct vfio_pci_hot_reset_info *info;
	int fds[VMM_HOSTDEVS_MAX];
	u32 i, nr = 0;
	int err = vfio_hot_reset_info(hd->fd, &info);

	for (i = 0; !err && i < info->count; i++) {
		int fd = container_group_fd(c, (int)info->devices[i].group_id);

		if (fd < 0)
			err = -EPERM;
		else if (!knows(fds, nr, fd))
			fds[nr++] = fd;
	}
	free(info);
	return err ?: vfio_hot_reset(hd->fd, fds, nr);
}

/* No guest uses it. Return: 0; -EPERM: only its bus could be, which has others' devices; -errno. */
int hostdev_reset(struct hostdev *hd)
{
	return hd->can_reset ? vfio_reset(hd->fd) : reset_bus(hd);
}

/* Before it is the guest's. One that cannot be reset may work all the same. */
void hostdev_reset_first(struct hostdev *hd)
{
	int err = hostdev_reset(hd);

	if (err == -EPERM)
		log_warn("%s cannot be reset: its bus could, but others have devices there; it is as its last user left it",
			 hd->host);
	else if (err)
		log_warn("%s cannot be reset%s%s: it is as its last user left it", hd->host,
			 err == -ENODEV ? "" : ": ", err == -ENODEV ? "" : strerror(-err));
}
