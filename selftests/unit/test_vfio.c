// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device of the host's on the guest's bus, with a VFIO and a hypervisor that are ours: its
 * windows, the table of MSI-X that is trapped, its interrupts, and that nothing of it is left.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_hypervisor.h"
#include "libjoist/joist.h"
#include "libjoist/vfio.h"
#include "vmm/chipset/pci.h"
#include "vmm/virtio/mem.h"
#include "vmm/vfio/hostdev.h"
#include "vmm/vm.h"

#define STRIDE		0x100000ULL	/* of the regions in the device's file */
#define CONFIG_AT	(VFIO_PCI_CONFIG_REGION_INDEX * STRIDE)
#define VECTORS		10
#define TABLE		0x1000
#define PBA		0x2000
#define BAR0		0xd0000000ULL
#define BAR4		0xd1000000ULL
#define PORTS		0xc100
#define SLOTS		64
#define MSI_CAP		0x48
#define MSIX_CAP	0x60
#define EXP_CAP		0x90
#define LIVE		PCI_MSIX_FLAGS_ENABLE
#define LOOPS		200

static struct vmm_config config = { .vcpus = 1 };
static struct vm vm;
static struct hostdev *hd;
static int file;

/* What the hypervisor and VFIO have been told. */
static struct kvm_userspace_memory_region slots[SLOTS];
static int level_irqfds, groups, joined, resets, mapped;
static int armed[VFIO_PCI_NUM_IRQS], told[VFIO_PCI_NUM_IRQS][VECTORS];
static u64 mapped_bytes;

int joist_check(int fd, long cap)
{
	return 1;
}

int joist_irqfd_level(int vm_fd, int fd, int resample, u32 gsi, bool assign)
{
	level_irqfds += assign ? 1 : -1;
	return 0;
}

int joist_set_memory(int fd, const struct kvm_userspace_memory_region *region)
{
	assert_true(region->slot < SLOTS);
	slots[region->slot] = *region;
	return 0;
}

int joist_create_device(int vm_fd, u32 type)
{
	assert_int_equal(type, KVM_DEV_TYPE_VFIO);
	return dup(file);
}

int joist_vfio_group(int device, int group, bool add)
{
	groups += add ? 1 : -1;
	return 0;
}

int vfio_api_version(int container)
{
	return VFIO_API_VERSION;
}

bool vfio_has_type(int container, long type)
{
	return type == VFIO_TYPE1v2_IOMMU;
}

bool vfio_iommu_is_set(int container)
{
	return false;
}

int vfio_set_iommu(int container, long type)
{
	return joined ? 0 : -EINVAL;
}

int vfio_map_dma(int container, u64 iova, u64 size, void *hva)
{
	assert_ptr_equal(memory_ptr(&vm.mem, iova, size), hva);
	mapped++;
	mapped_bytes += size;
	return 0;
}

int vfio_unmap_dma(int container, u64 iova, u64 size)
{
	mapped--;
	return 0;
}

static u32 group_flags;

int vfio_group_flags(int group, u32 *flags)
{
	*flags = group_flags;
	return 0;
}

int vfio_group_join(int group, int container)
{
	joined = 1;
	return 0;
}

int vfio_group_leave(int group)
{
	joined = 0;
	mapped = 0;
	return 0;
}

int vfio_group_device(int group, const char *name)
{
	assert_string_equal(name, "0000:01:00.0");
	return dup(file);
}

/* It can be reset alone; else with its bus, on which another device's group is. */
static bool alone;
static u32 neighbour;
static int bus_resets;

int vfio_device_info(int device, struct vfio_device_info *info)
{
	*info = (struct vfio_device_info) {
		.flags = VFIO_DEVICE_FLAGS_PCI | (alone ? VFIO_DEVICE_FLAGS_RESET : 0),
	};
	return 0;
}

