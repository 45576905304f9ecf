// SPDX-License-Identifier: GPL-2.0-only
/* Memory that a VM's guest plugs in and out: how much is, and is to be. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "js.h"

static void answer(struct pending *p)
{
	const struct vm_memory_reply *m = &p->vm->memory;
	struct json_object *obj = json_object_new_object(), *vm;

	js_add_int(obj, "size", (s64)(p->vm->def.memory + m->plugged));
	js_add_int(obj, "target", (s64)(p->vm->def.memory + m->wanted));
	js_add_int(obj, "most", (s64)(p->vm->def.memory + m->size));
	js_add_bool(obj, "driver", m->flags & MEMORY_DRIVER);
	vm = machine_json(p->vm);
	js_add(vm, "plugged", obj);
	pending_result(p, vm, -1);
}

static void told(struct pending *p, const struct vm_reply *reply)
{
	const struct vm_memory_reply *m = &p->vm->memory;

	if (reply->error == ENODEV || reply->error == EOPNOTSUPP) {
		pending_refuse(p, "failed", "the VM has no memory that can be plugged in",
			       "give it 'pluggable' in its definition, and start it again");
	} else if (reply->error) {
		pending_refuse(p, "failed", strerror((int)reply->error), NULL);
	} else if (p->wait && m->plugged != m->wanted) {
		p->waiting = FOR_MEMORY;
		if (p->limit >= 0)
			pending_timeout(p, p->limit);
	} else {
		answer(p);
	}
}

static void reached(struct pending *p)
{
	timer_clear(&p->timer);
	answer(p);
}

/* The guest has plugged in, or out, all that it was asked to. */
void machine_memory_at(struct machine *vm)
{
	char why[80];

	snprintf(why, sizeof(why), "the guest has %llu MiB",
		 (unsigned long long)(vm->def.memory + vm->memory.plugged) / MIB);
	event(vm, "memory", why);
	pendings_reached(vm, FOR_MEMORY, reached);
}

/* @target: with what the VM starts with; 0: it is only asked how much there is. */
void op_memory(struct request *req)
{
	u64 target = (u64)js_int(req->json, "target", 0);
	struct machine *vm = req->vm;
	const u64 most = vm->def.memory + vm->def.pluggable;
	struct pending *p;
	char why[120];

	if (!machine_takes_orders(vm)) {
		request_not_running(req);
		return;
	}
	if (target && (target < vm->def.memory || target > most)) {
		snprintf(why, sizeof(why), "the VM has %llu MiB of memory, and %llu at most",
			 (unsigned long long)vm->def.memory / MIB, (unsigned long long)most / MIB);
		client_refuse(req->client, req->id, "limit", why);
		return;
	}
	p = pending_amount(req);
	if (!p)
		return;
	p->process_done = told;
	if (machine_ask(vm, VM_MEMORY, p->token, target ? MEMORY_SET : 0,
			target ? (u32)((target - vm->def.memory) / MIB) : 0, -1))
		pending_busy(p);
}
