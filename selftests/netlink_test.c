// SPDX-License-Identifier: GPL-2.0-only
/* The netlink family "joist": VMs are seen, described, limited and watched. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/admin.h"
#include "lib/test.h"

GUEST64(code_done, "1:\n" DONE "jmp 1b\n");
GUEST64(code_halt, "cli\n 1: hlt\n jmp 1b\n");
/* Without an IDT: the exception, the double fault, and no more. */
GUEST64(code_triple, "lidt 0x20000\n ud2\n");

FIXTURE(netlink) {
	struct genl g;
	struct test_vm vm;
	uint32_t id;
};

FIXTURE_SETUP(netlink)
{
	ASSERT_EQ(0, genl_open(&self->g));
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	self->id = admin_newest(&self->g);
	ASSERT_NE(0, self->id);
}

FIXTURE_TEARDOWN(netlink)
{
	vm_close(&self->vm);
	genl_close(&self->g);
}

/* --- the host -------------------------------------------------------------------- */

struct host {
	char vendor[16];
	bool nested_paging;
	uint32_t vms;
	uint32_t max_vcpus;
};

static int take_host(struct nlmsghdr *hdr, void *arg)
{
	struct host *host = arg;

	strncpy(host->vendor, genl_string(genl_attr(hdr, JOIST_A_HOST_VENDOR)),
		sizeof(host->vendor) - 1);
	host->vms = genl_u32(genl_attr(hdr, JOIST_A_HOST_VMS));
	host->max_vcpus = genl_u32(genl_attr(hdr, JOIST_A_HOST_MAX_VCPUS));
	host->nested_paging = !strcmp("nested-paging",
				      genl_string(genl_attr(hdr, JOIST_A_HOST_FEATURE)));
	return 0;
}

static int host_get(struct genl *g, struct host *host)
{
	struct genl_msg m;

	memset(host, 0, sizeof(*host));
	genl_begin(&m, g, JOIST_CMD_HOST_GET, 0);
	return genl_ask(g, &m, take_host, host);
}

TEST_F(netlink, host)
{
	struct host before, after;
	struct test_vm vm;

	ASSERT_EQ(0, host_get(&self->g, &before));
	EXPECT_TRUE(!strcmp(before.vendor, "svm") || !strcmp(before.vendor, "vmx"));
	EXPECT_EQ(xioctl_val(self->vm.dev, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS),
		  before.max_vcpus);
	EXPECT_TRUE(before.nested_paging);
	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, host_get(&self->g, &after));
	EXPECT_EQ(before.vms + 1, after.vms);
	vm_close(&vm);
	ASSERT_EQ(0, host_get(&self->g, &after));
	EXPECT_EQ(before.vms, after.vms);
}

/* --- seen -------------------------------------------------------------------------- */

TEST_F(netlink, vm_is_seen_from_create_to_close)
{
	static const uint8_t none[16];
	struct admin_vm one, again;
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(self->id + 1, admin_newest(&self->g));
	ASSERT_EQ(0, admin_get(&self->g, self->id + 1, &one));
	EXPECT_EQ(self->id + 1, one.id);
	EXPECT_EQ(JOIST_VM_STATE_CREATED, one.state);
	EXPECT_EQ(0, one.vcpus);
	EXPECT_EQ(MEM_SIZE, one.memory);
	EXPECT_EQ(geteuid(), one.owner_uid);
	EXPECT_EQ(getpid(), one.owner_pid);
	EXPECT_STREQ("", one.name);
	EXPECT_NE(0, memcmp(none, one.uuid, 16));
	/* A random one says so: version 4. */
	EXPECT_EQ(0x40, one.uuid[6] & 0xf0);
	EXPECT_TRUE(one.nested_paging);
	EXPECT_FALSE(one.has_fault);
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	ASSERT_EQ(0, admin_get(&self->g, one.id, &again));
	EXPECT_EQ(1, again.vcpus);
	EXPECT_EQ(0, memcmp(again.uuid, one.uuid, 16));
	vm_close(&vm);
	EXPECT_EQ(-ENOENT, admin_get(&self->g, one.id, &again));
	EXPECT_STREQ("no VM with this id is yours", self->g.error);
}

struct vcpus {
	uint32_t vm;		/* 0: of all */
	int nr;
	uint32_t apic_id;
	uint32_t state;
	uint32_t tid;
	uint64_t exits;
	uint64_t pio;
};

