// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O APIC, by Intel's 82093AA data sheet; version 0x20 with its EOI
 * register, so that directed EOI works. Polarity is not looked at: a line that
 * is set is asserted.
 */
#include <linux/nospec.h>
#include <linux/string.h>

#include "host.h"
#include "ioapic.h"
#include "lapic.h"

#define IOAPIC_IOREGSEL		0x00
#define IOAPIC_IOWIN		0x10
#define IOAPIC_EOIR		0x40

#define IOAPIC_REG_ID		0x00
#define IOAPIC_REG_VERSION	0x01
#define IOAPIC_REG_ARB		0x02
#define IOAPIC_REG_REDIR	0x10

#define IOAPIC_VERSION		0x20

/* Redirection entry. */
#define REDIR_VECTOR		0xffULL
#define REDIR_MODE_SHIFT	8
#define REDIR_LOGICAL		BIT_ULL(11)
#define REDIR_PENDING		BIT_ULL(12)
#define REDIR_REMOTE_IRR	BIT_ULL(14)
#define REDIR_LEVEL		BIT_ULL(15)
#define REDIR_MASKED		BIT_ULL(16)
#define REDIR_DEST_SHIFT	56
#define REDIR_RESERVED		GENMASK_ULL(55, 17)
#define REDIR_READ_ONLY		(REDIR_PENDING | REDIR_REMOTE_IRR)

static u64 redir(const struct ioapic *ioapic, unsigned int pin)
{
	return ioapic->state.redirtbl[pin].bits;
}

/*
 * Which vectors an EOI may concern. Whole words change at once: one that stays
 * in use is never seen missing.
 */
static void update_vectors(struct ioapic *ioapic)
{
	unsigned long vectors[ARRAY_SIZE(ioapic->vectors)] = {};
	unsigned int i;

	for (i = 0; i < IOAPIC_PINS; i++)
		__set_bit(redir(ioapic, i) & REDIR_VECTOR, vectors);
	for (i = 0; i < ARRAY_SIZE(vectors); i++)
		WRITE_ONCE(ioapic->vectors[i], vectors[i]);
	irq_host_eoi_vectors(ioapic->vm);
}

static void ioapic_reset(struct ioapic *ioapic)
{
	unsigned int i;

	memset(&ioapic->state, 0, sizeof(ioapic->state));
	ioapic->state.base_address = IOAPIC_BASE;
	for (i = 0; i < IOAPIC_PINS; i++)
		ioapic->state.redirtbl[i].bits = REDIR_MASKED;
	update_vectors(ioapic);
}

/** ioapic_init() - as after reset: all pins masked */
void ioapic_init(struct ioapic *ioapic, struct vm *vm)
{
	spin_lock_init(&ioapic->lock);
	ioapic->vm = vm;
	memset(ioapic->lines, 0, sizeof(ioapic->lines));
	ioapic_reset(ioapic);
}

/* Only vectored interrupts are ended by an EOI. */
static bool expects_eoi(u64 entry)
{
	return (entry >> REDIR_MODE_SHIFT & 7) <= LAPIC_DM_LOWEST;
}

static int send(struct ioapic *ioapic, u64 entry)
{
	struct lapic_msg msg = {
		.dest = entry >> REDIR_DEST_SHIFT,
		.vector = entry & REDIR_VECTOR,
		.mode = entry >> REDIR_MODE_SHIFT & 7,
		.logical = entry & REDIR_LOGICAL,
		.level = entry & REDIR_LEVEL && expects_eoi(entry),
		.assert = true,
	};

	return lapic_deliver(ioapic->vm, NULL, &msg);
}

/* Send what the pin asks for, if it may. Result as of lapic_deliver(). */
static int service(struct ioapic *ioapic, unsigned int pin)
{
	u64 entry = redir(ioapic, pin);
	int ret;

	lockdep_assert_held(&ioapic->lock);
	/* An edge is sent now or lost. */
	if (!(entry & REDIR_LEVEL))
		ioapic->state.irr &= ~BIT(pin);
	if (entry & REDIR_MASKED)
		return -1;
	if (entry & REDIR_REMOTE_IRR)
		return 0;
	ret = send(ioapic, entry);
	if (ret >= 0 && entry & REDIR_LEVEL && expects_eoi(entry))
		ioapic->state.redirtbl[pin].bits |= REDIR_REMOTE_IRR;
	return ret;
}

