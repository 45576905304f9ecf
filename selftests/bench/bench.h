/* SPDX-License-Identifier: GPL-2.0-only */
/* What a row of the benchmark is, and what rows share. */
#ifndef JOIST_BENCH_H
#define JOIST_BENCH_H

#include "vm.h"

#define PAGE		4096UL
#define TOUCH_GPA	0x1000000UL	/* memory that a row touches */

/*
 * Guest code. The loop counter is in r12, a device's address in rdi, memory in rsi;
 * r13 and r14 begin with zero.
 */
#define LOOP(name, body)						\
	GUEST64(name, "1:\n" body "dec %r12\njnz 1b\n" DONE)

struct row;

/**
 * struct bench - a row at work
 * @vm: one for the row, with a vCPU
 * @row: which
 * @mem: what it touches, @mem_size bytes, or NULL
 * @fd: an eventfd of the row's, or -1
 */
struct bench {
	struct test_vm vm;
	const struct row *row;
	uint8_t *mem;
	size_t mem_size;
	int fd;
};

/**
 * struct row - one line of the table
 * @name: as printed
 * @start: guest code
 * @end: its end
 * @cr0: more bits of CR0
 * @n: iterations of the shorter run; the longer has twice as many
 * @stride: bytes from one touched page to the next
 * @vm_flags: VM_*
 * @open: more than a VM with one vCPU
 * @prepare: before a run of so many iterations, not measured
 * @measure: the run: ticks, or -1
 */
struct row {
	const char *name;
	const uint8_t *start, *end;
	uint64_t cr0;
	unsigned int n;
	unsigned long stride;
	unsigned int vm_flags;
	int (*open)(struct bench *b);
	int (*prepare)(struct bench *b, unsigned int n);
	int64_t (*measure)(struct bench *b, unsigned int n);
};

#define CODE(code)	.start = code, .end = code##_end

/* Each ends with a row that has no name. */
extern const struct row loop_rows[], irq_rows[], memory_rows[], life_rows[];

static inline uint64_t tsc(void)
{
	uint32_t lo, hi;

	asm volatile("lfence; rdtsc; lfence" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

/* The row's code on a vCPU, to count n iterations down over memory from @gpa on. */
int loop_prepare(struct bench *b, int vcpu, uint64_t n, uint64_t gpa);
/* Runs it until its end: 0, or -1 after saying why. */
int loop_run(struct bench *b, int vcpu);
/* .measure of most. */
int64_t loop_measure(struct bench *b, unsigned int n);

#endif