static int take_vcpu(struct nlmsghdr *hdr, void *arg)
{
	const struct nlattr *attr = genl_attr(hdr, JOIST_A_VCPU_COUNTER);
	const char *end = (const char *)hdr + hdr->nlmsg_len;
	struct vcpus *v = arg;

	if (v->vm && genl_u32(genl_attr(hdr, JOIST_A_VCPU_VM_ID)) != v->vm)
		return -EPROTO;
	if (genl_u32(genl_attr(hdr, JOIST_A_VCPU_INDEX)) != v->nr)
		return -EPROTO;
	v->nr++;
	v->apic_id = genl_u32(genl_attr(hdr, JOIST_A_VCPU_APIC_ID));
	v->state = genl_u32(genl_attr(hdr, JOIST_A_VCPU_STATE));
	v->tid = genl_u32(genl_attr(hdr, JOIST_A_VCPU_TID));
	v->exits = genl_u64(genl_attr(hdr, JOIST_A_VCPU_EXITS));
	while (attr && (const char *)attr < end && attr->nla_len >= NLA_HDRLEN) {
		if ((attr->nla_type & NLA_TYPE_MASK) == JOIST_A_VCPU_COUNTER &&
		    !strcmp("exits_pio", genl_string(genl_nested(attr, JOIST_A_COUNTER_NAME))))
			v->pio = genl_u64(genl_nested(attr, JOIST_A_COUNTER_VALUE));
		attr = (const void *)((const char *)attr + NLA_ALIGN(attr->nla_len));
	}
	return 0;
}

static int vcpus_get(struct genl *g, uint32_t vm, struct vcpus *v)
{
	struct genl_msg m;

	memset(v, 0, sizeof(*v));
	v->vm = vm;
	genl_begin(&m, g, JOIST_CMD_VCPU_GET, NLM_F_DUMP);
	genl_put_u32(&m, JOIST_A_VCPU_VM_ID, vm);
	return genl_ask(g, &m, take_vcpu, v);
}

TEST_F(netlink, vcpus_and_what_they_count)
{
	struct vcpus v;

	ASSERT_EQ(0, vcpus_get(&self->g, self->id, &v));
	EXPECT_EQ(1, v.nr);
	EXPECT_EQ(0, v.exits);
	EXPECT_EQ(0, v.tid);
	EXPECT_EQ(JOIST_VCPU_STATE_USERSPACE, v.state);
	vm_load(&self->vm, GPA_CODE, code_done);
	ASSERT_EQ(0, vcpu_done(&self->vm, 0));
	ASSERT_EQ(1, vm_add_vcpu(&self->vm, 5));
	ASSERT_EQ(0, vcpus_get(&self->g, self->id, &v));
	EXPECT_EQ(2, v.nr);
	EXPECT_EQ(5, v.apic_id);
	EXPECT_EQ(vcpu_stat(self->vm.vcpu[0], "exits_pio"), v.pio);
	EXPECT_LE(1, v.pio);
	EXPECT_EQ(-ENOENT, vcpus_get(&self->g, self->id + 1, &v));
	EXPECT_STREQ("no VM with this id is yours", self->g.error);
	EXPECT_EQ(-ERANGE, vcpus_get(&self->g, 0, &v));
}

struct slots {
	int nr;
	uint32_t vm;
	uint32_t id;
	uint64_t gpa;
	uint64_t size;
	uint64_t hva;
	bool read_only;
	bool log_dirty;
};

static int take_slot(struct nlmsghdr *hdr, void *arg)
{
	struct slots *s = arg;

	if (genl_u32(genl_attr(hdr, JOIST_A_SLOT_VM_ID)) != s->vm)
		return -EPROTO;
	s->nr++;
	s->id = genl_u32(genl_attr(hdr, JOIST_A_SLOT_ID));
	s->gpa = genl_u64(genl_attr(hdr, JOIST_A_SLOT_GPA));
	s->size = genl_u64(genl_attr(hdr, JOIST_A_SLOT_SIZE));
	s->hva = genl_u64(genl_attr(hdr, JOIST_A_SLOT_HVA));
	s->read_only = genl_attr(hdr, JOIST_A_SLOT_READ_ONLY);
	s->log_dirty = genl_attr(hdr, JOIST_A_SLOT_LOG_DIRTY);
	return 0;
}

