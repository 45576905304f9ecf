// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages to local APICs: who is meant, what each of them does with it; the
 * interrupt command register; INIT and SIPI.
 */
#include "lapic.h"

/* The APIC with this id, NULL: none. vCPUs mostly are numbered by their ids. */
static struct lapic *lapic_by_id(struct vm *vm, u32 id)
{
	struct lapic *lapic = irq_host_lapic(vm, id);
	unsigned int i;

	if (lapic && lapic->id == id)
		return lapic;
	for (i = 0; (lapic = irq_host_lapic(vm, i)); i++)
		if (lapic->id == id)
			return lapic;
	return NULL;
}

/*
 * All of the APIC's 32-bit broadcast, or the 8-bit one. An x2APIC takes 0xff
 * from the IOAPIC and from MSIs as broadcast unless userspace turned that off.
 */
static bool is_broadcast(const struct lapic *target, struct lapic *source,
			 const struct lapic_msg *msg)
{
	if (msg->x2apic)
		return msg->dest == X2APIC_BROADCAST;
	if (msg->dest != XAPIC_BROADCAST)
		return false;
	return !lapic_is_x2apic(target) ||
	       (!source && !(irq_host_x2apic_api(target->vm) &
			     KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK));
}

static bool match_logical(const struct lapic *target, u32 dest)
{
	u32 ldr = lapic_reg(target, LAPIC_REG_LDR);

	if (lapic_is_x2apic(target))
		return ldr >> 16 == dest >> 16 && ldr & dest & 0xffff;
	if (dest > 0xff)
		return false;
	ldr >>= 24;
	switch (lapic_reg(target, LAPIC_REG_DFR) >> 28) {
	case LAPIC_DFR_FLAT:
		return ldr & dest;
	case LAPIC_DFR_CLUSTER:
		return ldr >> 4 == dest >> 4 && ldr & dest & 0xf;
	}
	return false;
}

static bool lapic_match(const struct lapic *target, struct lapic *source,
			const struct lapic_msg *msg)
{
	switch (msg->shorthand) {
	case LAPIC_SHORT_SELF:
		return target == source;
	case LAPIC_SHORT_ALL:
		return true;
	case LAPIC_SHORT_OTHERS:
		return target != source;
	}
	if (is_broadcast(target, source, msg))
		return true;
	if (msg->logical)
		return match_logical(target, msg->dest);
	return target->id == msg->dest;
}

static int accept_fixed(struct lapic *lapic, const struct lapic_msg *msg)
{
	if (!lapic_sw_enabled(lapic) || (msg->level && !msg->assert))
		return -1;
	if (msg->vector < 16) {
		lapic_error(lapic, LAPIC_ESR_RECV_ILLEGAL);
		return -1;
	}
	return lapic_set_irr(lapic, msg->vector, msg->level);
}

static int accept_init(struct lapic *lapic, const struct lapic_msg *msg)
{
	/* Level de-assert only synchronized arbitration ids, once. */
	if (msg->level && !msg->assert)
		return -1;
	/* A SIPI sent before this INIT is void. */
	clear_bit(__ffs(LAPIC_EVENT_SIPI), &lapic->events);
	set_bit(__ffs(LAPIC_EVENT_INIT), &lapic->events);
	irq_host_init_sipi(lapic->vcpu);
	return 1;
}

static int accept_sipi(struct lapic *lapic, const struct lapic_msg *msg)
{
	WRITE_ONCE(lapic->sipi_vector, msg->vector);
	smp_wmb(); /* pairs with the barrier in lapic_take_init_sipi() */
	set_bit(__ffs(LAPIC_EVENT_SIPI), &lapic->events);
	irq_host_init_sipi(lapic->vcpu);
	return 1;
}

/* >0: taken, 0: it was pending already, <0: ignored. */
static int lapic_accept(struct lapic *lapic, const struct lapic_msg *msg)
{
	switch (msg->mode) {
	case LAPIC_DM_FIXED:
	case LAPIC_DM_LOWEST:
		return accept_fixed(lapic, msg);
	case LAPIC_DM_NMI:
		irq_host_nmi(lapic->vcpu);
		return 1;
	case LAPIC_DM_SMI:
		irq_host_smi(lapic->vcpu);
		return 1;
	case LAPIC_DM_INIT:
		return accept_init(lapic, msg);
	case LAPIC_DM_SIPI:
		return accept_sipi(lapic, msg);
	}
	/* ExtINT: the PIC's output has its own way. */
	return -1;
}

