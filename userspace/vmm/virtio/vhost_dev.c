// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel serves the queues; negotiation, interrupts and resets are ours. The guest
 * notifies the kernel by the ioeventfd, and the kernel the guest by the irqfd of the
 * queue's message: no thread of ours has a part in it. Where there is no such message, an
 * interrupt line for one, a thread passes the call on. It also hears of errors.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../log.h"
#include "../thread.h"
#include "../vm.h"
#include "vhost_dev.h"

static struct virtq *queue_of(const struct vhost_dev *vd, int i)
{
	return &vd->dev->queue[vd->first + i];
}

/* How the guest is to be called for a queue now. */
static int call_fd(const struct vhost_dev *vd, int i)
{
	int fd = vd->dev->call_fd(vd->dev, queue_of(vd, i));

	return fd < 0 ? vd->relay_fd[i] : fd;
}

static bool all_ready(const struct vhost_dev *vd)
{
	int i;

	for (i = 0; i < vd->nr; i++)
		if (!queue_of(vd, i)->ready)
			return false;
	return true;
}

static void stop(struct vhost_dev *vd)
{
	if (vd->running)
		vhost_stop(&vd->vhost);
	vd->running = false;
}

static void fail(struct vhost_dev *vd)
{
	stop(vd);
	virtio_dev_fail(vd->dev);
}

/* Return: 0, or -EINVAL: a ring is packed, which was not offered. */
static int look_at_rings(struct vhost_dev *vd, struct vhost_ring *ring)
{
	int i;

	for (i = 0; i < vd->nr; i++) {
		const struct virtq *q = queue_of(vd, i);

		if (q->is_packed)
			return -EINVAL;
		vd->call_fd[i] = call_fd(vd, i);
		ring[i] = (struct vhost_ring) {
			.desc = q->desc, .avail = q->avail, .used = q->used,
			.size = q->size, .kick_fd = q->kick_fd,
			.call_fd = vd->call_fd[i], .err_fd = vd->err_fd,
		};
	}
	return 0;
}

static void start(struct vhost_dev *vd)
{
	struct vhost_ring ring[VHOST_RINGS_MAX];
	struct virtio_dev *dev = vd->dev;
	int err;

	err = look_at_rings(vd, ring);
	err = err ?: vhost_start(&vd->vhost, &dev->vm->mem,
				 dev->driver_features & vd->vhost.features, ring, vd->nr);
	vd->running = !err;
	if (!err)
		return;
	log_warn("the kernel does not take the queues of %s: %s", vd->name, strerror(-err));
	fail(vd);
}

/**
 * vhost_dev_changed() - the driver is ready now, or was reset
 * @vd: queues; their device's lock is held
 */
void vhost_dev_changed(struct vhost_dev *vd)
{
	if (!virtio_dev_live(vd->dev))
		stop(vd);
	else if (!vd->running && all_ready(vd))
		start(vd);
}

/* The driver is about to be reset: after this the kernel uses nothing of the guest's. */
void vhost_dev_goes(struct vhost_dev *vd)
{
	stop(vd);
}

/* Whom to call may be another now. Any lock may be held: it is the thread that looks. */
void vhost_dev_calls(struct vhost_dev *vd)
{
	eventfd_write(vd->wake_fd, 1);
}

/* The device's lock is held. What was called for in between is not known: it is again. */
static void set_calls(struct vhost_dev *vd)
{
	int i;

	for (i = 0; vd->running && i < vd->nr; i++) {
		int fd = call_fd(vd, i);

		if (fd == vd->call_fd[i])
			continue;
		if (vhost_set_call(vd->vhost.fd, (u32)i, fd)) {
			fail(vd);
			break;
		}
		vd->call_fd[i] = fd;
		vd->dev->notify(vd->dev, queue_of(vd, i));
	}
}

/* Likewise. */
static void take_error(struct vhost_dev *vd)
{
	if (!vd->running)
		return;
	log_warn("the guest broke a queue of %s", vd->name);
	fail(vd);
}

enum { FD_WAKE, FD_ERR, FD_RELAY };

static bool told(const struct pollfd *fd)
{
	eventfd_t count;

	return fd->revents && !eventfd_read(fd->fd, &count);
}

static void serve(struct vhost_dev *vd, const struct pollfd *fds)
{
	int i;

	pthread_mutex_lock(&vd->dev->lock);
	if (told(&fds[FD_WAKE]))
		set_calls(vd);
	if (told(&fds[FD_ERR]))
		take_error(vd);
	for (i = 0; i < vd->nr; i++)
		if (told(&fds[FD_RELAY + i]) && vd->running)
			vd->dev->notify(vd->dev, queue_of(vd, i));
	pthread_mutex_unlock(&vd->dev->lock);
}

static void *vhost_thread(void *arg)
{
	struct vhost_dev *vd = arg;
	struct pollfd fds[FD_RELAY + VHOST_RINGS_MAX] = {
		[FD_WAKE] = { .fd = vd->wake_fd, .events = POLLIN },
		[FD_ERR] = { .fd = vd->err_fd, .events = POLLIN },
	};
	int i;

	for (i = 0; i < vd->nr; i++)
		fds[FD_RELAY + i] = (struct pollfd) { vd->relay_fd[i], POLLIN, 0 };
	while (!__atomic_load_n(&vd->ending, __ATOMIC_ACQUIRE)) {
		if (poll(fds, (nfds_t)(FD_RELAY + vd->nr), -1) < 0) {
			if (errno != EINTR)
				break;
			continue;
		}
		serve(vd, fds);
	}
	return NULL;
}

/**
 * vhost_dev_init() - queues that the kernel is to serve
 * @vd: zeroed, but for what says which queues and how: name, first, nr, vhost.run
 * @dev: whose they are
 * @fd: the kernel's device; @vd's from here on, even on failure
 *
 * Return: 0 or -errno; vhost_dev_destroy() is due in both cases.
 */
int vhost_dev_init(struct vhost_dev *vd, struct virtio_dev *dev, int fd)
{
	int err, i;

	vd->dev = dev;
	vd->err_fd = -1;
	vd->wake_fd = -1;
	for (i = 0; i < VHOST_RINGS_MAX; i++)
		vd->relay_fd[i] = -1;
	err = vhost_init(&vd->vhost, fd);
	if (err)
		return err;
	vd->err_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vd->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vd->err_fd < 0 || vd->wake_fd < 0)
		return -errno;
	for (i = 0; i < vd->nr; i++) {
		vd->relay_fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (vd->relay_fd[i] < 0)
			return -errno;
	}
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* The thread has ended. */
void vhost_dev_destroy(struct vhost_dev *vd)
{
	int i;

	if (!vd->dev)
		return;
	vhost_destroy(&vd->vhost);
	close_fd(vd->err_fd);
	close_fd(vd->wake_fd);
	for (i = 0; i < VHOST_RINGS_MAX; i++)
		close_fd(vd->relay_fd[i]);
}

/* Return: 0 or -errno. */
int vhost_dev_start(struct vhost_dev *vd)
{
	int err = thread_start(&vd->thread, "vhost", vhost_thread, vd);

	vd->started = !err;
	return err;
}

/* The VM ends: nothing is served any more. */
void vhost_dev_end(struct vhost_dev *vd)
{
	if (vd->started) {
		__atomic_store_n(&vd->ending, true, __ATOMIC_RELEASE);
		eventfd_write(vd->wake_fd, 1);
		pthread_join(vd->thread, NULL);
		vd->started = false;
	}
	stop(vd);
}
