// SPDX-License-Identifier: GPL-2.0-only
/* Writer of ACPI machine language (ACPI specification, chapters 6.4 and 20). */
#include <string.h>

#include "aml.h"

#define OP_NAME		0x08
#define OP_BYTE		0x0a
#define OP_DWORD	0x0c
#define OP_STRING	0x0d
#define OP_SCOPE	0x10
#define OP_BUFFER	0x11
#define OP_PACKAGE	0x12
#define OP_METHOD	0x14
#define OP_DUAL_NAME	0x2e
#define OP_MULTI_NAME	0x2f
#define OP_LOCAL0	0x60
#define OP_ARG0		0x68
#define OP_STORE	0x70
#define OP_AND		0x7b
#define OP_NOTIFY	0x86
#define OP_CREATE_DWORD	0x8a
#define OP_IF		0xa0
#define OP_RETURN	0xa4
#define OP_EXT		0x5b
#define OP_EXT_REGION	0x80
#define OP_EXT_FIELD	0x81
#define OP_EXT_DEVICE	0x82
#define NO_TARGET	0

#define SPACE_IO	1
#define FIELD_DWORD	3	/* of that width, not locked, and the rest is kept */
#define FIELD_BITS	32

/* Package lengths are always written in three bytes: they are patched later. */
#define PKG_BYTES	3
#define PKG_THREE	0x80

#define NAME_SEG	4

#define RES_IO		0x47
#define RES_IRQ		0x22
#define RES_END		0x79
#define RES_MEM_FIXED	0x86
#define RES_DWORD	0x87
#define RES_WORD	0x88
#define RES_QWORD	0x8a
#define RES_WORD_LEN	13
#define RES_DWORD_LEN	23
#define RES_QWORD_LEN	43
#define RES_FIXED_LEN	9
#define RES_MEMORY	0
#define RES_IO_RANGE	1
#define RES_BUS		2
#define RES_FIXED	0x0c	/* both ends are fixed, positively decoded */
#define RES_IO_ENTIRE	3
#define RES_MEM_RW	1
#define IO_DECODE16	1

static void put8(struct aml *aml, u8 value)
{
	if (aml->len == aml->size) {
		aml->overflow = true;
		return;
	}
	aml->buf[aml->len++] = value;
}

static void put16(struct aml *aml, u16 value)
{
	put8(aml, (u8)value);
	put8(aml, (u8)(value >> 8));
}

static void put32(struct aml *aml, u32 value)
{
	put16(aml, (u16)value);
	put16(aml, (u16)(value >> 16));
}

static void put64(struct aml *aml, u64 value)
{
	put32(aml, (u32)value);
	put32(aml, (u32)(value >> 32));
}

static void put_length(struct aml *aml, size_t at, size_t len)
{
	if (aml->overflow)
		return;
	aml->buf[at] = (u8)(PKG_THREE | (len & 0x0f));
	aml->buf[at + 1] = (u8)(len >> 4);
	aml->buf[at + 2] = (u8)(len >> 12);
}

static void open_length(struct aml *aml)
{
	int i;

	if (aml->depth == AML_DEPTH_MAX) {
		aml->overflow = true;
		return;
	}
	aml->open[aml->depth++] = aml->len;
	for (i = 0; i < PKG_BYTES; i++)
		put8(aml, 0);
}

void aml_close(struct aml *aml)
{
	size_t at;

	if (!aml->depth) {
		aml->overflow = true;
		return;
	}
	at = aml->open[--aml->depth];
	put_length(aml, at, aml->len - at);
}

static u8 count_segments(const char *path)
{
	u8 nr = 1;

	for (; *path; path++)
		if (*path == '.')
			nr++;
	return nr;
}

