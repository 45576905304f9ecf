// SPDX-License-Identifier: GPL-2.0-only
/* Files that go into guest memory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../firmware.h"
#include "../log.h"
#include "../vmm.h"
#include "boot.h"

/* Return: bytes read, less than @len only at the end of the file; or -errno. */
static ssize_t read_all(int fd, void *data, size_t len, u64 offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (u8 *)data + done, len - done,
				  (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/**
 * image_open() - open a file and read its head
 * @img: filled in; image_close() is due on success
 * @file: file
 * @what: "kernel" or the like, for messages
 * @write: it will be written to, through @img's descriptor
 *
 * Return: 0, or -errno with the reason logged.
 */
int image_open(struct image *img, const struct vmm_file *file,
	       const char *what, bool write)
{
	const char *path = file->path;
	const char *package;
	struct stat st;
	ssize_t n;
	int err;

	memset(img, 0, sizeof(*img));
	img->path = path;
	img->fd = vmm_file_open(file, write ? O_RDWR : O_RDONLY);
	if (img->fd < 0) {
		err = img->fd;
		package = err == -ENOENT ? firmware_package(path) : NULL;
		log_err("cannot open the %s %s: %s%s%s", what, path,
			strerror(-err), package ? "; install the package " : "",
			package ?: "");
		return err;
	}
	if (fstat(img->fd, &st) || !S_ISREG(st.st_mode)) {
		log_err("the %s %s is no regular file", what, path);
		err = -EINVAL;
		goto out;
	}
	img->size = (u64)st.st_size;
	n = read_all(img->fd, img->head, sizeof(img->head), 0);
	if (n < 0) {
		err = (int)n;
		log_err("cannot read the %s %s: %s", what, path, strerror(-err));
		goto out;
	}
	img->head_len = (size_t)n;
	return 0;
out:
	image_close(img);
	return err;
}

void image_close(struct image *img)
{
	close(img->fd);
	img->fd = -1;
}

/* Copy a piece of a file into our own memory. Return: 0, or -errno with the reason logged. */
int image_read(const struct image *img, u64 offset, void *to, u64 len)
{
	ssize_t n = read_all(img->fd, to, len, offset);

	if (n < 0) {
		log_err("cannot read %s: %s", img->path, strerror((int)-n));
		return (int)n;
	}
	if ((u64)n != len) {
		log_err("%s is cut short", img->path);
		return -EINVAL;
	}
	return 0;
}

/**
 * image_load() - copy a piece of a file into guest memory
 * @img: file
 * @mem: guest memory
 * @offset: where in the file
 * @gpa: where to
 * @len: bytes
 *
 * Return: 0, or -errno with the reason logged.
 */
int image_load(const struct image *img, const struct memory *mem, u64 offset,
	       u64 gpa, u64 len)
{
	void *to = memory_ptr(mem, gpa, len);

	if (!to) {
		log_err("%s does not fit into the guest's memory (%llu KiB at %#llx); use a larger -m",
			img->path, (unsigned long long)(len >> 10),
			  (unsigned long long)gpa);
		return -ENOSPC;
	}
	return image_read(img, offset, to, len);
}
