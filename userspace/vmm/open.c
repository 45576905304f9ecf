// SPDX-License-Identifier: GPL-2.0-only
/* Opening of the hypervisor's device, and what to do when it fails. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "libjoist/joist.h"
#include "log.h"
#include "vmm.h"

static void explain(const char *path, int err)
{
	switch (err) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		log_err("no hypervisor at %s: load the module first (insmod joist.ko, or modprobe joist)",
			path);
		break;
	case -EACCES:
	case -EPERM:
		log_err("no permission to open %s: run as root or as a member of its group (usermod -aG joist USER)",
			path);
		break;
	default:
		log_err("cannot open %s: %s", path, strerror(-err));
	}
}

/**
 * vmm_open_device() - open a device and check that it speaks our ABI
 * @path: /dev/joist, or another
 *
 * Return: a file descriptor, or -errno with the reason logged.
 */
int vmm_open_device(const char *path)
{
	int fd, err;

	fd = joist_open(path);
	if (fd < 0) {
		explain(path, fd);
		return fd;
	}
	err = vmm_check_device(fd, path);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* Does an open device speak our ABI? Return: 0, or -errno with the reason logged. */
int vmm_check_device(int fd, const char *path)
{
	int version = joist_api_version(fd);

	if (version == JOIST_API)
		return 0;
	if (version < 0)
		log_err("%s is no hypervisor device", path);
	else
		log_err("%s speaks version %d of the ABI, not %d", path,
			version, JOIST_API);
	return -EINVAL;
}

/**
 * vmm_file_open() - a descriptor of a file the configuration names
 * @file: its path is not NULL
 * @flags: as for open(), used if it is not open yet
 *
 * Return: a descriptor the caller closes, or -errno.
 */
int vmm_file_open(const struct vmm_file *file, int flags)
{
	int fd = file->fd;

	if (fd < 0)
		fd = open(file->path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A file that was open when it was given is not needed. @file may be NULL, or no file. */
void vmm_file_close(const struct vmm_file *file)
{
	if (file && file->path && file->fd >= 0)
		close(file->fd);
}
