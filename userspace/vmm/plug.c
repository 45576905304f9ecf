// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hot-plug. To take a device out the guest is asked; once it has ejected the slot the device is
 * off the bus, and a thread takes it apart: it waits for the device's I/O and for the vCPUs that
 * may still be inside of its registers, which the main thread must not do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chipset/hotplug.h"
#include "chipset/pci.h"
#include "console.h"
#include "log.h"
#include "plug.h"
#include "thread.h"
#include "vcpu.h"
#include "virtio/blk.h"
#include "virtio/net.h"
#include "vm.h"

#define FORCE_POLLS	150	/* of 10 ms: for the guest to let go by itself */
#define POLL_NS		10000000

static const char *kind_name(enum plug_kind kind)
{
	return kind == PLUG_DISK ? "disk" : "network";
}

static int state_of(const struct plug_dev *dev)
{
	return __atomic_load_n(&dev->state, __ATOMIC_ACQUIRE);
}

static void set_state(struct plug_dev *dev, int state)
{
	__atomic_store_n(&dev->state, state, __ATOMIC_RELEASE);
}

static struct pci_dev *pci_of(const struct plug_dev *dev)
{
	struct vm *vm = dev->vm;

	return dev->kind == PLUG_DISK ? virtio_blk_pci(vm->blk[dev->index]) :
					virtio_net_pci(vm->net[dev->index]);
}

static int slot_of(const struct plug_dev *dev)
{
	return PCI_SLOT(pci_of(dev)->devfn);
}

static struct plug_dev *find(struct vm *vm, enum plug_kind kind, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vm->plug.dev); i++)
		if (vm->plug.dev[i].kind == kind && state_of(&vm->plug.dev[i]) != PLUG_FREE &&
		    !strcmp(vm->plug.dev[i].name, name))
			return &vm->plug.dev[i];
	return NULL;
}

/* Return: NULL with the reason logged. */
static struct plug_dev *find_free(struct vm *vm, enum plug_kind kind)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vm->plug.dev); i++)
		if (vm->plug.dev[i].kind == kind && state_of(&vm->plug.dev[i]) == PLUG_FREE)
			return &vm->plug.dev[i];
	log_err("there is no place for another %s", kind_name(kind));
	return NULL;
}

/* @name: NULL: disk0, net0 and so on. Return: 0, or -errno with the reason logged. */
static int set_name(struct plug_dev *dev, const char *name)
{
	char made[DEVICE_NAME_SIZE];

	snprintf(made, sizeof(made), "%s%d", dev->kind == PLUG_DISK ? "disk" : "net",
		 dev->index);
	name = name ?: made;
	if (!*name || strlen(name) >= sizeof(dev->name)) {
		log_err("'%s' is no name for a device", name);
		return -EINVAL;
	}
	if (find(dev->vm, dev->kind, name)) {
		log_err("there is a %s '%s' already", kind_name(dev->kind), name);
		return -EEXIST;
	}
	snprintf(dev->name, sizeof(dev->name), "%s", name);
	return 0;
}

/* Those the VM starts with. Return: 0, or -errno with the reason logged. */
int vm_plug_init(struct vm *vm)
{
	const struct vmm_config *config = vm->config;
	int i, err;

	for (i = 0; i < VMM_DISKS_MAX + VMM_NETS_MAX; i++) {
		struct plug_dev *dev = &vm->plug.dev[i];
		const char *name;
		bool there;

		dev->vm = vm;
		dev->kind = i < VMM_DISKS_MAX ? PLUG_DISK : PLUG_NET;
		dev->index = dev->kind == PLUG_DISK ? i : i - VMM_DISKS_MAX;
		if (dev->kind == PLUG_DISK) {
			there = dev->index < config->nr_disks;
			name = there ? config->disk[dev->index].name : NULL;
		} else {
			there = dev->index < config->nr_nets;
			name = there ? config->net[dev->index].name : NULL;
		}
		if (!there)
			continue;
		err = set_name(dev, name);
		if (err)
			return err;
		set_state(dev, PLUG_IN);
	}
	return 0;
}

