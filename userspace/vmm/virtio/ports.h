/* SPDX-License-Identifier: GPL-2.0-only */
/* virtio-console: named ports of the guest's, each a socket of the host's. */
#ifndef VMM_VIRTIO_PORTS_H
#define VMM_VIRTIO_PORTS_H

struct virtio_ports;
struct vm;

int virtio_ports_create(struct vm *vm, struct virtio_ports **out);
void virtio_ports_destroy(struct virtio_ports *ports);
int virtio_ports_start(struct virtio_ports *ports);
void virtio_ports_stop(struct virtio_ports *ports);

#endif
