// SPDX-License-Identifier: GPL-2.0-only
/* What happens to devices of the host's that VMs have, told as events. */
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "js.h"

/* The VM's process: the host's kernel has something to say of it. */
void machine_host_news(struct machine *vm, const struct vm_device_reply *news)
{
	struct json_object *more = js_new("device", news->name);
	bool wanted = news->head.error == HOST_NEWS_WANTED;
	char why[160];

	snprintf(why, sizeof(why), wanted ? "the host wants the device %s back" :
		 "the device %s has an error that the host cannot correct", news->name);
	event_more(vm, wanted ? "device-wanted" : "device-error", why, more);
	json_object_put(more);
}

/* Its owner wants it rather ended than reaching for what is not its own. */
static void end(struct machine *vm)
{
	if (!machine_alive(vm) || vm->force.due)
		return;
	machine_stopping(vm);
	machine_end(vm);
}

/* The parent: a device has been bound, given back, lost, or has reached too far. */
void device_news(struct json_object *obj)
{
	const char *what = js_text(obj, "what"), *name = js_text(obj, "vm");
	const char *why = js_text(obj, "why"), *device = js_text(obj, "device");
	struct machine *vm = machine_find(name ?: "");
	struct json_object *more;
	char text[160];

	if (!what || !device)
		return;
	more = js_new("device", device);
	js_add_text(more, "host", js_text(obj, "host"));
	snprintf(text, sizeof(text), "the device %s (%s)", device, js_text(obj, "host") ?: "");
	event_more(vm, what, why ?: text, more);
	json_object_put(more);
	if (vm && js_bool(obj, "stop", false))
		end(vm);
}
