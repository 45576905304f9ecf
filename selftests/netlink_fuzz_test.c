// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random and mutated messages to the netlink family "joist", while VMs come, run and go and
 * others listen. What is right or wrong to answer is netlink_test's business: the kernel
 * must live, and a sound request must be answered in the end.
 *
 * $NETLINK_FUZZ_SECONDS: how long; default 4. $NETLINK_FUZZ_SEED: to repeat a run, as far as
 * threads let it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/admin.h"
#include "lib/test.h"

#define NR_FUZZERS	2
#define NR_CHURNERS	2
#define MAX_CMD		(JOIST_CMD_MAX + 3)
#define MAX_ATTR	(JOIST_A_VM_MAX + 2)

/* The sixteenth time it halts for good. */
GUEST64(code_busy, "mov $16, %ecx\n 1: out %al, $0xe4\n loop 1b\n 2: hlt\n jmp 2b\n");

static atomic_bool over;
static atomic_uint newest;		/* id of a VM that is or was there */
static atomic_ulong sent, answered, refused, events;

struct fuzzer {
	pthread_t thread;
	unsigned int seed;
	struct genl g;
};

static unsigned int dice(struct fuzzer *f, unsigned int sides)
{
	return rand_r(&f->seed) % sides;
}

static uint32_t some_id(struct fuzzer *f)
{
	switch (dice(f, 8)) {
	case 0:
		return 0;
	case 1:
		return rand_r(&f->seed);
	case 2:
		return ~0U - dice(f, 3);
	default:
		return newest - dice(f, 4);
	}
}

static void random_bytes(struct fuzzer *f, char *p, size_t len)
{
	while (len--)
		*p++ = dice(f, 4) ? 'a' + dice(f, 26) : dice(f, 256);
}

/* As the specification wants it, most often. */
static void put_attr(struct fuzzer *f, struct genl_msg *m, int type)
{
	static const uint8_t sizes[] = { 4, 8, 16, 0, 1, 2, 3, 7, 15, 17, 64, 65, 200 };
	char data[256];
	size_t len = sizes[dice(f, sizeof(sizes))];

	random_bytes(f, data, len);
	switch (dice(f, 5)) {
	case 0:			/* a string */
		data[len ? len - 1 : 0] = '\0';
		genl_put(m, type, data, len);
		break;
	case 1:
		genl_put(m, type, data, len);
		break;
	case 2:
		genl_put_u64(m, type, (uint64_t)rand_r(&f->seed) << dice(f, 40));
		break;
	default:
		genl_put_u32(m, type, dice(f, 2) ? dice(f, 70000) : rand_r(&f->seed));
	}
}

static void compose(struct fuzzer *f, struct genl_msg *m)
{
	int n = dice(f, 2) ? dice(f, 4) : 0;

	genl_begin(m, &f->g, dice(f, MAX_CMD + 1), dice(f, 3) ? 0 : NLM_F_DUMP);
	/* All sets of attributes begin with a VM's id, or have none. */
	if (dice(f, 10))
		genl_put_u32(m, 1, some_id(f));
	while (n--)
		put_attr(f, m, dice(f, 12) ? 1 + dice(f, MAX_ATTR) :
			 rand_r(&f->seed) & 0xffff);
}

/* Some bytes are others, some are missing, some are too many. */
static size_t mutate(struct fuzzer *f, struct genl_msg *m)
{
	size_t len = m->hdr.nlmsg_len;
	int n = dice(f, 4);

	/* Behind the type, or it goes to others than joist. */
	while (n--)
		m->buf[6 + dice(f, len - 6)] ^= 1 << dice(f, 8);
	switch (dice(f, 12)) {
	case 0:
		m->hdr.nlmsg_len = dice(f, len + 1);
		break;
	case 1:
		m->hdr.nlmsg_len += dice(f, 64);
		break;
	case 2:
		len -= dice(f, len);
		break;
	case 3:
		memset(m->buf + len, dice(f, 256), 64);
		len += 64;
		break;
	}
	return len;
}

