/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's matchmaker between interrupts of devices and those who would have them
 * without a detour. A module: it is there if somebody who has such interrupts is.
 */
#ifndef JOIST_COMPAT_BYPASS_H
#define JOIST_COMPAT_BYPASS_H

#include <linux/irqbypass.h>
#include <linux/kmod.h>
#include <linux/module.h>

struct eventfd_ctx;

/**
 * struct compat_bypass - its functions, while they are held
 * @add: irq_bypass_register_consumer
 * @del: irq_bypass_unregister_consumer
 */
struct compat_bypass {
	typeof(irq_bypass_register_consumer) *add;
	void (*del)(struct irq_bypass_consumer *consumer);
};

static inline void compat_bypass_put(struct compat_bypass *bypass)
{
	if (bypass->add)
		symbol_put(irq_bypass_register_consumer);
	if (bypass->del)
		symbol_put(irq_bypass_unregister_consumer);
	*bypass = (struct compat_bypass) { };
}

/* @load: if the module is not there, it is loaded. May sleep. */
static inline bool compat_bypass_get(struct compat_bypass *bypass, bool load)
{
	bypass->add = load ? symbol_request(irq_bypass_register_consumer) :
			     symbol_get(irq_bypass_register_consumer);
	bypass->del = bypass->add ? symbol_get(irq_bypass_unregister_consumer) : NULL;
	if (bypass->add && bypass->del)
		return true;
	compat_bypass_put(bypass);
	return false;
}

/* Those with the same eventfd come together. */
static inline int compat_bypass_add(const struct compat_bypass *bypass,
				    struct irq_bypass_consumer *consumer,
				    struct eventfd_ctx *eventfd)
{
#ifdef HAVE_BYPASS_EVENTFD
	return bypass->add(consumer, eventfd);
#else
	consumer->token = eventfd;
	return bypass->add(consumer);
#endif
}

#endif
