// SPDX-License-Identifier: GPL-2.0-only
/* What the pure interrupt-controller files ask of the module: host.h. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/srcu.h>
#include <asm/msr.h>

#include "chips.h"
#include "host.h"
#include "irqchip.h"
#include "lapic.h"
#include "../core/eventfd.h"
#include "../core/vcpu.h"
#include "../core/vm.h"
#include "../passthrough/bypass.h"
#include "../x86/vendor_ops.h"
#include "../x86/x86.h"

module_param_named(min_timer_period_us, lapic_min_period_us, uint, 0644);
MODULE_PARM_DESC(min_timer_period_us,
		 "shortest period of a guest's periodic timers in microseconds (default 200)");

static void request_and_kick(struct vcpu *vcpu, enum request req)
{
	vcpu_request(vcpu, req);
	vcpu_kick(vcpu);
}

/* The vCPU's thread, in its own business: it looks before it enters or sleeps.
 * Full barriers of set_bit here and at entry order the request and the pid.
 */
static bool is_own_thread(struct vcpu *vcpu)
{
	return in_task() && READ_ONCE(vcpu->pid) == task_pid(current);
}

void irq_host_notify(struct vcpu *vcpu)
{
	vcpu_request(vcpu, REQ_EVENT);
	if (!is_own_thread(vcpu))
		vcpu_kick(vcpu);
}

/* Its own thread looks before it enters, and while it does not sleep. */
void irq_host_posted(struct vcpu *vcpu)
{
	if (READ_ONCE(vcpu->lapic->virt) &&
	    (is_own_thread(vcpu) || vendor_call(notify_posted)(vcpu)))
		return;
	irq_host_notify(vcpu);
}

void irq_host_virt_update(struct vcpu *vcpu)
{
	vcpu_request(vcpu, REQ_APICV);
}

void irq_host_dest_changed(struct vcpu *vcpu)
{
	vendor_call(apic_changed)(vcpu);
	bypass_update_later(vcpu->vm);
}

void irq_host_eoi_vectors(struct vm *vm)
{
	struct vcpu *vcpu;
	u32 i;

	vm_for_each_vcpu(vm, vcpu, i)
		if (vcpu->lapic && vcpu->lapic->posted)
			request_and_kick(vcpu, REQ_APICV);
}

void irq_host_nmi(struct vcpu *vcpu)
{
	atomic_inc(&vcpu->nmi_queued);
	request_and_kick(vcpu, REQ_NMI);
}

void irq_host_smi(struct vcpu *vcpu)
{
	request_and_kick(vcpu, REQ_SMI);
}

void irq_host_init_sipi(struct vcpu *vcpu)
{
	request_and_kick(vcpu, REQ_INIT_SIPI);
}

void irq_host_timer(struct vcpu *vcpu)
{
	request_and_kick(vcpu, REQ_APIC_TIMER);
}

u64 irq_host_guest_tsc(struct vcpu *vcpu)
{
	return tsc_guest(vcpu, rdtsc());
}

u64 irq_host_tsc_khz(struct vcpu *vcpu)
{
	return tsc_guest_khz(vcpu);
}

bool irq_host_deadline(struct vcpu *vcpu, u64 guest_tsc)
{
	return vendor_call(set_deadline)(vcpu, guest_tsc);
}

bool irq_host_tsc_deadline(struct vcpu *vcpu)
{
	return vcpu->feat.tsc_deadline;
}

void irq_host_short_period(struct vm *vm, u64 ns)
{
	pr_info_once("VM %u asks for a timer period of %llu ns, it gets %u us: parameter min_timer_period_us (said once)\n",
		     vm->id, ns, lapic_min_period_us);
}

struct lapic *irq_host_lapic(struct vm *vm, unsigned int idx)
{
	struct vcpu *vcpu;

	if (idx >= atomic_read_acquire(&vm->online_vcpus))
		return NULL;
	vcpu = vm_vcpu(vm, idx);
	return vcpu ? vcpu->lapic : NULL;
}

struct vm *irq_host_vm(struct vcpu *vcpu)
{
	return vcpu->vm;
}

bool irq_host_is_bsp(struct vcpu *vcpu)
{
	return vcpu->id == vcpu->vm->bsp_id;
}

u32 irq_host_x2apic_api(struct vm *vm)
{
	return READ_ONCE(vm->x2apic_api);
}

void irq_host_eoi(struct vcpu *vcpu, u8 vector, bool level)
{
	struct irqchip *chip = vm_chips(vcpu->vm);

	if (chip) {
		ioapic_eoi(&chip->ioapic, vector, level);
	} else if (level && irqchip_eoi_wanted(vcpu->vm, vector)) {
		/* Left to userspace before another can follow. */
		vcpu->ioapic_eoi = vector;
		vcpu_request(vcpu, REQ_IOAPIC_EOI);
	}
}

bool irq_host_eoi_heard(struct vcpu *vcpu, u8 vector)
{
	const struct irqchip *chip = vm_chips(vcpu->vm);

	return chip && ioapic_has_vector(&chip->ioapic, vector);
}

void irq_host_tpr_access(struct vcpu *vcpu, bool write)
{
	vapic_tpr_accessed(vcpu, write);
}

void irq_host_pic_output(struct vm *vm)
{
	struct vcpu *vcpu;
	u32 i;

	vm_for_each_vcpu(vm, vcpu, i)
		if (vcpu->lapic && lapic_accepts_pic(vcpu->lapic))
			irq_host_notify(vcpu);
}

/* Is this the end of an interrupt of the PIT? */
static bool pit_is_acked(struct vm *vm, unsigned int chip, unsigned int pin)
{
	bool hit;
	int idx;

	idx = srcu_read_lock(&vm->irq_srcu);
	hit = irqchip_gsi_is_pin(vm, PIT_GSI, chip, pin);
	srcu_read_unlock(&vm->irq_srcu, idx);
	return hit;
}

void irq_host_ack_notify(struct vm *vm, unsigned int chip, unsigned int pin)
{
	struct pit *pit = irqchip_pit(vm_chips(vm));

	if (pit && READ_ONCE(pit->in_flight) && pit_is_acked(vm, chip, pin))
		pit_acked(pit);
	irqfd_ack(vm, chip, pin);
}

int irq_host_pit_pulse(struct vm *vm)
{
	int ret = irqchip_set_line(vm, PIT_GSI, 1, IRQ_SOURCE_PIT);

	irqchip_set_line(vm, PIT_GSI, 0, IRQ_SOURCE_PIT);
	return ret;
}
