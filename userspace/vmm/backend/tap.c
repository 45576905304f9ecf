// SPDX-License-Identifier: GPL-2.0-only
/* A tap interface of the host: bridged, routed or filtered there as any other. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
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

/* The descriptor of pair @i. */
static int open_pair(const struct vmm_net *config, int i)
{
	struct vmm_file file = config->file;

	if (file.fd < 0)
		return tap_open(file.path, config->pairs > 1);
	if (i)
		file.fd = config->more_fd[i - 1];
	return vmm_file_open(&file, O_RDWR);
}

static int open_pairs(struct net_link *link, const struct vmm_net *config)
{
	int fd, i;

	for (i = 0; i < max(config->pairs, 1); i++) {
		fd = open_pair(config, i);
		if (fd < 0) {
			log_err("cannot open the tap interface %s: %s%s", config->file.path,
				strerror(-fd), remedy(fd));
			return fd;
		}
		link->fd[link->nr_fds++] = fd;
	}
	return 0;
}

/* A tap has one length for all, a macvtap one for each queue. */
static int set_headers(const struct net_link *link)
{
	int i, err = 0;

	for (i = 0; !err && i < link->nr_fds; i++)
		err = tap_set_header(link->fd[i], sizeof(struct virtio_net_hdr_v1));
	return err;
}

/* One that is there for long may have the filter of a guest that is gone: see net_vhost.c. */
static void let_all_pass(int fd)
{
	const struct tun_filter none = { 0 };

	/* Taps alone have one, and what has none lets all pass. */
	(void)tap_set_filter(fd, &none);
}

/* Return: 0, or -errno with the reason logged. */
int link_open_tap(struct net_link *link, const struct vmm_net *config)
{
	const char *name = config->file.path;
	int mtu, err;

	err = open_pairs(link, config);
	if (err) {
		link_close(link);
		return err;
	}
	/* Until the driver asks for more */
	link->used = link->nr_fds;
	err = set_headers(link);
	err = err ?: tap_set_offloads(link->fd[0], 0);
	err = err ?: link_set_pairs(link, 1);
	if (err) {
		log_err("the tap interface %s has no virtio headers or queues: %s", name,
			strerror(-err));
		link_close(link);
		return err;
	}
	if (config->file.fd < 0)
		let_all_pass(link->fd[0]);
	link->offloads = true;
	/* A descriptor handed over comes with its MTU: we have no way to ask. */
	mtu = config->mtu || config->file.fd >= 0 ? 0 : tap_mtu(name);
	if (mtu > 0)
		link->mtu = (u16)min(mtu, 65535);
	return 0;
}
