// SPDX-License-Identifier: GPL-2.0-only
/* A tap interface of the host: bridged, routed or filtered there as any other. */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <unistd.h>

#include "../log.h"
#include "../vmm.h"
#include "libjoist/tap.h"
#include "link.h"

static const char *remedy(int err)
{
	switch (err) {
	case -EPERM:
		return "; make it yours (ip tuntap add NAME mode tap user USER vnet_hdr)";
	case -EBUSY:
		return "; another program has it";
	case -ENOENT:
	case -ENODEV:
		return "; the kernel's tun module is not there (modprobe tun)";
	case -EACCES:
		return "; /dev/net/tun is not for everyone here";
	case -EINVAL:
		return "; it is no tap interface, or one for several queues";
	default:
		return "";
	}
}

/* Return: 0, or -errno with the reason logged. */
int link_open_tap(struct net_link *link, const struct vmm_net *config)
{
	const char *name = config->file.path;
	int fd, mtu, err;

	if (config->file.fd >= 0)
		fd = vmm_file_open(&config->file, O_RDWR);
	else
		fd = tap_open(name);
	if (fd < 0) {
		log_err("cannot open the tap interface %s: %s%s", name,
			strerror(-fd), remedy(fd));
		return fd;
	}
	err = tap_set_header(fd, sizeof(struct virtio_net_hdr_v1));
	err = err ?: tap_set_offloads(fd, 0);
	if (err) {
		log_err("the tap interface %s has no virtio headers: %s", name,
			strerror(-err));
		close(fd);
		return err;
	}
	link->fd = fd;
	link->offloads = true;
	/* A descriptor handed over comes with its MTU: we have no way to ask. */
	mtu = config->mtu || config->file.fd >= 0 ? 0 : tap_mtu(name);
	if (mtu > 0)
		link->mtu = (u16)min(mtu, 65535);
	return 0;
}
