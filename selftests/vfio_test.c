// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VFIO device of KVM_CREATE_DEVICE: who holds what, and what a guest can do with a device
 * of the host's. That is QEMU's "edu"; without it, or without an IOMMU, these tests skip.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/admin.h"
#include "lib/device.h"
#include "lib/test.h"
#include "lib/vfio.h"

#define BAR_GPA		0x40000000UL
#define REG(n)		"mov 0x400000" #n ", %eax\n"

FIXTURE(edu) {
	const char *why;	/* it is skipped; NULL: it is not */
	struct test_vfio v;
	struct test_vm vm;
	int dev;
	int vfio_users;
	void *bar;
	size_t bar_size;
};

FIXTURE_SETUP(edu)
{
	self->why = vfio_find(&self->v, EDU);
	if (self->why)
		return;
	self->vfio_users = users_of("vfio");
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	self->dev = vfio_device(&self->vm);
	ASSERT_LE(0, self->dev);
}

/* Whatever was done: the group is free, and nothing pins VFIO. */
FIXTURE_TEARDOWN(edu)
{
	if (self->why)
		return;
	if (self->dev >= 0)
		close(self->dev);
	vm_close(&self->vm);
	if (self->bar)
		munmap(self->bar, self->bar_size);
	vfio_close(&self->v);
	EXPECT_EQ(0, vfio_group_open(&self->v));
	vfio_close(&self->v);
	EXPECT_EQ(self->vfio_users, users_of("vfio"));
}

TEST_F(edu, added_once)
{
	int again, dev = self->dev;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, vfio_open(&self->v));
	EXPECT_EQ(-ENOENT, file_del(dev, self->v.group));
	ASSERT_EQ(0, file_add(dev, self->v.group));
	EXPECT_EQ(-EEXIST, file_add(dev, self->v.group));
	again = dup(self->v.group);
	EXPECT_EQ(-EEXIST, file_add(dev, again));
	EXPECT_EQ(0, file_del(dev, again));
	close(again);
	EXPECT_EQ(-ENOENT, file_del(dev, self->v.group));
	ASSERT_EQ(0, file_add(dev, self->v.group));
	/* Of a VFIO device, and of a container, there is nothing to be said. */
	EXPECT_EQ(-EINVAL, file_add(dev, self->v.container));
}

/* Once for each VM: it is one file, and VFIO lets nobody open the group twice. */
TEST_F(edu, added_to_two)
{
	struct test_vm other;
	int dev;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, vfio_open(&self->v));
	ASSERT_EQ(0, vm_new(&other, 0));
	dev = vfio_device(&other);
	ASSERT_LE(0, dev);
	EXPECT_EQ(0, file_add(self->dev, self->v.group));
	EXPECT_EQ(0, file_add(dev, self->v.group));
	EXPECT_EQ(0, file_del(self->dev, self->v.group));
	close(dev);
	vm_close(&other);
}

/* The group's file, the device's and the VM's, closed in any order: the last but the VM's
 * lets the group go.
 */
TEST_F(edu, closed_in_any_order)
{
	static const char *const orders[] = { "gdv", "gvd", "dgv", "dvg", "vgd", "vdg" };
	struct test_vfio probe = self->v;
	int users = users_of("joist");

	if (self->why)
		SKIP(return, "%s", self->why);
	close(self->dev);
	self->dev = -1;
	for (int i = 0; i < 6; i++) {
		struct test_vm vm;
		int dev, held = 2;

		ASSERT_EQ(0, vm_new(&vm, 0));
		dev = vfio_device(&vm);
		ASSERT_LE(0, dev);
		ASSERT_EQ(0, vfio_attach(&self->v));
		ASSERT_EQ(0, file_add(dev, self->v.group));
		for (const char *o = orders[i]; *o; o++) {
			held -= *o != 'v';
			if (*o == 'g')
				vfio_close(&self->v);
			else if (*o == 'd')
				close(dev);
			else
				vm_close(&vm);
			EXPECT_EQ(held ? -EBUSY : 0, vfio_group_open(&probe));
			vfio_close(&probe);
		}
	}
	EXPECT_EQ(users - 1, users_of("joist"));
	EXPECT_EQ(self->vfio_users, users_of("vfio"));
}

GUEST64(code_id, REG(00) REPORT DONE);
GUEST64(code_live, "movl $0x12345678, 0x40000004\n" REG(04) REPORT DONE);

