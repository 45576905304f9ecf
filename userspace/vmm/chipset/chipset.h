/* SPDX-License-Identifier: GPL-2.0-only */
/* The board: which devices it has, and where. */
#ifndef VMM_CHIPSET_H
#define VMM_CHIPSET_H

#define PORT_I8042_DATA		0x60
#define PORT_I8042_COMMAND	0x64
#define PORT_RTC		0x70
#define PORT_SYSTEM_CONTROL	0x92
#define PORT_COM1		0x3f8
#define PORT_DEBUG		0x402
#define PORT_PANIC		0x505
#define PORT_FWCFG		0x510
#define PORT_PM			0x600	/* unless firmware moves it */
#define PORT_PCI_CONFIG		0xcf8
#define PORT_RESET		0xcf9
#define PORT_HOTPLUG		0xae00

struct pm;
struct vm;

int chipset_create(struct vm *vm);
void chipset_destroy(struct vm *vm);

/* The board's part of PCI bus 0. */
#define SLOT_HOST_BRIDGE	0
#define SLOT_LPC		31

/* reset.c */
int reset_create(struct vm *vm);

/* i8042.c */
int i8042_create(struct vm *vm);
void i8042_destroy(struct vm *vm);

/* debugcon.c */
int debugcon_create(struct vm *vm);

/* panic.c */
int panic_create(struct vm *vm);

/* debugexit.c */
int debugexit_create(struct vm *vm);

/* rtc.c */
int rtc_create(struct vm *vm);
void rtc_destroy(struct vm *vm);

#endif
