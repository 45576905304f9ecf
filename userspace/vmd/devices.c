// SPDX-License-Identifier: GPL-2.0-only
/* Devices of a VM's process: those it starts with, and those it gets later. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "channel.h"
#include "devices.h"
#include "js.h"
#include "libjoist/mac.h"
#include "vmm/backend/user.h"
#include "vmm/log.h"
#include "vmm/vm.h"

struct vmm_disk device_disk(const struct disk *disk, int fd)
{
	return (struct vmm_disk) {
		.name = disk->name,
		.file = { disk->path, fd },
		.options = disk->options,
	};
}

/* @obj: what net_plug() told of it; it is to outlive the result, as @nic is. */
struct vmm_net device_net(const struct interface *nic, struct json_object *obj, const int *fd)
{
	const char *mac = js_text(obj, "mac");
	struct vmm_net net = {
		.name = nic->name,
		.kind = nic->kind == IF_USER ? VMM_NET_USER : VMM_NET_TAP,
		.file = { js_text(obj, "tap") ?: nic->name, fd[0] },
		.pairs = (int)nic->queues,
		.mtu = (u16)js_int(obj, "mtu", nic->mtu),
	};
	u32 i;

	for (i = 1; i < nic->queues; i++)
		net.more_fd[i - 1] = fd[i];
	net.has_mac = mac && mac_parse(mac, net.mac);
	return net;
}

/* @told: as device_net() has it; @obj: its definition. */
static int plug_net(struct vm *vm, struct json_object *obj, struct json_object *told,
		    struct fd_list *fds, char *name)
{
	struct interface nic;
	struct complaint c;
	struct vmm_net net;
	int err = -EINVAL;

	if (interface_from_json(&nic, obj, 0, &c)) {
		log_err("%s", c.text);
	} else if (nic.queues != (u32)fds->nr) {
		log_err("the network has %u pairs of queues, and came with %d", nic.queues,
			fds->nr);
	} else {
		snprintf(name, DEVICE_NAME_SIZE, "%s", nic.name);
		net = device_net(&nic, told, fds->fd);
		err = nic.kind == IF_USER ? user_await(fds->fd[0]) : 0;
		if (!err) {
			err = vm_plug_net(vm, &net);
			fds->nr = 0;
		}
	}
	interface_free(&nic);
	return err;
}

static int plug_disk(struct vm *vm, struct json_object *obj, struct fd_list *fds, char *name)
{
	struct definition def;
	struct vmm_disk disk;
	struct complaint c;
	int err = -EINVAL;

	definition_init(&def);
	if (definition_disk_from_json(&def, obj, true, &c)) {
		log_err("%s", c.text);
	} else if (fds->nr != 1) {
		log_err("a disk comes with one descriptor, not with %d", fds->nr);
	} else {
		snprintf(name, DEVICE_NAME_SIZE, "%s", def.disk[0].name);
		disk = device_disk(&def.disk[0], fds->fd[0]);
		err = vm_plug_disk(vm, &disk);
		fds->nr = 0;
	}
	definition_free(&def);
	return err;
}

/* @told: of the parent; it is to outlive the result. */
struct vmm_hostdev device_host(struct json_object *told, int fd)
{
	return (struct vmm_hostdev) {
		.name = js_text(told, "name"),
		.host = js_text(told, "host"),
		.group = { js_text(told, "group"), fd },
	};
}

/* Each comes with the container, which the first one brings. */
static int plug_host(struct vm *vm, struct json_object *told, struct fd_list *fds, char *name)
{
	const bool both = fds->nr == 2;
	struct vmm_file vfio = { HOSTDEV_CONTAINER, both ? fds->fd[0] : -1 };
	struct vmm_hostdev dev = device_host(json_object_array_get_idx(told, 0),
					     both ? fds->fd[1] : -1);
	int err;

	if (!both || !dev.name || !dev.host || !dev.group.path) {
		log_err("a device comes with its container and its group");
		return -EINVAL;
	}
	snprintf(name, DEVICE_NAME_SIZE, "%s", dev.name);
	err = vm_plug_hostdev(vm, &dev, &vfio);
	fds->nr = 0;
	return err;
}

/**
 * device_plug() - give the running VM a device
 * @vm: VM
 * @text: what it is, in JSON, from the daemon
 * @fds: its descriptors: the VM's, or closed
 * @name: filled in, DEVICE_NAME_SIZE
 *
 * Return: 0, or -errno with the reason logged.
 */
int device_plug(struct vm *vm, const char *text, struct fd_list *fds, char *name)
{
	struct json_object *obj = json_tokener_parse(text);
	struct json_object *disk = js_get(obj, "disk"), *net = js_get(obj, "interface");
	struct json_object *told = js_get(obj, "told");
	int err = -EINVAL;

	if (disk)
		err = plug_disk(vm, disk, fds, name);
	else if (net)
		err = plug_net(vm, net, told, fds, name);
	else if (js_get(obj, "device") && json_object_is_type(told, json_type_array) &&
		 json_object_array_length(told))
		err = plug_host(vm, told, fds, name);
	else
		log_err("this is no device that can be plugged in");
	fds_close(fds);
	json_object_put(obj);
	return err;
}