static int bar_slot(FIXTURE_DATA(edu) * self, uint32_t flags)
{
	return vm_set_memory(&self->vm, 1, flags, BAR_GPA, self->bar_size, self->bar);
}

static int bar_map(FIXTURE_DATA(edu) * self)
{
	int ret = vfio_open(&self->v);

	if (ret)
		return ret;
	self->bar = vfio_map_bar(&self->v, 0, &self->bar_size);
	return self->bar ? bar_slot(self, 0) : -ENODEV;
}

static void start(FIXTURE_DATA(edu) * self, const void *code, const void *end)
{
	vm_copy(&self->vm, GPA_CODE, code, end);
	vcpu_long64(&self->vm, 0, GPA_CODE);
}

#define START(self, name)	start(self, name, name##_end)

/* One fault maps it, and then no access exits. */
TEST_F(edu, guest_reads_a_register)
{
	int vcpu = self->vm.vcpu[0];
	int64_t faults;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, bar_map(self));
	ASSERT_EQ(0, file_add(self->dev, self->v.group));
	START(self, code_id);
	EXPECT_EQ(EDU_ID, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_stat(vcpu, "insn_emulations"));
	faults = vcpu_stat(vcpu, "exits_page_fault");
	START(self, code_live);
	EXPECT_EQ((uint32_t)~0x12345678, (uint32_t)vcpu_report(&self->vm, 0));
	START(self, code_id);
	EXPECT_EQ(EDU_ID, vcpu_report(&self->vm, 0));
	EXPECT_EQ(faults, vcpu_stat(vcpu, "exits_page_fault"));
}

/* VFIO takes the BAR's pages away, from the guest, too, and gives them back. */
TEST_F(edu, memory_turned_off)
{
	struct test_vm *vm = &self->vm;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, bar_map(self));
	START(self, code_id);
	EXPECT_EQ(EDU_ID, vcpu_report(vm, 0));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, vfio_command(&self->v, 0));
		START(self, code_id);
		EXPECT_EQ(-EFAULT, vcpu_run(vm, 0));
		ASSERT_EQ(0, vfio_command(&self->v, 7));
		EXPECT_EQ(EDU_ID, vcpu_report(vm, 0));
	}
}

TEST_F(edu, logged_slot)
{
	uint64_t bitmap[256 / 64] = { };
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bitmap };

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, bar_map(self));
	ASSERT_EQ(0x100000, self->bar_size);
	START(self, code_live);
	EXPECT_EQ((uint32_t)~0x12345678, (uint32_t)vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, bar_slot(self, KVM_MEM_LOG_DIRTY_PAGES));
	START(self, code_live);
	EXPECT_EQ((uint32_t)~0x12345678, (uint32_t)vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_DIRTY_LOG, &log));
	EXPECT_EQ(1, bitmap[0]);
	START(self, code_live);
	EXPECT_EQ((uint32_t)~0x12345678, (uint32_t)vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, bar_slot(self, 0));
	START(self, code_id);
	EXPECT_EQ(EDU_ID, vcpu_report(&self->vm, 0));
}

TEST_F(edu, read_only_slot)
{
	struct test_vm *vm = &self->vm;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, bar_map(self));
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, BAR_GPA, 0, self->bar));
	ASSERT_EQ(0, bar_slot(self, KVM_MEM_READONLY));
	START(self, code_id);
	EXPECT_EQ(EDU_ID, vcpu_report(vm, 0));
	START(self, code_live);
	EXPECT_EQ(KVM_EXIT_MMIO, vcpu_run(vm, 0));
	EXPECT_EQ(BAR_GPA + 4, vm->run[0]->mmio.phys_addr);
	EXPECT_EQ(1, vm->run[0]->mmio.is_write);
}

/* The slot goes with the guest's mapping, and its VMM's mapping goes first. */
TEST_F(edu, slot_and_mapping_go)
{
	struct test_vm *vm = &self->vm;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, bar_map(self));
	START(self, code_id);
	EXPECT_EQ(EDU_ID, vcpu_report(vm, 0));
	munmap(self->bar, self->bar_size);
	START(self, code_id);
	EXPECT_EQ(-EFAULT, vcpu_run(vm, 0));
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, BAR_GPA, 0, self->bar));
	self->bar = NULL;
	EXPECT_EQ(KVM_EXIT_MMIO, vcpu_run(vm, 0));
}

