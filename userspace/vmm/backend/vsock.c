// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's device for sockets between a guest and its host. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../log.h"
#include "../vmm.h"
#include "libjoist/vhost.h"
#include "vsock.h"

/* What to do when it cannot be opened, or not with that address. Return: NULL: nothing. */
const char *vsock_remedy(int err)
{
	switch (err) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return "load the module first (modprobe vhost_vsock)";
	case -EACCES:
	case -EPERM:
		return "be a member of the device's group (usermod -aG kvm USER)";
	case -EADDRINUSE:
		return "another VM has it: give each one of its own";
	default:
		return NULL;
	}
}

/**
 * vsock_open() - a vhost device with the guest's address
 * @config: the address; a descriptor that came with it has it already
 *
 * Return: a descriptor the caller closes, or -errno with the reason logged.
 */
int vsock_open(const struct vmm_vsock *config)
{
	const char *remedy;
	int fd, err = 0;

	fd = vmm_file_open(&config->file, O_RDWR);
	if (fd < 0) {
		remedy = vsock_remedy(fd);
		log_err("cannot open %s: %s%s%s", config->file.path, strerror(-fd),
			remedy ? "; " : "", remedy ?: "");
		return fd;
	}
	if (config->file.fd < 0)
		err = vhost_vsock_set_cid(fd, config->cid);
	if (!err)
		return fd;
	remedy = vsock_remedy(err);
	log_err("cannot give the guest the CID %u: %s%s%s", config->cid, strerror(-err),
		remedy ? "; " : "", remedy ?: "");
	close(fd);
	return err;
}
