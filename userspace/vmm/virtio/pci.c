// SPDX-License-Identifier: GPL-2.0-only
/* virtio over PCI (virtio 1.2, chapter 4.1): registers, notifications. */
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>
#include <sys/eventfd.h>

#include "../log.h"
#include "../vm.h"
#include "libjoist/joist.h"
#include "pci.h"

#define DEVICE_MODERN		0x1040	/* + the device's id */
#define REVISION_MODERN		1

/* The registers' window: a page for each kind. */
#define BAR_REGS		0
#define BAR_MSIX		1
#define REGS_COMMON		0x0000
#define REGS_ISR		0x1000
#define REGS_DEVICE		0x2000
#define REGS_NOTIFY		0x3000
#define REGS_SIZE		0x4000
#define NOTIFY_STRIDE		4
#define ISR_QUEUE		BIT(0)
#define ISR_CONFIG		BIT(1)

static struct virtq *selected_queue(struct virtio_pci *vp)
{
	if (vp->queue_select >= vp->dev->nr_queues)
		return NULL;
	return &vp->dev->queue[vp->queue_select];
}

static void interrupt(struct virtio_pci *vp, u16 vector, u8 cause)
{
	if (msix_enabled(&vp->msix)) {
		msix_notify(&vp->msix, vector);
		return;
	}
	__atomic_fetch_or(&vp->isr, cause, __ATOMIC_SEQ_CST);
	pci_set_irq(&vp->pci, true);
}

static void notify_queue(struct virtio_dev *dev, struct virtq *q)
{
	interrupt(dev->transport, q->vector, ISR_QUEUE);
}

static int queue_call_fd(struct virtio_dev *dev, struct virtq *q)
{
	struct virtio_pci *vp = dev->transport;

	return msix_fd(&vp->msix, q->vector);
}

static void notify_config(struct virtio_dev *dev)
{
	struct virtio_pci *vp = dev->transport;

	interrupt(vp, vp->config_vector, ISR_CONFIG);
}

static u8 read_isr(struct virtio_pci *vp)
{
	u8 isr = __atomic_exchange_n(&vp->isr, 0, __ATOMIC_SEQ_CST);

	if (isr)
		pci_set_irq(&vp->pci, false);
	return isr;
}

static u32 half(u64 features, u32 select)
{
	if (select > 1)
		return 0;
	return (u32)(features >> (32 * select));
}

/* All common registers at once: then any piece of them can be read. */
static void common_snapshot(struct virtio_pci *vp,
			    struct virtio_pci_common_cfg *cfg)
{
	const struct virtq *q = selected_queue(vp);
	const struct virtio_dev *dev = vp->dev;

	memset(cfg, 0, sizeof(*cfg));
	cfg->device_feature_select = vp->device_select;
	cfg->device_feature = half(dev->features, vp->device_select);
	cfg->guest_feature_select = vp->driver_select;
	cfg->guest_feature = half(dev->driver_features, vp->driver_select);
	cfg->msix_config = vp->config_vector;
	cfg->num_queues = (u16)dev->nr_queues;
	cfg->device_status = dev->status;
	cfg->config_generation = dev->generation;
	cfg->queue_select = vp->queue_select;
	if (!q)
		return;
	cfg->queue_size = q->size;
	cfg->queue_msix_vector = q->vector;
	cfg->queue_enable = q->ready;
	cfg->queue_notify_off = vp->queue_select;
	cfg->queue_desc_lo = (u32)q->desc_gpa;
	cfg->queue_desc_hi = (u32)(q->desc_gpa >> 32);
	cfg->queue_avail_lo = (u32)q->avail_gpa;
	cfg->queue_avail_hi = (u32)(q->avail_gpa >> 32);
	cfg->queue_used_lo = (u32)q->used_gpa;
	cfg->queue_used_hi = (u32)(q->used_gpa >> 32);
}

static u16 checked_vector(const struct virtio_pci *vp, u32 value)
{
	return value < (u32)vp->msix.nr ? (u16)value : QUEUE_NO_VECTOR;
}

static void set_half(u64 *gpa, bool high, u32 value)
{
	if (high)
		*gpa = (*gpa & 0xffffffff) | (u64)value << 32;
	else
		*gpa = (*gpa & ~0xffffffffULL) | value;
}

