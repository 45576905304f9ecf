// SPDX-License-Identifier: GPL-2.0-only
/* virtio-blk: a disk that can be written, one that cannot. */
#include <linux/virtio_blk.h>
#include <string.h>
#include <unistd.h>

#include "target.h"

#define DISK_SIZE	(64UL << 10)
#define OPTION_READONLY	BIT(0)
#define OPTION_TWO	BIT(1)
#define OPTION_KEEP	BIT(2)
#define OPTION_SERIAL	BIT(3)

static int disk = -1, other = -1;

/* @more: queues, in four bits; requests, and KiB, a second */
static struct disk_options options_of(const struct options *options)
{
	struct disk_options o = {
		.readonly = options->flags & OPTION_READONLY,
		.keep = options->flags & OPTION_KEEP,
		.queues = options->more & 15,
		.iops = options->more >> 4 & 63,
		.bps = (u64)(options->more >> 10) << 10,
	};

	if (options->flags & OPTION_SERIAL)
		memset(o.serial, 's', DISK_SERIAL_MAX);
	return o;
}

static void configure(struct vmm_config *config, const struct options *options)
{
	if (disk < 0) {
		disk = fuzz_memfd("disk", NULL, DISK_SIZE);
		other = fuzz_memfd("other", NULL, DISK_SIZE + 100);
	}
	/* Empty again: an input does the same each time. */
	if (ftruncate(disk, 0) || ftruncate(disk, DISK_SIZE))
		return;
	config->disk[0] = (struct vmm_disk) {
		.file = { "disk", disk }, .options = options_of(options),
	};
	config->disk[1] = (struct vmm_disk) {
		.file = { "other", other }, .options = { .readonly = true },
	};
	config->nr_disks = options->flags & OPTION_TWO ? 2 : 1;
}

/* d: the request's type, and its sector */
static u32 header(u8 *header, int queue, u64 d)
{
	struct virtio_blk_outhdr hdr = { .type = (u32)d, .sector = d >> 32 };

	(void)queue;
	memcpy(header, &hdr, sizeof(hdr));
	return sizeof(hdr);
}

const struct target target = { .configure = configure, .header = header, .status = true };
