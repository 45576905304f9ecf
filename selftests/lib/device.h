/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_CREATE_DEVICE, and its VFIO device. */
#ifndef JOIST_SELFTESTS_DEVICE_H
#define JOIST_SELFTESTS_DEVICE_H

#include <stdio.h>

#include "vm.h"

#ifndef KVM_DEV_VFIO_FILE
#define KVM_DEV_VFIO_FILE	KVM_DEV_VFIO_GROUP
#define KVM_DEV_VFIO_FILE_ADD	KVM_DEV_VFIO_GROUP_ADD
#define KVM_DEV_VFIO_FILE_DEL	KVM_DEV_VFIO_GROUP_DEL
#endif

static inline int device_create(struct test_vm *vm, uint32_t type, uint32_t flags)
{
	struct kvm_create_device what = { .type = type, .fd = -1, .flags = flags };
	int ret = xioctl(vm->fd, KVM_CREATE_DEVICE, &what);

	return ret ?: flags ? 0 : (int)what.fd;
}

static inline int vfio_device(struct test_vm *vm)
{
	return device_create(vm, KVM_DEV_TYPE_VFIO, 0);
}

static inline int attr(int dev, unsigned long cmd, uint32_t group, uint64_t nr, const void *addr)
{
	struct kvm_device_attr a = {
		.group = group,
		.attr = nr,
		.addr = (uintptr_t)addr,
	};

	return xioctl(dev, cmd, &a);
}

static inline int file_add(int dev, int32_t fd)
{
	return attr(dev, KVM_SET_DEVICE_ATTR, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD, &fd);
}

static inline int file_del(int dev, int32_t fd)
{
	return attr(dev, KVM_SET_DEVICE_ATTR, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_DEL, &fd);
}

/* How many use a module; -1: it is not there. */
static inline int users_of(const char *module)
{
	char path[64];
	int n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	f = fopen(path, "r");
	if (!f)
		return -1;
	if (fscanf(f, "%d", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

#endif
