// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O by io_uring: one system call hands over a batch of requests and waits, for the
 * first that is done or for the guest's notification.
 *
 * A ring can do much that a sandbox forbids. So it is made before there is one, and can
 * do nothing but what disks need: a filter that lets nobody make rings is kept.
 */
#include <errno.h>
#include <liburing.h>
#include <linux/falloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "aio.h"

#define BATCH		64		/* requests that one call can hand over */
#define RETRY_NS	1000000L	/* when the kernel has no memory for more */

/**
 * struct ring - a ring, whoever uses it
 * @enabled: a thread has used it: it is that thread's from then on
 * @kept: it is used again: who has done with it does not close it
 * @broken: but that cannot be
 */
struct ring {
	struct io_uring uring;
	bool enabled;
	bool kept;
	bool broken;
};

/**
 * struct aio_ring - a ring in use
 * @uring: of @ring
 * @kicks: the kernel tells of notifications
 */
struct aio_ring {
	struct aio aio;
	struct ring *ring;
	struct io_uring *uring;
	bool kicks;
};

/* Not all of what liburing declares is in its shared library. Return: 0 or -errno. */
static int ring_register(const struct io_uring *ring, u32 op, const void *arg, u32 nr)
{
	return syscall(SYS_io_uring_register, ring->ring_fd, op, arg, nr) < 0 ? -errno : 0;
}

static int restrict_to_disks(struct io_uring *ring)
{
	static const u8 ops[] = {
		IORING_OP_READ, IORING_OP_READV, IORING_OP_WRITE, IORING_OP_WRITEV,
		IORING_OP_FSYNC, IORING_OP_FALLOCATE, IORING_OP_POLL_ADD,
		IORING_OP_POLL_REMOVE,
	};
	struct io_uring_restriction res[ARRAY_SIZE(ops)];
	size_t i;

	memset(res, 0, sizeof(res));
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		res[i].opcode = IORING_RESTRICTION_SQE_OP;
		res[i].sqe_op = ops[i];
	}
	return ring_register(ring, IORING_REGISTER_RESTRICTIONS, res, ARRAY_SIZE(res));
}

/* Return: a ring that is not enabled yet; NULL: the kernel has none for us. */
struct ring *ring_open(void)
{
	/* Of one thread that comes for its news itself: nobody interrupts it. */
	static const u32 flags[] = { IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, 0 };
	struct ring *ring = calloc(1, sizeof(*ring));
	struct io_uring_params params;
	int err = -EINVAL;
	size_t i;

	if (!ring)
		return NULL;
	for (i = 0; err == -EINVAL && i < ARRAY_SIZE(flags); i++) {
		memset(&params, 0, sizeof(params));
		params.flags = flags[i] | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE;
		params.cq_entries = 2 * AIO_DEPTH;
		err = io_uring_queue_init_params(BATCH, &ring->uring, &params);
	}
	if (err) {
		free(ring);
		return NULL;
	}
	if ((params.features & IORING_FEAT_EXT_ARG) && !restrict_to_disks(&ring->uring))
		return ring;
	ring_close(ring);
	return NULL;
}

void ring_close(struct ring *ring)
{
	if (!ring)
		return;
	io_uring_queue_exit(&ring->uring);
	free(ring);
}

/* It is closed by who keeps it, and by nobody else. */
void ring_keep(struct ring *ring)
{
	ring->kept = true;
}

/* Return: whether it can be used again, by the same thread. */
bool ring_works(const struct ring *ring)
{
	return !ring->broken;
}

/* Its user has done with it. */
void ring_leave(struct ring *ring)
{
	if (ring && !ring->kept)
		ring_close(ring);
}

/* Let the kernel take what is there already. Return: 0 or -errno. */
static int submit(struct aio_ring *r)
{
	int ret = io_uring_submit(r->uring);

	return ret < 0 ? ret : 0;
}

/* Return: NULL: the kernel takes no more now. */
static struct io_uring_sqe *get_sqe(struct aio_ring *r)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(r->uring);

	if (sqe || submit(r))
		return sqe;
	return io_uring_get_sqe(r->uring);
}

/*
 * Not as one of the ring's own files, which would be a bit quicker: those are let go by a
 * kernel thread some time after the process has ended, and so is the disk's lock.
 */
static void prepare(struct io_uring_sqe *sqe, int fd, struct aio_req *req)
{
	int mode = FALLOC_FL_KEEP_SIZE;

	switch (req->op) {
	case AIO_READ:
		if (req->nr == 1)
			io_uring_prep_read(sqe, fd, req->iov->iov_base,
					   (u32)min(req->iov->iov_len, (size_t)1 << 30),
					   req->offset);
		else
			io_uring_prep_readv(sqe, fd, req->iov, (u32)req->nr,
					    req->offset);
		break;
	case AIO_WRITE:
		io_uring_prep_writev(sqe, fd, req->iov, (u32)req->nr, req->offset);
		break;
	case AIO_FLUSH:
		io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
		break;
	case AIO_DISCARD:
	case AIO_ZERO:
		mode |= req->op == AIO_ZERO ? FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE;
		io_uring_prep_fallocate(sqe, fd, mode, (off_t)req->offset,
					(off_t)req->len);
		break;
	}
	io_uring_sqe_set_data(sqe, req);
}

