// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices of a VM that runs: the parent opens them, with the rights of who wants them, and keeps
 * what it will run the next time as the VM is now. A created VM's definition is kept for good, a
 * configured one's until the configuration is read again.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "js.h"
#include "net/net.h"
#include "parent.h"
#include "parent_device.h"
#include "passthrough.h"
#include "peer.h"
#include "store.h"
#include "vm_protocol.h"

static int put_disk(struct definition *def, const void *arg)
{
	const struct disk *disk = arg;
	struct complaint c;
	struct disk *copy;

	if (definition_add_disk(def, disk->name, disk->path, &disk->options, &c))
		return -1;
	copy = definition_disk(def, disk->name);
	copy->uid = disk->uid;
	copy->gid = disk->gid;
	return 0;
}

static int put_interface(struct definition *def, const void *arg)
{
	struct json_object *obj = interface_json(arg);
	struct complaint c;
	int err = definition_interface_from_json(def, obj, &c);

	json_object_put(obj);
	return err;
}

static int drop_disk(struct definition *def, const void *arg)
{
	struct disk *disk = definition_disk(def, arg);

	if (disk)
		definition_remove_disk(def, disk);
	return 0;
}

static int drop_interface(struct definition *def, const void *arg)
{
	struct interface *nic = definition_find_interface(def, arg);

	if (nic)
		definition_remove_interface(def, nic);
	return 0;
}

/* The VM's definition is changed already, and has been good before. */
static int keep(struct owned *vm, int (*change)(struct definition *def, const void *arg),
		const void *arg, struct failure *f)
{
	int err = vm->def.created ? store_save(&vm->def) : 0;

	if (!err && vm->proc.pid)
		err = process_change(vm->def.name, change, arg, vm->proc.nets);
	owned_tell(vm);
	return err ? fail(f, "failed", "cannot save the definition: %s", strerror(-err)) : 0;
}

/* Who may change it, and is there something to change? */
static int check(const struct owned *vm, int client, struct peer *peer, struct failure *f)
{
	if (client < 0 || peer_get(client, peer))
		return fail(f, "failed", "it is not known who asks");
	if (!peer_is_admin(peer, parent.admin_gid) && !peer_owns(peer, &vm->def.owner))
		return fail(f, "not-found", "no VM '%s'", vm->def.name);
	return device_check(vm, f);
}

/* A VM that does not run is as its definition says, and one of them is a file of an admin's. */
int device_check(const struct owned *vm, struct failure *f)
{
	if (vm->proc.pid || vm->def.created)
		return 0;
	fail(f, "not-running", "the VM '%s' does not run, and is of the configuration",
	     vm->def.name);
	f->remedy = "start it, or change the configuration";
	return -1;
}

/* What a disk's format takes is the VM's. */
static int open_disk(const struct owned *vm, const struct disk *disk, struct failure *f)
{
	int procs_fd = cgroup_procs(vm->def.name);
	int fd = disk_open_as(&vm->def, disk, procs_fd, f);

	if (procs_fd >= 0)
		close(procs_fd);
	return fd;
}

/**
 * device_add_disk() - a client wants a VM to have a disk
 * @vm: VM
 * @obj: the disk
 * @client: socket of who asks
 * @answer: told the device and its name
 * @fds: empty; its file is added, if the VM runs
 * @f: why not
 *
 * Return: 0 or less.
 */
int device_add_disk(struct owned *vm, struct json_object *obj, int client,
		    struct json_object *answer, struct fd_list *fds, struct failure *f)
{
	struct json_object *device;
	struct complaint c;
	struct peer peer;
	struct disk *disk;

	if (check(vm, client, &peer, f))
		return -1;
	if (definition_disk_from_json(&vm->def, obj, false, &c))
		return fail(f, "bad-config", "%s", c.text);
	disk = &vm->def.disk[vm->def.nr_disks - 1];
	if (peer.uid != vm->def.uid) {
		disk->uid = peer.uid;
		disk->gid = peer.gid;
	}
	if (vm->proc.pid) {
		fds->fd[0] = open_disk(vm, disk, f);
		fds->nr = fds->fd[0] >= 0;
	}
	if ((vm->proc.pid && !fds->nr) || keep(vm, put_disk, disk, f)) {
		fds_close(fds);
		definition_remove_disk(&vm->def, disk);
		return -1;
	}
	device = json_object_new_object();
	js_add(device, "disk", definition_disk_json(disk, true));
	js_add(answer, "device", device);
	js_add_text(answer, "name", disk->name);
	return 0;
}

/* It is plugged in where both who wants it and the VM may be. */
static int check_network(const struct owned *vm, const struct interface *nic,
			 const struct peer *peer, struct failure *f)
{
	struct definition probe = { .nr_nics = 1, .nic[0] = *nic };

	probe.uid = peer->uid;
	probe.gid = peer->gid;
	if (net_check(&probe, f))
		return -1;
	probe.uid = vm->def.uid;
	probe.gid = vm->def.gid;
	return net_check(&probe, f);
}