/**
 * ioapic_set_line() - a source drives a pin
 * @ioapic: the chip
 * @pin: below IOAPIC_PINS
 * @source: IRQ_SOURCE_*; the pin is asserted while any source asserts it
 * @level: asserted
 *
 * Return: >0: interrupts sent (or nothing to do), 0: coalesced, <0: masked.
 * Context: any.
 */
int ioapic_set_line(struct ioapic *ioapic, unsigned int pin,
		    unsigned int source, bool level)
{
	unsigned long flags;
	bool was;
	int ret = 1;

	if (pin >= IOAPIC_PINS)
		return -1;
	pin = array_index_nospec(pin, IOAPIC_PINS);
	spin_lock_irqsave(&ioapic->lock, flags);
	was = ioapic->lines[pin];
	if (level)
		ioapic->lines[pin] |= BIT(source);
	else
		ioapic->lines[pin] &= ~BIT(source);

	if (!ioapic->lines[pin]) {
		ioapic->state.irr &= ~BIT(pin);
	} else if (redir(ioapic, pin) & REDIR_LEVEL) {
		ioapic->state.irr |= BIT(pin);
		ret = service(ioapic, pin);
	} else if (!was) {
		/* An edge that comes while the pin is masked is lost. */
		ret = service(ioapic, pin);
	} else {
		ret = 0;
	}
	spin_unlock_irqrestore(&ioapic->lock, flags);
	return ret;
}

/* The pins that a vector's EOI concerns; the level-triggered are free again. */
static u32 eoi_pins(struct ioapic *ioapic, u8 vector, bool level)
{
	unsigned int i;
	u32 pins = 0;

	lockdep_assert_held(&ioapic->lock);
	for (i = 0; i < IOAPIC_PINS; i++) {
		u64 entry = redir(ioapic, i);

		if ((entry & REDIR_VECTOR) != vector)
			continue;
		pins |= BIT(i);
		if (level && entry & REDIR_LEVEL)
			ioapic->state.redirtbl[i].bits &= ~REDIR_REMOTE_IRR;
	}
	return pins;
}

/** ioapic_has_vector() - does any pin use it? Racy, without the lock */
bool ioapic_has_vector(const struct ioapic *ioapic, u8 vector)
{
	return READ_ONCE(ioapic->vectors[vector / BITS_PER_LONG]) &
	       BIT(vector % BITS_PER_LONG);
}

/**
 * ioapic_eoi() - a local APIC ended the service of a vector
 * @ioapic: the chip
 * @vector: which
 * @level: it was level-triggered at the local APIC
 *
 * Those who resample a line hear of it, without the lock, before a line that
 * is still asserted is served again. Context: process.
 */
void ioapic_eoi(struct ioapic *ioapic, u8 vector, bool level)
{
	unsigned long flags, pins;
	u32 served;

	if (!ioapic_has_vector(ioapic, vector))
		return;
	spin_lock_irqsave(&ioapic->lock, flags);
	served = eoi_pins(ioapic, vector, level);
	spin_unlock_irqrestore(&ioapic->lock, flags);

	for (pins = served; pins; pins &= pins - 1)
		irq_host_ack_notify(ioapic->vm, KVM_IRQCHIP_IOAPIC,
				    __ffs(pins));
	if (!level)
		return;
	spin_lock_irqsave(&ioapic->lock, flags);
	for (pins = served & ioapic->state.irr; pins; pins &= pins - 1)
		if (redir(ioapic, __ffs(pins)) & REDIR_LEVEL)
			service(ioapic, __ffs(pins));
	spin_unlock_irqrestore(&ioapic->lock, flags);
}

static u32 read_register(struct ioapic *ioapic)
{
	u32 reg = ioapic->state.ioregsel, index;

	switch (reg) {
	case IOAPIC_REG_ID:
	case IOAPIC_REG_ARB:
		return (ioapic->state.id & 0xf) << 24;
	case IOAPIC_REG_VERSION:
		return IOAPIC_VERSION | (IOAPIC_PINS - 1) << 16;
	}
	index = (reg - IOAPIC_REG_REDIR) >> 1;
	if (reg < IOAPIC_REG_REDIR || index >= IOAPIC_PINS)
		return ~0u;
	index = array_index_nospec(index, IOAPIC_PINS);
	return redir(ioapic, index) >> (reg & 1 ? 32 : 0);
}

