// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flash memory with Intel's command set (Common Flash Memory Interface, and Intel's
 * application note 646): read, program a byte, erase a block, status, identification.
 * Whatever a guest writes leads to one of these or to a status of "bad command".
 */
#include <string.h>

#include "cfi.h"

#define CMD_ARRAY		0xff
#define CMD_PROGRAM		0x10
#define CMD_PROGRAM2		0x40
#define CMD_ERASE		0x20
#define CMD_ERASE_CONFIRM	0xd0
#define CMD_CLEAR_STATUS	0x50
#define CMD_STATUS		0x70
#define CMD_ID			0x90
#define CMD_QUERY		0x98

#define STATUS_READY		BIT(7)
#define STATUS_BAD_ERASE	BIT(5)
#define STATUS_BAD_PROGRAM	BIT(4)

#define ID_INTEL		0x89
#define ID_DEVICE		0x18
#define QUERY_START		0x10
#define BLOCK_UNITS		(CFI_BLOCK / 256)

void cfi_init(struct cfi *cfi, u8 *data, u32 size)
{
	*cfi = (struct cfi) { .data = data, .size = size, .mode = CMD_ARRAY };
}

/* Whether reads show the contents, and nothing of the commands. */
bool cfi_is_array(const struct cfi *cfi)
{
	return cfi->mode == CMD_ARRAY;
}

/* The query table: Intel's basic set, one region of equal blocks. */
static u8 query(const struct cfi *cfi, u32 offset)
{
	const u32 blocks = cfi->size / CFI_BLOCK - 1;
	const u8 table[] = {
		'Q', 'R', 'Y', 0x01, 0x00,	/* basic command set */
		0x31, 0x00,			/* its own table, which is empty */
		0, 0, 0, 0,			/* no second set */
		0x45, 0x55, 0, 0,		/* volts */
		1, 0, 10, 0,			/* 2^n microseconds, milliseconds */
		4, 0, 4, 0,
		(u8)(31 - __builtin_clz(cfi->size)),
		0, 0,				/* eight bits wide */
		0, 0,				/* no write buffer */
		1, (u8)blocks, (u8)(blocks >> 8),
		(u8)BLOCK_UNITS, BLOCK_UNITS >> 8,
		'P', 'R', 'I', '1', '0',
	};

	if (offset < QUERY_START || offset - QUERY_START >= sizeof(table))
		return 0;
	return table[offset - QUERY_START];
}

/**
 * cfi_read() - read a byte
 * @cfi: chip
 * @offset: inside of it
 */
u8 cfi_read(const struct cfi *cfi, u32 offset)
{
	switch (cfi->mode) {
	case CMD_ARRAY:
		return cfi->data[offset];
	case CMD_ID:
		return offset & 1 ? ID_DEVICE : ID_INTEL;
	case CMD_QUERY:
		return query(cfi, offset);
	default:
		return cfi->status;
	}
}

static void changed(struct cfi *cfi, u32 start, u32 len)
{
	if (cfi->dirty_start == cfi->dirty_end) {
		cfi->dirty_start = start;
		cfi->dirty_end = start + len;
		return;
	}
	cfi->dirty_start = min(cfi->dirty_start, start);
	cfi->dirty_end = max(cfi->dirty_end, start + len);
}

static void second_write(struct cfi *cfi, u32 offset, u8 value)
{
	u32 block = offset & ~(CFI_BLOCK - 1U);

	if (cfi->setup == CMD_PROGRAM) {
		cfi->data[offset] &= value;	/* bits are only ever cleared */
		changed(cfi, offset, 1);
	} else if (value == CMD_ERASE_CONFIRM) {
		memset(cfi->data + block, 0xff, CFI_BLOCK);
		changed(cfi, block, CFI_BLOCK);
	} else {
		cfi->status |= STATUS_BAD_ERASE | STATUS_BAD_PROGRAM;
	}
	cfi->status |= STATUS_READY;
	cfi->setup = 0;
}

/**
 * cfi_write() - write a byte: a command, or what one waits for
 * @cfi: chip
 * @offset: inside of it
 * @value: of any origin
 */
void cfi_write(struct cfi *cfi, u32 offset, u8 value)
{
	if (cfi->setup) {
		second_write(cfi, offset, value);
		return;
	}
	switch (value) {
	case CMD_PROGRAM:
	case CMD_PROGRAM2:
		cfi->setup = CMD_PROGRAM;
		cfi->mode = CMD_STATUS;
		break;
	case CMD_ERASE:
		cfi->setup = CMD_ERASE;
		cfi->mode = CMD_STATUS;
		break;
	case CMD_CLEAR_STATUS:
		/* Not even ready: by that OVMF tells flash from RAM and ROM. */
		cfi->status = 0;
		cfi->mode = CMD_ARRAY;
		break;
	case CMD_STATUS:
	case CMD_ID:
	case CMD_QUERY:
	case CMD_ARRAY:
		cfi->mode = value;
		break;
	default:
		cfi->status |= STATUS_READY | STATUS_BAD_ERASE | STATUS_BAD_PROGRAM;
		cfi->mode = CMD_STATUS;
	}
}
