// SPDX-License-Identifier: GPL-2.0-only
/* A device's thread, while there is one queue to serve. */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../thread.h"
#include "../vm.h"
#include "worker.h"

static void *worker_thread(void *arg)
{
	struct virtio_worker *worker = arg;
	struct virtio_dev *dev = worker->dev;
	struct pollfd fds[] = {
		{ .fd = worker->stop_fd, .events = POLLIN },
		{ .fd = dev->queue[0].kick_fd, .events = POLLIN },
	};
	eventfd_t count;
	bool more;

	for (;;) {
		if (poll(fds, ARRAY_SIZE(fds), worker->wait_ms) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			break;
		eventfd_read(fds[1].fd, &count);
		/* Unlocked between requests: a reset may come at any time. */
		do {
			pthread_mutex_lock(&dev->lock);
			worker->wait_ms = -1;
			more = worker->serve(dev);
			pthread_mutex_unlock(&dev->lock);
		} while (more && !vm_stopping(dev->vm));
	}
	return NULL;
}

/* Return: 0 or -errno; worker_destroy() is due in both cases. */
int worker_init(struct virtio_worker *worker, struct virtio_dev *dev,
		bool (*serve)(struct virtio_dev *dev))
{
	worker->dev = dev;
	worker->serve = serve;
	worker->wait_ms = -1;
	worker->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return worker->stop_fd < 0 ? -errno : 0;
}

void worker_destroy(struct virtio_worker *worker)
{
	if (worker->dev && worker->stop_fd >= 0)
		close(worker->stop_fd);
}

/* Return: 0 or -errno. */
int worker_start(struct virtio_worker *worker, const char *name)
{
	int err = thread_start(&worker->thread, name, worker_thread, worker);

	worker->started = !err;
	return err;
}

/* The request in progress is finished, the others are lost. */
void worker_stop(struct virtio_worker *worker)
{
	if (!worker->started)
		return;
	eventfd_write(worker->stop_fd, 1);
	pthread_join(worker->thread, NULL);
	worker->started = false;
}
