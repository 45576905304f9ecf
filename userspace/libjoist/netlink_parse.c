// SPDX-License-Identifier: GPL-2.0-only
/*
 * From messages of the family "joist" to plain structures. What a younger module sends and
 * this does not know is passed over.
 */
#include <errno.h>
#include <string.h>

#include <netlink/genl/genl.h>

#include "netlink_parse.h"

static struct nla_policy vm_policy[JOIST_A_VM_MAX + 1] = {
	[JOIST_A_VM_ID] = { .type = NLA_U32 },
	[JOIST_A_VM_UUID] = { .minlen = JOIST_UUID_LEN, .maxlen = JOIST_UUID_LEN },
	[JOIST_A_VM_NAME] = { .type = NLA_STRING },
	[JOIST_A_VM_STATE] = { .type = NLA_U32 },
	[JOIST_A_VM_OWNER_UID] = { .type = NLA_U32 },
	[JOIST_A_VM_OWNER_PID] = { .type = NLA_U32 },
	[JOIST_A_VM_AGE_MS] = { .type = NLA_U64 },
	[JOIST_A_VM_NESTED_PAGING] = { .type = NLA_FLAG },
	[JOIST_A_VM_VCPUS] = { .type = NLA_U32 },
	[JOIST_A_VM_MEMORY] = { .type = NLA_U64 },
	[JOIST_A_VM_LIMIT_VCPUS] = { .type = NLA_U32 },
	[JOIST_A_VM_LIMIT_MEMORY] = { .type = NLA_U64 },
	[JOIST_A_VM_LAST_FAULT] = { .type = NLA_NESTED },
	[JOIST_A_VM_CAUSE] = { .type = NLA_U32 },
	[JOIST_A_VM_SEQ] = { .type = NLA_U64 },
	[JOIST_A_VM_TRACE_EXITS] = { .type = NLA_U64 },
	[JOIST_A_VM_VM_SEQ] = { .type = NLA_U64 },
	[JOIST_A_VM_DIRTY_PAGES] = { .type = NLA_U64 },
};

static struct nla_policy fault_policy[JOIST_A_FAULT_MAX + 1] = {
	[JOIST_A_FAULT_KIND] = { .type = NLA_U32 },
	[JOIST_A_FAULT_VCPU] = { .type = NLA_U32 },
	[JOIST_A_FAULT_AGE_MS] = { .type = NLA_U64 },
	[JOIST_A_FAULT_REPORT] = { .type = NLA_STRING },
};

static struct nla_policy vcpu_policy[JOIST_A_VCPU_MAX + 1] = {
	[JOIST_A_VCPU_VM_ID] = { .type = NLA_U32 },
	[JOIST_A_VCPU_INDEX] = { .type = NLA_U32 },
	[JOIST_A_VCPU_APIC_ID] = { .type = NLA_U32 },
	[JOIST_A_VCPU_STATE] = { .type = NLA_U32 },
	[JOIST_A_VCPU_CPU] = { .type = NLA_U32 },
	[JOIST_A_VCPU_TID] = { .type = NLA_U32 },
	[JOIST_A_VCPU_GUEST_NS] = { .type = NLA_U64 },
	[JOIST_A_VCPU_EXITS] = { .type = NLA_U64 },
	[JOIST_A_VCPU_COUNTER] = { .type = NLA_NESTED },
};

static struct nla_policy counter_policy[JOIST_A_COUNTER_MAX + 1] = {
	[JOIST_A_COUNTER_ID] = { .type = NLA_U32 },
	[JOIST_A_COUNTER_NAME] = { .type = NLA_STRING },
	[JOIST_A_COUNTER_VALUE] = { .type = NLA_U64 },
};

