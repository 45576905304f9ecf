// SPDX-License-Identifier: GPL-2.0-only
/* The VM's name, in the module's list of VMs. */
#include <unistd.h>

#include "libjoist/netlink.h"
#include "name.h"

static int take_own(const struct joist_nl_vm *vm, void *arg)
{
	u32 *id = arg;

	if (vm->owner_pid == (u32)getpid())
		*id = vm->id;
	return 0;
}

/** vm_own_id() - what the module calls this process's VM; 0: it has none */
u32 vm_own_id(struct joist_nl *nl)
{
	u32 id = 0;

	return joist_nl_vms(nl, 0, take_own, &id) ? 0 : id;
}

/**
 * vm_set_name() - name this process's VM
 * @name: 1 to 63 printable bytes without blanks
 *
 * A hypervisor without the netlink family, KVM for one, has no names: that is no error.
 */
void vm_set_name(const char *name)
{
	struct joist_nl_settings settings = {
		.what = JOIST_NL_SET_NAME, .name = name,
	};
	struct joist_nl *nl;
	u32 id;

	if (joist_nl_open(&nl))
		return;
	id = vm_own_id(nl);
	if (id)
		joist_nl_set(nl, id, &settings);
	joist_nl_close(nl);
}
