// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netlink family's dumps. They go by the VMs' ids, which only grow: a VM that is there
 * from a dump's begin to its end is in it once, whatever comes and goes meanwhile. Nothing
 * is held between two messages.
 */
#include <linux/pid_namespace.h>

#include "../compat/genl.h"
#include "../irqchip/chips.h"
#include "../irqchip/irqchip.h"
#include "../passthrough/vfio.h"
#include "admin.h"
#include "memslot.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "vcpu.h"
#include "vm.h"

/**
 * struct dump_ctx - how far a dump is
 * @asker: who began it, in his own context
 * @vm: id of the VM to go on with
 * @at: its first part that is not sent
 * @only: no other VM than this; 0: all
 * @begun: the rest is valid
 */
struct dump_ctx {
	struct nl_asker asker;
	unsigned long vm;
	u32 at;
	u32 only;
	bool begun;
};

/*
 * Puts part @at of a VM. 0; -ENOENT: there is none, but the next may be; -ENODATA: it was
 * the last; -EMSGSIZE: no room. registry_lock is held.
 */
typedef int (*dump_fill)(struct sk_buff *skb, struct vm *vm, u32 at,
			 const struct nl_view *view);

static int dump_begin(struct dump_ctx *ctx, struct netlink_callback *cb, int vm_attr)
{
	struct nlattr **attrs = compat_genl_dump_attrs(cb);

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));
	nl_asker_get(&ctx->asker, cb->skb);
	if (attrs && vm_attr && attrs[vm_attr]) {
		ctx->only = nla_get_u32(attrs[vm_attr]);
		ctx->vm = ctx->only;
		if (!nl_vm_find(&ctx->asker, ctx->only, cb->extack))
			return -ENOENT;
	}
	ctx->begun = true;
	return 0;
}

static int dump_part(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd,
		     struct vm *vm, const struct nl_view *view, dump_fill fill)
{
	struct dump_ctx *ctx = (void *)cb->ctx;
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				&compat_genl, NLM_F_MULTI, cmd);
	int err;

	if (!hdr)
		return -EMSGSIZE;
	err = fill(skb, vm, ctx->at, view);
	if (err)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return err;
}

static int dump_vm(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd, struct vm *vm,
		   const struct nl_view *view, dump_fill fill)
{
	struct dump_ctx *ctx = (void *)cb->ctx;
	int err;

	for (;; ctx->at++) {
		err = dump_part(skb, cb, cmd, vm, view, fill);
		if (err && err != -ENOENT)
			return err;
	}
}

static int dump(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd, int vm_attr,
		dump_fill fill)
{
	struct dump_ctx *ctx = (void *)cb->ctx;
	struct nl_view view;
	struct vm *vm;
	int err = 0;

	mutex_lock(&registry_lock);
	if (!ctx->begun)
		err = dump_begin(ctx, cb, vm_attr);
	view.users = ctx->asker.users;
	view.pids = task_active_pid_ns(current);
	while (!err && (vm = registry_next(ctx->vm))) {
		if (ctx->only && vm->id != ctx->only)
			break;
		if (vm->id != ctx->vm)
			ctx->at = 0;
		ctx->vm = vm->id;
		if (nl_may_see(&ctx->asker, vm) &&
		    dump_vm(skb, cb, cmd, vm, &view, fill) == -EMSGSIZE) {
			/* More in the next message, unless this was empty. */
			err = skb->len ? 0 : -EMSGSIZE;
			break;
		}
		ctx->vm++;
		ctx->at = 0;
	}
	mutex_unlock(&registry_lock);
	return err ?: skb->len;
}

static int fill_vm(struct sk_buff *skb, struct vm *vm, u32 at, const struct nl_view *view)
{
	return at ? -ENODATA : nl_fill_vm(skb, vm, view, false);
}

int joist_nl_vm_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	int err = nl_no_attrs(cb->nlh, cb->extack);

	return err ?: dump(skb, cb, JOIST_CMD_VM_GET, 0, fill_vm);
}

static int fill_vcpu(struct sk_buff *skb, struct vm *vm, u32 at, const struct nl_view *view)
{
	if (at >= atomic_read(&vm->online_vcpus))
		return -ENODATA;
	smp_rmb();	/* pairs with vcpu_publish() */
	return nl_fill_vcpu(skb, vm_vcpu(vm, at), view);
}

