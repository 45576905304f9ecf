// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/joist.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/joist_netlink.h>

/* JOIST_CMD_VM_GET - do */
static const struct nla_policy joist_vm_get_nl_policy[JOIST_A_VM_ID + 1] = {
	[JOIST_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* JOIST_CMD_VM_SET - do */
static const struct nla_policy joist_vm_set_nl_policy[JOIST_A_VM_TRACE_EXITS + 1] = {
	[JOIST_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[JOIST_A_VM_NAME] = { .type = NLA_NUL_STRING, .len = JOIST_NAME_MAX, },
	[JOIST_A_VM_UUID] = NLA_POLICY_EXACT_LEN(16),
	[JOIST_A_VM_LIMIT_VCPUS] = { .type = NLA_U32, },
	[JOIST_A_VM_LIMIT_MEMORY] = { .type = NLA_U64, },
	[JOIST_A_VM_TRACE_EXITS] = { .type = NLA_U64, },
};

/* JOIST_CMD_VM_PAUSE - do */
static const struct nla_policy joist_vm_pause_nl_policy[JOIST_A_VM_ID + 1] = {
	[JOIST_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* JOIST_CMD_VM_RESUME - do */
static const struct nla_policy joist_vm_resume_nl_policy[JOIST_A_VM_ID + 1] = {
	[JOIST_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* JOIST_CMD_VM_STOP - do */
static const struct nla_policy joist_vm_stop_nl_policy[JOIST_A_VM_FORCE + 1] = {
	[JOIST_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[JOIST_A_VM_FORCE] = { .type = NLA_FLAG, },
};

/* JOIST_CMD_VM_NMI - do */
static const struct nla_policy joist_vm_nmi_nl_policy[JOIST_A_VM_ID + 1] = {
	[JOIST_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* JOIST_CMD_VCPU_GET - dump */
static const struct nla_policy joist_vcpu_get_nl_policy[JOIST_A_VCPU_VM_ID + 1] = {
	[JOIST_A_VCPU_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* JOIST_CMD_SLOT_GET - dump */
static const struct nla_policy joist_slot_get_nl_policy[JOIST_A_SLOT_VM_ID + 1] = {
	[JOIST_A_SLOT_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* JOIST_CMD_DEVICE_GET - dump */
static const struct nla_policy joist_device_get_nl_policy[JOIST_A_DEVICE_VM_ID + 1] = {
	[JOIST_A_DEVICE_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* JOIST_CMD_PORT_GRANT - do */
static const struct nla_policy joist_port_grant_nl_policy[JOIST_A_DEVICE_NR_PORTS + 1] = {
	[JOIST_A_DEVICE_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[JOIST_A_DEVICE_FIRST_PORT] = { .type = NLA_U32, },
	[JOIST_A_DEVICE_NR_PORTS] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* JOIST_CMD_PORT_REVOKE - do */
static const struct nla_policy joist_port_revoke_nl_policy[JOIST_A_DEVICE_NR_PORTS + 1] = {
	[JOIST_A_DEVICE_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[JOIST_A_DEVICE_FIRST_PORT] = { .type = NLA_U32, },
	[JOIST_A_DEVICE_NR_PORTS] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* JOIST_CMD_STATS_SUBSCRIBE - do */
static const struct nla_policy joist_stats_subscribe_nl_policy[JOIST_A_HOST_STATS_PERIOD_MS + 1] = {
	[JOIST_A_HOST_STATS_PERIOD_MS] = { .type = NLA_U32, },
};

/* Ops table for joist */
static const struct genl_split_ops joist_nl_ops[] = {
	{
		.cmd	= JOIST_CMD_HOST_GET,
		.doit	= joist_nl_host_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= JOIST_CMD_VM_GET,
		.doit		= joist_nl_vm_get_doit,
		.policy		= joist_vm_get_nl_policy,
		.maxattr	= JOIST_A_VM_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= JOIST_CMD_VM_GET,
		.dumpit	= joist_nl_vm_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= JOIST_CMD_VM_SET,
		.doit		= joist_nl_vm_set_doit,
		.policy		= joist_vm_set_nl_policy,
		.maxattr	= JOIST_A_VM_TRACE_EXITS,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= JOIST_CMD_VM_PAUSE,
		.doit		= joist_nl_vm_pause_doit,
		.policy		= joist_vm_pause_nl_policy,
		.maxattr	= JOIST_A_VM_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= JOIST_CMD_VM_RESUME,
		.doit		= joist_nl_vm_resume_doit,
		.policy		= joist_vm_resume_nl_policy,
		.maxattr	= JOIST_A_VM_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= JOIST_CMD_VM_STOP,
		.doit		= joist_nl_vm_stop_doit,
		.policy		= joist_vm_stop_nl_policy,
		.maxattr	= JOIST_A_VM_FORCE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= JOIST_CMD_VM_NMI,
		.doit		= joist_nl_vm_nmi_doit,
		.policy		= joist_vm_nmi_nl_policy,
		.maxattr	= JOIST_A_VM_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= JOIST_CMD_VCPU_GET,
		.dumpit		= joist_nl_vcpu_get_dumpit,
		.policy		= joist_vcpu_get_nl_policy,
		.maxattr	= JOIST_A_VCPU_VM_ID,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= JOIST_CMD_SLOT_GET,
		.dumpit		= joist_nl_slot_get_dumpit,
		.policy		= joist_slot_get_nl_policy,
		.maxattr	= JOIST_A_SLOT_VM_ID,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= JOIST_CMD_DEVICE_GET,
		.dumpit		= joist_nl_device_get_dumpit,
		.policy		= joist_device_get_nl_policy,
		.maxattr	= JOIST_A_DEVICE_VM_ID,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= JOIST_CMD_PORT_GRANT,
		.doit		= joist_nl_port_grant_doit,
		.policy		= joist_port_grant_nl_policy,
		.maxattr	= JOIST_A_DEVICE_NR_PORTS,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= JOIST_CMD_PORT_REVOKE,
		.doit		= joist_nl_port_revoke_doit,
		.policy		= joist_port_revoke_nl_policy,
		.maxattr	= JOIST_A_DEVICE_NR_PORTS,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= JOIST_CMD_STATS_SUBSCRIBE,
		.doit		= joist_nl_stats_subscribe_doit,
		.policy		= joist_stats_subscribe_nl_policy,
		.maxattr	= JOIST_A_HOST_STATS_PERIOD_MS,
		.flags		= GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group joist_nl_mcgrps[] = {
	[JOIST_NLGRP_LIFECYCLE] = { "lifecycle", },
	[JOIST_NLGRP_FAULT] = { "fault", },
	[JOIST_NLGRP_STATS] = { "stats", },
};

struct genl_family joist_nl_family __ro_after_init = {
	.name		= JOIST_FAMILY_NAME,
	.version	= JOIST_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= joist_nl_ops,
	.n_split_ops	= ARRAY_SIZE(joist_nl_ops),
	.mcgrps		= joist_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(joist_nl_mcgrps),
};
