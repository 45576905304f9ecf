// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-mem (virtio 1.2, chapter 5.15): memory behind the guest's own, in blocks that its
 * driver plugs in and out as far as it is asked to. What it plugs out goes back to the host at
 * once. A guest that uses a block that it has not plugged in has it all the same, as far as the
 * VM's memory is limited: it can harm nobody by that, and no access need be intercepted.
 */
#include <errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_mem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../console.h"
#include "../log.h"
#include "../vm.h"
#include "device.h"
#include "iov.h"
#include "mem.h"
#include "mem_blocks.h"
#include "pci.h"
#include "worker.h"

#define CLASS_OTHER	0xff0000	/* what PCI calls unassigned */

/**
 * struct virtio_mem - the device
 * @config: what the guest reads
 * @news: the guest has got where it was asked to be, and nobody has been told
 * @chain: the request being served; the thread's own
 *
 * But for that, the device's lock protects what changes.
 */
struct virtio_mem {
	struct virtio_dev dev;
	struct virtio_pci pci;
	struct virtio_mem_config config;
	struct mem_blocks blocks;
	bool news;
	struct virtio_worker worker;
	struct chain chain;
};

static u64 block_gpa(const struct vm *vm, u32 block)
{
	return vm->mem.pluggable.gpa + block * MEM_BLOCK_SIZE;
}

static u8 *block_hva(const struct vm *vm, u32 block)
{
	return vm->mem.pluggable.hva + block * MEM_BLOCK_SIZE;
}

/* Block by block, for devices of the host's: they may go one by one. */
static bool plug(void *ctx, u32 first, u32 nr)
{
	struct vm *vm = ctx;
	u32 i;

	for (i = first; i < first + nr; i++) {
		if (container_map(&vm->container, block_gpa(vm, i), MEM_BLOCK_SIZE,
				  block_hva(vm, i)))
			continue;
		container_unmap(&vm->container, block_gpa(vm, first),
				(i - first) * MEM_BLOCK_SIZE);
		return false;
	}
	return true;
}

/* To the host: it reads as zeros when it is plugged in again. */
static void unplug(void *ctx, u32 first, u32 nr)
{
	struct vm *vm = ctx;

	container_unmap(&vm->container, block_gpa(vm, first), nr * MEM_BLOCK_SIZE);
	if (madvise(block_hva(vm, first), nr * MEM_BLOCK_SIZE, MADV_DONTNEED))
		log_warn("memory that was plugged out does not go back: %s", strerror(errno));
}

static u16 answer(struct virtio_mem *m, const struct virtio_mem_req *req, u16 *state)
{
	/* All three have the same members. */
	u64 addr = req->u.plug.addr;
	u16 nr = req->u.plug.nb_blocks;

	switch (req->type) {
	case VIRTIO_MEM_REQ_PLUG:
		return blocks_plug(&m->blocks, addr, nr);
	case VIRTIO_MEM_REQ_UNPLUG:
		return blocks_unplug(&m->blocks, addr, nr);
	case VIRTIO_MEM_REQ_UNPLUG_ALL:
		return blocks_unplug_all(&m->blocks);
	case VIRTIO_MEM_REQ_STATE:
		return blocks_state(&m->blocks, addr, nr, state);
	default:
		return VIRTIO_MEM_RESP_ERROR;
	}
}

static void look(struct virtio_mem *m)
{
	u64 plugged = m->blocks.nr_plugged * MEM_BLOCK_SIZE;

	if (plugged == m->config.plugged_size)
		return;
	m->config.plugged_size = plugged;
	if (plugged != m->config.requested_size)
		return;
	m->news = true;
	console_wake(m->dev.vm->console);
}

/* Return: bytes of the answer, or -EINVAL: against the rules. */
static int serve(struct virtio_mem *m)
{
	const struct chain *chain = &m->chain;
	struct virtio_mem_resp resp = { 0 };
	struct virtio_mem_req req;

	if (iov_get(chain->iov, chain->nr_out, 0, &req, sizeof(req)) != sizeof(req) ||
	    iov_total(chain->iov + chain->nr_out, chain->nr_in) < sizeof(resp))
		return -EINVAL;
	resp.type = answer(m, &req, &resp.u.state.state);
	look(m);
	iov_put(chain->iov + chain->nr_out, chain->nr_in, &resp, sizeof(resp));
	return sizeof(resp);
}

/* One request, or the news that there is none. The lock is held. */
static bool serve_next(struct virtio_dev *dev, int queue)
{
	struct virtio_mem *m = container_of(dev, struct virtio_mem, dev);
	struct virtq *q = &dev->queue[queue];
	int ret;

	if (!virtio_dev_live(dev) || !q->ready)
		return false;
	ret = queue_pop(q, &m->chain);
	if (!ret)
		return queue_arm(q);
	if (ret > 0)
		ret = serve(m);
	if (ret < 0) {
		log_warn("the guest broke the queue of its memory");
		virtio_dev_fail(dev);
		return false;
	}
	virtio_dev_return(dev, q, m->chain.head, (u32)ret);
	return true;
}

