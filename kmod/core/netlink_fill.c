// SPDX-License-Identifier: GPL-2.0-only
/* VMs and vCPUs as attributes of messages. */
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>
#include <linux/timekeeping.h>

#include "../compat/genl.h"
#include "admin.h"
#include "netlink.h"
#include "stats.h"
#include "vcpu.h"
#include "vm.h"
#include "../passthrough/vfio.h"

/* A vCPU with all its counters fits the smallest message that a dump is given. */
#define COUNTER_BYTES	(3 * NLA_HDRLEN + NLA_HDRLEN + sizeof(u32) + sizeof(u64) + \
			 STATS_NAME_BYTES)
static_assert(NR_VCPU_STATS * COUNTER_BYTES + 128 < NLMSG_DEFAULT_SIZE);

static_assert(VFIO_MEMBERS_MAX * (NLA_HDRLEN + VFIO_NAME_BYTES) + 128 < NLMSG_DEFAULT_SIZE);

static u64 ms_since(u64 when)
{
	return div_u64(ktime_get_boottime_ns() - when, NSEC_PER_MSEC);
}

static u64 vm_memory(struct vm *vm)
{
	int idx = srcu_read_lock(&vm->srcu);
	u64 bytes = memslots_bytes(vm, SPACE_NORMAL);

	srcu_read_unlock(&vm->srcu, idx);
	return bytes;
}

/**
 * nl_fill_vm_short() - which VM it is, and whose
 * @skb: message
 * @vm: registry_lock is held
 * @view: how ids are told
 *
 * Return: 0, or -EMSGSIZE: no room.
 */
int nl_fill_vm_short(struct sk_buff *skb, struct vm *vm, const struct nl_view *view)
{
	const struct vm_admin *admin = &vm->admin;
	u32 pid = view->pids ? pid_nr_ns(admin->owner, view->pids) : 0;

	if (nla_put_u32(skb, JOIST_A_VM_ID, vm->id) ||
	    nla_put(skb, JOIST_A_VM_UUID, UUID_SIZE, &admin->uuid) ||
	    nla_put_string(skb, JOIST_A_VM_NAME, admin->name) ||
	    nla_put_u32(skb, JOIST_A_VM_OWNER_UID,
			from_kuid_munged(view->users, admin->owner_uid)) ||
	    nla_put_u32(skb, JOIST_A_VM_OWNER_PID, pid) ||
	    nla_put_u64_64bit(skb, JOIST_A_VM_SEQ, event_last(), JOIST_A_VM_PAD) ||
	    nla_put_u64_64bit(skb, JOIST_A_VM_VM_SEQ, admin->seq, JOIST_A_VM_PAD))
		return -EMSGSIZE;
	return 0;
}