int joist_nl_vcpu_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, JOIST_CMD_VCPU_GET, JOIST_A_VCPU_VM_ID, fill_vcpu);
}

static int put_slot(struct sk_buff *skb, struct vm *vm, const struct memslot *slot)
{
	if (nla_put_u32(skb, JOIST_A_SLOT_VM_ID, vm->id) ||
	    nla_put_u32(skb, JOIST_A_SLOT_ID, slot->id) ||
	    nla_put_u64_64bit(skb, JOIST_A_SLOT_GPA, gfn_to_gpa(slot->base_gfn),
			      JOIST_A_SLOT_PAD) ||
	    nla_put_u64_64bit(skb, JOIST_A_SLOT_SIZE, slot->npages << PAGE_SHIFT,
			      JOIST_A_SLOT_PAD) ||
	    nla_put_u64_64bit(skb, JOIST_A_SLOT_HVA, slot->hva, JOIST_A_SLOT_PAD) ||
	    (slot->flags & KVM_MEM_READONLY && nla_put_flag(skb, JOIST_A_SLOT_READ_ONLY)) ||
	    (memslot_logged(slot) && nla_put_flag(skb, JOIST_A_SLOT_LOG_DIRTY)))
		return -EMSGSIZE;
	return 0;
}

/* All parts of an address space, then those of the next. */
static int fill_slot(struct sk_buff *skb, struct vm *vm, u32 at, const struct nl_view *view)
{
	enum space space = at / MEMSLOTS_MAX;
	const struct memslot *slot;
	int err = -ENOENT, idx;

	if (space >= NR_SPACES)
		return -ENODATA;
	idx = srcu_read_lock(&vm->srcu);
	slot = memslots_nth(vm, space, at % MEMSLOTS_MAX);
	if (slot)
		err = put_slot(skb, vm, slot);
	srcu_read_unlock(&vm->srcu, idx);
	return err;
}

int joist_nl_slot_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, JOIST_CMD_SLOT_GET, JOIST_A_SLOT_VM_ID, fill_slot);
}

static const char *device_kind(struct vm *vm, u32 at)
{
	if (at)
		return vm_has_ioapic(vm) && irqchip_pit(vm->irqchip) ? "pit" : NULL;
	if (vm_has_ioapic(vm))
		return "irqchip";
	return vm_has_lapic(vm) ? "split-irqchip" : NULL;
}

/* A range of granted ports that begins with @port. */
static int put_ports(struct sk_buff *skb, struct vm *vm, u32 port)
{
	u32 nr;

	if (!ports_map(vm) || port > U16_MAX)
		return -ENODATA;
	nr = ports_at(vm, port);
	if (!nr)
		return -ENOENT;
	if (nla_put_u32(skb, JOIST_A_DEVICE_VM_ID, vm->id) ||
	    nla_put_string(skb, JOIST_A_DEVICE_KIND, "ports") ||
	    nla_put_u32(skb, JOIST_A_DEVICE_FIRST_PORT, port) ||
	    nla_put_u32(skb, JOIST_A_DEVICE_NR_PORTS, nr))
		return -EMSGSIZE;
	return 0;
}

static int put_assigned(struct sk_buff *skb, struct vm *vm, u32 n)
{
	struct assigned *a;

	list_for_each_entry(a, &vm->assigned, node)
		if (!n--)
			return nl_fill_assigned(skb, a, vm->id);
	return -ENOENT;
}

/* The chips, what is assigned, then ports. */
static int fill_device(struct sk_buff *skb, struct vm *vm, u32 at,
		       const struct nl_view *view)
{
	const char *kind;

	if (at >= 2 + ASSIGNED_MAX)
		return put_ports(skb, vm, at - 2 - ASSIGNED_MAX);
	if (at >= 2)
		return put_assigned(skb, vm, at - 2);
	kind = device_kind(vm, at);
	if (!kind)
		return -ENOENT;
	if (nla_put_u32(skb, JOIST_A_DEVICE_VM_ID, vm->id) ||
	    nla_put_string(skb, JOIST_A_DEVICE_KIND, kind))
		return -EMSGSIZE;
	return 0;
}

int joist_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, JOIST_CMD_DEVICE_GET, JOIST_A_DEVICE_VM_ID, fill_device);
}