int vfio_region_info(int device, u32 index, struct vfio_region_info **info)
{
	static const u32 sizes[VFIO_PCI_NUM_REGIONS] = {
		[0] = 0x4000, [2] = 0x20, [4] = 0x100,
		[VFIO_PCI_CONFIG_REGION_INDEX] = PCI_CONFIG_SIZE,
	};

	*info = calloc(1, sizeof(**info));
	(*info)->argsz = sizeof(**info);
	(*info)->size = sizes[index];
	(*info)->offset = index * STRIDE;
	(*info)->flags = sizes[index] >= PAGE_SIZE ? VFIO_REGION_INFO_FLAG_MMAP : 0;
	return 0;
}

int vfio_irq_count(int device, u32 index)
{
	return index == VFIO_PCI_MSIX_IRQ_INDEX ? VECTORS :
	       index == VFIO_PCI_MSI_IRQ_INDEX ? 4 : 1;
}

/* One kind at a time, as the kernel has it; events apart. */
int vfio_set_eventfds(int device, u32 index, u32 start, u32 count, const int *fds)
{
	u32 i;

	for (i = 0; i <= VFIO_PCI_MSIX_IRQ_INDEX && index <= VFIO_PCI_MSIX_IRQ_INDEX; i++)
		assert_true(i == index || !armed[i]);
	armed[index] = 1;
	assert_true(start + count <= (u32)vfio_irq_count(device, index));
	for (i = 0; i < count; i++)
		told[index][start + i] = fds[i];
	return 0;
}

int vfio_set_unmask(int device, u32 index, int fd)
{
	assert_true(armed[index]);
	return 0;
}

int vfio_disable_irqs(int device, u32 index)
{
	armed[index] = 0;
	memset(told[index], -1, sizeof(told[index]));
	return 0;
}

int vfio_reset(int device)
{
	resets++;
	return 0;
}

int vfio_hot_reset_info(int device, struct vfio_pci_hot_reset_info **info)
{
	*info = calloc(1, sizeof(**info) + 2 * sizeof((*info)->devices[0]));
	(*info)->count = 2;
	(*info)->devices[0].group_id = 5;
	(*info)->devices[1].group_id = neighbour;
	return 0;
}

/* A group is named once, however many of its devices there are. */
int vfio_hot_reset(int device, const int *fds, u32 nr)
{
	assert_int_equal(nr, 1);
	assert_true(fds[0] >= 0);
	bus_resets++;
	return 0;
}

/* What it asks of the rest. */
int virtio_mem_plugged(struct virtio_mem *m, mem_block_fn fn, void *ctx)
{
	return 0;
}

void vmm_file_close(const struct vmm_file *f)
{
	if (f && f->path && f->fd >= 0)
		close(f->fd);
}

int vmm_file_open(const struct vmm_file *f, int flags)
{
	return f->fd;
}

static void write_config(void)
{
	u8 c[PCI_CONFIG_SIZE] = { 0 };

	pci_set32(c, 0x56781234);
	pci_set16(c + PCI_STATUS, PCI_STATUS_CAP_LIST);
	pci_set32(c + PCI_BASE_ADDRESS_0, PCI_BASE_ADDRESS_MEM_TYPE_64);
	pci_set32(c + PCI_BASE_ADDRESS_2, PCI_BASE_ADDRESS_SPACE_IO);
	c[PCI_INTERRUPT_PIN] = 1;
	c[PCI_CAPABILITY_LIST] = MSI_CAP;
	pci_set32(c + MSI_CAP, PCI_CAP_ID_MSI | MSIX_CAP << 8 |
		  (PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | 2 << 1) << 16);
	pci_set32(c + MSIX_CAP, PCI_CAP_ID_MSIX | EXP_CAP << 8 | (VECTORS - 1) << 16);
	pci_set32(c + MSIX_CAP + 4, TABLE);
	pci_set32(c + MSIX_CAP + 8, PBA);
	pci_set32(c + EXP_CAP, PCI_CAP_ID_EXP | 2 << 16);
	pci_set32(c + EXP_CAP + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR);
	assert_int_equal(pwrite(file, c, sizeof(c), CONFIG_AT), sizeof(c));
}

