// SPDX-License-Identifier: GPL-2.0-only
/* Disks: each way of asynchronous I/O, holes, locks, ours and QEMU's. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "vmm/backend/aio.h"
#include "vmm/backend/lock.h"
#include "vmm/vmm.h"

#define SIZE		0x100000
#define REQS		100
#define PIECE		4096

static char path[64];
static struct vmm_disk config;
static struct disk disk;
static int kick_fd;
static u8 (*data)[PIECE];

static int setup(void **state)
{
	int fd;

	strcpy(path, "/var/tmp/joist-disk-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || ftruncate(fd, SIZE))
		return -1;
	close(fd);
	config = (struct vmm_disk) { .file = vmm_path(path) };
	kick_fd = eventfd(0, EFD_NONBLOCK);
	data = aligned_alloc(PIECE, REQS * PIECE);
	return 0;
}

static int teardown(void **state)
{
	close(kick_fd);
	free(data);
	return unlink(path);
}

/* Wait until @nr requests are done, all of them well. */
static void reap(struct aio *aio, int nr)
{
	struct aio_req *req;

	while (nr > 0) {
		aio_wait(aio, 5000);
		for (req = aio_take_done(aio); req; req = req->next, nr--)
			assert_int_equal(req->error, 0);
	}
	assert_int_equal(nr, 0);
}

static void request(struct aio *aio, struct aio_req *req, enum aio_op op, struct iovec *iov,
		    int nr, u64 offset)
{
	int i;

	*req = (struct aio_req) { .op = op, .iov = iov, .nr = nr, .offset = offset };
	for (i = 0; i < nr; i++)
		req->len += iov[i].iov_len;
	aio_start(aio, req);
}

/* Many at once, each in two pieces; then read them back in one. */
static void many(struct aio *aio)
{
	static struct aio_req reqs[REQS];
	static struct iovec iovs[REQS][2];
	int i;

	for (i = 0; i < REQS; i++) {
		memset(data[i], i + 1, PIECE);
		iovs[i][0] = (struct iovec) { data[i], 1024 };
		iovs[i][1] = (struct iovec) { data[i] + 1024, PIECE - 1024 };
		request(aio, &reqs[i], AIO_WRITE, iovs[i], 2, (u64)i * PIECE);
	}
	reap(aio, REQS);
	request(aio, &reqs[0], AIO_FLUSH, NULL, 0, 0);
	reap(aio, 1);
	memset(data, 0xff, REQS * PIECE);
	for (i = 0; i < REQS; i++) {
		iovs[i][0] = (struct iovec) { data[i], PIECE };
		request(aio, &reqs[i], AIO_READ, iovs[i], 1, (u64)i * PIECE);
	}
	reap(aio, REQS);
	for (i = 0; i < REQS; i++) {
		assert_int_equal(data[i][0], i + 1);
		assert_int_equal(data[i][PIECE - 1], i + 1);
	}
}

/* Memory that direct I/O cannot use: it goes by way of other memory. */
static void unaligned(struct aio *aio)
{
	struct iovec iov[2] = { { data[0] + 3, 100 }, { data[5], 924 } };
	struct aio_req req;

	memset(data, 0, 8 * PIECE);
	memset(data[0] + 3, 7, 100);
	memset(data[5], 9, 924);
	request(aio, &req, AIO_WRITE, iov, 2, 8192);
	reap(aio, 1);
	iov[0] = (struct iovec) { data[1] + 1, 1024 };
	request(aio, &req, AIO_READ, iov, 1, 8192);
	reap(aio, 1);
	assert_true(data[1][0] == 0 && data[1][1] == 7 && data[1][100] == 7);
	assert_true(data[1][101] == 9 && data[1][1024] == 9 && data[1][1025] == 0);
}

static u64 blocks(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (u64)st.st_blocks * 512;
}

static void holes(struct aio *aio)
{
	struct iovec iov = { data[0], PIECE };
	struct aio_req req;
	u64 before = blocks();

	req = (struct aio_req) { .op = AIO_DISCARD, .offset = 0, .len = 16 * PIECE };
	aio_start(aio, &req);
	reap(aio, 1);
	assert_true(blocks() + 16 * PIECE <= before);
	req = (struct aio_req) { .op = AIO_ZERO, .offset = 16 * PIECE, .len = PIECE };
	aio_start(aio, &req);
	while (!aio->done)
		aio_wait(aio, 5000);
	/* Not all file systems can. */
	if (aio_take_done(aio)->error)
		return;
	request(aio, &req, AIO_READ, &iov, 1, 16 * PIECE);
	reap(aio, 1);
	assert_true(!data[0][0] && !memcmp(data[0], data[0] + 1, PIECE - 1));
}

