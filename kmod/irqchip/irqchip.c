// SPDX-License-Identifier: GPL-2.0-only
/* The interrupt controllers of a VM as a whole, and the way to them. */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/string.h>

#include "chips.h"
#include "irqchip.h"
#include "lapic.h"
#include "route.h"
#include "../core/vcpu.h"
#include "../core/vm.h"
#include "../passthrough/bypass.h"

/* Put a table in force; the one before is freed when nobody reads it. */
static void routing_publish(struct vm *vm, struct irq_routing *new)
{
	struct irq_routing *old;
	bool eois;

	mutex_lock(&vm->irq_lock);
	old = rcu_replace_pointer(vm->routing, new,
				  lockdep_is_held(&vm->irq_lock));
	eois = !old || memcmp(old->eoi_vectors, new->eoi_vectors, sizeof(new->eoi_vectors));
	mutex_unlock(&vm->irq_lock);
	synchronize_srcu_expedited(&vm->irq_srcu);
	irq_routing_free(old);
	if (eois && !vm->irqchip)
		irq_host_eoi_vectors(vm);
	bypass_update(vm);
}

/**
 * irqchip_put() - one user of the chips less; the last frees them
 * @chip: no timer of it runs any more when the last reference goes
 */
void irqchip_put(struct irqchip *chip)
{
	if (refcount_dec_and_test(&chip->refs))
		kfree(chip);
}

/**
 * irqchip_create() - KVM_CREATE_IRQCHIP
 * @vm: vm->lock held; no vCPU exists
 *
 * Return: 0, -EEXIST, -ENOMEM, -ENOSPC.
 */
int irqchip_create(struct vm *vm)
{
	struct irq_routing *routing;
	struct irqchip *chip;
	int err;

	lockdep_assert_held(&vm->lock);
	if (vm->irqchip)
		return -EEXIST;
	chip = kzalloc(sizeof(*chip), GFP_KERNEL_ACCOUNT);
	if (!chip)
		return -ENOMEM;
	refcount_set(&chip->refs, 1);
	pic_init(&chip->pic, vm);
	ioapic_init(&chip->ioapic, vm);

	routing = irq_routing_default();
	err = PTR_ERR_OR_ZERO(routing);
	if (err)
		goto out_chip;
	mutex_lock(&vm->slots_lock);
	err = irqchip_bus_add(vm, chip, DEV_PIC_MASTER, DEV_IOAPIC);
	mutex_unlock(&vm->slots_lock);
	if (err)
		goto out_routing;
	/* Pairs with the acquire in vm_chips() and vm_has_ioapic(). */
	smp_store_release(&vm->irqchip, chip);
	routing_publish(vm, routing);
	return 0;

out_routing:
	irq_routing_free(routing);
out_chip:
	irqchip_put(chip);
	return err;
}

/**
 * irqchip_create_split() - KVM_CAP_SPLIT_IRQCHIP: local APICs here, the others'
 * place is userspace
 * @vm: vm->lock held; no vCPU and no irqchip exists
 * @nr_pins: GSIs below are routes of its IOAPICs' pins: it hears of their EOI
 */
void irqchip_create_split(struct vm *vm, u32 nr_pins)
{
	lockdep_assert_held(&vm->lock);
	vm->reserved_gsis = nr_pins;
	/* Pairs with the acquire in vm_has_lapic(). */
	smp_store_release(&vm->split_irqchip, true);
}

/**
 * irqchip_destroy() - stop and let go of the chips
 * @vm: going away: nothing of it runs; its vCPUs must still be there, for a
 *      tick of the PIT may be on its way to them
 */
void irqchip_destroy(struct vm *vm)
{
	struct irqchip *chip = vm->irqchip;
	struct pit *pit = irqchip_pit(chip);

	if (!chip)
		return;
	if (pit)
		pit_stop(pit);
	vm->irqchip = NULL;
	irqchip_put(chip);
}

/**
 * irqchip_create_pit() - KVM_CREATE_PIT2
 * @vm: vm->lock held
 * @cfg: flags: KVM_PIT_SPEAKER_DUMMY: port 0x61 too
 *
 * Return: 0, -EINVAL: unknown flags, -EEXIST, -ENOENT: no in-kernel PIC,
 * -ENOMEM, -ENOSPC.
 */
