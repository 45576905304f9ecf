// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-balloon (virtio 1.2, chapter 5.5): pages that the guest gives up, because it is
 * asked to or because they are free, go back to the host at once. Whatever it gives up is
 * its own memory, which reads as zeros when it is used again: nothing need be remembered.
 *
 * Free memory that it hints is another matter: the driver may use it again whenever it likes,
 * and must not find zeros where it has written. Linux lets nobody have a page before its
 * notification is through: so that is served where it is made, and the page is gone before the
 * vCPU goes on.
 */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "../console.h"
#include "../log.h"
#include "../vm.h"
#include "balloon.h"
#include "device.h"
#include "iov.h"
#include "pci.h"
#include "worker.h"

#define CLASS_OTHER	0xff0000	/* what PCI calls unassigned */
#define PFNS_MAX	1024		/* taken from a request at a time */
#define REQUEST_MAX	(1 << 20)	/* bytes of them: for 1 GiB of memory */

/* What the queues are for: NONE, where the guest has not accepted what it would be for. */
enum role { INFLATE, DEFLATE, STATS, HINT, REPORT, NONE };

#define NR_QUEUES	NONE

/**
 * struct virtio_balloon - a balloon
 * @config: what the guest reads and, its "actual", writes
 * @settled: the guest has been where it was asked to be since it was asked
 * @news: it got there, and nobody has been told
 * @held: a buffer of the guest's for its figures is here, to be returned when new ones are wanted
 * @held_head: its chain's
 * @refreshing: it was returned, and has not come back
 * @kept: what it gave up last, or was to, did not go back to the host
 * @stats: the guest's figures
 * @stats_ns: when they came, of CLOCK_MONOTONIC
 * @hint: the guest's free memory, as it hints it
 * @hint_err: how the last run of that ended
 * @hint_news: it has, and nobody has been told
 * @chain: the request being served
 *
 * The device's lock protects what changes.
 */
struct virtio_balloon {
	struct virtio_dev dev;
	struct virtio_pci pci;
	struct virtio_balloon_config config;
	bool settled;
	bool news;
	bool held;
	u16 held_head;
	bool refreshing;
	bool kept;
	struct balloon_stats stats;
	u64 stats_ns;
	struct balloon_hint hint;
	int hint_err;
	bool hint_news;
	struct virtio_worker worker;
	struct chain chain;
};

static bool accepted(const struct virtio_dev *dev, int feature)
{
	return dev->driver_features & BIT_ULL(feature);
}

/* Queues of features that were not accepted are not there: those behind them move up. */
static enum role role_of(const struct virtio_dev *dev, int queue)
{
	static const int feature[] = {
		[STATS] = VIRTIO_BALLOON_F_STATS_VQ,
		[HINT] = VIRTIO_BALLOON_F_FREE_PAGE_HINT,
		[REPORT] = VIRTIO_BALLOON_F_REPORTING,
	};
	enum role role;

	for (role = INFLATE; role < NONE; role++)
		if ((role < STATS || accepted(dev, feature[role])) && !queue--)
			break;
	return role;
}

/* Told when it begins. */
static void set_kept(struct virtio_balloon *b, bool kept)
{
	if (kept && !b->kept)
		log_trouble("the balloon gives nothing back: the guest's devices use its memory");
	b->kept = kept;
}

