// SPDX-License-Identifier: GPL-2.0-only
/* The disk for cloud-init: what fsck and mtools, who know FAT, say to it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "vmm/seed.h"

static const char *const names[SEED_FILES] = { "user-data", "meta-data", "network-config" };

/* Bytes that tell where they are from. */
static void fill(struct seed *seed, int file, size_t len)
{
	size_t i;

	seed->file[file].data = malloc(len + 1);
	for (i = 0; i < len; i++)
		seed->file[file].data[i] = (char)(i * 7 + i / 251 + (size_t)file);
	seed->file[file].len = len;
}

static int shell(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return system(text);
}

/* The same bytes, by its long name. */
static void check_file(const char *image, int file, const struct seed *seed)
{
	char *data = malloc(SEED_BYTES_MAX + 1), command[512];
	size_t len;
	FILE *f;

	snprintf(command, sizeof(command), "mtype -i %s ::%s", image, names[file]);
	f = popen(command, "r");
	assert_non_null(f);
	len = fread(data, 1, SEED_BYTES_MAX + 1, f);
	assert_int_equal(pclose(f), 0);
	assert_int_equal(len, seed->file[file].len);
	assert_memory_equal(data, seed->file[file].data, len);
	free(data);
}

static void check_image(const struct seed *seed)
{
	char image[] = "/tmp/seed-XXXXXX";
	int fd = mkstemp(image), i;
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(seed_write(seed, fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size % 512, 0);
	assert_int_equal(shell("/sbin/fsck.vfat -n %s >%s.out || { cat %s.out; exit 1; }",
			       image, image, image), 0);
	assert_int_equal(shell("/sbin/blkid -p %s | grep -q 'LABEL=\"CIDATA\".* TYPE=\"vfat\"'",
			       image), 0);
	for (i = 0; i < SEED_FILES; i++) {
		if (seed->file[i].data)
			check_file(image, i, seed);
		else
			assert_int_not_equal(shell("mtype -i %s ::%s 2>/dev/null", image,
						   names[i]), 0);
	}
	close(fd);
	unlink(image);
	shell("rm -f %s.out", image);
}

static void test_sizes(void **state)
{
	static const size_t sizes[][SEED_FILES] = {
		{ 1, 1, 1 }, { 0, 1, 0 }, { 2047, 2048, 2049 }, { 2048 * 3, 1, 511 },
		{ 100000, 50, 65536 }, { SEED_BYTES_MAX, SEED_BYTES_MAX, SEED_BYTES_MAX },
		{ SEED_BYTES_MAX, 0, SEED_BYTES_MAX - 1 },
	};
	struct seed seed;
	size_t i;
	int k;

	if (access("/sbin/fsck.vfat", X_OK) || access("/usr/bin/mtype", X_OK))
		skip();
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		memset(&seed, 0, sizeof(seed));
		for (k = 0; k < SEED_FILES; k++)
			fill(&seed, k, sizes[i][k]);
		check_image(&seed);
		seed_free(&seed);
	}
}

/* Every number of clusters, as far as sectors of the FAT and tracks are concerned. */
static void test_many_sizes(void **state)
{
	struct seed seed = { 0 };
	size_t len;

	if (access("/sbin/fsck.vfat", X_OK))
		skip();
	for (len = 1; len < SEED_BYTES_MAX; len += 2048 * 13) {
		fill(&seed, SEED_USER_DATA, len);
		check_image(&seed);
		seed_free(&seed);
	}
}

static void test_meta_data(void **state)
{
	static const char want[] = "instance-id: abc\nlocal-hostname: web\n";
	struct seed seed = { 0 };
	u64 hash = seed_hash(&seed);

	assert_int_equal(seed_meta_data(&seed, "abc", "web"), 0);
	assert_int_equal(seed.file[SEED_META_DATA].len, strlen(want));
	assert_memory_equal(seed.file[SEED_META_DATA].data, want, strlen(want));
	/* One that is given stays. */
	assert_int_equal(seed_meta_data(&seed, "def", "web"), 0);
	assert_memory_equal(seed.file[SEED_META_DATA].data, want, strlen(want));
	assert_true(seed_hash(&seed) != hash);
	hash = seed_hash(&seed);
	seed.file[SEED_META_DATA].data[0] = 'I';
	assert_true(seed_hash(&seed) != hash);
	seed_free(&seed);
}

static void test_read(void **state)
{
	int fd = memfd_create("file", 0);
	struct seed seed = { 0 };

	assert_int_equal(ftruncate(fd, SEED_BYTES_MAX), 0);
	assert_int_equal(pwrite(fd, "abc", 3, 0), 3);
	assert_int_equal(seed_read(&seed, SEED_USER_DATA, fd), 0);
	assert_int_equal(seed.file[SEED_USER_DATA].len, SEED_BYTES_MAX);
	assert_memory_equal(seed.file[SEED_USER_DATA].data, "abc\0", 4);
	assert_int_equal(ftruncate(fd, SEED_BYTES_MAX + 1), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(seed_read(&seed, SEED_META_DATA, fd), -EFBIG);
	close(fd);
	fd = open("/", O_RDONLY);
	assert_int_equal(seed_read(&seed, SEED_NETWORK_CONFIG, fd), -EISDIR);
	close(fd);
	seed_free(&seed);
}

static void test_memfd(void **state)
{
	struct seed seed = { 0 };
	int fd;

	fill(&seed, SEED_USER_DATA, 10);
	fd = seed_memfd(&seed);
	assert_true(fd >= 0);
	/* Whoever has it cannot change it. */
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	close(fd);
	seed_free(&seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_many_sizes),
		cmocka_unit_test(test_meta_data),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_memfd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