/**
 * virtio_mem_set() - how much the guest is to have plugged in
 * @m: device
 * @size: bytes; more than there are: all of them
 *
 * The guest does it when it can, as far as it can.
 *
 * Return: what was set, whole blocks.
 */
u64 virtio_mem_set(struct virtio_mem *m, u64 size)
{
	u64 blocks = min(size / MEM_BLOCK_SIZE, (u64)m->blocks.nr);

	pthread_mutex_lock(&m->dev.lock);
	m->blocks.wanted = (u32)blocks;
	m->config.requested_size = blocks * MEM_BLOCK_SIZE;
	m->news = false;
	virtio_dev_config_changed(&m->dev);
	pthread_mutex_unlock(&m->dev.lock);
	return blocks * MEM_BLOCK_SIZE;
}

/**
 * virtio_mem_plugged() - what the guest has plugged in
 * @m: device
 * @fn: called for each block; nothing is plugged in or out meanwhile; an error ends it
 * @ctx: for @fn
 *
 * Return: 0, or what @fn returned.
 */
int virtio_mem_plugged(struct virtio_mem *m, mem_block_fn fn, void *ctx)
{
	const struct vm *vm = m->dev.vm;
	int err = 0;
	u32 i;

	pthread_mutex_lock(&m->dev.lock);
	for (i = 0; !err && i < m->blocks.nr; i++)
		if (m->blocks.plugged[i])
			err = fn(ctx, block_gpa(vm, i), MEM_BLOCK_SIZE, block_hva(vm, i));
	pthread_mutex_unlock(&m->dev.lock);
	return err;
}

/**
 * virtio_mem_state() - how it is
 * @m: device
 * @state: filled in
 *
 * Return: whether the guest has got where it was asked to be since this was called last.
 */
bool virtio_mem_state(struct virtio_mem *m, struct mem_state *state)
{
	bool news;

	pthread_mutex_lock(&m->dev.lock);
	*state = (struct mem_state) {
		.driver = virtio_dev_live(&m->dev),
		.size = m->config.region_size,
		.wanted = m->config.requested_size,
		.plugged = m->config.plugged_size,
	};
	news = m->news;
	m->news = false;
	pthread_mutex_unlock(&m->dev.lock);
	return news;
}

static int init(struct virtio_mem *m, struct vm *vm)
{
	const struct mem_region *region = &vm->mem.pluggable;
	int err;

	m->config = (struct virtio_mem_config) {
		.block_size = MEM_BLOCK_SIZE,
		.addr = region->gpa,
		.region_size = region->size,
		.usable_region_size = region->size,
	};
	m->blocks.plug = plug;
	m->blocks.unplug = unplug;
	m->blocks.ctx = vm;
	err = virtio_dev_init(&m->dev, vm, VIRTIO_ID_MEM, 1);
	err = err ?: blocks_init(&m->blocks, region->gpa, region->size);
	if (err)
		return err;
	m->dev.config = &m->config;
	m->dev.config_len = sizeof(m->config);
	err = worker_init(&m->worker, &m->dev, serve_next);
	return err ?: virtio_pci_init(&m->pci, &m->dev, CLASS_OTHER);
}

/**
 * virtio_mem_create() - memory to be plugged in, on the PCI bus
 * @vm: VM whose memory has a place for it
 * @out: the device; set even on failure: virtio_mem_destroy() is due then too
 *
 * Return: 0, or -errno with the reason logged.
 */
int virtio_mem_create(struct vm *vm, struct virtio_mem **out)
{
	struct virtio_mem *m = calloc(1, sizeof(*m));
	int err;

	*out = m;
	if (!m)
		return -ENOMEM;
	err = init(m, vm);
	if (err)
		log_err("cannot create the memory to be plugged in: %s", strerror(-err));
	else
		virtio_mem_set(m, vm->config->plugged);
	return err;
}

void virtio_mem_destroy(struct virtio_mem *m)
{
	if (!m)
		return;
	virtio_pci_destroy(&m->pci);
	virtio_dev_destroy(&m->dev);
	worker_destroy(&m->worker);
	blocks_destroy(&m->blocks);
	free(m);
}

/* Return: 0, or -errno with the reason logged. */
int virtio_mem_start(struct virtio_mem *m)
{
	int err = worker_start(&m->worker, "mem");

	if (err)
		log_err("cannot start the thread of the memory: %s", strerror(-err));
	return err;
}

void virtio_mem_stop(struct virtio_mem *m)
{
	if (m)
		worker_stop(&m->worker);
}
