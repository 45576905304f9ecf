// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seeds for cloud-init. A VM that a client creates has its seed beside its definition, made at
 * that time: what it was made of may go. One of the configuration has its files there, and a new
 * seed each time it starts, in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "seed.h"
#include "vmm/seed.h"

static void seed_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, STORE_DIR "/%s.seed", name);
}

/* With the rights of who defined the VM. Return: 0, or less. */
static int take(const struct definition *def, struct seed *seed, int file, const char *path,
		struct failure *f)
{
	int fd, err;

	if (!path)
		return 0;
	fd = file_open_as(def->uid, def->gid, path, O_RDONLY);
	err = fd < 0 ? fd : seed_read(seed, file, fd);
	if (fd >= 0)
		close(fd);
	if (err == -EFBIG)
		return fail(f, "failed", "%s is larger than %u KiB", path, SEED_BYTES_MAX >> 10);
	if (err)
		return fail(f, "failed", "cannot read %s: %s", path, strerror(-err));
	return 0;
}

/* Return: 0, or less; seed_free() is due in both cases. */
static int take_all(const struct definition *def, struct seed *seed, struct failure *f)
{
	if (take(def, seed, SEED_USER_DATA, def->user_data, f) ||
	    take(def, seed, SEED_META_DATA, def->meta_data, f) ||
	    take(def, seed, SEED_NETWORK_CONFIG, def->network_config, f))
		return -1;
	if (seed_meta_data(seed, def->uuid, def->name))
		return fail(f, "failed", "out of memory");
	return 0;
}

/**
 * vm_seed_save() - keep the seed of a VM that is being created, if it has one
 * @def: VM
 * @f: why not
 *
 * Return: 0 or less.
 */
int vm_seed_save(const struct definition *def, struct failure *f)
{
	struct seed seed = { 0 };
	char path[256];
	int fd, err;

	if (!definition_has_seed(def))
		return 0;
	err = take_all(def, &seed, f);
	if (!err) {
		seed_path(path, sizeof(path), def->name);
		unlink(path);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		err = fd < 0 ? -errno : seed_write(&seed, fd);
		if (!err && fsync(fd))
			err = -errno;
		if (fd >= 0)
			close(fd);
		if (err) {
			fail(f, "failed", "cannot write %s: %s", path, strerror(-err));
			unlink(path);
		}
	}
	seed_free(&seed);
	return err;
}

/* Of a VM that starts. Return: a descriptor, or less. */
int vm_seed_open(const struct definition *def, struct failure *f)
{
	struct seed seed = { 0 };
	char path[256];
	int fd = -1;

	if (def->created) {
		seed_path(path, sizeof(path), def->name);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			fail(f, "failed", "cannot open %s: %s", path, strerror(errno));
		return fd;
	}
	if (!take_all(def, &seed, f)) {
		fd = seed_memfd(&seed);
		if (fd < 0)
			fail(f, "failed", "cannot make the seed: %s", strerror(-fd));
	}
	seed_free(&seed);
	return fd;
}

void vm_seed_delete(const char *name)
{
	char path[256];

	seed_path(path, sizeof(path), name);
	unlink(path);
}