static int slots_get(struct genl *g, uint32_t vm, struct slots *s)
{
	struct genl_msg m;

	memset(s, 0, sizeof(*s));
	s->vm = vm;
	genl_begin(&m, g, JOIST_CMD_SLOT_GET, NLM_F_DUMP);
	genl_put_u32(&m, JOIST_A_SLOT_VM_ID, vm);
	return genl_ask(g, &m, take_slot, s);
}

TEST_F(netlink, slots)
{
	struct test_vm *vm = &self->vm;
	struct slots s;
	int i;

	ASSERT_EQ(0, slots_get(&self->g, self->id, &s));
	EXPECT_EQ(1, s.nr);
	EXPECT_EQ(0, s.gpa);
	EXPECT_EQ(MEM_SIZE, s.size);
	EXPECT_EQ((uintptr_t)vm->mem, s.hva);
	EXPECT_FALSE(s.read_only || s.log_dirty);
	ASSERT_EQ(0, vm_set_memory(vm, 7, KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES,
				   0x10000000, 0x3000, vm->mem));
	ASSERT_EQ(0, slots_get(&self->g, self->id, &s));
	EXPECT_EQ(2, s.nr);
	EXPECT_EQ(7, s.id);
	EXPECT_EQ(0x10000000, s.gpa);
	EXPECT_EQ(0x3000, s.size);
	EXPECT_TRUE(s.read_only && s.log_dirty);
	/* More than one message has room for. */
	for (i = 8; i < 500; i++)
		ASSERT_EQ(0, vm_set_memory(vm, i, 0, 0x10000000 + i * 0x10000UL, 0x1000,
					   vm->mem));
	ASSERT_EQ(0, slots_get(&self->g, self->id, &s));
	EXPECT_EQ(2 + 492, s.nr);
}

static int take_device(struct nlmsghdr *hdr, void *arg)
{
	char *kinds = arg;

	strcat(kinds, genl_string(genl_attr(hdr, JOIST_A_DEVICE_KIND)));
	strcat(kinds, " ");
	return 0;
}

TEST_F(netlink, devices)
{
	struct kvm_pit_config pit = { 0 };
	char kinds[256] = "";
	struct genl_msg m;

	genl_begin(&m, &self->g, JOIST_CMD_DEVICE_GET, NLM_F_DUMP);
	genl_put_u32(&m, JOIST_A_DEVICE_VM_ID, self->id);
	ASSERT_EQ(0, genl_ask(&self->g, &m, take_device, kinds));
	EXPECT_STREQ("irqchip ", kinds);
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_CREATE_PIT2, &pit));
	kinds[0] = '\0';
	ASSERT_EQ(0, genl_ask(&self->g, &m, take_device, kinds));
	EXPECT_STREQ("irqchip pit ", kinds);
}

struct listed {
	uint32_t last;
	uint32_t wanted;
	int times;
	int nr;
};

/* In the order of their ids, none twice. */
static int take_listed(struct nlmsghdr *hdr, void *arg)
{
	uint32_t id = genl_u32(genl_attr(hdr, JOIST_A_VM_ID));
	struct listed *l = arg;

	if (id <= l->last)
		return -EPROTO;
	l->last = id;
	l->times += id == l->wanted;
	l->nr++;
	return 0;
}

static int list(struct genl *g, struct listed *l, uint32_t wanted)
{
	struct genl_msg m;

	memset(l, 0, sizeof(*l));
	l->wanted = wanted;
	genl_begin(&m, g, JOIST_CMD_VM_GET, NLM_F_DUMP);
	return genl_ask(g, &m, take_listed, l);
}

static void *come_and_go(void *arg)
{
	volatile bool *stop = arg;
	int dev = dev_open();

	while (!*stop) {
		int one = xioctl_val(dev, KVM_CREATE_VM, 0);
		int other = xioctl_val(dev, KVM_CREATE_VM, 0);

		close(one);
		close(other);
	}
	close(dev);
	return NULL;
}

TEST_F(netlink, dump_while_vms_come_and_go)
{
	volatile bool stop = false;
	struct listed l;
	pthread_t thread;
	int fd[60], i;

	/* Enough for several messages. */
	for (i = 0; i < 60; i++) {
		fd[i] = xioctl_val(self->vm.dev, KVM_CREATE_VM, 0);
		ASSERT_LE(0, fd[i]);
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, come_and_go, (void *)&stop));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, list(&self->g, &l, self->id + 59));
		ASSERT_EQ(1, l.times);
		ASSERT_LE(61, l.nr);
	}
	stop = true;
	pthread_join(thread, NULL);
	for (i = 0; i < 60; i++)
		close(fd[i]);
	ASSERT_EQ(0, list(&self->g, &l, self->id + 59));
	EXPECT_EQ(0, l.times);
}

