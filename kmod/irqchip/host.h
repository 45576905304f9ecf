/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the pure interrupt-controller files ask of their host: in the module
 * irqchip/host.c answers, in a unit test the test does.
 */
#ifndef JOIST_IRQCHIP_HOST_H
#define JOIST_IRQCHIP_HOST_H

#include "../core/types.h"

struct vm;
struct vcpu;
struct lapic;

/* Something became pending for this vCPU: REQ_EVENT, wake or kick. */
void irq_host_notify(struct vcpu *vcpu);
/* Something was posted for this vCPU: its CPU is to take it, or it wakes. */
void irq_host_posted(struct vcpu *vcpu);
/* What says how the CPU virtualizes this APIC has changed: REQ_APICV. */
void irq_host_virt_update(struct vcpu *vcpu);
/* This local APIC has another mode or logical id, or takes interrupts, or does not: what
 * messages mean may have changed.
 */
void irq_host_dest_changed(struct vcpu *vcpu);
/* The IOAPIC uses other vectors: EOIs of others are to be heard of. */
void irq_host_eoi_vectors(struct vm *vm);
/* An NMI arrived: nmi_queued++, REQ_NMI, wake or kick. */
void irq_host_nmi(struct vcpu *vcpu);
/* An SMI arrived: REQ_SMI, wake or kick. */
void irq_host_smi(struct vcpu *vcpu);
/* INIT or SIPI latched: REQ_INIT_SIPI, wake or kick. */
void irq_host_init_sipi(struct vcpu *vcpu);
/* The timer expired (hard interrupt context): REQ_APIC_TIMER, wake or kick. */
void irq_host_timer(struct vcpu *vcpu);
/* This vCPU's TSC now, and its rate. */
u64 irq_host_guest_tsc(struct vcpu *vcpu);
u64 irq_host_tsc_khz(struct vcpu *vcpu);
/* While this vCPU's guest runs, the CPU tells when its TSC has got there: then
 * lapic_timer_poll() is called. 0: no more. False: it does not.
 */
bool irq_host_deadline(struct vcpu *vcpu, u64 guest_tsc);
/* CPUID grants the guest the TSC-deadline mode. */
bool irq_host_tsc_deadline(struct vcpu *vcpu);
/* A guest's periodic timer is shorter than it may be: worth a line in the log. */
void irq_host_short_period(struct vm *vm, u64 ns);
/* The VM's lapics by vCPU index; NULL past the end. */
struct lapic *irq_host_lapic(struct vm *vm, unsigned int idx);
struct vm *irq_host_vm(struct vcpu *vcpu);
bool irq_host_is_bsp(struct vcpu *vcpu);
/* KVM_X2APIC_API_* that userspace enabled. */
u32 irq_host_x2apic_api(struct vm *vm);
/* This vCPU's guest accesses the TPR in the xAPIC page. */
void irq_host_tpr_access(struct vcpu *vcpu, bool write);
/* This vCPU EOIed a vector, with broadcast: IOAPIC and resamplers hear of it. */
void irq_host_eoi(struct vcpu *vcpu, u8 vector, bool level);
/* Would anybody hear of the EOI of this edge-triggered vector? */
bool irq_host_eoi_heard(struct vcpu *vcpu, u8 vector);
/* PIC pair's INT output rose: the vCPU with ExtINT (BSP) is told. */
void irq_host_pic_output(struct vm *vm);
/* A pin was EOIed: PIT and resample irqfds (chip: KVM_IRQCHIP_*, pin of it). No
 * chip's lock is held.
 */
void irq_host_ack_notify(struct vm *vm, unsigned int chip, unsigned int pin);
/* One pulse of the PIT's channel 0; result as of irqchip_set_line(). Any
 * context.
 */
int irq_host_pit_pulse(struct vm *vm);

#endif
