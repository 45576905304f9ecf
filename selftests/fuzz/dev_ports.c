// SPDX-License-Identifier: GPL-2.0-only
/* virtio-console's ports, and the programs at their other ends. */
#include <linux/virtio_console.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "target.h"

#define PORTS		3
#define OPTION_FEW	BIT(0)
#define QUEUE_CTRL_TX	3
#define BUFFER		4096
#define CHUNK		20000

enum { EVENT_CONNECT, EVENT_SAY, EVENT_HEAR, EVENT_LEAVE };

/* Where they listen is there from one VM to the next; @client: who is connected, or -1. */
static struct {
	struct sockaddr_un addr;
	socklen_t addr_len;
	int listener;
	int client;
} ends[PORTS];

/* An address that the kernel makes up: it is in no directory. */
static void listen_all(void)
{
	int i, small = BUFFER;

	for (i = 0; i < PORTS; i++) {
		ends[i].addr.sun_family = AF_UNIX;
		ends[i].addr_len = sizeof(ends[i].addr);
		ends[i].client = -1;
		ends[i].listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		/* So that whoever does not listen is soon full. */
		setsockopt(ends[i].listener, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
		if (bind(ends[i].listener, (struct sockaddr *)&ends[i].addr, sizeof(sa_family_t)) ||
		    getsockname(ends[i].listener, (struct sockaddr *)&ends[i].addr,
				&ends[i].addr_len) ||
		    listen(ends[i].listener, 1)) {
			perror("listen");
			abort();
		}
	}
}

static void configure(struct vmm_config *config, const struct options *options)
{
	static const char *const names[PORTS] = { "a", "org.example.port", "" };
	int i;

	if (!ends[0].addr.sun_family)
		listen_all();
	config->nr_ports = options->flags & OPTION_FEW ? 1 : PORTS;
	for (i = 0; i < config->nr_ports; i++)
		config->port[i] = (struct vmm_port) {
			.name = names[i], .file = { "port", ends[i].listener }, .console = i == 1,
		};
}

/* d: a message of control, or what a port is to carry */
static u32 header(u8 *header, int queue, u64 d)
{
	memcpy(header, &d, sizeof(d));
	return queue == QUEUE_CTRL_TX ? sizeof(struct virtio_console_control) : sizeof(d);
}

static void leave(int i)
{
	if (ends[i].client >= 0)
		close(ends[i].client);
	ends[i].client = -1;
}

/* Nobody accepts before the VM's next turn: a second one waits, a third is refused. */
static void connect_to(int i)
{
	leave(i);
	ends[i].client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connect(ends[i].client, (struct sockaddr *)&ends[i].addr, ends[i].addr_len))
		leave(i);
}

/* c: which port; d: how much is said */
static void event(struct vm *vm, u8 kind, u32 c, u64 d)
{
	static u8 data[CHUNK];
	int i = (int)(c % PORTS);

	(void)vm;
	switch (kind % 4) {
	case EVENT_CONNECT:
		connect_to(i);
		break;
	case EVENT_SAY:
		(void)!send(ends[i].client, data, d % CHUNK, MSG_NOSIGNAL);
		break;
	case EVENT_HEAR:
		while (recv(ends[i].client, data, sizeof(data), MSG_DONTWAIT) > 0)
			;
		break;
	case EVENT_LEAVE:
		leave(i);
		break;
	}
}

/* Who is still waiting is not to be the next VM's. */
static void end(void)
{
	int i, fd;

	for (i = 0; i < PORTS; i++) {
		leave(i);
		while ((fd = accept4(ends[i].listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
			close(fd);
	}
}

const struct target target = {
	.configure = configure, .header = header, .event = event, .end = end,
};