/*
 * Lowest priority: among those that are meant the one with the lowest
 * processor priority; equals take turns by vector, so that a vector stays at
 * one processor and its caches.
 */
static struct lapic *pick_lowest(struct vm *vm, struct lapic *source,
				 const struct lapic_msg *msg)
{
	unsigned int i, nr = 0, skip;
	struct lapic *lapic;
	int best = 0x100;

	for (i = 0; (lapic = irq_host_lapic(vm, i)); i++) {
		int class;

		if (!lapic_hw_enabled(lapic) || !lapic_sw_enabled(lapic) ||
		    !lapic_match(lapic, source, msg))
			continue;
		class = lapic_ppr(lapic) >> 4;
		if (class < best) {
			best = class;
			nr = 0;
		}
		nr += class == best;
	}
	if (!nr)
		return NULL;
	skip = msg->vector % nr;
	for (i = 0; (lapic = irq_host_lapic(vm, i)); i++) {
		if (!lapic_hw_enabled(lapic) || !lapic_sw_enabled(lapic) ||
		    !lapic_match(lapic, source, msg) ||
		    lapic_ppr(lapic) >> 4 != best)
			continue;
		if (!skip--)
			return lapic;
	}
	/* Priorities have changed meanwhile: anyone will do. */
	for (i = 0; (lapic = irq_host_lapic(vm, i)); i++)
		if (lapic_hw_enabled(lapic) && lapic_sw_enabled(lapic) &&
		    lapic_match(lapic, source, msg))
			return lapic;
	return NULL;
}

static int deliver_one(struct lapic *lapic, const struct lapic_msg *msg)
{
	if (!lapic || !lapic_hw_enabled(lapic))
		return -1;
	return lapic_accept(lapic, msg);
}

static int add_result(int sum, int ret)
{
	return ret < 0 ? sum : ret + (sum < 0 ? 0 : sum);
}

/* An x2APIC cluster: the members' ids follow from the logical id. */
static int deliver_cluster(struct vm *vm, const struct lapic_msg *msg)
{
	u32 first = msg->dest >> 16 << 4, bits = msg->dest & 0xffff;
	int ret = -1;

	while (bits) {
		struct lapic *lapic = lapic_by_id(vm, first + __ffs(bits));

		bits &= bits - 1;
		if (lapic && lapic_is_x2apic(lapic))
			ret = add_result(ret, lapic_accept(lapic, msg));
	}
	return ret;
}

/**
 * lapic_deliver() - bring a message to the local APICs it names
 * @vm: of these
 * @source: who sent it, NULL: IOAPIC or MSI
 * @msg: the message
 *
 * Return: >0: that many took it, 0: it was pending there already, <0: nobody
 * is there to take it. Context: any.
 */
int lapic_deliver(struct vm *vm, struct lapic *source,
		  const struct lapic_msg *msg)
{
	struct lapic *lapic;
	unsigned int i;
	int ret = -1;

	if (msg->shorthand == LAPIC_SHORT_SELF)
		return deliver_one(source, msg);
	if (msg->mode == LAPIC_DM_LOWEST || msg->redirect)
		return deliver_one(pick_lowest(vm, source, msg), msg);
	if (msg->shorthand == LAPIC_SHORT_NONE &&
	    msg->dest != (msg->x2apic ? X2APIC_BROADCAST : XAPIC_BROADCAST)) {
		if (!msg->logical)
			return deliver_one(lapic_by_id(vm, msg->dest), msg);
		if (msg->x2apic)
			return deliver_cluster(vm, msg);
	}
	for (i = 0; (lapic = irq_host_lapic(vm, i)); i++)
		if (lapic_hw_enabled(lapic) && lapic_match(lapic, source, msg))
			ret = add_result(ret, lapic_accept(lapic, msg));
	return ret;
}

/**
 * lapic_single_target() - the only APIC that an edge-triggered vector goes to
 * @vm: of these
 * @msg: from an IOAPIC or an MSI
 *
 * Return: NULL: there is none, or several, or the message is something else.
 */
struct lapic *lapic_single_target(struct vm *vm, const struct lapic_msg *msg)
{
	struct lapic *lapic, *found = NULL;
	unsigned int i;

	if (msg->mode > LAPIC_DM_LOWEST || msg->level || msg->vector < 16)
		return NULL;
	for (i = 0; (lapic = irq_host_lapic(vm, i)); i++) {
		if (!lapic_hw_enabled(lapic) || !lapic_sw_enabled(lapic) ||
		    !lapic_match(lapic, NULL, msg))
			continue;
		if (found)
			return NULL;
		found = lapic;
	}
	return found;
}

