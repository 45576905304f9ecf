// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-balloon (virtio 1.2, chapter 5.5): pages that the guest gives up, because it is
 * asked to or because they are free, go back to the host at once. Whatever it gives up is
 * its own memory, which reads as zeros when it is used again: nothing need be remembered.
 */
#include <errno.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_ids.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../log.h"
#include "../thread.h"
#include "../vm.h"
#include "balloon.h"
#include "device.h"
#include "iov.h"
#include "pci.h"

#define CLASS_OTHER	0xff0000	/* what PCI calls unassigned */
#define PFNS_MAX	1024		/* taken from a request at a time */
#define REQUEST_MAX	(1 << 20)	/* bytes of them: for 1 GiB of memory */

/* Those that depend on features move up where one before is not there. */
enum { QUEUE_INFLATE, QUEUE_DEFLATE, QUEUE_FIRST_OPTIONAL, NR_QUEUES = 4 };

enum role { ROLE_NONE, ROLE_INFLATE, ROLE_DEFLATE, ROLE_STATS, ROLE_REPORT };

/**
 * struct virtio_balloon - a balloon
 * @config: what the guest reads and, its "actual", writes; the device's lock
 * @stop_fd: eventfd that ends the thread
 * @chain: the request being served; the thread's own
 * @stats_head: of the buffer for statistics, which the guest gets back when it is to fill
 *		it again; -1: it has it. The device's lock
 * @reported: bytes; the device's lock
 * @stat: by VIRTIO_BALLOON_S_*, ~0: not told; the device's lock
 */
struct virtio_balloon {
	struct virtio_dev dev;
	struct virtio_pci pci;
	struct virtio_balloon_config config;
	int stop_fd;
	pthread_t thread;
	bool started;
	struct chain chain;
	int stats_head;
	u64 reported;
	u64 stat[VIRTIO_BALLOON_S_NR];
};

static bool accepted(const struct virtio_balloon *b, int feature)
{
	return b->dev.driver_features & BIT_ULL(feature);
}

/* What the guest uses a queue for. */
static enum role role_of(const struct virtio_balloon *b, int queue)
{
	int next = QUEUE_FIRST_OPTIONAL;

	if (queue == QUEUE_INFLATE)
		return ROLE_INFLATE;
	if (queue == QUEUE_DEFLATE)
		return ROLE_DEFLATE;
	if (accepted(b, VIRTIO_BALLOON_F_STATS_VQ) && queue == next++)
		return ROLE_STATS;
	if (accepted(b, VIRTIO_BALLOON_F_REPORTING) && queue == next)
		return ROLE_REPORT;
	return ROLE_NONE;
}

/* To the host. @len bytes of guest memory at @hva, whole pages of it only. */
static void give_up(u8 *hva, u64 len)
{
	u64 start = align_up((u64)(uintptr_t)hva, PAGE_SIZE);
	u64 end = align_down((u64)(uintptr_t)hva + len, PAGE_SIZE);

	if (start < end && madvise((void *)(uintptr_t)start, end - start, MADV_DONTNEED))
		log_warn("memory of the guest's does not go back: %s", strerror(errno));
}

/* Numbers of pages; those in a row, up or down, go together. Ones that are none: skipped. */
static void inflate(struct virtio_balloon *b, const __le32 *pfn, int nr)
{
	u64 first, last;
	void *hva;
	int i, k;

	for (i = 0; i < nr; i = k) {
		first = pfn[i];
		last = first;
		for (k = i + 1; k < nr; k++) {
			if (pfn[k] == last + 1)
				last++;
			else if (pfn[k] + 1ULL == first)
				first--;
			else
				break;
		}
		hva = memory_ptr(&b->dev.vm->mem, first * PAGE_SIZE,
				 (last - first + 1) * PAGE_SIZE);
		/* Across two regions: not in a row for us. */
		if (!hva && k > i + 1) {
			k = i + 1;
			hva = memory_ptr(&b->dev.vm->mem, pfn[i] * PAGE_SIZE, PAGE_SIZE);
			last = first;
		}
		if (hva)
			give_up(hva, (last - first + 1) * PAGE_SIZE);
	}
}

static void take_pfns(struct virtio_balloon *b)
{
	const struct chain *chain = &b->chain;
	size_t at = 0, len;
	__le32 pfn[PFNS_MAX];

	while ((len = iov_get(chain->iov, chain->nr_out, at, pfn, sizeof(pfn)))) {
		inflate(b, pfn, (int)(len / sizeof(*pfn)));
		at += len;
	}
}

