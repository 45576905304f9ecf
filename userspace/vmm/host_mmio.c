// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a device of the host's that is not PCI's, for the guest at the same address. It is no
 * RAM: only the hypervisor's slots know of it, so no queue, no balloon and no other device's DMA
 * gets there. The hypervisor maps it uncached, as all that is not the host's RAM.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "host_mmio.h"
#include "log.h"
#include "vm.h"

/* Return: what the machine has of its own there, or NULL: nothing. */
const char *host_mmio_taken(const struct memory *mem, const struct range *at)
{
	const u64 low = memory_low_end(mem), windows = max(low, WINDOWS_START);
	const struct {
		struct range at;
		const char *what;
	} taken[] = {
		{ { 0, low - 1 }, "its memory" },
		{ { windows, PCI_HOLE_END - 1 }, "its PCI devices" },
		{ { IOAPIC_GPA, IOAPIC_GPA + PAGE_SIZE - 1 }, "its I/O APIC" },
		{ { LAPIC_GPA, LAPIC_GPA + (1 << 20) - 1 }, "its local APICs" },
		{ { IDENTITY_MAP_GPA, FIRMWARE_START - 1 }, "pages of the hypervisor's" },
		{ { FIRMWARE_START, FIRMWARE_END - 1 }, "its firmware" },
		{ { HIGH_RAM_START, UINT64_MAX }, "its memory or PCI devices" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(taken); i++)
		if (ranges_meet(&taken[i].at, at))
			return taken[i].what;
	return NULL;
}

/* Why the host's kernel refuses a mapping, where that can be helped. */
static const char *refused(int err)
{
	if (err != EPERM)
		return "";
	return "; it is in use, and the kernel has CONFIG_IO_STRICT_DEVMEM: unbind who has it";
}

/**
 * host_mmio_map() - map what the guest is to have
 * @mmio: what it is; its addresses are filled in
 * @nr: how many
 * @fd: /dev/mem; it is not needed afterwards, and is to be open in no process that runs a guest
 *
 * Return: 0, or -errno with the reason logged.
 */
int host_mmio_map(struct vmm_mmio *mmio, int nr, int fd)
{
	int i;

	for (i = 0; i < nr; i++) {
		const struct range *at = &mmio[i].at;
		void *hva = mmap(NULL, range_size(at), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				 (off_t)at->first);
		int err = errno;

		if (hva != MAP_FAILED) {
			mmio[i].hva = hva;
			continue;
		}
		log_err("the host's memory 0x%llx-0x%llx cannot be mapped: %s%s",
			(unsigned long long)at->first, (unsigned long long)at->last, strerror(err),
			refused(err));
		return -err;
	}
	return 0;
}

/* Return: 0, or -errno with the reason logged. */
static int add(struct vm *vm, int i)
{
	const struct vmm_mmio *mmio = &vm->config->mmio[i];
	const struct range *at = &mmio->at;
	const char *what = host_mmio_taken(&vm->mem, at);
	int err = what ? -EEXIST : 0;

	/* What comes later finds that it is taken. */
	if (!err)
		err = bus_add(&vm->mmio, at->first, range_size(at), &bus_nothing, NULL);
	if (err == -EEXIST)
		log_err("the host's memory 0x%llx-0x%llx cannot be the guest's: the guest's machine has %s there",
			(unsigned long long)at->first, (unsigned long long)at->last,
			what ?: "another device");
	if (err)
		return err;
	err = memory_slot(vm->fd, SLOT_HOST_MMIO + (u32)i, at->first, range_size(at), mmio->hva);
	if (err)
		log_err("cannot give the guest the host's memory 0x%llx-0x%llx: %s",
			(unsigned long long)at->first, (unsigned long long)at->last,
			strerror(-err));
	return err;
}

/**
 * host_mmio_add() - the guest has what host_mmio_map() has mapped
 * @vm: complete but for its vCPUs
 *
 * Return: 0, or -errno with the reason logged.
 */
int host_mmio_add(struct vm *vm)
{
	int i, err = 0;

	for (i = 0; !err && i < vm->config->nr_mmio; i++)
		err = add(vm, i);
	return err;
}
