// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netlink family "joist": ports that a guest uses by itself. The port is that of the
 * POST codes: whatever is read there, reading does no harm.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/admin.h"
#include "lib/test.h"

#define OTHER_UID	1000
#define POST		0x80
#define ROUNDS		50
#define PROGRESS	(*(volatile uint64_t *)(self->vm.mem + GPA_DATA))

GUEST64(code_in, "mov $50, %ecx\n 1: in $0x80, %al\n dec %ecx\n jnz 1b\n" DONE);
GUEST64(code_wide, "in $0x80, %ax\n" DONE);
GUEST64(code_spin, "1: in $0x80, %al\n incq 0x20000\n jmp 1b\n");

FIXTURE(ports) {
	struct genl g;
	struct test_vm vm;
	uint32_t id;
};

FIXTURE_SETUP(ports)
{
	if (geteuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, genl_open(&self->g));
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->id = admin_newest(&self->g);
	ASSERT_NE(0, self->id);
	vm_load(&self->vm, GPA_CODE, code_in);
}

FIXTURE_TEARDOWN(ports)
{
	vm_close(&self->vm);
	genl_close(&self->g);
}

static int grant(FIXTURE_DATA(ports) * self, uint32_t first, uint32_t nr)
{
	return admin_ports(&self->g, JOIST_CMD_PORT_GRANT, self->id, first, nr);
}

static int withdraw(FIXTURE_DATA(ports) * self, uint32_t first, uint32_t nr)
{
	return admin_ports(&self->g, JOIST_CMD_PORT_REVOKE, self->id, first, nr);
}

struct ranges {
	int n;
	uint32_t first[8];
	uint32_t nr[8];
};

static int take_range(struct nlmsghdr *hdr, void *arg)
{
	struct ranges *r = arg;

	if (strcmp(genl_string(genl_attr(hdr, JOIST_A_DEVICE_KIND)), "ports") || r->n == 8)
		return 0;
	r->first[r->n] = genl_u32(genl_attr(hdr, JOIST_A_DEVICE_FIRST_PORT));
	r->nr[r->n++] = genl_u32(genl_attr(hdr, JOIST_A_DEVICE_NR_PORTS));
	return 0;
}

static struct ranges ranges(FIXTURE_DATA(ports) * self)
{
	struct ranges r = { };
	struct genl_msg m;

	genl_begin(&m, &self->g, JOIST_CMD_DEVICE_GET, NLM_F_DUMP);
	genl_put_u32(&m, JOIST_A_DEVICE_VM_ID, self->id);
	if (genl_ask(&self->g, &m, take_range, &r))
		r.n = -1;
	return r;
}

static int take_exits(struct nlmsghdr *hdr, void *arg)
{
	const char *end = (const char *)hdr + hdr->nlmsg_len;
	const struct nlattr *a = (void *)((char *)NLMSG_DATA(hdr) + GENL_HDRLEN);
	uint64_t *sum = arg;

	for (; (const char *)a + NLA_HDRLEN <= end && a->nla_len >= NLA_HDRLEN;
	     a = (void *)((const char *)a + NLA_ALIGN(a->nla_len)))
		if ((a->nla_type & NLA_TYPE_MASK) == JOIST_A_VCPU_COUNTER &&
		    !strcmp(genl_string(genl_nested(a, JOIST_A_COUNTER_NAME)), "exits_pio"))
			*sum += genl_u64(genl_nested(a, JOIST_A_COUNTER_VALUE));
	return 0;
}

/* By I/O, of all vCPUs. */
static uint64_t exits(FIXTURE_DATA(ports) * self)
{
	struct genl_msg m;
	uint64_t sum = 0;

	genl_begin(&m, &self->g, JOIST_CMD_VCPU_GET, NLM_F_DUMP);
	genl_put_u32(&m, JOIST_A_VCPU_VM_ID, self->id);
	genl_ask(&self->g, &m, take_exits, &sum);
	return sum;
}

/* How many exits reading makes on vCPU @i until it is done; -1: it was not. */
static int64_t reads(FIXTURE_DATA(ports) * self, int i)
{
	struct test_vm *vm = &self->vm;
	uint64_t before = exits(self);

	if (vcpu_long64(vm, i, GPA_CODE))
		return -1;
	while (vcpu_run(vm, i) == KVM_EXIT_IO)
		if (vm->run[i]->io.port == PORT_DONE)
			return exits(self) - before - 1;
		else if (vm->run[i]->io.port != POST)
			break;
	return -1;
}

