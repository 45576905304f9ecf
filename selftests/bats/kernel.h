/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the tests' kernel share. */
#ifndef BATS_KERNEL_H
#define BATS_KERNEL_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static inline void put8(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void put16(u16 port, u16 value)
{
	asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void put32(u16 port, u32 value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 get8(u16 port)
{
	u8 value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u16 get16(u16 port)
{
	u16 value;

	asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u32 get32(u16 port)
{
	u32 value;

	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* kernel.c */
void print(const char *text);
void print_number(u32 value);
u8 read_byte(void);
/* What an interrupt or an exception calls, from assembly. */
void take_vector(u8 vector, void (*handler)(void));

/* virtio.c */
void break_virtio(void);

/* memory.c */
void keep_memory(u32 kib);

/* edu.c, and of start.S for it: what is called, and how often it was */
void edu_interrupt(void);
void on_edu(void);
extern volatile u32 edus;
void drive_edu(void);
void repeat_edu(void);
void attack_by_edu(void);

/* platform.c */
void read_fw_cfg(void);
void use_chipset(void);

/* esb.c */
void start_watchdog(void);

#endif