/** nl_fill_fault() - the last fault, if there was one; @report: in words, too */
int nl_fill_fault(struct sk_buff *skb, struct vm *vm, bool report)
{
	const struct vm_fault_note *fault = vm->admin.fault;
	struct nlattr *nest;

	if (!fault)
		return 0;
	nest = nla_nest_start(skb, JOIST_A_VM_LAST_FAULT);
	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, JOIST_A_FAULT_KIND, fault->kind) ||
	    nla_put_u32(skb, JOIST_A_FAULT_VCPU, fault->idx) ||
	    nla_put_u64_64bit(skb, JOIST_A_FAULT_AGE_MS, ms_since(fault->when),
			      JOIST_A_FAULT_PAD) ||
	    (report && nla_put_string(skb, JOIST_A_FAULT_REPORT, fault->report)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/**
 * nl_fill_vm() - all of a VM
 * @skb: message
 * @vm: registry_lock is held
 * @view: how ids are told
 * @report: the last fault's, too, which is long
 *
 * Return: 0, or -EMSGSIZE: no room.
 */
int nl_fill_vm(struct sk_buff *skb, struct vm *vm, const struct nl_view *view,
	       bool report)
{
	const struct vm_admin *admin = &vm->admin;

	if (nl_fill_vm_short(skb, vm, view) ||
	    nla_put_u32(skb, JOIST_A_VM_STATE, registry_state(vm)) ||
	    nla_put_u64_64bit(skb, JOIST_A_VM_AGE_MS, ms_since(admin->created),
			      JOIST_A_VM_PAD) ||
	    nla_put_flag(skb, JOIST_A_VM_NESTED_PAGING) ||
	    nla_put_u32(skb, JOIST_A_VM_VCPUS, atomic_read(&vm->online_vcpus)) ||
	    nla_put_u64_64bit(skb, JOIST_A_VM_MEMORY, vm_memory(vm), JOIST_A_VM_PAD) ||
	    nla_put_u32(skb, JOIST_A_VM_LIMIT_VCPUS, admin->limit_vcpus) ||
	    nla_put_u64_64bit(skb, JOIST_A_VM_LIMIT_MEMORY, admin->limit_memory,
			      JOIST_A_VM_PAD) ||
	    nla_put_u64_64bit(skb, JOIST_A_VM_TRACE_EXITS, admin->trace_exits,
			      JOIST_A_VM_PAD) ||
	    nla_put_u64_64bit(skb, JOIST_A_VM_DIRTY_PAGES,
			      atomic64_read(&vm->dirty_pages), JOIST_A_VM_PAD))
		return -EMSGSIZE;
	return nl_fill_fault(skb, vm, report);
}

static int fill_counter(struct sk_buff *skb, u32 i, u64 value)
{
	struct nlattr *nest = nla_nest_start(skb, JOIST_A_VCPU_COUNTER);
	char name[STATS_NAME_BYTES];

	if (!nest)
		return -EMSGSIZE;
	stats_vcpu_name(i, name);
	if (nla_put_u32(skb, JOIST_A_COUNTER_ID, i) ||
	    nla_put_string(skb, JOIST_A_COUNTER_NAME, name) ||
	    nla_put_u64_64bit(skb, JOIST_A_COUNTER_VALUE, value, JOIST_A_COUNTER_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int fill_counters(struct sk_buff *skb, const struct vcpu *vcpu)
{
	u64 value, exits = 0;
	u32 i;

	for (i = 0; i < NR_VCPU_STATS; i++) {
		value = stats_vcpu_value(vcpu, i);
		if (i < NR_EXIT_KINDS)
			exits += value;
		if (value && fill_counter(skb, i, value))
			return -EMSGSIZE;
	}
	return nla_put_u64_64bit(skb, JOIST_A_VCPU_EXITS, exits, JOIST_A_VCPU_PAD);
}

/* The thread that last ran it. */
static int fill_thread(struct sk_buff *skb, struct vcpu *vcpu, const struct nl_view *view)
{
	struct task_struct *task;
	u64 ns = 0;
	u32 tid = 0;

	spin_lock(&vcpu->pid_lock);
	if (vcpu->pid && view->pids)
		tid = pid_nr_ns(vcpu->pid, view->pids);
	task = get_pid_task(vcpu->pid, PIDTYPE_PID);
	spin_unlock(&vcpu->pid_lock);
	if (task) {
		ns = READ_ONCE(task->gtime);
		put_task_struct(task);
	}
	if (nla_put_u32(skb, JOIST_A_VCPU_TID, tid) ||
	    nla_put_u64_64bit(skb, JOIST_A_VCPU_GUEST_NS, ns, JOIST_A_VCPU_PAD))
		return -EMSGSIZE;
	return 0;
}

/**
 * nl_fill_assigned() - devices of the host's that a VM has
 * @skb: message
 * @a: registry_lock is held
 * @vm: the VM's id
 *
 * Return: 0, or -EMSGSIZE: no room.
 */
int nl_fill_assigned(struct sk_buff *skb, const struct assigned *a, u32 vm)
{
	const struct vfio_members *members = &a->members;
	u32 i;

	if (nla_put_u32(skb, JOIST_A_DEVICE_VM_ID, vm) ||
	    nla_put_string(skb, JOIST_A_DEVICE_KIND, "vfio") ||
	    (members->group >= 0 &&
	     nla_put_u32(skb, JOIST_A_DEVICE_IOMMU_GROUP, members->group)) ||
	    (READ_ONCE(a->no_snoop) && nla_put_flag(skb, JOIST_A_DEVICE_NO_SNOOP)))
		return -EMSGSIZE;
	for (i = 0; i < members->nr; i++)
		if (nla_put_string(skb, JOIST_A_DEVICE_PCI_DEVICE, members->name[i]))
			return -EMSGSIZE;
	return 0;
}

/** nl_fill_vcpu() - a vCPU with its counters; see nl_fill_vm() */
int nl_fill_vcpu(struct sk_buff *skb, struct vcpu *vcpu, const struct nl_view *view)
{
	int cpu = READ_ONCE(vcpu->cpu);

	if (nla_put_u32(skb, JOIST_A_VCPU_VM_ID, vcpu->vm->id) ||
	    nla_put_u32(skb, JOIST_A_VCPU_INDEX, vcpu->idx) ||
	    nla_put_u32(skb, JOIST_A_VCPU_APIC_ID, vcpu->id) ||
	    nla_put_u32(skb, JOIST_A_VCPU_STATE, registry_vcpu_state(vcpu)) ||
	    (cpu >= 0 && nla_put_u32(skb, JOIST_A_VCPU_CPU, cpu)) ||
	    fill_thread(skb, vcpu, view) || fill_counters(skb, vcpu))
		return -EMSGSIZE;
	return 0;
}
