// SPDX-License-Identifier: GPL-2.0-only
/* Raw disks: what the guest writes goes to the same place of the file. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../log.h"
#include "../vmm.h"
#include "raw.h"

/* Two VMs writing one disk destroy it: whoever is first keeps the other out. */
static int lock_file(int fd, bool readonly)
{
	struct flock lock = {
		.l_type = readonly ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	return fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;
}

static int check_kind(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
		return 0;
	log_err("the disk %s is neither a file nor a block device", path);
	return -EINVAL;
}

/**
 * raw_open() - open a disk
 * @disk: filled in
 * @file: file or block device
 * @readonly: no writes
 *
 * Return: 0, or -errno with the reason logged; raw_close() is due on success.
 */
int raw_open(struct raw_disk *disk, const struct vmm_file *file, bool readonly)
{
	const char *path = file->path;
	off_t size;
	int err;

	disk->readonly = readonly;
	disk->fd = vmm_file_open(file, readonly ? O_RDONLY : O_RDWR);
	if (disk->fd < 0) {
		err = disk->fd;
		log_err("cannot open the disk %s: %s%s", path, strerror(-err),
			err == -EACCES && !readonly ?
			  "; to only read it append ,ro" : "");
		return err;
	}
	err = check_kind(disk->fd, path);
	if (err)
		goto out;
	err = lock_file(disk->fd, readonly);
	if (err == -EAGAIN || err == -EACCES) {
		log_err("the disk %s is in use by another VM", path);
		goto out;
	}
	size = lseek(disk->fd, 0, SEEK_END);
	if (size < SECTOR_SIZE) {
		log_err("the disk %s is smaller than a sector", path);
		err = -EINVAL;
		goto out;
	}
	disk->size = align_down((u64)size, (u64)SECTOR_SIZE);
	if (disk->size != (u64)size)
		log_warn("the last %llu bytes of the disk %s are no whole sector: the guest will not see them",
			 (unsigned long long)size - disk->size, path);
	return 0;
out:
	raw_close(disk);
	return err;
}

void raw_close(struct raw_disk *disk)
{
	if (disk->fd >= 0)
		close(disk->fd);
	disk->fd = -1;
}

/**
 * raw_rw() - read or write
 * @disk: disk
 * @iov: memory
 * @nr: its pieces, at most IOV_MAX
 * @offset: byte of the disk; the caller keeps inside of it
 * @write: direction
 *
 * Return: 0 or -errno.
 */
int raw_rw(struct raw_disk *disk, const struct iovec *iov, int nr, u64 offset,
	   bool write)
{
	struct iovec rest;
	ssize_t n;

	while (nr) {
		n = write ? pwritev(disk->fd, iov, nr, (off_t)offset) :
			    preadv(disk->fd, iov, nr, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		offset += (u64)n;
		for (; nr && (size_t)n >= iov->iov_len; iov++, nr--)
			n -= (ssize_t)iov->iov_len;
		if (!nr)
			break;
		/* A short transfer: finish the piece it stopped in. */
		rest = *iov++;
		nr--;
		while ((size_t)n < rest.iov_len) {
			u8 *at = (u8 *)rest.iov_base + n;
			size_t len = rest.iov_len - (size_t)n;
			ssize_t more = write ?
				pwrite(disk->fd, at, len, (off_t)offset) :
				pread(disk->fd, at, len, (off_t)offset);

			if (more < 0 && errno == EINTR)
				continue;
			if (more <= 0)
				return more ? -errno : -EIO;
			n += more;
			offset += (u64)more;
		}
	}
	return 0;
}

int raw_flush(struct raw_disk *disk)
{
	return fdatasync(disk->fd) ? -errno : 0;
}