/* --- set ----------------------------------------------------------------------------- */

TEST_F(netlink, name)
{
	static const char longest[] =
		"123456789-123456789-123456789-123456789-123456789-123456789-123";
	static const char too_long[] =
		"123456789-123456789-123456789-123456789-123456789-123456789-1234";
	struct admin_vm vm;

	ASSERT_EQ(0, admin_set_name(&self->g, self->id, "web-1"));
	ASSERT_EQ(0, admin_get(&self->g, self->id, &vm));
	EXPECT_STREQ("web-1", vm.name);
	ASSERT_EQ(0, admin_set_name(&self->g, self->id, longest));
	ASSERT_EQ(0, admin_get(&self->g, self->id, &vm));
	EXPECT_STREQ(longest, vm.name);
	EXPECT_EQ(-EINVAL, admin_set_name(&self->g, self->id, too_long));
	EXPECT_NE(0, self->g.bad);
	EXPECT_EQ(-EINVAL, admin_set_name(&self->g, self->id, "two words"));
	EXPECT_STREQ("name: printable ASCII without blanks", self->g.error);
	EXPECT_NE(0, self->g.bad);
	EXPECT_EQ(-EINVAL, admin_set_name(&self->g, self->id, "bell\a"));
	EXPECT_EQ(-EINVAL, admin_set_name(&self->g, self->id, "z\xc3\xbcrich"));
	EXPECT_EQ(-ENOENT, admin_set_name(&self->g, self->id + 1, "web-2"));
	ASSERT_EQ(0, admin_get(&self->g, self->id, &vm));
	EXPECT_STREQ(longest, vm.name);
	ASSERT_EQ(0, admin_set_name(&self->g, self->id, ""));
	ASSERT_EQ(0, admin_get(&self->g, self->id, &vm));
	EXPECT_STREQ("", vm.name);
}

TEST_F(netlink, name_without_its_end)
{
	struct genl_msg m;

	genl_begin(&m, &self->g, JOIST_CMD_VM_SET, 0);
	genl_put_u32(&m, JOIST_A_VM_ID, self->id);
	genl_put(&m, JOIST_A_VM_NAME, "abcd", 4);
	EXPECT_EQ(-EINVAL, genl_ask(&self->g, &m, NULL, NULL));
}

TEST_F(netlink, uuid)
{
	static const uint8_t uuid[17] = "0123456789abcdef";
	struct admin_vm vm;
	struct genl_msg m;

	genl_begin(&m, &self->g, JOIST_CMD_VM_SET, 0);
	genl_put_u32(&m, JOIST_A_VM_ID, self->id);
	genl_put(&m, JOIST_A_VM_UUID, uuid, 16);
	ASSERT_EQ(0, genl_ask(&self->g, &m, NULL, NULL));
	ASSERT_EQ(0, admin_get(&self->g, self->id, &vm));
	EXPECT_EQ(0, memcmp(uuid, vm.uuid, 16));
	genl_begin(&m, &self->g, JOIST_CMD_VM_SET, 0);
	genl_put_u32(&m, JOIST_A_VM_ID, self->id);
	genl_put(&m, JOIST_A_VM_UUID, uuid, 15);
	EXPECT_EQ(-ERANGE, genl_ask(&self->g, &m, NULL, NULL));
	EXPECT_NE(0, self->g.bad);
}

