/* SPDX-License-Identifier: GPL-2.0-only */
/* What the machine says of itself: maker, name, UUID, CPUs and memory. */
#ifndef VMM_SMBIOS_H
#define VMM_SMBIOS_H

#include "libjoist/types.h"

#define SMBIOS_FILE_TABLES	"etc/smbios/smbios-tables"
#define SMBIOS_FILE_ANCHOR	"etc/smbios/smbios-anchor"
#define SMBIOS_TABLES_SIZE	2048

struct vm;

/**
 * struct smbios - the structures, one behind the other
 * @used: bytes of @data
 * @overflow: they did not fit
 */
struct smbios {
	size_t used;
	bool overflow;
	u8 data[SMBIOS_TABLES_SIZE];
};

/* By this the guest finds them. */
struct smbios_anchor {
	char signature[5];
	u8 checksum;
	u8 length;
	u8 major, minor, revision;
	u8 entry_revision;
	u8 reserved;
	u32 size;
	u64 address;
} __packed;

_Static_assert(sizeof(struct smbios_anchor) == 24, "SMBIOS 5.2.2");

int smbios_tables(struct smbios *t, const struct vm *vm);
void smbios_anchor(struct smbios_anchor *anchor, const struct smbios *t, u64 gpa);
int smbios_place(struct vm *vm);

#endif
