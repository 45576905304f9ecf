// SPDX-License-Identifier: GPL-2.0-only
/* The file that keeps UEFI's variables: a new one begins with what the package has. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware.h"
#include "log.h"
#include "vmm.h"

static int copy(int to, int from)
{
	char block[4096];
	ssize_t n;

	while ((n = read(from, block, sizeof(block))) > 0)
		if (write(to, block, (size_t)n) != n)
			return errno ? -errno : -EIO;
	if (n < 0 || fdatasync(to))
		return -errno;
	return 0;
}

/**
 * firmware_fill_vars() - give a new file its contents
 * @fd: the file; one that has some already keeps them
 * @from: path of what the firmware begins with
 *
 * Return: 0 or -errno.
 */
int firmware_fill_vars(int fd, const char *from)
{
	struct stat st;
	int in, err;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size)
		return 0;
	in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return -errno;
	err = copy(fd, in);
	close(in);
	/* Half of it would look like another's. */
	if (err && ftruncate(fd, 0))
		err = -errno;
	return err;
}

/**
 * firmware_make_vars() - the file of the variables, where it is not there yet
 * @fw: firmware
 *
 * Return: 0, or -errno with the reason logged.
 */
int firmware_make_vars(const struct vmm_firmware *fw)
{
	int fd, err;

	if (!fw->vars_from)
		return 0;
	fd = open(fw->vars.path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	err = fd < 0 ? -errno : firmware_fill_vars(fd, fw->vars_from);
	if (fd >= 0)
		close(fd);
	if (err)
		log_err("cannot make the firmware's variables %s from %s: %s",
			fw->vars.path, fw->vars_from, strerror(-err));
	return err;
}
