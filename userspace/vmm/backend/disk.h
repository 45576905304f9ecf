/* SPDX-License-Identifier: GPL-2.0-only */
/* What a disk's bytes are kept in. */
#ifndef VMM_BACKEND_DISK_H
#define VMM_BACKEND_DISK_H

#include <sys/types.h>

#include "libjoist/types.h"

#define SECTOR_SIZE	512

struct vmm_disk;

/**
 * struct disk - an open disk
 * @fd: the file or block device; or a socket, see @nbd
 * @nbd: it is another process's: @fd speaks NBD
 * @pid: that process, if it is our child; else 0
 * @path: for messages
 * @size: bytes, whole blocks; atomic: it may be resized
 * @block: what the guest shall read and write at least, a power of two
 * @readonly: no writes
 * @direct: @fd goes past the page cache: memory and lengths are aligned to @block
 * @can_flush: there is anything to flush
 * @can_discard: holes can be punched
 * @writes_at_once: a write goes to the page cache: the kernel's asynchronous ways would
 *                  hand each to a thread of theirs, which costs more than to do it
 */
struct disk {
	int fd;
	bool nbd;
	pid_t pid;
	const char *path;
	u64 size;
	u32 block;
	bool readonly;
	bool direct;
	bool can_flush;
	bool can_discard;
	bool writes_at_once;
};

int disk_open(struct disk *disk, const struct vmm_disk *config);
int disk_open_image(struct disk *disk, const struct vmm_disk *config);
int disk_resize(struct disk *disk, u64 size);
void disk_close(struct disk *disk);

static inline u64 disk_size(const struct disk *disk)
{
	return __atomic_load_n(&disk->size, __ATOMIC_RELAXED);
}

#endif
