// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pair of 8259A interrupt controllers, by Intel's data sheet, and the edge
 * and level control registers of the PIIX. Always cascaded, 8086 mode.
 */
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include "host.h"
#include "pic.h"

#define CASCADE		2		/* the slave's place on the master */

#define ICW1_INIT	BIT(4)
#define ICW1_ICW4	BIT(0)
#define ICW4_AUTO_EOI	BIT(1)
#define ICW4_SFNM	BIT(4)

#define OCW3_SELECT	BIT(3)
#define OCW3_READ_SET	BIT(1)
#define OCW3_READ_ISR	BIT(0)
#define OCW3_POLL	BIT(2)
#define OCW3_MASK_SET	BIT(6)
#define OCW3_MASK_ON	BIT(5)

/* OCW2, bits 7..5: rotate, specific, end of interrupt. */
enum ocw2 {
	OCW2_ROTATE_AEOI_OFF,
	OCW2_EOI,
	OCW2_NOP,
	OCW2_SPECIFIC_EOI,
	OCW2_ROTATE_AEOI_ON,
	OCW2_ROTATE_EOI,
	OCW2_SET_PRIORITY,
	OCW2_ROTATE_SPECIFIC_EOI,
};

/* What waits for one of the initialization command words. */
enum init_state { INIT_DONE, INIT_ICW2, INIT_ICW3, INIT_ICW4 };

/* Pins whose interrupt has ended, 0..15, to be told when the lock is free. */
typedef u16 acked_t;

static const u8 elcr_mask[2] = { 0xf8, 0xde };

static void chip_init(struct pic *pic, unsigned int n)
{
	pic->chip[n] = (struct kvm_pic_state) { .elcr_mask = elcr_mask[n] };
}

/** pic_init() - as after power-up */
void pic_init(struct pic *pic, struct vm *vm)
{
	memset(pic, 0, sizeof(*pic));
	spin_lock_init(&pic->lock);
	pic->vm = vm;
	chip_init(pic, 0);
	chip_init(pic, 1);
}

/* Rank of the first of @pins in the present order, 8: there is none. */
static unsigned int chip_rank(const struct kvm_pic_state *chip, u8 pins)
{
	unsigned int rank;

	for (rank = 0; rank < 8; rank++)
		if (pins & BIT((rank + chip->priority_add) & 7))
			break;
	return rank;
}

/* The pin the chip asks for service of, -1: none. */
static int chip_pending(const struct pic *pic, const struct kvm_pic_state *chip)
{
	unsigned int rank = chip_rank(chip, chip->irr & ~chip->imr);
	u8 serving = chip->isr;

	if (rank == 8)
		return -1;
	if (chip->special_mask)
		serving &= ~chip->imr;
	/* Fully nested: the slave may interrupt its own pin's service. */
	if (chip->special_fully_nested_mode && chip == &pic->chip[0])
		serving &= ~BIT(CASCADE);
	if (rank >= chip_rank(chip, serving))
		return -1;
	return (rank + chip->priority_add) & 7;
}

/* The slave's output drives the master's cascade pin; then the master's. */
static void pic_update(struct pic *pic)
{
	struct kvm_pic_state *master = &pic->chip[0];

	lockdep_assert_held(&pic->lock);
	if (chip_pending(pic, &pic->chip[1]) >= 0)
		master->irr |= BIT(CASCADE);
	else
		master->irr &= ~BIT(CASCADE);
	WRITE_ONCE(pic->output, chip_pending(pic, master) >= 0);
}

/* Leave the lock, then tell who has to know. */
static void pic_unlock(struct pic *pic, unsigned long flags, bool was,
		       acked_t acked)
	__releases(&pic->lock)
{
	bool raised = pic->output && !was;
	unsigned int pin;

	spin_unlock_irqrestore(&pic->lock, flags);
	if (raised)
		irq_host_pic_output(pic->vm);
	for (pin = 0; acked; pin++, acked >>= 1)
		if (acked & 1)
			irq_host_ack_notify(pic->vm, pin < 8 ?
					    KVM_IRQCHIP_PIC_MASTER :
					    KVM_IRQCHIP_PIC_SLAVE, pin & 7);
}

static acked_t pin_acked(const struct pic *pic, const struct kvm_pic_state *chip,
			 u8 pins)
{
	return chip == &pic->chip[0] ? pins : pins << 8;
}

/* The line of a pin: >0 new request or nothing to do, 0 there was one, <0 masked. */
static int chip_set_line(struct kvm_pic_state *chip, u8 bit, bool level)
{
	bool request = level;
	bool was = chip->irr & bit;

	if (!(chip->elcr & bit))
		request = level && !(chip->last_irr & bit);
	else if (!level)
		chip->irr &= ~bit;
	if (level)
		chip->last_irr |= bit;
	else
		chip->last_irr &= ~bit;
	if (request)
		chip->irr |= bit;
	if (level && chip->imr & bit)
		return -1;
	return !level || (request && !was);
}

