// SPDX-License-Identifier: GPL-2.0-only
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "driver.h"
#include "guest.h"
#include "vmm/memory.h"

#define AVAIL_AT	0x4000
#define USED_AT		0x6000
#define TABLES		0x180000ULL	/* indirect ones, between rings and data */
#define TABLES_SIZE	0x40000ULL
#define CAPS_MAX	32

/**
 * struct ring - a queue as its driver has it
 * @free: the next descriptor that driver_chain() takes
 * @wrap: of a packed ring, in which round @free is
 * @flags: of a packed ring, those of what is offered next
 */
struct ring {
	u16 size;
	u64 desc, avail, used;
	u16 free;
	u16 avail_idx;
	bool wrap;
	u16 flags;
	u64 notify;
};

/* The device that is driven now, and where its registers are. */
static struct {
	u8 slot;
	u64 common, device, notify, msix;
	u32 notify_step;
	u8 msix_cap;
	u16 nr_queues;
	bool packed;
	struct ring ring[QUEUES_MAX];
	u64 next_data, next_table;
} drv;

void driver_begin(void)
{
	memset(&drv, 0, sizeof(drv));
}

static void take_virtio_cap(u8 at)
{
	u64 where = guest_bar(drv.slot, (int)(guest_cfg_read(drv.slot, at + 4, 1) % 6)) +
		    guest_cfg_read(drv.slot, at + 8, 4);

	switch (guest_cfg_read(drv.slot, at + 3, 1)) {
	case VIRTIO_PCI_CAP_COMMON_CFG:
		drv.common = where;
		break;
	case VIRTIO_PCI_CAP_DEVICE_CFG:
		drv.device = where;
		break;
	case VIRTIO_PCI_CAP_NOTIFY_CFG:
		drv.notify = where;
		drv.notify_step = guest_cfg_read(drv.slot, at + 16, 4);
		break;
	}
}

static void find_registers(void)
{
	u8 at = (u8)guest_cfg_read(drv.slot, PCI_CAPABILITY_LIST, 1);
	u32 table;
	int i;

	for (i = 0; at && i < CAPS_MAX; i++) {
		switch (guest_cfg_read(drv.slot, at, 1)) {
		case PCI_CAP_ID_VNDR:
			take_virtio_cap(at);
			break;
		case PCI_CAP_ID_MSIX:
			table = guest_cfg_read(drv.slot, at + PCI_MSIX_TABLE, 4);
			drv.msix_cap = at;
			drv.msix = guest_bar(drv.slot, (int)(table & 7) % 6) + (table & ~7U);
			break;
		}
		at = (u8)guest_cfg_read(drv.slot, at + 1, 1);
	}
}

static u64 get(u32 reg, unsigned int len)
{
	return guest_read(drv.common + reg, len);
}

static void put(u32 reg, unsigned int len, u64 value)
{
	guest_write(drv.common + reg, len, value);
}

static void put_gpa(u32 reg, u64 gpa)
{
	put(reg, 4, (u32)gpa);
	put(reg + 4, 4, gpa >> 32);
}

