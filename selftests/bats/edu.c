// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that drives QEMU's "edu" device, which was the host's: registers, DMA, interrupts by
 * message and by line; and one that lets it write where the guest has no memory.
 */
#include "kernel.h"

#define PCI_ADDRESS	0xcf8
#define PCI_DATA	0xcfc
#define EDU_ID		0x11e81234
#define COMMAND		0x04
#define COMMAND_ON	0x06	/* memory, master */
#define BAR0		0x10
#define CAPS		0x34
#define CAP_MSI		0x05
#define SLOTS		32

#define EDU_LIVE	0x04
#define EDU_FACTORIAL	0x08
#define EDU_STATUS	0x20
#define EDU_COMPUTING	1
#define EDU_RAISE	0x60
#define EDU_ACK		0x64
#define EDU_DMA_FROM	0x80
#define EDU_DMA_TO	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_COMMAND	0x98
#define DMA_START	1
#define DMA_TO_MEMORY	2
#define EDU_BUFFER	0x40000

#define LAPIC		0xfee00000UL
#define LAPIC_SPURIOUS	0xf0
#define LAPIC_EOI	0xb0
#define LAPIC_ON	0x1ff
#define IOAPIC		0xfec00000UL
#define IOAPIC_DATA	(IOAPIC + 0x10)
#define IOAPIC_ENTRY(n)	(0x10 + 2 * (n))
#define LEVEL		(1 << 15)
#define VECTOR		0x40

#define PAGE		4096
#define BYTES		2048	/* of the page that the device has, not all: it stops QEMU */
#define INTERRUPTS	25
#define HOSTILE_FIRST	0x2000000U	/* above this guest's memory */
#define HOSTILE_LAST	0xfffffffU	/* the device reaches no further */
#define HOSTILE_STEP	0xb01000U

static volatile u8 *edu;
static u32 slot;

/* How often it interrupts until it is told that it has been heard. */
static u32 patience;

static u32 config_in(u32 reg)
{
	put32(PCI_ADDRESS, 0x80000000 | slot << 11 | (reg & ~3U));
	return get32(PCI_DATA) >> (reg & 3) * 8;
}

static void config_out(u32 reg, u32 value)
{
	put32(PCI_ADDRESS, 0x80000000 | slot << 11 | reg);
	put32(PCI_DATA, value);
}

static u32 in(u32 reg)
{
	return *(volatile u32 *)(edu + reg);
}

static void out(u32 reg, u32 value)
{
	*(volatile u32 *)(edu + reg) = value;
}

static volatile u32 *at(unsigned long address)
{
	return (volatile u32 *)address;
}

static void say(const char *what, u32 value)
{
	print("edu: ");
	print(what);
	print(" ");
	print_number(value);
	print("\n");
}

/* start.S has saved the registers. */
void edu_interrupt(void)
{
	edus++;
	if (!(edus % patience))
		out(EDU_ACK, 1);
	*at(LAPIC + LAPIC_EOI) = 0;
}

static int find(void)
{
	for (slot = 0; slot < SLOTS; slot++)
		if (config_in(0) == EDU_ID)
			break;
	if (slot == SLOTS) {
		print("edu: none\n");
		return 0;
	}
	edu = (volatile u8 *)(config_in(BAR0) & ~15U);
	config_out(COMMAND, COMMAND_ON);
	return 1;
}

static void take_interrupts(void)
{
	take_vector(VECTOR, on_edu);
	/* The old controller's are not for us. */
	put8(0x21, 0xff);
	put8(0xa1, 0xff);
	*at(LAPIC + LAPIC_SPURIOUS) = LAPIC_ON;
	asm volatile("sti");
}

/* Each is heard before the next is raised. */
static u32 raise(u32 times)
{
	u32 i, wait;

	edus = 0;
	for (i = 0; i < times; i++) {
		out(EDU_RAISE, 1);
		for (wait = 0; edus < (i + 1) * patience && wait < 3000000; wait++)
			asm volatile("pause");
	}
	/* And no more than that. */
	for (wait = 0; wait < 20000; wait++)
		get8(0x80);
	return edus;
}

static void use_message(int on)
{
	u32 cap = config_in(CAPS) & 0xff;

	while (cap && (config_in(cap) & 0xff) != CAP_MSI)
		cap = config_in(cap + 1) & 0xff;
	if (!cap) {
		print("edu: no MSI\n");
		return;
	}
	config_out(cap + 4, LAPIC);
	config_out(cap + 8, 0);
	config_out(cap + 12, VECTOR);
	config_out(cap, (config_in(cap) & ~(1U << 16)) | (u32)on << 16);
}

/* The line of the slot, which is not masked from here on. */
static void use_line(void)
{
	u32 gsi = slot & 2 ? 11 : 10;

	*at(IOAPIC) = IOAPIC_ENTRY(gsi) + 1;
	*at(IOAPIC_DATA) = 0;
	*at(IOAPIC) = IOAPIC_ENTRY(gsi);
	*at(IOAPIC_DATA) = VECTOR | LEVEL;
}

static void dma(u32 from, u32 to, u32 command)
{
	out(EDU_DMA_FROM, from);
	out(EDU_DMA_TO, to);
	out(EDU_DMA_COUNT, BYTES);
	out(EDU_DMA_COMMAND, command | DMA_START);
	while (in(EDU_DMA_COMMAND) & DMA_START)
		asm volatile("pause");
}

static u8 page[PAGE] __attribute((aligned(PAGE))), back[PAGE] __attribute((aligned(PAGE)));

/* There and back. Return: bytes that are not what they were. */
static u32 copy(void)
{
	u32 i, wrong = 0;

	for (i = 0; i < BYTES; i++)
		page[i] = (u8)(i * 7 + (i >> 8));
	dma((u32)page, EDU_BUFFER, 0);
	dma(EDU_BUFFER, (u32)back, DMA_TO_MEMORY);
	for (i = 0; i < BYTES; i++)
		wrong += back[i] != (u8)(i * 7 + (i >> 8));
	return wrong;
}

void drive_edu(void)
{
	if (!find())
		return;
	out(EDU_LIVE, 0x12345678);
	say("alive", in(EDU_LIVE) == ~0x12345678U);
	out(EDU_FACTORIAL, 10);
	while (in(EDU_STATUS) & EDU_COMPUTING)
		asm volatile("pause");
	say("factorial of 10:", in(EDU_FACTORIAL));
	say("bytes that DMA got wrong:", copy());
	take_interrupts();
	patience = 1;
	use_message(1);
	say("messages:", raise(INTERRUPTS));
	use_message(0);
	use_line();
	say("by the line:", raise(INTERRUPTS));
	/* It stays up until it is heard. */
	patience = 2;
	say("by the line, heard at the second time:", raise(INTERRUPTS));
	patience = 1;
	use_message(1);
	say("messages again:", raise(INTERRUPTS));
}

/* Its messages, once more for each byte that comes in but the dot. */
void repeat_edu(void)
{
	if (!find())
		return;
	take_interrupts();
	patience = 1;
	use_message(1);
	print("ready\n");
	while (read_byte() != '.')
		say("messages:", raise(INTERRUPTS));
}

/* What is the host's must stay as it is. */
void attack_by_edu(void)
{
	u32 to, nr = 0;

	if (!find())
		return;
	dma((u32)page, EDU_BUFFER, 0);
	for (to = HOSTILE_FIRST; to < HOSTILE_LAST; to += HOSTILE_STEP, nr++)
		dma(EDU_BUFFER, to, DMA_TO_MEMORY);
	say("attacks:", nr);
	say("bytes that DMA got wrong:", copy());
}