static void config_out(u64 reg, u32 value, unsigned int len)
{
	pci_config_write(vm.pci, PCI_DEVFN(0, 0), reg, &value, len);
}

static u32 config_in(u64 reg)
{
	u32 value = ~0U;

	pci_config_read(vm.pci, PCI_DEVFN(0, 0), reg, &value, sizeof(value));
	return value;
}

static int create(void)
{
	const struct vmm_file vfio = { "/dev/vfio/vfio", dup(file) };
	const struct vmm_hostdev dev = {
		.host = "01:00.0", .group = { "/dev/vfio/5", dup(file) },
	};

	return hostdev_create(&vm, &dev, &vfio, &hd);
}

static int setup(void **state)
{
	memset(&vm, 0, sizeof(vm));
	memset(slots, 0, sizeof(slots));
	memset(armed, 0, sizeof(armed));
	memset(told, -1, sizeof(told));
	fake_irqfds = 0;
	level_irqfds = 0;
	groups = 0;
	joined = 0;
	resets = 0;
	bus_resets = 0;
	alone = true;
	mapped = 0;
	mapped_bytes = 0;
	group_flags = VFIO_GROUP_FLAGS_VIABLE;
	vm.config = &config;
	file = memfd_create("vfio", MFD_CLOEXEC);
	if (ftruncate(file, VFIO_PCI_NUM_REGIONS * STRIDE))
		return -1;
	write_config();
	bus_init(&vm.pio);
	bus_init(&vm.mmio);
	container_init(&vm.container, &vm);
	if (memory_init(&vm.mem, -1, 32 << 20) || irq_init(&vm.irq, -1) || pci_create(&vm))
		return -1;
	pci_boot_done(vm.pci);
	return 0;
}

static int setup_device(void **state)
{
	if (setup(state) || create())
		return -1;
	config_out(PCI_BASE_ADDRESS_0, BAR0, 4);
	config_out(PCI_BASE_ADDRESS_2, PORTS, 4);
	config_out(PCI_BASE_ADDRESS_4, BAR4, 4);
	config_out(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_IO | PCI_COMMAND_MASTER |
		   PCI_COMMAND_INTX_DISABLE, 2);
	return 0;
}

static int nr_slots(void)
{
	int i, n = 0;

	for (i = SLOT_HOSTDEV; i < SLOT_HOSTDEV + SLOT_HOSTDEV_NR; i++)
		n += slots[i].memory_size != 0;
	return n;
}

/* Nothing of it is left anywhere. */
static int teardown(void **state)
{
	int fd;

	if (hd) {
		pci_dev_remove(hostdev_pci(hd));
		hostdev_destroy(hd);
	}
	hd = NULL;
	assert_int_equal(nr_slots(), 0);
	assert_int_equal(vm.container.slots, 0);
	assert_int_equal(fake_irqfds, 0);
	assert_int_equal(level_irqfds, 0);
	assert_int_equal(groups, 0);
	assert_int_equal(joined, 0);
	container_destroy(&vm.container);
	pci_destroy(&vm);
	irq_destroy(&vm.irq);
	memory_destroy(&vm.mem);
	close(file);
	/* All descriptors: the lowest is free again. */
	fd = dup(0);
	close(fd);
	assert_int_equal(fd, file);
	return 0;
}

static u64 mmio_in(u64 addr, unsigned int len)
{
	u64 value = 0;

	assert_true(bus_read(&vm.mmio, addr, &value, len));
	return value;
}

static void mmio_out(u64 addr, u64 value, unsigned int len)
{
	assert_true(bus_write(&vm.mmio, addr, &value, len));
}

static u32 hw_in(int region, u64 offset)
{
	u32 value;

	assert_int_equal(pread(file, &value, sizeof(value),
			       (off_t)(region * STRIDE + offset)), sizeof(value));
	return value;
}

