// SPDX-License-Identifier: GPL-2.0-only
/* Disks of another format than raw: a process of its own knows it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../log.h"
#include "../vmm.h"
#include "disk.h"
#include "nbd.h"
#include "tool.h"

static int start_tool(struct disk *disk, const struct vmm_disk *config)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	fd = tool_start(config->file.path, &config->options, dir && *dir == '/' ? dir : "/tmp",
			NULL, NULL, &disk->pid);
	if (fd == -ENOPKG)
		log_err("the disk %s needs qemu-nbd: install qemu-utils", disk->path);
	else if (fd < 0)
		log_err("cannot start qemu-nbd for the disk %s: %s", disk->path, strerror(-fd));
	return fd;
}

/**
 * disk_open_image() - open a disk by way of its format's process
 * @disk: its path is set
 * @config: which, and how
 *
 * Return: 0, or -errno with the reason logged; disk_close() is due on success.
 */
int disk_open_image(struct disk *disk, const struct vmm_disk *config)
{
	struct nbd_export exp;
	int err;

	if (config->file.fd >= 0)
		disk->fd = vmm_file_open(&config->file, O_RDWR);
	else
		disk->fd = start_tool(disk, config);
	if (disk->fd < 0)
		return disk->fd;
	err = nbd_connect(disk->fd, &exp);
	if (err) {
		log_err("cannot open the disk %s: qemu-nbd %s", disk->path,
			err == -ECONNRESET || err == -EIO ?
			  "ended at once, and has told why" : "does not answer as it should");
		disk_close(disk);
		return err;
	}
	disk->nbd = true;
	disk->readonly = disk->readonly || exp.readonly;
	disk->size = align_down(exp.size, (u64)SECTOR_SIZE);
	disk->block = SECTOR_SIZE;
	disk->can_flush = exp.can_flush;
	disk->can_discard = !config->options.keep && !disk->readonly && exp.can_trim &&
			    exp.can_zero;
	/* Its process has it, for direct I/O and everything. */
	disk->direct = false;
	return 0;
}
