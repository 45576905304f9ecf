// SPDX-License-Identifier: GPL-2.0-only
/* What all ways of asynchronous I/O share, and I/O that is not. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../virtio/iov.h"
#include "aio.h"

/**
 * aio_advance() - a part of a transfer is done
 * @req: AIO_READ or AIO_WRITE
 * @n: bytes
 *
 * Return: whether there is more to do.
 */
bool aio_advance(struct aio_req *req, size_t n)
{
	req->offset += n;
	while (req->nr && n >= req->iov->iov_len) {
		n -= req->iov->iov_len;
		req->iov++;
		req->nr--;
	}
	if (!req->nr)
		return false;
	req->iov->iov_base = (u8 *)req->iov->iov_base + n;
	req->iov->iov_len -= n;
	return true;
}

static int transfer(const struct disk *disk, struct aio_req *req)
{
	ssize_t n;

	do {
		if (req->op == AIO_WRITE)
			n = pwritev(disk->fd, req->iov, req->nr, (off_t)req->offset);
		else
			n = preadv(disk->fd, req->iov, req->nr, (off_t)req->offset);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n ? -errno : -EIO;
	} while (aio_advance(req, (size_t)n));
	return 0;
}

/* Do a request, now. Any thread. Return: 0 or -errno. */
int aio_do(const struct disk *disk, struct aio_req *req)
{
	int mode = FALLOC_FL_KEEP_SIZE;

	switch (req->op) {
	case AIO_READ:
	case AIO_WRITE:
		return transfer(disk, req);
	case AIO_FLUSH:
		return fdatasync(disk->fd) ? -errno : 0;
	case AIO_DISCARD:
	case AIO_ZERO:
		mode |= req->op == AIO_ZERO ? FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE;
		return fallocate(disk->fd, mode, (off_t)req->offset, (off_t)req->len) ?
		       -errno : 0;
	}
	return -EINVAL;
}

static bool aligned(const struct aio_req *req, u32 block)
{
	int i;

	for (i = 0; i < req->nr; i++)
		if (((uintptr_t)req->iov[i].iov_base | req->iov[i].iov_len) & (block - 1))
			return false;
	return true;
}

/* Memory of ours in place of the guest's, for direct I/O. Return: 0 or -errno. */
static int bounce(struct aio_req *req, u32 block)
{
	if (posix_memalign(&req->bounce, block, req->len)) {
		req->bounce = NULL;
		return -ENOMEM;
	}
	if (req->op == AIO_WRITE)
		iov_get(req->iov, req->nr, 0, req->bounce, req->len);
	req->whole = req->iov;
	req->nr_whole = req->nr;
	req->piece = (struct iovec) { req->bounce, req->len };
	req->iov = &req->piece;
	req->nr = 1;
	return 0;
}

/**
 * aio_start() - begin a request
 * @aio: where
 * @req: what; the caller's again when aio_take_done() returns it
 */
void aio_start(struct aio *aio, struct aio_req *req)
{
	const struct disk *disk = aio->disk;
	bool transfers = req->op == AIO_READ || req->op == AIO_WRITE;
	int err = 0;

	req->bounce = NULL;
	if (disk->direct && transfers && !aligned(req, disk->block))
		err = bounce(req, disk->block);
	if (err)
		aio_finish(aio, req, err);
	else if (disk->writes_at_once && req->op == AIO_WRITE)
		aio_finish(aio, req, aio_do(disk, req));
	else
		aio->ops->start(aio, req);
}

/* A request is done. The thread of @aio. */
void aio_finish(struct aio *aio, struct aio_req *req, int error)
{
	if (req->bounce) {
		if (req->op == AIO_READ && !error)
			iov_put(req->whole, req->nr_whole, req->bounce, req->len);
		free(req->bounce);
	}
	req->error = error;
	req->next = aio->done;
	aio->done = req;
}

/* Return: a list of requests that are done, or NULL. */
struct aio_req *aio_take_done(struct aio *aio)
{
	struct aio_req *req = aio->done;

	aio->done = NULL;
	return req;
}

/**
 * aio_open() - get ready
 * @disk: open disk
 * @kick_fd: eventfd that ends a wait
 * @ring: by this, if it is not NULL and works; else by threads. It is left at the end, or before
 *
 * To be called, like all but aio_finish()'s callers, by the thread that uses it.
 *
 * Return: NULL: no memory.
 */
struct aio *aio_open(struct disk *disk, int kick_fd, struct ring *ring)
{
	struct aio *aio = NULL;

	if (disk->nbd) {
		ring_leave(ring);
		aio = aio_open_nbd(disk->fd);
	} else {
		if (ring)
			aio = aio_open_ring(ring, kick_fd);
		if (!aio)
			aio = aio_open_pool();
	}
	if (!aio)
		return NULL;
	aio->disk = disk;
	aio->kick_fd = kick_fd;
	return aio;
}