static void test_ids(void **state)
{
	assert_int_equal(config_in(0), 0x56781234);
	/* It decodes from the start, and is no master before the guest says so. */
	assert_int_equal(hw_in(VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND) & 7, 7);
	config_out(PCI_COMMAND, 0, 2);
	assert_int_equal(hw_in(VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND) & 7, 3);
}

static void test_memory(void **state)
{
	assert_int_equal(mapped, 1);
	assert_int_equal(mapped_bytes, 32 << 20);
	assert_int_equal(groups, 1);
	assert_int_equal(memory_discard(&vm.mem, vm.mem.region[0].hva, PAGE_SIZE), -EBUSY);
	pci_dev_remove(hostdev_pci(hd));
	hostdev_destroy(hd);
	hd = NULL;
	assert_int_equal(memory_discard(&vm.mem, vm.mem.region[0].hva, PAGE_SIZE), 0);
	/* And another one, in the container that there is. */
	assert_int_equal(create(), 0);
	assert_int_equal(mapped, 1);
}

static void test_not_viable(void **state)
{
	group_flags = 0;
	assert_int_not_equal(create(), 0);
	hostdev_destroy(hd);
	hd = NULL;
	assert_int_equal(memory_discard(&vm.mem, vm.mem.region[0].hva, PAGE_SIZE), 0);
}

/* The pages around the table and the pending bits are the guest's as they are. */
static void test_windows(void **state)
{
	assert_int_equal(nr_slots(), 2);
	assert_int_equal(slots[SLOT_HOSTDEV].guest_phys_addr, BAR0);
	assert_int_equal(slots[SLOT_HOSTDEV].memory_size, 0x1000);
	assert_int_equal(slots[SLOT_HOSTDEV + 1].guest_phys_addr, BAR0 + 0x3000);
	assert_int_equal(slots[SLOT_HOSTDEV + 1].memory_size, 0x1000);
	mmio_out(BAR4 + 0x10, 0x12345678, 4);
	assert_int_equal(hw_in(4, 0x10), 0x12345678);
	mmio_out(BAR4 + 0xfd, 0xaabbcc, 3);
	assert_int_equal(mmio_in(BAR4 + 0xfc, 4), 0xaabbcc00);
	assert_false(bus_write(&vm.mmio, BAR4 + 0xfe, &(u32){ 0 }, 4));
	assert_true(bus_write(&vm.pio, PORTS + 4, &(u32){ 77 }, 4));
	assert_int_equal(hw_in(2, 4), 77);
}

