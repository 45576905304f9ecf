/* SPDX-License-Identifier: GPL-2.0-only */
/* What is said of a disk beside its file: on command lines, in files and in JSON. */
#ifndef VMM_DISK_OPTIONS_H
#define VMM_DISK_OPTIONS_H

#include "libjoist/types.h"

#define DISK_SERIAL_MAX	20	/* as virtio has it */
#define DISK_QUEUES_MAX	16

enum disk_format { DISK_RAW, DISK_QCOW2 };

/**
 * struct disk_options - a disk's options; zeroes: the defaults
 * @readonly: the guest cannot write
 * @direct: past the host's page cache
 * @keep: the guest cannot give back space: discard=off
 * @format: enum disk_format; never found out by looking: a guest could write what is found
 * @queues: 0: one for each vCPU, up to DISK_QUEUES_DEFAULT
 * @iops: requests a second, 0: no limit
 * @bps: bytes a second, likewise
 * @serial: what the guest is told, or ""
 */
struct disk_options {
	bool readonly;
	bool direct;
	bool keep;
	u32 format;
	u32 queues;
	u64 iops;
	u64 bps;
	char serial[DISK_SERIAL_MAX + 1];
};

enum disk_option_type { DISK_OPTION_BOOL, DISK_OPTION_TEXT, DISK_OPTION_NUMBER };

/* Options by their names: what a loop over them needs to write them down. */
const char *disk_option_name(size_t i);
enum disk_option_type disk_option_type(const char *name);
bool disk_option_get(const struct disk_options *options, const char *name, u64 *number,
		     const char **text);
const char *disk_option_set(struct disk_options *options, const char *name,
			    const char *text);
bool disk_options_equal(const struct disk_options *a, const struct disk_options *b);
const char *disk_parse(char *text, struct disk_options *options);

#endif
