// SPDX-License-Identifier: GPL-2.0-only
/* A guest that starts its watchdog and does not say that it is well. */
#include "kernel.h"

#define PCI_ADDRESS	0xcf8
#define PCI_DATA	0xcfc
#define WATCHDOG_ID	0x25ab8086
#define COMMAND		0x04
#define BAR0		0x10
#define CONFIG		0x60
#define LOCK		0x68
#define SLOTS		32
#define STAGE		150	/* ticks of a millisecond, about */
#define TIMED_OUT	(1 << 9)
#define A_WHILE		20000	/* accesses to a port that nobody has */

static void select(u32 slot, u32 reg)
{
	put32(PCI_ADDRESS, 0x80000000 | slot << 11 | reg);
}

static void unlock(volatile u8 *regs)
{
	*(volatile u16 *)(regs + 12) = 0x80;
	*(volatile u16 *)(regs + 12) = 0x86;
}

void start_watchdog(void)
{
	volatile u8 *regs;
	u32 slot, i;

	for (slot = 0; slot < SLOTS; slot++) {
		select(slot, 0);
		if (get32(PCI_DATA) == WATCHDOG_ID)
			break;
	}
	if (slot == SLOTS) {
		print("watchdog: none");
		return;
	}
	select(slot, BAR0);
	regs = (volatile u8 *)(get32(PCI_DATA) & ~15U);
	select(slot, COMMAND);
	put16(PCI_DATA, 2);
	for (i = 0; i < 2; i++) {
		unlock(regs);
		*(volatile u32 *)(regs + 4 * i) = STAGE;
	}
	select(slot, CONFIG);
	put16(PCI_DATA, 3);
	select(slot, LOCK);
	put8(PCI_DATA, 2);
	print("watchdog: started\n");
	while (!(*(volatile u16 *)(regs + 12) & TIMED_OUT))
		asm volatile("pause");
	for (i = 0; i < A_WHILE; i++)
		get8(0x80);
	print("watchdog: the guest goes on");
}
