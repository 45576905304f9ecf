// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watchdog of Intel's 6300ESB as a PCI device: esb_timer.c's registers, a thread that
 * has the clock, and what becomes of the VM. The first stage raises no interrupt: it only
 * says in its register that it would.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../clock.h"
#include "../console.h"
#include "../log.h"
#include "../thread.h"
#include "../vm.h"
#include "esb_timer.h"
#include "i6300esb.h"
#include "pci.h"

#define DEVICE_6300ESB_WDT	0x25ab
#define CLASS_SYSTEM_OTHER	0x088000
#define REVISION		1
#define CONFIG_BITS		(ESB_CONFIG_INT | ESB_CONFIG_FAST | ESB_CONFIG_NO_OUTPUT)
#define LOCK_BITS		(ESB_LOCK_LOCKED | ESB_LOCK_ENABLE | ESB_LOCK_FREE)
#define AGAIN_NS		NS_PER_SECOND	/* no guest fires more often */

/**
 * struct i6300esb - the device
 * @lock: protects all below; taken inside of the bus's
 * @wakes: when the thread looks again
 * @ready: it does not fire before
 * @fired: how often it has
 * @stopping: the thread is to end
 */
struct i6300esb {
	struct pci_dev pci;
	pthread_mutex_t lock;
	struct esb_timer timer;
	u64 wakes;
	u64 ready;
	u32 fired;
	bool stopping;
	int kick_fd;
	pthread_t thread;
	bool started;
};

/* The thread looks at the clock later than it must: the lock is held. */
static void look_again(struct i6300esb *esb)
{
	if (esb_timer_next(&esb->timer) >= esb->wakes)
		return;
	esb->wakes = 0;
	eventfd_write(esb->kick_fd, 1);
}

static void esb_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct i6300esb *esb = ctx;
	u8 regs[ESB_SIZE];
	u64 reg;

	pthread_mutex_lock(&esb->lock);
	for (reg = 0; reg < ESB_SIZE; reg += sizeof(u32))
		pci_set32(regs + reg, esb_timer_read(&esb->timer, reg));
	pthread_mutex_unlock(&esb->lock);
	memcpy(data, regs + offset, len);
}

static void esb_write(void *ctx, u64 offset, const void *data, unsigned int len)
{
	struct i6300esb *esb = ctx;
	u32 value = 0;

	memcpy(&value, data, min((size_t)len, sizeof(value)));
	pthread_mutex_lock(&esb->lock);
	esb_timer_write(&esb->timer, offset, value, now_ns());
	look_again(esb);
	pthread_mutex_unlock(&esb->lock);
}

static const struct bus_ops esb_ops = {
	.read = esb_read,
	.write = esb_write,
};

/* The guest wrote to the configuration space. The bus's lock is held. */
static void update(struct pci_dev *pci)
{
	struct i6300esb *esb = pci->ctx;
	u8 lock = pci->config[ESB_LOCK];

	if (lock & ESB_LOCK_LOCKED)
		pci->writable[ESB_LOCK] = 0;
	pthread_mutex_lock(&esb->lock);
	esb_timer_config(&esb->timer, pci_get16(pci->config + ESB_CONFIG), lock, now_ns());
	look_again(esb);
	pthread_mutex_unlock(&esb->lock);
}

static void act(struct vm *vm)
{
	switch (vm->config->watchdog) {
	case WATCHDOG_RESET:
		vm_stop(vm, VMM_RESET, "reset", NULL, "guest reset (watchdog)");
		break;
	case WATCHDOG_POWEROFF:
		vm_stop(vm, VMM_WATCHDOG, "watchdog", NULL,
			"the guest's watchdog fired: it was switched off");
		break;
	}
	/* The rest is the frontend's, which looks at i6300esb_fired(). */
	console_wake(vm->console);
}

/* Return: whether it fires now. The lock is held. */
static bool expired(struct i6300esb *esb, u64 now)
{
	if (now < esb->ready || !esb_timer_expire(&esb->timer, now))
		return false;
	esb->ready = now + AGAIN_NS;
	esb->fired++;
	return true;
}

