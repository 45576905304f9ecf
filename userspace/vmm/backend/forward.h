/* SPDX-License-Identifier: GPL-2.0-only */
/* Ports of the host that lead to the guest. */
#ifndef VMM_BACKEND_FORWARD_H
#define VMM_BACKEND_FORWARD_H

#include <netinet/in.h>

#include "libjoist/types.h"

struct forward {
	bool udp;
	struct in_addr host, guest;
	u16 host_port, guest_port;
};

bool forward_parse(const char *text, struct forward *fwd);

#endif
