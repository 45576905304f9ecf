// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netlink family "joist": who asks, and requests about one VM. By
 * Documentation/netlink/specs/joist.yaml, from which netlink_gen.c is made.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/file.h>
#include <linux/pid_namespace.h>

#include "../compat/genl.h"
#include "admin.h"
#include "iobus.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "vcpu.h"
#include "vm.h"
#include "../x86/vendor_ops.h"

#define NEEDS_ADMIN	"needs CAP_SYS_ADMIN in the initial user namespace"

/**
 * nl_asker_get() - who sends a request
 * @asker: is filled in
 * @request: in the sender's context
 *
 * A program with other rights than the socket's opener may have been made to write to it:
 * what neither could ask for alone is not done.
 */
void nl_asker_get(struct nl_asker *asker, struct sk_buff *request)
{
	const struct file *file = NETLINK_CB(request).sk->sk_socket->file;

	asker->users = sk_user_ns(NETLINK_CB(request).sk);
	asker->admin = netlink_capable(request, CAP_SYS_ADMIN);
	asker->rawio = netlink_capable(request, CAP_SYS_RAWIO);
	asker->uid = current_euid();
	if (!uid_eq(file->f_cred->euid, asker->uid) &&
	    !file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN))
		asker->uid = INVALID_UID;
}

/** nl_may_see() - is the VM there for who asks? Then he may steer it, too. */
bool nl_may_see(const struct nl_asker *asker, const struct vm *vm)
{
	return asker->admin || uid_eq(asker->uid, vm->admin.owner_uid);
}

/**
 * nl_vm_find() - the VM that is asked for
 * @asker: by whom
 * @id: number
 * @extack: gets words
 *
 * Return: the VM, there while registry_lock is held, or NULL.
 */
struct vm *nl_vm_find(const struct nl_asker *asker, u32 id,
		      struct netlink_ext_ack *extack)
{
	struct vm *vm = registry_find(id);

	if (vm && nl_may_see(asker, vm))
		return vm;
	NL_SET_ERR_MSG(extack, "no VM with this id is yours");
	return NULL;
}

/**
 * nl_no_attrs() - refuse a request with attributes
 * @nlh: request for an operation that has none, of which kernels make nothing
 * @extack: gets words
 *
 * Return: 0 or -EINVAL.
 */
int nl_no_attrs(const struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	if (nlmsg_attrlen(nlh, GENL_HDRLEN) <= 0)
		return 0;
	NL_SET_ERR_MSG(extack, "this request has no attributes");
	return -EINVAL;
}

/* What is done with a VM: registry_lock is held. */
typedef int (*vm_op)(struct vm *vm, struct genl_info *info, const struct nl_asker *asker);

/* A request that names its VM by attribute @attr. */
static int vm_do(struct sk_buff *skb, struct genl_info *info, int attr, vm_op op)
{
	struct nl_asker asker;
	struct vm *vm;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, attr)) {
		NL_SET_ERR_MSG(info->extack, "which VM? Its id is missing");
		return -EINVAL;
	}
	nl_asker_get(&asker, skb);
	mutex_lock(&registry_lock);
	vm = nl_vm_find(&asker, nla_get_u32(info->attrs[attr]), info->extack);
	err = vm ? op(vm, info, &asker) : -ENOENT;
	mutex_unlock(&registry_lock);
	return err;
}

/* --- vm-get, host-get ---------------------------------------------------------- */

static int op_get(struct vm *vm, struct genl_info *info, const struct nl_asker *asker)
{
	struct nl_view view = {
		.users = asker->users,
		.pids = task_active_pid_ns(current),
	};
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE + JOIST_REPORT_MAX, GFP_KERNEL);
	void *hdr;
	int err;

	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put_reply(skb, info, &compat_genl, 0, JOIST_CMD_VM_GET);
	err = hdr ? nl_fill_vm(skb, vm, &view, true) : -EMSGSIZE;
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

int joist_nl_vm_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vm_do(skb, info, JOIST_A_VM_ID, op_get);
}

static u32 count_vms(const struct nl_asker *asker)
{
	unsigned long id = 0;
	struct vm *vm;
	u32 n = 0;

	while ((vm = registry_next(id))) {
		id = vm->id + 1UL;
		n += nl_may_see(asker, vm);
	}
	return n;
}

static int fill_features(struct sk_buff *skb)
{
	const char *name;
	unsigned int i;

	for (i = 0; (name = vendor_call(feature)(i)); i++)
		if (*name && nla_put_string(skb, JOIST_A_HOST_FEATURE, name))
			return -EMSGSIZE;
	return 0;
}

