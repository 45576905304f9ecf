/* SPDX-License-Identifier: GPL-2.0-only */
/* vCPUs that wait between two instructions of the guest. */
#ifndef VMM_PAUSE_H
#define VMM_PAUSE_H

#include <pthread.h>

#include "libjoist/types.h"

struct vcpu;
struct vm;

/**
 * struct pause - where they wait
 * @lock: protects the rest
 * @go: signalled when they may go on
 * @wanted: they are to wait
 * @parked: how many do
 */
struct pause {
	pthread_mutex_t lock;
	pthread_cond_t go;
	bool wanted;
	unsigned int parked;
};

void pause_init(struct pause *pause);
void pause_point(struct vcpu *vcpu);
void pause_end(struct vm *vm);
void vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);
bool vm_paused(struct vm *vm);

#endif
