/* SPDX-License-Identifier: GPL-2.0-only */
/* A disk that is a plain file or a block device. */
#ifndef VMM_BACKEND_RAW_H
#define VMM_BACKEND_RAW_H

#include <sys/uio.h>

#include "libjoist/types.h"

struct vmm_file;

struct raw_disk {
	int fd;
	u64 size;	/* bytes, whole sectors */
	bool readonly;
};

#define SECTOR_SIZE	512

int raw_open(struct raw_disk *disk, const struct vmm_file *file, bool readonly);
void raw_close(struct raw_disk *disk);
int raw_rw(struct raw_disk *disk, const struct iovec *iov, int nr, u64 offset,
	   bool write);
int raw_flush(struct raw_disk *disk);

#endif