/* Drivers go badly from a device that is not there any more: they get a moment for it. */
static void force_out(struct plug_dev *dev)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	struct pci_dev *pci = pci_of(dev);
	int i;

	for (i = 0; i < FORCE_POLLS && pci_dev_present(pci) && !vm_stopping(dev->vm); i++)
		nanosleep(&pause, NULL);
	pci_dev_remove(pci);
}

static void destroy(struct plug_dev *dev)
{
	struct vm *vm = dev->vm;

	if (dev->kind == PLUG_DISK) {
		virtio_blk_stop(vm->blk[dev->index]);
		vcpus_grace(vm);
		virtio_blk_destroy(vm->blk[dev->index]);
	} else {
		virtio_net_stop(vm->net[dev->index]);
		vcpus_grace(vm);
		virtio_net_destroy(vm->net[dev->index]);
	}
}

static void *destroy_thread(void *arg)
{
	struct plug_dev *dev = arg;

	if (dev->forced)
		force_out(dev);
	destroy(dev);
	set_state(dev, PLUG_GONE);
	console_wake(dev->vm->console);
	return NULL;
}

/* It is off the bus, or goes by force. Should there be no thread, it is tried again. */
static void take_apart(struct plug_dev *dev)
{
	set_state(dev, PLUG_GOING);
	if (thread_start(&dev->thread, "unplug", destroy_thread, dev))
		set_state(dev, PLUG_IN);
}

/* Its thread has ended, or does soon. */
static void forget(struct plug_dev *dev)
{
	struct vm *vm = dev->vm;

	pthread_join(dev->thread, NULL);
	if (dev->kind == PLUG_DISK)
		vm->blk[dev->index] = NULL;
	else
		vm->net[dev->index] = NULL;
	free(dev->path);
	dev->path = NULL;
	dev->forced = false;
}

/**
 * vm_plug_serve() - go on with what guests and threads have done
 * @vm: VM that runs
 *
 * Main thread, whenever the console's eventfd wakes it.
 */
void vm_plug_serve(struct vm *vm)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vm->plug.dev); i++) {
		struct plug_dev *dev = &vm->plug.dev[i];

		switch (state_of(dev)) {
		case PLUG_IN:
			if (dev->forced || !pci_dev_present(pci_of(dev)))
				take_apart(dev);
			break;
		case PLUG_GONE:
			forget(dev);
			set_state(dev, PLUG_LEFT);
			break;
		}
	}
}

/**
 * vm_plug_left() - which device has gone since the last time
 * @vm: VM
 * @kind: set
 * @name: filled in, DEVICE_NAME_SIZE
 *
 * Main thread. It was asked for, or the guest did it by itself; the name is free again.
 *
 * Return: whether there is one.
 */
bool vm_plug_left(struct vm *vm, enum plug_kind *kind, char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vm->plug.dev); i++) {
		struct plug_dev *dev = &vm->plug.dev[i];

		if (state_of(dev) != PLUG_LEFT)
			continue;
		*kind = dev->kind;
		snprintf(name, DEVICE_NAME_SIZE, "%s", dev->name);
		set_state(dev, PLUG_FREE);
		return true;
	}
	return false;
}

/* Return: the place of a disk that is in, or -ENODEV. */
int vm_plug_disk_index(struct vm *vm, const char *name)
{
	const struct plug_dev *dev = find(vm, PLUG_DISK, name);

	return dev && state_of(dev) == PLUG_IN ? dev->index : -ENODEV;
}

/* @name: filled in, DEVICE_NAME_SIZE: of the disk that has the place now, or had it last. */
void vm_plug_disk_name(struct vm *vm, int index, char *name)
{
	snprintf(name, DEVICE_NAME_SIZE, "%s", vm->plug.dev[index].name);
}

/* A device that was created, started or not. Return: @err. */
static int plugged(struct plug_dev *dev, int err)
{
	if (!err) {
		set_state(dev, PLUG_IN);
		hotplug_come(dev->vm, slot_of(dev));
		return 0;
	}
	/* The guest may have seen it: it goes as any other. */
	pci_dev_remove(pci_of(dev));
	take_apart(dev);
	return err;
}

