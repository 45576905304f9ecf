// SPDX-License-Identifier: GPL-2.0-only
/* Memory of the host's for a guest: where it may lie, and what becomes of it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libjoist/joist.h"
#include "vmm/host_mmio.h"
#include "vmm/vm.h"

#define MIB	(1ULL << 20)

/* In place of libjoist's: what the hypervisor was told. */
static struct kvm_userspace_memory_region told[VMM_MMIO_MAX];
static int nr_told, fails;

int joist_set_memory(int vm_fd, const struct kvm_userspace_memory_region *region)
{
	if (fails)
		return fails;
	told[nr_told++] = *region;
	return 0;
}

static struct memory ram(u64 low, u64 high)
{
	return (struct memory) {
		.nr_regions = high ? 2 : 1,
		.region = { { 0, low, NULL }, { HIGH_RAM_START, high, NULL } },
	};
}

static void test_places(void **state)
{
	static const struct {
		u64 low;
		struct range at;
		const char *taken;
	} places[] = {
		{ 16 * MIB, { 0xfed40000, 0xfed44fff }, NULL },
		{ 16 * MIB, { 0xfec01000, 0xfedfffff }, NULL },
		{ 16 * MIB, { 0xfef00000, 0xfeffbfff }, NULL },
		{ 16 * MIB, { 0x01000000, 0x7fffffff }, NULL },
		{ LOW_RAM_MAX, { 0xfed40000, 0xfed44fff }, NULL },
		{ 16 * MIB, { 0, 0xfff }, "its memory" },
		{ 16 * MIB, { 0x00fff000, 0x01000fff }, "its memory" },
		{ LOW_RAM_MAX, { 0x90000000, 0x90000fff }, "its memory" },
		{ LOW_RAM_MAX, { 0xb0000000, 0xb0000fff }, "its PCI devices" },
		{ 16 * MIB, { 0x7ffff000, 0x80000fff }, "its PCI devices" },
		{ 16 * MIB, { 0xfebff000, 0xfebfffff }, "its PCI devices" },
		{ 16 * MIB, { 0xfec00000, 0xfec00fff }, "its I/O APIC" },
		{ 16 * MIB, { 0xfee00000, 0xfee00fff }, "its local APICs" },
		{ 16 * MIB, { 0xfeeff000, 0xfeefffff }, "its local APICs" },
		{ 16 * MIB, { 0xfeffb000, 0xfeffcfff }, "pages of the hypervisor's" },
		{ 16 * MIB, { 0xfefff000, 0xfeffffff }, "pages of the hypervisor's" },
		{ 16 * MIB, { 0xff000000, 0xff000fff }, "its firmware" },
		{ 16 * MIB, { 0xfffff000, 0xffffffff }, "its firmware" },
		{ 16 * MIB, { 0x100000000, 0x100000fff }, "its memory or PCI devices" },
		{ LOW_RAM_MAX, { 1ULL << 45, (1ULL << 45) + 0xfff },
		  "its memory or PCI devices" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		const u64 high = places[i].low == LOW_RAM_MAX ? MIB : 0;
		const struct memory mem = ram(places[i].low, high);
		const char *taken = host_mmio_taken(&mem, &places[i].at);

		if (taken != places[i].taken &&
		    (!taken || !places[i].taken || strcmp(taken, places[i].taken)))
			fail_msg("%llx: %s", (unsigned long long)places[i].at.first,
				 taken ?: "nothing");
	}
}

static void test_whole(void **state)
{
	const struct range good = { 0xfed40000, 0xfed40fff }, late = { 0xfed40800, 0xfed40fff },
		early = { 0xfed40000, 0xfed40ffe };

	assert_true(host_mmio_whole(&good));
	assert_false(host_mmio_whole(&late));
	assert_false(host_mmio_whole(&early));
}

/* A file stands for the host's memory. */
static void test_map(void **state)
{
	char path[] = "/tmp/test_host_mmio.XXXXXX";
	struct vmm_mmio mmio[] = { { .at = { 0x3000, 0x3fff } }, { .at = { 0x1000, 0x2fff } } };
	int fd = mkstemp(path), only_read = open(path, O_RDONLY);
	u64 word = 0;

	assert_true(fd >= 0 && only_read >= 0);
	unlink(path);
	assert_int_equal(ftruncate(fd, 0x4000), 0);
	assert_int_equal(host_mmio_map(mmio, 2, fd), 0);
	*(u64 *)mmio[0].hva = 0x1234;
	*((u64 *)mmio[1].hva + 0x1ff8 / 8) = 0x5678;
	assert_int_equal(pread(fd, &word, sizeof(word), 0x3000), sizeof(word));
	assert_int_equal(word, 0x1234);
	assert_int_equal(pread(fd, &word, sizeof(word), 0x2ff8), sizeof(word));
	assert_int_equal(word, 0x5678);
	assert_int_equal(host_mmio_map(mmio, 1, only_read), -EACCES);
	assert_int_equal(host_mmio_map(mmio, 1, -1), -EBADF);
	close(only_read);
	close(fd);
}

/* Return: what host_mmio_add() does. */
static int give(struct vmm_config *config, struct vm *vm)
{
	*vm = (struct vm) { .config = config, .mem = ram(16 * MIB, 0) };
	bus_init(&vm->mmio);
	nr_told = 0;
	return host_mmio_add(vm);
}

static void test_add(void **state)
{
	struct vmm_config config = {
		.nr_mmio = 2,
		.mmio = {
			{ { 0xfed40000, 0xfed44fff }, (void *)0x10000 },
			{ { 0xfed1f000, 0xfed1ffff }, (void *)0x20000 },
		},
	};
	static struct vm vm;
	u32 word = 0;

	assert_int_equal(give(&config, &vm), 0);
	assert_int_equal(nr_told, 2);
	assert_int_equal(told[0].slot, SLOT_HOST_MMIO);
	assert_int_equal(told[0].guest_phys_addr, 0xfed40000);
	assert_int_equal(told[0].memory_size, 0x5000);
	assert_int_equal(told[0].userspace_addr, 0x10000);
	assert_int_equal(told[0].flags, 0);
	assert_int_equal(told[1].slot, SLOT_HOST_MMIO + 1);
	/* It is no RAM, and nobody else can be there. */
	assert_null(memory_ptr(&vm.mem, 0xfed40000, 4));
	assert_int_equal(bus_add(&vm.mmio, 0xfed44000, 8, &bus_nothing, NULL), -EEXIST);
	assert_true(bus_read(&vm.mmio, 0xfed1f000, &word, 4));
	assert_int_equal(word, 0xffffffff);
	/* The second would be in the first. */
	config.mmio[1].at = (struct range) { 0xfed44000, 0xfed44fff };
	assert_int_equal(give(&config, &vm), -EEXIST);
	config.mmio[1].at = (struct range) { 0xfec00000, 0xfec00fff };
	assert_int_equal(give(&config, &vm), -EEXIST);
	assert_int_equal(nr_told, 1);
	fails = -ENOSPC;
	assert_int_equal(give(&config, &vm), -ENOSPC);
	fails = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places), cmocka_unit_test(test_whole),
		cmocka_unit_test(test_map), cmocka_unit_test(test_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
