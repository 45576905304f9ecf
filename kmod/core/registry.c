// SPDX-License-Identifier: GPL-2.0-only
/* All VMs of the host, and what becomes of each in the eyes of others. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/xarray.h>

#include "admin.h"
#include "netlink.h"
#include "regs.h"
#include "report.h"
#include "vm.h"

DEFINE_MUTEX(registry_lock);	/* see admin.h */

static DEFINE_XARRAY(registry);		/* id -> struct vm; registry_lock */
static u32 last_id;			/* registry_lock */

/** registry_vm_init() - the administered part of a new VM; current is its creator */
void registry_vm_init(struct vm *vm)
{
	struct vm_admin *admin = &vm->admin;

	admin->owner_uid = current_euid();
	admin->owner = get_pid(task_tgid(current));
	admin->created = ktime_get_boottime_ns();
	uuid_gen(&admin->uuid);
	init_waitqueue_head(&admin->wait);
	ratelimit_state_init(&admin->fault_limit, 10 * HZ, 10);
	ratelimit_set_flags(&admin->fault_limit, RATELIMIT_MSG_ON_RELEASE);
}

/** registry_vm_free() - undo registry_vm_init(); the VM is not registered */
void registry_vm_free(struct vm *vm)
{
	put_pid(vm->admin.owner);
	kfree(vm->admin.fault);
	ports_free(vm);
}

/**
 * registry_add() - from now on the VM is there for everybody
 * @vm: complete
 *
 * It gets an id that no other has or had.
 *
 * Return: 0; -ENOMEM; -EBUSY: another has the id, after 4 billion VMs.
 */
int registry_add(struct vm *vm)
{
	int err;

	mutex_lock(&registry_lock);
	if (!++last_id)
		last_id = 1;
	vm->id = last_id;
	err = xa_insert(&registry, vm->id, vm, GFP_KERNEL_ACCOUNT);
	if (!err)
		event_vm(vm, JOIST_CMD_VM_CREATED);
	mutex_unlock(&registry_lock);
	return err;
}

/** registry_remove() - the VM is about to be destroyed: nobody finds it any more */
void registry_remove(struct vm *vm)
{
	mutex_lock(&registry_lock);
	xa_erase(&registry, vm->id);
	event_vm(vm, JOIST_CMD_VM_DESTROYED);
	mutex_unlock(&registry_lock);
}

/** registry_find() - the VM with an id, or NULL. It is there while the lock is held. */
struct vm *registry_find(u32 id)
{
	lockdep_assert_held(&registry_lock);
	return xa_load(&registry, id);
}

/** registry_next() - the VM with the lowest id that is not below @id, or NULL */
struct vm *registry_next(unsigned long id)
{
	unsigned long index = id;

	lockdep_assert_held(&registry_lock);
	return xa_find(&registry, &index, U32_MAX, XA_PRESENT);
}

/** registry_state() - what a VM is doing; registry_lock is held */
enum joist_vm_state registry_state(const struct vm *vm)
{
	const struct vm_admin *admin = &vm->admin;

	lockdep_assert_held(&registry_lock);
	if (admin->dead)
		return JOIST_VM_STATE_DEAD;
	if (admin->paused)
		return JOIST_VM_STATE_PAUSED;
	if (admin->stopping)
		return JOIST_VM_STATE_STOPPING;
	return admin->started ? JOIST_VM_STATE_STARTED : JOIST_VM_STATE_CREATED;
}

/** registry_cause() - why a VM without files ends; registry_lock is held */
enum joist_cause registry_cause(struct vm *vm)
{
	const struct vm_admin *admin = &vm->admin;
	const struct vm_fault_note *fault = admin->fault;

	lockdep_assert_held(&registry_lock);
	if (admin->dead)
		return JOIST_CAUSE_FORCED;
	if (admin->stopping)
		return JOIST_CAUSE_STOPPED;
	/* Unless its VMM has put it right, and gone on. */
	if (!fault || vm_vcpu(vm, fault->idx)->stat.entries != fault->entries)
		return JOIST_CAUSE_CLOSED;
	return fault->kind == JOIST_FAULT_KIND_TRIPLE_FAULT ? JOIST_CAUSE_SHUTDOWN :
							      JOIST_CAUSE_FAULT;
}