static void test_windows_move(void **state)
{
	int i;

	for (i = 0; i < LOOPS; i++) {
		config_out(PCI_BASE_ADDRESS_0, BAR0 + (u32)(i % 7) * 0x4000, 4);
		config_out(PCI_COMMAND, i % 3 ? PCI_COMMAND_MEMORY : 0, 2);
		assert_int_equal(nr_slots(), i % 3 ? 2 : 0);
	}
	config_out(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	/* Over memory, over another window, over the interrupt controllers: closed. */
	config_out(PCI_BASE_ADDRESS_0, 0x100000, 4);
	assert_int_equal(nr_slots(), 0);
	config_out(PCI_BASE_ADDRESS_0, BAR4, 4);
	assert_int_equal(nr_slots(), 0);
	config_out(PCI_BASE_ADDRESS_0, 0xfee00000, 4);
	assert_int_equal(nr_slots(), 0);
	/* Above 4 GiB, where there is no memory. */
	config_out(PCI_BASE_ADDRESS_0, 0, 4);
	config_out(PCI_BASE_ADDRESS_0 + 4, 2, 4);
	assert_int_equal(nr_slots(), 2);
	config_out(PCI_BASE_ADDRESS_0 + 4, ~0U, 4);
	assert_int_equal(nr_slots(), 0);
}

static void vector(int i, u64 reg, u32 value)
{
	mmio_out(BAR0 + TABLE + (u64)i * PCI_MSIX_ENTRY_SIZE + reg, value, 4);
}

static void unmask(int i)
{
	vector(i, PCI_MSIX_ENTRY_LOWER_ADDR, 0xfee00000);
	vector(i, PCI_MSIX_ENTRY_DATA, 0x40);
	vector(i, PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
}

static void msix_control(u16 value)
{
	config_out(MSIX_CAP + PCI_MSIX_FLAGS, value, 2);
}

/* All of it is ours: the hardware's table stays as the host has it. */
static void test_table(void **state)
{
	mmio_out(BAR0 + TABLE, 0x1122334455667788, 8);
	assert_int_equal(mmio_in(BAR0 + TABLE, 8), 0x1122334455667788);
	assert_int_equal(hw_in(0, TABLE), 0);
	/* Odd ones, and across its end: nothing. */
	mmio_out(BAR0 + TABLE + 2, ~0U, 4);
	mmio_out(BAR0 + TABLE + 1, 0xff, 1);
	mmio_out(BAR0 + TABLE + VECTORS * PCI_MSIX_ENTRY_SIZE - 4, ~0ULL, 8);
	mmio_out(BAR0 + TABLE - 4, ~0ULL, 8);
	assert_int_equal(mmio_in(BAR0 + TABLE, 8), 0x1122334455667788);
	assert_int_equal(hw_in(0, TABLE + VECTORS * PCI_MSIX_ENTRY_SIZE), 0);
	assert_int_equal(hw_in(0, TABLE - 4), 0);
	/* Of its page the rest is the device's. */
	mmio_out(BAR0 + TABLE + 0x800, 5, 4);
	assert_int_equal(hw_in(0, TABLE + 0x800), 5);
	mmio_out(BAR0 + PBA, ~0U, 4);
	assert_int_equal(hw_in(0, PBA), 0);
}

static void test_msix(void **state)
{
	const int index = VFIO_PCI_MSIX_IRQ_INDEX;

	unmask(3);
	assert_false(armed[index]);
	msix_control(LIVE | PCI_MSIX_FLAGS_MASKALL);
	assert_true(armed[index]);
	assert_int_equal(fake_irqfds, 0);
	msix_control(LIVE);
	assert_int_equal(fake_irqfds, 1);
	assert_true(told[index][3] >= 0);
	assert_int_equal(told[index][2], -1);
	unmask(2);
	assert_int_equal(fake_irqfds, 2);
	assert_true(told[index][2] >= 0);
	/* Masked, what comes is pending; and is so no more. */
	vector(3, PCI_MSIX_ENTRY_VECTOR_CTRL, 1);
	assert_int_equal(fake_irqfds, 1);
	eventfd_write(told[index][3], 1);
	assert_int_equal(mmio_in(BAR0 + PBA, 8), BIT(3));
	vector(3, PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
	assert_int_equal(fake_irqfds, 2);
	assert_int_equal(mmio_in(BAR0 + PBA, 8), 0);
	msix_control(0);
	assert_int_equal(fake_irqfds, 0);
	assert_false(armed[index]);
	/* Switched on again, they are where they were. */
	msix_control(LIVE);
	assert_int_equal(fake_irqfds, 2);
	assert_true(told[index][3] >= 0);
}

static void test_msi(void **state)
{
	config_out(MSI_CAP + PCI_MSI_ADDRESS_LO, 0xfee00000, 4);
	config_out(MSI_CAP + PCI_MSI_DATA_64, 0x40, 2);
	config_out(MSI_CAP + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE | 2 << 4, 2);
	assert_int_equal(fake_irqfds, 4);
	config_out(MSI_CAP + PCI_MSI_MASK_64, 5, 4);
	assert_int_equal(fake_irqfds, 2);
	/* More than it has are as many as it has. */
	config_out(MSI_CAP + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE | 7 << 4, 2);
	assert_int_equal(fake_irqfds, 2);
	config_out(MSI_CAP + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE, 2);
	assert_int_equal(fake_irqfds, 0);
	config_out(MSI_CAP + PCI_MSI_MASK_64, 0, 4);
	assert_int_equal(fake_irqfds, 1);
	config_out(MSI_CAP + PCI_MSI_FLAGS, 0, 2);
	assert_int_equal(fake_irqfds, 0);
	assert_false(armed[VFIO_PCI_MSI_IRQ_INDEX]);
}

/* The fake checks that there is one kind at a time. */
static void test_kinds(void **state)
{
	int i;

	for (i = 0; i < LOOPS; i++) {
		config_out(PCI_COMMAND, i & 1 ? PCI_COMMAND_INTX_DISABLE : 0, 2);
		config_out(MSI_CAP + PCI_MSI_FLAGS, i & 2 ? PCI_MSI_FLAGS_ENABLE : 0, 2);
		msix_control(i & 4 ? LIVE : 0);
		assert_int_equal(armed[VFIO_PCI_MSIX_IRQ_INDEX], !!(i & 4));
		assert_int_equal(armed[VFIO_PCI_MSI_IRQ_INDEX], (i & 6) == 2);
		assert_int_equal(armed[VFIO_PCI_INTX_IRQ_INDEX], !(i & 7));
		assert_int_equal(level_irqfds, !(i & 7));
	}
}

static void test_reset(void **state)
{
	int before = resets;

	unmask(0);
	msix_control(LIVE);
	config_out(EXP_CAP + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR, 2);
	assert_int_equal(resets, before + 1);
	assert_int_equal(fake_irqfds, 0);
	assert_int_equal(nr_slots(), 0);
	assert_int_equal(config_in(PCI_COMMAND) & 0xffff, 0);
	assert_int_equal(config_in(PCI_BASE_ADDRESS_0), PCI_BASE_ADDRESS_MEM_TYPE_64);
	assert_int_equal(config_in(MSIX_CAP) >> 16, VECTORS - 1);
	assert_false(armed[VFIO_PCI_MSIX_IRQ_INDEX]);
	/* The guest restores what it had. */
	config_out(PCI_BASE_ADDRESS_0, BAR0, 4);
	config_out(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE, 2);
	assert_int_equal(nr_slots(), 2);
	assert_int_equal(mmio_in(BAR0 + TABLE + PCI_MSIX_ENTRY_VECTOR_CTRL, 4), 1);
}

static void test_resets(void **state)
{
	assert_int_equal(resets, 1);
	pci_dev_remove(hostdev_pci(hd));
	hostdev_destroy(hd);
	hd = NULL;
	assert_int_equal(resets, 2);
}

static void test_bus_reset(void **state)
{
	alone = false;
	neighbour = 5;
	assert_int_equal(create(), 0);
	assert_int_equal(bus_resets, 1);
	pci_dev_remove(hostdev_pci(hd));
	hostdev_destroy(hd);
	assert_int_equal(bus_resets, 2);
	/* Others have devices there: it is used as it is. */
	neighbour = 6;
	assert_int_equal(create(), 0);
	assert_int_equal(bus_resets, 2);
	assert_int_equal(resets, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ids, setup_device, teardown),
		cmocka_unit_test_setup_teardown(test_memory, setup_device, teardown),
		cmocka_unit_test_setup_teardown(test_not_viable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_windows, setup_device, teardown),
		cmocka_unit_test_setup_teardown(test_windows_move, setup_device, teardown),
		cmocka_unit_test_setup_teardown(test_table, setup_device, teardown),
		cmocka_unit_test_setup_teardown(test_msix, setup_device, teardown),
		cmocka_unit_test_setup_teardown(test_msi, setup_device, teardown),
		cmocka_unit_test_setup_teardown(test_kinds, setup_device, teardown),
		cmocka_unit_test_setup_teardown(test_reset, setup_device, teardown),
		cmocka_unit_test_setup_teardown(test_resets, setup_device, teardown),
		cmocka_unit_test_setup_teardown(test_bus_reset, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
