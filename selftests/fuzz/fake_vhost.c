// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls of a vhost device. The kernel believes the VMM where rings lie: here it must be
 * in the guest's memory, all of each, or the run ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/vhost.h>

#include "fake_kvm.h"
#include "fake_vhost.h"

#define FEATURES	(BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_RING_F_EVENT_IDX) | \
			 BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) | BIT_ULL(VHOST_F_LOG_ALL) | 2)
#define REGIONS_MAX	8

struct ring {
	struct vhost_vring_addr addr;
	u32 size;
	int kick, call, err;
};

static struct {
	bool owned, running;
	u32 nr_regions;
	struct vhost_memory_region region[REGIONS_MAX];
	struct ring ring[FAKE_VHOST_RINGS];
} vhost;

static void broken(const char *what)
{
	fprintf(stderr, "==== vhost is told what is not so: %s\n", what);
	abort();
}

static bool in_guest(u64 addr, u64 len)
{
	u32 i;

	for (i = 0; i < vhost.nr_regions; i++) {
		const struct vhost_memory_region *r = &vhost.region[i];

		if (addr >= r->userspace_addr && len <= r->memory_size &&
		    addr - r->userspace_addr <= r->memory_size - len)
			return true;
	}
	return false;
}

static int set_memory(const struct vhost_memory *mem)
{
	u32 i;

	if (mem->nregions > REGIONS_MAX)
		return -E2BIG;
	for (i = 0; i < mem->nregions; i++) {
		const struct vhost_memory_region *r = &mem->regions[i];

		if (fake_kvm_ram(r->guest_phys_addr, r->memory_size, true) !=
		    (u8 *)(uintptr_t)r->userspace_addr)
			broken("guest memory");
		vhost.region[i] = *r;
	}
	vhost.nr_regions = mem->nregions;
	return 0;
}

static int run(bool on)
{
	int i;

	for (i = 0; on && i < FAKE_VHOST_RINGS; i++) {
		const struct ring *r = &vhost.ring[i];

		if (!r->size || (r->size & (r->size - 1)))
			broken("a ring's size");
		if (!in_guest(r->addr.desc_user_addr, r->size * 16ULL) ||
		    !in_guest(r->addr.avail_user_addr, 6 + r->size * 2ULL) ||
		    !in_guest(r->addr.used_user_addr, 6 + r->size * 8ULL))
			broken("a ring");
		if (r->addr.flags)
			broken("a ring's flags");
	}
	vhost.running = on;
	return 0;
}

/* The kernel holds what it was given: so do we. */
static int set_file(int *held, const struct vhost_vring_file *file)
{
	int fd = -1;

	if (file->fd >= 0) {
		fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return -errno;
	}
	if (*held > 0)
		close(*held);
	*held = fd;
	return 0;
}

static int set_ring(unsigned long request, void *arg)
{
	struct vhost_vring_state *state = arg;
	struct ring *ring;

	if (state->index >= FAKE_VHOST_RINGS)
		broken("a ring's number");
	ring = &vhost.ring[state->index];
	switch (request) {
	case VHOST_SET_VRING_KICK:
		return set_file(&ring->kick, arg);
	case VHOST_SET_VRING_CALL:
		return set_file(&ring->call, arg);
	case VHOST_SET_VRING_ERR:
		return set_file(&ring->err, arg);
	case VHOST_GET_VRING_BASE:
		state->num = 0;
		return 0;
	}
	if (vhost.running)
		return -EBUSY;
	if (request == VHOST_SET_VRING_ADDR)
		ring->addr = *(struct vhost_vring_addr *)arg;
	else if (request == VHOST_SET_VRING_NUM)
		ring->size = state->num;
	return 0;
}

int fake_vhost_ioctl(unsigned long request, void *arg)
{
	switch (request) {
	case VHOST_SET_OWNER:
		vhost.owned = true;
		return 0;
	case VHOST_GET_FEATURES:
		*(u64 *)arg = FEATURES;
		return 0;
	case VHOST_SET_FEATURES:
		if (*(u64 *)arg & (~FEATURES | BIT_ULL(VHOST_F_LOG_ALL)))
			broken("features");
		return vhost.running ? -EBUSY : 0;
	case VHOST_SET_MEM_TABLE:
		return set_memory(arg);
	case VHOST_VSOCK_SET_RUNNING:
		return run(*(int *)arg);
	case VHOST_SET_VRING_NUM:
	case VHOST_SET_VRING_ADDR:
	case VHOST_SET_VRING_BASE:
	case VHOST_GET_VRING_BASE:
	case VHOST_SET_VRING_KICK:
	case VHOST_SET_VRING_CALL:
	case VHOST_SET_VRING_ERR:
		return vhost.owned ? set_ring(request, arg) : -EPERM;
	}
	return -ENOTTY;
}

/* Something was used, or makes no sense. */
void fake_vhost_signal(u32 ring, bool err)
{
	int fd = err ? vhost.ring[ring].err : vhost.ring[ring].call;

	if (vhost.running && fd > 0)
		eventfd_write(fd, 1);
}

/* Its last descriptor is closed. */
void fake_vhost_end(void)
{
	const struct vhost_vring_file none = { .fd = -1 };
	int i;

	for (i = 0; i < FAKE_VHOST_RINGS; i++) {
		set_file(&vhost.ring[i].kick, &none);
		set_file(&vhost.ring[i].call, &none);
		set_file(&vhost.ring[i].err, &none);
	}
	memset(&vhost, 0, sizeof(vhost));
}