/* "\_SB.PCI0": a root mark, how many segments, and each of them padded with "_". */
static void put_path(struct aml *aml, const char *path)
{
	u8 nr = count_segments(path);
	size_t i, len;

	if (*path == '\\')
		put8(aml, (u8)*path++);
	if (nr == 2) {
		put8(aml, OP_DUAL_NAME);
	} else if (nr > 2) {
		put8(aml, OP_MULTI_NAME);
		put8(aml, nr);
	}
	for (; nr; nr--) {
		len = strcspn(path, ".");
		for (i = 0; i < NAME_SEG; i++)
			put8(aml, i < len ? (u8)path[i] : '_');
		path += len + 1;
	}
}

void aml_open_scope(struct aml *aml, const char *path)
{
	put8(aml, OP_SCOPE);
	open_length(aml);
	put_path(aml, path);
}

void aml_open_device(struct aml *aml, const char *name)
{
	put8(aml, OP_EXT);
	put8(aml, OP_EXT_DEVICE);
	open_length(aml);
	put_path(aml, name);
}

void aml_open_package(struct aml *aml, u8 elements)
{
	put8(aml, OP_PACKAGE);
	open_length(aml);
	put8(aml, elements);
}

void aml_open_method(struct aml *aml, const char *name, u8 args)
{
	put8(aml, OP_METHOD);
	open_length(aml);
	put_path(aml, name);
	put8(aml, args);
}

void aml_name(struct aml *aml, const char *name)
{
	put8(aml, OP_NAME);
	put_path(aml, name);
}

void aml_integer(struct aml *aml, u32 value)
{
	if (value <= 1) {
		put8(aml, (u8)value);	/* ZeroOp, OneOp */
	} else if (value <= 0xff) {
		put8(aml, OP_BYTE);
		put8(aml, (u8)value);
	} else {
		put8(aml, OP_DWORD);
		put32(aml, value);
	}
}

void aml_string(struct aml *aml, const char *text)
{
	put8(aml, OP_STRING);
	do {
		put8(aml, (u8)*text);
	} while (*text++);
}

