// SPDX-License-Identifier: GPL-2.0-only
/*
 * A multiboot kernel for the tests of vmctl: does what the last letter of its
 * command line asks.
 */
#include "kernel.h"

#define COM1		0x3f8
#define LSR_READY	1
#define DEBUG_EXIT	0xf4
#define PM1_CONTROL	0x604
#define PM1_STATUS	0x600
#define POWER_BUTTON	(1 << 8)
#define GPE0_STATUS	0x620
#define SLEEP_BUTTON	(1 << 2)
#define VECTORS		256
#define NMI_VECTOR	2
#define INTERRUPT_GATE	0x8e00
#define SLEEP_S5	(1 << 13)
#define WARM_BOOT	0x1234

/* As the multiboot specification has it; what we use of it. */
struct info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count;
	u32 *mods;
};

/* start.S */
extern volatile u32 nmis;
void on_nmi(void);

void print(const char *text)
{
	while (*text)
		put8(COM1, *text++);
}

void print_number(u32 value)
{
	char digits[11];
	int i = sizeof(digits) - 1;

	digits[i] = '\0';
	do {
		digits[--i] = '0' + value % 10;
		value /= 10;
	} while (value);
	print(digits + i);
}

void take_vector(u8 vector, void (*handler)(void))
{
	static struct {
		u16 low, selector, type, high;
	} idt[VECTORS];
	const struct {
		u16 limit;
		u32 base;
	} __attribute((packed)) table = { sizeof(idt) - 1, (u32)idt };
	u16 cs;

	asm volatile("mov %%cs, %0" : "=r"(cs));
	idt[vector].low = (u16)(u32)handler;
	idt[vector].high = (u32)handler >> 16;
	idt[vector].selector = cs;
	idt[vector].type = INTERRUPT_GATE;
	asm volatile("lidt %0" : : "m"(table));
}

static void stop(void)
{
	for (;;)
		asm volatile("cli; hlt");
}

static void triple_fault(void)
{
	static const struct {
		u16 limit;
		u32 base;
	} __attribute((packed)) none;

	asm volatile("lidt %0; int3" : : "m"(none));
}

u8 read_byte(void)
{
	while (!(get8(COM1 + 5) & LSR_READY))
		asm volatile("pause");
	return get8(COM1);
}

static void echo(void)
{
	u8 byte;

	print("ready\n");
	do {
		byte = read_byte();
		put8(COM1, byte);
	} while (byte != '.');
}

static void power_off(void)
{
	put16(PM1_CONTROL, SLEEP_S5);
}

static void await_button(void)
{
	print("ready\n");
	while (!(get16(PM1_STATUS) & POWER_BUTTON) && !(get16(GPE0_STATUS) & SLEEP_BUTTON))
		asm volatile("pause");
	print(get16(PM1_STATUS) & POWER_BUTTON ? "button\n" : "sleep button\n");
}

static void await_nmi(void)
{
	take_vector(NMI_VECTOR, on_nmi);
	print("waiting\n");
	while (!nmis)
		asm volatile("pause");
	print("NMI\n");
}

static void obey(char what, const struct info *info)
{
	switch (what) {
	case 'd':
		put8(DEBUG_EXIT, 42);
		break;
	case 'r':
		put8(0xcf9, 6);
		break;
	case 'k':
		put8(0x64, 0xfe);
		break;
	case 'a':
		put8(0x92, 1);
		break;
	case 't':
		triple_fault();
		break;
	case 'w':
		*(volatile u16 *)0x472 = WARM_BOOT;
		put8(0xcf9, 6);
		break;
	case 'P':
		put8(0x505, 1);
		break;
	case 'H':
		attack_by_edu();
		__attribute__((fallthrough));
	case 'h':
		print("ready\n");
		stop();
		break;
	case 'l':
		print("ready\n");
		for (;;)
			asm volatile("pause");
	case 'f':
		for (;;)
			print("0123456789abcdef0123456789abcdef0123456789abcdef\n");
	case 'e':
		echo();
		break;
	case 'b':
		await_button();
		break;
	case 'n':
		await_nmi();
		break;
	case 'g':
		start_watchdog();
		break;
	case 'E':
		drive_edu();
		break;
	case 'A':
		attack_by_edu();
		break;
	case 'M':
		repeat_edu();
		break;
	case 'v':
		break_virtio();
		break;
	case 's':
		keep_memory(info->mem_upper);
		break;
	case 'm':
		print("KiB above 1M: ");
		print_number(info->mem_upper);
		break;
	case 'i':
		print(info->mods_count ? (const char *)info->mods[0] : "none");
		break;
	case 'c':
		print("command line: ");
		print((const char *)info->cmdline);
		break;
	case 'q':
		read_fw_cfg();
		break;
	case 'R':
		use_chipset();
		break;
	case 'u':
		print("unclaimed: ");
		print_number(*(volatile u32 *)0xe0000000);
		print(" ");
		print_number(get8(0x2345));
		break;
	}
	print("\n");
	power_off();
}

void start_c(const struct info *info)
{
	const char *cmdline = (const char *)info->cmdline;
	char last = 0;

	while (*cmdline)
		last = *cmdline++;
	obey(last, info);
	stop();
}
