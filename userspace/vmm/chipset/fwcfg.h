/* SPDX-License-Identifier: GPL-2.0-only */
/* fw_cfg: what firmware for virtual machines asks the board about. */
#ifndef VMM_FWCFG_H
#define VMM_FWCFG_H

#include <pthread.h>

#include "libjoist/types.h"

#define FWCFG_PORTS	12
#define FWCFG_NAME_MAX	56
#define FWCFG_ITEMS_MAX	24
#define FWCFG_FILE_FIRST 0x20

struct acpi_tables;
struct fwcfg;
struct memory;
struct vm;

/**
 * struct fwcfg_item - one thing it knows
 * @key: by which it is asked for
 * @name: of a file; empty: it is none
 * @data: contents
 * @size: its bytes; constant, because the guest may have seen it
 * @refresh: @data is to be written anew, the guest begins to read it; may be NULL
 */
struct fwcfg_item {
	u16 key;
	char name[FWCFG_NAME_MAX];
	u8 *data;
	u32 size;
	void (*refresh)(struct fwcfg *fw, struct fwcfg_item *item);
};

/**
 * struct fwcfg - the device
 * @lock: protects all below
 * @current: item that is read, or NULL
 * @offset: its next byte
 * @dma: guest physical address of a request, as far as it is written
 */
struct fwcfg {
	struct vm *vm;
	const struct memory *mem;
	pthread_mutex_t lock;
	struct fwcfg_item *current;
	u32 offset;
	u64 dma;
	struct acpi_tables *tables;
	int nr_items;
	struct fwcfg_item item[FWCFG_ITEMS_MAX];
};

/* The device; its contents are fwcfg_files.c's. */
void fwcfg_init(struct fwcfg *fw, const struct memory *mem);
void fwcfg_free(struct fwcfg *fw);
struct fwcfg_item *fwcfg_add(struct fwcfg *fw, u16 key, const void *data,
			     size_t size);
struct fwcfg_item *fwcfg_add_file(struct fwcfg *fw, const char *name,
				  const void *data, size_t size);
int fwcfg_finish(struct fwcfg *fw);
void fwcfg_port_read(void *ctx, u64 offset, void *data, unsigned int len);
void fwcfg_port_write(void *ctx, u64 offset, const void *data, unsigned int len);

int fwcfg_create(struct vm *vm);
void fwcfg_destroy(struct vm *vm);

#endif