static u32 hex_digit(char c)
{
	return (u32)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* "PNP0A03": three letters in five bits each and four hex digits, big-endian. */
void aml_eisa_id(struct aml *aml, const char *id)
{
	u32 value = 0;
	int i;

	for (i = 0; i < 3; i++)
		value = value << 5 | (u32)(id[i] - '@');
	for (; i < 7; i++)
		value = value << 4 | hex_digit(id[i]);
	put8(aml, OP_DWORD);
	put32(aml, __builtin_bswap32(value));
}

/* CreateDWordField(ArgN, offset, name) */
void aml_create_dword(struct aml *aml, u8 arg, u8 offset, const char *name)
{
	put8(aml, OP_CREATE_DWORD);
	put8(aml, (u8)(OP_ARG0 + arg));
	aml_integer(aml, offset);
	put_path(aml, name);
}

void aml_store_integer(struct aml *aml, u32 value, const char *name)
{
	put8(aml, OP_STORE);
	aml_integer(aml, value);
	put_path(aml, name);
}

void aml_return_arg(struct aml *aml, u8 arg)
{
	put8(aml, OP_RETURN);
	put8(aml, (u8)(OP_ARG0 + arg));
}

void aml_store_to_local(struct aml *aml, const char *name)
{
	put8(aml, OP_STORE);
	put_path(aml, name);
	put8(aml, OP_LOCAL0);
}

void aml_store_local(struct aml *aml, const char *name)
{
	put8(aml, OP_STORE);
	put8(aml, OP_LOCAL0);
	put_path(aml, name);
}

/* If (Local0 & mask) */
void aml_open_if_local_and(struct aml *aml, u32 mask)
{
	put8(aml, OP_IF);
	open_length(aml);
	put8(aml, OP_AND);
	put8(aml, OP_LOCAL0);
	aml_integer(aml, mask);
	put8(aml, NO_TARGET);
}

void aml_notify(struct aml *aml, const char *name, u8 what)
{
	put8(aml, OP_NOTIFY);
	put_path(aml, name);
	aml_integer(aml, what);
}

void aml_call(struct aml *aml, const char *path)
{
	put_path(aml, path);
}

void aml_io_region(struct aml *aml, const char *name, u16 base, u8 len)
{
	put8(aml, OP_EXT);
	put8(aml, OP_EXT_REGION);
	put_path(aml, name);
	put8(aml, SPACE_IO);
	aml_integer(aml, base);
	aml_integer(aml, len);
}

void aml_open_dword_field(struct aml *aml, const char *region)
{
	put8(aml, OP_EXT);
	put8(aml, OP_EXT_FIELD);
	open_length(aml);
	put_path(aml, region);
	put8(aml, FIELD_DWORD);
}

void aml_field_dword(struct aml *aml, const char *name)
{
	put_path(aml, name);
	put8(aml, FIELD_BITS);
}

void aml_open_resources(struct aml *aml)
{
	put8(aml, OP_BUFFER);
	open_length(aml);
	/* The buffer's size, patched when it is closed. */
	put8(aml, OP_DWORD);
	put32(aml, 0);
}

void aml_close_resources(struct aml *aml)
{
	size_t start;
	u32 size;

	put8(aml, RES_END);
	put8(aml, 0);		/* no checksum */
	if (aml->overflow || !aml->depth)
		return;
	start = aml->open[aml->depth - 1] + PKG_BYTES + 1;
	size = (u32)(aml->len - start - sizeof(size));
	memcpy(aml->buf + start, &size, sizeof(size));
	aml_close(aml);
}

void aml_io(struct aml *aml, u16 base, u8 len)
{
	put8(aml, RES_IO);
	put8(aml, IO_DECODE16);
	put16(aml, base);
	put16(aml, base);
	put8(aml, 1);
	put8(aml, len);
}

void aml_irq(struct aml *aml, u8 irq)
{
	put8(aml, RES_IRQ);
	put16(aml, (u16)(1U << irq));
}

static void word_window(struct aml *aml, u8 type, u8 flags, u16 first, u16 last)
{
	put8(aml, RES_WORD);
	put16(aml, RES_WORD_LEN);
	put8(aml, type);
	put8(aml, RES_FIXED);
	put8(aml, flags);
	put16(aml, 0);		/* granularity */
	put16(aml, first);
	put16(aml, last);
	put16(aml, 0);		/* translation */
	put16(aml, (u16)(last - first + 1));
}

void aml_bus_window(struct aml *aml, u16 first, u16 last)
{
	word_window(aml, RES_BUS, 0, first, last);
}

void aml_io_window(struct aml *aml, u16 first, u16 last)
{
	word_window(aml, RES_IO_RANGE, RES_IO_ENTIRE, first, last);
}

void aml_memory_window(struct aml *aml, u32 first, u32 last)
{
	put8(aml, RES_DWORD);
	put16(aml, RES_DWORD_LEN);
	put8(aml, RES_MEMORY);
	put8(aml, RES_FIXED);
	put8(aml, RES_MEM_RW);
	put32(aml, 0);
	put32(aml, first);
	put32(aml, last);
	put32(aml, 0);
	put32(aml, last - first + 1);
}

void aml_memory_window64(struct aml *aml, u64 base, u64 len)
{
	put8(aml, RES_QWORD);
	put16(aml, RES_QWORD_LEN);
	put8(aml, RES_MEMORY);
	put8(aml, RES_FIXED);
	put8(aml, RES_MEM_RW);
	put64(aml, 0);
	put64(aml, base);
	put64(aml, base + len - 1);
	put64(aml, 0);
	put64(aml, len);
}

/* Memory of a device that is where it is. */
void aml_memory(struct aml *aml, u32 base, u32 len)
{
	put8(aml, RES_MEM_FIXED);
	put16(aml, RES_FIXED_LEN);
	put8(aml, RES_MEM_RW);
	put32(aml, base);
	put32(aml, len);
}