/**
 * registry_vcpu_state() - what a vCPU is doing
 * @vcpu: of a VM that is there
 *
 * A look from outside: it may be another a moment later.
 */
enum joist_vcpu_state registry_vcpu_state(struct vcpu *vcpu)
{
	enum joist_vcpu_state asleep = READ_ONCE(vcpu->asleep);

	if (asleep != JOIST_VCPU_STATE_USERSPACE)
		return asleep;
	return mutex_is_locked(&vcpu->mutex) ? JOIST_VCPU_STATE_RUNNING :
					       JOIST_VCPU_STATE_USERSPACE;
}

/** registry_note_start() - a vCPU is run for the first time; its mutex is held */
void registry_note_start(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	mutex_lock(&registry_lock);
	if (!vm->admin.started) {
		vm->admin.started = true;
		event_vm(vm, JOIST_CMD_VM_CHANGED);
	}
	mutex_unlock(&registry_lock);
}

/* It does not wake by itself, nor by another vCPU that does not. */
static bool vcpu_waits_for_good(struct vcpu *vcpu)
{
	switch (READ_ONCE(vcpu->mp_state)) {
	case KVM_MP_STATE_HALTED:
		return READ_ONCE(vcpu->halted_masked);
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_INIT_RECEIVED:
		return true;
	default:
		return false;
	}
}

static bool vm_waits_for_good(struct vm *vm)
{
	struct vcpu *vcpu;
	u32 i;

	vm_for_each_vcpu(vm, vcpu, i)
		if (!vcpu_waits_for_good(vcpu))
			return false;
	return true;
}

/**
 * registry_note_halt() - a vCPU waits with interrupts off
 * @vcpu: owner thread; halted_masked is cleared when it goes on
 */
void registry_note_halt(struct vcpu *vcpu)
{
	if (vcpu->halted_masked)	/* a signal came meanwhile, no more */
		return;
	mutex_lock(&registry_lock);
	WRITE_ONCE(vcpu->halted_masked, true);
	if (vm_waits_for_good(vcpu->vm))
		event_vm(vcpu->vm, JOIST_CMD_VM_HALTED);
	mutex_unlock(&registry_lock);
}

/**
 * registry_note_fault() - the guest has come to grief
 * @vcpu: owner thread, loaded
 * @kind: how
 * @why: in words
 *
 * A VMM that goes on and on with a broken guest is noted some times only.
 */
void registry_note_fault(struct vcpu *vcpu, enum joist_fault_kind kind, const char *why)
{
	struct vm_admin *admin = &vcpu->vm->admin;
	struct vm_fault_note *note;

	if (!__ratelimit(&admin->fault_limit))
		return;
	note = kmalloc(sizeof(*note), GFP_KERNEL_ACCOUNT);
	if (!note)
		return;
	note->kind = kind;
	note->idx = vcpu->idx;
	note->entries = vcpu->stat.entries;
	note->when = ktime_get_boottime_ns();
	report_compose(vcpu, why, note->report, sizeof(note->report));

	mutex_lock(&registry_lock);
	swap(admin->fault, note);
	event_vm(vcpu->vm, JOIST_CMD_VM_FAULT);
	mutex_unlock(&registry_lock);
	kfree(note);
}

/* Once, or a VMM that tries again and again fills the log. */
static void limit_tell(struct vm *vm, int bit, const char *what, u64 limit)
{
	if (!test_and_set_bit(bit, &vm->admin.told))
		pr_info("VM %u: more than its limit of %llu %s was refused\n", vm->id,
			limit, what);
}

/** registry_vcpu_allowed() - may the VM have @nr vCPUs? */
bool registry_vcpu_allowed(struct vm *vm, u32 nr)
{
	u32 limit = READ_ONCE(vm->admin.limit_vcpus);

	if (!limit || nr <= limit)
		return true;
	limit_tell(vm, LIMIT_TOLD_VCPUS, "vCPUs", limit);
	return false;
}

/** registry_memory_allowed() - may a VM have so much memory in an address space? */
bool registry_memory_allowed(struct vm *vm, u64 bytes)
{
	u64 limit = READ_ONCE(vm->admin.limit_memory);

	if (!limit || bytes <= limit)
		return true;
	limit_tell(vm, LIMIT_TOLD_MEMORY, "bytes", limit);
	return false;
}