static u64 negotiate(u64 clear, u64 set)
{
	u64 features;

	put(VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
	features = get(VIRTIO_PCI_COMMON_DF, 4);
	put(VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	features |= get(VIRTIO_PCI_COMMON_DF, 4) << 32;
	/* Rings are split ones, unless a program says otherwise. */
	features = (features & ~(clear | BIT_ULL(VIRTIO_F_RING_PACKED))) | set;
	drv.packed = features & BIT_ULL(VIRTIO_F_RING_PACKED);
	put(VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	put(VIRTIO_PCI_COMMON_GF, 4, (u32)features);
	put(VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	put(VIRTIO_PCI_COMMON_GF, 4, features >> 32);
	return features;
}

static struct ring *ring_of(int queue)
{
	return &drv.ring[queue % QUEUES_MAX];
}

/* @which: of the addresses that is @gpa: 1, 2, 3; 0: none is */
void driver_queue(int queue, u16 size, int which, u64 gpa)
{
	struct ring *r = ring_of(queue);
	u64 at = RINGS + (u64)(queue % QUEUES_MAX) * RINGS_STRIDE;

	put(VIRTIO_PCI_COMMON_Q_SELECT, 2, (u64)queue);
	*r = (struct ring) { .size = (u16)get(VIRTIO_PCI_COMMON_Q_SIZE, 2), .wrap = true };
	if (size) {
		r->size = size;
		put(VIRTIO_PCI_COMMON_Q_SIZE, 2, size);
	}
	r->desc = which == 1 ? gpa : at;
	r->avail = which == 2 ? gpa : at + AVAIL_AT;
	r->used = which == 3 ? gpa : at + USED_AT;
	r->notify = drv.notify + get(VIRTIO_PCI_COMMON_Q_NOFF, 2) * drv.notify_step;
	guest_ram_fill(r->avail, 4, 0);
	if (drv.packed)
		guest_ram_fill(r->desc, r->size * sizeof(struct vring_packed_desc), 0);
	put_gpa(VIRTIO_PCI_COMMON_Q_DESCLO, r->desc);
	put_gpa(VIRTIO_PCI_COMMON_Q_AVAILLO, r->avail);
	put_gpa(VIRTIO_PCI_COMMON_Q_USEDLO, r->used);
	put(VIRTIO_PCI_COMMON_Q_MSIX, 2, (u64)queue + 1);
	put(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
}

void driver_status(u8 status)
{
	put(VIRTIO_PCI_COMMON_STATUS, 1, status);
}

/**
 * driver_setup() - from a reset to a device that is driven
 * @slot: PCI device
 * @clear: features not to take
 * @set: and ones to take even if there are not
 * @size: of the queues; 0: what there can be
 * @status: what is written last, DRIVER_OK if all is to be well
 */
void driver_setup(u8 slot, u64 clear, u64 set, u16 size, u8 status)
{
	int i;

	memset(&drv, 0, sizeof(drv));
	drv.slot = slot;
	guest_cfg_write(slot, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	find_registers();
	driver_status(0);
	driver_status(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	negotiate(clear, set);
	driver_status(VIRTIO_CONFIG_S_FEATURES_OK);
	drv.nr_queues = min((u16)get(VIRTIO_PCI_COMMON_NUMQ, 2), (u16)QUEUES_MAX);
	for (i = 0; i < drv.nr_queues; i++)
		driver_queue(i, size, 0, 0);
	driver_status(status);
}

void driver_notify(int queue, unsigned int len)
{
	guest_write(ring_of(queue)->notify, len, (u64)queue);
}

void driver_msix(u16 vector, u64 addr, u32 data, bool mask)
{
	u64 at = drv.msix + (u64)vector * PCI_MSIX_ENTRY_SIZE;

	guest_cfg_write(drv.slot, drv.msix_cap + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
	guest_write(at + PCI_MSIX_ENTRY_LOWER_ADDR, 8, addr);
	guest_write(at + PCI_MSIX_ENTRY_DATA, 4, data);
	guest_write(at + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, mask);
	guest_read(at + PCI_MSIX_ENTRY_VECTOR_CTRL, 4);
}

/* The registers that the device has of its own. */
u64 driver_device_regs(void)
{
	return drv.device;
}

static void write_desc(u64 table, u16 i, u64 gpa, u32 len, u16 flags, u16 next)
{
	struct vring_desc desc = { .addr = gpa, .len = len, .flags = flags, .next = next };

	guest_ram_write(table + i * sizeof(desc), &desc, sizeof(desc));
}

static void write_packed(u64 table, u16 i, u64 gpa, u32 len, u16 flags, u16 id)
{
	struct vring_packed_desc desc = { .addr = gpa, .len = len, .flags = flags, .id = id };

	guest_ram_write(table + i * sizeof(desc), &desc, sizeof(desc));
}

/* What makes a descriptor available that is so many behind the next. */
static u16 packed_avail(const struct ring *r, u16 behind)
{
	bool wrap = r->wrap ^ (r->size && (r->free + behind) / r->size % 2);

	return wrap ? BIT(VRING_PACKED_DESC_F_AVAIL) : BIT(VRING_PACKED_DESC_F_USED);
}

/* @next: of a packed ring the buffer's number */
void driver_desc(int queue, u16 i, u64 gpa, u32 len, u16 flags, u16 next)
{
	struct ring *r = ring_of(queue);

	if (drv.packed) {
		r->flags = flags;
		write_packed(r->desc, i, gpa, len, flags | packed_avail(r, 0), next);
		return;
	}
	write_desc(r->desc, i, gpa, len, flags, next);
}

static u16 slot_of(const struct ring *r, u16 i)
{
	return r->size ? i % r->size : 0;
}

/* @by: how far the index goes on: 1; in a packed ring anything else is the wrong round */
void driver_offer(int queue, u16 head, u16 by)
{
	struct ring *r = ring_of(queue);
	u16 flags;

	if (drv.packed) {
		flags = r->flags | packed_avail(r, by == 1 ? 0 : r->size);
		guest_ram_write(r->desc + head * sizeof(struct vring_packed_desc) +
				offsetof(struct vring_packed_desc, flags), &flags, sizeof(flags));
		return;
	}
	guest_ram_write(r->avail + 4 + 2ULL * slot_of(r, r->avail_idx), &head, sizeof(head));
	r->avail_idx = (u16)(r->avail_idx + by);
	guest_ram_write(r->avail + 2, &r->avail_idx, sizeof(r->avail_idx));
}

/* The other words of the rings. */
void driver_ring(int queue, int which, u16 value)
{
	struct ring *r = ring_of(queue);
	const u64 at[2][6] = { {
		r->avail, r->avail + 2, r->avail + 4 + 2ULL * r->size,
		r->used, r->used + 2, r->used + 4 + 8ULL * r->size,
	}, {
		r->avail, r->avail + 2, r->used, r->used + 2, r->desc + 12, r->desc + 14,
	} };

	guest_ram_write(at[drv.packed][which % 6], &value, sizeof(value));
}

struct table {
	struct ring *ring;
	u64 at;
	u16 first, nr;
	bool indirect;
	enum place place;
};

static u64 take_data(u32 len)
{
	u64 at = drv.next_data;

	/* What is too long lies where it cannot end well, as it is meant to. */
	if (at + len > DATA_SIZE)
		at = 0;
	drv.next_data = (at + len + 15) & ~15ULL;
	return DATA + at;
}

/* Memory ends at the first of these, or at the second and the third. */
static u64 place(enum place where, u32 len)
{
	u64 end = guest_has_ram(HIGH_RAM_START) ? HIGH_RAM_START + MEM_SIZE_MIN : MEM_SIZE_MIN;

	switch (where) {
	case PLACE_LAST:
		return end - len;
	case PLACE_LAST_PLUS_1:
		return end - len + 1;
	case PLACE_END:
		return end;
	case PLACE_LOW_LAST_PLUS_1:
		return LOW_RAM_MAX - len + 1;
	case PLACE_START:
		return 0;
	case PLACE_HOLE:
		return PCI_HOLE_START;
	case PLACE_WRAP:
		return 0ULL - len / 2;
	default:
		return take_data(len);
	}
}

static u16 entry(const struct table *t, u16 i)
{
	return t->indirect ? i : slot_of(t->ring, (u16)(t->first + i));
}

static void add_at(struct table *t, u64 gpa, u32 len, bool in, bool last)
{
	u16 flags = (in ? VRING_DESC_F_WRITE : 0) | (last ? 0 : VRING_DESC_F_NEXT);

	if (!drv.packed)
		write_desc(t->at, entry(t, t->nr), gpa, len, flags, entry(t, (u16)(t->nr + 1)));
	else if (t->indirect)
		write_packed(t->at, t->nr, gpa, len, flags & VRING_DESC_F_WRITE, 0);
	else
		write_packed(t->at, entry(t, t->nr), gpa, len,
			     flags | (t->nr ? packed_avail(t->ring, t->nr) : 0), t->first);
	/* Of a packed ring the first becomes available last. */
	if (!t->nr)
		t->ring->flags = flags;
	t->nr++;
}

static void add_piece(struct table *t, u32 len, bool in, bool last)
{
	add_at(t, place(t->place, len), len, in, last);
}

static void add_bytes(struct table *t, const u8 *data, u32 len, bool last)
{
	u64 gpa = take_data(len);

	guest_ram_write(gpa, data, len);
	add_at(t, gpa, len, false, last);
}

static void add_header(struct table *t, const struct chain_shape *s, bool last)
{
	u32 half = s->split ? s->header_len / 2 : 0;

	if (half)
		add_bytes(t, s->header, half, false);
	add_bytes(t, s->header + half, s->header_len - half, last);
}

/* The ring's one descriptor of an indirect table. */
static void point_to(struct table *t)
{
	const u32 len = (u32)(t->nr * sizeof(struct vring_desc));
	struct ring *r = t->ring;

	r->flags = VRING_DESC_F_INDIRECT;
	if (drv.packed)
		write_packed(r->desc, slot_of(r, r->free), t->at, len, r->flags, r->free);
	else
		write_desc(r->desc, slot_of(r, r->free), t->at, len, r->flags, 0);
	t->first = r->free;
	t->nr = 1;
}

static void advance(struct ring *r, u16 by)
{
	r->wrap = packed_avail(r, by) == BIT(VRING_PACKED_DESC_F_AVAIL);
	r->free = slot_of(r, (u16)(r->free + by));
}

/* A request: a header and more to read, then what is to be written. */
void driver_chain(const struct chain_shape *s)
{
	struct ring *r = ring_of(s->queue);
	struct table t = {
		.ring = r, .at = r->desc, .first = r->free,
		.indirect = s->indirect, .place = s->place,
	};
	unsigned int i;

	if (s->indirect) {
		t.at = TABLES + drv.next_table;
		drv.next_table = (drv.next_table + 0x200) % TABLES_SIZE;
	}
	for (i = 0; i < s->nr_out; i++) {
		bool last = i + 1 == s->nr_out && !s->nr_in;

		if (!i && s->header_len)
			add_header(&t, s, last);
		else
			add_piece(&t, s->len, false, last);
	}
	for (i = 0; i < s->nr_in; i++) {
		bool last = i + 1 == s->nr_in;

		add_piece(&t, last && s->status ? 1 : s->len, true, last);
	}
	if (s->indirect)
		point_to(&t);
	if (s->offer)
		driver_offer(s->queue, slot_of(r, t.first), 1);
	/* A packed ring has no gaps. */
	if (s->offer || !drv.packed)
		advance(r, t.nr);
}