static void forget_network(struct owned *vm, const char *name)
{
	size_t i;

	for (i = 0; vm->proc.nets && i < json_object_array_length(vm->proc.nets); i++) {
		struct json_object *net = json_object_array_get_idx(vm->proc.nets, i);

		if (!strcmp(js_text(net, "name") ?: "", name)) {
			json_object_array_del_idx(vm->proc.nets, i, 1);
			return;
		}
	}
}

/* Return: 0 or less. */
static int plug_network(struct owned *vm, const struct interface *nic,
			struct json_object *device, struct fd_list *fds, struct failure *f)
{
	struct json_object *told = interface_json(nic);
	u32 uid, gid;
	int nr;

	static_assert(IF_QUEUES_MAX <= MSG_FDS_MAX, "one message brings them all");
	owned_user(&vm->def, &uid, &gid);
	nr = net_plug_one(&vm->def, nic, uid, gid, fds->fd, told, f);
	fds->nr = max(nr, 0);
	js_add(device, "told", json_object_get(told));
	if (!vm->proc.nets)
		vm->proc.nets = json_object_new_array();
	json_object_array_add(vm->proc.nets, told);
	return min(nr, 0);
}

/* Likewise a network. */
int device_add_network(struct owned *vm, struct json_object *obj, int client,
		       struct json_object *answer, struct fd_list *fds, struct failure *f)
{
	struct json_object *device = json_object_new_object();
	struct interface *nic;
	struct complaint c;
	struct peer peer;
	int err;

	js_add(answer, "device", device);
	if (check(vm, client, &peer, f))
		return -1;
	if (definition_interface_from_json(&vm->def, obj, &c))
		return fail(f, "bad-config", "%s", c.text);
	nic = &vm->def.nic[vm->def.nr_nics - 1];
	js_add(device, "interface", interface_json(nic));
	js_add_text(answer, "name", nic->name);
	err = check_network(vm, nic, &peer, f);
	if (!err && vm->proc.pid)
		err = plug_network(vm, nic, device, fds, f);
	err = err ?: keep(vm, put_interface, nic, f);
	if (!err)
		return 0;
	fds_close(fds);
	forget_network(vm, nic->name);
	definition_remove_interface(&vm->def, nic);
	return err;
}

static int put_host(struct definition *def, const void *arg)
{
	struct complaint c;

	return assignments_add(&def->devices, arg, &c);
}

static int drop_host(struct definition *def, const void *arg)
{
	assignments_remove(&def->devices, arg);
	return 0;
}

/* What a definition wants of the host itself is for admins to want. */
int device_may(const struct peer *peer, struct failure *f)
{
	if (peer_is_admin(peer, parent.admin_gid))
		return 0;
	fail(f, "not-yours", "only admins may give a VM a device of the host's");
	return -1;
}

/* Likewise a device of the host's. */
int device_add_host(struct owned *vm, struct json_object *obj, int client,
		    struct json_object *answer, struct fd_list *fds, struct failure *f)
{
	struct json_object *device = json_object_new_object(), *told = json_object_new_array();
	struct assigned dev;
	struct complaint c;
	struct peer peer;
	int err;

	js_add(answer, "device", device);
	js_add(device, "told", told);
	if (check(vm, client, &peer, f) || device_may(&peer, f))
		return -1;
	if (platform_is(obj)) {
		fail(f, "bad-config", "ports and memory of the host's come with a VM's definition");
		f->remedy = "have root define the VM with them, in joist.conf or by 'vmctl create'";
		return -1;
	}
	if (assigned_from_json(&vm->def.devices, obj, &c))
		return fail(f, "bad-config", "%s", c.text);
	dev = vm->def.devices.dev[vm->def.devices.nr - 1];
	if (platform_find(&vm->def.platform, dev.name)) {
		assignments_remove(&vm->def.devices, dev.name);
		return fail(f, "bad-config", "there is a device '%s' already", dev.name);
	}
	js_add(device, "device", assigned_json(&dev));
	js_add_text(answer, "name", dev.name);
	err = vm->proc.pid ? passthrough_plug(&vm->def, &dev, vm->proc.pid, fds, told, f) : 0;
	err = err ?: keep(vm, put_host, &dev, f);
	if (!err)
		return 0;
	fds_close(fds);
	passthrough_drop(vm->def.name, dev.name);
	assignments_remove(&vm->def.devices, dev.name);
	return err;
}

/* A device is no more; @kind: enum plug_kind. */
int device_gone(struct owned *vm, s64 kind, const char *name, struct failure *f)
{
	if (kind == PLUG_DISK) {
		drop_disk(&vm->def, name);
		return keep(vm, drop_disk, name, f);
	}
	if (kind == PLUG_HOSTDEV) {
		drop_host(&vm->def, name);
		passthrough_drop(vm->def.name, name);
		return keep(vm, drop_host, name, f);
	}
	drop_interface(&vm->def, name);
	forget_network(vm, name);
	net_settle();
	return keep(vm, drop_interface, name, f);
}
