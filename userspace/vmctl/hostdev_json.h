/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices of the host in JSON. */
#ifndef VMCTL_HOSTDEV_JSON_H
#define VMCTL_HOSTDEV_JSON_H

struct hostdev;
struct json_object;

struct json_object *device_option_json(char *text, const char **wrong);
void hostdev_json_interrupts(struct json_object *obj, const struct hostdev *dev);
struct json_object *hostdev_json(const struct hostdev *dev, struct json_object *assigned);

#endif
