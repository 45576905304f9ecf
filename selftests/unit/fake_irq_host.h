/* SPDX-License-Identifier: GPL-2.0-only */
/* The host that interrupt controllers see in unit tests; records what it is
 * asked for.
 */
#ifndef JOIST_FAKE_IRQ_HOST_H
#define JOIST_FAKE_IRQ_HOST_H

#include <linux/types.h>

#define FAKE_VCPUS	32

struct vcpu {
	struct vm *vm;
	u32 id;
	struct lapic *lapic;
	unsigned int notified;
	unsigned int posted;		/* times it was notified of what was */
	unsigned int virt_updates;
	unsigned int nmis;
	unsigned int smis;
	unsigned int init_sipis;
	unsigned int tpr_accesses;
	unsigned int timers;	/* expiries since one was taken */
	u64 cpu_deadline;	/* that the CPU looks after */
};

struct vm {
	struct vcpu vcpus[FAKE_VCPUS];
	unsigned int nr_vcpus;
	u32 x2apic_api;
	u64 tsc_khz;
	u64 tsc_offset;		/* guest TSC = clock * khz + offset */
	bool no_deadline;
	bool cpu_timer;		/* CPUs look after deadlines */
	struct ioapic *ioapic;	/* EOIs go there */
	unsigned int dest_changes;
	unsigned int eoi_vectors;	/* times they changed */
	unsigned int eois;
	u8 last_eoi;
	bool last_eoi_level;
	unsigned int pic_outputs;
	unsigned int acks[3][24];	/* by KVM_IRQCHIP_* and pin */
	void (*on_ack)(struct vm *vm, unsigned int chip, unsigned int pin);
	int pulse_result;
	unsigned int pulses;
	unsigned int short_periods;
};

/* A VM with @nr vCPUs, ids from 0; its APICs as after power-up. */
struct vm *fake_vm_create(unsigned int nr);
/* One more vCPU with an id of its own. */
struct lapic *fake_vm_add(struct vm *vm, u32 id);
void fake_vm_destroy(struct vm *vm);
/* Clear what was recorded. */
void fake_vm_forget(struct vm *vm);
/* What a vCPU's thread does with an expiry: true: there was one. */
bool fake_take_timer(struct vcpu *vcpu);

#endif