/**
 * pic_set_line() - a source drives a pin
 * @pic: the pair
 * @pin: 0..15
 * @source: IRQ_SOURCE_*; the pin is asserted while any source asserts it
 * @level: asserted
 *
 * Return: >0: requested (or nothing to do), 0: coalesced, <0: masked.
 * Context: any.
 */
int pic_set_line(struct pic *pic, unsigned int pin, unsigned int source,
		 bool level)
{
	unsigned long flags;
	bool was;
	int ret;

	if (pin >= PIC_PINS)
		return -1;
	pin = array_index_nospec(pin, PIC_PINS);
	spin_lock_irqsave(&pic->lock, flags);
	was = pic->output;
	if (level)
		pic->lines[pin] |= BIT(source);
	else
		pic->lines[pin] &= ~BIT(source);
	/* What drives the cascade pin is the slave alone. */
	ret = pin == CASCADE ? -1 :
	      chip_set_line(&pic->chip[pin >> 3], BIT(pin & 7),
			    pic->lines[pin]);
	pic_update(pic);
	pic_unlock(pic, flags, was, 0);
	return ret;
}

/** pic_output() - is INT of the master asserted? Any context, no lock. */
bool pic_output(const struct pic *pic)
{
	return READ_ONCE(pic->output);
}

/* The processor, or a poll, takes a request. Pins that this ends at once. */
static acked_t chip_take(struct pic *pic, struct kvm_pic_state *chip,
			 unsigned int pin)
{
	u8 bit = BIT(pin);

	if (!(chip->elcr & bit))
		chip->irr &= ~bit;
	if (!chip->auto_eoi) {
		chip->isr |= bit;
		return 0;
	}
	if (chip->rotate_on_auto_eoi)
		chip->priority_add = (pin + 1) & 7;
	return pin_acked(pic, chip, bit);
}

/**
 * pic_ack() - the processor's interrupt acknowledge cycle
 * @pic: the pair
 *
 * Return: the vector; if the request has gone, that of the spurious pin 7.
 */
u8 pic_ack(struct pic *pic)
{
	struct kvm_pic_state *master = &pic->chip[0], *slave = &pic->chip[1];
	unsigned long flags;
	acked_t acked = 0;
	int pin, sub;
	u8 vector;

	spin_lock_irqsave(&pic->lock, flags);
	pin = chip_pending(pic, master);
	if (pin < 0) {
		vector = master->irq_base + 7;
	} else {
		acked |= chip_take(pic, master, pin);
		vector = master->irq_base + pin;
	}
	if (pin == CASCADE) {
		sub = chip_pending(pic, slave);
		if (sub >= 0)
			acked |= chip_take(pic, slave, sub);
		else
			sub = 7;
		vector = slave->irq_base + sub;
	}
	pic_update(pic);
	/* What is left to serve is news to the processor. */
	pic_unlock(pic, flags, false, acked);
	return vector;
}

static acked_t write_icw1(struct pic *pic, struct kvm_pic_state *chip, u8 val)
{
	u8 dropped = chip->isr | (chip->irr & ~chip->elcr);

	/* Edges must come anew; the vectors' base and ELCR stay. */
	chip->last_irr = 0;
	chip->irr &= chip->elcr;
	chip->imr = 0;
	chip->isr = 0;
	chip->priority_add = 0;
	chip->read_reg_select = 0;
	chip->poll = 0;
	chip->special_mask = 0;
	chip->auto_eoi = 0;
	chip->rotate_on_auto_eoi = 0;
	chip->special_fully_nested_mode = 0;
	chip->init4 = val & ICW1_ICW4;
	chip->init_state = INIT_ICW2;
	return pin_acked(pic, chip, dropped);
}

static acked_t write_ocw2(struct pic *pic, struct kvm_pic_state *chip, u8 val)
{
	enum ocw2 cmd = val >> 5;
	unsigned int pin = val & 7, rank;
	u8 serving = chip->isr, bit;

	switch (cmd) {
	case OCW2_ROTATE_AEOI_OFF:
	case OCW2_ROTATE_AEOI_ON:
		chip->rotate_on_auto_eoi = cmd == OCW2_ROTATE_AEOI_ON;
		return 0;
	case OCW2_NOP:
		return 0;
	case OCW2_SET_PRIORITY:
		chip->priority_add = (pin + 1) & 7;
		return 0;
	case OCW2_EOI:
	case OCW2_ROTATE_EOI:
		/* In special mask mode a masked pin is ended by name only. */
		if (chip->special_mask)
			serving &= ~chip->imr;
		rank = chip_rank(chip, serving);
		if (rank == 8)
			return 0;
		pin = (rank + chip->priority_add) & 7;
		break;
	case OCW2_SPECIFIC_EOI:
	case OCW2_ROTATE_SPECIFIC_EOI:
		break;
	}
	bit = BIT(pin);
	if (cmd == OCW2_ROTATE_EOI || cmd == OCW2_ROTATE_SPECIFIC_EOI)
		chip->priority_add = (pin + 1) & 7;
	serving = chip->isr & bit;
	chip->isr &= ~bit;
	return pin_acked(pic, chip, serving);
}