static int fill_host(struct sk_buff *skb, const struct nl_asker *asker)
{
	int err = -EMSGSIZE;

	mutex_lock(&registry_lock);
	if (!nla_put_string(skb, JOIST_A_HOST_VENDOR, vendor->name) &&
	    !nla_put_string(skb, JOIST_A_HOST_VERSION, JOIST_VERSION) &&
	    !nla_put_u32(skb, JOIST_A_HOST_VMS, count_vms(asker)) &&
	    !nla_put_u32(skb, JOIST_A_HOST_MAX_VCPUS, JOIST_MAX_VCPUS) &&
	    !nla_put_u64_64bit(skb, JOIST_A_HOST_SEQ, event_last(), JOIST_A_HOST_PAD))
		err = fill_features(skb);
	mutex_unlock(&registry_lock);
	return err;
}

int joist_nl_host_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nl_asker asker;
	struct sk_buff *reply;
	void *hdr;
	int err;

	err = nl_no_attrs(info->nlhdr, info->extack);
	if (err)
		return err;
	nl_asker_get(&asker, skb);
	reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &compat_genl, 0, JOIST_CMD_HOST_GET);
	err = hdr ? fill_host(reply, &asker) : -EMSGSIZE;
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

/* --- vm-set ---------------------------------------------------------------------- */

static bool name_valid(const struct nlattr *attr)
{
	const char *name = nla_data(attr);

	while (isascii(*name) && isgraph(*name))
		name++;
	return !*name;
}

/* Who owns a VM may bind himself, not loosen what binds him. */
static bool limit_valid(u64 old, u64 new, const struct nl_asker *asker)
{
	return asker->admin || (new && (!old || new <= old));
}

static int set_valid(struct vm *vm, struct genl_info *info, const struct nl_asker *asker)
{
	struct nlattr *name = info->attrs[JOIST_A_VM_NAME];
	struct nlattr *vcpus = info->attrs[JOIST_A_VM_LIMIT_VCPUS];
	struct nlattr *memory = info->attrs[JOIST_A_VM_LIMIT_MEMORY];
	struct nlattr *trace = info->attrs[JOIST_A_VM_TRACE_EXITS];

	if (name && !name_valid(name)) {
		NL_SET_ERR_MSG_ATTR(info->extack, name,
				    "name: printable ASCII without blanks");
		return -EINVAL;
	}
	if (vcpus && !limit_valid(vm->admin.limit_vcpus, nla_get_u32(vcpus), asker)) {
		NL_SET_ERR_MSG_ATTR(info->extack, vcpus,
				    "limit-vcpus: to lift it " NEEDS_ADMIN);
		return -EPERM;
	}
	if (memory && !limit_valid(vm->admin.limit_memory, nla_get_u64(memory), asker)) {
		NL_SET_ERR_MSG_ATTR(info->extack, memory,
				    "limit-memory: to lift it " NEEDS_ADMIN);
		return -EPERM;
	}
	if (trace && !vm_trace_valid(nla_get_u64(trace))) {
		NL_SET_ERR_MSG_ATTR(info->extack, trace,
				    "trace-exits: there is no such kind of exit");
		return -EINVAL;
	}
	return 0;
}

static int op_set(struct vm *vm, struct genl_info *info, const struct nl_asker *asker)
{
	struct vm_admin *admin = &vm->admin;
	struct nlattr **attrs = info->attrs;
	int err = set_valid(vm, info, asker);

	if (err)
		return err;
	if (attrs[JOIST_A_VM_NAME])
		nla_strscpy(admin->name, attrs[JOIST_A_VM_NAME], sizeof(admin->name));
	if (attrs[JOIST_A_VM_UUID])
		memcpy(&admin->uuid, nla_data(attrs[JOIST_A_VM_UUID]), UUID_SIZE);
	if (attrs[JOIST_A_VM_LIMIT_VCPUS])
		WRITE_ONCE(admin->limit_vcpus, nla_get_u32(attrs[JOIST_A_VM_LIMIT_VCPUS]));
	if (attrs[JOIST_A_VM_LIMIT_MEMORY])
		WRITE_ONCE(admin->limit_memory, nla_get_u64(attrs[JOIST_A_VM_LIMIT_MEMORY]));
	if (attrs[JOIST_A_VM_TRACE_EXITS])
		vm_trace(vm, nla_get_u64(attrs[JOIST_A_VM_TRACE_EXITS]));
	event_vm(vm, JOIST_CMD_VM_CHANGED);
	return 0;
}

