// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fw_cfg device (QEMU's specification of it, docs/specs/fw_cfg): a key selects an
 * item, a port shows it byte by byte, or a request in the guest's memory has it copied.
 * Nothing of it can be written.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../memory.h"
#include "fwcfg.h"

/* Offsets of the ports. */
#define SELECTOR	0
#define DATA		1
#define DMA_HIGH	4
#define DMA_LOW		8

#define KEY_SIGNATURE	0x0000
#define KEY_ID		0x0001
#define KEY_FILES	0x0019
#define ID_PORTS	BIT(0)
#define ID_DMA		BIT(1)

/* What the DMA address reads as: "QEMU CFG". */
#define DMA_SIGNATURE	0x51454d5520434647ULL

#define DMA_ERROR	BIT(0)
#define DMA_READ	BIT(1)
#define DMA_SKIP	BIT(2)
#define DMA_SELECT	BIT(3)
#define DMA_WRITE	BIT(4)

/* Big-endian, as all of the interface but the items themselves. */
struct dma_request {
	u32 control;
	u32 length;
	u64 address;
} __packed;

struct directory_entry {
	u32 size;
	u16 key;
	u16 reserved;
	char name[FWCFG_NAME_MAX];
} __packed;

_Static_assert(sizeof(struct dma_request) == 16, "fw_cfg: DMA");
_Static_assert(sizeof(struct directory_entry) == 64, "fw_cfg: file directory");

static void select_item(struct fwcfg *fw, u16 key)
{
	int i;

	fw->current = NULL;
	fw->offset = 0;
	for (i = 0; i < fw->nr_items; i++)
		if (fw->item[i].key == key)
			fw->current = &fw->item[i];
	if (fw->current && fw->current->refresh)
		fw->current->refresh(fw, fw->current);
}

/* The item's next bytes; beyond its end it is zeroes. */
static void take(struct fwcfg *fw, u8 *to, u32 len)
{
	u32 left = fw->current ? fw->current->size - fw->offset : 0;
	u32 n = min(left, len);

	if (to && n)
		memcpy(to, fw->current->data + fw->offset, n);
	if (to)
		memset(to + n, 0, len - n);
	fw->offset += n;
}

/* Return: the request's control word: it is done. */
static u32 serve(struct fwcfg *fw, u32 control, u64 gpa, u32 len)
{
	u8 *to = NULL;

	if (control & DMA_SELECT)
		select_item(fw, (u16)(control >> 16));
	if (control & DMA_READ) {
		to = memory_ptr(fw->mem, gpa, len);
		if (!to)
			return DMA_ERROR;
	} else if (control & DMA_WRITE) {
		return DMA_ERROR;
	} else if (!(control & DMA_SKIP)) {
		return 0;
	}
	take(fw, to, len);
	return 0;
}

static void run_dma(struct fwcfg *fw)
{
	struct dma_request req;
	u64 gpa = fw->dma;
	u32 control;

	fw->dma = 0;
	if (memory_read(fw->mem, gpa, &req, sizeof(req)))
		return;
	control = serve(fw, be32toh(req.control), be64toh(req.address),
			be32toh(req.length));
	control = htobe32(control);
	memory_write(fw->mem, gpa, &control, sizeof(control));
}

static void read_signature(u64 offset, void *data, unsigned int len)
{
	u64 signature = htobe64(DMA_SIGNATURE);

	memcpy(data, (u8 *)&signature + (offset - DMA_HIGH), len);
}

void fwcfg_port_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct fwcfg *fw = ctx;

	if (offset >= DMA_HIGH) {
		read_signature(offset, data, len);
		return;
	}
	/* The selector's low byte is only written: its port is the data's first. */
	if (offset != DATA || len != 1)
		return;
	pthread_mutex_lock(&fw->lock);
	take(fw, data, len);
	pthread_mutex_unlock(&fw->lock);
}

void fwcfg_port_write(void *ctx, u64 offset, const void *data, unsigned int len)
{
	struct fwcfg *fw = ctx;
	u16 key;
	u32 half;

	pthread_mutex_lock(&fw->lock);
	if (offset == SELECTOR && len == sizeof(key)) {
		memcpy(&key, data, sizeof(key));
		select_item(fw, key);
	} else if (offset == DMA_HIGH && len == sizeof(half)) {
		memcpy(&half, data, sizeof(half));
		fw->dma = (u64)be32toh(half) << 32;
	} else if (offset == DMA_LOW && len == sizeof(half)) {
		memcpy(&half, data, sizeof(half));
		fw->dma |= be32toh(half);
		run_dma(fw);
	}
	pthread_mutex_unlock(&fw->lock);
}

/**
 * fwcfg_init() - a device that knows nothing but what it is
 * @fw: zeroed
 * @mem: the guest's memory
 */
void fwcfg_init(struct fwcfg *fw, const struct memory *mem)
{
	const u32 id = htole32(ID_PORTS | ID_DMA);

	fw->mem = mem;
	pthread_mutex_init(&fw->lock, NULL);
	fwcfg_add(fw, KEY_SIGNATURE, "QEMU", 4);
	fwcfg_add(fw, KEY_ID, &id, sizeof(id));
}

void fwcfg_free(struct fwcfg *fw)
{
	int i;

	for (i = 0; i < fw->nr_items; i++)
		free(fw->item[i].data);
	fw->nr_items = 0;
}

/**
 * fwcfg_add() - have it know something
 * @fw: device, before the guest runs
 * @key: by which it is asked for
 * @data: contents, copied
 * @size: its bytes
 *
 * Return: NULL: no memory, or too many; fwcfg_finish() fails then.
 */
struct fwcfg_item *fwcfg_add(struct fwcfg *fw, u16 key, const void *data,
			     size_t size)
{
	struct fwcfg_item *item = &fw->item[fw->nr_items];

	if (fw->nr_items == FWCFG_ITEMS_MAX)
		return NULL;
	*item = (struct fwcfg_item) { .key = key, .size = (u32)size };
	item->data = malloc(size + !size);
	if (!item->data)
		return NULL;
	memcpy(item->data, data, size);
	fw->nr_items++;
	return item;
}

/* Likewise, under a name in the file directory. */
struct fwcfg_item *fwcfg_add_file(struct fwcfg *fw, const char *name,
				  const void *data, size_t size)
{
	struct fwcfg_item *item;

	item = fwcfg_add(fw, (u16)(FWCFG_FILE_FIRST + fw->nr_items), data, size);
	if (item)
		strncpy(item->name, name, sizeof(item->name) - 1);
	return item;
}

/* The directory, once all files are there. Return: 0 or -ENOMEM. */
int fwcfg_finish(struct fwcfg *fw)
{
	struct {
		u32 count;
		struct directory_entry entry[FWCFG_ITEMS_MAX];
	} __packed dir = { 0 };
	u32 nr = 0;
	int i;

	for (i = 0; i < fw->nr_items; i++) {
		const struct fwcfg_item *item = &fw->item[i];

		if (!item->name[0])
			continue;
		dir.entry[nr].size = htobe32(item->size);
		dir.entry[nr].key = htobe16(item->key);
		memcpy(dir.entry[nr++].name, item->name, FWCFG_NAME_MAX);
	}
	dir.count = htobe32(nr);
	return fwcfg_add(fw, KEY_FILES, &dir,
			 sizeof(dir.count) + nr * sizeof(dir.entry[0])) ?
	       0 : -ENOMEM;
}