/* A request with an attribute that its operation does not have, and other nonsense. */
TEST_F(netlink, strict)
{
	struct admin_vm vm;
	struct genl_msg m;

	genl_begin(&m, &self->g, JOIST_CMD_VM_PAUSE, 0);
	EXPECT_EQ(-EINVAL, genl_ask(&self->g, &m, NULL, NULL));
	EXPECT_STREQ("which VM? Its id is missing", self->g.error);
	genl_begin(&m, &self->g, JOIST_CMD_VM_PAUSE, 0);
	genl_put_u32(&m, JOIST_A_VM_ID, self->id);
	genl_put(&m, JOIST_A_VM_FORCE, NULL, 0);
	EXPECT_EQ(-EINVAL, genl_ask(&self->g, &m, NULL, NULL));
	genl_begin(&m, &self->g, JOIST_CMD_VM_PAUSE, 0);
	genl_put(&m, JOIST_A_VM_ID, "abc", 3);
	EXPECT_EQ(-EINVAL, genl_ask(&self->g, &m, NULL, NULL));
	EXPECT_EQ(-ERANGE, admin_do(&self->g, JOIST_CMD_VM_PAUSE, 0));
	genl_begin(&m, &self->g, JOIST_CMD_HOST_GET, 0);
	genl_put_u32(&m, JOIST_A_HOST_VMS, 1);
	EXPECT_EQ(-EINVAL, genl_ask(&self->g, &m, NULL, NULL));
	/* Dumps are of all VMs; vCPUs have dumps alone; events are nobody's request. */
	genl_begin(&m, &self->g, JOIST_CMD_VM_GET, NLM_F_DUMP);
	genl_put_u32(&m, JOIST_A_VM_ID, self->id);
	EXPECT_EQ(-EINVAL, genl_ask(&self->g, &m, NULL, NULL));
	EXPECT_EQ(-EOPNOTSUPP, genl_simple(&self->g, JOIST_CMD_VCPU_GET, JOIST_A_VCPU_VM_ID,
					   self->id));
	EXPECT_EQ(-EOPNOTSUPP, admin_do(&self->g, JOIST_CMD_VM_CREATED, self->id));
	EXPECT_EQ(-EOPNOTSUPP, admin_do(&self->g, 200, self->id));
	ASSERT_EQ(0, admin_get(&self->g, self->id, &vm));
	EXPECT_EQ(JOIST_VM_STATE_CREATED, vm.state);
}

/* All of a request or nothing. */
TEST_F(netlink, set_is_whole)
{
	struct admin_vm vm;
	struct genl_msg m;

	genl_begin(&m, &self->g, JOIST_CMD_VM_SET, 0);
	genl_put_u32(&m, JOIST_A_VM_ID, self->id);
	genl_put_u32(&m, JOIST_A_VM_LIMIT_VCPUS, 3);
	genl_put_string(&m, JOIST_A_VM_NAME, "a b");
	EXPECT_EQ(-EINVAL, genl_ask(&self->g, &m, NULL, NULL));
	ASSERT_EQ(0, admin_get(&self->g, self->id, &vm));
	EXPECT_EQ(0, vm.limit_vcpus);
}

TEST_F(netlink, limits)
{
	struct test_vm *vm = &self->vm;
	struct admin_vm seen;

	ASSERT_EQ(0, admin_limit(&self->g, self->id, JOIST_A_VM_LIMIT_VCPUS, 2));
	ASSERT_EQ(1, vm_add_vcpu(vm, 1));
	EXPECT_EQ(-EAGAIN, xioctl_val(vm->fd, KVM_CREATE_VCPU, 2));
	EXPECT_EQ(-EEXIST, xioctl_val(vm->fd, KVM_CREATE_VCPU, 1));
	ASSERT_EQ(0, admin_limit(&self->g, self->id, JOIST_A_VM_LIMIT_VCPUS, 0));
	EXPECT_EQ(2, vm_add_vcpu(vm, 2));

	ASSERT_EQ(0, admin_limit(&self->g, self->id, JOIST_A_VM_LIMIT_MEMORY,
				 MEM_SIZE + 0x2000));
	EXPECT_EQ(-ENOMEM, vm_set_memory(vm, 3, 0, 0x10000000, 0x3000, vm->mem));
	EXPECT_EQ(0, vm_set_memory(vm, 3, 0, 0x10000000, 0x2000, vm->mem));
	/* A slot that moves takes no more. */
	EXPECT_EQ(0, vm_set_memory(vm, 3, 0, 0x20000000, 0x2000, vm->mem));
	EXPECT_EQ(-ENOMEM, vm_set_memory(vm, 4, 0, 0x10000000, 0x1000, vm->mem));
	EXPECT_EQ(0, vm_set_memory(vm, 3, 0, 0x20000000, 0, vm->mem));
	EXPECT_EQ(0, vm_set_memory(vm, 4, 0, 0x10000000, 0x1000, vm->mem));
	ASSERT_EQ(0, admin_get(&self->g, self->id, &seen));
	EXPECT_EQ(MEM_SIZE + 0x1000, seen.memory);
	EXPECT_EQ(MEM_SIZE + 0x2000, seen.limit_memory);
}

/* --- events ---------------------------------------------------------------------------- */

