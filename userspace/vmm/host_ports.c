// SPDX-License-Identifier: GPL-2.0-only
/* I/O ports of the host's, for a guest that drives a device which is not PCI's. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host_ports.h"
#include "libjoist/netlink.h"
#include "log.h"
#include "name.h"
#include "vm.h"

/*
 * What exits all the same, as an access that reaches beyond the range does, finds nothing: this
 * process has no ports.
 */
static int claim(struct vm *vm, const struct range *ports)
{
	int err = bus_add(&vm->pio, ports->first, range_size(ports), &bus_nothing, NULL);

	if (err == -EEXIST)
		log_err("I/O ports 0x%llx-0x%llx: a device of the VM's own has one of them",
			(unsigned long long)ports->first, (unsigned long long)ports->last);
	return err;
}

/* Return: 0, or -errno, which is logged. */
static int grant(struct vm *vm)
{
	const struct vmm_config *config = vm->config;
	struct joist_nl *nl;
	int i, err;
	u32 id;

	err = joist_nl_open(&nl);
	if (err) {
		log_err("I/O ports: no netlink family \"joist\": %s", strerror(-err));
		return err;
	}
	id = vm_own_id(nl);
	if (!id) {
		log_err("I/O ports: %s is not joist's, which alone can open them to a guest",
			config->device.path);
		err = -ENODEV;
	}
	for (i = 0; !err && i < config->nr_io_ports; i++) {
		const struct range *ports = &config->io_ports[i];

		err = joist_nl_port_grant(nl, id, (u32)ports->first,
					  (u32)range_size(ports));
		if (err)
			log_err("I/O ports 0x%llx-0x%llx: %s", (unsigned long long)ports->first,
				(unsigned long long)ports->last, joist_nl_error(nl));
	}
	joist_nl_close(nl);
	return err;
}

/* Who grants knows which, and needs to hear only that the VM is there. */
static int ask(const struct vmm_file *granter)
{
	int err = -EIO;

	if (write(granter->fd, "", 1) != 1 ||
	    read(granter->fd, &err, sizeof(err)) != sizeof(err))
		err = -EIO;
	if (err)
		log_err("I/O ports: %s has not opened them: %s", granter->path, strerror(-err));
	return err;
}

/**
 * host_ports_grant() - have the module open the ports to the guest
 * @vm: complete but for its vCPUs
 *
 * The VM's end takes them back.
 *
 * Return: 0, or -errno, which is logged.
 */
int host_ports_grant(struct vm *vm)
{
	const struct vmm_config *config = vm->config;
	int i, err = 0;

	if (!config->nr_io_ports)
		return 0;
	for (i = 0; !err && i < config->nr_io_ports; i++)
		err = claim(vm, &config->io_ports[i]);
	if (!err)
		err = config->granter.path ? ask(&config->granter) : grant(vm);
	vmm_file_close(&config->granter);
	return err;
}
