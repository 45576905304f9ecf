/* SPDX-License-Identifier: GPL-2.0-only */
/* tap interfaces: the host's end of a virtual wire. */
#ifndef LIBJOIST_TAP_H
#define LIBJOIST_TAP_H

#include "types.h"

struct tun_filter;

int tap_open(const char *name, bool queues);
int tap_open_macvtap(int index, bool queues);
int tap_create(char *name, bool queues);
int tap_queues(int nr, int *fds, int (*open_queue)(void *arg, bool queues), void *arg);
int tap_name(int fd, char *name);
int tap_set_queue(int fd, bool on);
int tap_set_header(int fd, int len);
int tap_set_offloads(int fd, unsigned int flags);
int tap_set_filter(int fd, const struct tun_filter *filter);
int tap_mtu(const char *name);

#endif
