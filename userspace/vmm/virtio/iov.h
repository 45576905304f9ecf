/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of pieces of guest memory, as a stream of bytes. */
#ifndef VMM_VIRTIO_IOV_H
#define VMM_VIRTIO_IOV_H

#include <sys/uio.h>

#include "libjoist/types.h"

bool iov_pull(struct iovec **iov, int *nr, void *data, size_t len);
u8 *iov_pull_last(struct iovec *iov, int *nr);
u64 iov_total(const struct iovec *iov, int nr);
u8 *iov_at(const struct iovec *iov, int nr, size_t offset);
size_t iov_put(const struct iovec *iov, int nr, const void *data, size_t len);
size_t iov_get(const struct iovec *iov, int nr, size_t offset, void *data, size_t len);

#endif
