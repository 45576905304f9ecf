// SPDX-License-Identifier: GPL-2.0-only
/* A share: messages of 9P from the guest, and from a server that may say anything. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "target.h"
#include "vmm/virtio/p9_wire.h"

#define TAGS	15	/* few: they are to meet */

static int server[2] = { -1, -1 };

static void configure(struct vmm_config *config, const struct options *options)
{
	(void)options;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, server)) {
		perror("socketpair");
		abort();
	}
	config->nr_shares = 1;
	config->share[0] = (struct vmm_share) { .tag = "work", .dir = { "/work", server[0] } };
}

static void end(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (server[i] >= 0)
			close(server[i]);
		server[i] = -1;
	}
}

static void put_header(u8 *message, u32 size, u8 type, u16 tag)
{
	memcpy(message, &size, sizeof(size));
	message[4] = type;
	memcpy(message + 5, &tag, sizeof(tag));
}

/* d: size, type, tag, and the tag that a flush names */
static u32 header(u8 *header, int queue, u64 d)
{
	u16 old = (u16)(d >> 40 & TAGS);

	(void)queue;
	put_header(header, (u32)d & 0xffff, (u8)(d >> 16), (u16)(d >> 32 & TAGS));
	if (d >> 24 & 1)
		put_header(header, P9_HEADER + sizeof(old), P9_TFLUSH, (u16)(d >> 32 & TAGS));
	memcpy(header + P9_HEADER, &old, sizeof(old));
	return P9_HEADER + sizeof(old);
}

/* What the server has been asked. */
static void drain(void)
{
	u8 text[4096];

	while (read(server[1], text, sizeof(text)) > 0)
		;
}

static void event(struct vm *vm, u8 kind, u32 c, u64 d)
{
	static u8 reply[P9_HEADER + 0xffff];

	(void)vm;
	switch (kind & 7) {
	case 6:
		shutdown(server[1], SHUT_RDWR);
		break;
	case 7:
		if (write(server[1], &d, sizeof(d)) < 0)
			return;
		break;
	default:
		drain();
		put_header(reply, P9_HEADER + (c & 0xffff), (u8)d, (u16)(d >> 8 & TAGS));
		if (write(server[1], reply, P9_HEADER + (c & 0xffff)) < 0)
			return;
	}
}

const struct target target = {
	.configure = configure, .header = header, .event = event, .end = end,
};
