/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_NET_JSON_H
#define VMCTL_NET_JSON_H

struct json_object;

struct json_object *net_json(char *text, const char **wrong);

#endif
