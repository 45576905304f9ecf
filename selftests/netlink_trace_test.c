// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netlink family "joist": exits of a VM, traced by joist:joist_exit. All kinds that are
 * asked for are seen, those on the hot road, too, and no others.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/admin.h"
#include "lib/test.h"

#define TRACING		"/sys/kernel/tracing/"
#define ROUNDS		50

GUEST64(code_cpuid, "mov $50, %edi\n 1: xor %eax, %eax\n cpuid\n dec %edi\n jnz 1b\n" DONE);

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Lines of the trace that have both; all were told by joist_exit. */
static int traced(const char *one, const char *two)
{
	FILE *f = fopen(TRACING "trace", "r");
	char line[512];
	int n = 0;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		n += line[0] != '#' && strstr(line, "joist_exit:") &&
		     strstr(line, one) && strstr(line, two);
	fclose(f);
	return n;
}

static bool forget(void)
{
	return write_file(TRACING "trace", "\n");
}

/* 0 or -errno. */
static int trace(struct genl *g, uint32_t id, uint64_t kinds)
{
	struct genl_msg m;

	genl_begin(&m, g, JOIST_CMD_VM_SET, 0);
	genl_put_u32(&m, JOIST_A_VM_ID, id);
	genl_put_u64(&m, JOIST_A_VM_TRACE_EXITS, kinds);
	return genl_ask(g, &m, NULL, NULL);
}

static int take_kinds(struct nlmsghdr *hdr, void *arg)
{
	*(uint64_t *)arg = genl_u64(genl_attr(hdr, JOIST_A_VM_TRACE_EXITS));
	return 0;
}

static uint64_t kinds_of(struct genl *g, uint32_t id)
{
	uint64_t kinds = ~0ULL;
	struct genl_msg m;

	genl_begin(&m, g, JOIST_CMD_VM_GET, 0);
	genl_put_u32(&m, JOIST_A_VM_ID, id);
	genl_ask(g, &m, take_kinds, &kinds);
	return kinds;
}

struct wanted {
	const char *name;
	uint32_t id;
};

/* One message has a vCPU's counters, each in a nest of this type. */
static int take_kind(struct nlmsghdr *hdr, void *arg)
{
	const char *end = (const char *)hdr + hdr->nlmsg_len;
	const struct nlattr *a = (void *)((char *)NLMSG_DATA(hdr) + GENL_HDRLEN);
	struct wanted *wanted = arg;

	for (; (const char *)a + NLA_HDRLEN <= end && a->nla_len >= NLA_HDRLEN;
	     a = (void *)((const char *)a + NLA_ALIGN(a->nla_len)))
		if ((a->nla_type & NLA_TYPE_MASK) == JOIST_A_VCPU_COUNTER &&
		    !strcmp(genl_string(genl_nested(a, JOIST_A_COUNTER_NAME)), wanted->name))
			wanted->id = genl_u32(genl_nested(a, JOIST_A_COUNTER_ID));
	return 0;
}

/* The bit of a kind of exit that the VM has had. */
static uint64_t kind_bit(struct genl *g, uint32_t id, const char *name)
{
	struct wanted wanted = { name, 64 };
	struct genl_msg m;

	genl_begin(&m, g, JOIST_CMD_VCPU_GET, NLM_F_DUMP);
	genl_put_u32(&m, JOIST_A_VCPU_VM_ID, id);
	genl_ask(g, &m, take_kind, &wanted);
	return wanted.id < 64 ? 1ULL << wanted.id : 0;
}

FIXTURE(trace) {
	struct genl g;
	struct test_vm vm;
	uint32_t id;
	uint64_t cpuid;
	uint64_t pio;
	char mine[32];
};

static int run(FIXTURE_DATA(trace) * self)
{
	if (vcpu_long64(&self->vm, 0, GPA_CODE))
		return -1;
	return vcpu_done(&self->vm, 0);
}

