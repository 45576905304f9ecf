/* SPDX-License-Identifier: GPL-2.0-only */
/* The parent's dealings with the file system. */
#ifndef VMD_FILES_H
#define VMD_FILES_H

#include "vmd.h"

struct json_object;

int file_open_as(u32 uid, u32 gid, const char *path, int flags);
int char_device_open_as(u32 uid, u32 gid, const char *path, int flags);
int dir_make(const char *path, unsigned int mode);
int file_write(const char *path, const char *text);
struct json_object *file_read_json(const char *path);

#endif
