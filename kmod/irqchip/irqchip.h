/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interrupt controllers: what the rest of the module asks of them.
 * lapic.h, ioapic.h, pic.h, pit.h hold the devices' own structures; host.h what
 * these pure files ask of their host.
 */
#ifndef JOIST_IRQCHIP_IRQCHIP_H
#define JOIST_IRQCHIP_IRQCHIP_H

#include <linux/kvm.h>

#include "../core/types.h"

struct vm;
struct vcpu;
struct lapic;

/* --- whole chip: irqchip/irqchip.c, called by core/ ioctls ------------- */

/*
 * All three return 0 or -errno. Caller holds vm->lock.
 * irqchip_create: PIC pair and IOAPIC on the buses, default GSI routing,
 *	published in vm->irqchip (smp_store_release). No vCPU exists yet.
 */
int irqchip_create(struct vm *vm);
void irqchip_create_split(struct vm *vm, u32 nr_pins);
void irqchip_destroy(struct vm *vm);		/* also the PIT; vm is going away */
int irqchip_create_pit(struct vm *vm, const struct kvm_pit_config *cfg);
int irqchip_get(struct vm *vm, struct kvm_irqchip *chip);
int irqchip_set(struct vm *vm, const struct kvm_irqchip *chip);
int irqchip_get_pit(struct vm *vm, struct kvm_pit_state2 *ps);
int irqchip_set_pit(struct vm *vm, const struct kvm_pit_state2 *ps);
int irqchip_pit_reinject(struct vm *vm, const struct kvm_reinject_control *c);

/* Who holds a line: its level is the OR of all sources. */
enum irq_source {
	IRQ_SOURCE_USERSPACE,		/* KVM_IRQ_LINE, irqfd without resample */
	IRQ_SOURCE_IRQFD_RESAMPLE,
	IRQ_SOURCE_PIT,
	NR_IRQ_SOURCES,
};

/* Does this GSI reach that chip's pin? vm->irq_srcu read section held. */
bool irqchip_gsi_is_pin(struct vm *vm, u32 gsi, unsigned int chip,
			unsigned int pin);
/* KVM_IRQ_LINE(_STATUS): returns <0 masked/ignored, 0 coalesced, >0 delivered. */
int irqchip_set_line(struct vm *vm, u32 gsi, int level, int irq_source_id);
struct vcpu *irqchip_msi_target(struct vm *vm, u32 gsi, u8 *vector);
int irqchip_signal_msi(struct vm *vm, const struct kvm_msi *msi);
int irqchip_set_routing(struct vm *vm, const struct kvm_irq_routing_entry *e,
			unsigned int nr);
/* A level-triggered vector ended: is the IOAPIC in userspace to hear of it? */
bool irqchip_eoi_wanted(struct vm *vm, u8 vector);
void irqchip_free_routing(struct vm *vm);
/* The vectors, a bit each, of whose end somebody hears. */
void irqchip_eoi_vectors(struct vm *vm, unsigned long *map);

/* --- what a vCPU can take: PIC (through LINT0/ExtINT) and lapic --------- */

/* Is there an interrupt the vCPU would accept now (IF aside)? */
bool irqchip_has_irq(struct vcpu *vcpu);
/* KVM_INTERRUPT would get through to it (IF aside). */
bool irqchip_takes_user_irq(struct vcpu *vcpu);
/* Likewise, and software is to inject it: the CPU does not deliver it by itself. */
bool irqchip_irq_to_inject(struct vcpu *vcpu);
/* Take that: vector 0..255, or -1. Marks it in service. */
int irqchip_ack_irq(struct vcpu *vcpu);

/* May the CPU deliver interrupts, and keep the APIC's registers, by itself? */
bool irqchip_may_virtualize(struct vcpu *vcpu);
/* The end of the interrupt in service can be told late: nobody waits for it. */
bool irqchip_eoi_may_wait(struct vcpu *vcpu);

/* --- local APIC: irqchip/lapic.c, lapic_timer.c ------------------------- */

struct lapic *lapic_create(struct vcpu *vcpu, u32 id);
void lapic_destroy(struct lapic *lapic);
void lapic_reset(struct lapic *lapic, bool init);
/* MSR_IA32_APICBASE was validated and changes mode / address / enable. */
void lapic_set_base(struct lapic *lapic, u64 base);
/* 0, or MSR_FAULT; x2APIC MSRs 0x800..0x8ff. */
int lapic_msr_read(struct lapic *lapic, u32 msr, u64 *val);
int lapic_msr_write(struct lapic *lapic, u32 msr, u64 val);
bool lapic_msr_write_hot(struct lapic *lapic, u32 msr, u64 val);
/* xAPIC page: @offset in the 4 KiB page. False: not an xAPIC access now. */
bool lapic_mmio_read(struct lapic *lapic, u32 offset, int len, void *val);
bool lapic_mmio_write(struct lapic *lapic, u32 offset, int len, const void *val);
bool lapic_in_mmio(struct lapic *lapic, gpa_t gpa);
u8 lapic_get_tpr(struct lapic *lapic);
void lapic_set_tpr(struct lapic *lapic, u8 tpr);
u64 lapic_get_cr8(struct lapic *lapic);
void lapic_set_cr8(struct lapic *lapic, u64 cr8);
/* Highest pending (IRR) vector whatever the priority, -1: none (for update_tpr). */
int lapic_highest_irr(struct lapic *lapic);
/* Highest in service, -1: none. */
int lapic_highest_isr(struct lapic *lapic);
u64 lapic_get_tsc_deadline(struct lapic *lapic);
void lapic_set_tsc_deadline(struct lapic *lapic, u64 guest_tsc);
bool lapic_tsc_deadline_hot(struct lapic *lapic, u64 guest_tsc);
/* REQ_APIC_TIMER consumed by the vCPU: set the timer's LVT vector pending. */
void lapic_timer_inject(struct lapic *lapic);
bool lapic_timer_pending(struct lapic *lapic);
/* The guest has left, maybe for its deadline; and: it will not run for a while. */
void lapic_timer_poll(struct lapic *lapic);
void lapic_timer_to_host(struct lapic *lapic);
/* REQ_TIMER_REARM: the guest's TSC jumped, or the vCPU moved: the hrtimer follows. */
void lapic_timer_update(struct lapic *lapic);
int lapic_get_state(struct lapic *lapic, struct kvm_lapic_state *state);
int lapic_set_state(struct lapic *lapic, const struct kvm_lapic_state *state);
/* INIT/SIPI latched by other vCPUs. REQ_INIT_SIPI was consumed. Bits below. */
#define LAPIC_EVENT_INIT	BIT(0)
#define LAPIC_EVENT_SIPI	BIT(1)
unsigned long lapic_take_init_sipi(struct lapic *lapic, u8 *sipi_vector,
				   bool wait_for_sipi);
void lapic_set_cmci(struct lapic *lapic, bool cmci);
void lapic_cmci(struct lapic *lapic);
void lapic_latch_init(struct lapic *lapic, bool latched);
bool lapic_take_posted(struct lapic *lapic);
void lapic_set_virt(struct lapic *lapic, bool virt);
void lapic_eoi_virtual(struct lapic *lapic, u8 vector);
void lapic_virtual_write(struct lapic *lapic, u32 reg);
void lapic_wake_targets(struct lapic *lapic);
bool lapic_init_sipi_pending(struct lapic *lapic, bool wait_for_sipi);
bool lapic_x2apic(struct lapic *lapic);
bool lapic_enabled(struct lapic *lapic);

#endif
