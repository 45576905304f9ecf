// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks of disk images: one writer, or any number of readers, of ours and of QEMU's.
 *
 * QEMU says what it does to an image by read locks on single bytes: byte 100 + N for what
 * it does, byte 200 + N for what it does not allow others; N is 0 to read what is
 * consistent, 1 to write, 3 to resize. It looks for locks of others on the opposite bytes.
 * Our writer locks all of the file, that is in everybody's way. A reader takes the locks
 * that QEMU's would.
 */
#include <errno.h>
#include <fcntl.h>

#include "lock.h"

#define DOES(n)		(100 + (n))
#define REFUSES(n)	(200 + (n))
#define READ		0
#define WRITE		1
#define RESIZE		3

static int take(int fd, short type, off_t start, off_t len)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len,
	};

	if (!fcntl(fd, F_OFD_SETLK, &lock))
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

/* Return: 0, or -EAGAIN: somebody holds a lock on a byte. */
static int look(int fd, off_t byte)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1,
	};

	if (fcntl(fd, F_OFD_GETLK, &lock))
		return -errno;
	return lock.l_type == F_UNLCK ? 0 : -EAGAIN;
}

/**
 * lock_image() - keep others out for as long as @fd is open
 * @fd: the image
 * @readonly: other readers are welcome
 *
 * Return: 0; -EAGAIN: somebody else has it; or another -errno.
 */
int lock_image(int fd, bool readonly)
{
	int err;

	if (!readonly)
		return take(fd, F_WRLCK, 0, 0);
	err = take(fd, F_RDLCK, DOES(READ), 1);
	err = err ?: take(fd, F_RDLCK, REFUSES(WRITE), 1);
	err = err ?: take(fd, F_RDLCK, REFUSES(RESIZE), 1);
	err = err ?: look(fd, DOES(WRITE));
	err = err ?: look(fd, DOES(RESIZE));
	return err ?: look(fd, REFUSES(READ));
}