TEST_F(ports, granted_and_revoked)
{
	struct ranges r;

	EXPECT_EQ(ROUNDS, reads(self, 0));
	ASSERT_EQ(0, grant(self, POST, 1));
	EXPECT_EQ(0, reads(self, 0));
	/* It reaches beyond what is granted. */
	vm_load(&self->vm, GPA_CODE, code_wide);
	EXPECT_EQ(1, reads(self, 0));
	ASSERT_EQ(0, grant(self, POST + 1, 1));
	EXPECT_EQ(0, reads(self, 0));
	r = ranges(self);
	ASSERT_EQ(1, r.n);
	EXPECT_EQ(POST, r.first[0]);
	EXPECT_EQ(2, r.nr[0]);
	vm_load(&self->vm, GPA_CODE, code_in);
	ASSERT_EQ(0, withdraw(self, POST, 1));
	EXPECT_EQ(ROUNDS, reads(self, 0));
	ASSERT_EQ(0, withdraw(self, 0, 65536));
	EXPECT_EQ(0, ranges(self).n);
	EXPECT_EQ(ROUNDS, reads(self, 0));
}

static void *vmm(void *arg)
{
	return (void *)(intptr_t)vcpu_run(arg, 0);
}

/* It is in the guest when the port is taken away. */
TEST_F(ports, revoked_while_it_runs)
{
	struct test_vm *vm = &self->vm;
	pthread_t thread;
	uint64_t was;
	void *ret;
	int i;

	ASSERT_EQ(0, grant(self, POST, 1));
	vm_load(vm, GPA_CODE, code_spin);
	ASSERT_EQ(0, vcpu_long64(vm, 0, GPA_CODE));
	ASSERT_EQ(0, pthread_create(&thread, NULL, vmm, vm));
	for (i = 0; i < 10000 && PROGRESS < 100; i++)
		usleep(1000);
	EXPECT_LE(100, PROGRESS);
	ASSERT_EQ(0, withdraw(self, POST, 1));
	was = PROGRESS;
	pthread_join(thread, &ret);
	EXPECT_EQ(KVM_EXIT_IO, (intptr_t)ret);
	EXPECT_EQ(POST, vm->run[0]->io.port);
	/* One that it had read already was counted, no more. */
	EXPECT_GE(was + 1, PROGRESS);
}

TEST_F(ports, vcpu_made_later)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(0, grant(self, POST, 1));
	ASSERT_EQ(1, vm_add_vcpu(vm, 1));
	ASSERT_EQ(0, xioctl(vm->vcpu[1], KVM_SET_MP_STATE, &runnable));
	EXPECT_EQ(0, reads(self, 1));
}

/* Each VM has its own. */
TEST_F(ports, of_one_vm_alone)
{
	struct test_vm mine = self->vm;
	uint32_t id = self->id;
	struct test_vm other;

	ASSERT_EQ(0, grant(self, POST, 1));
	ASSERT_EQ(0, vm_new(&other, 0));
	ASSERT_EQ(0, vm_add_vcpu(&other, 0));
	vm_load(&other, GPA_CODE, code_in);
	self->vm = other;
	self->id = admin_newest(&self->g);
	EXPECT_EQ(ROUNDS, reads(self, 0));
	EXPECT_EQ(0, ranges(self).n);
	vm_close(&other);
	self->vm = mine;
	self->id = id;
	EXPECT_EQ(0, reads(self, 0));
}

/* Devices in the kernel keep what is theirs, and take what they need. */
TEST_F(ports, devices_win)
{
	struct kvm_pit_config pit = { };
	struct kvm_ioeventfd bell = {
		.addr = POST,
		.len = 1,
		.fd = -1,
		.flags = KVM_IOEVENTFD_FLAG_PIO,
	};
	struct ranges r;

	EXPECT_EQ(-EBUSY, grant(self, 0x20, 2));
	EXPECT_STREQ("a device in the kernel has one of these ports", self->g.error);
	EXPECT_EQ(-EBUSY, grant(self, 0x21, 1));
	EXPECT_EQ(-EBUSY, grant(self, 0, 65536));
	EXPECT_EQ(0, ranges(self).n);
	ASSERT_EQ(0, grant(self, 0x3f, 6));
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_CREATE_PIT2, &pit));
	r = ranges(self);
	ASSERT_EQ(2, r.n);
	EXPECT_EQ(0x3f, r.first[0]);
	EXPECT_EQ(1, r.nr[0]);
	EXPECT_EQ(0x44, r.first[1]);
	EXPECT_EQ(1, r.nr[1]);
	/* A doorbell likewise, one that has no length as well. */
	ASSERT_EQ(0, grant(self, POST, 2));
	bell.fd = eventfd(0, 0);
	ASSERT_LE(0, bell.fd);
	bell.len = 0;
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_IOEVENTFD, &bell));
	EXPECT_EQ(ROUNDS, reads(self, 0));
	r = ranges(self);
	ASSERT_EQ(3, r.n);
	EXPECT_EQ(POST + 1, r.first[2]);
	close(bell.fd);
}

