// SPDX-License-Identifier: GPL-2.0-only
/*
 * The balloon of a VM: how much memory the guest is to keep, what it says of that, and what the
 * host has of it. Asked of the VM's process first, which asks the guest; then of the parent.
 * And what it has free, once: it keeps the right to it, and the host has it until it is used.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "js.h"

#define FRESH_SECONDS	1	/* that a guest has to tell new figures */
#define TEXT_SIZE	640	/* a sentence with the names of a VM's devices */
#define RECLAIM_SECONDS	60	/* that it has to hint what it has free */

/* By VIRTIO_BALLOON_S_*, and what kernels have added since. */
static const char *const stat_names[BALLOON_STATS] = {
	"swap-in", "swap-out", "major-faults", "minor-faults", "free", "total",
	"available", "caches", "hugetlb-allocated", "hugetlb-failed", "oom-kills",
	"allocation-stalls", "scanned", "scanned-directly", "reclaimed",
	"reclaimed-directly",
};

static void ask(struct pending *p, u32 flags, u64 target);

static struct json_object *guest_json(const struct vm_balloon_reply *b)
{
	struct json_object *obj;
	int i;

	if (!b->known)
		return NULL;
	obj = json_object_new_object();
	js_add_int(obj, "age-ms", (s64)b->age_ms);
	for (i = 0; i < BALLOON_STATS; i++)
		if (b->known & BIT_ULL(i))
			js_add(obj, stat_names[i], json_object_new_uint64(b->stat[i]));
	return obj;
}

/*
 * Why nothing goes back to the host, and how it would: the VM's devices have to go first. @why and
 * @remedy have room for TEXT_SIZE bytes.
 */
static void inhibited(const struct machine *vm, char *why, char *remedy)
{
	size_t i, nr = vm->devices ? json_object_array_length(vm->devices) : 0, len = 0;
	char names[TEXT_SIZE / 2] = "";

	for (i = 0; i < nr && len < sizeof(names); i++) {
		struct json_object *dev = json_object_array_get_idx(vm->devices, i);

		len += (size_t)snprintf(names + len, sizeof(names) - len, " %s",
					js_text(dev, "name") ?: "");
	}
	/* The last of them is on its way out. */
	if (!nr)
		snprintf(names, sizeof(names), " being released");
	snprintf(why, TEXT_SIZE,
		 "the balloon gives nothing back: the host's devices that the VM has (%s) use all of its memory",
		 names + 1);
	if (nr)
		snprintf(remedy, TEXT_SIZE, "release them: vmctl device release %s%s",
			 vm->def.name, names);
	else
		snprintf(remedy, TEXT_SIZE, "try again");
}

static struct json_object *inhibited_json(const struct machine *vm)
{
	char why[TEXT_SIZE], remedy[TEXT_SIZE];

	if (!(vm->balloon.flags & BALLOON_INHIBITED))
		return NULL;
	inhibited(vm, why, remedy);
	return json_object_new_string(why);
}

static struct json_object *balloon_json(const struct pending *p, struct json_object *host)
{
	const struct vm_balloon_reply *b = &p->vm->balloon;
	struct json_object *obj = json_object_new_object();
	s64 now = js_int(host, "resident", -1);

	js_add_int(obj, "target", (s64)b->target);
	js_add_int(obj, "actual", (s64)b->actual);
	js_add_bool(obj, "reached", b->flags & BALLOON_REACHED);
	js_add_bool(obj, "driver", b->flags & BALLOON_DRIVER);
	js_add(obj, "inhibited", inhibited_json(p->vm));
	js_add(obj, "resident", json_object_get(js_get(host, "resident")));
	js_add(obj, "swapped", json_object_get(js_get(host, "swapped")));
	js_add(obj, "guest", guest_json(b));
	if (p->hinted < 0)
		return obj;
	js_add_int(obj, "hinted", p->hinted);
	if (p->resident >= 0 && now >= 0)
		js_add_int(obj, "given-back", max(p->resident - now, (s64)0));
	return obj;
}

/* Return: whether the parent has told what the host has of a VM that is there; else @p is freed. */
static bool parent_measured(struct pending *p, struct msg *msg)
{
	if (parent_refused(p, msg))
		return false;
	if (p->vm)
		return true;
	pending_refuse(p, "not-found", "the VM is gone", NULL);
	return false;
}

/* The last of them: what the host has. */
static void measured(struct pending *p, struct msg *msg)
{
	struct json_object *obj;

	if (!parent_measured(p, msg))
		return;
	obj = machine_json(p->vm);
	js_add(obj, "balloon", balloon_json(p, msg->json));
	pending_result(p, obj, -1);
}

static void measure(struct pending *p, void (*done)(struct pending *p, struct msg *msg))
{
	struct json_object *msg = js_new("type", "memory");

	p->waiting = FOR_PARENT;
	p->parent_done = done;
	js_add_text(msg, "vm", p->vm->def.name);
	parent_ask(p, msg, -1);
}

static void wait_for_it(struct pending *p)
{
	p->waiting = FOR_BALLOON;
	if (p->limit >= 0)
		pending_timeout(p, p->limit);
}

static void no_balloon(struct pending *p)
{
	pending_refuse(p, "failed", "the VM has no balloon",
		       "give it one in its definition, and start it again");
}

static void refuse_inhibited(struct pending *p)
{
	char why[TEXT_SIZE], remedy[TEXT_SIZE];

	inhibited(p->vm, why, remedy);
	pending_refuse(p, "inhibited", why, remedy);
}