static void write_queue(struct virtio_pci *vp, u64 reg, u32 value)
{
	struct virtq *q = selected_queue(vp);

	if (!q)
		return;
	if (reg == VIRTIO_PCI_COMMON_Q_MSIX) {
		q->vector = checked_vector(vp, value);
		if (vp->dev->calls_changed)
			vp->dev->calls_changed(vp->dev);
		return;
	}
	if (q->ready)
		return;		/* in use: it stays as it is */
	switch (reg) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		q->size = (u16)value;
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		if (value == 1)
			virtio_dev_enable_queue(vp->dev, q);
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		set_half(&q->desc_gpa, reg == VIRTIO_PCI_COMMON_Q_DESCHI, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		set_half(&q->avail_gpa, reg == VIRTIO_PCI_COMMON_Q_AVAILHI, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		set_half(&q->used_gpa, reg == VIRTIO_PCI_COMMON_Q_USEDHI, value);
		break;
	}
}

static void write_common(struct virtio_pci *vp, u64 reg, u32 value)
{
	struct virtio_dev *dev = vp->dev;
	u64 features = dev->driver_features;

	switch (reg) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		vp->device_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		vp->driver_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		if (vp->driver_select > 1)
			break;
		set_half(&features, vp->driver_select, value);
		virtio_dev_set_features(dev, features);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		vp->config_vector = checked_vector(vp, value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		virtio_dev_set_status(dev, (u8)value);
		if (value)
			break;
		vp->config_vector = QUEUE_NO_VECTOR;
		vp->queue_select = 0;
		read_isr(vp);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		vp->queue_select = (u16)value;
		break;
	default:
		write_queue(vp, reg, value);
	}
}

static void read_device_config(struct virtio_dev *dev, u64 offset, void *data,
			       unsigned int len)
{
	memset(data, 0, len);
	if (offset >= dev->config_len)
		return;
	pthread_mutex_lock(&dev->lock);
	memcpy(data, (const u8 *)dev->config + offset,
	       min((size_t)len, (size_t)(dev->config_len - offset)));
	pthread_mutex_unlock(&dev->lock);
}

static void write_device_config(struct virtio_dev *dev, u64 offset, const void *data,
				unsigned int len)
{
	if (!dev->config_written)
		return;
	pthread_mutex_lock(&dev->lock);
	dev->config_written(dev, offset, data, len);
	pthread_mutex_unlock(&dev->lock);
}

static void regs_read(struct virtio_pci *vp, u64 offset, void *data,
		      unsigned int len)
{
	struct virtio_pci_common_cfg cfg;

	memset(data, 0, len);
	if (offset >= REGS_NOTIFY)
		return;
	if (offset >= REGS_DEVICE) {
		read_device_config(vp->dev, offset - REGS_DEVICE, data, len);
		return;
	}
	if (offset >= REGS_ISR) {
		/* Locked: a line that rises meanwhile must not be taken for the one read. */
		pthread_mutex_lock(&vp->dev->lock);
		if (offset == REGS_ISR)
			*(u8 *)data = read_isr(vp);
		pthread_mutex_unlock(&vp->dev->lock);
		return;
	}
	if (offset + len > sizeof(cfg))
		return;
	pthread_mutex_lock(&vp->dev->lock);
	common_snapshot(vp, &cfg);
	pthread_mutex_unlock(&vp->dev->lock);
	memcpy(data, (u8 *)&cfg + offset, len);
}

/* Normally the kernel's ioeventfd has caught it before. */
static void write_notify(struct virtio_dev *dev, u64 queue)
{
	if (queue >= (u64)dev->nr_queues)
		return;
	if (!dev->kicked || !dev->kicked(dev, (int)queue))
		eventfd_write(dev->queue[queue].kick_fd, 1);
}

static void regs_write(struct virtio_pci *vp, u64 offset, const void *data,
		       unsigned int len)
{
	u32 words[2] = { 0 };

	if (offset >= REGS_NOTIFY) {
		write_notify(vp->dev, (offset - REGS_NOTIFY) / NOTIFY_STRIDE);
		return;
	}
	if (offset >= REGS_DEVICE) {
		write_device_config(vp->dev, offset - REGS_DEVICE, data, len);
		return;
	}
	if (offset + len > sizeof(struct virtio_pci_common_cfg))
		return;
	memcpy(words, data, min((size_t)len, sizeof(words)));
	pthread_mutex_lock(&vp->dev->lock);
	write_common(vp, offset, words[0]);
	if (len == sizeof(u64))
		write_common(vp, offset + sizeof(u32), words[1]);
	pthread_mutex_unlock(&vp->dev->lock);
}

static void bar_regs_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	regs_read(ctx, offset, data, len);
}