FIXTURE_SETUP(trace)
{
	mount("tracefs", TRACING, "tracefs", 0, NULL);
	if (access(TRACING "events/joist/joist_exit/enable", W_OK))
		SKIP(return, "no tracefs, or not root");
	ASSERT_EQ(0, genl_open(&self->g));
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->id = admin_newest(&self->g);
	snprintf(self->mine, sizeof(self->mine), " vm=%u vcpu=0 ", self->id);
	vm_load(&self->vm, GPA_CODE, code_cpuid);
	ASSERT_EQ(0, run(self));
	self->cpuid = kind_bit(&self->g, self->id, "exits_cpuid");
	self->pio = kind_bit(&self->g, self->id, "exits_pio");
	ASSERT_NE(0, self->cpuid);
	ASSERT_NE(0, self->pio);
	ASSERT_TRUE(forget());
	ASSERT_TRUE(write_file(TRACING "tracing_on", "1"));
	ASSERT_TRUE(write_file(TRACING "events/joist/joist_exit/enable", "1"));
}

FIXTURE_TEARDOWN(trace)
{
	write_file(TRACING "events/joist/joist_exit/enable", "0");
	vm_close(&self->vm);
	genl_close(&self->g);
}

TEST_F(trace, nothing_unless_asked)
{
	EXPECT_EQ(0, kinds_of(&self->g, self->id));
	ASSERT_EQ(0, run(self));
	EXPECT_EQ(0, traced("", ""));
}

TEST_F(trace, each_exit_is_seen)
{
	ASSERT_EQ(0, trace(&self->g, self->id, self->cpuid));
	EXPECT_EQ(self->cpuid, kinds_of(&self->g, self->id));
	ASSERT_EQ(0, run(self));
	EXPECT_EQ(ROUNDS, traced(self->mine, " kind=cpuid rip=0x10007 "));
	EXPECT_EQ(ROUNDS, traced("", ""));

	/* Another set, and one more kind. */
	ASSERT_TRUE(forget());
	ASSERT_EQ(0, trace(&self->g, self->id, self->cpuid | self->pio));
	ASSERT_EQ(0, run(self));
	EXPECT_EQ(ROUNDS, traced(self->mine, " kind=cpuid "));
	EXPECT_EQ(1, traced(self->mine, " kind=pio "));
	ASSERT_TRUE(forget());
	ASSERT_EQ(0, trace(&self->g, self->id, self->pio));
	ASSERT_EQ(0, run(self));
	EXPECT_EQ(1, traced("", ""));

	ASSERT_TRUE(forget());
	ASSERT_EQ(0, trace(&self->g, self->id, 0));
	ASSERT_EQ(0, run(self));
	EXPECT_EQ(0, traced("", ""));
}

/* A debugger comes and goes: the two do not know of each other. */
TEST_F(trace, debugged_all_the_same)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
		.arch.debugreg = { [0] = GPA_CODE + 5, [7] = 0x402 },
	};
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(0, trace(&self->g, self->id, self->cpuid));
	ASSERT_EQ(0, vcpu_long64(vm, 0, GPA_CODE));
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_GUEST_DEBUG, &debug));
	ASSERT_EQ(KVM_EXIT_DEBUG, vcpu_run(vm, 0));
	debug.control = 0;
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_GUEST_DEBUG, &debug));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(ROUNDS, traced(self->mine, " kind=cpuid "));
	/* The flag is not userspace's. */
	debug.control = KVM_GUESTDBG_ENABLE | 1U << 31;
	EXPECT_EQ(-EINVAL, xioctl(vm->vcpu[0], KVM_SET_GUEST_DEBUG, &debug));
}

TEST_F(trace, kinds_that_are_not_there)
{
	EXPECT_EQ(-EINVAL, trace(&self->g, self->id, 1ULL << 63));
	EXPECT_STREQ("trace-exits: there is no such kind of exit", self->g.error);
	EXPECT_EQ(0, kinds_of(&self->g, self->id));
	EXPECT_EQ(-ENOENT, trace(&self->g, self->id + 1, 1));
}

/* A vCPU that is made later is traced as the others are. */
TEST_F(trace, vcpu_made_later)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct test_vm *vm = &self->vm;
	char second[32];

	snprintf(second, sizeof(second), " vm=%u vcpu=1 ", self->id);
	ASSERT_EQ(0, trace(&self->g, self->id, self->cpuid));
	ASSERT_EQ(1, vm_add_vcpu(vm, 1));
	ASSERT_EQ(0, xioctl(vm->vcpu[1], KVM_SET_MP_STATE, &runnable));
	ASSERT_EQ(0, vcpu_long64(vm, 1, GPA_CODE));
	ASSERT_EQ(0, vcpu_done(vm, 1));
	EXPECT_EQ(ROUNDS, traced(second, " kind=cpuid "));
}

JOIST_TEST_MAIN