static void told(struct pending *p, const struct vm_reply *reply)
{
	timer_clear(&p->timer);
	p->late = NULL;
	if (reply->error == ENODEV || reply->error == EOPNOTSUPP)
		no_balloon(p);
	else if (reply->error == EPERM)
		refuse_inhibited(p);
	else if (reply->error)
		pending_refuse(p, "failed", strerror((int)reply->error), NULL);
	else if (p->wait && !(p->vm->balloon.flags & BALLOON_REACHED))
		wait_for_it(p);
	else
		measure(p, measured);
}

/* The guest does not tell: it goes without. */
static void no_news(struct pending *p)
{
	p->late = NULL;
	if (machine_ask(p->vm, VM_BALLOON, p->token, 0, 0, -1))
		pending_busy(p);
}

static void ask(struct pending *p, u32 flags, u64 target)
{
	/* A paused guest tells nothing. */
	bool fresh = p->vm->state != PAUSED;

	p->waiting = FOR_PROCESS;
	p->process_done = told;
	if (machine_ask(p->vm, VM_BALLOON, p->token, flags | (fresh ? BALLOON_FRESH : 0),
			(u32)(align_up(target, PAGE_SIZE) / PAGE_SIZE), -1)) {
		pending_busy(p);
		return;
	}
	p->late = fresh ? no_news : NULL;
	if (fresh)
		pending_timeout(p, FRESH_SECONDS);
}

/* It is there: how it is now, with new figures. */
static void ask_again(struct pending *p)
{
	p->wait = false;
	timer_clear(&p->timer);
	ask(p, 0, 0);
}

/* The guest has given back, or taken, all that it was asked to. */
void machine_balloon_at(struct machine *vm)
{
	char why[80];

	snprintf(why, sizeof(why), "the guest keeps %llu MiB of %llu",
		 (unsigned long long)vm->balloon.actual / MIB,
		 (unsigned long long)vm->def.memory / MIB);
	event(vm, "balloon", why);
	pendings_reached(vm, FOR_BALLOON, ask_again);
}

static void not_reclaimed(struct pending *p, u32 error)
{
	switch (error) {
	case ENODEV:
		no_balloon(p);
		break;
	case EPERM:
		refuse_inhibited(p);
		break;
	case ENXIO:
		pending_refuse(p, "failed", "the guest has no driver for the balloon",
			       "load it in the guest: modprobe virtio_balloon");
		break;
	case EPROTONOSUPPORT:
		pending_refuse(p, "failed", "the guest's driver cannot tell what memory is free",
			       "Linux has it since 4.19; a size for the balloon works with any");
		break;
	case EOPNOTSUPP:
		pending_refuse(p, "failed", "the VM's process is of an older vmd, which cannot",
			       "start the VM again");
		break;
	case EBUSY:
		pending_refuse(p, "busy", "the guest is being asked for what it has free", NULL);
		break;
	case ECANCELED:
		pending_refuse(p, "failed", "the guest's driver was reset meanwhile", "ask again");
		break;
	case EIO:
		pending_refuse(p, "failed", "the guest broke the rules of the balloon",
			       "the VM's log tells more");
		break;
	default:
		pending_refuse(p, "failed", strerror((int)error), NULL);
	}
}

static void reclaimed(struct pending *p, const struct vm_reply *head)
{
	timer_clear(&p->timer);
	p->late = NULL;
	if (head->error) {
		not_reclaimed(p, head->error);
		return;
	}
	p->hinted = (s64)container_of(head, struct vm_reclaim_reply, head)->bytes;
	ask(p, 0, 0);
}

/* What it has hinted is the host's all the same. */
static void reclaims_too_long(struct pending *p)
{
	machine_ask(p->vm, VM_RECLAIM, 0, RECLAIM_END, 0, -1);
	pending_refuse(p, "timeout", "the guest has not told in time all that it has free", NULL);
}

/* What the host has before; after it, another time. */
static void measured_before(struct pending *p, struct msg *msg)
{
	if (!parent_measured(p, msg))
		return;
	p->resident = js_int(msg->json, "resident", -1);
	p->waiting = FOR_PROCESS;
	p->process_done = reclaimed;
	if (machine_ask(p->vm, VM_RECLAIM, p->token, 0, 0, -1)) {
		pending_busy(p);
		return;
	}
	p->late = reclaims_too_long;
	pending_timeout(p, p->limit);
}

static void reclaim(struct request *req)
{
	struct pending *p;

	if (req->vm->state == PAUSED) {
		client_refuse(req->client, req->id, "busy",
			      "the VM is paused: its guest cannot tell what it has free");
		return;
	}
	p = pending_new(req, FOR_PARENT);
	if (!p)
		return;
	p->limit = request_seconds(req, RECLAIM_SECONDS);
	measure(p, measured_before);
}

void op_balloon(struct request *req)
{
	u64 target = (u64)js_int(req->json, "target", 0);
	struct machine *vm = req->vm;
	struct pending *p;
	char why[80];

	if (!machine_takes_orders(vm)) {
		request_not_running(req);
		return;
	}
	if (js_bool(req->json, "reclaim", false)) {
		if (target || js_bool(req->json, "wait", false))
			client_refuse(req->client, req->id, "bad-request",
				      "'reclaim' is without a target, and waits by itself");
		else
			reclaim(req);
		return;
	}
	if (target > vm->def.memory) {
		snprintf(why, sizeof(why), "the VM has no more than %llu MiB of memory",
			 (unsigned long long)vm->def.memory / MIB);
		client_refuse(req->client, req->id, "limit", why);
		return;
	}
	p = pending_amount(req);
	if (!p)
		return;
	ask(p, target ? BALLOON_SET : 0, target);
}
