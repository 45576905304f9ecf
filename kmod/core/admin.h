/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What those who are not its VMM see and want of a VM: it is registered, watched, paused,
 * stopped and limited. The face of it is the netlink family "joist".
 */
#ifndef JOIST_CORE_ADMIN_H
#define JOIST_CORE_ADMIN_H

#include <linux/mutex.h>
#include <linux/ratelimit_types.h>
#include <linux/uidgid.h>
#include <linux/uuid.h>
#include <linux/wait.h>
#include <uapi/linux/joist_netlink.h>

#include "types.h"

struct pid;
struct vcpu;
struct vm;

/* Bits of vm_admin.told: said once in the log. */
#define LIMIT_TOLD_VCPUS	0
#define LIMIT_TOLD_MEMORY	1

/**
 * struct vm_fault_note - what a guest came to grief by last
 * @kind: which kind of grief
 * @idx: of the vCPU
 * @entries: that the vCPU had made by then
 * @when: boot time, ns
 * @report: lines for a person
 */
struct vm_fault_note {
	enum joist_fault_kind kind;
	u32 idx;
	u64 entries;
	u64 when;
	char report[JOIST_REPORT_MAX + 1];
};

/**
 * struct vm_admin - a VM as it is administered
 * @owner_uid: (c) effective, of its creator
 * @owner: (c) its creator's process; a reference
 * @created: (c) boot time, ns
 * @uuid: (r)
 * @name: (r)
 * @seq: (r) number of its last event
 * @started: (r) a vCPU was run
 * @stopping: (r) its VMM was asked to end it
 * @asking: atomic: it is still to be asked
 * @paused: (r) to write; no vCPU enters the guest
 * @dead: (r) to write; KVM_RUN fails
 * @wait: threads of paused vCPUs
 * @limit_vcpus: (r) to write; 0: none
 * @limit_memory: (r) to write; bytes, 0: none
 * @trace_exits: (r) to write; bits of exit kinds
 * @ports: (r) to write, once; bits: atomic. A port's: accesses exit. NULL: all do
 * @told: atomic bits
 * @fault: (r) the last, or NULL
 * @fault_limit: locks itself
 *
 * Protection: (c) constant once registered, (r) registry_lock.
 */
struct vm_admin {
	kuid_t owner_uid;
	struct pid *owner;
	u64 created;
	uuid_t uuid;
	char name[JOIST_NAME_MAX + 1];
	u64 seq;
	bool started;
	bool stopping;
	atomic_t asking;
	bool paused;
	bool dead;
	wait_queue_head_t wait;
	u32 limit_vcpus;
	u64 limit_memory;
	u64 trace_exits;
	unsigned long *ports;
	unsigned long told;
	struct vm_fault_note *fault;
	struct ratelimit_state fault_limit;
};

/*
 * registry_lock: which VMs there are, (r) above, and the order of events. Who holds it has
 * the VMs that he finds, waits for nobody but CPUs that answer an interrupt, and takes
 * of the module's locks only read sections of vm->srcu.
 */
extern struct mutex registry_lock;

/* registry.c */
void registry_vm_init(struct vm *vm);
int registry_add(struct vm *vm);
void registry_remove(struct vm *vm);
void registry_vm_free(struct vm *vm);
struct vm *registry_find(u32 id);
struct vm *registry_next(unsigned long id);
void registry_note_start(struct vcpu *vcpu);
void registry_note_halt(struct vcpu *vcpu);
void registry_note_fault(struct vcpu *vcpu, enum joist_fault_kind kind, const char *why);
enum joist_vm_state registry_state(const struct vm *vm);
enum joist_cause registry_cause(struct vm *vm);
enum joist_vcpu_state registry_vcpu_state(struct vcpu *vcpu);
bool registry_vcpu_allowed(struct vm *vm, u32 nr);
bool registry_memory_allowed(struct vm *vm, u64 bytes);

/* pause.c; registry_lock is held */
void vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);
int vm_stop(struct vm *vm);
void vm_kill(struct vm *vm);
void vm_nmi(struct vm *vm);

/* trace.c; registry_lock is held */
bool vm_trace_valid(u64 kinds);
void vm_trace(struct vm *vm, u64 kinds);

/* trace.c, the vCPU's side */
void vcpu_trace_update(struct vcpu *vcpu);
void vcpu_trace_exit(struct vcpu *vcpu);

/* ports.c; registry_lock is held */
int ports_grant(struct vm *vm, u32 first, u32 nr);
void ports_revoke(struct vm *vm, u32 first, u32 nr);
u32 ports_at(struct vm *vm, u32 port);

/* ports.c, others */
void ports_claim(struct vm *vm, u64 first, u32 nr);
void ports_free(struct vm *vm);

/* pause.c, the vCPU's side */
void vcpu_admin_publish(struct vcpu *vcpu);
int vcpu_pause_wait(struct vcpu *vcpu);
int vcpu_stop_exit(struct vcpu *vcpu);

#endif
