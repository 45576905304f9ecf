// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM is kept from running, let go on, asked to end or made to, by someone who is not its
 * VMM. What vCPUs are to do is in their requests: nothing else is looked at on the way
 * into the guest.
 */
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "admin.h"
#include "netlink.h"
#include "run.h"
#include "vcpu.h"
#include "vm.h"
#include "../x86/x86.h"

/* None is in the guest when this returns, and each has looked before it is again. */
static void request_all_out(struct vm *vm, enum request req)
{
	struct vcpu *vcpu;
	u32 i;

	/* What a vCPU that is published now is to see: pairs with vcpu_admin_publish(). */
	smp_mb();
	vm_request_all_wait(vm, req);
	vm_for_each_vcpu(vm, vcpu, i)
		vcpu_wake(vcpu);
}

/**
 * vm_pause() - keep a VM's vCPUs from the guest until vm_resume()
 * @vm: registry_lock is held
 *
 * None is in it when this returns.
 */
void vm_pause(struct vm *vm)
{
	lockdep_assert_held(&registry_lock);
	if (vm->admin.paused)
		return;
	WRITE_ONCE(vm->admin.paused, true);
	request_all_out(vm, REQ_PAUSE);
	event_vm(vm, JOIST_CMD_VM_CHANGED);
}

static void pause_end(struct vm *vm)
{
	WRITE_ONCE(vm->admin.paused, false);
	wake_up_all(&vm->admin.wait);
}

/** vm_resume() - undo vm_pause(); registry_lock is held */
void vm_resume(struct vm *vm)
{
	lockdep_assert_held(&registry_lock);
	if (!vm->admin.paused)
		return;
	pause_end(vm);
	event_vm(vm, JOIST_CMD_VM_CHANGED);
}

/**
 * vm_stop() - ask the VMM to end its VM
 * @vm: registry_lock is held
 *
 * Return: 0, or -ENXIO: it has no vCPU that could ask.
 */
int vm_stop(struct vm *vm)
{
	lockdep_assert_held(&registry_lock);
	if (!atomic_read(&vm->online_vcpus))
		return -ENXIO;
	vm->admin.stopping = true;
	atomic_set(&vm->admin.asking, 1);
	/* The first that finds it: the thread of another may never come. */
	vm_request_all(vm, REQ_STOP);
	pause_end(vm);
	event_vm(vm, JOIST_CMD_VM_CHANGED);
	return 0;
}

/** vm_kill() - KVM_RUN fails from now on; registry_lock is held */
void vm_kill(struct vm *vm)
{
	lockdep_assert_held(&registry_lock);
	if (vm->admin.dead)
		return;
	WRITE_ONCE(vm->admin.dead, true);
	request_all_out(vm, REQ_DEAD);
	pause_end(vm);
	event_vm(vm, JOIST_CMD_VM_CHANGED);
}

/** vm_nmi() - an NMI for all vCPUs that run; registry_lock is held */
void vm_nmi(struct vm *vm)
{
	struct vcpu *vcpu;
	u32 i;

	lockdep_assert_held(&registry_lock);
	vm_for_each_vcpu(vm, vcpu, i) {
		u32 mp_state = READ_ONCE(vcpu->mp_state);

		/* What waits for its start has no handler to go to. */
		if (mp_state == KVM_MP_STATE_UNINITIALIZED ||
		    mp_state == KVM_MP_STATE_INIT_RECEIVED)
			continue;
		atomic_inc(&vcpu->nmi_queued);
		vcpu_request(vcpu, REQ_NMI);
		vcpu_kick(vcpu);
	}
}

/** vcpu_admin_publish() - a vCPU can be found now; it is as the others are */
void vcpu_admin_publish(struct vcpu *vcpu)
{
	const struct vm_admin *admin = &vcpu->vm->admin;

	/* Either this is seen or the vCPU is: pairs with request_all_out(). */
	smp_mb();
	if (READ_ONCE(admin->paused))
		vcpu_request(vcpu, REQ_PAUSE);
	if (READ_ONCE(admin->dead))
		vcpu_request(vcpu, REQ_DEAD);
	if (READ_ONCE(admin->ports))
		vcpu_request(vcpu, REQ_PORTS);
	if (READ_ONCE(admin->trace_exits))
		vcpu_request(vcpu, REQ_TRACE);
}

/**
 * vcpu_pause_wait() - REQ_PAUSE: wait for the VM's being resumed
 * @vcpu: owner thread, loaded
 *
 * Other threads have the CPU, and the VM's memory slots can change.
 *
 * Return: EXIT_RESUME, or -EINTR: a signal came; the next KVM_RUN waits again.
 */
int vcpu_pause_wait(struct vcpu *vcpu)
{
	struct vm_admin *admin = &vcpu->vm->admin;
	int ret;

	if (!READ_ONCE(admin->paused))
		return EXIT_RESUME;
	fpu_put_guest(vcpu);
	vcpu_put(vcpu);
	vcpu_srcu_drop(vcpu);
	WRITE_ONCE(vcpu->asleep, JOIST_VCPU_STATE_PAUSED);
	ret = wait_event_interruptible(admin->wait, !READ_ONCE(admin->paused));
	WRITE_ONCE(vcpu->asleep, JOIST_VCPU_STATE_USERSPACE);
	vcpu_load(vcpu);
	fpu_load_guest(vcpu);
	vcpu_srcu_hold(vcpu);
	if (!ret)
		return EXIT_RESUME;
	vcpu_request(vcpu, REQ_PAUSE);
	vcpu->run->exit_reason = KVM_EXIT_INTR;
	vcpu->stat.signal_exits++;
	return -EINTR;
}

/** vcpu_stop_exit() - REQ_STOP: the VMM hears, of one vCPU, that it is to end the VM */
int vcpu_stop_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	if (!atomic_xchg(&vcpu->vm->admin.asking, 0))
		return EXIT_RESUME;
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	memset(&run->system_event, 0, sizeof(run->system_event));
	run->system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
	return EXIT_USERSPACE;
}
