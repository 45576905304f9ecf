// SPDX-License-Identifier: GPL-2.0-only
/* The host that interrupt controllers see in unit tests. */
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <stdlib.h>
#include <string.h>

#include "fake_irq_host.h"
#include "irqchip/host.h"
#include "irqchip/ioapic.h"
#include "irqchip/irqchip.h"

struct lapic *fake_vm_add(struct vm *vm, u32 id)
{
	struct vcpu *vcpu = &vm->vcpus[vm->nr_vcpus];

	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->lapic = lapic_create(vcpu, id);
	vm->nr_vcpus++;
	return vcpu->lapic;
}

struct vm *fake_vm_create(unsigned int nr)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	unsigned int i;

	fake_clock_reset();
	vm->tsc_khz = 2000000;
	vm->pulse_result = 1;
	for (i = 0; i < nr; i++)
		fake_vm_add(vm, i);
	return vm;
}

void fake_vm_destroy(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		lapic_destroy(vm->vcpus[i].lapic);
	free(vm);
}

void fake_vm_forget(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		vm->vcpus[i].notified = 0;
		vm->vcpus[i].posted = 0;
		vm->vcpus[i].virt_updates = 0;
		vm->vcpus[i].nmis = 0;
		vm->vcpus[i].smis = 0;
		vm->vcpus[i].init_sipis = 0;
		vm->vcpus[i].timers = 0;
	}
	vm->eoi_vectors = 0;
	vm->dest_changes = 0;
	vm->eois = 0;
	vm->pic_outputs = 0;
	vm->pulses = 0;
	memset(vm->acks, 0, sizeof(vm->acks));
}

bool fake_take_timer(struct vcpu *vcpu)
{
	if (!vcpu->timers)
		return false;
	vcpu->timers = 0;
	lapic_timer_inject(vcpu->lapic);
	return true;
}

void irq_host_notify(struct vcpu *vcpu)
{
	vcpu->notified++;
}

void irq_host_posted(struct vcpu *vcpu)
{
	vcpu->posted++;
}

void irq_host_virt_update(struct vcpu *vcpu)
{
	vcpu->virt_updates++;
}

void irq_host_dest_changed(struct vcpu *vcpu)
{
	vcpu->vm->dest_changes++;
}

void irq_host_eoi_vectors(struct vm *vm)
{
	vm->eoi_vectors++;
}

void irq_host_nmi(struct vcpu *vcpu)
{
	vcpu->nmis++;
}

void irq_host_smi(struct vcpu *vcpu)
{
	vcpu->smis++;
}

void irq_host_init_sipi(struct vcpu *vcpu)
{
	vcpu->init_sipis++;
}

void irq_host_timer(struct vcpu *vcpu)
{
	vcpu->timers++;
}

u64 irq_host_guest_tsc(struct vcpu *vcpu)
{
	return mul_u64_u64_div_u64(ktime_get_ns(), vcpu->vm->tsc_khz, 1000000) +
	       vcpu->vm->tsc_offset;
}

u64 irq_host_tsc_khz(struct vcpu *vcpu)
{
	return vcpu->vm->tsc_khz;
}

bool irq_host_deadline(struct vcpu *vcpu, u64 guest_tsc)
{
	vcpu->cpu_deadline = vcpu->vm->cpu_timer ? guest_tsc : 0;
	return vcpu->cpu_deadline;
}

bool irq_host_tsc_deadline(struct vcpu *vcpu)
{
	return !vcpu->vm->no_deadline;
}

void irq_host_short_period(struct vm *vm, u64 ns)
{
	vm->short_periods++;
}

struct lapic *irq_host_lapic(struct vm *vm, unsigned int idx)
{
	return idx < vm->nr_vcpus ? vm->vcpus[idx].lapic : NULL;
}

struct vm *irq_host_vm(struct vcpu *vcpu)
{
	return vcpu->vm;
}

bool irq_host_is_bsp(struct vcpu *vcpu)
{
	return vcpu->id == 0;
}

u32 irq_host_x2apic_api(struct vm *vm)
{
	return vm->x2apic_api;
}

void irq_host_eoi(struct vcpu *vcpu, u8 vector, bool level)
{
	struct vm *vm = vcpu->vm;

	vm->eois++;
	vm->last_eoi = vector;
	vm->last_eoi_level = level;
	if (vm->ioapic)
		ioapic_eoi(vm->ioapic, vector, level);
}

bool irq_host_eoi_heard(struct vcpu *vcpu, u8 vector)
{
	struct vm *vm = vcpu->vm;

	return vm->ioapic && ioapic_has_vector(vm->ioapic, vector);
}

void irq_host_tpr_access(struct vcpu *vcpu, bool write)
{
	vcpu->tpr_accesses++;
}

void irq_host_pic_output(struct vm *vm)
{
	vm->pic_outputs++;
}

void irq_host_ack_notify(struct vm *vm, unsigned int chip, unsigned int pin)
{
	vm->acks[chip][pin]++;
	if (vm->on_ack)
		vm->on_ack(vm, chip, pin);
}

int irq_host_pit_pulse(struct vm *vm)
{
	vm->pulses++;
	return vm->pulse_result;
}
