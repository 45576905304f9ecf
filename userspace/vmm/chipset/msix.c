// SPDX-License-Identifier: GPL-2.0-only
/* MSI-X: its table and its pending bits, as the guest sees them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "../log.h"
#include "msix.h"
#include "pci.h"

#define PBA_OFFSET	2048	/* the pending bits, in the window of an emulated device */

static bool live(const struct msix *msix, const struct msix_vector *v)
{
	return msix->enabled && !msix->masked &&
	       !(v->control & PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

/* The lock is held. */
static void update(struct msix *msix, int i)
{
	struct msix_vector *v = &msix->vector[i];
	bool is_live = live(msix, v);

	if (is_live && v->message.fd < 0) {
		if (message_open(&v->message)) {
			log_warn("a device's vector %d has no eventfd: %s; raise RLIMIT_NOFILE",
				 i, strerror(errno));
			return;
		}
		if (msix->arm)
			msix->arm(msix, i);
	}
	message_update(msix->dev->vm, &v->message, is_live);
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
		update(msix, i);
	pthread_mutex_unlock(&msix->lock);
}

/* The device was reset: all is masked, and says nothing. */
void msix_forget(struct msix *msix)
{
	int i;

	pthread_mutex_lock(&msix->lock);
	msix->enabled = false;
	for (i = 0; i < msix->nr; i++) {
		message_set(&msix->vector[i].message, 0, 0);
		msix->vector[i].control = PCI_MSIX_ENTRY_CTRL_MASKBIT;
		update(msix, i);
	}
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
		eventfd_write(msix->vector[vector].message.fd, 1);
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
	return vector < msix->nr && msix_enabled(msix) ? msix->vector[vector].message.fd : -1;
}

static void read_table(struct msix *msix, u64 offset, void *data,
		       unsigned int len)
{
	const struct msix_vector *v = &msix->vector[offset / PCI_MSIX_ENTRY_SIZE];
	u32 words[PCI_MSIX_ENTRY_SIZE / 4] = {
		(u32)v->message.addr, (u32)(v->message.addr >> 32), v->message.data, v->control,
	};

	memcpy(data, (u8 *)words + offset % PCI_MSIX_ENTRY_SIZE, len);
}

static void write_word(struct msix_vector *v, u64 reg, u32 value)
{
	struct message *m = &v->message;

	switch (reg) {
	case PCI_MSIX_ENTRY_LOWER_ADDR:
		message_set(m, (m->addr & ~0xffffffffULL) | value, m->data);
		break;
	case PCI_MSIX_ENTRY_UPPER_ADDR:
		message_set(m, (m->addr & 0xffffffff) | (u64)value << 32, m->data);
		break;
	case PCI_MSIX_ENTRY_DATA:
		message_set(m, m->addr, value);
		break;
	case PCI_MSIX_ENTRY_VECTOR_CTRL:
		v->control = value & PCI_MSIX_ENTRY_CTRL_MASKBIT;
		break;
	}
}

/* Words and quadwords, aligned: the specification asks for no more. */
static bool good_access(u64 offset, unsigned int len, u32 size)
{
	return (len == 4 || len == 8) && offset % len == 0 && offset < size;
}

/* @offset: in the table. What is no good access leaves @data as it is. */
void msix_table_read(struct msix *msix, u64 offset, void *data, unsigned int len)
{
	if (!good_access(offset, len, msix_table_size(msix)))
		return;
	pthread_mutex_lock(&msix->lock);
	read_table(msix, offset, data, len);
	pthread_mutex_unlock(&msix->lock);
}

void msix_table_write(struct msix *msix, u64 offset, const void *data, unsigned int len)
{
	const int vector = (int)(offset / PCI_MSIX_ENTRY_SIZE);
	unsigned int i;
	u32 word;

	if (!good_access(offset, len, msix_table_size(msix)))
		return;
	pthread_mutex_lock(&msix->lock);
	for (i = 0; i < len; i += 4) {
		memcpy(&word, (const u8 *)data + i, sizeof(word));
		write_word(&msix->vector[vector], offset % PCI_MSIX_ENTRY_SIZE + i, word);
	}
	update(msix, vector);
	pthread_mutex_unlock(&msix->lock);
}

/* @offset: in the pending bits */
void msix_pba_read(struct msix *msix, u64 offset, void *data, unsigned int len)
{
	int first = (int)(offset / sizeof(u64)) * 64, i;
	u64 bits = 0;

	if (!good_access(offset, len, msix_pba_size(msix)))
		return;
	pthread_mutex_lock(&msix->lock);
	for (i = first; i < min(msix->nr, first + 64); i++)
		bits |= (u64)message_pending(&msix->vector[i].message) << (i - first);
	pthread_mutex_unlock(&msix->lock);
	memcpy(data, (u8 *)&bits + offset % sizeof(bits), len);
}

/* Of an emulated device's window. */
void msix_bar_read(struct msix *msix, u64 offset, void *data, unsigned int len)
{
	if (!good_access(offset, len, MSIX_BAR_SIZE))
		return;
	memset(data, 0, len);
	if (offset >= PBA_OFFSET)
		msix_pba_read(msix, offset - PBA_OFFSET, data, len);
	else
		msix_table_read(msix, offset, data, len);
}

void msix_bar_write(struct msix *msix, u64 offset, const void *data,
		    unsigned int len)
{
	if (offset < PBA_OFFSET)
		msix_table_write(msix, offset, data, len);
}

/**
 * msix_init_at() - messages of a device that has the capability already
 * @msix: filled in, but for @msix->arm
 * @dev: device, before pci_dev_add()
 * @cap: offset of the capability
 * @nr: vectors, at most MSIX_VECTORS_MAX; each gets its eventfd when it is used first
 *
 * Return: 0 or -ENOMEM; msix_destroy() is due in both cases.
 */
int msix_init_at(struct msix *msix, struct pci_dev *dev, u8 cap, int nr)
{
	int i;

	msix->dev = dev;
	msix->cap = cap;
	pthread_mutex_init(&msix->lock, NULL);
	msix->vector = calloc((size_t)nr, sizeof(*msix->vector));
	if (!msix->vector)
		return -ENOMEM;
	msix->nr = nr;
	for (i = 0; i < nr; i++) {
		message_init(&msix->vector[i].message);
		msix->vector[i].control = PCI_MSIX_ENTRY_CTRL_MASKBIT;
	}
	pci_set16(dev->writable + cap + PCI_MSIX_FLAGS,
		  PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	return 0;
}

/**
 * msix_init() - give a device MSI-X
 * @msix: filled in
 * @dev: device, before pci_dev_add(); its window @bar is of MSIX_BAR_SIZE and
 *       handed to msix_bar_read() and msix_bar_write()
 * @bar: window of the table
 * @nr: vectors, at most MSIX_BAR_VECTORS
 *
 * Return: 0 or -errno; msix_destroy() is due in both cases.
 */
int msix_init(struct msix *msix, struct pci_dev *dev, int bar, int nr)
{
	u8 at = pci_dev_cap(dev, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	u8 *cap = dev->config + at;
	int i, err;

	pci_set16(cap + PCI_MSIX_FLAGS, (u16)(nr - 1));
	pci_set32(cap + PCI_MSIX_TABLE, (u32)bar);
	pci_set32(cap + PCI_MSIX_PBA, PBA_OFFSET | (u32)bar);
	err = msix_init_at(msix, dev, at, nr);
	for (i = 0; !err && i < nr; i++)
		err = message_open(&msix->vector[i].message);
	return err;
}

/* Nobody notifies any more, and the device is off the bus. */
void msix_destroy(struct msix *msix)
{
	int i;

	for (i = 0; i < msix->nr; i++)
		message_release(msix->dev->vm, &msix->vector[i].message);
	free(msix->vector);
	msix->vector = NULL;
	msix->nr = 0;
}
