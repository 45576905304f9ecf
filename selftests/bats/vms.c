// SPDX-License-Identifier: GPL-2.0-only
/* The VMs of the host, as the module's netlink family has them: ID PID UUID NAME, a line each. */
#include <stdio.h>
#include <string.h>

#include "libjoist/netlink.h"

static int show(const struct joist_nl_vm *vm, void *arg)
{
	int i;

	(void)arg;
	printf("%u %u ", vm->id, vm->owner_pid);
	for (i = 0; i < JOIST_UUID_LEN; i++)
		printf("%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", vm->uuid[i]);
	printf(" %s\n", vm->name);
	return 0;
}

int main(void)
{
	struct joist_nl *nl;
	int err = joist_nl_open(&nl);

	if (!err)
		err = joist_nl_vms(nl, 0, show, NULL);
	if (err)
		fprintf(stderr, "vms: %s\n", strerror(-err));
	return err ? 1 : 0;
}