static void await(struct i6300esb *esb, u64 now, u64 until)
{
	struct pollfd fd = { .fd = esb->kick_fd, .events = POLLIN };
	struct timespec ts = { 0 };
	eventfd_t count;

	if (until > now) {
		ts.tv_sec = (time_t)((until - now) / NS_PER_SECOND);
		ts.tv_nsec = (long)((until - now) % NS_PER_SECOND);
	}
	ppoll(&fd, 1, until == ESB_NEVER ? NULL : &ts, NULL);
	if (fd.revents)
		eventfd_read(esb->kick_fd, &count);
}

static void *esb_thread(void *arg)
{
	struct i6300esb *esb = arg;
	bool stopping, fires;
	u64 now, until;

	do {
		pthread_mutex_lock(&esb->lock);
		now = now_ns();
		fires = expired(esb, now);
		until = max(esb_timer_next(&esb->timer), esb->ready);
		esb->wakes = until;
		stopping = esb->stopping;
		pthread_mutex_unlock(&esb->lock);
		if (fires)
			act(esb->pci.vm);
		if (!stopping)
			await(esb, now, until);
	} while (!stopping);
	return NULL;
}

/**
 * i6300esb_create() - the configuration's watchdog, on the PCI bus
 * @vm: VM
 * @out: the device; set even on failure: i6300esb_destroy() is due then too
 *
 * Return: 0, or -errno with the reason logged.
 */
int i6300esb_create(struct vm *vm, struct i6300esb **out)
{
	static const struct pci_id id = {
		.vendor = PCI_VENDOR_INTEL,
		.device = DEVICE_6300ESB_WDT,
		.subsystem_vendor = PCI_VENDOR_REDHAT,
		.subsystem = PCI_SUBSYSTEM_QEMU,
		.class_revision = CLASS_SYSTEM_OTHER << 8 | REVISION,
	};
	struct i6300esb *esb = calloc(1, sizeof(*esb));
	struct pci_dev *pci;
	int err;

	*out = esb;
	if (!esb)
		return -ENOMEM;
	pci = &esb->pci;
	pthread_mutex_init(&esb->lock, NULL);
	esb_timer_init(&esb->timer);
	esb->wakes = ESB_NEVER;
	esb->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = esb->kick_fd < 0 ? -errno : 0;
	pci_dev_init(pci, vm, &id);
	pci->ctx = esb;
	pci->command = update;
	pci_set16(pci->writable + ESB_CONFIG, CONFIG_BITS);
	pci->writable[ESB_LOCK] = LOCK_BITS;
	pci_dev_bar(pci, 0, ESB_SIZE, &esb_ops);
	if (!err)
		err = pci_dev_add(pci);
	if (err)
		log_err("cannot create the watchdog: %s", strerror(-err));
	return err;
}

void i6300esb_destroy(struct i6300esb *esb)
{
	if (!esb)
		return;
	if (esb->kick_fd >= 0)
		close(esb->kick_fd);
	free(esb);
}

/* Return: 0, or -errno with the reason logged. */
int i6300esb_start(struct i6300esb *esb)
{
	int err = thread_start(&esb->thread, "watchdog", esb_thread, esb);

	esb->started = !err;
	if (err)
		log_err("cannot start the thread of the watchdog: %s", strerror(-err));
	return err;
}

void i6300esb_stop(struct i6300esb *esb)
{
	if (!esb || !esb->started)
		return;
	pthread_mutex_lock(&esb->lock);
	esb->stopping = true;
	pthread_mutex_unlock(&esb->lock);
	eventfd_write(esb->kick_fd, 1);
	pthread_join(esb->thread, NULL);
	esb->started = false;
}

/* The vCPUs are kept from the guest, or go on. NULL: there is no watchdog. */
void i6300esb_hold(struct i6300esb *esb, bool hold)
{
	if (!esb)
		return;
	pthread_mutex_lock(&esb->lock);
	esb_timer_hold(&esb->timer, hold, now_ns());
	look_again(esb);
	pthread_mutex_unlock(&esb->lock);
}

/**
 * i6300esb_fired() - what a frontend asks when it is woken
 * @esb: watchdog; NULL: there is none
 * @told: how often it had fired when it was asked last
 *
 * Return: whether it has fired since.
 */
bool i6300esb_fired(struct i6300esb *esb, u32 *told)
{
	u32 fired;

	if (!esb)
		return false;
	pthread_mutex_lock(&esb->lock);
	fired = esb->fired;
	pthread_mutex_unlock(&esb->lock);
	if (fired == *told)
		return false;
	*told = fired;
	return true;
}
