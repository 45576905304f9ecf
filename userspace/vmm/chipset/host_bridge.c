// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host bridge, as much of Intel's Q35 as firmware programs: the window of PCI
 * Express's enhanced configuration access, and the registers that open the memory
 * below 1 MiB. That memory is RAM always, so the latter are only remembered.
 */
#include <errno.h>
#include <stdlib.h>

#include "../vm.h"
#include "chipset.h"
#include "host_bridge.h"
#include "pci.h"

#define DEVICE_Q35		0x29c0
#define CLASS_HOST_BRIDGE	0x060000

#define PCIEXBAR		0x60
#define PCIEXBAR_ENABLE		BIT(0)
#define PCIEXBAR_LENGTH(v)	(((v) >> 1) & 3)
#define PCIEXBAR_HIGH		0xf	/* addresses have 36 bits */
#define PAM			0x90
#define PAM_REGS		7
#define PAM_BITS		0x33

#define ECAM_REG(offset)	((offset) & (PCI_CONFIG_SIZE - 1))
#define ECAM_BDF(offset)	((u16)((offset) >> 12))

/**
 * struct host_bridge - the bridge
 * @lock: protects @ecam; taken inside of the bus's
 * @ecam: where the window is
 */
struct host_bridge {
	struct pci_dev pci;
	pthread_mutex_t lock;
	struct ecam ecam;
};

static void ecam_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct host_bridge *bridge = ctx;

	pci_config_read(bridge->pci.vm->pci, ECAM_BDF(offset), ECAM_REG(offset),
			data, len);
}

static void ecam_write(void *ctx, u64 offset, const void *data, unsigned int len)
{
	struct host_bridge *bridge = ctx;

	pci_config_write(bridge->pci.vm->pci, ECAM_BDF(offset), ECAM_REG(offset),
			 data, len);
}

static const struct bus_ops ecam_ops = {
	.read = ecam_read,
	.write = ecam_write,
};

/* What the register asks for; its lengths are 256, 128 and 64 MiB. */
static struct ecam wanted(const struct pci_dev *pci)
{
	u32 low = pci_get32(pci->config + PCIEXBAR);
	u64 high = pci_get32(pci->config + PCIEXBAR + 4);
	struct ecam ecam = { 0 };

	if (!(low & PCIEXBAR_ENABLE) || PCIEXBAR_LENGTH(low) == 3)
		return ecam;
	ecam.size = ECAM_SIZE >> PCIEXBAR_LENGTH(low);
	ecam.base = (high << 32 | low) & ~(ecam.size - 1);
	return ecam;
}

static void move_ecam(struct host_bridge *bridge, struct ecam to)
{
	struct bus *mmio = &bridge->pci.vm->mmio;
	struct ecam *ecam = &bridge->ecam;

	if (to.base == ecam->base && to.size == ecam->size)
		return;
	if (ecam->size)
		bus_remove(mmio, ecam->base, bridge);
	*ecam = to;
	/* Over another device's window it stays closed. */
	if (to.size && bus_add(mmio, to.base, to.size, &ecam_ops, bridge))
		ecam->size = 0;
}

/* The guest wrote to the bridge. The bus's lock is held. */
static void update_ecam(struct pci_dev *pci)
{
	struct host_bridge *bridge = pci->ctx;

	pthread_mutex_lock(&bridge->lock);
	move_ecam(bridge, wanted(pci));
	pthread_mutex_unlock(&bridge->lock);
}

/* Where the window is now. Any thread. */
struct ecam host_bridge_ecam(struct vm *vm)
{
	struct host_bridge *bridge = vm->host_bridge;
	struct ecam ecam;

	pthread_mutex_lock(&bridge->lock);
	ecam = bridge->ecam;
	pthread_mutex_unlock(&bridge->lock);
	return ecam;
}

int host_bridge_create(struct vm *vm)
{
	static const struct pci_id id = {
		.vendor = PCI_VENDOR_INTEL,
		.device = DEVICE_Q35,
		.subsystem_vendor = PCI_VENDOR_REDHAT,
		.subsystem = PCI_SUBSYSTEM_QEMU,
		.class_revision = CLASS_HOST_BRIDGE << 8,
	};
	struct host_bridge *bridge = calloc(1, sizeof(*bridge));
	struct pci_dev *pci;
	int i;

	if (!bridge)
		return -ENOMEM;
	vm->host_bridge = bridge;
	pthread_mutex_init(&bridge->lock, NULL);
	pci = &bridge->pci;
	pci_dev_init(pci, vm, &id);
	pci->ctx = bridge;
	pci->command = update_ecam;
	pci_set32(pci->writable + PCIEXBAR, 0xfc000007);
	pci_set32(pci->writable + PCIEXBAR + 4, PCIEXBAR_HIGH);
	for (i = 0; i < PAM_REGS; i++)
		pci->writable[PAM + i] = PAM_BITS;
	if (!vmm_has_firmware(vm->config))
		pci_set32(pci->config + PCIEXBAR, (u32)ECAM_GPA | PCIEXBAR_ENABLE);
	update_ecam(pci);
	return pci_dev_add_at(pci, PCI_DEVFN(SLOT_HOST_BRIDGE, 0));
}

void host_bridge_destroy(struct vm *vm)
{
	free(vm->host_bridge);
	vm->host_bridge = NULL;
}
