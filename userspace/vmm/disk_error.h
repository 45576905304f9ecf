/* SPDX-License-Identifier: GPL-2.0-only */
/* Errors of the host's disks: the guest has each as its own, and people hear of them too. */
#ifndef VMM_DISK_ERROR_H
#define VMM_DISK_ERROR_H

#include <pthread.h>

#include "vmm.h"

struct vm;

/**
 * struct disk_errors - what went wrong
 * @lock: protects the others
 * @nr: since the VM was started
 * @told: of them, how many the log knows
 * @last: errno of the last one
 * @when: ns, the log was told
 */
struct disk_errors {
	pthread_mutex_t lock;
	struct {
		u32 nr, told;
		int last;
		u64 when;
	} disk[VMM_DISKS_MAX];
};

void disk_errors_init(struct disk_errors *errors);
void disk_error(struct vm *vm, int disk, const char *path, int err);
void disk_error_end(struct vm *vm, int disk, const char *path);
u32 disk_error_count(struct vm *vm, int disk, int *last);

#endif
