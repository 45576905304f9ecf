// SPDX-License-Identifier: GPL-2.0-only
/*
 * All of the guest's memory is mapped for its devices, where the guest has it, and with that is
 * locked in the host's. Windows of devices are not: no device reaches another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../log.h"
#include "../virtio/mem.h"
#include "../vm.h"
#include "container.h"
#include "libjoist/joist.h"
#include "libjoist/vfio.h"

_Static_assert(SLOT_HOSTDEV_NR <= 64, "a bit for each slot");

void container_init(struct container *c, struct vm *vm)
{
	memset(c, 0, sizeof(*c));
	c->vm = vm;
	c->fd = -1;
	c->kvm_fd = -1;
	pthread_mutex_init(&c->groups_lock, NULL);
	pthread_mutex_init(&c->lock, NULL);
}

/* Its devices have gone. */
void container_destroy(struct container *c)
{
	if (c->kvm_fd >= 0)
		close(c->kvm_fd);
	if (c->fd >= 0)
		close(c->fd);
	c->kvm_fd = -1;
	c->fd = -1;
}

static bool may_lock_all(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return !syscall(SYS_capget, &head, data) &&
	       (data[0].effective & BIT(CAP_IPC_LOCK));
}

/* Return: 0, or -ENOMEM with the reason logged. */
static int check_limit(const struct memory *mem)
{
	const u64 need = mem->size + mem->pluggable.size;
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur >= need || may_lock_all())
		return 0;
	log_err("a device's DMA locks the guest's memory, and only %llu KiB may be locked: raise RLIMIT_MEMLOCK to %llu KiB (ulimit -l %llu; vmd does it by itself)",
		(unsigned long long)limit.rlim_cur >> 10, (unsigned long long)need >> 10,
		(unsigned long long)need >> 10);
	return -ENOMEM;
}

/* Return: 0, or -errno with the reason logged. */
static int open_container(struct container *c, const struct vmm_file *file)
{
	const struct vmm_file standard = vmm_path(VFIO_CONTAINER_DEVICE);

	if (!file || !file->path)
		file = &standard;
	c->fd = vmm_file_open(file, O_RDWR);
	if (c->fd < 0) {
		int err = c->fd;

		log_err("cannot open %s: %s%s", file->path, strerror(-err),
			err == -ENOENT || err == -ENODEV ?
			  "; load the module first (modprobe vfio-pci)" :
			err == -EACCES ? "; run as root, or leave devices to vmd" : "");
		return err;
	}
	if (vfio_api_version(c->fd) == VFIO_API_VERSION &&
	    vfio_has_type(c->fd, VFIO_TYPE1v2_IOMMU))
		return 0;
	log_err("%s has no IOMMU of type 1, version 2: load the module (modprobe vfio_iommu_type1)",
		file->path);
	return -ENODEV;
}

/* The hypervisor is told, for the caches' sake. One without devices of its own need not be. */
static int open_list(struct container *c)
{
	int fd;

	if (joist_check(c->vm->fd, KVM_CAP_DEVICE_CTRL) <= 0)
		return 0;
	fd = joist_create_device(c->vm->fd, KVM_DEV_TYPE_VFIO);
	if (fd < 0) {
		log_err("the hypervisor takes no devices of the host's: %s", strerror(-fd));
		return fd;
	}
	c->kvm_fd = fd;
	return 0;
}

static int map(struct container *c, u64 gpa, u64 size, void *hva)
{
	int err = vfio_map_dma(c->fd, gpa, size, hva);

	if (err == -EEXIST)
		return 0;
	if (err)
		log_err("DMA to %llu MiB of the guest's memory cannot be mapped: %s%s",
			(unsigned long long)size >> 20, strerror(-err),
			err == -ENOMEM ? "; raise RLIMIT_MEMLOCK (ulimit -l), or free memory" :
			err == -ENOSPC ? "; raise dma_entry_limit of vfio_iommu_type1" : "");
	return err;
}

static int map_all(struct container *c)
{
	const struct memory *mem = &c->vm->mem;
	int i, err = 0;

	for (i = 0; !err && i < mem->nr_regions; i++)
		err = map(c, mem->region[i].gpa, mem->region[i].size, mem->region[i].hva);
	return err;
}

