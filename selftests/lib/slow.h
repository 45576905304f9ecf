/* SPDX-License-Identifier: GPL-2.0-only */
/* Slow memory: pages under userfaultfd, which are there when the test says so. */
#ifndef JOIST_SELFTESTS_SLOW_H
#define JOIST_SELFTESTS_SLOW_H

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "test.h"

#define GPA_SLOW	0x800000
#define SLOW_PAGES	40
#define SLOW_SIZE	(SLOW_PAGES * 0x1000UL)

/* Slot 1, at GPA_SLOW. 0, or -errno. */
static inline int slow_memory(struct test_vm *vm, uint8_t **slow, int *uffd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	*slow = mmap(NULL, SLOW_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*slow == MAP_FAILED)
		return -errno;
	*uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (*uffd < 0 || ioctl(*uffd, UFFDIO_API, &api))
		return -errno;
	reg.range.start = (unsigned long)*slow;
	reg.range.len = SLOW_SIZE;
	if (ioctl(*uffd, UFFDIO_REGISTER, &reg))
		return -errno;
	return vm_set_memory(vm, 1, 0, GPA_SLOW, SLOW_SIZE, *slow);
}

/* The page comes, with @val at its start. */
static inline int slow_page(int uffd, uint8_t *slow, int nr, uint32_t val)
{
	static _Alignas(4096) uint32_t page[1024];
	struct uffdio_copy copy = {
		.dst = (unsigned long)slow + nr * 0x1000UL,
		.src = (unsigned long)page,
		.len = 0x1000,
	};

	page[0] = val;
	return ioctl(uffd, UFFDIO_COPY, &copy) ? -errno : 0;
}

#endif
