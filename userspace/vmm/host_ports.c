// SPDX-License-Identifier: GPL-2.0-only
/* I/O ports of the host's, for a guest that drives a device which is not PCI's. */
#include <errno.h>
#include <string.h>

#include "host_ports.h"
#include "libjoist/netlink.h"
#include "log.h"
#include "name.h"
#include "vm.h"

/*
 * What exits all the same, as an access that reaches beyond the range does, finds nothing: this
 * process has no ports.
 */
static void nothing_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	(void)ctx;
	(void)offset;
	(void)data;
	(void)len;
}

static void nothing_written(void *ctx, u64 offset, const void *data, unsigned int len)
{
	(void)ctx;
	(void)offset;
	(void)data;
	(void)len;
}

static const struct bus_ops nothing = { nothing_read, nothing_written, .byte_wide = true };

static int grant(struct vm *vm, struct joist_nl *nl, u32 id, const struct vmm_io_ports *ports)
{
	u32 nr = ports->last - ports->first + 1U;
	int err = bus_add(&vm->pio, ports->first, nr, &nothing, NULL);

	if (err == -EEXIST)
		log_err("I/O ports 0x%x-0x%x: a device of the VM's own has one of them",
			ports->first, ports->last);
	if (err)
		return err;
	err = joist_nl_port_grant(nl, id, ports->first, nr);
	if (err)
		log_err("I/O ports 0x%x-0x%x: %s", ports->first, ports->last,
			joist_nl_error(nl));
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
	struct joist_nl *nl;
	int i, err;
	u32 id;

	if (!config->nr_io_ports)
		return 0;
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
	for (i = 0; !err && i < config->nr_io_ports; i++)
		err = grant(vm, nl, id, &config->io_ports[i]);
	joist_nl_close(nl);
	return err;
}
