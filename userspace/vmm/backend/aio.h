/* SPDX-License-Identifier: GPL-2.0-only */
/* I/O that is begun now and done later, many requests at once. */
#ifndef VMM_BACKEND_AIO_H
#define VMM_BACKEND_AIO_H

#include <sys/uio.h>

#include "disk.h"

#define AIO_DEPTH	256	/* requests at once, of one struct aio */

enum aio_op { AIO_READ, AIO_WRITE, AIO_FLUSH, AIO_DISCARD, AIO_ZERO };

/**
 * struct aio_req - a request
 * @next: in a list of whoever has it
 * @iov: memory, which is changed on the way
 * @nr: its pieces, at most IOV_MAX
 * @offset: byte of the disk; the caller keeps inside of it
 * @len: bytes
 * @error: when it is done: 0 or -errno
 * @bounce: memory that is aligned in place of @iov's, which is not; or NULL
 * @whole: how @iov was before, while there is @bounce
 */
struct aio_req {
	struct aio_req *next;
	enum aio_op op;
	int nr;
	struct iovec *iov;
	u64 offset;
	u64 len;
	int error;
	void *bounce;
	struct iovec piece;
	struct iovec *whole;
	int nr_whole;
};

struct aio;
struct ring;
struct ring_thread;
struct rings;

/**
 * struct aio_ops - one way to do it
 * @start: begin a request; it may be done at once, by aio_finish()
 * @wait: hand over what was begun; then wait for a request that is done, for a kick or
 *        for @timeout_ms, -1: as long as it takes; not at all if a request is done
 *        already. Returns whether there was a kick
 * @close: nothing is under way
 */
struct aio_ops {
	void (*start)(struct aio *aio, struct aio_req *req);
	bool (*wait)(struct aio *aio, int timeout_ms);
	void (*close)(struct aio *aio);
};

/**
 * struct aio - a disk, as one thread uses it
 * @kick_fd: eventfd that ends a wait
 * @done: requests that are, the last one first
 */
struct aio {
	const struct aio_ops *ops;
	struct disk *disk;
	int kick_fd;
	struct aio_req *done;
};

struct aio *aio_open(struct disk *disk, int kick_fd, struct ring *ring);
void aio_start(struct aio *aio, struct aio_req *req);
struct aio_req *aio_take_done(struct aio *aio);

static inline bool aio_wait(struct aio *aio, int timeout_ms)
{
	return aio->ops->wait(aio, timeout_ms);
}

static inline void aio_close(struct aio *aio)
{
	if (aio)
		aio->ops->close(aio);
}

/* For those who implement it. */
void aio_finish(struct aio *aio, struct aio_req *req, int error);
bool aio_advance(struct aio_req *req, size_t n);
int aio_do(const struct disk *disk, struct aio_req *req);
struct aio *aio_open_nbd(int fd);
struct aio *aio_open_pool(void);
struct aio *aio_open_ring(struct ring *ring, int kick_fd);

/* aio_ring.c */
struct ring *ring_open(void);
void ring_close(struct ring *ring);
void ring_keep(struct ring *ring);
bool ring_works(const struct ring *ring);
void ring_leave(struct ring *ring);

/* rings.c: they may have to be made before it is forbidden to make any. */
struct rings *rings_open(int nr);
struct ring_thread *rings_take(struct rings *rings);
void rings_give(struct ring_thread *rt);
void rings_close(struct rings *rings);
struct ring *ring_of_thread(struct ring_thread *rt);
int ring_thread_start(struct ring_thread *rt, const char *name, void *(*run)(void *arg), void *arg);
void ring_thread_wait(struct ring_thread *rt);

#endif