static struct nla_policy slot_policy[JOIST_A_SLOT_MAX + 1] = {
	[JOIST_A_SLOT_VM_ID] = { .type = NLA_U32 },
	[JOIST_A_SLOT_ID] = { .type = NLA_U32 },
	[JOIST_A_SLOT_GPA] = { .type = NLA_U64 },
	[JOIST_A_SLOT_SIZE] = { .type = NLA_U64 },
	[JOIST_A_SLOT_HVA] = { .type = NLA_U64 },
	[JOIST_A_SLOT_READ_ONLY] = { .type = NLA_FLAG },
	[JOIST_A_SLOT_LOG_DIRTY] = { .type = NLA_FLAG },
};

static struct nla_policy device_policy[JOIST_A_DEVICE_MAX + 1] = {
	[JOIST_A_DEVICE_VM_ID] = { .type = NLA_U32 },
	[JOIST_A_DEVICE_KIND] = { .type = NLA_STRING },
	[JOIST_A_DEVICE_FIRST_PORT] = { .type = NLA_U32 },
	[JOIST_A_DEVICE_NR_PORTS] = { .type = NLA_U32 },
	[JOIST_A_DEVICE_IOMMU_GROUP] = { .type = NLA_U32 },
	[JOIST_A_DEVICE_PCI_DEVICE] = { .type = NLA_STRING },
	[JOIST_A_DEVICE_NO_SNOOP] = { .type = NLA_FLAG },
	[JOIST_A_DEVICE_SEQ] = { .type = NLA_U64 },
	[JOIST_A_DEVICE_VM_SEQ] = { .type = NLA_U64 },
};

static struct nla_policy host_policy[JOIST_A_HOST_MAX + 1] = {
	[JOIST_A_HOST_VENDOR] = { .type = NLA_STRING },
	[JOIST_A_HOST_VERSION] = { .type = NLA_STRING },
	[JOIST_A_HOST_VMS] = { .type = NLA_U32 },
	[JOIST_A_HOST_MAX_VCPUS] = { .type = NLA_U32 },
	[JOIST_A_HOST_FEATURE] = { .type = NLA_STRING },
	[JOIST_A_HOST_SEQ] = { .type = NLA_U64 },
};

