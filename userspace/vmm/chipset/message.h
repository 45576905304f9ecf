/* SPDX-License-Identifier: GPL-2.0-only */
/* A message-signalled interrupt: an eventfd that is an irqfd while the guest lets it. */
#ifndef VMM_MESSAGE_H
#define VMM_MESSAGE_H

#include "libjoist/types.h"

struct vm;

/**
 * struct message - one of a device's; who has it locks it
 * @routed: addr and data are what the GSI sends
 * @attached: fd is an irqfd of the GSI
 * @gsi: its own; MESSAGE_NO_GSI: none yet
 * @fd: eventfd: a write, by whoever it is, sends it; -1: none yet
 */
struct message {
	u64 addr;
	u32 data;
	bool routed;
	bool attached;
	int gsi;
	int fd;
};

#define MESSAGE_NO_GSI	(-1)

void message_init(struct message *m);
int message_open(struct message *m);
void message_set(struct message *m, u64 addr, u32 data);
void message_update(struct vm *vm, struct message *m, bool live);
bool message_pending(const struct message *m);
void message_release(struct vm *vm, struct message *m);

#endif
