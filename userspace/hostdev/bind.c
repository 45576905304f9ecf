// SPDX-License-Identifier: GPL-2.0-only
/* Devices change hands: from their driver to vfio-pci, and back to the driver they had. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostdev.h"
#include "libjoist/sysfs.h"

#define DRIVERS		"/sys/bus/pci/drivers"
#define TYPE1		"vfio_iommu_type1"	/* which maps what devices reach */

static bool vfio_loaded(const char *root)
{
	return sysfs_there(root, DRIVERS "/" HOSTDEV_VFIO) &&
	       sysfs_there(root, "/sys/module/" TYPE1);
}

/**
 * hostdev_load_vfio() - have the kernel's vfio-pci
 * @root: of all files
 * @why: why there is none
 *
 * Return: 0 or less.
 */
int hostdev_load_vfio(const char *root, struct hostdev_why *why)
{
	static const char *const paths[] = { "/sbin/modprobe", "/usr/sbin/modprobe" };
	pid_t pid;
	size_t i;

	if (vfio_loaded(root))
		return 0;
	/* Another root is another host: it is not ours to load modules there. */
	pid = *root ? -1 : fork();
	if (!pid) {
		for (i = 0; i < ARRAY_SIZE(paths); i++)
			execl(paths[i], "modprobe", "-qa", HOSTDEV_VFIO, TYPE1, NULL);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (vfio_loaded(root))
		return 0;
	return hostdev_why(why, "no-iommu",
			   "load them: modprobe -a vfio-pci " TYPE1,
			   "the host's kernel has no vfio-pci, or no " TYPE1);
}

/* Which driver probes it alone; NULL: any that fits. */
static int set_override(const struct hostdev *dev, const char *driver)
{
	char text[HOSTDEV_DRIVER_SIZE + 1];

	snprintf(text, sizeof(text), "%s\n", driver ?: "");
	return sysfs_write(text, dev->root, SYSFS_DEVICES "/%s/driver_override", dev->addr);
}

static int let_go(const struct hostdev *dev)
{
	return sysfs_write(dev->addr, dev->root, SYSFS_DEVICES "/%s/driver/unbind", dev->addr);
}

/* Let a driver have it, and no other. Return: 0 or -errno. */
static int probe(const struct hostdev *dev, const char *driver)
{
	char now[HOSTDEV_DRIVER_SIZE];
	int err = set_override(dev, driver);

	err = err ?: sysfs_write(dev->addr, dev->root, "/sys/bus/pci/drivers_probe");
	hostdev_driver(dev->root, dev->addr, now);
	if (!err && strcmp(now, driver))
		err = -ENODEV;
	return err;
}

/* From the driver it has, which is not vfio-pci. Return: 0 or -errno, and then it has it still. */
static int take(const struct hostdev *dev)
{
	int err = *dev->driver ? let_go(dev) : 0;

	if (err)
		return err;
	err = probe(dev, HOSTDEV_VFIO);
	if (!err)
		return 0;
	if (*dev->driver)
		probe(dev, dev->driver);
	set_override(dev, NULL);
	return err;
}

static int not_kept(const char *addr, int err, struct hostdev_why *why)
{
	return hostdev_errno(why, err, NULL, "cannot write " HOSTDEV_STATE_DIR "/%s", addr);
}

static int taken(const char *addr, const struct hostdev_state *was, struct hostdev_why *why)
{
	if (!*was->vm)
		return 0;
	return hostdev_why(why, "in-use", "release it there first: vmctl device release",
			   "%s is the VM %s's", addr, was->vm);
}

/* Has a VM a device? The caller has hostdev_lock(). Return: 0: none; or less, with why. */
int hostdev_taken(const struct hostdev *dev, struct hostdev_why *why)
{
	struct hostdev_state was;

	return hostdev_state(dev->root, dev->addr, &was) ? 0 : taken(dev->addr, &was, why);
}

/**
 * hostdev_bind() - to vfio-pci
 * @dev: device, checked; the caller has hostdev_lock()
 * @want: whose it is to be; its driver is not read
 * @why: why not
 *
 * Return: 0 or less, and then it is as it was.
 */
int hostdev_bind(const struct hostdev *dev, const struct hostdev_state *want,
		 struct hostdev_why *why)
{
	struct hostdev_state was, now = *want;
	bool known = !hostdev_state(dev->root, dev->addr, &was);
	int err;

	if (known && taken(dev->addr, &was, why))
		return -1;
	if (hostdev_load_vfio(dev->root, why))
		return -1;
	snprintf(now.driver, sizeof(now.driver), "%s", known ? was.driver : dev->driver);
	/* Somebody else may have bound it there: to them it goes back. */
	now.bare |= known ? was.bare : hostdev_on_vfio(dev);
	err = hostdev_state_save(dev->root, dev->addr, &now);
	if (err)
		return not_kept(dev->addr, err, why);
	err = hostdev_on_vfio(dev) ? 0 : take(dev);
	if (!err)
		return 0;
	if (known)
		hostdev_state_save(dev->root, dev->addr, &was);
	else
		hostdev_state_drop(dev->root, dev->addr);
	return hostdev_errno(why, err, "dmesg tells more", "%s cannot be bound to vfio-pci",
			     dev->addr);
}

/*
 * Has somebody opened its group? Each group can be opened once at a time. The kernel would let
 * who unbinds it wait for them.
 */
bool hostdev_busy(const char *root, const char *addr)
{
	int group = hostdev_group(root, addr), fd;
	char path[PATH_MAX];

	if (group < 0)
		return false;
	snprintf(path, sizeof(path), "%s/dev/vfio/%d", root, group);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == EBUSY;
	close(fd);
	return false;
}

/* It is on vfio-pci, or nowhere. */
static int put_back(const struct hostdev *dev, const char *driver)
{
	int err = *dev->driver ? let_go(dev) : 0;

	if (!err && *driver)
		err = probe(dev, driver);
	set_override(dev, NULL);
	return err;
}

/**
 * hostdev_give_back() - undo hostdev_bind()
 * @root: of all files
 * @addr: device; the caller has hostdev_lock()
 * @why: why not
 *
 * Nobody may have it open: the kernel would wait for them. Whom it was bare for gets it back
 * bare; the second time its driver does.
 *
 * Return: 0; 1: the device is gone; less: it is not with its driver, which is told once.
 */
int hostdev_give_back(const char *root, const char *addr, struct hostdev_why *why)
{
	struct hostdev_state state;
	struct hostdev dev;
	int err = hostdev_state(root, addr, &state);

	if (err == -ENOENT)
		return hostdev_why(why, "not-found", "'vmctl device list' tells who has it",
				   "%s was not taken from its driver", addr);
	if (err)
		return hostdev_errno(why, err, NULL, "cannot read " HOSTDEV_STATE_DIR "/%s", addr);
	if (hostdev_read(root, addr, &dev)) {
		hostdev_state_drop(root, addr);
		return 1;
	}
	if (state.bare && *state.vm) {
		*state.vm = '\0';
		*state.name = '\0';
		err = hostdev_state_save(root, addr, &state);
		return err ? not_kept(addr, err, why) : 0;
	}
	/* Somebody has given it to another driver meanwhile: let them. */
	if (!*dev.driver || hostdev_on_vfio(&dev))
		err = put_back(&dev, strcmp(state.driver, HOSTDEV_VFIO) ? state.driver : "");
	if (err == -EACCES)
		return hostdev_errno(why, err, NULL, "%s", addr);
	hostdev_state_drop(root, addr);
	if (!err)
		return 0;
	hostdev_why(why, "failed", NULL, "%s does not go back to its driver %s: %s", addr,
		    state.driver, strerror(-err));
	snprintf(why->remedy, sizeof(why->remedy),
		 "load the driver and bind it: echo %s >/sys/bus/pci/drivers/%s/bind", addr,
		 state.driver);
	return -1;
}
