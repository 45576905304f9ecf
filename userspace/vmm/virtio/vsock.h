/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_VIRTIO_VSOCK_H
#define VMM_VIRTIO_VSOCK_H

struct virtio_vsock;
struct vm;

int virtio_vsock_create(struct vm *vm, struct virtio_vsock **vsock);
void virtio_vsock_destroy(struct virtio_vsock *vsock);
int virtio_vsock_start(struct virtio_vsock *vsock);
void virtio_vsock_stop(struct virtio_vsock *vsock);

#endif
