// SPDX-License-Identifier: GPL-2.0-only
/* The life of a VM, and what is told to all of its vCPUs at once. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/cpumask.h>
#include <linux/ratelimit.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "admin.h"
#include "eventfd.h"
#include "report.h"
#include "vcpu.h"
#include "vm.h"
#include "../irqchip/irqchip.h"
#include "../passthrough/bypass.h"
#include "../x86/msr.h"
#include "../x86/vendor_ops.h"
#include "../x86/x86.h"

/* Mask of CPUs to interrupt; preemption off while in use. */
static DEFINE_PER_CPU(struct cpumask, kick_mask);

static void vm_init_fields(struct vm *vm)
{
	vm->mm = current->mm;
	refcount_set(&vm->refs, 1);
	vm->owner_pid = task_tgid_nr(current);
	registry_vm_init(vm);
	mutex_init(&vm->lock);
	mutex_init(&vm->slots_lock);
	mutex_init(&vm->irq_lock);
	raw_spin_lock_init(&vm->tsc_lock);
	hv_vm_init(vm);
	ratelimit_state_init(&vm->report_limit, 60 * HZ, 1);
	ratelimit_set_flags(&vm->report_limit, RATELIMIT_MSG_ON_RELEASE);
	xa_init(&vm->vcpus);
	INIT_LIST_HEAD(&vm->assigned);
	vm->identity_map_addr = JOIST_IDENTITY_MAP_DEFAULT;
}

/**
 * vm_create() - make a VM owned by the calling process
 *
 * Return: the VM with one reference, or ERR_PTR(): -ENOMEM, -EBUSY (no id), -EINTR (a signal
 * came while the notifier was being registered), or the vendor's errno.
 */
struct vm *vm_create(void)
{
	struct vm *vm = kzalloc(vendor->vm_size, GFP_KERNEL_ACCOUNT);
	int err;

	if (!vm)
		return ERR_PTR(-ENOMEM);
	vm_init_fields(vm);
	mmgrab(vm->mm);
	eventfd_vm_init(vm);
	tsc_vm_init(vm);
	pv_clock_vm_init(vm);

	err = init_srcu_struct(&vm->srcu);
	if (err)
		goto out_mm;
	err = init_srcu_struct(&vm->irq_srcu);
	if (err)
		goto out_srcu;
	memslots_init(vm);
	err = coalesced_vm_init(vm);
	if (err)
		goto out_memslots;
	err = iobus_init(vm);
	if (err)
		goto out_coalesced;
	err = mmu_vm_init(vm);
	if (err)
		goto out_iobus;
	err = vendor_call(vm_init)(vm);
	if (err)
		goto out_mmu;
	err = mmu_notifier_start(vm);
	if (err)
		goto out_vendor;
	err = registry_add(vm);
	if (err)
		goto out_notifier;
	preempt_notifier_inc();		/* for vcpu_load() */
	return vm;

out_notifier:
	mmu_notifier_stop(vm);
out_vendor:
	vendor_call(vm_destroy)(vm);
out_mmu:
	mmu_vm_free(vm);
out_iobus:
	iobus_free(vm);
out_coalesced:
	coalesced_vm_free(vm);
out_memslots:
	memslots_free(vm);
	cleanup_srcu_struct(&vm->irq_srcu);
out_srcu:
	cleanup_srcu_struct(&vm->srcu);
out_mm:
	registry_vm_free(vm);
	mmdrop(vm->mm);
	kfree(vm);
	return ERR_PTR(err);
}

/* No file refers to the VM any more: nothing of it runs or can be called. */
static void vm_destroy(struct vm *vm)
{
	struct vcpu *vcpu;
	u32 i;

	registry_remove(vm);
	preempt_notifier_dec();
	mmu_notifier_stop(vm);
	bypass_vm_end(vm);
	/* The PIT may still send to the vCPUs: it stops before they go. */
	irqchip_destroy(vm);
	irqchip_free_routing(vm);
	vm_for_each_vcpu(vm, vcpu, i)
		vcpu_destroy(vcpu);
	xa_destroy(&vm->vcpus);
	msr_filter_destroy(vm);
	iobus_free(vm);
	coalesced_vm_free(vm);
	mmu_vm_free(vm);
	vendor_call(vm_destroy)(vm);
	memslots_free(vm);
	cleanup_srcu_struct(&vm->irq_srcu);
	cleanup_srcu_struct(&vm->srcu);
	registry_vm_free(vm);
	mmdrop(vm->mm);
	kfree(vm);
}

/** vm_get() - one more file refers to the VM */
void vm_get(struct vm *vm)
{
	refcount_inc(&vm->refs);
}

/** vm_put() - one fewer; the last destroys it. Process context, may sleep. */
void vm_put(struct vm *vm)
{
	if (refcount_dec_and_test(&vm->refs))
		vm_destroy(vm);
}

/** vm_vcpu_by_id() - the vCPU with an APIC id, or NULL. Context: any. */
struct vcpu *vm_vcpu_by_id(struct vm *vm, u64 id)
{
	struct vcpu *vcpu;
	u32 i;

	vm_for_each_vcpu(vm, vcpu, i)
		if (vcpu->id == id)
			return vcpu;
	return NULL;
}

/**
 * vm_request_all() - leave a request for every vCPU and make them look
 * @vm: which
 * @req: enum request
 *
 * Does not wait. Context: any.
 */
void vm_request_all(struct vm *vm, unsigned int req)
{
	struct vcpu *vcpu;
	u32 i;

	vm_for_each_vcpu(vm, vcpu, i) {
		vcpu_request(vcpu, req);
		vcpu_kick(vcpu);
	}
}

static void kick_arrived(void *unused)
{
}

/**
 * vm_request_some_wait() - likewise, and be sure that none still runs the guest
 * with what the request makes stale
 * @vm: which
 * @req: enum request; consumed before each vCPU's next entry
 * @which: bitmap of vCPUs by index, NULL: all
 *
 * Halted vCPUs are not woken: they look before they enter. Context: interrupts
 * on; spinlocks may be held.
 */
void vm_request_some_wait(struct vm *vm, unsigned int req,
			  const unsigned long *which)
{
	struct cpumask *mask;
	struct vcpu *vcpu;
	int me, cpu;
	u32 i;

	me = get_cpu();
	mask = this_cpu_ptr(&kick_mask);
	cpumask_clear(mask);
	vm_for_each_vcpu(vm, vcpu, i) {
		if (which && !test_bit(i, which))
			continue;
		vcpu_request(vcpu, req);
		/* Pairs with the barrier between mode and requests at entry. */
		smp_mb__after_atomic();
		if (READ_ONCE(vcpu->mode) == VCPU_OUTSIDE)
			continue;
		cpu = READ_ONCE(vcpu->cpu);
		if (cpu >= 0 && cpu != me)
			__cpumask_set_cpu(cpu, mask);
	}
	if (!cpumask_empty(mask))
		smp_call_function_many(mask, kick_arrived, NULL, true);
	put_cpu();
}

/** vm_request_all_wait() - vm_request_some_wait() for every vCPU */
void vm_request_all_wait(struct vm *vm, unsigned int req)
{
	vm_request_some_wait(vm, req, NULL);
}