/**
 * lapic_send_icr() - the interrupt command register was written
 * @lapic: vcpu->mutex held
 * @icr: low half
 * @icr2: high half: xAPIC destination in bits 31..24, x2APIC in all 32
 */
void lapic_send_icr(struct lapic *lapic, u32 icr, u32 icr2)
{
	struct lapic_msg msg = {
		.vector = icr & LAPIC_ICR_VECTOR,
		.mode = icr >> LAPIC_ICR_MODE_SHIFT & 7,
		.logical = icr & LAPIC_ICR_LOGICAL,
		.assert = icr & LAPIC_ICR_ASSERT,
		.level = icr & LAPIC_ICR_LEVEL,
		.shorthand = icr >> LAPIC_ICR_SHORT_SHIFT & 3,
		.x2apic = lapic_is_x2apic(lapic),
	};

	msg.dest = msg.x2apic ? icr2 : icr2 >> 24;
	/* But for INIT the trigger mode is not honoured: IPIs are edges. */
	if (msg.mode != LAPIC_DM_INIT)
		msg.level = false;
	if (msg.mode <= LAPIC_DM_LOWEST && msg.vector < 16) {
		lapic_error(lapic, LAPIC_ESR_SEND_ILLEGAL);
		return;
	}
	lapic_deliver(lapic->vm, lapic, &msg);
}

/**
 * lapic_wake_targets() - the CPU has set IRR at those whom ICR names, and not told all
 * @lapic: who sent it, an x2APIC; vcpu->mutex held
 */
void lapic_wake_targets(struct lapic *lapic)
{
	u32 icr = lapic_reg(lapic, LAPIC_REG_ICR);
	const struct lapic_msg msg = {
		.dest = lapic_reg(lapic, LAPIC_REG_ICR2),
		.logical = icr & LAPIC_ICR_LOGICAL,
		.shorthand = icr >> LAPIC_ICR_SHORT_SHIFT & 3,
		.x2apic = true,
	};
	struct lapic *target;
	unsigned int i;

	for (i = 0; (target = irq_host_lapic(lapic->vm, i)); i++)
		if (lapic_hw_enabled(target) && lapic_match(target, lapic, &msg))
			irq_host_posted(target->vcpu);
}

/**
 * lapic_send_self_ipi() - the x2APIC's SELF IPI register was written
 * @lapic: vcpu->mutex held
 * @vector: 0..255
 */
void lapic_send_self_ipi(struct lapic *lapic, u8 vector)
{
	if (vector < 16)
		lapic_error(lapic, LAPIC_ESR_SEND_ILLEGAL);
	else if (lapic_sw_enabled(lapic))
		lapic_set_irr(lapic, vector, false);
}

/**
 * lapic_take_init_sipi() - consume what INIT and SIPI left
 * @lapic: vcpu->mutex held
 * @sipi_vector: page number to start at, with LAPIC_EVENT_SIPI
 * @wait_for_sipi: the processor is in the wait-for-SIPI state
 *
 * A SIPI that finds the processor in another state is dropped, unless an INIT
 * goes before it.
 *
 * Return: LAPIC_EVENT_*, INIT to be handled first.
 */
unsigned long lapic_take_init_sipi(struct lapic *lapic, u8 *sipi_vector,
				   bool wait_for_sipi)
{
	unsigned long events = xchg(&lapic->events, 0);

	smp_rmb(); /* pairs with the barrier in accept_sipi() */
	*sipi_vector = READ_ONCE(lapic->sipi_vector);
	if (!(events & LAPIC_EVENT_INIT) && !wait_for_sipi)
		events &= ~LAPIC_EVENT_SIPI;
	return events;
}

/** lapic_latch_init() - an INIT is to wait, or none; vcpu->mutex held */
void lapic_latch_init(struct lapic *lapic, bool latched)
{
	if (latched)
		set_bit(__ffs(LAPIC_EVENT_INIT), &lapic->events);
	else
		clear_bit(__ffs(LAPIC_EVENT_INIT), &lapic->events);
}

bool lapic_init_sipi_pending(struct lapic *lapic, bool wait_for_sipi)
{
	unsigned long events = READ_ONCE(lapic->events);

	return events & LAPIC_EVENT_INIT ||
	       (wait_for_sipi && events & LAPIC_EVENT_SIPI);
}