/* It may have been plugged in, and mapped, this very moment. */
static int map_block(void *ctx, u64 gpa, u64 size, void *hva)
{
	struct container *c = ctx;
	int err;

	pthread_mutex_lock(&c->lock);
	err = map(c, gpa, size, hva);
	pthread_mutex_unlock(&c->lock);
	return err;
}

static void set_active(struct container *c, bool active)
{
	pthread_mutex_lock(&c->lock);
	c->active = active;
	pthread_mutex_unlock(&c->lock);
}

/* The first group is in: its devices are to have the guest's memory. */
static int activate(struct container *c)
{
	struct vm *vm = c->vm;
	int err = 0;

	if (c->active)
		return 0;
	memory_keep(&vm->mem, true);
	if (!vfio_iommu_is_set(c->fd))
		err = vfio_set_iommu(c->fd, VFIO_TYPE1v2_IOMMU);
	if (err) {
		log_err("cannot use the IOMMU: %s%s", strerror(-err), err == -EPERM ?
			"; the host remaps no interrupts (kernel parameter intremap=on)" : "");
		return err;
	}
	err = map_all(c);
	if (err)
		return err;
	/* What the guest plugs in from now on is mapped by who plugs it. */
	set_active(c, true);
	return vm->plug_mem ? virtio_mem_plugged(vm->plug_mem, map_block, c) : 0;
}

/* "/dev/vfio/5" Return: -1: it is no group's. */
static int number_of(const char *path)
{
	const char *digits = strrchr(path, '/');
	char *end;
	long number;

	if (!digits || !digits[1])
		return -1;
	number = strtol(digits + 1, &end, 10);
	return *end || number < 0 || number > INT32_MAX ? -1 : (int)number;
}

static struct vfio_group *find(struct container *c, int number)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(c->group); i++)
		if (c->group[i].users && c->group[i].number == number)
			return &c->group[i];
	return NULL;
}

static struct vfio_group *unused(struct container *c)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(c->group); i++)
		if (!c->group[i].users)
			return &c->group[i];
	return NULL;
}

static bool others(const struct container *c)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(c->group); i++)
		if (c->group[i].users)
			return true;
	return false;
}

/* Return: 0, or -errno with the reason logged. */
static int join(struct container *c, struct vfio_group *group)
{
	u32 flags;
	int err = vfio_group_flags(group->fd, &flags);

	if (!err && !(flags & VFIO_GROUP_FLAGS_VIABLE)) {
		log_err("IOMMU group %d has devices that drivers of the host's use: they go with the guest's, so bind all of them to vfio-pci or to none (ls /sys/kernel/iommu_groups/%d/devices; vmctl device bind)",
			group->number, group->number);
		return -EBUSY;
	}
	if (!err && !(flags & VFIO_GROUP_FLAGS_CONTAINER_SET))
		err = vfio_group_join(group->fd, c->fd);
	if (err)
		log_err("cannot use IOMMU group %d: %s", group->number, strerror(-err));
	return err;
}

static void leave(struct container *c, struct vfio_group *group)
{
	const bool last = !others(c);

	if (group->listed)
		joist_vfio_group(c->kvm_fd, group->fd, false);
	group->listed = false;
	/* With it the kernel drops all mappings. */
	if (last)
		set_active(c, false);
	vfio_group_leave(group->fd);
	if (last)
		memory_keep(&c->vm->mem, false);
	close(group->fd);
	group->fd = -1;
}

static int enter(struct container *c, struct vfio_group *group)
{
	int err = join(c, group);

	err = err ?: activate(c);
	if (!err && c->kvm_fd >= 0) {
		err = joist_vfio_group(c->kvm_fd, group->fd, true);
		if (err)
			log_err("the hypervisor refuses IOMMU group %d: %s", group->number,
				strerror(-err));
		group->listed = !err;
	}
	return err;
}