/* Of a failure before it was on the bus. */
static int not_plugged(struct plug_dev *dev, int err)
{
	if (dev->kind == PLUG_DISK) {
		virtio_blk_destroy(dev->vm->blk[dev->index]);
		dev->vm->blk[dev->index] = NULL;
	} else {
		virtio_net_destroy(dev->vm->net[dev->index]);
		dev->vm->net[dev->index] = NULL;
	}
	free(dev->path);
	dev->path = NULL;
	return err;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* Return: 0, or -errno with the reason logged. */
static int prepare(struct plug_dev *dev, const char *name, const struct vmm_file *from,
		   struct vmm_file *file)
{
	int err = dev ? set_name(dev, name) : -ENOSPC;

	if (!err) {
		dev->path = strdup(from->path);
		err = dev->path ? 0 : -ENOMEM;
	}
	if (!err)
		*file = (struct vmm_file) { dev->path, from->fd };
	return err;
}

/**
 * vm_plug_disk() - give the running guest a disk
 * @vm: VM that runs
 * @disk: which; its descriptor is the VM's in all cases, its strings are copied
 *
 * Main thread.
 *
 * Return: 0, or -errno with the reason logged.
 */
int vm_plug_disk(struct vm *vm, const struct vmm_disk *disk)
{
	struct plug_dev *dev = find_free(vm, PLUG_DISK);
	struct vmm_disk copy = *disk;
	int err;

	err = prepare(dev, disk->name, &disk->file, &copy.file);
	if (err) {
		close_fd(disk->file.fd);
		return err;
	}
	err = virtio_blk_create(vm, &copy, dev->index, &vm->blk[dev->index]);
	if (err)
		return not_plugged(dev, err);
	return plugged(dev, virtio_blk_start(vm->blk[dev->index]));
}

/* Likewise a network, with the descriptors of all its pairs of queues. */
int vm_plug_net(struct vm *vm, const struct vmm_net *net)
{
	struct plug_dev *dev = find_free(vm, PLUG_NET);
	struct vmm_net copy = *net;
	int err, i;

	err = prepare(dev, net->name, &net->file, &copy.file);
	if (err) {
		close_fd(net->file.fd);
		for (i = 0; i < net->pairs - 1; i++)
			close_fd(net->more_fd[i]);
		return err;
	}
	err = virtio_net_create(vm, &copy, dev->index, &vm->net[dev->index]);
	if (err)
		return not_plugged(dev, err);
	return plugged(dev, virtio_net_start(vm->net[dev->index]));
}

/**
 * vm_unplug() - take a device out
 * @vm: VM that runs
 * @kind: what it is
 * @name: which
 * @force: soon, whatever the guest does; else the guest is asked, which may take its time, or
 *         do nothing: then it can be asked again
 *
 * Main thread. It has happened once vm_plug_left() says so.
 *
 * Return: 0; -ENOENT.
 */
int vm_unplug(struct vm *vm, enum plug_kind kind, const char *name, bool force)
{
	struct plug_dev *dev = find(vm, kind, name);

	if (!dev || state_of(dev) == PLUG_LEFT)
		return -ENOENT;
	if (state_of(dev) != PLUG_IN)
		return 0;
	hotplug_ask(vm, slot_of(dev));
	if (!force)
		return 0;
	dev->forced = true;
	if (dev->kind == PLUG_DISK)
		virtio_blk_kill(vm->blk[dev->index]);
	take_apart(dev);
	return 0;
}

/* The vCPUs have stopped. What is being taken apart is so before the others are. */
void vm_plug_end(struct vm *vm)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vm->plug.dev); i++) {
		struct plug_dev *dev = &vm->plug.dev[i];

		if (state_of(dev) == PLUG_GOING || state_of(dev) == PLUG_GONE)
			forget(dev);
		else
			free(dev->path);
	}
}