static void bar_regs_write(void *ctx, u64 offset, const void *data,
			   unsigned int len)
{
	regs_write(ctx, offset, data, len);
}

static void bar_msix_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct virtio_pci *vp = ctx;

	msix_bar_read(&vp->msix, offset, data, len);
}

static void bar_msix_write(void *ctx, u64 offset, const void *data,
			   unsigned int len)
{
	struct virtio_pci *vp = ctx;

	msix_bar_write(&vp->msix, offset, data, len);
}

static const struct bus_ops regs_ops = {
	.read = bar_regs_read,
	.write = bar_regs_write,
};

static const struct bus_ops msix_ops = {
	.read = bar_msix_read,
	.write = bar_msix_write,
};

static void set_ioeventfds(struct virtio_pci *vp, u64 base, bool assign)
{
	int i, err;

	for (i = 0; i < vp->dev->nr_queues; i++) {
		struct kvm_ioeventfd args = {
			.addr = base + REGS_NOTIFY + (u64)i * NOTIFY_STRIDE,
			.len = sizeof(u16),
			.fd = vp->dev->queue[i].kick_fd,
			.flags = assign ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN,
		};

		/* Without it notifications come as exits: slower, no worse. */
		err = joist_ioeventfd(vp->dev->vm->fd, &args);
		if (err && assign)
			log_warn("no ioeventfd at %#llx: %s",
				 (unsigned long long)args.addr, strerror(-err));
	}
}

/* The window moves: @addr is 0 when it closes. The bus's lock is held. */
static void regs_mapped(struct pci_dev *pci, int bar, u64 addr)
{
	struct virtio_pci *vp = pci->ctx;

	if (bar != BAR_REGS || vp->dev->kicked)
		return;
	if (addr)
		set_ioeventfds(vp, addr, true);
	else
		set_ioeventfds(vp, pci->bar[bar].mapped, false);
}

static void command_changed(struct pci_dev *pci)
{
	struct virtio_pci *vp = pci->ctx;

	msix_command(&vp->msix);
	if (vp->dev->calls_changed)
		vp->dev->calls_changed(vp->dev);
}

static void add_virtio_cap(struct pci_dev *pci, u8 type, u32 offset, u32 length)
{
	struct virtio_pci_notify_cap cap = {
		.cap = {
			.cap_len = type == VIRTIO_PCI_CAP_NOTIFY_CFG ?
				   sizeof(cap) : sizeof(cap.cap),
			.cfg_type = type,
			.bar = BAR_REGS,
			.offset = offset,
			.length = length,
		},
		.notify_off_multiplier = NOTIFY_STRIDE,
	};
	u8 at = pci_dev_cap(pci, PCI_CAP_ID_VNDR, cap.cap.cap_len);

	/* The first two bytes, id and link, are pci_dev_cap()'s. */
	memcpy(pci->config + at + 2, (u8 *)&cap + 2, cap.cap.cap_len - 2U);
}

/*
 * The window: registers by configuration space, for who cannot reach the BARs. What it leads
 * to now. Return: bytes, or 0: nowhere.
 */
static u32 window_target(struct virtio_pci *vp, const struct pci_bar **bar, u32 *offset,
			 u8 *data)
{
	struct virtio_pci_cfg_cap cap;
	struct pci_dev *pci = &vp->pci;

	pci_dev_config(pci, (u8)(pci->window - offsetof(struct virtio_pci_cfg_cap, pci_cfg_data)),
		       &cap, sizeof(cap));
	if (cap.cap.bar >= PCI_BARS || !pci->bar[cap.cap.bar].size ||
	    (cap.cap.length != 1 && cap.cap.length != 2 && cap.cap.length != 4) ||
	    cap.cap.offset % cap.cap.length ||
	    cap.cap.offset > pci->bar[cap.cap.bar].size - cap.cap.length)
		return 0;
	*bar = &pci->bar[cap.cap.bar];
	*offset = cap.cap.offset;
	memcpy(data, cap.pci_cfg_data, sizeof(cap.pci_cfg_data));
	return cap.cap.length;
}