TEST_F(ports, what_is_refused)
{
	struct genl_msg m;

	EXPECT_EQ(-ENOENT, admin_ports(&self->g, JOIST_CMD_PORT_GRANT, self->id + 1, POST, 1));
	EXPECT_EQ(-ERANGE, grant(self, 65536, 1));
	EXPECT_EQ(-ERANGE, grant(self, 65535, 2));
	EXPECT_EQ(-ERANGE, grant(self, POST, 0));
	/* By these a guest would have all of the host's PCI devices. */
	EXPECT_EQ(-EPERM, grant(self, 0xcf8, 1));
	EXPECT_EQ(-EPERM, grant(self, 0xcff, 1));
	EXPECT_EQ(-EPERM, grant(self, 0xcf0, 16));
	EXPECT_EQ(-EPERM, grant(self, 0xc00, 1024));
	EXPECT_EQ(0, ranges(self).n);
	EXPECT_EQ(0, grant(self, 0xcf7, 1));
	EXPECT_EQ(0, grant(self, 0xd00, 1));
	EXPECT_EQ(2, ranges(self).n);
	EXPECT_EQ(0, withdraw(self, 0xcf7, 10));
	EXPECT_EQ(-ERANGE, withdraw(self, 65535, 2));
	EXPECT_EQ(0, withdraw(self, 65535, 1));
	EXPECT_EQ(0, grant(self, 65535, 1));
	EXPECT_EQ(0, grant(self, 65535, 1));
	EXPECT_EQ(1, ranges(self).n);
	genl_begin(&m, &self->g, JOIST_CMD_PORT_GRANT, 0);
	genl_put_u32(&m, JOIST_A_DEVICE_VM_ID, self->id);
	genl_put_u32(&m, JOIST_A_DEVICE_FIRST_PORT, POST);
	EXPECT_EQ(-EINVAL, genl_ask(&self->g, &m, NULL, NULL));
	ASSERT_EQ(0, admin_kill(&self->g, self->id));
	EXPECT_EQ(-EIO, grant(self, POST, 1));
	EXPECT_EQ(0, withdraw(self, 65535, 1));
}

/* Its owner's, but he has no right to ports. Exit code: which step failed, 0: none. */
static int owner(int dev, uint32_t root_vm)
{
	int fd = xioctl_val(dev, KVM_CREATE_VM, 0);
	struct genl g;
	uint32_t id;

	if (fd < 0 || genl_open(&g))
		return 1;
	id = admin_newest(&g);
	if (admin_ports(&g, JOIST_CMD_PORT_GRANT, id, POST, 1) != -EPERM)
		return 2;
	if (!strstr(g.error, "CAP_SYS_RAWIO in the initial user namespace"))
		return 3;
	if (admin_ports(&g, JOIST_CMD_PORT_GRANT, root_vm, POST, 1) != -ENOENT ||
	    admin_ports(&g, JOIST_CMD_PORT_REVOKE, root_vm, POST, 1) != -ENOENT)
		return 4;
	/* What he has not got he may give back. */
	if (admin_ports(&g, JOIST_CMD_PORT_REVOKE, id, POST, 1))
		return 5;
	return 0;
}

TEST_F(ports, owners_need_the_right)
{
	int status = -1;
	pid_t pid;

	ASSERT_EQ(0, grant(self, POST, 1));
	pid = fork();
	if (!pid) {
		if (setgid(OTHER_UID) || setuid(OTHER_UID))
			_exit(100);
		_exit(owner(self->vm.dev, self->id));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(0, reads(self, 0));
}

/* In kB; -1: not told. */
static long unused(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kb = -1;

	while (f && kb < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "MemFree: %ld", &kb);
	if (f)
		fclose(f);
	return kb;
}

/* Each has a map of its own, given back with it, or this would take 12 MiB. */
TEST_F(ports, maps_are_given_back)
{
	struct test_vm *vm = &self->vm;
	long before = unused();
	int i, fd;

	for (i = 0; i < 1000; i++) {
		fd = xioctl_val(vm->dev, KVM_CREATE_VM, 0);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, admin_ports(&self->g, JOIST_CMD_PORT_GRANT,
					 self->id + 1 + i, POST, 1));
		close(fd);
	}
	EXPECT_LT(before - 8192, unused());
}

JOIST_TEST_MAIN
