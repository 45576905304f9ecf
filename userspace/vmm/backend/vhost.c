// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's vhost (<linux/vhost.h>). What it is told is strict: the rings have been
 * checked to lie in the guest's memory, and it sees nothing else of ours than that. It is
 * stopped before it is told anything new, but for where to call.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../memory.h"
#include "vhost.h"

/*
 * Not for a guest: a log of what was written, frames whose header is vhost's, and memory
 * that is looked up for each access.
 */
#define NOT_OFFERED	(BIT_ULL(VHOST_F_LOG_ALL) | BIT_ULL(VHOST_NET_F_VIRTIO_NET_HDR) | \
			 BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))

/**
 * vhost_init() - make a vhost device ours
 * @vhost: filled in, but for @vhost->run and ctx
 * @fd: it; @vhost's from here on, even on failure
 *
 * Return: 0 or -errno; vhost_destroy() is due in both cases.
 */
int vhost_init(struct vhost *vhost, int fd)
{
	int err;

	vhost->fd = fd;
	vhost->attached = 0;
	err = vhost_set_owner(fd);
	err = err ?: vhost_get_features(fd, &vhost->features);
	vhost->features &= ~NOT_OFFERED;
	return err;
}

void vhost_destroy(struct vhost *vhost)
{
	if (vhost->fd >= 0)
		close(vhost->fd);
	vhost->fd = -1;
}

static struct vhost_memory_region region_of(const struct mem_region *r)
{
	return (struct vhost_memory_region) {
		.guest_phys_addr = r->gpa, .memory_size = r->size,
		.userspace_addr = (u64)(uintptr_t)r->hva,
	};
}

/**
 * vhost_use_memory() - where the guest's memory is
 * @vhost: device
 * @mem: guest memory
 *
 * Return: 0 or -errno.
 */
int vhost_use_memory(const struct vhost *vhost, const struct memory *mem)
{
	struct {
		struct vhost_memory head;
		struct vhost_memory_region region[ARRAY_SIZE(mem->region) + 1];
	} table = { 0 };
	int i;

	for (i = 0; i < mem->nr_regions; i++)
		table.region[table.head.nregions++] = region_of(&mem->region[i]);
	if (mem->pluggable.size)
		table.region[table.head.nregions++] = region_of(&mem->pluggable);
	return vhost_set_memory(vhost->fd, &table.head);
}

static int attach(struct vhost *vhost, u32 i, const struct vhost_ring *ring)
{
	struct vhost_vring_addr addr = {
		.index = i,
		.desc_user_addr = (u64)(uintptr_t)ring->desc,
		.avail_user_addr = (u64)(uintptr_t)ring->avail,
		.used_user_addr = (u64)(uintptr_t)ring->used,
	};
	int err;

	err = vhost_set_size(vhost->fd, i, ring->size);
	err = err ?: vhost_set_base(vhost->fd, i, 0);
	err = err ?: vhost_set_rings(vhost->fd, &addr);
	if (err)
		return err;
	vhost->attached++;
	err = vhost_set_err(vhost->fd, i, ring->err_fd);
	err = err ?: vhost_set_call(vhost->fd, i, ring->call_fd);
	return err ?: vhost_set_kick(vhost->fd, i, ring->kick_fd);
}

/* Nothing of the guest's is used any more once its base has been asked for. */
static void detach(struct vhost *vhost, u32 i)
{
	vhost_set_kick(vhost->fd, i, -1);
	vhost_get_base(vhost->fd, i);
	vhost_set_call(vhost->fd, i, -1);
	vhost_set_err(vhost->fd, i, -1);
}

/**
 * vhost_start() - have rings served, from their first entries on
 * @vhost: device that is stopped
 * @mem: guest memory
 * @features: what the guest accepted, among @vhost->features
 * @rings: all of the device's
 * @nr: how many, at most VHOST_RINGS_MAX
 *
 * Return: 0, or -errno: it is stopped.
 */
int vhost_start(struct vhost *vhost, const struct memory *mem, u64 features,
		const struct vhost_ring *rings, int nr)
{
	int err, i;

	if (features & ~vhost->features)
		return -EINVAL;
	err = vhost_set_features(vhost->fd, features);
	err = err ?: vhost_use_memory(vhost, mem);
	for (i = 0; !err && i < nr; i++)
		err = attach(vhost, (u32)i, &rings[i]);
	err = err ?: vhost->run(vhost, true);
	if (err)
		vhost_stop(vhost);
	return err;
}

/* When it returns the guest's memory is left alone. A device that is stopped stays so. */
void vhost_stop(struct vhost *vhost)
{
	if (!vhost->attached)
		return;
	vhost->run(vhost, false);
	for (; vhost->attached; vhost->attached--)
		detach(vhost, (u32)vhost->attached - 1);
}