/* @data: NULL: what was written goes there; else filled in. */
static void window_access(struct pci_dev *pci, u8 *data)
{
	struct virtio_pci *vp = pci->ctx;
	const struct pci_bar *bar;
	u8 written[PCI_WINDOW_SIZE];
	u32 offset, len;

	len = window_target(vp, &bar, &offset, written);
	if (len && data)
		bar->ops->read(vp, offset, data, len);
	else if (len)
		bar->ops->write(vp, offset, written, len);
}

static void window_written(struct pci_dev *pci)
{
	window_access(pci, NULL);
}

static void add_window(struct pci_dev *pci)
{
	struct virtio_pci_cfg_cap cap = {
		.cap = { .cap_len = sizeof(cap), .cfg_type = VIRTIO_PCI_CAP_PCI_CFG },
	};
	u8 at = pci_dev_cap(pci, PCI_CAP_ID_VNDR, sizeof(cap));
	u8 *writable = pci->writable + at;

	memcpy(pci->config + at + 2, (u8 *)&cap + 2, sizeof(cap) - 2);
	writable[offsetof(struct virtio_pci_cap, bar)] = 0xff;
	pci_set32(writable + offsetof(struct virtio_pci_cap, offset), ~0U);
	pci_set32(writable + offsetof(struct virtio_pci_cap, length), ~0U);
	pci_set32(writable + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data), ~0U);
	pci->window = (u8)(at + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data));
	pci->window_read = window_access;
	pci->window_written = window_written;
}

/**
 * virtio_pci_init() - put a device on the PCI bus
 * @vp: zeroed
 * @dev: initialized device
 * @class: PCI class code
 *
 * Return: 0 or -errno; virtio_pci_destroy() is due in both cases.
 */
int virtio_pci_init(struct virtio_pci *vp, struct virtio_dev *dev, u32 class)
{
	struct pci_id id = {
		.vendor = PCI_VENDOR_REDHAT,
		.device = (u16)(DEVICE_MODERN + dev->id),
		.subsystem_vendor = PCI_VENDOR_REDHAT,
		.subsystem = (u16)(DEVICE_MODERN + dev->id),
		.class_revision = class << 8 | REVISION_MODERN,
	};
	int err;

	vp->dev = dev;
	vp->config_vector = QUEUE_NO_VECTOR;
	dev->transport = vp;
	dev->notify = notify_queue;
	dev->call_fd = queue_call_fd;
	dev->config_changed = notify_config;

	pci_dev_init(&vp->pci, dev->vm, &id);
	vp->pci.ctx = vp;
	vp->pci.map = regs_mapped;
	vp->pci.command = command_changed;
	vp->pci.config[PCI_INTERRUPT_PIN] = 1;
	pci_dev_bar(&vp->pci, BAR_REGS, REGS_SIZE, &regs_ops);
	pci_dev_bar(&vp->pci, BAR_MSIX, MSIX_BAR_SIZE, &msix_ops);
	add_virtio_cap(&vp->pci, VIRTIO_PCI_CAP_COMMON_CFG, REGS_COMMON,
		       sizeof(struct virtio_pci_common_cfg));
	add_virtio_cap(&vp->pci, VIRTIO_PCI_CAP_ISR_CFG, REGS_ISR, 1);
	/* An empty one is an error to Linux. */
	if (dev->config_len)
		add_virtio_cap(&vp->pci, VIRTIO_PCI_CAP_DEVICE_CFG, REGS_DEVICE,
			       (u32)dev->config_len);
	add_virtio_cap(&vp->pci, VIRTIO_PCI_CAP_NOTIFY_CFG, REGS_NOTIFY,
		       (u32)dev->nr_queues * NOTIFY_STRIDE);
	add_window(&vp->pci);
	err = msix_init(&vp->msix, &vp->pci, BAR_MSIX, dev->nr_queues + 1);
	return err ? err : pci_dev_add(&vp->pci);
}

void virtio_pci_destroy(struct virtio_pci *vp)
{
	msix_destroy(&vp->msix);
}
