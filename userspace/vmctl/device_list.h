/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices of the host, listed and looked at. */
#ifndef VMCTL_DEVICE_LIST_H
#define VMCTL_DEVICE_LIST_H

struct args;
struct hostdev;

int device_list(const struct args *args);
int device_show(const struct args *args);
int device_addr(const char *typed, char *addr);
int device_read(const char *addr, struct hostdev *dev);

#endif
