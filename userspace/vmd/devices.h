/* SPDX-License-Identifier: GPL-2.0-only */
/* In a VM's process: devices as the VMM wants them. */
#ifndef VMD_DEVICES_H
#define VMD_DEVICES_H

#include "definition.h"

struct fd_list;
struct json_object;
struct vm;

struct vmm_disk device_disk(const struct disk *disk, int fd);
struct vmm_net device_net(const struct interface *nic, struct json_object *obj, const int *fd);
struct vmm_hostdev device_host(struct json_object *told, int fd);
int device_plug(struct vm *vm, const char *text, struct fd_list *fds, char *name);

#endif
