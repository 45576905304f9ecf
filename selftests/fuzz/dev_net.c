// SPDX-License-Identifier: GPL-2.0-only
/* virtio-net, and what is at the other end of its wire. */
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "target.h"

#define OPTION_TAP	BIT(0)
#define OPTION_MTU	BIT(1)
#define OPTION_SILENT	BIT(2)
#define QUEUE_CTRL	2
#define FRAME_MAX	(70UL << 10)

enum { EVENT_FRAME, EVENT_BAD_FRAME, EVENT_HANG_UP, EVENT_READ };

static int wire[2] = { -1, -1 };	/* the guest's end, the other */

static void set_mac(u8 *mac)
{
	static const u8 ours[] = { 2, 0, 0, 0, 0, 1 };

	memcpy(mac, ours, sizeof(ours));
}

static void end(void)
{
	if (wire[0] >= 0)
		close(wire[0]);
	if (wire[1] >= 0)
		close(wire[1]);
	wire[0] = -1;
	wire[1] = -1;
}

static void configure(struct vmm_config *config, const struct options *options)
{
	struct vmm_net *net = &config->net[0];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, wire))
		return;
	net->kind = options->flags & OPTION_TAP ? VMM_NET_TAP : VMM_NET_USER;
	net->file = (struct vmm_file) { "wire", wire[0] };
	/* Its process says that it is ready, or is silent. */
	if (net->kind == VMM_NET_USER && !(options->flags & OPTION_SILENT))
		(void)!send(wire[1], "", 1, MSG_NOSIGNAL);
	net->mtu = options->flags & OPTION_MTU ? 9000 : 0;
	net->has_mac = true;
	set_mac(net->mac);
	config->nr_nets = 1;
}

/* d: a command and what it begins with; of a frame, how its header begins */
static u32 header(u8 *header, int queue, u64 d)
{
	memcpy(header, &d, sizeof(d));
	return queue == QUEUE_CTRL ? sizeof(d) : sizeof(struct virtio_net_hdr_v1);
}

/* c: its length behind the header; d: where it goes to */
static void send_frame(u32 c, u64 d)
{
	static u8 frame[FRAME_MAX];
	size_t len = sizeof(struct virtio_net_hdr_v1) + c % (FRAME_MAX - 64);

	set_mac(frame + sizeof(struct virtio_net_hdr_v1));
	if (d)
		memcpy(frame + sizeof(struct virtio_net_hdr_v1), &d, 6);
	/* A VLAN's, perhaps. */
	memcpy(frame + sizeof(struct virtio_net_hdr_v1) + 12, (u8 *)&d + 6, 2);
	(void)!send(wire[1], frame, len, MSG_NOSIGNAL);
}

static void event(struct vm *vm, u8 kind, u32 c, u64 d)
{
	static u8 sink[FRAME_MAX];

	(void)vm;
	switch (kind % 4) {
	case EVENT_FRAME:
		send_frame(c, d);
		break;
	case EVENT_BAD_FRAME:
		(void)!send(wire[1], &d, c % (sizeof(d) + 1), MSG_NOSIGNAL);
		break;
	case EVENT_HANG_UP:
		if (wire[1] >= 0)
			close(wire[1]);
		wire[1] = -1;
		break;
	case EVENT_READ:
		while (recv(wire[1], sink, sizeof(sink), MSG_DONTWAIT) > 0)
			;
		break;
	}
}

const struct target target = {
	.configure = configure, .header = header, .event = event, .end = end,
};