/* To the host. @len bytes of guest memory at @hva, whole pages of it only. Return: their bytes. */
static u64 give_up(void *ctx, void *hva, u64 len)
{
	struct virtio_balloon *b = ctx;
	u64 start = align_up((u64)(uintptr_t)hva, PAGE_SIZE);
	u64 end = align_down((u64)(uintptr_t)hva + len, PAGE_SIZE);
	int err;

	if (start >= end)
		return 0;
	err = memory_discard(&b->dev.vm->mem, (void *)(uintptr_t)start, end - start);
	if (err && err != -EBUSY)
		log_warn("memory of the guest's does not go back: %s", strerror(-err));
	set_kept(b, err == -EBUSY);
	return err ? 0 : end - start;
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
			give_up(b, hva, (last - first + 1) * PAGE_SIZE);
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

/*
 * Free pages of the guest's, which it does not use before it has the buffer back. Poisoned ones
 * are to keep their value.
 */
static void take_report(struct virtio_balloon *b)
{
	const struct chain *chain = &b->chain;
	int i;

	if (accepted(&b->dev, VIRTIO_BALLOON_F_PAGE_POISON) && b->config.poison_val)
		return;
	for (i = chain->nr_out; i < chain->nr_out + chain->nr_in; i++)
		give_up(b, chain->iov[i].iov_base, chain->iov[i].iov_len);
}

/* The one buffer that there is for them stays here until somebody wants new ones. */
static int take_stats(struct virtio_balloon *b)
{
	if (b->held)
		return -EINVAL;
	balloon_stats_take(&b->stats, b->chain.iov, b->chain.nr_out);
	b->stats_ns = now_ns();
	b->held = true;
	b->held_head = b->chain.head;
	b->refreshing = false;
	console_wake(b->dev.vm->console);
	return 0;
}

/* The run is over: the driver may use what it hinted. The lock is held. */
static void end_hinting(struct virtio_balloon *b, int err)
{
	if (!b->hint.running)
		return;
	balloon_hint_end(&b->hint);
	b->hint_err = err;
	b->hint_news = true;
	b->config.free_page_hint_cmd_id = htole32(VIRTIO_BALLOON_CMD_ID_DONE);
	virtio_dev_config_changed(&b->dev);
	console_wake(b->dev.vm->console);
}

static int take_hint(struct virtio_balloon *b)
{
	const struct memory *mem = &b->dev.vm->mem;
	int ret = balloon_hint_take(&b->hint, b->chain.iov, b->chain.nr_out, b->chain.nr_in,
				    mem->size + mem->pluggable.size, give_up, b);

	if (ret > 0)
		end_hinting(b, 0);
	return min(ret, 0);
}

/* Return: 0; 1: it is not to be returned yet; or -EINVAL: against the rules. */
static int serve(struct virtio_balloon *b, enum role role)
{
	if (role == STATS)
		return take_stats(b) ?: 1;
	if (role == INFLATE) {
		if (iov_total(b->chain.iov, b->chain.nr_out) > REQUEST_MAX)
			return -EINVAL;
		take_pfns(b);
	} else if (role == HINT) {
		return take_hint(b);
	} else if (role == REPORT) {
		take_report(b);
	}
	return 0;
}

/* One request, or the news that there is none. The lock is held. */
static bool serve_role(struct virtio_balloon *b, int queue, enum role role)
{
	struct virtio_dev *dev = &b->dev;
	struct virtq *q = &dev->queue[queue];
	int ret;

	if (!virtio_dev_live(dev) || !q->ready || role == NONE)
		return false;
	ret = queue_pop(q, &b->chain);
	if (!ret)
		return queue_arm(q);
	if (ret > 0)
		ret = serve(b, role);
	if (ret < 0) {
		log_warn("the guest broke a queue of the balloon");
		virtio_dev_fail(dev);
		end_hinting(b, -EIO);
		return false;
	}
	if (!ret)
		virtio_dev_return(dev, q, b->chain.head, 0);
	return true;
}

/* The thread. Hints are not its own: it would come too late. */
static bool serve_next(struct virtio_dev *dev, int queue)
{
	struct virtio_balloon *b = container_of(dev, struct virtio_balloon, dev);
	enum role role = role_of(dev, queue);

	return role != HINT && serve_role(b, queue, role);
}

/* A vCPU's thread. Who adds hints while others are taken ends when the vCPUs do. */
static bool kicked(struct virtio_dev *dev, int queue)
{
	struct virtio_balloon *b = container_of(dev, struct virtio_balloon, dev);
	bool ours, more;

	do {
		pthread_mutex_lock(&dev->lock);
		ours = role_of(dev, queue) == HINT;
		more = ours && serve_role(b, queue, HINT);
		pthread_mutex_unlock(&dev->lock);
	} while (more && !vm_stopping(dev->vm));
	return ours;
}

/* Reset, nobody holds any pages, and nobody tells figures. The lock is held. */
static void driver_changed(struct virtio_dev *dev)
{
	struct virtio_balloon *b = container_of(dev, struct virtio_balloon, dev);

	if (dev->status)
		return;
	end_hinting(b, -ECANCELED);
	b->config.actual = 0;
	b->config.poison_val = 0;
	b->held = false;
	b->refreshing = false;
	b->stats.known = 0;
	console_wake(dev->vm->console);
}

static bool there(const struct virtio_balloon *b)
{
	return b->config.actual == b->config.num_pages;
}

/* The guest says how far it is, or before that what free pages have in them. The lock is held. */
static void config_written(struct virtio_dev *dev, u64 offset, const void *data,
			   unsigned int len)
{
	struct virtio_balloon *b = container_of(dev, struct virtio_balloon, dev);

	if (offset == offsetof(struct virtio_balloon_config, poison_val) &&
	    len == sizeof(b->config.poison_val) && !(dev->status & VIRTIO_CONFIG_S_DRIVER_OK))
		memcpy(&b->config.poison_val, data, len);
	if (offset != offsetof(struct virtio_balloon_config, actual) ||
	    len != sizeof(b->config.actual))
		return;
	memcpy(&b->config.actual, data, len);
	if (b->settled || !there(b))
		return;
	b->settled = true;
	b->news = true;
	console_wake(dev->vm->console);
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
 * The guest does it when it can, as far as it can. It is not made to give up what would not
 * go back.
 *
 * Return: 0; -EPERM: it is less than before, and its devices use all of the guest's memory.
 */
int virtio_balloon_set(struct virtio_balloon *b, u64 target)
{
	u64 keep = min(target / PAGE_SIZE, pages(b));
	u32 give = (u32)min(pages(b) - keep, (u64)UINT32_MAX);
	int err = 0;

	pthread_mutex_lock(&b->dev.lock);
	if (give > b->config.num_pages && memory_is_kept(&b->dev.vm->mem)) {
		set_kept(b, true);
		err = -EPERM;
	} else {
		b->config.num_pages = give;
		b->settled = there(b);
		b->news = false;
		/* Where it is the same, too: the guest may have taken some back meanwhile. */
		virtio_dev_config_changed(&b->dev);
	}
	pthread_mutex_unlock(&b->dev.lock);
	return err;
}

/**
 * virtio_balloon_refresh() - ask the guest for new figures
 * @b: balloon
 *
 * The main thread is woken when they are there.
 *
 * Return: whether they may come.
 */
bool virtio_balloon_refresh(struct virtio_balloon *b)
{
	struct virtio_dev *dev = &b->dev;
	bool can;

	pthread_mutex_lock(&dev->lock);
	can = virtio_dev_live(dev) && accepted(dev, VIRTIO_BALLOON_F_STATS_VQ) &&
	      dev->queue[STATS].ready;
	if (can) {
		b->refreshing = true;
		if (b->held)
			virtio_dev_return(dev, &dev->queue[STATS], b->held_head, 0);
		b->held = false;
	}
	pthread_mutex_unlock(&dev->lock);
	return can;
}

/**
 * virtio_balloon_state() - how it is
 * @b: balloon
 * @state: filled in
 *
 * Return: whether the guest has got where it was asked to be since this was called last.
 */
bool virtio_balloon_state(struct virtio_balloon *b, struct balloon_state *state)
{
	u64 all = pages(b), held;
	bool news;

	pthread_mutex_lock(&b->dev.lock);
	held = min((u64)b->config.actual, all);
	*state = (struct balloon_state) {
		.driver = virtio_dev_live(&b->dev),
		.reached = there(b),
		.inhibited = memory_is_kept(&b->dev.vm->mem),
		.refreshing = b->refreshing,
		.target = (all - b->config.num_pages) * PAGE_SIZE,
		.actual = (all - held) * PAGE_SIZE,
		.stats = b->stats,
		.age_ms = (now_ns() - b->stats_ns) / 1000000,
	};
	news = b->news;
	b->news = false;
	pthread_mutex_unlock(&b->dev.lock);
	return news;
}

/**
 * virtio_balloon_reclaim() - have the guest hint its free memory, which goes back to the host
 * @b: balloon
 *
 * The main thread is woken when it is over, and virtio_balloon_reclaimed() tells how it went.
 *
 * Return: 0; -EPERM: the guest's devices use all of its memory; -ENXIO: it has no driver that
 * works; -EPROTONOSUPPORT: it has one that cannot; -EBUSY: it is being done.
 */
int virtio_balloon_reclaim(struct virtio_balloon *b)
{
	struct virtio_dev *dev = &b->dev;
	int err = 0;

	pthread_mutex_lock(&dev->lock);
	if (memory_is_kept(&dev->vm->mem))
		err = -EPERM;
	else if (!virtio_dev_live(dev))
		err = -ENXIO;
	else if (!accepted(dev, VIRTIO_BALLOON_F_FREE_PAGE_HINT))
		err = -EPROTONOSUPPORT;
	else if (b->hint.running || b->hint_news)
		err = -EBUSY;
	if (!err) {
		b->config.free_page_hint_cmd_id = htole32(balloon_hint_begin(&b->hint));
		virtio_dev_config_changed(dev);
	}
	pthread_mutex_unlock(&dev->lock);
	return err;
}

/* It has taken too long: what has been hinted is the host's. Nothing, if it is over. */
void virtio_balloon_reclaim_end(struct virtio_balloon *b)
{
	pthread_mutex_lock(&b->dev.lock);
	end_hinting(b, -ETIMEDOUT);
	pthread_mutex_unlock(&b->dev.lock);
}

/**
 * virtio_balloon_reclaimed() - has it ended since this was called last?
 * @b: balloon
 * @bytes: set: how much the guest has hinted, whether the host had it or not
 * @err: set: 0; -ETIMEDOUT; -ECANCELED: the driver was reset; -EIO: it broke the rules
 *
 * Return: whether it has; else nothing is set.
 */
bool virtio_balloon_reclaimed(struct virtio_balloon *b, u64 *bytes, int *err)
{
	bool news;

	pthread_mutex_lock(&b->dev.lock);
	news = b->hint_news;
	b->hint_news = false;
	if (news) {
		*bytes = b->hint.bytes;
		*err = b->hint_err;
	}
	pthread_mutex_unlock(&b->dev.lock);
	return news;
}

static int init(struct virtio_balloon *b, struct vm *vm)
{
	int err;

	err = virtio_dev_init(&b->dev, vm, VIRTIO_ID_BALLOON, NR_QUEUES);
	if (err)
		return err;
	b->dev.config = &b->config;
	b->dev.config_len = sizeof(b->config);
	b->config.free_page_hint_cmd_id = htole32(VIRTIO_BALLOON_CMD_ID_DONE);
	b->dev.config_written = config_written;
	b->dev.kicked = kicked;
	b->dev.changed = driver_changed;
	b->dev.features |= BIT_ULL(VIRTIO_BALLOON_F_STATS_VQ) |
			   BIT_ULL(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |
			   BIT_ULL(VIRTIO_BALLOON_F_FREE_PAGE_HINT) |
			   BIT_ULL(VIRTIO_BALLOON_F_PAGE_POISON) |
			   BIT_ULL(VIRTIO_BALLOON_F_REPORTING);
	err = worker_init(&b->worker, &b->dev, serve_next);
	if (err)
		return err;
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
	worker_destroy(&b->worker);
	free(b);
}

/* Return: 0, or -errno with the reason logged. */
int virtio_balloon_start(struct virtio_balloon *b)
{
	int err = worker_start(&b->worker, "balloon");

	if (err)
		log_err("cannot start the balloon's thread: %s", strerror(-err));
	return err;
}

void virtio_balloon_stop(struct virtio_balloon *b)
{
	if (b)
		worker_stop(&b->worker);
}
