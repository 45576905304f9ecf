/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices of the host's as people type them. */
#ifndef VMCTL_PARSE_HOSTDEV_H
#define VMCTL_PARSE_HOSTDEV_H

struct vmm_hostdev;

int parse_hostdev(char *text, struct vmm_hostdev *dev, const char **wrong);

#endif
