// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver nobody wants: garbage in every queue, register and message of all virtio
 * devices. Each round begins as a driver should, so that the garbage gets somewhere.
 */
#include "kernel.h"

#define PCI_ADDRESS	0xcf8
#define PCI_DATA	0xcfc
#define PCI_ENABLE	0x80000000
#define PCI_SLOTS	32
#define PCI_COMMAND	0x04
#define PCI_BAR0	0x10
#define PCI_BAR1	0x14
#define PCI_CAPS	0x34
#define PCI_CAP_MSIX	0x11
#define MEMORY_MASTER	6
#define VIRTIO		0x1af4

#define WINDOWS		0xd0000000
#define WINDOW_SIZE	0x10000
#define MSIX		0x8000	/* of a device's part of them: what BAR 1 shows */
#define NOTIFY		0x3000	/* of BAR 0, as its capability says */
#define REGS_SIZE	0x4000

/* Registers of the common configuration. */
#define DEVICE_SELECT	0x00
#define DEVICE_FEATURE	0x04
#define DRIVER_SELECT	0x08
#define DRIVER_FEATURE	0x0c
#define NUM_QUEUES	0x12
#define STATUS		0x14
#define QUEUE_SELECT	0x16
#define QUEUE_SIZE	0x18
#define QUEUE_VECTOR	0x1a
#define QUEUE_ENABLE	0x1c
#define QUEUE_DESC	0x20
#define QUEUE_AVAIL	0x28
#define QUEUE_USED	0x30

#define ACKNOWLEDGED	3
#define FEATURES_OK	8
#define DRIVER_OK	4
#define NEEDS_RESET	0x40

/* Where devices may write, and we have nothing. */
#define PLAYGROUND	0x800000
#define PLAYGROUND_SIZE	0x400000
#define RING_SPACE	0x10000	/* per queue: descriptors, available, used */
#define ROUNDS		400
#define QUEUES_MAX	8
#define RING_SIZE	256

struct desc {
	u64 addr;
	u32 len;
	u16 flags, next;
};

/* In the upper half of the features; of a descriptor's flags in such a ring. */
#define RING_PACKED	4
#define PACKED_AVAIL	0x0080
#define PACKED_USED	0x8000

static int packed;
static u32 seed = 1;
static u32 resets;

static u32 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

static int one_in(u32 n)
{
	return rnd() % n == 0;
}

static u32 config_read(u32 slot, u32 reg)
{
	put32(PCI_ADDRESS, PCI_ENABLE | slot << 11 | reg);
	return get32(PCI_DATA);
}

static void config_write(u32 slot, u32 reg, u32 value)
{
	put32(PCI_ADDRESS, PCI_ENABLE | slot << 11 | reg);
	put32(PCI_DATA, value);
}

static u8 *window(u32 slot)
{
	return (u8 *)(WINDOWS + slot * WINDOW_SIZE);
}

static void write8(u8 *regs, u32 at, u8 value)
{
	*(volatile u8 *)(regs + at) = value;
}

static void write16(u8 *regs, u32 at, u16 value)
{
	*(volatile u16 *)(regs + at) = value;
}

static void write32(u8 *regs, u32 at, u32 value)
{
	*(volatile u32 *)(regs + at) = value;
}

static u8 read8(u8 *regs, u32 at)
{
	return *(volatile u8 *)(regs + at);
}

static u32 read32(u8 *regs, u32 at)
{
	return *(volatile u32 *)(regs + at);
}

/* Mostly where devices may write; else nowhere, or at an edge of memory. */
static u32 garbage_addr(void)
{
	static const u32 bad[] = {
		0x00fffff0, 0x01000000, 0xfffffff0, 0xfee00000, WINDOWS,
	};

	if (one_in(32))
		return bad[rnd() % (ARRAY_SIZE(bad))];
	return PLAYGROUND + rnd() % PLAYGROUND_SIZE;
}

static void fill_rings(u8 *ring)
{
	struct desc *desc = (struct desc *)ring;
	volatile u16 *avail = (u16 *)(ring + 0x4000);
	u32 i;

	for (i = 0; i < RING_SIZE; i++) {
		desc[i].addr = garbage_addr();
		desc[i].len = one_in(32) ? rnd() : rnd() % 4096;
		/* Chains that end, of what is read and then written; or anything. */
		desc[i].flags = one_in(8) ? rnd() : (u16)(i & 1 ? 2 : i & 2);
		if (one_in(4) && !(i & 1))
			desc[i].flags |= 1;
		desc[i].next = one_in(16) ? rnd() : (u16)((i + 1) % RING_SIZE);
		avail[2 + i] = one_in(64) ? rnd() : (u16)i;
	}
	avail[0] = rnd() & 1;
	avail[1] = one_in(8) ? rnd() : rnd() % RING_SIZE;
}

/* In a packed ring the flags come last, and there is the id in their place. */
static void fill_packed(u8 *ring, u32 i)
{
	struct desc *desc = (struct desc *)ring + i;
	u16 flags = one_in(8) ? rnd() : (u16)(i & 1 ? 2 : i & 2);

	if (one_in(4) && !(i & 1))
		flags |= 1;
	desc->addr = garbage_addr();
	desc->len = one_in(32) ? rnd() : rnd() % 4096;
	desc->flags = rnd();
	desc->next = flags | (one_in(8) ? PACKED_USED : PACKED_AVAIL);
}

static void fill_packed_rings(u8 *ring)
{
	volatile u32 *driver = (u32 *)(ring + 0x4000);
	u32 i;

	for (i = 0; i < RING_SIZE; i++)
		fill_packed(ring, i);
	*driver = one_in(2) ? rnd() : rnd() % RING_SIZE | 0x20000;
}

