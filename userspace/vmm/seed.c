// SPDX-License-Identifier: GPL-2.0-only
/*
 * A seed of cloud-init's kind NoCloud: a FAT file system labelled CIDATA with up to three
 * files. It is only ever written here, and what is in the files is not looked at: that takes
 * less than to run a tool for it where root's daemon reads a stranger's files.
 */
#include <errno.h>
#include <linux/msdos_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <fcntl.h>
#include <unistd.h>

#include "seed.h"

#define CLUSTER		2048U
#define PER_CLUSTER	(CLUSTER / SECTOR_SIZE)
#define TRACK		32U	/* the whole is a multiple of it: mtools ask for that */
#define FATS		2U
#define RESERVED	1U
#define ROOT_ENTRIES	(SECTOR_SIZE / sizeof(struct msdos_dir_entry))
#define MEDIA		0xf8	/* a fixed disk */
#define LABEL		"CIDATA     "
#define FIRST_DATE	0x21	/* 1980-01-01: the same files make the same disk */
#define SLOT_CHARS	13

/* Names as they are, and as DOS sees them. */
static const struct {
	const char *name;
	const char *dos;
} names[SEED_FILES] = {
	[SEED_USER_DATA] = { "user-data", "USER-D~1   " },
	[SEED_META_DATA] = { "meta-data", "META-D~1   " },
	[SEED_NETWORK_CONFIG] = { "network-config", "NETWOR~1   " },
};

/**
 * struct image - the file system being made
 * @bytes: all of it
 * @fat_sectors: of one FAT
 * @entry: the next one of the root directory
 * @cluster: the next one that is free
 */
struct image {
	u8 *bytes;
	u32 sectors;
	u32 fat_sectors;
	struct msdos_dir_entry *entry;
	u32 cluster;
};

static u32 clusters(size_t len)
{
	return (u32)((len + CLUSTER - 1) / CLUSTER);
}

static u8 *sector(const struct image *image, u32 nr)
{
	return image->bytes + (size_t)nr * SECTOR_SIZE;
}

static u32 root_sector(const struct image *image)
{
	return RESERVED + FATS * image->fat_sectors;
}

/* How large it is to be, with room in the FAT for what the last track has more. */
static void measure(struct image *image, const struct seed *seed)
{
	u32 nr = 0, entries, i;

	for (i = 0; i < SEED_FILES; i++)
		nr += clusters(seed->file[i].len);
	entries = FAT_START_ENT + nr + TRACK / PER_CLUSTER;
	image->fat_sectors = (entries * 3 / 2 + SECTOR_SIZE) / SECTOR_SIZE;
	image->sectors = (u32)align_up(root_sector(image) + 1 + nr * PER_CLUSTER, TRACK);
}

static void fill_boot_sector(const struct image *image)
{
	struct fat_boot_sector *boot = (void *)image->bytes;

	/* A jump to itself: nobody is to start from here. */
	memcpy(boot->ignored, "\xeb\xfe\x90", sizeof(boot->ignored));
	memcpy(boot->system_id, "JOIST   ", sizeof(boot->system_id));
	boot->sector_size[1] = SECTOR_SIZE >> 8;
	boot->sec_per_clus = PER_CLUSTER;
	boot->reserved = RESERVED;
	boot->fats = FATS;
	boot->dir_entries[0] = ROOT_ENTRIES;
	boot->sectors[0] = (u8)image->sectors;
	boot->sectors[1] = (u8)(image->sectors >> 8);
	boot->media = MEDIA;
	boot->fat_length = (u16)image->fat_sectors;
	boot->secs_track = TRACK;
	boot->heads = 1;
	boot->fat16.drive_number = 0x80;
	boot->fat16.signature = 0x29;
	memcpy(boot->fat16.vol_id, LABEL, sizeof(boot->fat16.vol_id));
	memcpy(boot->fat16.vol_label, LABEL, MSDOS_NAME);
	memcpy(boot->fat16.fs_type, "FAT12   ", sizeof(boot->fat16.fs_type));
	image->bytes[SECTOR_SIZE - 2] = 0x55;
	image->bytes[SECTOR_SIZE - 1] = 0xaa;
}

/* Twelve bits, in all FATs. */
static void set_next(const struct image *image, u32 cluster, u32 next)
{
	u32 i;

	for (i = 0; i < FATS; i++) {
		u8 *p = sector(image, RESERVED + i * image->fat_sectors) + cluster * 3 / 2;

		if (cluster & 1) {
			p[0] = (u8)(p[0] | next << 4);
			p[1] = (u8)(next >> 4);
		} else {
			p[0] = (u8)next;
			p[1] = (u8)(p[1] | next >> 8);
		}
	}
}

static u8 checksum(const char *dos)
{
	u8 sum = 0;
	int i;

	for (i = 0; i < MSDOS_NAME; i++)
		sum = (u8)((sum >> 1 | sum << 7) + (u8)dos[i]);
	return sum;
}

/* Characters of a long name: a zero behind the last, and then ones. */
static void fill_slot(struct msdos_dir_slot *slot, const char *name, size_t from)
{
	size_t len = strlen(name), i;
	u16 text[SLOT_CHARS];

	for (i = 0; i < SLOT_CHARS; i++)
		text[i] = from + i < len ? (u8)name[from + i] : from + i == len ? 0 : 0xffff;
	memcpy(slot->name0_4, text, sizeof(slot->name0_4));
	memcpy(slot->name5_10, text + 5, sizeof(slot->name5_10));
	memcpy(slot->name11_12, text + 11, sizeof(slot->name11_12));
}

