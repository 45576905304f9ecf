// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pausing: each vCPU's thread leaves KVM_RUN and waits. The main thread must not wait
 * for them: one may wait for it, to make room for what the guest prints. So it asks,
 * and the last to park wakes it.
 */
#include <linux/kvm.h>

#include "chipset/i6300esb.h"
#include "console.h"
#include "vcpu.h"
#include "vm.h"

void pause_init(struct pause *pause)
{
	pthread_mutex_init(&pause->lock, NULL);
	pthread_cond_init(&pause->go, NULL);
	pause->wanted = false;
	pause->parked = 0;
}

/* A vCPU's thread, outside of KVM_RUN: wait here while the VM is paused. */
void pause_point(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct pause *pause = &vm->pause;

	pthread_mutex_lock(&pause->lock);
	if (pause->wanted) {
		if (++pause->parked == vm->config->vcpus)
			console_wake(vm->console);
		while (pause->wanted && !vm_stopping(vm))
			pthread_cond_wait(&pause->go, &pause->lock);
		pause->parked--;
	}
	pthread_mutex_unlock(&pause->lock);
}

/* The VM ends: who waits here waits no longer. */
void pause_end(struct vm *vm)
{
	pthread_mutex_lock(&vm->pause.lock);
	pthread_cond_broadcast(&vm->pause.go);
	pthread_mutex_unlock(&vm->pause.lock);
}

/**
 * vm_pause() - have the vCPUs stop
 * @vm: VM that runs
 *
 * Main thread. Done when vm_paused() says so; the console's eventfd tells when to look.
 */
void vm_pause(struct vm *vm)
{
	pthread_mutex_lock(&vm->pause.lock);
	vm->pause.wanted = true;
	pthread_mutex_unlock(&vm->pause.lock);
	vcpus_kick(vm, true);
	i6300esb_hold(vm->watchdog, true);
}

/* Have them go on. Main thread. */
void vm_resume(struct vm *vm)
{
	i6300esb_hold(vm->watchdog, false);
	vcpus_kick(vm, false);
	pthread_mutex_lock(&vm->pause.lock);
	vm->pause.wanted = false;
	pthread_cond_broadcast(&vm->pause.go);
	pthread_mutex_unlock(&vm->pause.lock);
}

bool vm_paused(struct vm *vm)
{
	bool paused;

	pthread_mutex_lock(&vm->pause.lock);
	paused = vm->pause.wanted && vm->pause.parked == vm->config->vcpus;
	pthread_mutex_unlock(&vm->pause.lock);
	return paused;
}
