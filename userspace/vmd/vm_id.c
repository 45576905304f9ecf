// SPDX-License-Identifier: GPL-2.0-only
/* A VM in the module's own list: the id it has there, and the name that is shown. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libjoist/netlink.h"
#include "parent.h"

struct search {
	u32 pid;
	u32 id;
};

static int match(const struct joist_nl_vm *vm, void *arg)
{
	struct search *search = arg;

	if (vm->owner_pid != search->pid)
		return 0;
	search->id = vm->id;
	return 1;
}

/**
 * vm_identify() - find a VM by its process, and give it its name and UUID
 * @vm: it has a process, in which a guest runs
 *
 * Every VM of the host is in that list, whoever made it. Ours is known by its process's
 * number, which is nobody else's as long as the process is there.
 *
 * Return: its id; 0: it has none, or the module has no netlink family.
 */
u32 vm_identify(const struct owned *vm)
{
	struct joist_nl_settings settings = {
		.what = JOIST_NL_SET_NAME | JOIST_NL_SET_UUID,
		.name = vm->def.name,
	};
	struct search search = { .pid = (u32)vm->proc.pid };
	struct joist_nl *nl;
	int err;

	err = joist_nl_open(&nl);
	if (err) {
		if (err != -ENOENT)
			say("the module's list of VMs cannot be read: %s", strerror(-err));
		return 0;
	}
	err = joist_nl_vms(nl, 0, match, &search);
	if (err < 0)
		say("the module's list of VMs cannot be read: %s", joist_nl_error(nl));
	if (syscall(SYS_pidfd_send_signal, vm->proc.pidfd, 0, NULL, 0))
		search.id = 0;
	uuid_bytes(vm->def.uuid, settings.uuid);
	if (search.id && joist_nl_set(nl, search.id, &settings))
		say("the VM %s cannot be named: %s", vm->def.name, joist_nl_error(nl));
	joist_nl_close(nl);
	return search.id;
}