/*
 * By DMA from the guest's memory into the device, and back to elsewhere: registers are
 * source, destination, length and command; bit 0 of the last begins, and is 0 at the end.
 */
#define DMA_LEN		0xf00	/* not the whole buffer: QEMU ends of that */
#define DMA(src, dst, cmd)						\
	"movq $" #src ", 0x40000080\n movq $" #dst ", 0x40000088\n"	\
	"movq $0xf00, 0x40000090\n movq $" #cmd ", 0x40000098\n"	\
	"1: mov 0x40000098, %rax\n test $1, %al\n jnz 1b\n"

GUEST64(code_dma, DMA(0x20000, 0x40000, 1) DMA(0x40000, 0x30000, 3) DONE);

TEST_F(edu, dma_of_guest_memory)
{
	struct test_vm *vm = &self->vm;
	uint8_t *from = vm->mem + 0x20000, *to = vm->mem + 0x30000;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, bar_map(self));
	ASSERT_EQ(0, vfio_map_dma(&self->v, vm->mem, 0, vm->mem_size));
	ASSERT_EQ(0, file_add(self->dev, self->v.group));
	for (int i = 0; i < DMA_LEN; i++)
		from[i] = i * 7 + (i >> 8);
	memset(to - 16, 0xee, DMA_LEN + 32);
	START(self, code_dma);
	ASSERT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(0, memcmp(from, to, DMA_LEN));
	EXPECT_EQ(0xee, to[-1]);
	EXPECT_EQ(0xee, to[DMA_LEN]);
}

/* --- DMA past the caches --------------------------------------------------------- */

GUEST64(code_flush, "wbinvd\n invd\n" DONE);

/* How many write-backs of two were carried out. */
static int64_t flushes(FIXTURE_DATA(edu) * self)
{
	int vcpu = self->vm.vcpu[0];
	int64_t before = vcpu_stat(vcpu, "cache_flushes");
	int64_t exits = vcpu_stat(vcpu, "exits_wbinvd") + vcpu_stat(vcpu, "exits_invd");

	START(self, code_flush);
	if (vcpu_done(&self->vm, 0))
		return -1;
	/* They exit, always: a guest does not empty the host's caches by itself. */
	if (vcpu_stat(vcpu, "exits_wbinvd") + vcpu_stat(vcpu, "exits_invd") != exits + 2)
		return -2;
	return vcpu_stat(vcpu, "cache_flushes") - before;
}

TEST_F(edu, write_back_where_dma_does_not_snoop)
{
	int64_t want;
	int64_t pages;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, vfio_open(&self->v));
	want = vfio_no_snoop(&self->v) ? 2 : 0;
	EXPECT_EQ(0, flushes(self));
	pages = vcpu_stat(self->vm.vcpu[0], "exits_page_fault");
	EXPECT_EQ(0, flushes(self));
	EXPECT_EQ(pages, vcpu_stat(self->vm.vcpu[0], "exits_page_fault"));
	ASSERT_EQ(0, file_add(self->dev, self->v.group));
	EXPECT_EQ(want, flushes(self));
	/* What was mapped has another type now, or not. */
	EXPECT_EQ(want > 0, vcpu_stat(self->vm.vcpu[0], "exits_page_fault") > pages);
	ASSERT_EQ(0, file_del(self->dev, self->v.group));
	EXPECT_EQ(0, flushes(self));
	ASSERT_EQ(0, file_add(self->dev, self->v.group));
	EXPECT_EQ(want, flushes(self));
	close(self->dev);
	self->dev = -1;
	EXPECT_EQ(0, flushes(self));
	if (!want)
		TH_LOG("the IOMMU makes DMA snoop: no write-back is due");
}

/* Until there is a container there is no DMA, and kernels before 6.2 or so do not know. */
TEST_F(edu, container_comes_later)
{
	int64_t want, early;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, vfio_group_open(&self->v));
	ASSERT_EQ(0, file_add(self->dev, self->v.group));
	early = flushes(self);
	ASSERT_EQ(0, vfio_attach(&self->v));
	want = vfio_no_snoop(&self->v) ? 2 : 0;
	EXPECT_TRUE(!early || early == want);
	EXPECT_EQ(early, flushes(self));
	ASSERT_EQ(0, file_del(self->dev, self->v.group));
	EXPECT_EQ(0, flushes(self));
	ASSERT_EQ(0, file_add(self->dev, self->v.group));
	EXPECT_EQ(want, flushes(self));
}

