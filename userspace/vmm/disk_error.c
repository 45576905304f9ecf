// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors of the host's disks. None is lost: they are counted, and both the log and the
 * frontend hear of the count, not each time but soon.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "console.h"
#include "disk_error.h"
#include "log.h"
#include "vm.h"

void disk_errors_init(struct disk_errors *errors)
{
	pthread_mutex_init(&errors->lock, NULL);
}

/* The lock is held. */
static void tell_log(struct vm *vm, int disk, const char *path)
{
	struct disk_errors *errors = &vm->disk_errors;
	u32 nr = errors->disk[disk].nr - errors->disk[disk].told;

	log_trouble("the disk %s: %s (%u request%s failed)",
		    path, strerror(errors->disk[disk].last), nr, nr == 1 ? "" : "s");
	errors->disk[disk].told = errors->disk[disk].nr;
}

/**
 * disk_error() - a request failed on the host
 * @vm: VM
 * @disk: which of its disks
 * @path: of its file
 * @err: -errno
 *
 * Any thread.
 */
void disk_error(struct vm *vm, int disk, const char *path, int err)
{
	struct disk_errors *errors = &vm->disk_errors;
	u64 now = now_ns();
	bool tell;

	pthread_mutex_lock(&errors->lock);
	errors->disk[disk].nr++;
	errors->disk[disk].last = -err;
	/* A guest that tries again and again must not fill the log. */
	tell = now - errors->disk[disk].when >= NS_PER_SECOND;
	if (tell) {
		errors->disk[disk].when = now;
		tell_log(vm, disk, path);
	}
	pthread_mutex_unlock(&errors->lock);
	if (tell)
		console_wake(vm->console);
}

/* No more will come: the log hears of those it was not told. */
void disk_error_end(struct vm *vm, int disk, const char *path)
{
	struct disk_errors *errors = &vm->disk_errors;

	pthread_mutex_lock(&errors->lock);
	if (errors->disk[disk].nr != errors->disk[disk].told)
		tell_log(vm, disk, path);
	pthread_mutex_unlock(&errors->lock);
}

/* Return: how many requests have failed; @last: the last one's errno. */
u32 disk_error_count(struct vm *vm, int disk, int *last)
{
	struct disk_errors *errors = &vm->disk_errors;
	u32 nr;

	pthread_mutex_lock(&errors->lock);
	nr = errors->disk[disk].nr;
	*last = errors->disk[disk].last;
	pthread_mutex_unlock(&errors->lock);
	return nr;
}
