/* SPDX-License-Identifier: GPL-2.0-only */
/* Events: vmd's, the module's and our own in one form. Pure, but for printing. */
#ifndef VMCTL_EVENT_H
#define VMCTL_EVENT_H

#include "libjoist/types.h"

struct json_object;

struct json_object *event_own(const char *what, const char *why);
struct json_object *event_of_vmd(struct json_object *line);
void event_copy_vm(struct json_object *event, struct json_object *vm);
bool event_wanted(struct json_object *vms, struct json_object *event);
void event_print(struct json_object *event);

#endif
