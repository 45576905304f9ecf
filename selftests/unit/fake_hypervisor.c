// SPDX-License-Identifier: GPL-2.0-only
/* A hypervisor for the VMM's interrupts: it takes all that it is told, and counts. */
#include <errno.h>

#include "fake_hypervisor.h"
#include "libjoist/joist.h"
#include "vmm/vm.h"

int fake_irqfds, fake_routes;
bool fake_refuses;

int joist_create_irqchip(int fd)
{
	return 0;
}

int joist_create_pit(int fd, u32 flags)
{
	return 0;
}

int joist_irq_line(int fd, u32 gsi, bool level)
{
	return 0;
}

int joist_set_routing(int fd, const struct kvm_irq_routing *table)
{
	if (fake_refuses)
		return -EINVAL;
	fake_routes = (int)table->nr;
	return 0;
}

int joist_irqfd(int vm_fd, int fd, u32 gsi, bool assign)
{
	fake_irqfds += assign ? 1 : -1;
	return 0;
}

/* Nothing here ends the VM. */
void vm_reset(struct vm *v, const char *how)
{
}

bool vm_stop(struct vm *v, int code, const char *reason, char *report, const char *fmt, ...)
{
	return true;
}