static void take_stats(struct virtio_balloon *b)
{
	const struct chain *chain = &b->chain;
	struct virtio_balloon_stat stat;
	size_t at;

	memset(b->stat, 0xff, sizeof(b->stat));
	for (at = 0; iov_get(chain->iov, chain->nr_out, at, &stat, sizeof(stat)) ==
	     sizeof(stat) && at < VIRTIO_BALLOON_S_NR * sizeof(stat); at += sizeof(stat))
		if (stat.tag < VIRTIO_BALLOON_S_NR)
			b->stat[stat.tag] = stat.val;
}

/* Free pages of the guest's, which it does not use before it has the buffer back. */
static void take_report(struct virtio_balloon *b)
{
	const struct chain *chain = &b->chain;
	int i;

	for (i = chain->nr_out; i < chain->nr_out + chain->nr_in; i++) {
		give_up(chain->iov[i].iov_base, chain->iov[i].iov_len);
		b->reported += chain->iov[i].iov_len;
	}
}

/* Return: 1: the guest gets the request back; 0: later; -EINVAL: against the rules. */
static int serve(struct virtio_balloon *b, enum role role)
{
	switch (role) {
	case ROLE_INFLATE:
		if (iov_total(b->chain.iov, b->chain.nr_out) > REQUEST_MAX)
			return -EINVAL;
		take_pfns(b);
		return 1;
	case ROLE_STATS:
		/* There is one buffer for them. */
		if (b->stats_head >= 0)
			return -EINVAL;
		take_stats(b);
		b->stats_head = b->chain.head;
		return 0;
	case ROLE_REPORT:
		take_report(b);
		return 1;
	default:
		return 1;
	}
}

/* One request, or the news that there is none. The lock is held. */
static bool serve_next(struct virtio_balloon *b, int queue)
{
	struct virtq *q = &b->dev.queue[queue];
	enum role role = role_of(b, queue);
	int ret;

	if (!virtio_dev_live(&b->dev) || !q->ready || role == ROLE_NONE)
		return false;
	ret = queue_pop(q, &b->chain);
	if (!ret)
		return queue_arm(q);
	if (ret > 0)
		ret = serve(b, role);
	if (ret < 0) {
		log_warn("the guest broke a queue of the balloon");
		virtio_dev_fail(&b->dev);
		return false;
	}
	if (!ret)
		return true;
	queue_push(q, b->chain.head, 0);
	if (queue_wants_interrupt(q))
		b->dev.notify(&b->dev, q);
	return true;
}

static void *balloon_thread(void *arg)
{
	struct virtio_balloon *b = arg;
	struct pollfd fds[NR_QUEUES + 1];
	eventfd_t count;
	bool more;
	int i;

	for (i = 0; i < NR_QUEUES; i++)
		fds[i] = (struct pollfd) { b->dev.queue[i].kick_fd, POLLIN, 0 };
	fds[NR_QUEUES] = (struct pollfd) { b->stop_fd, POLLIN, 0 };
	for (;;) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			break;
		if (fds[NR_QUEUES].revents)
			break;
		for (i = 0; i < NR_QUEUES; i++) {
			if (!fds[i].revents)
				continue;
			eventfd_read(fds[i].fd, &count);
			/* Unlocked between requests: a reset may come at any time. */
			do {
				pthread_mutex_lock(&b->dev.lock);
				more = serve_next(b, i);
				pthread_mutex_unlock(&b->dev.lock);
			} while (more && !vm_stopping(b->dev.vm));
		}
	}
	return NULL;
}

/* The lock is held. */
static void driver_changed(struct virtio_dev *dev)
{
	struct virtio_balloon *b = container_of(dev, struct virtio_balloon, dev);

	b->stats_head = -1;
	if (dev->status)
		return;
	/* Reset: nobody holds any pages now. */
	b->config.actual = 0;
	memset(b->stat, 0xff, sizeof(b->stat));
}

/* The guest says how far it is. The lock is held. */
static void config_written(struct virtio_dev *dev, u64 offset, const void *data,
			   unsigned int len)
{
	struct virtio_balloon *b = container_of(dev, struct virtio_balloon, dev);

	if (offset == offsetof(struct virtio_balloon_config, actual) &&
	    len == sizeof(b->config.actual))
		memcpy(&b->config.actual, data, len);
}

static u64 pages(const struct virtio_balloon *b)
{
	return b->dev.vm->mem.size / PAGE_SIZE;
}

/**
 * virtio_balloon_set() - how much memory the guest is to keep
 * @b: balloon
 * @target: bytes; more than the guest has: all of it
 *
 * The guest does it when it can, as far as it can.
 *
 * Return: the target that was set, whole pages.
 */
