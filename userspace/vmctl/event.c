// SPDX-License-Identifier: GPL-2.0-only
/* Events: vmd's, the module's and our own in one form. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "event.h"
#include "out.h"

/* An event about events. */
struct json_object *event_own(const char *what, const char *why)
{
	struct json_object *event = json_object_new_object();
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	json_object_object_add(event, "source", json_object_new_string("vmctl"));
	json_object_object_add(event, "time",
			       out_decimal((double)now.tv_sec +
					   (double)now.tv_nsec / 1e9));
	json_object_object_add(event, "what", json_object_new_string(what));
	if (why)
		json_object_object_add(event, "why", json_object_new_string(why));
	return event;
}

/* @line: {"event":{...}}; "vm" is a name there, and "name" here. */
struct json_object *event_of_vmd(struct json_object *line)
{
	struct json_object *from = out_member(line, "event");
	struct json_object *event = json_object_new_object();

	json_object_object_add(event, "source", json_object_new_string("vmd"));
	if (!json_object_is_type(from, json_type_object))
		return event;
	json_object_object_foreach(from, name, value)
		json_object_object_add(event, strcmp(name, "vm") ? name : "name",
				       json_object_get(value));
	return event;
}

/* Add what names a VM, and its state. */
void event_copy_vm(struct json_object *event, struct json_object *vm)
{
	static const char * const members[] = {
		"name", "uuid", "id", "pid", "owner", "state",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(members); i++)
		json_object_object_add(event, members[i],
				       json_object_get(out_member(vm, members[i])));
}

/* Return: whether the event is of this VM. A VM of vmd's gets a new id each time. */
static bool is_of(struct json_object *vm, struct json_object *event)
{
	const char *uuid = out_text(vm, "uuid"), *of = out_text(event, "uuid");
	const char *name = out_text(vm, "name"), *named = out_text(event, "name");
	s64 id = out_number(vm, "id");
	struct json_object *vcpu = out_member(event, "vcpu");

	if (vcpu)
		return id && out_number(vcpu, "vm-id") == id;
	if (id && out_number(event, "id") == id)
		return true;
	if (uuid && of)
		return !strcmp(uuid, of);
	if (out_number(event, "id"))
		return false;
	return name && named && *name && !strcmp(name, named);
}

/* Return: whether it is of one of @vms, of no VM at all, or no VM was named. */
bool event_wanted(struct json_object *vms, struct json_object *event)
{
	size_t i, nr = json_object_array_length(vms);

	if (!nr)
		return true;
	if (!out_text(event, "name") && !out_text(event, "uuid") &&
	    !out_number(event, "id") && !out_member(event, "vcpu"))
		return true;
	for (i = 0; i < nr; i++)
		if (is_of(json_object_array_get_idx(vms, i), event))
			return true;
	return false;
}

static void print_time(struct json_object *event)
{
	struct json_object *member = out_member(event, "time");
	double time = member ? json_object_get_double(member) : 0;
	time_t seconds = (time_t)time;
	char text[TEXT_MAX];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%s.%03d", text, (int)((time - (double)seconds) * 1000));
}

/* Lines below the event. */
static void print_report(const char *report)
{
	const char *end;

	for (; report && *report; report = *end ? end + 1 : end) {
		end = strchrnul(report, '\n');
		printf("    %.*s\n", (int)(end - report), report);
	}
}

/* The first of its PCI devices, or what it is. */
static const char *device_text(struct json_object *device)
{
	struct json_object *pci = out_member(device, "pci");

	return pci ? json_object_get_string(json_object_array_get_idx(pci, 0)) :
		     out_text(device, "kind");
}

/* "2026-11-26 09:15:01.123 netlink web (3) created: state" */
void event_print(struct json_object *event)
{
	const char *source = out_text(event, "source"), *what = out_text(event, "what");
	const char *name = out_text(event, "name"), *why = out_text(event, "why");
	struct json_object *fault = out_member(event, "fault");
	struct json_object *vcpu = out_member(event, "vcpu");
	struct json_object *device = out_member(event, "device");
	s64 id = vcpu ? out_number(vcpu, "vm-id") : out_number(event, "id");

	print_time(event);
	printf(" %s %s", source, name && *name ? name : "-");
	if (id)
		printf(" (%lld)", (long long)id);
	printf(" %s", what ? what : "?");
	if (!why && device)
		why = device_text(device);
	if (!why)
		why = fault ? out_text(fault, "kind") : out_text(event, "state");
	if (vcpu)
		printf(" vcpu %lld: %lld exits, %lld ms in the guest",
		       (long long)out_number(vcpu, "index"),
		       (long long)out_number(vcpu, "exits"),
		       (long long)out_number(vcpu, "guest-ns") / 1000000);
	else if (why)
		printf(": %s", why);
	putchar('\n');
	print_report(out_text(fault, "report"));
	fflush(stdout);
}
