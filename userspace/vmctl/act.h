/* SPDX-License-Identifier: GPL-2.0-only */
/* What the verbs that do one thing to each of some VMs share. */
#ifndef VMCTL_ACT_H
#define VMCTL_ACT_H

#include "host.h"
#include "opt.h"

/**
 * struct act - the one thing
 * @op: vmd's operation; how the errors call it, too
 * @host_op: the same over netlink, or HOST_NONE: only vmd can
 * @by_host: the same, where it takes more than a request; or NULL
 * @done: printed of each VM
 * @host_done: the same, of one over netlink; NULL: as @done
 * @doing: shown while it takes time
 * @timeout_ms: for each answer, or CLIENT_FOREVER
 * @members: of the request, besides the VM; put by act_each(); or NULL
 */
struct act {
	const char *op;
	enum host_op host_op;
	int (*by_host)(struct host *host, u32 vm, const struct act *act);
	const char *done;
	const char *host_done;
	const char *doing;
	int timeout_ms;
	struct json_object *members;
};

int act_each(const struct args *args, const struct act *act);
int act_simple(const struct command *cmd, int argc, char **argv,
	       const struct act *act);

extern const struct opt act_options[];

#endif
