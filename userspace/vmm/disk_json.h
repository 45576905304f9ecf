/* SPDX-License-Identifier: GPL-2.0-only */
/* A disk as JSON, between vmctl and vmd. */
#ifndef VMM_DISK_JSON_H
#define VMM_DISK_JSON_H

#include "disk_options.h"

struct json_object;

struct json_object *disk_json(struct json_object *path, const struct disk_options *options);
int disk_from_json(struct json_object *disk, const char **path,
		   struct disk_options *options, char *wrong, size_t size);

const char *json_plain(struct json_object *value);

#endif