/* The file is not what it was when it was opened. */
static void shrunk(struct aio *aio)
{
	struct iovec iov[2] = { { data[0], PIECE }, { data[1], PIECE } };
	struct aio_req req;

	assert_int_equal(truncate(path, 512), 0);
	request(aio, &req, AIO_READ, iov, 2, 0);
	while (!aio->done)
		aio_wait(aio, 5000);
	assert_int_equal(aio_take_done(aio)->error, -EIO);
}

/* A kick ends a wait, each time, and a time that is over does. */
static void kicks(struct aio *aio)
{
	int i;

	for (i = 0; i < 3; i++) {
		eventfd_write(kick_fd, 1);
		while (!aio_wait(aio, 5000))
			;
	}
	assert_false(aio_wait(aio, 20));
}

/* All that is begun fails, then and later. */
static void lost(struct aio *aio)
{
	struct iovec iov[10];
	struct aio_req reqs[10], *req;
	int i, nr = 10;

	for (i = 0; i < nr; i++) {
		iov[i] = (struct iovec) { data[i], PIECE };
		request(aio, &reqs[i], i & 1 ? AIO_READ : AIO_WRITE, &iov[i], 1, 0);
	}
	while (nr) {
		aio_wait(aio, 5000);
		for (req = aio_take_done(aio); req; req = req->next, nr--)
			assert_int_equal(req->error, -EIO);
	}
	request(aio, &reqs[0], AIO_FLUSH, NULL, 0, 0);
	assert_int_equal(aio_take_done(aio)->error, -EIO);
}

static void all_of_it(struct ring *ring)
{
	struct aio *aio;

	assert_int_equal(disk_open(&disk, &config), 0);
	aio = aio_open(&disk, kick_fd, ring);
	assert_non_null(aio);
	many(aio);
	unaligned(aio);
	if (disk.can_discard)
		holes(aio);
	kicks(aio);
	many(aio);
	shrunk(aio);
	aio_close(aio);
	disk_close(&disk);
}

static void test_pool(void **state)
{
	all_of_it(NULL);
}

static void test_ring(void **state)
{
	struct ring *ring = ring_open();

	if (!ring)
		skip();
	all_of_it(ring);
}

static void test_direct(void **state)
{
	int fd = open(path, O_RDWR | O_DIRECT);

	if (fd < 0)
		skip();
	close(fd);
	config.options.direct = true;
	all_of_it(NULL);
	assert_int_equal(truncate(path, SIZE), 0);
	all_of_it(ring_open());
}

/* By the process that knows the format. */
static void test_qcow2(void **state)
{
	char command[200];
	struct aio *aio;

	snprintf(command, sizeof(command), "qemu-img create -q -f qcow2 %s 1M 2>/dev/null", path);
	if (system(command))
		skip();
	config.options.format = DISK_QCOW2;
	config.options.serial[0] = 0;
	assert_int_equal(disk_open(&disk, &config), 0);
	assert_true(disk.nbd && disk.can_flush && disk.can_discard);
	assert_int_equal(disk.size, SIZE);
	aio = aio_open(&disk, kick_fd, NULL);
	many(aio);
	unaligned(aio);
	kicks(aio);
	many(aio);
	/* Somebody else's, as long as we have it. */
	snprintf(command, sizeof(command), "qemu-img check -q -f qcow2 %s 2>/dev/null", path);
	assert_int_not_equal(system(command), 0);
	aio_close(aio);
	disk_close(&disk);
	assert_int_equal(system(command), 0);
	/* It goes away in the middle of it. */
	assert_int_equal(disk_open(&disk, &config), 0);
	aio = aio_open(&disk, kick_fd, NULL);
	assert_int_equal(kill(disk.pid, SIGKILL), 0);
	lost(aio);
	aio_close(aio);
	disk_close(&disk);
	/* What it is not. */
	config.options.format = DISK_RAW;
	assert_int_equal(disk_open(&disk, &config), 0);
	assert_true(disk.size != SIZE);
	disk_close(&disk);
	config.options.format = DISK_QCOW2;
	assert_int_equal(truncate(path, 0), 0);
	assert_int_not_equal(disk_open(&disk, &config), 0);
}

