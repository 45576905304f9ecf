// SPDX-License-Identifier: GPL-2.0-only
/* MSI-X: which messages are irqfds, and that a device that goes leaves nothing behind. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <cmocka.h>

#include "fake_hypervisor.h"
#include "libjoist/joist.h"
#include "vmm/chipset/msix.h"
#include "vmm/chipset/pci.h"
#include "vmm/vm.h"

#define NR		4
#define CYCLES		(2 * GSI_MSI_NR)
#define LIVE		PCI_MSIX_FLAGS_ENABLE

static struct vmm_config config = { .vcpus = 1 };
static struct vm vm;
static struct pci_dev dev;
static struct msix msix;

static void plug(void)
{
	memset(&dev, 0, sizeof(dev));
	memset(&msix, 0, sizeof(msix));
	dev.vm = &vm;
	assert_int_equal(msix_init(&msix, &dev, 1, NR), 0);
}

static void control(u16 value)
{
	pci_set16(dev.config + msix.cap + PCI_MSIX_FLAGS, value);
	msix_command(&msix);
}

static void write32(int vector, u64 reg, u32 value)
{
	msix_bar_write(&msix, (u64)vector * PCI_MSIX_ENTRY_SIZE + reg, &value, sizeof(value));
}

/* As a driver does: the message first. */
static void unmask(int vector)
{
	write32(vector, PCI_MSIX_ENTRY_LOWER_ADDR, 0xfee00000);
	write32(vector, PCI_MSIX_ENTRY_UPPER_ADDR, 0);
	write32(vector, PCI_MSIX_ENTRY_DATA, 0x40 + (u32)vector);
	write32(vector, PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
}

/* As the guest reads it. */
static u64 pending(void)
{
	u64 bits = ~0ULL;

	msix_bar_read(&msix, 2048, &bits, sizeof(bits));
	return bits;
}

static int used(void)
{
	int i, n = 0;

	for (i = 0; i < GSI_MSI_NR; i++)
		n += vm.irq.msi_used[i];
	return n;
}

static int setup(void **state)
{
	memset(&vm, 0, sizeof(vm));
	vm.config = &config;
	fake_irqfds = 0;
	fake_refuses = false;
	return irq_init(&vm.irq, -1);
}

static int teardown(void **state)
{
	irq_destroy(&vm.irq);
	return 0;
}

static void test_masked(void **state)
{
	eventfd_t told;

	plug();
	unmask(0);
	assert_int_equal(fake_irqfds, 0);
	msix_notify(&msix, 0);
	control(LIVE | PCI_MSIX_FLAGS_MASKALL);
	assert_int_equal(fake_irqfds, 0);
	control(LIVE);
	/* The one that is unmasked, and what it missed. */
	assert_int_equal(fake_irqfds, 1);
	assert_int_equal(eventfd_read(msix.vector[0].message.fd, &told), 0);
	assert_int_equal(told, 1);
	/* A masked one keeps it, a vector that there is not has none. */
	msix_notify(&msix, 1);
	assert_int_equal(pending(), BIT(1));
	unmask(1);
	assert_int_equal(fake_irqfds, 2);
	assert_int_equal(eventfd_read(msix.vector[1].message.fd, &told), 0);
	assert_int_equal(pending(), 0);
	/* Whoever else writes to it, the kernel for one, is kept from the guest. */
	write32(1, PCI_MSIX_ENTRY_VECTOR_CTRL, PCI_MSIX_ENTRY_CTRL_MASKBIT);
	assert_int_equal(fake_irqfds, 1);
	assert_int_equal(eventfd_write(msix_fd(&msix, 1), 1), 0);
	assert_int_equal(pending(), BIT(1));
	control(LIVE | PCI_MSIX_FLAGS_MASKALL);
	assert_int_equal(fake_irqfds, 0);
	assert_int_equal(msix_fd(&msix, NR), -1);
	control(0);
	assert_int_equal(msix_fd(&msix, 1), -1);
	msix_notify(&msix, NR);
	msix_notify(&msix, MSIX_NO_VECTOR);
	msix_destroy(&msix);
}

/* A message that the hypervisor refuses takes no other's place. */
static void test_refused(void **state)
{
	int before;

	plug();
	control(LIVE);
	unmask(0);
	before = fake_routes;
	fake_refuses = true;
	unmask(1);
	assert_int_equal(fake_irqfds, 1);
	fake_refuses = false;
	unmask(2);
	assert_int_equal(fake_irqfds, 2);
	assert_int_equal(fake_routes, before + 1);
	msix_destroy(&msix);
	assert_int_equal(used(), 0);
}

static void test_gone(void **state)
{
	int cycle, i, fixed = vm.irq.nr_fixed;

	for (cycle = 0; cycle < CYCLES; cycle++) {
		plug();
		control(LIVE);
		for (i = 0; i < NR; i++)
			unmask(i);
		assert_int_equal(fake_irqfds, NR);
		assert_int_equal(used(), NR);
		assert_int_equal(fake_routes, fixed + NR);
		msix_destroy(&msix);
		assert_int_equal(fake_irqfds, 0);
		assert_int_equal(used(), 0);
		assert_int_equal(vm.irq.table->nr, fixed);
	}
}

/* As many as fit: the next is refused, and nothing else suffers. */
static void test_exhausted(void **state)
{
	int i;

	for (i = 0; i < GSI_MSI_NR; i++)
		assert_int_equal(irq_msi_alloc(&vm.irq), GSI_MSI_FIRST + i);
	assert_int_equal(irq_msi_alloc(&vm.irq), -ENOSPC);
	plug();
	control(LIVE);
	unmask(0);
	assert_int_equal(fake_irqfds, 0);
	irq_msi_free(&vm.irq, GSI_MSI_FIRST + 7);
	unmask(0);
	assert_int_equal(fake_irqfds, 1);
	assert_int_equal(msix.vector[0].message.gsi, GSI_MSI_FIRST + 7);
	msix_destroy(&msix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_masked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exhausted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
