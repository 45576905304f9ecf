/* SPDX-License-Identifier: GPL-2.0-only */
/* Small files below a root. */
#ifndef LIBJOIST_SYSFS_H
#define LIBJOIST_SYSFS_H

#include <limits.h>

#include "types.h"

#define SYSFS_DEVICES	"/sys/bus/pci/devices"

int sysfs_read(char *text, size_t size, const char *root, const char *fmt, ...) __printf(4, 5);
int sysfs_number(u64 *value, const char *root, const char *fmt, ...) __printf(3, 4);
int sysfs_write(const char *text, const char *root, const char *fmt, ...) __printf(3, 4);
int sysfs_link(char *name, size_t size, const char *root, const char *fmt, ...) __printf(4, 5);
int sysfs_real(char path[PATH_MAX], const char *root, const char *fmt, ...) __printf(3, 4);
bool sysfs_there(const char *root, const char *fmt, ...) __printf(2, 3);
bool sysfs_below(const char *path, const char *dir);

#endif
