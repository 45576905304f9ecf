/* SPDX-License-Identifier: GPL-2.0-only */
/* Ports as people type them. */
#ifndef VMCTL_PARSE_PORT_H
#define VMCTL_PARSE_PORT_H

struct vmm_port;

int parse_port(char *text, struct vmm_port *port, const char **wrong);

#endif