TEST_F(netlink, life_of_a_vm_in_events)
{
	static const int what[] = {
		JOIST_CMD_VM_CREATED,	/* 1 */
		JOIST_CMD_VM_CHANGED,	/* named */
		JOIST_CMD_VM_CHANGED,	/* started */
		JOIST_CMD_VM_CHANGED,	/* paused */
		JOIST_CMD_VM_CHANGED,	/* resumed */
		JOIST_CMD_VM_DESTROYED,
	};
	static const int state[] = {
		JOIST_VM_STATE_CREATED, JOIST_VM_STATE_CREATED, JOIST_VM_STATE_STARTED,
		JOIST_VM_STATE_PAUSED, JOIST_VM_STATE_STARTED,
	};
	uint32_t id = self->id + 1;
	uint64_t seq = 0;
	struct genl_msg m;
	struct test_vm vm;
	struct genl ear;
	int i;

	ASSERT_EQ(0, genl_open(&ear));
	ASSERT_EQ(0, genl_join(&ear, JOIST_GROUP_LIFECYCLE));
	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, admin_set_name(&self->g, id, "short-lived"));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	ASSERT_EQ(0, vcpu_long64(&vm, 0, GPA_CODE));
	vm_load(&vm, GPA_CODE, code_done);
	ASSERT_EQ(0, vcpu_done(&vm, 0));
	ASSERT_EQ(0, vcpu_done(&vm, 0));
	ASSERT_EQ(0, admin_do(&self->g, JOIST_CMD_VM_PAUSE, id));
	ASSERT_EQ(0, admin_do(&self->g, JOIST_CMD_VM_PAUSE, id));
	ASSERT_EQ(0, admin_do(&self->g, JOIST_CMD_VM_RESUME, id));
	ASSERT_EQ(0, admin_do(&self->g, JOIST_CMD_VM_RESUME, id));
	vm_close(&vm);
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(1, genl_event(&ear, &m, 2000));
		EXPECT_EQ(what[i], genl_cmd(&m.hdr));
		EXPECT_EQ(id, genl_u32(genl_attr(&m.hdr, JOIST_A_VM_ID)));
		EXPECT_EQ(i + 1, genl_u64(genl_attr(&m.hdr, JOIST_A_VM_VM_SEQ)));
		if (i)
			EXPECT_EQ(seq + 1, genl_u64(genl_attr(&m.hdr, JOIST_A_VM_SEQ)));
		seq = genl_u64(genl_attr(&m.hdr, JOIST_A_VM_SEQ));
		EXPECT_STREQ(i ? "short-lived" : "",
			     genl_string(genl_attr(&m.hdr, JOIST_A_VM_NAME)));
		EXPECT_EQ(getpid(), genl_u32(genl_attr(&m.hdr, JOIST_A_VM_OWNER_PID)));
		if (i < 5)
			EXPECT_EQ(state[i], genl_u32(genl_attr(&m.hdr, JOIST_A_VM_STATE)));
	}
	ASSERT_NE(NULL, genl_attr(&m.hdr, JOIST_A_VM_CAUSE));
	EXPECT_EQ(JOIST_CAUSE_CLOSED, genl_u32(genl_attr(&m.hdr, JOIST_A_VM_CAUSE)));
	EXPECT_EQ(0, genl_event(&ear, &m, 0));
	genl_close(&ear);
}

