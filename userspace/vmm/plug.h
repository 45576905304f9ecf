/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices that come and go while the guest runs. */
#ifndef VMM_PLUG_H
#define VMM_PLUG_H

#include <pthread.h>

#include "vmm.h"

struct vm;

enum plug_kind { PLUG_DISK, PLUG_NET, PLUG_HOSTDEV };

enum plug_state {
	PLUG_FREE,
	PLUG_IN,
	PLUG_GOING,	/* off the bus, or soon; its thread takes it apart */
	PLUG_GONE,	/* it has; set by that thread */
	PLUG_LEFT,	/* to be told by vm_plug_left() */
};

/**
 * struct plug_dev - a device
 * @name: within the VM
 * @path: of the file, if it is our copy; or NULL
 * @forced: it goes whatever the guest does
 * @state: enum plug_state; atomic, the rest is the main thread's
 * @thread: while PLUG_GOING
 */
struct plug_dev {
	struct vm *vm;
	enum plug_kind kind;
	int index;
	char name[DEVICE_NAME_SIZE];
	char *path;
	bool forced;
	int state;
	pthread_t thread;
};

struct plug {
	struct plug_dev dev[VMM_DISKS_MAX + VMM_NETS_MAX + VMM_HOSTDEVS_MAX];
};

int vm_plug_init(struct vm *vm);
int vm_plug_disk(struct vm *vm, const struct vmm_disk *disk);
int vm_plug_net(struct vm *vm, const struct vmm_net *net);
int vm_plug_hostdev(struct vm *vm, const struct vmm_hostdev *hostdev, const struct vmm_file *vfio);
int vm_unplug(struct vm *vm, enum plug_kind kind, const char *name, bool force);
void vm_plug_serve(struct vm *vm);
bool vm_plug_left(struct vm *vm, enum plug_kind *kind, char *name);
int vm_plug_disk_index(struct vm *vm, const char *name);
void vm_plug_name(struct vm *vm, enum plug_kind kind, int index, char *name);
bool vm_plug_is_in(struct vm *vm, enum plug_kind kind, int index);
void vm_plug_end(struct vm *vm);

#endif
