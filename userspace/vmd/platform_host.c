// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports and memory of the host's that VMs have. No IOMMU confines who has them, so they are root's
 * to give: by the configuration, or as a client.
 *
 * The VM's process gets what is its own, and nothing that opens more. Of the host's memory it needs
 * mappings, which no other process can make for it: it is given the descriptor, and has mapped the
 * ranges of its definition and closed it before it gives up its rights, so before there is a guest
 * (vm_process.c). Ports are opened to a VM by the module, which wants CAP_SYS_RAWIO; the VM is made
 * when the process has no rights any longer, so it says when it is there, and the parent has them
 * opened, those of the definition: what it says is not looked at.
 */
#include <string.h>
#include <unistd.h>

#include "hostdev/hostdev.h"
#include "parent.h"
#include "peer.h"
#include "platform_host.h"

static struct hostdev_why why;	/* struct failure's remedy lies in it */

/* Not admins of the group: through these they would be root. */
int platform_may(const struct peer *peer, struct failure *f)
{
	if (!peer->uid)
		return 0;
	fail(f, "not-yours", "only root may give a VM ports and memory of the host's");
	f->remedy = "have root create the VM, or define it in joist.conf";
	return -1;
}

/* Another VM that runs has some of them. */
static int check_others(const struct definition *def, struct failure *f)
{
	const struct owned *vm;
	const char *name;

	for (vm = parent.vms; vm; vm = vm->next) {
		if (!vm->proc.pid || !strcmp(vm->def.name, def->name))
			continue;
		name = platform_meets(&def->platform, &vm->proc.platform);
		if (!name)
			continue;
		fail(f, "in-use", "the VM %s has ports or memory of the device '%s'",
		     vm->def.name, name);
		f->remedy = "stop that VM first";
		return -1;
	}
	return 0;
}

/**
 * platform_check() - are the ports and the memory of a VM that is started anybody's?
 * @def: VM
 * @f: whose they are
 *
 * Return: 0 or less.
 */
int platform_check(const struct definition *def, struct failure *f)
{
	struct range ports[VMM_IO_PORTS_MAX];
	struct vmm_mmio mmio[VMM_MMIO_MAX];
	int nr_ports = platform_ports(&def->platform, ports);
	int nr_mmio = platform_mmio(&def->platform, mmio), i, err = 0;

	if (check_others(def, f))
		return -1;
	for (i = 0; !err && i < nr_ports; i++)
		err = hostdev_range_check("", HOSTDEV_PORTS, &ports[i], &why);
	for (i = 0; !err && i < nr_mmio; i++)
		err = hostdev_range_check("", HOSTDEV_MEMORY, &mmio[i].at, &why);
	return err ? fail_hostdev(f, &why) : 0;
}

/* The host's memory, for a VM whose ranges have been checked. Return: a descriptor or less. */
int platform_open(struct failure *f)
{
	int fd = hostdev_memory_open(&why);

	return fd < 0 ? fail_hostdev(f, &why) : fd;
}

static void asked(struct watch *watch, u32 events)
{
	struct owned *vm = container_of(watch, struct owned, ask);
	char byte;
	int err;

	(void)events;
	/* Else it has ended. */
	if (read(watch->fd, &byte, sizeof(byte)) == sizeof(byte)) {
		err = vm_open_ports(vm);
		if (write(watch->fd, &err, sizeof(err)) != sizeof(err))
			say("the VM %s does not hear that it has its ports", vm->def.name);
	}
	owned_hang_up(vm);
}

/* Its process has been started: it asks once. */
void platform_follow(struct owned *vm)
{
	int fd = vm->proc.ask_fd;

	if (fd < 0)
		return;
	vm->proc.ask_fd = -1;
	if (!watch_add(&vm->ask, fd, EPOLLIN, asked))
		return;
	say("the VM %s will not be heard, and gets no ports", vm->def.name);
	close(fd);
}
