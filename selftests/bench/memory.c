// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory that is not mapped yet, not any more, or not for writing. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23
#endif

#define SLOT		1
#define HUGE_PAGE	(2UL << 20)
#define PAGES		1024U
#define HUGE_PAGES	4U

LOOP(touch, "mov %eax, (%rsi)\nadd $4096, %rsi\n");
LOOP(touch_2m, "mov %eax, (%rsi)\nadd $0x200000, %rsi\n");

/* Room for the longer run, as aligned as what it is made of. */
static int open_memory(struct bench *b)
{
	size_t size = 2 * b->row->n * b->row->stride;

	b->mem_size = size + HUGE_PAGE;
	b->mem = mmap(NULL, b->mem_size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (b->mem == MAP_FAILED) {
		b->mem = NULL;
		return -1;
	}
	return madvise(b->mem, b->mem_size,
		       b->row->stride == PAGE ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
}

static uint8_t *aligned(struct bench *b)
{
	return (uint8_t *)(((uintptr_t)b->mem + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
}

/* A new slot of so many pages, which the guest has not touched; nor the host, if so. */
static int new_slot(struct bench *b, unsigned int n, uint32_t flags, int advice)
{
	size_t size = n * b->row->stride;

	/* The first time there is none to delete. */
	vm_set_memory(&b->vm, SLOT, 0, TOUCH_GPA, 0, aligned(b));
	if (madvise(aligned(b), 2 * b->row->n * b->row->stride, advice))
		return -1;
	return vm_set_memory(&b->vm, SLOT, flags, TOUCH_GPA, size, aligned(b));
}

static int prepare_touch(struct bench *b, unsigned int n)
{
	return new_slot(b, n, 0, MADV_DONTNEED) ?
		-1 : loop_prepare(b, 0, n, TOUCH_GPA);
}

/* The host has the pages. */
static int prepare_populated(struct bench *b, unsigned int n)
{
	return new_slot(b, n, 0, MADV_POPULATE_WRITE) ?
		-1 : loop_prepare(b, 0, n, TOUCH_GPA);
}

/* KiB of huge pages that this process has. */
static long huge_kib(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "AnonHugePages: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

/* If the host was out of huge pages it has measured something else. */
static int64_t measure_huge(struct bench *b, unsigned int n)
{
	int64_t ticks = loop_measure(b, n);
	long kib = huge_kib();

	if (kib >= 0 && (unsigned long)kib >= n * (HUGE_PAGE / 1024))
		return ticks;
	fprintf(stderr, "%ld KiB in huge pages, not %lu\n", kib,
		n * (HUGE_PAGE / 1024));
	return -1;
}

/*
 * Two vCPUs, each with its half of the pages. The second one's thread is always the
 * same: to change it takes KVM a grace period of RCU.
 */
static struct second {
	struct bench *b;
	pthread_t thread;
	sem_t go, done;
	bool failed;
} second;

static void *second_vcpu(void *arg)
{
	struct second *s = arg;

	for (;;) {
		sem_wait(&s->go);
		s->failed = loop_run(s->b, 1);
		sem_post(&s->done);
	}
	return NULL;
}

static int open_two(struct bench *b)
{
	if (open_memory(b) || vm_add_vcpu(&b->vm, 1) < 0)
		return -1;
	second.b = b;
	sem_init(&second.go, 0, 0);
	sem_init(&second.done, 0, 0);
	return pthread_create(&second.thread, NULL, second_vcpu, &second);
}

static int prepare_two(struct bench *b, unsigned int n)
{
	if (new_slot(b, n, 0, MADV_DONTNEED) ||
	    loop_prepare(b, 0, n / 2, TOUCH_GPA))
		return -1;
	return loop_prepare(b, 1, n / 2, TOUCH_GPA + n / 2 * PAGE);
}

static int64_t measure_two(struct bench *b, unsigned int n)
{
	uint64_t start = tsc();
	unsigned char there[2 * PAGES];
	unsigned int i;

	sem_post(&second.go);
	if (loop_run(b, 0))
		exit(1);	/* the other may run for ever */
	sem_wait(&second.done);
	start = tsc() - start;
	if (second.failed || mincore(aligned(b), n * PAGE, there))
		return -1;
	for (i = 0; i < n; i++) {
		if (!there[i]) {
			fprintf(stderr, "page %u was not touched\n", i);
			return -1;
		}
	}
	return (int64_t)start;
}

/* All pages are mapped. */
static int prepare_mapped(struct bench *b, unsigned int n, uint32_t flags)
{
	return new_slot(b, n, flags, MADV_DONTNEED) ||
	       loop_prepare(b, 0, n, TOUCH_GPA) || loop_run(b, 0) ? -1 : 0;
}

static int prepare_unmap(struct bench *b, unsigned int n)
{
	return prepare_mapped(b, n, 0) ? -1 : loop_prepare(b, 0, n, TOUCH_GPA);
}

/* One madvise() a page, as a balloon does it. */
static int64_t measure_unmap(struct bench *b, unsigned int n)
{
	uint64_t start = tsc();
	unsigned int i;

	for (i = 0; i < n; i++)
		if (madvise(aligned(b) + i * PAGE, PAGE, MADV_DONTNEED))
			return -1;
	return loop_run(b, 0) ? -1 : (int64_t)(tsc() - start);
}

static int open_dirty(struct bench *b)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args[0] = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE,
	};

	return xioctl(b->vm.fd, KVM_ENABLE_CAP, &cap) ? -1 : open_memory(b);
}

static uint64_t dirty[2 * PAGES / 64];

/* All pages are mapped and dirty, and the VMM knows. */
static int prepare_dirty(struct bench *b, unsigned int n)
{
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = dirty };
	unsigned int i;

	if (prepare_mapped(b, n, KVM_MEM_LOG_DIRTY_PAGES) ||
	    xioctl(b->vm.fd, KVM_GET_DIRTY_LOG, &log))
		return -1;
	for (i = 0; i < n / 64; i++) {
		if (dirty[i] != ~0ULL) {
			fprintf(stderr, "pages near %u are not dirty\n", i * 64);
			return -1;
		}
	}
	return loop_prepare(b, 0, n, TOUCH_GPA);
}

static int64_t measure_dirty(struct bench *b, unsigned int n)
{
	struct kvm_clear_dirty_log log = {
		.slot = SLOT, .num_pages = n, .dirty_bitmap = dirty,
	};
	uint64_t start = tsc();

	return xioctl(b->vm.fd, KVM_CLEAR_DIRTY_LOG, &log) || loop_run(b, 0) ?
		-1 : (int64_t)(tsc() - start);
}

#define SMALL(code)	CODE(code), .n = PAGES, .stride = PAGE
#define HUGE(code)	CODE(code), .n = HUGE_PAGES, .stride = HUGE_PAGE

const struct row memory_rows[] = {
	{
		.name = "first touch of a 4 KiB page", SMALL(touch),
		.open = open_memory, .prepare = prepare_touch,
	},
	{
		.name = "first touch, 4 KiB, host has the page", SMALL(touch),
		.open = open_memory, .prepare = prepare_populated,
	},
	{
		.name = "first touch, 4 KiB, two vCPUs at once", SMALL(touch),
		.open = open_two, .prepare = prepare_two, .measure = measure_two,
	},
	{
		.name = "first touch of a 2 MiB page", HUGE(touch_2m),
		.open = open_memory, .prepare = prepare_touch,
		.measure = measure_huge,
	},
	{
		.name = "first touch, 2 MiB, host has the page",
		CODE(touch_2m), .n = 32, .stride = HUGE_PAGE,
		.open = open_memory, .prepare = prepare_populated,
		.measure = measure_huge,
	},
	{
		.name = "madvise(DONTNEED) and refault of a page", SMALL(touch),
		.open = open_memory, .prepare = prepare_unmap,
		.measure = measure_unmap,
	},
	{
		.name = "dirty log: clear, and write fault", SMALL(touch),
		.open = open_dirty, .prepare = prepare_dirty,
		.measure = measure_dirty,
	},
	{ }
};
