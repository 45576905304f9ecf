// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the VMM calls of the system's that has to do with threads and time, replaced when
 * the fuzzer is linked (--wrap). A thread gives way where a real one would wait, and where
 * the input says that it is preempted: at a lock.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "fiber.h"
#include "sched.h"
#include "wrap.h"
#include "vmm/thread.h"

#define THREADS_MAX	64
#define STACK_SIZE	(1UL << 20)
#define NS_PER_MS	1000000ULL
#define NS_PER_S	1000000000ULL
#define EPOCH		1700000000
#define ROUND_NS	30000ULL
#define STUCK		20000	/* rounds in which nobody lets a lock go, or ends */
#define FOREVER		(~0ULL)

struct thread {
	struct fiber fiber;
	bool used;
	void *(*run)(void *arg);
	void *arg;
};

/* The first is the main thread: it has its own stack. */
static struct thread threads[THREADS_MAX];
static int nr_threads, turn;
static bool active;
static u64 now;
static int preempt_after;

static struct fiber *fiber_of(int i)
{
	static struct fiber *main_fiber;

	if (i)
		return &threads[i].fiber;
	if (!main_fiber)
		main_fiber = fiber_self();
	return main_fiber;
}

/* The next one's turn, and the others' after it, until it is ours again. */
static void give_way(void)
{
	int next = turn;

	do {
		next = (next + 1) % nr_threads;
	} while (next && threads[next].fiber.done);
	if (next == turn)
		return;
	turn = next;
	fiber_switch(fiber_of(next));
}

static void stuck(const char *what)
{
	fprintf(stderr, "==== the VMM hangs: %s\n", what);
	abort();
}

/* A VM begins. The caller is its main thread. */
void sched_begin(void)
{
	fiber_of(0);
	nr_threads = 1;
	turn = 0;
	now = NS_PER_S;
	preempt_after = 0;
	active = true;
}

/* It has ended. One of its threads that has not is a defect. */
void sched_end(void)
{
	int i;

	active = false;
	for (i = 1; i < nr_threads; i++)
		if (!threads[i].fiber.done)
			stuck("it returns and leaves a thread behind");
}

/* Threads that there are, the main one not among them. */
int sched_threads(void)
{
	return nr_threads - 1;
}

/* Let all the others run until they wait, @rounds times. It takes a little. */
void sched_yield_rounds(int rounds)
{
	while (rounds-- > 0) {
		now += ROUND_NS;
		give_way();
	}
}

/* Somebody loses the CPU after so many locks taken or released; 0: nobody does. */
void sched_preempt(int after)
{
	preempt_after = after;
}

void sched_advance(u64 ms)
{
	now += ms * NS_PER_MS;
}

static void thread_main(void *arg)
{
	struct thread *thread = arg;

	thread->run(thread->arg);
	thread->fiber.done = true;
	for (;;)
		give_way();
}

/* In the place of vmm/thread.c's. */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *arg), void *arg)
{
	struct thread *t;

	(void)name;
	if (nr_threads == THREADS_MAX)
		return -EAGAIN;
	t = &threads[nr_threads];
	t->run = run;
	t->arg = arg;
	fiber_init(&t->fiber, STACK_SIZE, thread_main, t);
	*thread = (pthread_t)nr_threads++;
	return 0;
}

static int poll_until(struct pollfd *fds, nfds_t nr, u64 deadline)
{
	int ret;

	for (;;) {
		ret = __real_poll(fds, nr, 0);
		if (ret || now >= deadline)
			return ret;
		/* Nobody else is there yet: nothing will happen meanwhile. */
		if (nr_threads == 1)
			now = deadline;
		give_way();
	}
}

int __wrap_poll(struct pollfd *fds, nfds_t nr, int timeout)
{
	if (!active)
		return __real_poll(fds, nr, timeout);
	return poll_until(fds, nr, timeout < 0 ? FOREVER : now + (u64)timeout * NS_PER_MS);
}

int __wrap_ppoll(struct pollfd *fds, nfds_t nr, const struct timespec *ts, const sigset_t *set)
{
	if (!active)
		return __real_ppoll(fds, nr, ts, set);
	return poll_until(fds, nr, ts ? now + (u64)ts->tv_sec * NS_PER_S + (u64)ts->tv_nsec :
					FOREVER);
}

/* Time goes on by so much, and the others do. */
int __wrap_nanosleep(const struct timespec *ts, struct timespec *left)
{
	if (!active)
		return __real_nanosleep(ts, left);
	now += (u64)ts->tv_sec * NS_PER_S + (u64)ts->tv_nsec;
	give_way();
	return 0;
}

static void maybe_preempt(void)
{
	if (preempt_after && !--preempt_after)
		give_way();
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *lock)
{
	int spins = 0;

	if (!active)
		return __real_pthread_mutex_lock(lock);
	while (pthread_mutex_trylock(lock)) {
		if (++spins > STUCK)
			stuck("a lock is never released");
		give_way();
	}
	maybe_preempt();
	return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
	int ret = __real_pthread_mutex_unlock(lock);

	if (active)
		maybe_preempt();
	return ret;
}

/* It may return for no reason: whoever waits looks again. */
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock)
{
	if (!active)
		return __real_pthread_cond_wait(cond, lock);
	__real_pthread_mutex_unlock(lock);
	give_way();
	return __wrap_pthread_mutex_lock(lock);
}

int __wrap_pthread_join(pthread_t thread, void **ret)
{
	int spins = 0;

	if (!active || thread >= THREADS_MAX)
		return __real_pthread_join(thread, ret);
	while (!threads[thread].fiber.done) {
		if (++spins > STUCK)
			stuck("a thread never ends");
		if (!(spins % 100))
			sched_advance(1000);
		give_way();
	}
	return 0;
}

/* A kick: the fake of KVM_RUN looks at immediate_exit. */
int __wrap_pthread_kill(pthread_t thread, int sig)
{
	if (!active || thread >= THREADS_MAX)
		return __real_pthread_kill(thread, sig);
	return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (!active)
		return __real_clock_gettime(clock, ts);
	ts->tv_sec = (time_t)(now / NS_PER_S);
	ts->tv_nsec = (long)(now % NS_PER_S);
	if (clock == CLOCK_REALTIME)
		ts->tv_sec += EPOCH;
	return 0;
}

time_t __wrap_time(time_t *t)
{
	if (!active || t)
		return __real_time(t);
	return EPOCH + (time_t)(now / NS_PER_S);
}

ssize_t __wrap_getrandom(void *data, size_t len, unsigned int flags)
{
	if (!active)
		return __real_getrandom(data, len, flags);
	memset(data, 0xa5, len);
	return (ssize_t)len;
}

/* Disks are served by threads: the kernel's own would not wait for their turn. */
struct ring *__wrap_ring_open(void)
{
	return NULL;
}