static void set_queue(u8 *regs, u32 queue)
{
	u32 ring = PLAYGROUND + PLAYGROUND_SIZE + queue * RING_SPACE;
	int bad = one_in(16);

	if (packed)
		fill_packed_rings((u8 *)ring);
	else
		fill_rings((u8 *)ring);
	write16(regs, QUEUE_SELECT, (u16)queue);
	write16(regs, QUEUE_SIZE, one_in(16) ? rnd() : (u16)(1 << rnd() % 9));
	write16(regs, QUEUE_VECTOR, one_in(4) ? rnd() : (u16)queue);
	write32(regs, QUEUE_DESC, bad ? garbage_addr() : ring);
	write32(regs, QUEUE_DESC + 4, one_in(64) ? rnd() : 0);
	write32(regs, QUEUE_AVAIL, bad ? garbage_addr() : ring + 0x4000);
	write32(regs, QUEUE_AVAIL + 4, 0);
	write32(regs, QUEUE_USED, bad ? garbage_addr() : ring + 0x8000);
	write32(regs, QUEUE_USED + 4, 0);
	write16(regs, QUEUE_ENABLE, 1);
}

static void garbage_registers(u8 *regs)
{
	u32 n, at;

	for (n = rnd() % 16; n; n--) {
		at = one_in(4) ? rnd() % REGS_SIZE : rnd() % 0x40;
		switch (rnd() % 3) {
		case 0:
			write8(regs, at, rnd());
			break;
		case 1:
			write16(regs, at & ~1, rnd());
			break;
		default:
			write32(regs, at & ~3, rnd());
		}
	}
	for (n = rnd() % 8; n; n--)
		write32(regs + MSIX, rnd() % 0x1000 & ~3, rnd());
}

static void set_msix(u32 slot)
{
	u32 cap = config_read(slot, PCI_CAPS) & 0xfc;

	while (cap && (config_read(slot, cap) & 0xff) != PCI_CAP_MSIX)
		cap = config_read(slot, cap) >> 8 & 0xfc;
	if (cap)
		config_write(slot, cap, rnd() & 0xc0000000);
}

static void negotiate(u8 *regs)
{
	u32 half;

	write8(regs, STATUS, 0);
	write8(regs, STATUS, ACKNOWLEDGED);
	for (half = 0; half < 2; half++) {
		u32 features;

		write32(regs, DEVICE_SELECT, half);
		features = read32(regs, DEVICE_FEATURE);
		if (half && one_in(2))
			features &= ~RING_PACKED;
		packed = half && features & RING_PACKED;
		write32(regs, DRIVER_SELECT, half);
		write32(regs, DRIVER_FEATURE, one_in(16) ? rnd() :
			half ? features : features & rnd());
	}
	write8(regs, STATUS, ACKNOWLEDGED | FEATURES_OK);
}

static void round(u32 slot)
{
	u8 *regs = window(slot);
	u32 queues, i, n;

	negotiate(regs);
	queues = *(volatile u16 *)(regs + NUM_QUEUES);
	if (queues > QUEUES_MAX)
		queues = QUEUES_MAX;
	for (i = 0; i < queues; i++)
		set_queue(regs, i);
	if (one_in(4))
		set_msix(slot);
	write8(regs, STATUS, ACKNOWLEDGED | FEATURES_OK | DRIVER_OK);
	for (n = 0; n < 8; n++) {
		i = rnd() % queues;
		if (packed)
			fill_packed((u8 *)PLAYGROUND + PLAYGROUND_SIZE + i * RING_SPACE,
				    rnd() % RING_SIZE);
		else
			*(volatile u16 *)(PLAYGROUND + PLAYGROUND_SIZE + i * RING_SPACE +
					  0x4002) += (u16)(one_in(16) ? rnd() : rnd() % 8);
		write16(regs, NOTIFY + i * 4, (u16)i);
	}
	if (one_in(2))
		garbage_registers(regs);
	/* Time for its thread. */
	for (n = 0; n < 100 && !(read8(regs, STATUS) & NEEDS_RESET); n++)
		get8(0x80);
	if (read8(regs, STATUS) & NEEDS_RESET)
		resets++;
}

/* After all that it does what a reset says. Return: whether it does. */
static int works(u32 slot)
{
	u8 *regs = window(slot);

	write8(regs, STATUS, 0);
	if (read8(regs, STATUS))
		return 0;
	write32(regs, DEVICE_SELECT, 1);
	return read32(regs, DEVICE_FEATURE) & 1;	/* VIRTIO_F_VERSION_1 */
}

static int is_virtio(u32 slot)
{
	return (config_read(slot, 0) & 0xffff) == VIRTIO;
}

void break_virtio(void)
{
	u32 slot, i, devices = 0, working = 0;

	for (slot = 0; slot < PCI_SLOTS; slot++) {
		if (!is_virtio(slot))
			continue;
		devices++;
		config_write(slot, PCI_BAR0, (u32)window(slot));
		config_write(slot, PCI_BAR1, (u32)window(slot) + MSIX);
		config_write(slot, PCI_COMMAND, MEMORY_MASTER);
	}
	for (i = 0; i < ROUNDS; i++)
		for (slot = 0; slot < PCI_SLOTS; slot++)
			if (is_virtio(slot))
				round(slot);
	for (slot = 0; slot < PCI_SLOTS; slot++)
		if (is_virtio(slot))
			working += works(slot);
	print("virtio devices: ");
	print_number(devices);
	print(", in order after a reset: ");
	print_number(working);
	print("\nresets needed: ");
	print_number(resets);
}