static void write_redir(struct ioapic *ioapic, unsigned int pin, bool high,
			u32 val)
{
	u64 old = redir(ioapic, pin), new;

	if (high)
		new = (u32)old | (u64)val << 32;
	else
		new = (old & GENMASK_ULL(63, 32)) | (val & ~REDIR_READ_ONLY) |
		      (old & REDIR_READ_ONLY);
	new &= ~REDIR_RESERVED;
	/* Software turns an entry to edge to be rid of its remote IRR. */
	if (!(new & REDIR_LEVEL))
		new &= ~REDIR_REMOTE_IRR;
	ioapic->state.redirtbl[pin].bits = new;
	if ((old ^ new) & REDIR_VECTOR)
		update_vectors(ioapic);

	if (!(new & REDIR_LEVEL)) {
		ioapic->state.irr &= ~BIT(pin);
	} else if (ioapic->lines[pin] || ioapic->state.irr & BIT(pin)) {
		ioapic->state.irr |= BIT(pin);
		service(ioapic, pin);
	}
}

static void write_register(struct ioapic *ioapic, u32 val)
{
	u32 reg = ioapic->state.ioregsel, index;

	if (reg == IOAPIC_REG_ID) {
		ioapic->state.id = val >> 24 & 0xf;
		return;
	}
	index = (reg - IOAPIC_REG_REDIR) >> 1;
	if (reg < IOAPIC_REG_REDIR || index >= IOAPIC_PINS)
		return;
	index = array_index_nospec(index, IOAPIC_PINS);
	write_redir(ioapic, index, reg & 1, val);
}

/** ioapic_read() - a load at @offset of the register window */
u32 ioapic_read(struct ioapic *ioapic, u32 offset)
{
	unsigned long flags;
	u32 val = 0;

	spin_lock_irqsave(&ioapic->lock, flags);
	if (offset == IOAPIC_IOREGSEL)
		val = ioapic->state.ioregsel;
	else if (offset == IOAPIC_IOWIN)
		val = read_register(ioapic);
	spin_unlock_irqrestore(&ioapic->lock, flags);
	return val;
}

/** ioapic_write() - a store at @offset of the register window */
void ioapic_write(struct ioapic *ioapic, u32 offset, u32 val)
{
	unsigned long flags;

	if (offset == IOAPIC_EOIR) {
		ioapic_eoi(ioapic, val & 0xff, true);
		return;
	}
	spin_lock_irqsave(&ioapic->lock, flags);
	if (offset == IOAPIC_IOREGSEL)
		ioapic->state.ioregsel = val & 0xff;
	else if (offset == IOAPIC_IOWIN)
		write_register(ioapic, val);
	spin_unlock_irqrestore(&ioapic->lock, flags);
}

/** ioapic_get_state() - KVM_GET_IRQCHIP */
void ioapic_get_state(struct ioapic *ioapic, struct kvm_ioapic_state *state)
{
	unsigned long flags;

	spin_lock_irqsave(&ioapic->lock, flags);
	*state = ioapic->state;
	spin_unlock_irqrestore(&ioapic->lock, flags);
}

/**
 * ioapic_set_state() - KVM_SET_IRQCHIP
 * @ioapic: the chip
 * @state: to take over: reserved bits are dropped, pending requests are sent
 */
void ioapic_set_state(struct ioapic *ioapic,
		      const struct kvm_ioapic_state *state)
{
	unsigned long flags, pins;
	unsigned int i;

	spin_lock_irqsave(&ioapic->lock, flags);
	ioapic_reset(ioapic);
	ioapic->state.ioregsel = state->ioregsel & 0xff;
	ioapic->state.id = state->id & 0xf;
	for (i = 0; i < IOAPIC_PINS; i++) {
		u64 entry = state->redirtbl[i].bits &
			    ~(REDIR_RESERVED | REDIR_PENDING);

		if (!(entry & REDIR_LEVEL))
			entry &= ~REDIR_REMOTE_IRR;
		ioapic->state.redirtbl[i].bits = entry;
	}
	update_vectors(ioapic);
	ioapic->state.irr = state->irr & GENMASK(IOAPIC_PINS - 1, 0);
	for (pins = ioapic->state.irr; pins; pins &= pins - 1)
		service(ioapic, __ffs(pins));
	spin_unlock_irqrestore(&ioapic->lock, flags);
}
