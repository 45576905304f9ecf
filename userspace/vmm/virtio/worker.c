// SPDX-License-Identifier: GPL-2.0-only
/* A device's thread. */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../thread.h"
#include "../vm.h"
#include "worker.h"

/* Unlocked between requests: a reset may come at any time. */
static void serve_queue(struct virtio_worker *worker, int queue)
{
	struct virtio_dev *dev = worker->dev;
	bool more;

	do {
		pthread_mutex_lock(&dev->lock);
		worker->wait_ms = -1;
		more = worker->serve(dev, queue);
		pthread_mutex_unlock(&dev->lock);
	} while (more && !vm_stopping(dev->vm));
}

static void serve_fd(struct virtio_worker *worker, short revents)
{
	struct virtio_dev *dev = worker->dev;

	pthread_mutex_lock(&dev->lock);
	worker->ready(dev, revents);
	pthread_mutex_unlock(&dev->lock);
}

static void *worker_thread(void *arg)
{
	struct virtio_worker *worker = arg;
	struct pollfd fds[VIRTIO_QUEUES_MAX + 2];
	struct virtio_dev *dev = worker->dev;
	int nr = dev->nr_queues, i;
	eventfd_t count;

	for (i = 0; i < nr; i++)
		fds[i] = (struct pollfd) { dev->queue[i].kick_fd, POLLIN, 0 };
	fds[nr] = (struct pollfd) { worker->stop_fd, POLLIN, 0 };
	for (;;) {
		fds[nr + 1] = (struct pollfd) { worker->fd, worker->events, 0 };
		if (poll(fds, (nfds_t)nr + 2, worker->wait_ms) < 0 && errno != EINTR)
			break;
		if (fds[nr].revents)
			break;
		if (fds[nr + 1].revents)
			serve_fd(worker, fds[nr + 1].revents);
		for (i = 0; i < nr; i++) {
			eventfd_read(fds[i].fd, &count);
			serve_queue(worker, i);
		}
	}
	return NULL;
}

/* Return: 0 or -errno; worker_destroy() is due in both cases. */
int worker_init(struct virtio_worker *worker, struct virtio_dev *dev,
		bool (*serve)(struct virtio_dev *dev, int queue))
{
	worker->dev = dev;
	worker->serve = serve;
	worker->wait_ms = -1;
	worker->fd = -1;
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
