/* SPDX-License-Identifier: GPL-2.0-only */
/* From messages of the family "joist" to plain structures. */
#ifndef LIBJOIST_NETLINK_PARSE_H
#define LIBJOIST_NETLINK_PARSE_H

#include "netlink.h"

struct nlmsghdr;

/* Room for what a message's structure points to. */
struct joist_nl_room {
	struct joist_nl_counter counters[JOIST_NL_COUNTERS];
};

int joist_nl_parse_vm(struct nlmsghdr *hdr, struct joist_nl_vm *vm,
		      enum joist_cause *cause);
int joist_nl_parse_vcpu(struct nlmsghdr *hdr, struct joist_nl_vcpu *vcpu,
			struct joist_nl_room *room);
int joist_nl_parse_slot(struct nlmsghdr *hdr, struct joist_nl_slot *slot);
int joist_nl_parse_device(struct nlmsghdr *hdr, struct joist_nl_device *device,
			  struct joist_nl_vm *event);
int joist_nl_parse_host(struct nlmsghdr *hdr, struct joist_nl_host *host);

#endif