TEST_F(netlink, triple_fault)
{
	struct test_vm *vm = &self->vm;
	struct admin_vm seen;
	struct genl_msg m;
	struct genl ear;

	ASSERT_EQ(0, genl_open(&ear));
	ASSERT_EQ(0, genl_join(&ear, JOIST_GROUP_FAULT));
	ASSERT_EQ(0, genl_join(&ear, JOIST_GROUP_LIFECYCLE));
	vm_set_dtable(vm, GPA_DATA, 0, 0);
	vm_load(vm, GPA_CODE, code_triple);
	ASSERT_EQ(KVM_EXIT_SHUTDOWN, vcpu_run(vm, 0));
	ASSERT_EQ(1, genl_event(&ear, &m, 2000));
	EXPECT_EQ(JOIST_CMD_VM_CHANGED, genl_cmd(&m.hdr));
	ASSERT_EQ(1, genl_event(&ear, &m, 2000));
	EXPECT_EQ(JOIST_CMD_VM_FAULT, genl_cmd(&m.hdr));
	admin_parse(&m.hdr, &seen);
	EXPECT_EQ(self->id, seen.id);
	EXPECT_TRUE(seen.has_fault);
	EXPECT_EQ(JOIST_FAULT_KIND_TRIPLE_FAULT, seen.fault_kind);
	EXPECT_NE(NULL, strstr(seen.report, "vCPU 0 (APIC id 0): triple fault\n"));
	EXPECT_NE(NULL, strstr(seen.report, "\nrip 0000000000010008 rflags"));
	EXPECT_NE(NULL, strstr(seen.report, "\nidt  base 0000000000000000 limit 0000\n"));

	ASSERT_EQ(0, admin_get(&self->g, self->id, &seen));
	EXPECT_EQ(JOIST_FAULT_KIND_TRIPLE_FAULT, seen.fault_kind);
	EXPECT_NE(NULL, strstr(seen.report, "triple fault"));
	/* Not all reports in one dump. */
	genl_begin(&m, &self->g, JOIST_CMD_VM_GET, NLM_F_DUMP);
	ASSERT_EQ(0, genl_ask(&self->g, &m, admin_parse, &seen));
	EXPECT_TRUE(seen.has_fault);
	EXPECT_STREQ("", seen.report);

	vm_close(vm);
	ASSERT_EQ(1, genl_event(&ear, &m, 2000));
	EXPECT_EQ(JOIST_CMD_VM_DESTROYED, genl_cmd(&m.hdr));
	EXPECT_EQ(JOIST_CAUSE_SHUTDOWN, genl_u32(genl_attr(&m.hdr, JOIST_A_VM_CAUSE)));
	genl_close(&ear);
	ASSERT_EQ(0, vm_new(vm, 0));	/* for the teardown */
}

TEST_F(netlink, guest_that_went_on_was_closed)
{
	struct kvm_vcpu_events none = { 0 };
	struct test_vm *vm = &self->vm;
	struct genl_msg m;
	struct genl ear;

	ASSERT_EQ(0, genl_open(&ear));
	vm_set_dtable(vm, GPA_DATA, 0, 0);
	vm_load(vm, GPA_CODE, code_triple);
	ASSERT_EQ(KVM_EXIT_SHUTDOWN, vcpu_run(vm, 0));
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_VCPU_EVENTS, &none));
	ASSERT_EQ(0, vcpu_long64(vm, 0, GPA_CODE));
	vm_load(vm, GPA_CODE, code_done);
	ASSERT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(0, genl_join(&ear, JOIST_GROUP_LIFECYCLE));
	vm_close(vm);
	ASSERT_EQ(1, genl_event(&ear, &m, 2000));
	EXPECT_EQ(JOIST_CMD_VM_DESTROYED, genl_cmd(&m.hdr));
	EXPECT_EQ(JOIST_CAUSE_CLOSED, genl_u32(genl_attr(&m.hdr, JOIST_A_VM_CAUSE)));
	genl_close(&ear);
	ASSERT_EQ(0, vm_new(vm, 0));
}

/* A VMM that runs a broken guest again and again is not heard of each time. */
TEST_F(netlink, faults_are_limited)
{
	struct test_vm *vm = &self->vm;
	struct genl_msg m;
	int i, heard = 0;
	struct genl ear;

	ASSERT_EQ(0, genl_open(&ear));
	ASSERT_EQ(0, genl_join(&ear, JOIST_GROUP_FAULT));
	vm_set_dtable(vm, GPA_DATA, 0, 0);
	vm_load(vm, GPA_CODE, code_triple);
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, vcpu_long64(vm, 0, GPA_CODE));
		ASSERT_EQ(KVM_EXIT_SHUTDOWN, vcpu_run(vm, 0));
	}
	while (genl_event(&ear, &m, 0) == 1)
		heard++;
	EXPECT_LE(1, heard);
	EXPECT_GE(30, heard);
	genl_close(&ear);
}

static void *run_until_closed(void *arg)
{
	struct test_vm *vm = arg;

	while (vcpu_run(vm, 0) == -EINTR)
		;
	return NULL;
}

