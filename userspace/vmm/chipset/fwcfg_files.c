// SPDX-License-Identifier: GPL-2.0-only
/* What fw_cfg knows: CPUs, memory, the order to boot in, the ACPI and SMBIOS tables. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../boot/boot.h"
#include "../log.h"
#include "../vm.h"
#include "acpi.h"
#include "acpi_loader.h"
#include "chipset.h"
#include "fwcfg.h"
#include "pci.h"
#include "smbios.h"

#define KEY_RAM_SIZE		0x0003
#define KEY_NO_GRAPHICS		0x0004
#define KEY_NR_CPUS		0x0005
#define KEY_MAX_CPUS		0x000f
#define KEY_IRQ0_OVERRIDE	0x8002	/* the timer is at the I/O APIC's pin 2 */

/* Open Firmware's names of what can be booted from; a virtio disk is "scsi" to it. */
#define CLASS_STORAGE		0x0100
#define CLASS_NETWORK		0x0200
#define PATH_STORAGE		"/pci@i0cf8/scsi@%x/disk@0,0\n"
#define PATH_NETWORK		"/pci@i0cf8/ethernet@%x/ethernet-phy@0\n"
#define BOOT_PATH_MAX		64

static const struct bus_ops fwcfg_ops = {
	.read = fwcfg_port_read,
	.write = fwcfg_port_write,
};

static void add_numbers(struct fwcfg *fw, const struct vmm_config *config)
{
	const u16 vcpus = (u16)config->vcpus, one = 1, com1 = PORT_COM1;
	const u32 override = 1;
	const u8 no = 0;

	fwcfg_add(fw, KEY_RAM_SIZE, &config->memory, sizeof(config->memory));
	fwcfg_add(fw, KEY_NO_GRAPHICS, &one, sizeof(one));
	fwcfg_add(fw, KEY_NR_CPUS, &vcpus, sizeof(vcpus));
	fwcfg_add(fw, KEY_MAX_CPUS, &vcpus, sizeof(vcpus));
	fwcfg_add(fw, KEY_IRQ0_OVERRIDE, &override, sizeof(override));
	/* SeaBIOS: its screen and keyboard are the serial port; it waits for no key. */
	fwcfg_add_file(fw, "etc/sercon-port", &com1, sizeof(com1));
	fwcfg_add_file(fw, "etc/show-boot-menu", &no, sizeof(no));
}

static void add_e820(struct fwcfg *fw, const struct memory *mem)
{
	struct {
		u64 addr, size;
		u32 type;
	} __packed map[ARRAY_SIZE(mem->region)];
	int i;

	for (i = 0; i < mem->nr_regions; i++) {
		map[i].addr = mem->region[i].gpa;
		map[i].size = mem->region[i].size;
		map[i].type = E820_RAM;
	}
	fwcfg_add_file(fw, "etc/e820", map, (size_t)i * sizeof(map[0]));
}

/* Windows above 4 GiB go behind the memory that is plugged in later. */
static void add_memory_end(struct fwcfg *fw, const struct memory *mem)
{
	const u64 end = memory_end(mem);

	if (mem->pluggable.size)
		fwcfg_add_file(fw, "etc/reserved-memory-end", &end, sizeof(end));
}

/* Return: characters of the paths of all devices of a class, in the bus's order. */
static size_t boot_paths(char *order, struct pci *pci, u16 wanted, const char *path)
{
	size_t len = 0;
	u16 slot, class;

	for (slot = 0; slot < PCI_SLOTS; slot++) {
		class = 0xffff;
		pci_config_read(pci, PCI_DEVFN(slot, 0), PCI_CLASS_DEVICE, &class,
				sizeof(class));
		if (class == wanted)
			len += (size_t)sprintf(order + len, path, slot);
	}
	return len;
}

