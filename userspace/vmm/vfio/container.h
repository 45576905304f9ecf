/* SPDX-License-Identifier: GPL-2.0-only */
/* The VM's part of the IOMMU: what its devices can reach, and the groups they come in. */
#ifndef VMM_VFIO_CONTAINER_H
#define VMM_VFIO_CONTAINER_H

#include <pthread.h>

#include "../vmm.h"

struct vm;

/**
 * struct vfio_group - devices that the IOMMU cannot tell apart
 * @number: of /dev/vfio/NUMBER
 * @users: our devices of it; 0: there is none, and no descriptor
 * @listed: the hypervisor knows of it
 */
struct vfio_group {
	int number;
	int fd;
	int users;
	bool listed;
};

/**
 * struct container - one for all devices of the VM
 * @fd: -1: there has been no device yet
 * @kvm_fd: the hypervisor's list of the groups; -1: it has none
 * @groups_lock: protects @group, and that of all but the next two which changes
 * @lock: protects @active, and the mappings of memory to be plugged in
 * @active: groups are in it, and the guest's memory is mapped
 * @slots: of SLOT_HOSTDEV_NR: in use; the lock of the PCI bus protects them
 */
struct container {
	struct vm *vm;
	int fd;
	int kvm_fd;
	pthread_mutex_t groups_lock;
	pthread_mutex_t lock;
	bool active;
	struct vfio_group group[VMM_HOSTDEVS_MAX];
	u64 slots;
};

void container_init(struct container *c, struct vm *vm);
void container_destroy(struct container *c);
struct vfio_group *container_get(struct container *c, const struct vmm_file *vfio,
				 const struct vmm_file *group);
void container_put(struct container *c, struct vfio_group *group);
int container_group_fd(struct container *c, int number);
bool container_map(struct container *c, u64 gpa, u64 size, void *hva);
void container_unmap(struct container *c, u64 gpa, u64 size);
int container_slot(struct container *c);
void container_slot_free(struct container *c, int slot);

#endif