int joist_nl_vm_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vm_do(skb, info, JOIST_A_VM_ID, op_set);
}

/* --- steering ---------------------------------------------------------------------- */

static int alive(struct vm *vm, struct genl_info *info)
{
	if (!vm->admin.dead)
		return 0;
	NL_SET_ERR_MSG(info->extack, "the VM was stopped by force");
	return -EIO;
}

static int op_pause(struct vm *vm, struct genl_info *info, const struct nl_asker *asker)
{
	int err = alive(vm, info);

	if (!err)
		vm_pause(vm);
	return err;
}

int joist_nl_vm_pause_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vm_do(skb, info, JOIST_A_VM_ID, op_pause);
}

static int op_resume(struct vm *vm, struct genl_info *info, const struct nl_asker *asker)
{
	int err = alive(vm, info);

	if (!err)
		vm_resume(vm);
	return err;
}

int joist_nl_vm_resume_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vm_do(skb, info, JOIST_A_VM_ID, op_resume);
}

static int op_stop(struct vm *vm, struct genl_info *info, const struct nl_asker *asker)
{
	int err;

	if (nla_get_flag(info->attrs[JOIST_A_VM_FORCE])) {
		vm_kill(vm);
		return 0;
	}
	err = alive(vm, info);
	if (err)
		return err;
	err = vm_stop(vm);
	if (err)
		NL_SET_ERR_MSG(info->extack, "the VM has no vCPU whose VMM could be asked");
	return err;
}

int joist_nl_vm_stop_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vm_do(skb, info, JOIST_A_VM_ID, op_stop);
}

static int op_nmi(struct vm *vm, struct genl_info *info, const struct nl_asker *asker)
{
	int err = alive(vm, info);

	if (!err)
		vm_nmi(vm);
	return err;
}

int joist_nl_vm_nmi_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vm_do(skb, info, JOIST_A_VM_ID, op_nmi);
}

/* --- ports ------------------------------------------------------------------------- */

static int ports_range(struct genl_info *info, u32 *first, u32 *nr)
{
	if (GENL_REQ_ATTR_CHECK(info, JOIST_A_DEVICE_FIRST_PORT) ||
	    GENL_REQ_ATTR_CHECK(info, JOIST_A_DEVICE_NR_PORTS)) {
		NL_SET_ERR_MSG(info->extack, "which ports? first-port or nr-ports is missing");
		return -EINVAL;
	}
	*first = nla_get_u32(info->attrs[JOIST_A_DEVICE_FIRST_PORT]);
	*nr = nla_get_u32(info->attrs[JOIST_A_DEVICE_NR_PORTS]);
	if (*first < IOBUS_PORTS && *nr <= IOBUS_PORTS - *first)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[JOIST_A_DEVICE_NR_PORTS],
			    "nr-ports: there are 65536 ports");
	return -ERANGE;
}

static int op_grant(struct vm *vm, struct genl_info *info, const struct nl_asker *asker)
{
	u32 first, nr;
	int err;

	if (!asker->rawio) {
		NL_SET_ERR_MSG(info->extack,
			       "needs CAP_SYS_RAWIO in the initial user namespace");
		return -EPERM;
	}
	err = alive(vm, info) ?: ports_range(info, &first, &nr);
	if (!err)
		err = ports_grant(vm, first, nr);
	if (err == -EBUSY)
		NL_SET_ERR_MSG(info->extack, "a device in the kernel has one of these ports");
	else if (err == -EPERM)
		NL_SET_ERR_MSG(info->extack,
			       "by ports 0xcf8 to 0xcff the host's PCI devices are configured");
	return err;
}

static int op_revoke(struct vm *vm, struct genl_info *info, const struct nl_asker *asker)
{
	u32 first, nr;
	int err = ports_range(info, &first, &nr);

	if (!err)
		ports_revoke(vm, first, nr);
	return err;
}

int joist_nl_port_grant_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vm_do(skb, info, JOIST_A_DEVICE_VM_ID, op_grant);
}

int joist_nl_port_revoke_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vm_do(skb, info, JOIST_A_DEVICE_VM_ID, op_revoke);
}

/* --- the module's ladder ------------------------------------------------------------- */

/** netlink_register() - the family is there from now on; 0 or -errno */
int netlink_register(void)
{
	int err = events_start();

	if (err)
		return err;
	err = compat_genl_register();
	if (err) {
		events_stop();
		return err;
	}
	events_enable(true);
	return 0;
}

/** netlink_unregister() - no request is under way after it, and no event is sent */
void netlink_unregister(void)
{
	events_enable(false);
	compat_genl_unregister();
	events_stop();
}
