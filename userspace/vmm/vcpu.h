/* SPDX-License-Identifier: GPL-2.0-only */
/* One virtual CPU and the thread that runs it. */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include <pthread.h>

#include "libjoist/types.h"

#define EXIT_RING	16	/* a power of two */

struct boot_entry;
struct kvm_run;
struct vm;

/* One exit to us, remembered for the report. */
struct exit_record {
	u32 reason;
	u8 len;
	bool write;
	u64 addr;
	u64 data;
};

/**
 * struct vcpu - one virtual CPU
 * @ring: the last exits; written by the vCPU's thread only
 * @exits: how many there were
 * @serving: odd while an exit is served, and devices are in use; atomic
 */
struct vcpu {
	struct vm *vm;
	unsigned int id;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool started;
	u64 exits;
	u64 serving;
	struct exit_record ring[EXIT_RING];
};

int vcpus_create(struct vm *vm);
void vcpus_destroy(struct vm *vm);
int vcpus_start(struct vm *vm);
void vcpus_stop(struct vm *vm);
void vcpus_grace(struct vm *vm);
void vcpus_kick(struct vm *vm, bool stay);
int vcpus_nmi(struct vm *vm);
int vcpu_boot(struct vcpu *vcpu, const struct boot_entry *entry);
struct vcpu *vcpu_current(void);

/* cpuid.c */
int vcpu_init_cpuid(struct vm *vm);

/* exit.c */
bool vcpu_handle_exit(struct vcpu *vcpu);

#endif
