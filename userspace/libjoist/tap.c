// SPDX-License-Identifier: GPL-2.0-only
/* ioctls of /dev/net/tun, and the one of an interface that a VMM asks for. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ret.h"
#include "tap.h"

#define TUN_DEVICE	"/dev/net/tun"

static int name_request(struct ifreq *req, const char *name)
{
	memset(req, 0, sizeof(*req));
	if (!*name || strlen(name) >= sizeof(req->ifr_name))
		return -EINVAL;
	strcpy(req->ifr_name, name);
	return 0;
}

static int attach(int fd, struct ifreq *req, bool queues)
{
	int err;

	req->ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (queues ? IFF_MULTI_QUEUE : 0);
	err = ret_errno(ioctl(fd, TUNSETIFF, req));
	if (!err)
		return fd;
	close(fd);
	return err;
}

/**
 * tap_open() - be the far end of an interface
 * @name: the interface's; who may create interfaces need not have made it before
 * @queues: it has several: each tap_open() is one more
 *
 * Each frame has a virtio header before it.
 *
 * Return: a descriptor that does not block, which the caller closes, or -errno.
 */
int tap_open(const char *name, bool queues)
{
	struct ifreq req;
	int fd, err;

	err = name_request(&req, name);
	if (err)
		return err;
	fd = ret_errno(open(TUN_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK));
	return fd < 0 ? fd : attach(fd, &req, queues);
}

/* Likewise of a macvtap, by its number. */
int tap_open_macvtap(int index, bool queues)
{
	struct ifreq req = { 0 };
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/tap%d", index);
	fd = ret_errno(open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK));
	return fd < 0 ? fd : attach(fd, &req, queues);
}

/**
 * tap_create() - make an interface, and be its far end
 * @name: what it is to be called, of IFNAMSIZ bytes; "%d" in it becomes a number that is
 *        free; set to the name
 * @queues: it may have several: each tap_create() of the same name is one more
 *
 * It goes with the last descriptor. Each frame has a virtio header before it.
 *
 * Return: a descriptor that does not block, which the caller closes, or -errno.
 */
int tap_create(char *name, bool queues)
{
	int fd = tap_open(name, queues), err;

	if (fd < 0)
		return fd;
	err = tap_name(fd, name);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/**
 * tap_queues() - an interface's descriptors, one for each pair of queues
 * @nr: pairs
 * @fds: filled in; the caller closes them
 * @open_queue: opens one more, of an interface that has several
 * @arg: for it
 *
 * Return: @nr, or -errno: none is open.
 */
int tap_queues(int nr, int *fds, int (*open_queue)(void *arg, bool queues), void *arg)
{
	int i, fd;

	for (i = 0; i < nr; i++) {
		fd = open_queue(arg, nr > 1);
		if (fd < 0) {
			while (i)
				close(fds[--i]);
			return fd;
		}
		fds[i] = fd;
	}
	return nr;
}

/* The interface behind @fd. @name: of IFNAMSIZ bytes. Return: 0 or -errno. */
int tap_name(int fd, char *name)
{
	struct ifreq req;
	int err = ret_errno(ioctl(fd, TUNGETIFF, &req));

	if (!err)
		memcpy(name, req.ifr_name, sizeof(req.ifr_name));
	return err;
}

/* Does the interface give frames to this queue of it? */
int tap_set_queue(int fd, bool on)
{
	struct ifreq req = { .ifr_flags = on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

	return ret_errno(ioctl(fd, TUNSETQUEUE, &req));
}

/* How long the header before each frame is. */
int tap_set_header(int fd, int len)
{
	return ret_errno(ioctl(fd, TUNSETVNETHDRSZ, &len));
}

/* TUN_F_*: what whoever reads from @fd does itself. */
int tap_set_offloads(int fd, unsigned int flags)
{
	return ret_errno(ioctl(fd, TUNSETOFFLOAD, (unsigned long)flags));
}

/* Which frames are for whoever reads from @fd. Return: 0 or -errno. */
int tap_set_filter(int fd, const struct tun_filter *filter)
{
	int ret = ret_errno(ioctl(fd, TUNSETTXFILTER, filter));

	/* How many addresses are compared, not hashed, is of no interest. */
	return min(ret, 0);
}

/* Return: the interface's MTU, or -errno. */
int tap_mtu(const char *name)
{
	struct ifreq req;
	int fd, err;

	err = name_request(&req, name);
	if (err)
		return err;
	fd = ret_errno(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (fd < 0)
		return fd;
	err = ret_errno(ioctl(fd, SIOCGIFMTU, &req));
	close(fd);
	return err ? err : req.ifr_mtu;
}