TEST_F(netlink, halted_for_good)
{
	struct test_vm *vm = &self->vm;
	struct genl_msg m;
	pthread_t thread;
	struct genl ear;

	/* The second waits for its start. */
	ASSERT_EQ(1, vm_add_vcpu(vm, 1));
	ASSERT_EQ(0, genl_open(&ear));
	ASSERT_EQ(0, genl_join(&ear, JOIST_GROUP_LIFECYCLE));
	vm_load(vm, GPA_CODE, code_halt);
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_until_closed, vm));
	ASSERT_EQ(1, genl_event(&ear, &m, 5000));
	EXPECT_EQ(JOIST_CMD_VM_CHANGED, genl_cmd(&m.hdr));
	ASSERT_EQ(1, genl_event(&ear, &m, 5000));
	EXPECT_EQ(JOIST_CMD_VM_HALTED, genl_cmd(&m.hdr));
	EXPECT_EQ(self->id, genl_u32(genl_attr(&m.hdr, JOIST_A_VM_ID)));
	/* Once. */
	EXPECT_EQ(0, genl_event(&ear, &m, 50));
	ASSERT_EQ(0, admin_kill(&self->g, self->id));
	pthread_join(thread, NULL);
	genl_close(&ear);
}

/* Who does not read is told that he missed some, and what comes then he gets. */
TEST_F(netlink, lost_events)
{
	struct genl_msg m;
	int size = 4096, i;
	bool lost = false;
	uint64_t seq;
	struct genl ear;

	ASSERT_EQ(0, genl_open(&ear));
	ASSERT_EQ(0, setsockopt(ear.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	ASSERT_EQ(0, genl_join(&ear, JOIST_GROUP_LIFECYCLE));
	for (i = 0; i < 50; i++)
		ASSERT_EQ(0, admin_set_name(&self->g, self->id, i % 2 ? "odd" : "even"));
	for (i = 0; i < 52 && !lost; i++) {
		int ret = genl_event(&ear, &m, 0);

		lost = ret == -ENOBUFS;
		ASSERT_TRUE(lost || ret == 1);
	}
	ASSERT_TRUE(lost);
	while (genl_event(&ear, &m, 0) == 1)
		;
	/* created, and 50 names: the next is number 52. */
	ASSERT_EQ(0, admin_set_name(&self->g, self->id, "last"));
	ASSERT_EQ(1, genl_event(&ear, &m, 2000));
	seq = genl_u64(genl_attr(&m.hdr, JOIST_A_VM_VM_SEQ));
	EXPECT_EQ(52, seq);
	EXPECT_STREQ("last", genl_string(genl_attr(&m.hdr, JOIST_A_VM_NAME)));
	genl_close(&ear);
}

static int stats_period(struct genl *g, uint32_t ms)
{
	return genl_simple(g, JOIST_CMD_STATS_SUBSCRIBE, JOIST_A_HOST_STATS_PERIOD_MS, ms);
}

TEST_F(netlink, statistics_are_fed)
{
	struct genl_msg m;
	struct genl ear;
	int i;

	ASSERT_EQ(0, genl_open(&ear));
	ASSERT_EQ(0, genl_join(&ear, JOIST_GROUP_STATS));
	EXPECT_EQ(-ERANGE, stats_period(&self->g, 99));
	EXPECT_STREQ("stats-period-ms: 100 to 3600000, or 0", self->g.error);
	EXPECT_EQ(-ERANGE, stats_period(&self->g, 3600001));
	EXPECT_EQ(0, genl_event(&ear, &m, 300));
	ASSERT_EQ(0, stats_period(&self->g, 100));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, genl_event(&ear, &m, 5000));
		EXPECT_EQ(JOIST_CMD_VCPU_STATS, genl_cmd(&m.hdr));
		EXPECT_EQ(self->id, genl_u32(genl_attr(&m.hdr, JOIST_A_VCPU_VM_ID)));
		EXPECT_NE(NULL, genl_attr(&m.hdr, JOIST_A_VCPU_EXITS));
	}
	ASSERT_EQ(0, stats_period(&self->g, 0));
	usleep(200000);
	while (genl_event(&ear, &m, 0) == 1)
		;
	EXPECT_EQ(0, genl_event(&ear, &m, 400));
	/* With its socket a subscription ends. */
	ASSERT_EQ(0, stats_period(&self->g, 100));
	ASSERT_EQ(1, genl_event(&ear, &m, 5000));
	genl_close(&self->g);
	usleep(200000);
	while (genl_event(&ear, &m, 0) == 1)
		;
	EXPECT_EQ(0, genl_event(&ear, &m, 400));
	genl_close(&ear);
	ASSERT_EQ(0, genl_open(&self->g));
}

JOIST_TEST_MAIN
