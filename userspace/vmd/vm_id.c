// SPDX-License-Identifier: GPL-2.0-only
/* A VM in the module's own list: the id it has there, the name that is shown, whether it was
 * paused there, and the host's ports that it has.
 */
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

/* Return: the module's list with @id in it; NULL: none, or @vm is not there. */
static struct joist_nl *find(const struct owned *vm, u32 *id)
{
	struct search search = { .pid = (u32)vm->proc.pid };
	struct joist_nl *nl;
	int err;

	err = joist_nl_open(&nl);
	if (err) {
		if (err != -ENOENT)
			say("the module's list of VMs cannot be read: %s", strerror(-err));
		return NULL;
	}
	err = joist_nl_vms(nl, 0, match, &search);
	if (err < 0)
		say("the module's list of VMs cannot be read: %s", joist_nl_error(nl));
	/* It was its process's number, as long as that is there. */
	*id = search.id;
	if (*id && !syscall(SYS_pidfd_send_signal, vm->proc.pidfd, 0, NULL, 0))
		return nl;
	joist_nl_close(nl);
	return NULL;
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
	struct joist_nl *nl;
	u32 id;

	nl = find(vm, &id);
	if (!nl)
		return 0;
	uuid_bytes(vm->def.uuid, settings.uuid);
	if (joist_nl_set(nl, id, &settings))
		say("the VM %s cannot be named: %s", vm->def.name, joist_nl_error(nl));
	joist_nl_close(nl);
	return id;
}

/**
 * vm_let_go() - a VM that somebody has paused past the daemon goes on
 * @vm: it has a process
 *
 * One that was not paused there does not notice.
 */
void vm_let_go(const struct owned *vm)
{
	struct joist_nl *nl;
	u32 id;

	nl = find(vm, &id);
	if (!nl)
		return;
	if (joist_nl_resume(nl, id))
		say("the VM %s cannot be resumed: %s", vm->def.name, joist_nl_error(nl));
	joist_nl_close(nl);
}

/**
 * vm_open_ports() - the module opens the ports of a VM's devices to it
 * @vm: it has a process, in which no guest runs yet
 *
 * Return: 0 or -errno.
 */
int vm_open_ports(const struct owned *vm)
{
	struct range ports[VMM_IO_PORTS_MAX];
	int nr = platform_ports(&vm->proc.platform, ports), i, err = 0;
	struct joist_nl *nl;
	u32 id;

	nl = find(vm, &id);
	if (!nl)
		return -ENODEV;
	for (i = 0; !err && i < nr; i++) {
		err = joist_nl_port_grant(nl, id, (u32)ports[i].first,
					  (u32)range_size(&ports[i]));
		if (err)
			say("the VM %s does not get the I/O ports 0x%llx-0x%llx: %s", vm->def.name,
			    (unsigned long long)ports[i].first, (unsigned long long)ports[i].last,
			    joist_nl_error(nl));
	}
	joist_nl_close(nl);
	return err;
}