/* Return: a descriptor, or -errno with the reason logged. */
static int open_group(const struct vmm_file *file)
{
	int fd = vmm_file_open(file, O_RDWR);

	if (fd < 0)
		log_err("cannot open %s: %s%s", file->path, strerror(-fd),
			fd == -EBUSY ? "; another VM or program has a device of that group" :
			fd == -ENOENT ? "; bind the device to vfio-pci (vmctl device bind)" : "");
	return fd;
}

static int start(struct container *c, const struct vmm_file *vfio)
{
	int err;

	if (c->fd >= 0) {
		vmm_file_close(vfio);
		return 0;
	}
	err = open_container(c, vfio);
	err = err ?: check_limit(&c->vm->mem);
	err = err ?: open_list(c);
	if (err)
		container_destroy(c);
	return err;
}

/* The lock is held. */
static struct vfio_group *get(struct container *c, const struct vmm_file *file)
{
	const int number = number_of(file->path);
	struct vfio_group *group = find(c, number);

	if (group) {
		vmm_file_close(file);
		group->users++;
		return group;
	}
	group = unused(c);
	if (number < 0 || !group) {
		log_err("%s is no IOMMU group, or one too many", file->path);
		vmm_file_close(file);
		return NULL;
	}
	group->fd = open_group(file);
	if (group->fd < 0)
		return NULL;
	group->number = number;
	if (enter(c, group)) {
		leave(c, group);
		return NULL;
	}
	group->users = 1;
	return group;
}

/**
 * container_get() - the group of a device that is to be the guest's
 * @c: container
 * @vfio: the container's file, where it is not open yet; its descriptor is @c's from here on
 * @file: the group's; likewise
 *
 * Return: container_put() is due; NULL: it cannot be, with the reason logged.
 */
struct vfio_group *container_get(struct container *c, const struct vmm_file *vfio,
				 const struct vmm_file *file)
{
	struct vfio_group *group = NULL;

	pthread_mutex_lock(&c->groups_lock);
	if (!start(c, vfio))
		group = get(c, file);
	else
		vmm_file_close(file);
	pthread_mutex_unlock(&c->groups_lock);
	return group;
}

/* Its device is closed. */
void container_put(struct container *c, struct vfio_group *group)
{
	pthread_mutex_lock(&c->groups_lock);
	if (!--group->users)
		leave(c, group);
	pthread_mutex_unlock(&c->groups_lock);
}

/* Return: the group's descriptor; -1: none of the VM's devices is in it. */
int container_group_fd(struct container *c, int number)
{
	const struct vfio_group *group;
	int fd;

	pthread_mutex_lock(&c->groups_lock);
	group = find(c, number);
	fd = group ? group->fd : -1;
	pthread_mutex_unlock(&c->groups_lock);
	return fd;
}

/**
 * container_map() - memory is plugged in
 * @c: container
 * @gpa: where
 * @size: of a piece that is unmapped whole
 * @hva: where we have it
 *
 * Any thread.
 *
 * Return: whether the VM's devices have it, if it has any.
 */
bool container_map(struct container *c, u64 gpa, u64 size, void *hva)
{
	bool ok;

	pthread_mutex_lock(&c->lock);
	ok = !c->active || !map(c, gpa, size, hva);
	pthread_mutex_unlock(&c->lock);
	return ok;
}

/* Pieces of memory are plugged out: their mappings, if there are, go before it does. */
void container_unmap(struct container *c, u64 gpa, u64 size)
{
	pthread_mutex_lock(&c->lock);
	if (c->active)
		vfio_unmap_dma(c->fd, gpa, size);
	pthread_mutex_unlock(&c->lock);
}

/* Return: a memory slot of the hypervisor's; -ENOSPC: all are in use. */
int container_slot(struct container *c)
{
	int i;

	for (i = 0; i < SLOT_HOSTDEV_NR; i++) {
		if (c->slots & BIT_ULL(i))
			continue;
		c->slots |= BIT_ULL(i);
		return SLOT_HOSTDEV + i;
	}
	return -ENOSPC;
}

void container_slot_free(struct container *c, int slot)
{
	c->slots &= ~BIT_ULL(slot - SLOT_HOSTDEV);
}
