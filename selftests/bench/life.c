// SPDX-License-Identifier: GPL-2.0-only
/* A virtual machine that does nothing but come and go. */
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define VMS		8

static int prepare_nothing(struct bench *b, unsigned int n)
{
	return 0;
}

static int come_and_go(struct bench *b, unsigned int n)
{
	while (n--) {
		int vm = xioctl(b->vm.dev, KVM_CREATE_VM, NULL);
		int vcpu = vm < 0 ? -1 : xioctl_val(vm, KVM_CREATE_VCPU, 0);

		if (vcpu < 0)
			return -1;
		close(vcpu);
		close(vm);
	}
	return 0;
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static double ticks_per_ns(void)
{
	static double ratio;
	uint64_t ns, ticks;

	if (!ratio) {
		ns = clock_ns(CLOCK_MONOTONIC_RAW);
		ticks = tsc();
		while (clock_ns(CLOCK_MONOTONIC_RAW) - ns < 20000000)
			;
		ratio = (double)(tsc() - ticks) /
			(clock_ns(CLOCK_MONOTONIC_RAW) - ns);
	}
	return ratio;
}

/* Not those of others, nor the waiting for a grace period. */
static int64_t measure_cpu(struct bench *b, unsigned int n)
{
	double ratio = ticks_per_ns();
	uint64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

	if (come_and_go(b, n))
		return -1;
	return (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) * ratio;
}

static int64_t measure_all(struct bench *b, unsigned int n)
{
	uint64_t start = tsc();

	return come_and_go(b, n) ? -1 : (int64_t)(tsc() - start);
}

const struct row life_rows[] = {
	{
		.name = "VM and vCPU: create and close", .n = VMS,
		.prepare = prepare_nothing, .measure = measure_cpu,
	},
	{
		.name = "VM and vCPU, waiting included", .n = VMS,
		.prepare = prepare_nothing, .measure = measure_all,
	},
	{ }
};