static void ring_start(struct aio *aio, struct aio_req *req)
{
	struct aio_ring *r = container_of(aio, struct aio_ring, aio);
	struct io_uring_sqe *sqe = get_sqe(r);

	if (sqe)
		prepare(sqe, aio->disk->fd, req);
	else
		aio_finish(aio, req, aio_do(aio->disk, req));
}

/* What the kernel says of a request. */
static void take_result(struct aio_ring *r, struct aio_req *req, int res)
{
	bool transfers = req->op == AIO_READ || req->op == AIO_WRITE;

	if (res == -EINTR || res == -EAGAIN)
		res = transfers ? 0 : aio_do(r->aio.disk, req);
	else if (transfers && !res)
		res = -EIO;	/* the file has become shorter */
	if (transfers && res >= 0) {
		if (aio_advance(req, (size_t)res)) {
			ring_start(&r->aio, req);
			return;
		}
		res = 0;
	}
	aio_finish(&r->aio, req, res);
}

/* The counter is never read: each time it grows the kernel tells, and that is all. */
static void watch_kicks(struct aio_ring *r)
{
	struct io_uring_sqe *sqe = r->kicks ? NULL : get_sqe(r);

	if (!sqe)
		return;
	io_uring_prep_poll_multishot(sqe, r->aio.kick_fd, POLLIN);
	io_uring_sqe_set_data(sqe, NULL);
	r->kicks = true;
}

static void enter(struct aio_ring *r, int timeout_ms)
{
	struct __kernel_timespec ts = {
		.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L,
	};
	struct timespec nap = { .tv_nsec = RETRY_NS };
	struct io_uring_cqe *cqe;
	int ret;

	if (r->aio.done || !timeout_ms || io_uring_cq_ready(r->uring))
		ret = io_uring_sq_ready(r->uring) ? io_uring_submit(r->uring) : 0;
	else if (timeout_ms < 0)
		ret = io_uring_submit_and_wait(r->uring, 1);
	else
		ret = io_uring_submit_and_wait_timeout(r->uring, &cqe, 1, &ts, NULL);
	if (ret < 0 && ret != -EINTR && ret != -ETIME && !io_uring_cq_ready(r->uring))
		nanosleep(&nap, NULL);
}

static bool ring_wait(struct aio *aio, int timeout_ms)
{
	struct aio_ring *r = container_of(aio, struct aio_ring, aio);
	struct io_uring_cqe *cqe;
	bool kicked = false;
	u32 head, nr = 0;

	watch_kicks(r);
	enter(r, timeout_ms);
	io_uring_for_each_cqe(r->uring, head, cqe) {
		struct aio_req *req = io_uring_cqe_get_data(cqe);

		nr++;
		if (req) {
			take_result(r, req, cqe->res);
			continue;
		}
		kicked = true;
		r->kicks = cqe->flags & IORING_CQE_F_MORE;
	}
	io_uring_cq_advance(r->uring, nr);
	return kicked;
}

/* The next one has another eventfd. The kernel says that it is over, and of what it was not. */
static bool end_kicks(struct aio_ring *r)
{
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	bool asked = r->kicks;
	int ret;

	if (!asked)
		return true;
	sqe = get_sqe(r);
	if (!sqe)
		return false;
	io_uring_prep_poll_remove(sqe, 0);
	io_uring_sqe_set_data(sqe, r);
	while (r->kicks || asked) {
		ret = io_uring_submit_and_wait(r->uring, 1);
		if (ret < 0 && ret != -EINTR)
			return false;
		while (!io_uring_peek_cqe(r->uring, &cqe)) {
			if (io_uring_cqe_get_data(cqe))
				asked = false;
			else
				r->kicks = cqe->flags & IORING_CQE_F_MORE;
			io_uring_cqe_seen(r->uring, cqe);
		}
	}
	return true;
}

static void ring_done(struct aio *aio)
{
	struct aio_ring *r = container_of(aio, struct aio_ring, aio);

	if (r->ring->kept)
		r->ring->broken = !end_kicks(r);
	ring_leave(r->ring);
	free(r);
}

static const struct aio_ops ring_ops = {
	.start = ring_start,
	.wait = ring_wait,
	.close = ring_done,
};

/* A ring is of the thread that does this first. Return: 0 or -errno. */
static int enable(struct ring *ring)
{
	int err = ring->enabled ? 0 : ring_register(&ring->uring, IORING_REGISTER_ENABLE_RINGS,
						    NULL, 0);

	ring->enabled = !err;
	ring->broken |= err;
	return err;
}

/* Return: NULL: it does not work; @ring is left then. */
struct aio *aio_open_ring(struct ring *ring, int kick_fd)
{
	struct aio_ring *r = calloc(1, sizeof(*r));

	if (r && !enable(ring)) {
		r->aio.ops = &ring_ops;
		r->aio.kick_fd = kick_fd;
		r->ring = ring;
		r->uring = &ring->uring;
		return &r->aio;
	}
	ring_leave(ring);
	free(r);
	return NULL;
}
