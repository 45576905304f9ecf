/* SPDX-License-Identifier: GPL-2.0-only */
/* Networks as people type them. */
#ifndef VMCTL_PARSE_NET_H
#define VMCTL_PARSE_NET_H

struct vmm_net;

int parse_net(char *text, struct vmm_net *net, const char **wrong);

#endif