static void drain(struct fuzzer *f)
{
	static __thread char buf[65536];
	const struct nlmsghdr *hdr = (void *)buf;
	ssize_t len;

	while ((len = recv(f->g.fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		if (!NLMSG_OK(hdr, len))
			continue;
		if (hdr->nlmsg_type == NLMSG_ERROR && *(int *)NLMSG_DATA(hdr))
			refused++;
		else
			answered++;
	}
}

static void *send_nonsense(void *arg)
{
	struct fuzzer *f = arg;
	struct genl_msg m;

	while (!over) {
		size_t len;

		compose(f, &m);
		len = dice(f, 2) ? m.hdr.nlmsg_len : mutate(f, &m);
		send(f->g.fd, m.buf, len, MSG_DONTWAIT);
		sent++;
		/* Now and then it leaves a dump unread, or for later. */
		if (dice(f, 20))
			drain(f);
		if (!dice(f, 200)) {
			genl_close(&f->g);
			if (genl_open(&f->g))
				return (void *)1;
		}
		if (!dice(f, 50))
			genl_join(&f->g, dice(f, GENL_GROUPS));
	}
	genl_close(&f->g);
	return NULL;
}

/* VMs live for some exits each, whatever is done to them. */
static void *churn(void *arg)
{
	sigset_t kick;
	struct genl g;

	sigemptyset(&kick);
	sigaddset(&kick, SIGUSR1);
	if (genl_open(&g))
		return (void *)1;
	while (!over) {
		struct test_vm vm;
		int i;

		pthread_sigmask(SIG_BLOCK, &kick, NULL);
		if (vm_new(&vm, VM_IRQCHIP) || vm_add_vcpu(&vm, 0) < 0) {
			vm_close(&vm);
			continue;	/* a limit, from a fuzzer */
		}
		newest = admin_newest(&g);
		vm_load(&vm, GPA_CODE, code_busy);
		vcpu_long64(&vm, 0, GPA_CODE);
		pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
		for (i = 0; i < 20; i++)
			vcpu_run(&vm, 0);
		vm_close(&vm);
	}
	genl_close(&g);
	return NULL;
}

static void *listen_to_all(void *arg)
{
	struct genl_msg m;
	struct genl g;
	int i;

	if (genl_open(&g))
		return (void *)1;
	for (i = 0; i < GENL_GROUPS; i++)
		genl_join(&g, i);
	while (!over)
		events += genl_event(&g, &m, 100) == 1;
	genl_close(&g);
	return NULL;
}

static unsigned int from_env(const char *name, unsigned int otherwise)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : otherwise;
}

static void nothing(int sig)
{
}

/* KVM_RUN of a VM that is paused, or sleeps, ends with a signal. */
static void kick(pthread_t *thread, int nr)
{
	while (nr--)
		pthread_kill(thread[nr], SIGUSR1);
	usleep(5000);
}

FIXTURE(family) {
};

FIXTURE_SETUP(family)
{
}

FIXTURE_TEARDOWN(family)
{
}

/* As long as it was asked for: the bound is for what hangs. */
TEST_F_TIMEOUT(family, fuzz, 3600)
{
	unsigned int seconds = from_env("NETLINK_FUZZ_SECONDS", 4);
	unsigned int seed = from_env("NETLINK_FUZZ_SEED", time(NULL));
	struct fuzzer f[NR_FUZZERS];
	pthread_t churner[NR_CHURNERS], ear;
	struct test_vm vm;
	struct sigaction action = { .sa_handler = nothing };
	struct admin_vm seen;
	struct genl g;
	time_t end;
	void *ret;
	int i;

	TH_LOG("seed %u, %u s", seed, seconds);
	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < NR_CHURNERS; i++)
		ASSERT_EQ(0, pthread_create(&churner[i], NULL, churn, NULL));
	ASSERT_EQ(0, pthread_create(&ear, NULL, listen_to_all, NULL));
	for (i = 0; i < NR_FUZZERS; i++) {
		f[i].seed = seed + i;
		ASSERT_EQ(0, genl_open(&f[i].g));
		ASSERT_EQ(0, pthread_create(&f[i].thread, NULL, send_nonsense, &f[i]));
	}
	for (end = time(NULL) + seconds; time(NULL) < end;)
		kick(churner, NR_CHURNERS);
	over = true;
	for (i = 0; i < NR_FUZZERS; i++) {
		pthread_join(f[i].thread, &ret);
		EXPECT_EQ(NULL, ret);
	}
	for (i = 0; i < NR_CHURNERS; i++) {
		while (pthread_tryjoin_np(churner[i], &ret))
			kick(&churner[i], 1);
		EXPECT_EQ(NULL, ret);
	}
	pthread_join(ear, &ret);
	EXPECT_EQ(NULL, ret);
	TH_LOG("%lu sent, %lu answers, %lu refusals, %lu events", sent, answered, refused,
	       events);
	/* It has reached something, and been told of other things that they are wrong. */
	EXPECT_LT(0, answered);
	EXPECT_LT(0, refused);
	EXPECT_LT(0, events);

	ASSERT_EQ(0, genl_open(&g));
	ASSERT_EQ(0, vm_new(&vm, 0));
	EXPECT_EQ(0, admin_get(&g, admin_newest(&g), &seen));
	EXPECT_EQ(getpid(), seen.owner_pid);
	vm_close(&vm);
	genl_close(&g);
}

JOIST_TEST_MAIN
