/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks to switch between: all that runs in a fuzzer runs in one thread, so that an input
 * does the same each time.
 */
#ifndef FUZZ_FIBER_H
#define FUZZ_FIBER_H

#include "libjoist/types.h"

/**
 * struct fiber - a stack, and where on it to go on
 * @sp: its stack pointer while another one runs
 * @stack: lowest address; kept for the next use
 * @size: bytes of @stack
 * @run: what it does
 * @arg: for @run
 * @done: @run has returned
 */
struct fiber {
	void *sp;
	void *stack;
	size_t size;
	void (*run)(void *arg);
	void *arg;
	bool done;
};

struct fiber *fiber_self(void);
void fiber_init(struct fiber *fiber, size_t size, void (*run)(void *arg), void *arg);
void fiber_switch(struct fiber *to);

/* fiber_swap.S */
void fiber_swap(void **old, void *new);

#endif