/* What a disk's thread does: I/O, and a kick. No assertion in another thread. */
struct job {
	struct ring *ring;
	int kick_fd;
	pthread_t thread;
	bool done;
};

static void *do_job(void *arg)
{
	static const u8 zero[PIECE];
	struct job *job = arg;
	struct aio_req req = { 0 }, *done;
	struct iovec iov = { data[0], PIECE };
	struct aio *aio = aio_open(&disk, job->kick_fd, job->ring);

	job->thread = pthread_self();
	if (!aio)
		return NULL;
	/* Of those that come, only the first finds no notification of before. */
	job->done = !aio_wait(aio, 0);
	memset(data[0], 0x55, PIECE);
	request(aio, &req, AIO_READ, &iov, 1, 0);
	do
		aio_wait(aio, 5000);
	while (!(done = aio_take_done(aio)));
	job->done &= done == &req && !req.error && !memcmp(data[0], zero, PIECE);
	eventfd_write(job->kick_fd, 1);
	job->done &= aio_wait(aio, 5000);
	aio_close(aio);
	return NULL;
}

static void test_rings(void **state)
{
	struct rings *rings = rings_open(2);
	struct ring_thread *rt = rings_take(rings), *other;
	pthread_t thread = 0;
	int i;

	rings_close(NULL);
	if (!rt) {
		rings_close(rings);
		skip();
	}
	other = rings_take(rings);
	assert_null(rings_take(rings));
	/* One that has not been used is given back as it was. */
	rings_give(other);
	assert_int_equal(disk_open(&disk, &config), 0);
	for (i = 0; i < 5; i++) {
		struct job job = {
			.ring = ring_of_thread(rt),
			.kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		};

		assert_int_equal(ring_thread_start(rt, "job", do_job, &job), 0);
		ring_thread_wait(rt);
		assert_true(job.done);
		assert_true(ring_works(job.ring));
		assert_true(!thread || pthread_equal(thread, job.thread));
		thread = job.thread;
		/* Nobody has it any longer: the next one may have its number. */
		close(job.kick_fd);
		rings_give(rt);
		assert_ptr_equal(rings_take(rings), rt);
	}
	disk_close(&disk);
	rings_give(rt);
	rings_close(rings);
}

static int locked(bool readonly)
{
	int fd = open(path, readonly ? O_RDONLY : O_RDWR);

	assert_int_equal(lock_image(fd, readonly), 0);
	return fd;
}

static int refused(bool readonly)
{
	int fd = open(path, readonly ? O_RDONLY : O_RDWR);
	int err = lock_image(fd, readonly);

	close(fd);
	return err;
}

static void test_lock(void **state)
{
	int a, b;

	a = locked(false);
	assert_int_equal(refused(false), -EAGAIN);
	assert_int_equal(refused(true), -EAGAIN);
	close(a);
	a = locked(true);
	assert_int_equal(refused(false), -EAGAIN);
	b = locked(true);
	close(a);
	assert_int_equal(refused(false), -EAGAIN);
	close(b);
	close(locked(false));
}

/* As QEMU takes them: what it does, and what it lets nobody do. */
static int lock_like_qemu(bool write)
{
	static const int reader[] = { 100, 201, 203 }, writer[] = { 100, 101, 201, 203 };
	const int *bytes = write ? writer : reader;
	int fd = open(path, O_RDWR), i;

	for (i = 0; i < (write ? 4 : 3); i++) {
		struct flock lock = {
			.l_type = F_RDLCK, .l_whence = SEEK_SET,
			.l_start = bytes[i], .l_len = 1,
		};

		assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	}
	return fd;
}

static void test_lock_qemu(void **state)
{
	int fd = lock_like_qemu(true);

	assert_int_equal(refused(false), -EAGAIN);
	assert_int_equal(refused(true), -EAGAIN);
	close(fd);
	fd = lock_like_qemu(false);
	assert_int_equal(refused(false), -EAGAIN);
	close(locked(true));
	close(fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_pool),
		TEST(test_ring),
		TEST(test_direct),
		TEST(test_qcow2),
		TEST(test_rings),
		TEST(test_lock),
		TEST(test_lock_qemu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
