// SPDX-License-Identifier: GPL-2.0-only
/* ioctls of the kernel's vhost devices. Where an eventfd is asked for, -1 takes it away. */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "ret.h"
#include "vhost.h"

/* Return: a file descriptor the caller closes, or -errno. */
int vhost_open(const char *path)
{
	return ret_errno(open(path, O_RDWR | O_CLOEXEC));
}

/* It uses the memory of this process from here on, and takes orders from nobody else. */
int vhost_set_owner(int fd)
{
	return ret_errno(ioctl(fd, VHOST_SET_OWNER, 0));
}

int vhost_get_features(int fd, u64 *features)
{
	return ret_errno(ioctl(fd, VHOST_GET_FEATURES, features));
}

int vhost_set_features(int fd, u64 features)
{
	return ret_errno(ioctl(fd, VHOST_SET_FEATURES, &features));
}

/* Where the guest's memory lies in ours: all there is, in the place of what was. */
int vhost_set_memory(int fd, const struct vhost_memory *mem)
{
	return ret_errno(ioctl(fd, VHOST_SET_MEM_TABLE, mem));
}

static int set_state(int fd, unsigned long request, u32 ring, u32 num)
{
	struct vhost_vring_state state = { .index = ring, .num = num };

	return ret_errno(ioctl(fd, request, &state));
}

int vhost_set_size(int fd, u32 ring, u32 size)
{
	return set_state(fd, VHOST_SET_VRING_NUM, ring, size);
}

int vhost_set_rings(int fd, const struct vhost_vring_addr *addr)
{
	return ret_errno(ioctl(fd, VHOST_SET_VRING_ADDR, addr));
}

/* Which available entry is taken next. */
int vhost_set_base(int fd, u32 ring, u16 base)
{
	return set_state(fd, VHOST_SET_VRING_BASE, ring, base);
}

/* Return: which that is, or -errno. */
int vhost_get_base(int fd, u32 ring)
{
	struct vhost_vring_state state = { .index = ring };
	int err = ret_errno(ioctl(fd, VHOST_GET_VRING_BASE, &state));

	return err < 0 ? err : (u16)state.num;
}

static int set_file(int fd, unsigned long request, u32 ring, int eventfd)
{
	struct vhost_vring_file file = { .index = ring, .fd = eventfd };

	return ret_errno(ioctl(fd, request, &file));
}

/* Signalled by who has made something available. */
int vhost_set_kick(int fd, u32 ring, int eventfd)
{
	return set_file(fd, VHOST_SET_VRING_KICK, ring, eventfd);
}

/* To signal when something was used. */
int vhost_set_call(int fd, u32 ring, int eventfd)
{
	return set_file(fd, VHOST_SET_VRING_CALL, ring, eventfd);
}

/* To signal when the ring makes no sense. */
int vhost_set_err(int fd, u32 ring, int eventfd)
{
	return set_file(fd, VHOST_SET_VRING_ERR, ring, eventfd);
}

/* The guest's address; before it has an owner, too. Return: 0 or -errno; -EADDRINUSE. */
int vhost_vsock_set_cid(int fd, u64 cid)
{
	return ret_errno(ioctl(fd, VHOST_VSOCK_SET_GUEST_CID, &cid));
}

int vhost_vsock_run(int fd, bool on)
{
	int running = on;

	return ret_errno(ioctl(fd, VHOST_VSOCK_SET_RUNNING, &running));
}
