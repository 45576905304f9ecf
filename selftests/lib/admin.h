/* SPDX-License-Identifier: GPL-2.0-only */
/* VMs as the netlink family "joist" shows them. */
#ifndef JOIST_SELFTESTS_ADMIN_H
#define JOIST_SELFTESTS_ADMIN_H

#include <errno.h>
#include <string.h>

#include "genl.h"

#define JOIST_GROUP_LIFECYCLE	0
#define JOIST_GROUP_FAULT	1
#define JOIST_GROUP_STATS	2

struct admin_vm {
	uint32_t id;
	uint8_t uuid[16];
	char name[JOIST_NAME_MAX + 1];
	uint32_t state;
	uint32_t owner_uid;
	uint32_t owner_pid;
	bool nested_paging;
	uint32_t vcpus;
	uint64_t memory;
	uint32_t limit_vcpus;
	uint64_t limit_memory;
	uint64_t dirty_pages;
	uint64_t vm_seq;
	bool has_fault;
	uint32_t fault_kind;
	char report[JOIST_REPORT_MAX + 1];
};

/* Return: 0 */
static inline int admin_parse(struct nlmsghdr *hdr, void *arg)
{
	const struct nlattr *fault = genl_attr(hdr, JOIST_A_VM_LAST_FAULT);
	struct admin_vm *vm = arg;

	memset(vm, 0, sizeof(*vm));
	vm->id = genl_u32(genl_attr(hdr, JOIST_A_VM_ID));
	if (genl_attr(hdr, JOIST_A_VM_UUID))
		memcpy(vm->uuid, (char *)genl_attr(hdr, JOIST_A_VM_UUID) + NLA_HDRLEN, 16);
	strncpy(vm->name, genl_string(genl_attr(hdr, JOIST_A_VM_NAME)),
		sizeof(vm->name) - 1);
	vm->state = genl_u32(genl_attr(hdr, JOIST_A_VM_STATE));
	vm->owner_uid = genl_u32(genl_attr(hdr, JOIST_A_VM_OWNER_UID));
	vm->owner_pid = genl_u32(genl_attr(hdr, JOIST_A_VM_OWNER_PID));
	vm->nested_paging = genl_attr(hdr, JOIST_A_VM_NESTED_PAGING);
	vm->vcpus = genl_u32(genl_attr(hdr, JOIST_A_VM_VCPUS));
	vm->memory = genl_u64(genl_attr(hdr, JOIST_A_VM_MEMORY));
	vm->limit_vcpus = genl_u32(genl_attr(hdr, JOIST_A_VM_LIMIT_VCPUS));
	vm->limit_memory = genl_u64(genl_attr(hdr, JOIST_A_VM_LIMIT_MEMORY));
	vm->dirty_pages = genl_u64(genl_attr(hdr, JOIST_A_VM_DIRTY_PAGES));
	vm->vm_seq = genl_u64(genl_attr(hdr, JOIST_A_VM_VM_SEQ));
	vm->has_fault = fault;
	vm->fault_kind = genl_u32(genl_nested(fault, JOIST_A_FAULT_KIND));
	strncpy(vm->report, genl_string(genl_nested(fault, JOIST_A_FAULT_REPORT)),
		sizeof(vm->report) - 1);
	return 0;
}

/* 0 or -errno. */
static inline int admin_get(struct genl *g, uint32_t id, struct admin_vm *vm)
{
	struct genl_msg m;

	genl_begin(&m, g, JOIST_CMD_VM_GET, 0);
	genl_put_u32(&m, JOIST_A_VM_ID, id);
	return genl_ask(g, &m, admin_parse, vm);
}

static inline int admin_take_id(struct nlmsghdr *hdr, void *arg)
{
	*(uint32_t *)arg = genl_u32(genl_attr(hdr, JOIST_A_VM_ID));
	return 0;
}

/* The id of the VM that was made last; 0: there is none. */
static inline uint32_t admin_newest(struct genl *g)
{
	struct genl_msg m;
	uint32_t id = 0;

	genl_begin(&m, g, JOIST_CMD_VM_GET, NLM_F_DUMP);
	return genl_ask(g, &m, admin_take_id, &id) ? 0 : id;
}

/* JOIST_A_VM_LIMIT_*; 0 or -errno. */
static inline int admin_limit(struct genl *g, uint32_t id, int limit, uint64_t value)
{
	struct genl_msg m;

	genl_begin(&m, g, JOIST_CMD_VM_SET, 0);
	genl_put_u32(&m, JOIST_A_VM_ID, id);
	if (limit == JOIST_A_VM_LIMIT_VCPUS)
		genl_put_u32(&m, limit, value);
	else
		genl_put_u64(&m, limit, value);
	return genl_ask(g, &m, NULL, NULL);
}

static inline int admin_set_name(struct genl *g, uint32_t id, const char *name)
{
	struct genl_msg m;

	genl_begin(&m, g, JOIST_CMD_VM_SET, 0);
	genl_put_u32(&m, JOIST_A_VM_ID, id);
	genl_put_string(&m, JOIST_A_VM_NAME, name);
	return genl_ask(g, &m, NULL, NULL);
}

/* A request that needs the id alone: pause, resume, nmi, stop. */
static inline int admin_do(struct genl *g, uint8_t cmd, uint32_t id)
{
	return genl_simple(g, cmd, JOIST_A_VM_ID, id);
}

/* A grant of ports, or its end. 0 or -errno. */
static inline int admin_ports(struct genl *g, uint8_t cmd, uint32_t id, uint32_t first,
			      uint32_t nr)
{
	struct genl_msg m;

	genl_begin(&m, g, cmd, 0);
	genl_put_u32(&m, JOIST_A_DEVICE_VM_ID, id);
	genl_put_u32(&m, JOIST_A_DEVICE_FIRST_PORT, first);
	genl_put_u32(&m, JOIST_A_DEVICE_NR_PORTS, nr);
	return genl_ask(g, &m, NULL, NULL);
}

static inline int admin_kill(struct genl *g, uint32_t id)
{
	struct genl_msg m;

	genl_begin(&m, g, JOIST_CMD_VM_STOP, 0);
	genl_put_u32(&m, JOIST_A_VM_ID, id);
	genl_put(&m, JOIST_A_VM_FORCE, NULL, 0);
	return genl_ask(g, &m, NULL, NULL);
}

#endif