int irqchip_create_pit(struct vm *vm, const struct kvm_pit_config *cfg)
{
	struct irqchip *chip = vm->irqchip;
	int err;

	lockdep_assert_held(&vm->lock);
	if (cfg->flags & ~KVM_PIT_SPEAKER_DUMMY)
		return -EINVAL;
	if (!chip)
		return -ENOENT;
	if (chip->has_pit)
		return -EEXIST;
	pit_init(&chip->pit, vm);
	mutex_lock(&vm->slots_lock);
	err = irqchip_bus_add(vm, chip, DEV_PIT,
			      cfg->flags & KVM_PIT_SPEAKER_DUMMY ?
			      DEV_SPEAKER : DEV_PIT);
	mutex_unlock(&vm->slots_lock);
	if (err) {
		pit_stop(&chip->pit);
		return err;
	}
	/* Pairs with the acquire in irqchip_pit(). */
	smp_store_release(&chip->has_pit, true);
	return 0;
}

/**
 * irqchip_get() - KVM_GET_IRQCHIP
 * @vm: vm->lock held
 * @chip: chip_id says which; filled in
 *
 * Return: 0, -ENXIO: no in-kernel chips, -EINVAL: no such chip.
 */
int irqchip_get(struct vm *vm, struct kvm_irqchip *chip)
{
	struct irqchip *chips = vm->irqchip;

	if (!chips)
		return -ENXIO;
	memset(&chip->chip, 0, sizeof(chip->chip));
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
		pic_get_state(&chips->pic, 0, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_PIC_SLAVE:
		pic_get_state(&chips->pic, 1, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_IOAPIC:
		ioapic_get_state(&chips->ioapic, &chip->chip.ioapic);
		return 0;
	}
	return -EINVAL;
}

/** irqchip_set() - KVM_SET_IRQCHIP, likewise */
int irqchip_set(struct vm *vm, const struct kvm_irqchip *chip)
{
	struct irqchip *chips = vm->irqchip;

	if (!chips)
		return -ENXIO;
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
		pic_set_state(&chips->pic, 0, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_PIC_SLAVE:
		pic_set_state(&chips->pic, 1, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_IOAPIC:
		ioapic_set_state(&chips->ioapic, &chip->chip.ioapic);
		return 0;
	}
	return -EINVAL;
}

/** irqchip_get_pit() - KVM_GET_PIT2; 0 or -ENXIO; vm->lock held */
int irqchip_get_pit(struct vm *vm, struct kvm_pit_state2 *ps)
{
	struct pit *pit = irqchip_pit(vm->irqchip);

	if (!pit)
		return -ENXIO;
	pit_get_state(pit, ps);
	return 0;
}

/** irqchip_set_pit() - KVM_SET_PIT2; 0, -ENXIO, -EINVAL; vm->lock held */
int irqchip_set_pit(struct vm *vm, const struct kvm_pit_state2 *ps)
{
	struct pit *pit = irqchip_pit(vm->irqchip);

	if (!pit)
		return -ENXIO;
	return pit_set_state(pit, ps);
}

/** irqchip_pit_reinject() - KVM_REINJECT_CONTROL; 0 or -ENXIO; vm->lock held */
int irqchip_pit_reinject(struct vm *vm, const struct kvm_reinject_control *c)
{
	struct pit *pit = irqchip_pit(vm->irqchip);

	if (!pit)
		return -ENXIO;
	pit_set_reinject(pit, c->pit_reinject);
	return 0;
}

static int route_msi(struct vm *vm, u32 addr_lo, u32 addr_hi, u32 data)
{
	struct lapic_msg msg;

	msi_decode(&msg, addr_lo, addr_hi, data, irq_host_x2apic_api(vm));
	return lapic_deliver(vm, NULL, &msg);
}

static int route_set_line(struct vm *vm, const struct irq_route *route,
			  unsigned int source, bool level)
{
	struct irqchip *chip;

	if (route->type == KVM_IRQ_ROUTING_MSI)
		return level ? route_msi(vm, route->addr_lo, route->addr_hi,
					 route->data) : -1;
	if (route->type == KVM_IRQ_ROUTING_HV_SINT)
		return level ? hv_synic_set_line(vm, route->vp_index,
						 route->sint) : -1;
	chip = vm_chips(vm);
	if (!chip)
		return -1;
	switch (route->chip) {
	case KVM_IRQCHIP_IOAPIC:
		return ioapic_set_line(&chip->ioapic, route->pin, source, level);
	case KVM_IRQCHIP_PIC_MASTER:
		return pic_set_line(&chip->pic, route->pin, source, level);
	case KVM_IRQCHIP_PIC_SLAVE:
		return pic_set_line(&chip->pic, route->pin + 8, source, level);
	}
	return -1;
}

/**
 * irqchip_set_line() - a source drives a GSI
 * @vm: whose
 * @gsi: any number; one that is not routed is ignored
 * @level: 1 asserted, 0 not; MSI routes are sent at 1
 * @irq_source_id: enum irq_source: who drives it
 *
 * Return: <0: masked or ignored everywhere, 0: coalesced, >0: delivered to
 * that many. Context: any, interrupts off included.
 */
int irqchip_set_line(struct vm *vm, u32 gsi, int level, int irq_source_id)
{
	const struct irq_route *routes;
	struct irq_routing *table;
	unsigned int nr, i;
	int idx, ret = -1;

	if (WARN_ON_ONCE(irq_source_id < 0 || irq_source_id >= NR_IRQ_SOURCES))
		return -1;
	idx = srcu_read_lock(&vm->irq_srcu);
	table = srcu_dereference(vm->routing, &vm->irq_srcu);
	routes = irq_routing_lookup(table, gsi, &nr);
	for (i = 0; i < nr; i++) {
		int one = route_set_line(vm, &routes[i], irq_source_id, level);

		if (one >= 0)
			ret = one + max(ret, 0);
	}
	srcu_read_unlock(&vm->irq_srcu, idx);
	return ret;
}

/**
 * irqchip_msi_target() - the vCPU that a GSI's message goes to, if it is one
 * @vm: whose
 * @gsi: any number
 * @vector: which it is there
 *
 * For now: the routes, and the guest's local APICs, may change.
 *
 * Return: it, or NULL: no message, or one to several, or one that is no plain vector.
 */
struct vcpu *irqchip_msi_target(struct vm *vm, u32 gsi, u8 *vector)
{
	struct lapic *target = NULL;
	const struct irq_route *r;
	struct lapic_msg msg;
	unsigned int nr;
	int idx;

	idx = srcu_read_lock(&vm->irq_srcu);
	r = irq_routing_lookup(srcu_dereference(vm->routing, &vm->irq_srcu), gsi, &nr);
	if (nr == 1 && r->type == KVM_IRQ_ROUTING_MSI) {
		msi_decode(&msg, r->addr_lo, r->addr_hi, r->data,
			   irq_host_x2apic_api(vm));
		*vector = msg.vector;
		target = lapic_single_target(vm, &msg);
	}
	srcu_read_unlock(&vm->irq_srcu, idx);
	return target ? target->vcpu : NULL;
}

/**
 * irqchip_signal_msi() - KVM_SIGNAL_MSI
 * @vm: whose
 * @msi: the write
 *
 * Return: >0: delivered, 0: the guest blocks it, -EINVAL: malformed. Context:
 * any, interrupts off included.
 */
int irqchip_signal_msi(struct vm *vm, const struct kvm_msi *msi)
{
	if (msi->flags ||
	    !msi_addr_valid(msi->address_hi, irq_host_x2apic_api(vm)))
		return -EINVAL;
	return max(route_msi(vm, msi->address_lo, msi->address_hi, msi->data),
		   0);
}

/**
 * irqchip_set_routing() - KVM_SET_GSI_ROUTING
 * @vm: vm->lock not needed; takes irq_lock
 * @e: entries, copied from userspace
 * @nr: how many
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int irqchip_set_routing(struct vm *vm, const struct kvm_irq_routing_entry *e,
			unsigned int nr)
{
	struct irq_routing *new;

	if (!vm_has_lapic(vm))
		return -EINVAL;
	new = irq_routing_build(e, nr, vm_has_ioapic(vm),
				irq_host_x2apic_api(vm));
	if (IS_ERR(new))
		return PTR_ERR(new);
	if (!vm_has_ioapic(vm))
		irq_routing_reserve(new, vm->reserved_gsis);
	routing_publish(vm, new);
	return 0;
}

/**
 * irqchip_gsi_is_pin() - does this GSI reach that chip's pin?
 * @vm: vm->irq_srcu read section held
 * @gsi: line
 * @chip: KVM_IRQCHIP_*
 * @pin: of the chip
 */
bool irqchip_gsi_is_pin(struct vm *vm, u32 gsi, unsigned int chip,
			unsigned int pin)
{
	return irq_routing_has(srcu_dereference(vm->routing, &vm->irq_srcu),
			       gsi, chip, pin);
}

/**
 * irqchip_eoi_wanted() - does the IOAPIC in userspace wait for this EOI?
 * @vm: with a split irqchip
 * @vector: level-triggered, ended by a local APIC
 */
bool irqchip_eoi_wanted(struct vm *vm, u8 vector)
{
	bool wanted;
	int idx;

	idx = srcu_read_lock(&vm->irq_srcu);
	wanted = irq_routing_expects_eoi(srcu_dereference(vm->routing,
							  &vm->irq_srcu),
					 vector);
	srcu_read_unlock(&vm->irq_srcu, idx);
	return wanted;
}

/**
 * irqchip_eoi_vectors() - of whose end does somebody hear?
 * @vm: with local APICs
 * @map: 256 bits, filled in
 */
void irqchip_eoi_vectors(struct vm *vm, unsigned long *map)
{
	struct irqchip *chip = vm_chips(vm);
	struct irq_routing *table;
	int idx, i;

	if (chip) {
		for (i = 0; i < 256 / BITS_PER_LONG; i++)
			map[i] = READ_ONCE(chip->ioapic.vectors[i]);
		return;
	}
	idx = srcu_read_lock(&vm->irq_srcu);
	table = srcu_dereference(vm->routing, &vm->irq_srcu);
	if (table)
		memcpy(map, table->eoi_vectors, sizeof(table->eoi_vectors));
	else
		memset(map, 0, sizeof(table->eoi_vectors));
	srcu_read_unlock(&vm->irq_srcu, idx);
}

/** irqchip_free_routing() - the VM goes away; nobody reads the table */
void irqchip_free_routing(struct vm *vm)
{
	irq_routing_free(rcu_dereference_protected(vm->routing, true));
	RCU_INIT_POINTER(vm->routing, NULL);
}

/* The PIC, here or in userspace, has a request and this vCPU takes it. */
static bool pic_has_irq(struct irqchip *chip, struct vcpu *vcpu)
{
	return (chip ? pic_output(&chip->pic) : vcpu->extint >= 0) &&
	       lapic_accepts_pic(vcpu->lapic);
}

/**
 * irqchip_takes_user_irq() - is there a way in for KVM_INTERRUPT? (IF aside)
 * @vcpu: vcpu->mutex held
 */
bool irqchip_takes_user_irq(struct vcpu *vcpu)
{
	return !vcpu->lapic || (!vm_has_ioapic(vcpu->vm) &&
				lapic_accepts_pic(vcpu->lapic));
}

/**
 * irqchip_has_irq() - would the vCPU be given an interrupt now? (IF aside)
 * @vcpu: vcpu->mutex held
 */
bool irqchip_has_irq(struct vcpu *vcpu)
{
	if (!vcpu->lapic)
		return false;
	return pic_has_irq(vm_chips(vcpu->vm), vcpu) ||
	       lapic_next_irq(vcpu->lapic) >= 0;
}

/**
 * irqchip_irq_to_inject() - likewise, and the CPU does not deliver it by itself
 * @vcpu: vcpu->mutex held
 */
bool irqchip_irq_to_inject(struct vcpu *vcpu)
{
	if (!vcpu->lapic)
		return false;
	return pic_has_irq(vm_chips(vcpu->vm), vcpu) ||
	       (!vcpu->lapic->virt && lapic_next_irq(vcpu->lapic) >= 0);
}

/**
 * irqchip_ack_irq() - take that interrupt: it is in service from now on
 * @vcpu: vcpu->mutex held
 *
 * Return: vector, -1: it has gone.
 */
int irqchip_ack_irq(struct vcpu *vcpu)
{
	struct irqchip *chip;
	int vector;

	if (!vcpu->lapic)
		return -1;
	chip = vm_chips(vcpu->vm);
	if (pic_has_irq(chip, vcpu)) {
		if (chip)
			return pic_ack(&chip->pic);
		vector = vcpu->extint;
		vcpu->extint = -1;
		return vector;
	}
	if (unlikely(vcpu->lapic->virt))
		return -1;
	vector = lapic_next_irq(vcpu->lapic);
	if (vector >= 0)
		lapic_ack(vcpu->lapic, vector);
	if (vector >= 0 && hv_synic_auto_eoi(vcpu, vector))
		lapic_eoi(vcpu->lapic);
	return vector;
}

/**
 * irqchip_may_virtualize() - may the CPU deliver interrupts by itself?
 * @vcpu: vcpu->mutex held; has a local APIC
 *
 * In x2APIC mode. Not if each interrupt is seen on its way: by a debugger that holds them
 * back or steps, by Hyper-V's sources that end by themselves, by a guest with its priority
 * in memory.
 */
bool irqchip_may_virtualize(struct vcpu *vcpu)
{
	return lapic_x2apic(vcpu->lapic) && !vcpu->vapic.gpa &&
	       !(vcpu->debug.control & (KVM_GUESTDBG_BLOCKIRQ |
					KVM_GUESTDBG_SINGLESTEP)) &&
	       !hv_synic_any_auto_eoi(vcpu);
}

/**
 * irqchip_eoi_may_wait() - can the end of what is in service be told late?
 * @vcpu: vcpu->mutex held; has a local APIC
 *
 * Not if an interrupt waits behind it, or a pin of the IOAPIC: a line that is to
 * be sampled again, the PIT.
 */
bool irqchip_eoi_may_wait(struct vcpu *vcpu)
{
	struct irqchip *chip = vm_chips(vcpu->vm);
	int vector = lapic_lazy_vector(vcpu->lapic);

	return vector >= 0 &&
	       !(chip && ioapic_has_vector(&chip->ioapic, vector));
}