static void write_ocw3(struct kvm_pic_state *chip, u8 val)
{
	if (val & OCW3_POLL)
		chip->poll = 1;
	if (val & OCW3_READ_SET)
		chip->read_reg_select = val & OCW3_READ_ISR;
	if (val & OCW3_MASK_SET)
		chip->special_mask = !!(val & OCW3_MASK_ON);
}

/* The data port: initialization command words 2 to 4, or the mask. */
static void write_data(struct kvm_pic_state *chip, u8 val)
{
	switch (chip->init_state) {
	case INIT_ICW2:
		chip->irq_base = val & 0xf8;
		chip->init_state = INIT_ICW3;
		break;
	case INIT_ICW3:
		chip->init_state = chip->init4 ? INIT_ICW4 : INIT_DONE;
		break;
	case INIT_ICW4:
		chip->special_fully_nested_mode = !!(val & ICW4_SFNM);
		chip->auto_eoi = !!(val & ICW4_AUTO_EOI);
		chip->init_state = INIT_DONE;
		break;
	default:
		chip->imr = val;
	}
}

static bool is_elcr(u16 port)
{
	return (port & ~1) == PIC_ELCR_PORT;
}

static struct kvm_pic_state *port_chip(struct pic *pic, u16 port)
{
	if (is_elcr(port))
		return &pic->chip[port & 1];
	return &pic->chip[(port & ~1) == PIC_SLAVE_PORT];
}

/** pic_write() - OUT to one of the pair's ports */
void pic_write(struct pic *pic, u16 port, u8 val)
{
	struct kvm_pic_state *chip = port_chip(pic, port);
	unsigned long flags;
	acked_t acked = 0;
	bool was;

	spin_lock_irqsave(&pic->lock, flags);
	was = pic->output;
	if (is_elcr(port))
		chip->elcr = val & chip->elcr_mask;
	else if (port & 1)
		write_data(chip, val);
	else if (val & ICW1_INIT)
		acked = write_icw1(pic, chip, val);
	else if (val & OCW3_SELECT)
		write_ocw3(chip, val);
	else
		acked = write_ocw2(pic, chip, val);
	pic_update(pic);
	pic_unlock(pic, flags, was, acked);
}

/** pic_read() - IN from one of the pair's ports */
u8 pic_read(struct pic *pic, u16 port)
{
	struct kvm_pic_state *chip = port_chip(pic, port);
	unsigned long flags;
	acked_t acked = 0;
	bool was;
	int pin;
	u8 val;

	spin_lock_irqsave(&pic->lock, flags);
	was = pic->output;
	if (is_elcr(port)) {
		val = chip->elcr;
	} else if (chip->poll) {
		/* A poll takes the request as an acknowledge would. */
		chip->poll = 0;
		pin = chip_pending(pic, chip);
		val = pin < 0 ? 0 : 0x80 | pin;
		if (pin >= 0)
			acked = chip_take(pic, chip, pin);
		pic_update(pic);
	} else if (port & 1) {
		val = chip->imr;
	} else {
		val = chip->read_reg_select ? chip->isr : chip->irr;
	}
	pic_unlock(pic, flags, was, acked);
	return val;
}

/** pic_get_state() - KVM_GET_IRQCHIP of @chip: 0 master, 1 slave */
void pic_get_state(struct pic *pic, unsigned int chip,
		   struct kvm_pic_state *state)
{
	unsigned long flags;

	spin_lock_irqsave(&pic->lock, flags);
	*state = pic->chip[chip];
	spin_unlock_irqrestore(&pic->lock, flags);
}

/** pic_set_state() - KVM_SET_IRQCHIP; what a chip cannot hold is dropped */
void pic_set_state(struct pic *pic, unsigned int chip,
		   const struct kvm_pic_state *state)
{
	struct kvm_pic_state new = *state;
	unsigned long flags;
	bool was;

	new.priority_add &= 7;
	new.irq_base &= 0xf8;
	new.elcr_mask = elcr_mask[chip];
	new.elcr &= new.elcr_mask;
	new.init_state &= 3;
	new.read_reg_select = !!new.read_reg_select;
	new.poll = !!new.poll;
	new.special_mask = !!new.special_mask;
	new.auto_eoi = !!new.auto_eoi;
	new.rotate_on_auto_eoi = !!new.rotate_on_auto_eoi;
	new.special_fully_nested_mode = !!new.special_fully_nested_mode;
	new.init4 = !!new.init4;

	spin_lock_irqsave(&pic->lock, flags);
	was = pic->output;
	pic->chip[chip] = new;
	pic_update(pic);
	pic_unlock(pic, flags, was, 0);
}
