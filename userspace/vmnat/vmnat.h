/* SPDX-License-Identifier: GPL-2.0-only */
/* The user-mode network of one VM, in a process of its own. */
#ifndef VMNAT_VMNAT_H
#define VMNAT_VMNAT_H

#include "vmm/backend/forward.h"

#define FORWARDS_MAX	32

/**
 * struct options - the command line
 * @mtu: of the guest's interface
 */
struct options {
	u16 mtu;
	int nr_forwards;
	struct forward forward[FORWARDS_MAX];
};

/* nat.c */
struct nat;
struct pollfd;

struct nat *nat_create(const struct options *options, int fd);
int nat_forward(struct nat *nat, const struct forward *fwd);
int nat_serve(struct nat *nat);

/* sandbox.c */
int sandbox(void);

#endif
