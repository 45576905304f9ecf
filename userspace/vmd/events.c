// SPDX-License-Identifier: GPL-2.0-only
/* Events: told to the clients that asked for them and may see the VM. */
#include <string.h>

#include "control.h"
#include "js.h"

static u64 seq;

u64 event_last(void)
{
	return seq;
}

struct news {
	const struct machine *vm;
	struct json_object *line;
};

static bool interested(const struct client *c, const struct machine *vm)
{
	if (!c->events)
		return false;
	if (*c->events_vm && (!vm || strcmp(c->events_vm, vm->def.name)))
		return false;
	return !vm || peer_is_admin(&c->peer, control.admin_gid) ||
	       peer_owns(&c->peer, &vm->def.owner);
}

static void tell(struct client *c, void *arg)
{
	const struct news *news = arg;

	if (interested(c, news->vm))
		client_send(c, json_object_get(news->line), -1);
}

/* Something happened to @vm; NULL: to the daemon. */
void event(const struct machine *vm, const char *what, const char *why)
{
	event_more(vm, what, why, NULL);
}

/**
 * event_more() - something happened of which there is more to tell
 * @vm: to this VM; NULL: to the daemon
 * @what: a word of the protocol
 * @why: a sentence, or NULL
 * @more: members that this kind of event has, or NULL; the caller's
 */
void event_more(const struct machine *vm, const char *what, const char *why,
		struct json_object *more)
{
	struct json_object *ev = json_object_new_object();
	struct news news = { vm, json_object_new_object() };

	seq++;
	js_add_int(ev, "seq", (s64)seq);
	js_add_time(ev, "time", wall_time());
	js_add_text(ev, "vm", vm ? vm->def.name : NULL);
	js_add_text(ev, "uuid", vm ? vm->def.uuid : NULL);
	js_add_text(ev, "what", what);
	js_add_text(ev, "why", why);
	if (more) {
		json_object_object_foreach(more, key, value)
			js_add(ev, key, json_object_get(value));
	}
	js_add_int(news.line, "v", 1);
	js_add(news.line, "event", ev);
	clients_each(tell, &news);
	json_object_put(news.line);
	if (!options.verbose && (!strcmp(what, "starting") || !strcmp(what, "paused") ||
				 !strcmp(what, "resumed") || !strcmp(what, "stopping")))
		return;
	if (vm && why)
		say("%s: %s: %s", vm->def.name, what, why);
	else if (vm)
		say("%s: %s", vm->def.name, what);
}
