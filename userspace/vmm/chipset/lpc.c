// SPDX-License-Identifier: GPL-2.0-only
/*
 * The LPC bridge, as much of Intel's ICH9 as firmware programs: the base of power
 * management's ports. The routes of its interrupt pins are remembered only: ACPI
 * tells the guest how the lines are wired, and wired they are.
 */
#include <errno.h>
#include <stdlib.h>

#include "../vm.h"
#include "chipset.h"
#include "lpc.h"
#include "pci.h"
#include "pm.h"

#define DEVICE_ICH9_LPC		0x2918
#define REVISION		2
#define CLASS_ISA_BRIDGE	0x060100

#define PMBASE			0x40
#define PMBASE_IO		BIT(0)
#define PMBASE_MASK		0xff80
#define ACPI_CONTROL		0x44
#define ACPI_ENABLE		BIT(7)
#define PIRQA_ROUTE		0x60	/* to D */
#define PIRQE_ROUTE		0x68	/* to H */
#define PIRQ_NONE		BIT(7)
#define PIRQ_BITS		0x8f
#define RCBA			0xf0
#define RCBA_BITS		0xffffc001

struct lpc {
	struct pci_dev pci;
};

/* The guest wrote to the bridge. The bus's lock is held. */
static void update_pm(struct pci_dev *pci)
{
	u16 base = pci_get16(pci->config + PMBASE) & PMBASE_MASK;

	pm_move(pci->vm->pm, pci->config[ACPI_CONTROL] & ACPI_ENABLE ? base : 0);
}

static void init_routes(struct pci_dev *pci, size_t reg)
{
	size_t i;

	for (i = 0; i < 4; i++) {
		pci->config[reg + i] = PIRQ_NONE;
		pci->writable[reg + i] = PIRQ_BITS;
	}
}

int lpc_create(struct vm *vm)
{
	static const struct pci_id id = {
		.vendor = PCI_VENDOR_INTEL,
		.device = DEVICE_ICH9_LPC,
		.subsystem_vendor = PCI_VENDOR_REDHAT,
		.subsystem = PCI_SUBSYSTEM_QEMU,
		.class_revision = CLASS_ISA_BRIDGE << 8 | REVISION,
	};
	struct lpc *lpc = calloc(1, sizeof(*lpc));
	struct pci_dev *pci;

	if (!lpc)
		return -ENOMEM;
	vm->lpc = lpc;
	pci = &lpc->pci;
	pci_dev_init(pci, vm, &id);
	pci->ctx = lpc;
	pci->command = update_pm;
	/* On hardware the slot has more functions: guests expect the bit. */
	pci->config[PCI_HEADER_TYPE] = 0x80;
	/* Always: UEFI looks for the serial port behind a bridge that passes ports on. */
	pci_set16(pci->config + PCI_COMMAND,
		  PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_set16(pci->writable + PCI_COMMAND, 0);
	pci_set16(pci->writable + PMBASE, PMBASE_MASK);
	pci->writable[ACPI_CONTROL] = 0xff;
	init_routes(pci, PIRQA_ROUTE);
	init_routes(pci, PIRQE_ROUTE);
	pci_set32(pci->writable + RCBA, RCBA_BITS);
	pci->config[PMBASE] = PMBASE_IO;
	if (!vmm_has_firmware(vm->config)) {
		pci_set32(pci->config + PMBASE, PORT_PM | PMBASE_IO);
		pci->config[ACPI_CONTROL] = ACPI_ENABLE;
	}
	update_pm(pci);
	return pci_dev_add_at(pci, PCI_DEVFN(SLOT_LPC, 0));
}

void lpc_destroy(struct vm *vm)
{
	free(vm->lpc);
	vm->lpc = NULL;
}
