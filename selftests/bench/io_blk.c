// SPDX-License-Identifier: GPL-2.0-only
/* Random blocks of 4 KiB of a disk, past the guest's cache, one or many at a time. */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io.h"

#define BLOCK	4096
#define DEPTH	16

/**
 * struct disk - the disk at work
 * @blocks: how many it has
 * @seed: of the blocks chosen: the same ones on every run
 * @buf: DEPTH blocks
 */
struct disk {
	int fd;
	uint64_t blocks;
	uint32_t seed;
	char *buf;
};

static int disk_open(struct disk *disk, const char *path)
{
	uint64_t size;

	disk->seed = 1;
	disk->fd = open(path, O_RDWR | O_DIRECT);
	if (disk->fd < 0 || ioctl(disk->fd, BLKGETSIZE64, &size))
		return -1;
	disk->blocks = size / BLOCK;
	disk->buf = aligned_alloc(BLOCK, DEPTH * BLOCK);
	return disk->buf ? 0 : -1;
}

static int disk_close(struct disk *disk, int ret)
{
	int err = errno;

	free(disk->buf);
	if (disk->fd >= 0)
		close(disk->fd);
	errno = err;
	return ret;
}

static off_t any_block(struct disk *disk)
{
	disk->seed = disk->seed * 1664525 + 1013904223;
	return (off_t)((disk->seed >> 8) % disk->blocks * BLOCK);
}

static int one_at_a_time(const char *path, unsigned int n, int write)
{
	struct disk disk = { .fd = -1 };
	ssize_t done;

	if (disk_open(&disk, path))
		return disk_close(&disk, -1);
	while (n--) {
		off_t at = any_block(&disk);

		done = write ? pwrite(disk.fd, disk.buf, BLOCK, at) :
			       pread(disk.fd, disk.buf, BLOCK, at);
		if (done != BLOCK)
			return disk_close(&disk, -1);
	}
	return disk_close(&disk, 0);
}

static void prepare(struct disk *disk, struct iocb *cb, unsigned int slot, int write)
{
	*cb = (struct iocb) {
		.aio_data = slot,
		.aio_lio_opcode = write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
		.aio_fildes = disk->fd,
		.aio_buf = (uintptr_t)(disk->buf + slot * BLOCK),
		.aio_nbytes = BLOCK,
		.aio_offset = any_block(disk),
	};
}

/* Keep DEPTH in flight: what has come back goes out again, all of it at once. */
static int keep_busy(struct disk *disk, aio_context_t ctx, unsigned int n, int write)
{
	struct iocb cb[DEPTH], *list[DEPTH];
	struct io_event event[DEPTH];
	unsigned int flight = 0, nr = 0, i;

	for (i = 0; i < DEPTH && i < n; i++, nr++) {
		prepare(disk, &cb[i], i, write);
		list[nr] = &cb[i];
	}
	n -= nr;
	while (nr || flight) {
		long got;

		if (nr && syscall(SYS_io_submit, ctx, (long)nr, list) != (long)nr)
			return -1;
		flight += nr;
		got = syscall(SYS_io_getevents, ctx, 1L, (long)DEPTH, event, NULL);
		if (got < 1)
			return -1;
		flight -= (unsigned int)got;
		for (nr = 0; got--;) {
			if (event[got].res != BLOCK)
				return -1;
			if (!n)
				continue;
			i = (unsigned int)event[got].data;
			prepare(disk, &cb[i], i, write);
			list[nr++] = &cb[i];
			n--;
		}
	}
	return 0;
}

static int many_at_a_time(const char *path, unsigned int n, int write)
{
	struct disk disk = { .fd = -1 };
	aio_context_t ctx = 0;
	int ret;

	if (disk_open(&disk, path) || syscall(SYS_io_setup, DEPTH, &ctx))
		return disk_close(&disk, -1);
	ret = keep_busy(&disk, ctx, n, write);
	syscall(SYS_io_destroy, ctx);
	return disk_close(&disk, ret);
}

static int read_one(const char *path, unsigned int n)
{
	return one_at_a_time(path, n, 0);
}

static int write_one(const char *path, unsigned int n)
{
	return one_at_a_time(path, n, 1);
}

static int read_many(const char *path, unsigned int n)
{
	return many_at_a_time(path, n, 0);
}

static int write_many(const char *path, unsigned int n)
{
	return many_at_a_time(path, n, 1);
}

const struct io_row blk_rows[] = {
	{ "disk: read 4 KiB", 2000, read_one },
	{ "disk: write 4 KiB", 2000, write_one },
	{ "disk: read 4 KiB, 16 at a time", 4000, read_many },
	{ "disk: write 4 KiB, 16 at a time", 4000, write_many },
	{ 0 }
};
