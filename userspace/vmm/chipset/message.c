// SPDX-License-Identifier: GPL-2.0-only
/*
 * A message is an eventfd: to send it is one write, from any thread, or the kernel's own. While
 * the guest lets it, it is attached to a GSI of its own; else what is pending stays in it, and
 * counts when it is attached again.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../irq.h"
#include "../log.h"
#include "../vm.h"
#include "libjoist/joist.h"
#include "message.h"

void message_init(struct message *m)
{
	*m = (struct message) { .gsi = MESSAGE_NO_GSI, .fd = -1 };
}

/* Its eventfd. Return: 0 or -errno. */
int message_open(struct message *m)
{
	if (m->fd < 0)
		m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return m->fd < 0 ? -errno : 0;
}

/* What it says; takes effect with the next message_update(). */
void message_set(struct message *m, u64 addr, u32 data)
{
	if (addr == m->addr && data == m->data)
		return;
	m->addr = addr;
	m->data = data;
	m->routed = false;
}

/* Bring the hypervisor's view of a live one up to date. */
static int attach(struct vm *vm, struct message *m)
{
	int err;

	if (m->gsi == MESSAGE_NO_GSI) {
		m->gsi = irq_msi_alloc(&vm->irq);
		if (m->gsi < 0) {
			m->gsi = MESSAGE_NO_GSI;
			return -ENOSPC;
		}
	}
	if (!m->routed) {
		err = irq_msi_route(&vm->irq, (u32)m->gsi, m->addr, m->data);
		if (err)
			return err;
		m->routed = true;
	}
	if (!m->attached) {
		err = joist_irqfd(vm->fd, m->fd, (u32)m->gsi, true);
		if (err)
			return err;
		m->attached = true;
	}
	return 0;
}

static void detach(struct vm *vm, struct message *m)
{
	if (m->attached)
		joist_irqfd(vm->fd, m->fd, (u32)m->gsi, false);
	m->attached = false;
}

/* @live: the guest lets it be sent; then it has an eventfd */
void message_update(struct vm *vm, struct message *m, bool live)
{
	int err;

	if (!live) {
		detach(vm, m);
		return;
	}
	err = attach(vm, m);
	if (err)
		log_warn("the guest's interrupt message %#llx/%#x is refused: %s",
			 (unsigned long long)m->addr, m->data, strerror(-err));
}

/* Was it raised while it could not be sent? */
bool message_pending(const struct message *m)
{
	struct pollfd fd = { .fd = m->fd, .events = POLLIN };

	return m->fd >= 0 && !m->attached && poll(&fd, 1, 0) > 0;
}

/* Nobody sends it any more. Where the VM runs on, what it had is for others. */
void message_release(struct vm *vm, struct message *m)
{
	if (!vm_stopping(vm)) {
		detach(vm, m);
		if (m->gsi != MESSAGE_NO_GSI)
			irq_msi_free(&vm->irq, (u32)m->gsi);
	}
	if (m->fd >= 0)
		close(m->fd);
	message_init(m);
}
