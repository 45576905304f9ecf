// SPDX-License-Identifier: GPL-2.0-only
/* virtio-blk: a disk that can be written, one that cannot. */
#include <linux/virtio_blk.h>
#include <string.h>
#include <unistd.h>

#include "target.h"
#include "vmm/backend/aio.h"

#define DISK_SIZE	(64UL << 10)
#define OPTION_READONLY	BIT(0)
#define OPTION_TWO	BIT(1)
#define OPTION_MORE	BIT(2)	/* queues */
#define OPTION_LIMITS	BIT(3)

static int disk = -1, other = -1;
static struct rings *rings;

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
		.file = { "disk", disk },
		.options = { .readonly = options->flags & OPTION_READONLY },
	};
	if (options->flags & OPTION_MORE)
		config->disk[0].options.queues = 3;
	if (options->flags & OPTION_LIMITS)
		config->disk[0].options.iops = config->disk[0].options.bps = 1000;
	config->disk[1] = (struct vmm_disk) {
		.file = { "other", other }, .options = { .readonly = true },
	};
	/* None: a kernel's ring does not wait for our fibers, threads do. */
	if (!rings)
		rings = rings_open(0);
	config->rings = rings;
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
