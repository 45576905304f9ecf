// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI-X. Each vector is an eventfd: to notify the guest is one write, from any thread, or
 * the kernel's own. While the guest lets it, it is attached to a GSI of its own; else what
 * is pending stays in it, and counts when it is attached again.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../irq.h"
#include "../log.h"
#include "../vm.h"
#include "libjoist/joist.h"
#include "msix.h"
#include "pci.h"

#define PBA_OFFSET	2048	/* the pending bits, in the table's window */
#define NO_GSI		(-1)

static bool live(const struct msix *msix, const struct msix_vector *v)
{
	return msix->enabled && !msix->masked &&
	       !(v->control & PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

/* Bring the hypervisor's view of a live vector up to date. */
static int attach(struct msix *msix, struct msix_vector *v)
{
	struct vm *vm = msix->dev->vm;
	int err;

	if (v->gsi == NO_GSI) {
		v->gsi = irq_msi_alloc(&vm->irq);
		if (v->gsi < 0) {
			v->gsi = NO_GSI;
			return -ENOSPC;
		}
	}
	if (!v->routed) {
		err = irq_msi_route(&vm->irq, (u32)v->gsi, v->addr, v->data);
		if (err)
			return err;
		v->routed = true;
	}
	if (!v->attached) {
		err = joist_irqfd(vm->fd, v->fd, (u32)v->gsi, true);
		if (err)
			return err;
		v->attached = true;
	}
	return 0;
}

static void detach(struct msix *msix, struct msix_vector *v)
{
	if (v->attached)
		joist_irqfd(msix->dev->vm->fd, v->fd, (u32)v->gsi, false);
	v->attached = false;
}

static void update(struct msix *msix, struct msix_vector *v)
{
	int err;

	if (!live(msix, v)) {
		detach(msix, v);
		return;
	}
	err = attach(msix, v);
	if (err)
		log_warn("the guest's interrupt message %#llx/%#x is refused: %s",
			 (unsigned long long)v->addr, v->data, strerror(-err));
}

/* The capability's control word may have changed. */
void msix_command(struct msix *msix)
{
	u16 control = pci_get16(msix->dev->config + msix->cap + PCI_MSIX_FLAGS);
	int i;

	pthread_mutex_lock(&msix->lock);
	msix->enabled = control & PCI_MSIX_FLAGS_ENABLE;
	msix->masked = control & PCI_MSIX_FLAGS_MASKALL;
	for (i = 0; i < msix->nr; i++)
		update(msix, &msix->vector[i]);
	pthread_mutex_unlock(&msix->lock);
}

bool msix_enabled(struct msix *msix)
{
	bool enabled;

	pthread_mutex_lock(&msix->lock);
	enabled = msix->enabled;
	pthread_mutex_unlock(&msix->lock);
	return enabled;
}

/**
 * msix_notify() - send a message
 * @msix: the device's messages
 * @vector: which; of any origin, MSIX_NO_VECTOR among them
 */
void msix_notify(struct msix *msix, u16 vector)
{
	if (vector < msix->nr)
		eventfd_write(msix->vector[vector].fd, 1);
}

/**
 * msix_fd() - whom to tell to send a message, for who cannot call msix_notify()
 * @msix: the device's messages
 * @vector: which; of any origin, MSIX_NO_VECTOR among them
 *
 * Return: an eventfd, the device's, good while messages are enabled; -1: there is none, or
 * they are not.
 */
int msix_fd(struct msix *msix, u16 vector)
{
	return vector < msix->nr && msix_enabled(msix) ? msix->vector[vector].fd : -1;
}

/* What was raised while it could not be sent. */
static bool pending(const struct msix_vector *v)
{
	struct pollfd fd = { .fd = v->fd, .events = POLLIN };

	return !v->attached && poll(&fd, 1, 0) > 0;
}

static void read_table(struct msix *msix, u64 offset, void *data,
		       unsigned int len)
{
	const struct msix_vector *v = &msix->vector[offset / PCI_MSIX_ENTRY_SIZE];
	u32 words[PCI_MSIX_ENTRY_SIZE / 4] = {
		(u32)v->addr, (u32)(v->addr >> 32), v->data, v->control,
	};

	memcpy(data, (u8 *)words + offset % PCI_MSIX_ENTRY_SIZE, len);
}

static void write_word(struct msix_vector *v, u64 reg, u32 value)
{
	switch (reg) {
	case PCI_MSIX_ENTRY_LOWER_ADDR:
		v->addr = (v->addr & ~0xffffffffULL) | value;
		v->routed = false;
		break;
	case PCI_MSIX_ENTRY_UPPER_ADDR:
		v->addr = (v->addr & 0xffffffff) | (u64)value << 32;
		v->routed = false;
		break;
	case PCI_MSIX_ENTRY_DATA:
		v->data = value;
		v->routed = false;
		break;
	case PCI_MSIX_ENTRY_VECTOR_CTRL:
		v->control = value & PCI_MSIX_ENTRY_CTRL_MASKBIT;
		break;
	}
}

/* Words and quadwords, aligned: the specification asks for no more. */
static bool good_access(u64 offset, unsigned int len)
{
	return (len == 4 || len == 8) && offset % len == 0;
}

void msix_bar_read(struct msix *msix, u64 offset, void *data, unsigned int len)
{
	u64 bits = 0;
	int i;

	if (!good_access(offset, len))
		return;
	pthread_mutex_lock(&msix->lock);
	if (offset < (u64)msix->nr * PCI_MSIX_ENTRY_SIZE) {
		read_table(msix, offset, data, len);
	} else if (offset >= PBA_OFFSET &&
		   offset + len <= PBA_OFFSET + sizeof(bits)) {
		for (i = 0; i < msix->nr; i++)
			bits |= (u64)pending(&msix->vector[i]) << i;
		memcpy(data, (u8 *)&bits + (offset - PBA_OFFSET), len);
	} else {
		memset(data, 0, len);
	}
	pthread_mutex_unlock(&msix->lock);
}

void msix_bar_write(struct msix *msix, u64 offset, const void *data,
		    unsigned int len)
{
	struct msix_vector *v;
	unsigned int i;
	u32 word;

	if (!good_access(offset, len) ||
	    offset >= (u64)msix->nr * PCI_MSIX_ENTRY_SIZE)
		return;
	v = &msix->vector[offset / PCI_MSIX_ENTRY_SIZE];
	pthread_mutex_lock(&msix->lock);
	for (i = 0; i < len; i += 4) {
		memcpy(&word, (const u8 *)data + i, sizeof(word));
		write_word(v, offset % PCI_MSIX_ENTRY_SIZE + i, word);
	}
	update(msix, v);
	pthread_mutex_unlock(&msix->lock);
}

/**
 * msix_init() - give a device MSI-X
 * @msix: filled in
 * @dev: device, before pci_dev_add(); its window @bar is of MSIX_BAR_SIZE and
 *       handed to msix_bar_read() and msix_bar_write()
 * @bar: window of the table
 * @nr: vectors, at most MSIX_VECTORS_MAX
 *
 * Return: 0 or -errno; msix_destroy() is due in both cases.
 */
int msix_init(struct msix *msix, struct pci_dev *dev, int bar, int nr)
{
	u8 *cap;
	int i;

	msix->dev = dev;
	msix->nr = nr;
	pthread_mutex_init(&msix->lock, NULL);
	for (i = 0; i < nr; i++) {
		msix->vector[i].gsi = NO_GSI;
		msix->vector[i].fd = -1;
		msix->vector[i].control = PCI_MSIX_ENTRY_CTRL_MASKBIT;
	}
	for (i = 0; i < nr; i++) {
		msix->vector[i].fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (msix->vector[i].fd < 0)
			return -errno;
	}
	msix->cap = pci_dev_cap(dev, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	cap = dev->config + msix->cap;
	pci_set16(cap + PCI_MSIX_FLAGS, (u16)(nr - 1));
	pci_set32(cap + PCI_MSIX_TABLE, (u32)bar);
	pci_set32(cap + PCI_MSIX_PBA, PBA_OFFSET | (u32)bar);
	pci_set16(dev->writable + msix->cap + PCI_MSIX_FLAGS,
		  PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	return 0;
}

/* The VM runs on without the device: what it had is for others. */
static void release(struct msix *msix, struct msix_vector *v)
{
	struct vm *vm = msix->dev->vm;

	detach(msix, v);
	if (v->gsi != NO_GSI)
		irq_msi_free(&vm->irq, (u32)v->gsi);
}

/* Nobody notifies any more, and the device is off the bus. */
void msix_destroy(struct msix *msix)
{
	int i;

	for (i = 0; i < msix->nr; i++)
		if (!vm_stopping(msix->dev->vm))
			release(msix, &msix->vector[i]);
	for (i = 0; i < msix->nr; i++)
		if (msix->vector[i].fd >= 0)
			close(msix->vector[i].fd);
}