/* The guest's MTRRs say what type its memory has, as long as that counts. */
TEST_F(edu, mtrrs_count)
{
	struct test_vm *vm = &self->vm;
	int vcpu = vm->vcpu[0];
	int64_t faults;
	bool no_snoop;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, vfio_open(&self->v));
	no_snoop = vfio_no_snoop(&self->v);
	ASSERT_EQ(0, file_add(self->dev, self->v.group));
	EXPECT_LE(0, flushes(self));
	faults = vcpu_stat(vcpu, "exits_page_fault");
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, 0x2ff, 0x806));
	EXPECT_LE(0, flushes(self));
	EXPECT_EQ(no_snoop, vcpu_stat(vcpu, "exits_page_fault") > faults);
	/* The same again is nothing new. */
	faults = vcpu_stat(vcpu, "exits_page_fault");
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, 0x2ff, 0x806));
	EXPECT_LE(0, flushes(self));
	EXPECT_EQ(faults, vcpu_stat(vcpu, "exits_page_fault"));
}

/* --- as others see it ------------------------------------------------------------ */

struct told {
	int n;
	uint32_t group;
	bool no_snoop;
	char pci[256];
};

/* Of one device, as a group has in this bench. */
static int take_vfio(struct nlmsghdr *hdr, void *arg)
{
	struct told *told = arg;

	if (strcmp(genl_string(genl_attr(hdr, JOIST_A_DEVICE_KIND)), "vfio"))
		return 0;
	told->n++;
	told->group = genl_u32(genl_attr(hdr, JOIST_A_DEVICE_IOMMU_GROUP));
	told->no_snoop = genl_attr(hdr, JOIST_A_DEVICE_NO_SNOOP);
	strncpy(told->pci, genl_string(genl_attr(hdr, JOIST_A_DEVICE_PCI_DEVICE)),
		sizeof(told->pci) - 1);
	return 0;
}

static struct told dump(struct genl *g, uint32_t id)
{
	struct told told = { };
	struct genl_msg m;

	genl_begin(&m, g, JOIST_CMD_DEVICE_GET, NLM_F_DUMP);
	genl_put_u32(&m, JOIST_A_DEVICE_VM_ID, id);
	if (genl_ask(g, &m, take_vfio, &told))
		told.n = -1;
	return told;
}

/* The next event, if it is @cmd, of VM @id. */
static struct told heard(struct genl *g, uint8_t cmd, uint32_t id)
{
	struct told told = { };
	struct genl_msg m;

	if (genl_event(g, &m, 1000) == 1 && genl_cmd(&m.hdr) == cmd &&
	    genl_u32(genl_attr(&m.hdr, JOIST_A_DEVICE_VM_ID)) == id &&
	    genl_u64(genl_attr(&m.hdr, JOIST_A_DEVICE_VM_SEQ)))
		take_vfio(&m.hdr, &told);
	return told;
}

TEST_F(edu, listed_by_netlink)
{
	struct genl ask, hear;
	struct told told;
	uint32_t id;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, genl_open(&ask));
	ASSERT_EQ(0, genl_open(&hear));
	ASSERT_EQ(0, genl_join(&hear, JOIST_GROUP_LIFECYCLE));
	id = admin_newest(&ask);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, vfio_open(&self->v));
	EXPECT_EQ(0, dump(&ask, id).n);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, file_add(self->dev, self->v.group));
		told = dump(&ask, id);
		EXPECT_EQ(1, told.n);
		EXPECT_EQ(self->v.nr, told.group);
		EXPECT_EQ(vfio_no_snoop(&self->v), told.no_snoop);
		EXPECT_STREQ(self->v.pci, told.pci);
		told = heard(&hear, JOIST_CMD_DEVICE_ADDED, id);
		EXPECT_EQ(1, told.n);
		EXPECT_STREQ(self->v.pci, told.pci);
		/* Once by request, once with the device. */
		if (!i) {
			ASSERT_EQ(0, file_del(self->dev, self->v.group));
		} else {
			close(self->dev);
			self->dev = -1;
		}
		EXPECT_EQ(0, dump(&ask, id).n);
		told = heard(&hear, JOIST_CMD_DEVICE_REMOVED, id);
		EXPECT_EQ(1, told.n);
		EXPECT_EQ(self->v.nr, told.group);
	}
	genl_close(&ask);
	genl_close(&hear);
}