u64 virtio_balloon_set(struct virtio_balloon *b, u64 target)
{
	u64 keep = min(target / PAGE_SIZE, pages(b));

	pthread_mutex_lock(&b->dev.lock);
	b->config.num_pages = (u32)min(pages(b) - keep, (u64)UINT32_MAX);
	virtio_dev_config_changed(&b->dev);
	pthread_mutex_unlock(&b->dev.lock);
	return keep * PAGE_SIZE;
}

static u64 stat(const struct virtio_balloon *b, int tag)
{
	return b->stat[tag] == UINT64_MAX ? 0 : b->stat[tag];
}

/* Have the guest fill the buffer again. The lock is held. */
static void ask_for_stats(struct virtio_balloon *b)
{
	struct virtq *q = &b->dev.queue[QUEUE_FIRST_OPTIONAL];

	if (b->stats_head < 0 || !virtio_dev_live(&b->dev) || !q->ready)
		return;
	queue_push(q, (u16)b->stats_head, 0);
	b->stats_head = -1;
	if (queue_wants_interrupt(q))
		b->dev.notify(&b->dev, q);
}

/**
 * virtio_balloon_state() - how things are
 * @b: balloon
 * @state: filled in; its statistics are what the guest told the last time, and it is asked
 *	   to tell them anew
 */
void virtio_balloon_state(struct virtio_balloon *b, struct balloon_state *state)
{
	pthread_mutex_lock(&b->dev.lock);
	*state = (struct balloon_state) {
		.ready = virtio_dev_live(&b->dev),
		.target = (pages(b) - b->config.num_pages) * PAGE_SIZE,
		.actual = (pages(b) - min((u64)b->config.actual, pages(b))) * PAGE_SIZE,
		.reported = b->reported,
		.has_stats = b->stat[VIRTIO_BALLOON_S_MEMTOT] != UINT64_MAX,
		.free = stat(b, VIRTIO_BALLOON_S_MEMFREE),
		.available = stat(b, VIRTIO_BALLOON_S_AVAIL),
		.total = stat(b, VIRTIO_BALLOON_S_MEMTOT),
	};
	ask_for_stats(b);
	pthread_mutex_unlock(&b->dev.lock);
}

static int init(struct virtio_balloon *b, struct vm *vm)
{
	int err;

	err = virtio_dev_init(&b->dev, vm, VIRTIO_ID_BALLOON, NR_QUEUES);
	if (err)
		return err;
	b->dev.config = &b->config;
	/* What comes behind belongs to features that are not offered. */
	b->dev.config_len = offsetof(struct virtio_balloon_config, free_page_hint_cmd_id);
	b->dev.config_written = config_written;
	b->dev.changed = driver_changed;
	b->dev.features |= BIT_ULL(VIRTIO_BALLOON_F_STATS_VQ) |
			   BIT_ULL(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |
			   BIT_ULL(VIRTIO_BALLOON_F_REPORTING);
	driver_changed(&b->dev);
	b->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (b->stop_fd < 0)
		return -errno;
	return virtio_pci_init(&b->pci, &b->dev, CLASS_OTHER);
}

/**
 * virtio_balloon_create() - a balloon on the PCI bus
 * @vm: VM
 * @out: the balloon; set even on failure: virtio_balloon_destroy() is due then too
 *
 * Return: 0, or -errno with the reason logged.
 */
int virtio_balloon_create(struct vm *vm, struct virtio_balloon **out)
{
	struct virtio_balloon *b = calloc(1, sizeof(*b));
	int err;

	*out = b;
	if (!b)
		return -ENOMEM;
	b->stop_fd = -1;
	err = init(b, vm);
	if (err)
		log_err("cannot create the balloon: %s", strerror(-err));
	return err;
}

void virtio_balloon_destroy(struct virtio_balloon *b)
{
	if (!b)
		return;
	virtio_pci_destroy(&b->pci);
	virtio_dev_destroy(&b->dev);
	if (b->stop_fd >= 0)
		close(b->stop_fd);
	free(b);
}

/* Return: 0, or -errno with the reason logged. */
int virtio_balloon_start(struct virtio_balloon *b)
{
	int err = thread_start(&b->thread, "balloon", balloon_thread, b);

	if (err)
		log_err("cannot start the balloon's thread: %s", strerror(-err));
	else
		b->started = true;
	return err;
}

void virtio_balloon_stop(struct virtio_balloon *b)
{
	if (!b || !b->started)
		return;
	eventfd_write(b->stop_fd, 1);
	pthread_join(b->thread, NULL);
	b->started = false;
}
