/* SPDX-License-Identifier: GPL-2.0-only */
/* A writer of ACPI machine language: as much as a small DSDT needs. */
#ifndef VMM_AML_H
#define VMM_AML_H

#include "libjoist/types.h"

#define AML_DEPTH_MAX	8
#define AML_SERIALIZED	BIT(3)	/* of a method's arguments: one call at a time */

/**
 * struct aml - a buffer being written
 * @buf: where to
 * @size: its bytes
 * @len: bytes written
 * @overflow: it did not fit; nothing was written beyond
 * @open: offsets of the packages not closed yet
 */
struct aml {
	u8 *buf;
	size_t size;
	size_t len;
	bool overflow;
	int depth;
	size_t open[AML_DEPTH_MAX];
};

/* Everything between an open and its aml_close() is inside of it. */
void aml_open_scope(struct aml *aml, const char *path);
void aml_open_device(struct aml *aml, const char *name);
void aml_open_package(struct aml *aml, u8 elements);
void aml_open_method(struct aml *aml, const char *name, u8 args);
void aml_close(struct aml *aml);

void aml_name(struct aml *aml, const char *name);	/* its value follows */
void aml_integer(struct aml *aml, u32 value);
void aml_string(struct aml *aml, const char *text);
void aml_eisa_id(struct aml *aml, const char *id);

/* In a method. */
void aml_create_dword(struct aml *aml, u8 arg, u8 offset, const char *name);
void aml_store_integer(struct aml *aml, u32 value, const char *name);
void aml_return_arg(struct aml *aml, u8 arg);
void aml_store_to_local(struct aml *aml, const char *name);	/* Local0 */
void aml_store_local(struct aml *aml, const char *name);
void aml_open_if_local_and(struct aml *aml, u32 mask);
void aml_notify(struct aml *aml, const char *name, u8 what);
void aml_call(struct aml *aml, const char *path);		/* without arguments */

/* Ports, and between an open and its aml_close() what is in them, a dword each. */
void aml_io_region(struct aml *aml, const char *name, u16 base, u8 len);
void aml_open_dword_field(struct aml *aml, const char *region);
void aml_field_dword(struct aml *aml, const char *name);

/* A resource template: a buffer, so open, descriptors, close. */
void aml_open_resources(struct aml *aml);
void aml_close_resources(struct aml *aml);
void aml_io(struct aml *aml, u16 base, u8 len);
void aml_irq(struct aml *aml, u8 irq);
void aml_bus_window(struct aml *aml, u16 first, u16 last);
void aml_io_window(struct aml *aml, u16 first, u16 last);
void aml_memory_window(struct aml *aml, u32 first, u32 last);
void aml_memory_window64(struct aml *aml, u64 base, u64 len);
void aml_memory(struct aml *aml, u32 base, u32 len);

#endif