/* --- ends -------------------------------------------------------------------------- */

GUEST64(code_forever, "1: " REG(00) " jmp 1b\n");

/* Whoever has all of it is killed while his guest uses the device. */
TEST_F(edu, killed)
{
	int users = users_of("joist"), status = -1, ready[2];
	pid_t pid;
	char c;

	if (self->why)
		SKIP(return, "%s", self->why);
	close(self->dev);
	self->dev = -1;
	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid) {
		FIXTURE_DATA(edu) own = { .v = self->v };

		if (vm_new(&own.vm, 0) || vm_add_vcpu(&own.vm, 0))
			_exit(1);
		own.dev = vfio_device(&own.vm);
		if (bar_map(&own) || file_add(own.dev, own.v.group) ||
		    vfio_map_dma(&own.v, own.vm.mem, 0, own.vm.mem_size))
			_exit(2);
		START(&own, code_forever);
		if (write(ready[1], "", 1) != 1)
			_exit(3);
		vcpu_run(&own.vm, 0);
		_exit(4);
	}
	ASSERT_EQ(1, read(ready[0], &c, 1));
	usleep(200000);
	EXPECT_EQ(-EBUSY, vfio_group_open(&self->v));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(users - 1, users_of("joist"));
	EXPECT_EQ(self->vfio_users, users_of("vfio"));
	close(ready[0]);
	close(ready[1]);
	/* It works for who comes next. */
	ASSERT_EQ(0, bar_map(self));
	START(self, code_id);
	EXPECT_EQ(EDU_ID, vcpu_report(&self->vm, 0));
}

/* --- a large BAR ------------------------------------------------------------------- */

#define LARGE		(16UL << 20)
#define STEP		0x10000

/* A word in every 64 KiB: written, or read and added up. */
GUEST64(code_fill,
	"mov $0x40000000, %ebx\n"
	"1: mov %ebx, (%rbx)\n add $0x10000, %ebx\n cmp $0x41000000, %ebx\n jb 1b\n" DONE);
GUEST64(code_sum,
	"mov $0x40000000, %ebx\n xor %eax, %eax\n"
	"1: add (%rbx), %eax\n add $0x10000, %ebx\n cmp $0x41000000, %ebx\n jb 1b\n"
	REPORT DONE);

/* Newer kernels map it by large pages, which go by the mmu notifier as small ones do. */
TEST_F(edu, large_bar)
{
	struct test_vm *vm = &self->vm;
	uint32_t sum = 0;
	struct test_vfio v;
	const char *why = vfio_find(&v, BOCHS_DISPLAY);
	uint32_t *bar;
	size_t size;

	if (self->why)
		SKIP(return, "%s", self->why);
	if (why)
		SKIP(return, "a BAR of 16 MiB (testbed --device bochs-display): %s", why);
	ASSERT_EQ(0, vfio_open(&v));
	bar = vfio_map_bar(&v, 0, &size);
	ASSERT_NE(NULL, bar);
	ASSERT_EQ(LARGE, size);
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, BAR_GPA, size, bar));
	START(self, code_fill);
	ASSERT_EQ(0, vcpu_done(vm, 0));
	for (uint32_t at = 0; at < LARGE; at += STEP) {
		EXPECT_EQ(BAR_GPA + at, bar[at / 4]);
		sum += BAR_GPA + at;
	}
	/* As few faults as there are mappings of the host's. */
	TH_LOG("%lld faults of %lu pages", (long long)vcpu_stat(vm->vcpu[0], "exits_page_fault"),
	       LARGE / STEP);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, vfio_command(&v, 0));
		START(self, code_sum);
		EXPECT_EQ(-EFAULT, vcpu_run(vm, 0));
		ASSERT_EQ(0, vfio_command(&v, 7));
		EXPECT_EQ(sum, (uint32_t)vcpu_report(vm, 0));
	}
	/* Logged, in small pages; then not. */
	ASSERT_EQ(0, vm_set_memory(vm, 1, KVM_MEM_LOG_DIRTY_PAGES, BAR_GPA, size, bar));
	START(self, code_fill);
	ASSERT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, BAR_GPA, size, bar));
	START(self, code_sum);
	EXPECT_EQ(sum, (uint32_t)vcpu_report(vm, 0));
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, BAR_GPA, 0, bar));
	munmap(bar, size);
	vfio_close(&v);
}

JOIST_TEST_MAIN