static u32 get_u32(struct nlattr *const attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static u64 get_u64(struct nlattr *const attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

static const char *get_string(struct nlattr *const attr)
{
	const char *s = attr ? nla_data(attr) : "";

	/* The kernel's are; nobody else's come here. */
	return attr && !memchr(s, '\0', (size_t)nla_len(attr)) ? "" : s;
}

static int parse(struct nlmsghdr *hdr, struct nlattr **tb, int max,
		 const struct nla_policy *policy)
{
	return genlmsg_parse(hdr, 0, tb, max, policy) < 0 ? -EBADMSG : 0;
}

static int parse_fault(struct nlattr *attr, struct joist_nl_fault *fault)
{
	struct nlattr *tb[JOIST_A_FAULT_MAX + 1];

	if (!attr)
		return 0;
	if (nla_parse_nested(tb, JOIST_A_FAULT_MAX, attr, fault_policy) < 0)
		return -EBADMSG;
	fault->known = true;
	fault->kind = get_u32(tb[JOIST_A_FAULT_KIND]);
	fault->vcpu = get_u32(tb[JOIST_A_FAULT_VCPU]);
	fault->age_ms = get_u64(tb[JOIST_A_FAULT_AGE_MS]);
	if (tb[JOIST_A_FAULT_REPORT])
		fault->report = get_string(tb[JOIST_A_FAULT_REPORT]);
	return 0;
}

/* @cause may be NULL. Return: 0 or -EBADMSG; so do those below. */
int joist_nl_parse_vm(struct nlmsghdr *hdr, struct joist_nl_vm *vm,
		      enum joist_cause *cause)
{
	struct nlattr *tb[JOIST_A_VM_MAX + 1];

	memset(vm, 0, sizeof(*vm));
	if (parse(hdr, tb, JOIST_A_VM_MAX, vm_policy))
		return -EBADMSG;
	vm->id = get_u32(tb[JOIST_A_VM_ID]);
	if (tb[JOIST_A_VM_UUID])
		memcpy(vm->uuid, nla_data(tb[JOIST_A_VM_UUID]), JOIST_UUID_LEN);
	vm->name = get_string(tb[JOIST_A_VM_NAME]);
	vm->state = get_u32(tb[JOIST_A_VM_STATE]);
	vm->owner_uid = get_u32(tb[JOIST_A_VM_OWNER_UID]);
	vm->owner_pid = get_u32(tb[JOIST_A_VM_OWNER_PID]);
	vm->age_ms = get_u64(tb[JOIST_A_VM_AGE_MS]);
	vm->nested_paging = tb[JOIST_A_VM_NESTED_PAGING];
	vm->vcpus = get_u32(tb[JOIST_A_VM_VCPUS]);
	vm->memory = get_u64(tb[JOIST_A_VM_MEMORY]);
	vm->limit_vcpus = get_u32(tb[JOIST_A_VM_LIMIT_VCPUS]);
	vm->limit_memory = get_u64(tb[JOIST_A_VM_LIMIT_MEMORY]);
	vm->trace_exits = get_u64(tb[JOIST_A_VM_TRACE_EXITS]);
	vm->dirty_pages = get_u64(tb[JOIST_A_VM_DIRTY_PAGES]);
	vm->seq = get_u64(tb[JOIST_A_VM_SEQ]);
	vm->vm_seq = get_u64(tb[JOIST_A_VM_VM_SEQ]);
	if (cause)
		*cause = get_u32(tb[JOIST_A_VM_CAUSE]);
	return parse_fault(tb[JOIST_A_VM_LAST_FAULT], &vm->fault);
}

static int parse_counters(struct nlmsghdr *hdr, struct joist_nl_vcpu *vcpu,
			  struct joist_nl_room *room)
{
	struct nlattr *tb[JOIST_A_COUNTER_MAX + 1], *attr;
	struct genlmsghdr *genl = nlmsg_data(hdr);
	int rem;

	nla_for_each_attr(attr, genlmsg_attrdata(genl, 0), genlmsg_attrlen(genl, 0), rem) {
		struct joist_nl_counter *c = &room->counters[vcpu->nr_counters];

		if (nla_type(attr) != JOIST_A_VCPU_COUNTER ||
		    vcpu->nr_counters == JOIST_NL_COUNTERS)
			continue;
		if (nla_parse_nested(tb, JOIST_A_COUNTER_MAX, attr, counter_policy) < 0)
			return -EBADMSG;
		c->id = get_u32(tb[JOIST_A_COUNTER_ID]);
		c->name = get_string(tb[JOIST_A_COUNTER_NAME]);
		c->value = get_u64(tb[JOIST_A_COUNTER_VALUE]);
		vcpu->nr_counters++;
	}
	return 0;
}

int joist_nl_parse_vcpu(struct nlmsghdr *hdr, struct joist_nl_vcpu *vcpu,
			struct joist_nl_room *room)
{
	struct nlattr *tb[JOIST_A_VCPU_MAX + 1];

	memset(vcpu, 0, sizeof(*vcpu));
	if (parse(hdr, tb, JOIST_A_VCPU_MAX, vcpu_policy))
		return -EBADMSG;
	vcpu->vm_id = get_u32(tb[JOIST_A_VCPU_VM_ID]);
	vcpu->index = get_u32(tb[JOIST_A_VCPU_INDEX]);
	vcpu->apic_id = get_u32(tb[JOIST_A_VCPU_APIC_ID]);
	vcpu->state = get_u32(tb[JOIST_A_VCPU_STATE]);
	vcpu->cpu = -1;
	if (tb[JOIST_A_VCPU_CPU])
		vcpu->cpu = nla_get_u32(tb[JOIST_A_VCPU_CPU]);
	vcpu->tid = get_u32(tb[JOIST_A_VCPU_TID]);
	vcpu->guest_ns = get_u64(tb[JOIST_A_VCPU_GUEST_NS]);
	vcpu->exits = get_u64(tb[JOIST_A_VCPU_EXITS]);
	vcpu->counters = room->counters;
	return parse_counters(hdr, vcpu, room);
}

int joist_nl_parse_slot(struct nlmsghdr *hdr, struct joist_nl_slot *slot)
{
	struct nlattr *tb[JOIST_A_SLOT_MAX + 1];

	memset(slot, 0, sizeof(*slot));
	if (parse(hdr, tb, JOIST_A_SLOT_MAX, slot_policy))
		return -EBADMSG;
	slot->vm_id = get_u32(tb[JOIST_A_SLOT_VM_ID]);
	slot->id = get_u32(tb[JOIST_A_SLOT_ID]);
	slot->gpa = get_u64(tb[JOIST_A_SLOT_GPA]);
	slot->size = get_u64(tb[JOIST_A_SLOT_SIZE]);
	slot->hva = get_u64(tb[JOIST_A_SLOT_HVA]);
	slot->read_only = tb[JOIST_A_SLOT_READ_ONLY];
	slot->log_dirty = tb[JOIST_A_SLOT_LOG_DIRTY];
	return 0;
}

/* @event: NULL, or a VM that gets what an event says of it besides. */
int joist_nl_parse_device(struct nlmsghdr *hdr, struct joist_nl_device *device,
			  struct joist_nl_vm *event)
{
	struct nlattr *tb[JOIST_A_DEVICE_MAX + 1], *attr;
	struct genlmsghdr *genl = nlmsg_data(hdr);
	int rem;

	memset(device, 0, sizeof(*device));
	if (parse(hdr, tb, JOIST_A_DEVICE_MAX, device_policy))
		return -EBADMSG;
	device->vm_id = get_u32(tb[JOIST_A_DEVICE_VM_ID]);
	device->kind = get_string(tb[JOIST_A_DEVICE_KIND]);
	device->first_port = get_u32(tb[JOIST_A_DEVICE_FIRST_PORT]);
	device->nr_ports = get_u32(tb[JOIST_A_DEVICE_NR_PORTS]);
	device->iommu_group = -1;
	if (tb[JOIST_A_DEVICE_IOMMU_GROUP])
		device->iommu_group = nla_get_u32(tb[JOIST_A_DEVICE_IOMMU_GROUP]);
	device->no_snoop = tb[JOIST_A_DEVICE_NO_SNOOP];
	nla_for_each_attr(attr, genlmsg_attrdata(genl, 0), genlmsg_attrlen(genl, 0), rem)
		if (nla_type(attr) == JOIST_A_DEVICE_PCI_DEVICE &&
		    device->nr_pci < JOIST_NL_PCI)
			device->pci[device->nr_pci++] = get_string(attr);
	if (event) {
		event->id = device->vm_id;
		event->seq = get_u64(tb[JOIST_A_DEVICE_SEQ]);
		event->vm_seq = get_u64(tb[JOIST_A_DEVICE_VM_SEQ]);
	}
	return 0;
}

int joist_nl_parse_host(struct nlmsghdr *hdr, struct joist_nl_host *host)
{
	struct nlattr *tb[JOIST_A_HOST_MAX + 1], *attr;
	struct genlmsghdr *genl = nlmsg_data(hdr);
	int rem;

	memset(host, 0, sizeof(*host));
	if (parse(hdr, tb, JOIST_A_HOST_MAX, host_policy))
		return -EBADMSG;
	host->vendor = get_string(tb[JOIST_A_HOST_VENDOR]);
	host->version = get_string(tb[JOIST_A_HOST_VERSION]);
	host->vms = get_u32(tb[JOIST_A_HOST_VMS]);
	host->max_vcpus = get_u32(tb[JOIST_A_HOST_MAX_VCPUS]);
	host->seq = get_u64(tb[JOIST_A_HOST_SEQ]);
	nla_for_each_attr(attr, genlmsg_attrdata(genl, 0), genlmsg_attrlen(genl, 0), rem)
		if (nla_type(attr) == JOIST_A_HOST_FEATURE &&
		    host->nr_features < JOIST_NL_FEATURES)
			host->features[host->nr_features++] = get_string(attr);
	return 0;
}
