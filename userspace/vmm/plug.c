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
#include "vfio/hostdev.h"
#include "virtio/blk.h"
#include "virtio/net.h"
#include "vm.h"

#define FORCE_POLLS	150	/* of 10 ms: for the guest to let go by itself */
#define POLL_NS		10000000

/**
 * struct kind - of devices, each in its place of struct vm
 * @name: for people
 * @made: names are made of it where there are none
 * @max: places
 * @given: the configuration's name of the one that the VM starts with; NULL: there is none
 * @pci: it is on the bus, or was
 * @stop: nothing of the guest's is under way in it any more; NULL: nothing is
 * @destroy: nothing is left of it but its place's pointer
 * @kill: what it waits for does not come any more; NULL: it waits for nothing
 */
struct kind {
	const char *name;
	const char *made;
	int max;
	bool (*given)(const struct vmm_config *config, int index, const char **name);
	struct pci_dev *(*pci)(struct vm *vm, int index);
	void (*stop)(struct vm *vm, int index);
	void (*destroy)(struct vm *vm, int index);
	void (*kill)(struct vm *vm, int index);
};

static bool disk_given(const struct vmm_config *config, int i, const char **name)
{
	*name = config->disk[i].name;
	return i < config->nr_disks;
}

static struct pci_dev *disk_pci(struct vm *vm, int i)
{
	return virtio_blk_pci(vm->blk[i]);
}

static void disk_stop(struct vm *vm, int i)
{
	virtio_blk_stop(vm->blk[i]);
}

static void disk_destroy(struct vm *vm, int i)
{
	virtio_blk_destroy(vm->blk[i]);
}

static void disk_kill(struct vm *vm, int i)
{
	virtio_blk_kill(vm->blk[i]);
}

static bool net_given(const struct vmm_config *config, int i, const char **name)
{
	*name = config->net[i].name;
	return i < config->nr_nets;
}

static struct pci_dev *net_pci(struct vm *vm, int i)
{
	return virtio_net_pci(vm->net[i]);
}

static void net_stop(struct vm *vm, int i)
{
	virtio_net_stop(vm->net[i]);
}

static void net_destroy(struct vm *vm, int i)
{
	virtio_net_destroy(vm->net[i]);
}

static bool hostdev_given(const struct vmm_config *config, int i, const char **name)
{
	*name = config->hostdev[i].name;
	return i < config->nr_hostdevs;
}

static struct pci_dev *host_pci(struct vm *vm, int i)
{
	return hostdev_pci(vm->hostdev[i]);
}

static void host_destroy(struct vm *vm, int i)
{
	hostdev_destroy(vm->hostdev[i]);
}

static const struct kind kinds[] = {
	[PLUG_DISK] = {
		"disk", "disk", VMM_DISKS_MAX, disk_given, disk_pci, disk_stop, disk_destroy,
		disk_kill,
	},
	[PLUG_NET] = {
		"network", "net", VMM_NETS_MAX, net_given, net_pci, net_stop, net_destroy, NULL,
	},
	[PLUG_HOSTDEV] = {
		"device of the host's", "hostdev", VMM_HOSTDEVS_MAX, hostdev_given, host_pci, NULL,
		host_destroy, NULL,
	},
};

static const struct kind *kind_of(const struct plug_dev *dev)
{
	return &kinds[dev->kind];
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
	return kind_of(dev)->pci(dev->vm, dev->index);
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
	log_err("there is no place for another %s", kinds[kind].name);
	return NULL;
}

/* @name: NULL: disk0, net0 and so on are made. Return: 0, or -errno with the reason logged. */
static int set_name(struct plug_dev *dev, const char *name)
{
	char made[DEVICE_NAME_SIZE];

	snprintf(made, sizeof(made), "%s%d", kind_of(dev)->made, dev->index);
	name = name ?: made;
	if (!*name || strlen(name) >= sizeof(dev->name)) {
		log_err("'%s' is no name for a device", name);
		return -EINVAL;
	}
	if (find(dev->vm, dev->kind, name)) {
		log_err("there is a %s '%s' already", kind_of(dev)->name, name);
		return -EEXIST;
	}
	snprintf(dev->name, sizeof(dev->name), "%s", name);
	return 0;
}

/* Those the VM starts with. Return: 0, or -errno with the reason logged. */
int vm_plug_init(struct vm *vm)
{
	struct plug_dev *dev = vm->plug.dev;
	const char *name;
	size_t kind;
	int i, err;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		for (i = 0; i < kinds[kind].max; i++, dev++) {
			dev->vm = vm;
			dev->kind = (enum plug_kind)kind;
			dev->index = i;
			if (!kinds[kind].given(vm->config, i, &name))
				continue;
			err = set_name(dev, name);
			if (err)
				return err;
			set_state(dev, PLUG_IN);
		}
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
	const struct kind *kind = kind_of(dev);

	if (kind->stop)
		kind->stop(dev->vm, dev->index);
	vcpus_grace(dev->vm);
	kind->destroy(dev->vm, dev->index);
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

/* It is destroyed. */
static void empty_place(struct plug_dev *dev)
{
	struct vm *vm = dev->vm;

	switch (dev->kind) {
	case PLUG_DISK:
		vm->blk[dev->index] = NULL;
		break;
	case PLUG_NET:
		vm->net[dev->index] = NULL;
		break;
	case PLUG_HOSTDEV:
		vm->hostdev[dev->index] = NULL;
		break;
	}
	free(dev->path);
	dev->path = NULL;
	dev->forced = false;
}

/* Its thread has ended, or does soon. */
static void forget(struct plug_dev *dev)
{
	pthread_join(dev->thread, NULL);
	empty_place(dev);
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

static const struct plug_dev *at(struct vm *vm, enum plug_kind kind, int index)
{
	const struct plug_dev *dev = vm->plug.dev;
	enum plug_kind before;

	for (before = 0; before < kind; before++)
		dev += kinds[before].max;
	return dev + index;
}

/* @name: filled in, DEVICE_NAME_SIZE: of what has the place now, or had it last. */
void vm_plug_name(struct vm *vm, enum plug_kind kind, int index, char *name)
{
	snprintf(name, DEVICE_NAME_SIZE, "%s", at(vm, kind, index)->name);
}

/* Is there a device that is not about to go? Main thread. */
bool vm_plug_is_in(struct vm *vm, enum plug_kind kind, int index)
{
	return state_of(at(vm, kind, index)) == PLUG_IN;
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
	kind_of(dev)->destroy(dev->vm, dev->index);
	empty_place(dev);
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
		vmm_file_close(&disk->file);
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
		vmm_file_close(&net->file);
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
 * vm_plug_hostdev() - likewise a device of the host's
 * @vm: VM that runs
 * @hostdev: which
 * @vfio: as hostdev_create() has it
 *
 * Return: 0, or -errno with the reason logged.
 */
int vm_plug_hostdev(struct vm *vm, const struct vmm_hostdev *hostdev, const struct vmm_file *vfio)
{
	struct plug_dev *dev = find_free(vm, PLUG_HOSTDEV);
	int err = dev ? set_name(dev, hostdev->name) : -ENOSPC;

	if (err) {
		vmm_file_close(&hostdev->group);
		vmm_file_close(vfio);
		return err;
	}
	err = hostdev_create(vm, hostdev, vfio, &vm->hostdev[dev->index]);
	return err ? not_plugged(dev, err) : plugged(dev, 0);
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
	if (kind_of(dev)->kill)
		kind_of(dev)->kill(vm, dev->index);
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