/* The parts of a long name stand before the entry, the last one first. */
static void add_long_name(struct image *image, const char *name, const char *dos)
{
	int last = (int)((strlen(name) + SLOT_CHARS - 1) / SLOT_CHARS), i;

	for (i = last; i; i--) {
		struct msdos_dir_slot *slot = (void *)image->entry++;

		slot->id = (u8)(i == last ? i | 0x40 : i);
		slot->attr = ATTR_EXT;
		slot->alias_checksum = checksum(dos);
		fill_slot(slot, name, (size_t)(i - 1) * SLOT_CHARS);
	}
}

static struct msdos_dir_entry *add_entry(struct image *image, const char *dos, u8 attr)
{
	struct msdos_dir_entry *entry = image->entry++;

	memcpy(entry->name, dos, MSDOS_NAME);
	entry->attr = attr;
	entry->date = FIRST_DATE;
	entry->cdate = FIRST_DATE;
	entry->adate = FIRST_DATE;
	return entry;
}

static void add_file(struct image *image, int file, const char *data, size_t len)
{
	struct msdos_dir_entry *entry;
	u32 nr = clusters(len), i;

	add_long_name(image, names[file].name, names[file].dos);
	entry = add_entry(image, names[file].dos, ATTR_ARCH);
	entry->size = (u32)len;
	/* An empty file has no cluster. */
	if (!nr)
		return;
	entry->start = (u16)image->cluster;
	memcpy(sector(image, root_sector(image) + 1 +
		      (image->cluster - FAT_START_ENT) * PER_CLUSTER), data, len);
	for (i = 1; i <= nr; i++, image->cluster++)
		set_next(image, image->cluster, i == nr ? EOF_FAT12 : image->cluster + 1);
}

static int write_all(int fd, const u8 *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = pwrite(fd, bytes + at, len - at, (off_t)at);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/**
 * seed_write() - make the disk
 * @seed: what is on it
 * @fd: an empty file
 *
 * Return: 0 or -errno.
 */
int seed_write(const struct seed *seed, int fd)
{
	struct image image = { .cluster = FAT_START_ENT };
	int i, err;

	measure(&image, seed);
	image.bytes = calloc(image.sectors, SECTOR_SIZE);
	if (!image.bytes)
		return -ENOMEM;
	fill_boot_sector(&image);
	set_next(&image, 0, 0xf00 | MEDIA);
	set_next(&image, 1, EOF_FAT12);
	image.entry = (void *)sector(&image, root_sector(&image));
	add_entry(&image, LABEL, ATTR_VOLUME);
	for (i = 0; i < SEED_FILES; i++)
		if (seed->file[i].data)
			add_file(&image, i, seed->file[i].data, seed->file[i].len);
	err = write_all(fd, image.bytes, (size_t)image.sectors * SECTOR_SIZE);
	free(image.bytes);
	return err;
}

/**
 * seed_memfd() - the disk in memory, which nobody can change any more
 * @seed: what is on it
 *
 * Return: a descriptor or -errno.
 */
int seed_memfd(const struct seed *seed)
{
	int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	int fd = memfd_create("seed", MFD_CLOEXEC | MFD_ALLOW_SEALING), err;

	if (fd < 0)
		return -errno;
	err = seed_write(seed, fd);
	if (!err && fcntl(fd, F_ADD_SEALS, seals))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/**
 * seed_read() - take a file
 * @seed: zeroed at first; seed_free() is due in all cases
 * @file: which it is to be
 * @fd: read once, from its beginning to its end
 *
 * Return: 0; -EFBIG; or -errno.
 */
int seed_read(struct seed *seed, int file, int fd)
{
	char *data = malloc(SEED_BYTES_MAX + 1);
	size_t len = 0;
	ssize_t n = 1;

	if (!data)
		return -ENOMEM;
	seed->file[file].data = data;
	while (n && len <= SEED_BYTES_MAX) {
		n = read(fd, data + len, SEED_BYTES_MAX + 1 - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? (size_t)n : 0;
	}
	if (len > SEED_BYTES_MAX)
		return -EFBIG;
	seed->file[file].len = len;
	return 0;
}

/* Of what is on it (FNV-1a): the same for the same. */
u64 seed_hash(const struct seed *seed)
{
	u64 hash = 0xcbf29ce484222325ULL;
	size_t k;
	int i;

	for (i = 0; i < SEED_FILES; i++) {
		for (k = 0; k < seed->file[i].len; k++)
			hash = (hash ^ (u8)seed->file[i].data[k]) * 0x100000001b3ULL;
		hash = (hash ^ 0x100) * 0x100000001b3ULL;
	}
	return hash;
}

/* The least that cloud-init asks for, where no such file was given. Return: 0 or -errno. */
int seed_meta_data(struct seed *seed, const char *id, const char *host)
{
	int n;

	if (seed->file[SEED_META_DATA].data)
		return 0;
	n = asprintf(&seed->file[SEED_META_DATA].data, "instance-id: %s\nlocal-hostname: %s\n",
		     id, host);
	if (n < 0) {
		seed->file[SEED_META_DATA].data = NULL;
		return -ENOMEM;
	}
	seed->file[SEED_META_DATA].len = (size_t)n;
	return 0;
}

void seed_free(struct seed *seed)
{
	int i;

	for (i = 0; i < SEED_FILES; i++)
		free(seed->file[i].data);
	memset(seed, 0, sizeof(*seed));
}
