// SPDX-License-Identifier: GPL-2.0-only
/* Switching of stacks, with AddressSanitizer told of it. */
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "fiber.h"

static struct fiber main_fiber;
static struct fiber *current = &main_fiber;

struct fiber *fiber_self(void)
{
	return current;
}

static void learn_main_stack(void)
{
	pthread_attr_t attr;

	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstack(&attr, &main_fiber.stack, &main_fiber.size);
	pthread_attr_destroy(&attr);
}

void fiber_switch(struct fiber *to)
{
	struct fiber *from = current;
	void *fake;

	if (!main_fiber.stack)
		learn_main_stack();
	current = to;
	__sanitizer_start_switch_fiber(&fake, to->stack, to->size);
	fiber_swap(&from->sp, to->sp);
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

/* The first on a new stack. Nobody switches to one that is done. */
static void begin(void)
{
	__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
	current->run(current->arg);
	abort();
}

/**
 * fiber_init() - prepare one; the first fiber_switch() to it calls @run, which never returns
 * @fiber: zeroed, or one that nobody will switch to again
 * @size: bytes of its stack
 * @run: what it does
 * @arg: for @run
 */
void fiber_init(struct fiber *fiber, size_t size, void (*run)(void *arg), void *arg)
{
	u64 *top;

	if (!fiber->stack) {
		fiber->stack = mmap(NULL, size, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
		if (fiber->stack == MAP_FAILED) {
			perror("a fiber's stack");
			abort();
		}
		/* A page at its end that stays out of reach. */
		mprotect(fiber->stack, PAGE_SIZE, PROT_NONE);
		fiber->size = size;
	}
	/* It may have been left in the middle of something. */
	ASAN_UNPOISON_MEMORY_REGION(fiber->stack, fiber->size);
	fiber->run = run;
	fiber->arg = arg;
	fiber->done = false;
	top = (u64 *)((u8 *)fiber->stack + fiber->size);
	*--top = 0;	/* as if called: the stack is aligned so */
	*--top = (u64)(uintptr_t)begin;
	top -= 6;
	fiber->sp = top;
}
