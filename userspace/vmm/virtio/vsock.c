// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-vsock (virtio 1.2, chapter 5.10): sockets between guest and host, which the host's
 * kernel serves. The queue of events is ours, and nothing comes by it: the device never
 * moves to another host.
 */
#include <errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_vsock.h>
#include <stdlib.h>
#include <string.h>

#include "../backend/vsock.h"
#include "../log.h"
#include "../vm.h"
#include "pci.h"
#include "vhost_dev.h"
#include "vsock.h"

#define CLASS_COMMUNICATION	0x078000	/* one that PCI has no class for */
#define NR_QUEUES		3		/* to the guest, from it, events */
#define FEATURES		BIT_ULL(VIRTIO_VSOCK_F_SEQPACKET)

struct virtio_vsock {
	struct virtio_dev dev;
	struct virtio_pci pci;
	struct vhost_dev queues;
	struct virtio_vsock_config config;
};

static int run(struct vhost *vhost, bool on)
{
	return vhost_vsock_run(vhost->fd, on);
}

static void driver_goes(struct virtio_dev *dev)
{
	vhost_dev_goes(&container_of(dev, struct virtio_vsock, dev)->queues);
}

static void driver_changed(struct virtio_dev *dev)
{
	vhost_dev_changed(&container_of(dev, struct virtio_vsock, dev)->queues);
}

static void calls_changed(struct virtio_dev *dev)
{
	vhost_dev_calls(&container_of(dev, struct virtio_vsock, dev)->queues);
}

static int init(struct virtio_vsock *vsock, struct vm *vm, int fd)
{
	struct virtio_dev *dev = &vsock->dev;
	int err;

	vsock->queues = (struct vhost_dev) {
		.name = "the sockets", .nr = VHOST_RINGS_MAX, .vhost.run = run,
	};
	err = vhost_dev_init(&vsock->queues, dev, fd);
	err = err ?: virtio_dev_init(dev, vm, VIRTIO_ID_VSOCK, NR_QUEUES);
	if (err)
		return err;
	dev->features = (dev->features | FEATURES) & vsock->queues.vhost.features;
	vsock->config.guest_cid = vm->config->vsock.cid;
	dev->config = &vsock->config;
	dev->config_len = sizeof(vsock->config);
	dev->goes = driver_goes;
	dev->changed = driver_changed;
	dev->calls_changed = calls_changed;
	return virtio_pci_init(&vsock->pci, dev, CLASS_COMMUNICATION);
}

/**
 * virtio_vsock_create() - sockets on the PCI bus
 * @vm: VM whose configuration has them
 * @out: the device; set even on failure: virtio_vsock_destroy() is due then too
 *
 * Return: 0, or -errno with the reason logged.
 */
int virtio_vsock_create(struct vm *vm, struct virtio_vsock **out)
{
	struct virtio_vsock *vsock = calloc(1, sizeof(*vsock));
	int fd, err;

	*out = vsock;
	if (!vsock)
		return -ENOMEM;
	fd = vsock_open(&vm->config->vsock);
	if (fd < 0)
		return fd;
	err = init(vsock, vm, fd);
	if (err)
		log_err("cannot create the sockets between guest and host: %s",
			strerror(-err));
	return err;
}

void virtio_vsock_destroy(struct virtio_vsock *vsock)
{
	if (!vsock)
		return;
	virtio_pci_destroy(&vsock->pci);
	virtio_dev_destroy(&vsock->dev);
	vhost_dev_destroy(&vsock->queues);
	free(vsock);
}

/* Return: 0, or -errno with the reason logged. */
int virtio_vsock_start(struct virtio_vsock *vsock)
{
	int err = vhost_dev_start(&vsock->queues);

	if (err)
		log_err("cannot start the thread of the sockets: %s", strerror(-err));
	return err;
}

void virtio_vsock_stop(struct virtio_vsock *vsock)
{
	if (vsock)
		vhost_dev_end(&vsock->queues);
}
