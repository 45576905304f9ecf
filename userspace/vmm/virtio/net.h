/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_VIRTIO_NET_H
#define VMM_VIRTIO_NET_H

struct pci_dev;
struct virtio_net;
struct vm;
struct vmm_net;

int virtio_net_create(struct vm *vm, const struct vmm_net *config, int index,
		      struct virtio_net **net);
struct pci_dev *virtio_net_pci(struct virtio_net *net);
void virtio_net_destroy(struct virtio_net *net);
int virtio_net_start(struct virtio_net *net);
void virtio_net_stop(struct virtio_net *net);

#endif
