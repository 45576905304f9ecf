/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON as people read it: a name and a value a line. */
#ifndef VMCTL_SHOW_H
#define VMCTL_SHOW_H

struct json_object;

void show_value(const char *name, struct json_object *value, int indent);
void show_object(struct json_object *object, int indent);

#endif