/* The disks, then the networks, in the order they were given. */
static void add_boot_order(struct fwcfg *fw, struct pci *pci)
{
	char order[PCI_SLOTS * BOOT_PATH_MAX];
	size_t len;

	len = boot_paths(order, pci, CLASS_STORAGE, PATH_STORAGE);
	len += boot_paths(order + len, pci, CLASS_NETWORK, PATH_NETWORK);
	if (!len)
		return;
	order[len - 1] = '\0';
	fwcfg_add_file(fw, "bootorder", order, len);
}

/*
 * Firmware has programmed the bridges by now: the tables tell of what it chose. All sizes
 * stay what they were.
 */
static void refresh_tables(struct fwcfg *fw, struct fwcfg_item *item)
{
	if (!acpi_tables(fw->tables, fw->vm, 0))
		memcpy(item->data, fw->tables->data, item->size);
}

static void refresh_loader(struct fwcfg *fw, struct fwcfg_item *item)
{
	struct acpi_loader loader;

	if (acpi_tables(fw->tables, fw->vm, 0))
		return;
	acpi_loader_build(&loader, fw->tables);
	memcpy(item->data, loader.command, item->size);
}

static int add_acpi(struct fwcfg *fw)
{
	struct acpi_loader loader;
	struct fwcfg_item *item;
	struct acpi_rsdp root;
	int err;

	fw->tables = malloc(sizeof(*fw->tables));
	if (!fw->tables)
		return -ENOMEM;
	err = acpi_tables(fw->tables, fw->vm, 0);
	if (err)
		return err;
	item = fwcfg_add_file(fw, ACPI_FILE_TABLES, fw->tables->data,
			      sizeof(fw->tables->data));
	if (!item)
		return -ENOMEM;
	item->refresh = refresh_tables;
	acpi_rsdp(&root, fw->tables->xsdt);
	fwcfg_add_file(fw, ACPI_FILE_RSDP, &root, sizeof(root));
	acpi_loader_build(&loader, fw->tables);
	item = fwcfg_add_file(fw, "etc/table-loader", loader.command,
			      (size_t)loader.nr * sizeof(loader.command[0]));
	if (!item)
		return -ENOMEM;
	item->refresh = refresh_loader;
	return 0;
}

static int add_smbios(struct fwcfg *fw)
{
	struct smbios_anchor anchor;
	struct smbios t;
	int err;

	err = smbios_tables(&t, fw->vm);
	if (err)
		return err;
	smbios_anchor(&anchor, &t, 0);
	fwcfg_add_file(fw, SMBIOS_FILE_TABLES, t.data, t.used);
	fwcfg_add_file(fw, SMBIOS_FILE_ANCHOR, &anchor, sizeof(anchor));
	return 0;
}

/**
 * fwcfg_create() - the device, with all it knows of the VM
 * @vm: VM with all its devices
 *
 * Return: 0, or -errno with the reason logged; fwcfg_destroy() is due in both cases.
 */
int fwcfg_create(struct vm *vm)
{
	struct fwcfg *fw = calloc(1, sizeof(*fw));
	int err;

	if (!fw)
		return -ENOMEM;
	vm->fwcfg = fw;
	fw->vm = vm;
	fwcfg_init(fw, &vm->mem);
	add_numbers(fw, vm->config);
	add_e820(fw, &vm->mem);
	add_memory_end(fw, &vm->mem);
	add_boot_order(fw, vm->pci);
	err = add_acpi(fw);
	if (!err)
		err = add_smbios(fw);
	if (!err)
		err = fwcfg_finish(fw);
	if (!err)
		err = bus_add(&vm->pio, PORT_FWCFG, FWCFG_PORTS, &fwcfg_ops, fw);
	if (err)
		log_err("cannot tell the firmware of the board: %s", strerror(-err));
	return err;
}

void fwcfg_destroy(struct vm *vm)
{
	if (!vm->fwcfg)
		return;
	fwcfg_free(vm->fwcfg);
	free(vm->fwcfg->tables);
	free(vm->fwcfg);
	vm->fwcfg = NULL;
}
