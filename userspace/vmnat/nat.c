// SPDX-License-Identifier: GPL-2.0-only
/*
 * Between the VMM's socket and libslirp, which speaks TCP and UDP for the guest. A
 * message is one frame, a virtio_net_hdr_v1 before it; nothing is left to us in that
 * header, for no offload is negotiated.
 */
#include <errno.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "vmnat.h"

#define FRAME_MAX	(65535 + 18)
#define BURST		64
#define NS_PER_MS	1000000
#define WAIT_MAX	60000	/* ms, if nothing else is due */
#define POLL_STEP	64

/* Of libslirp, which has one kind only: when it announces itself to IPv6 guests. */
struct timer {
	struct timer *next;
	SlirpTimerId id;
	void *cb_opaque;
	s64 expires;	/* ms; -1: not set */
};

/**
 * struct nat - the network
 * @fd: the VMM's socket
 * @fds: what poll() waits for; the first is @fd
 */
struct nat {
	Slirp *slirp;
	int fd;
	struct timer *timers;
	struct pollfd *fds;
	int nr_fds, room;
};

static s64 now_ns(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (s64)ts.tv_sec * 1000 * NS_PER_MS + ts.tv_nsec;
}

/* To the guest. A frame for which there is no room is lost: TCP sends it again. */
static ssize_t send_packet(const void *buf, size_t len, void *ctx)
{
	static struct virtio_net_hdr_v1 hdr = { .num_buffers = 1 };
	struct nat *nat = ctx;
	struct iovec iov[] = { { &hdr, sizeof(hdr) }, { (void *)buf, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = ARRAY_SIZE(iov) };

	if (sendmsg(nat->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return errno == EAGAIN ? 0 : -1;
	return (ssize_t)len;
}

static void guest_error(const char *text, void *ctx)
{
	static int nr;

	(void)ctx;
	if (nr++ < 8)
		fprintf(stderr, "vmnat: the guest: %s\n", text);
}

static void *timer_new(SlirpTimerId id, void *cb_opaque, void *ctx)
{
	struct timer *timer = calloc(1, sizeof(*timer));
	struct nat *nat = ctx;

	if (!timer)
		abort();	/* libslirp has no answer to that either */
	*timer = (struct timer) { nat->timers, id, cb_opaque, -1 };
	nat->timers = timer;
	return timer;
}

static void timer_free(void *ptr, void *ctx)
{
	struct nat *nat = ctx;
	struct timer **p = &nat->timers, *timer = ptr;

	while (*p && *p != timer)
		p = &(*p)->next;
	if (*p)
		*p = timer->next;
	free(timer);
}

static void timer_mod(void *ptr, s64 expires, void *ctx)
{
	(void)ctx;
	((struct timer *)ptr)->expires = expires;
}

static void run_timers(struct nat *nat)
{
	s64 now = now_ns(NULL) / NS_PER_MS;
	struct timer *timer, *next;

	for (timer = nat->timers; timer; timer = next) {
		next = timer->next;
		if (timer->expires < 0 || timer->expires > now)
			continue;
		timer->expires = -1;
		slirp_handle_timer(nat->slirp, timer->id, timer->cb_opaque);
	}
}

static void nothing_fd(int fd, void *ctx)
{
	(void)fd;
	(void)ctx;
}

/* It is called from our own loop only: nobody waits. */
static void nothing(void *ctx)
{
	(void)ctx;
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = now_ns,
	.timer_new_opaque = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = nothing_fd,
	.unregister_poll_fd = nothing_fd,
	.notify = nothing,
};

/**
 * nat_create() - a network as QEMU's users know it
 * @options: command line
 * @fd: the VMM's socket
 *
 * The guest is 10.0.2.15, the host 10.0.2.2, its name server 10.0.2.3.
 *
 * Return: the network, or NULL.
 */
struct nat *nat_create(const struct options *options, int fd)
{
	struct nat *nat = calloc(1, sizeof(*nat));
	SlirpConfig config = {
		.version = 4,
		.in_enabled = true,
		.in6_enabled = true,
		.vprefix_len = 64,
		.if_mtu = options->mtu,
		.if_mru = options->mtu,
	};

	if (!nat)
		return NULL;
	inet_pton(AF_INET, "10.0.2.0", &config.vnetwork);
	inet_pton(AF_INET, "255.255.255.0", &config.vnetmask);
	inet_pton(AF_INET, "10.0.2.2", &config.vhost);
	inet_pton(AF_INET, "10.0.2.3", &config.vnameserver);
	inet_pton(AF_INET, "10.0.2.15", &config.vdhcp_start);
	inet_pton(AF_INET6, "fec0::", &config.vprefix_addr6);
	inet_pton(AF_INET6, "fec0::2", &config.vhost6);
	inet_pton(AF_INET6, "fec0::3", &config.vnameserver6);
	nat->fd = fd;
	nat->slirp = slirp_new(&config, &callbacks, nat);
	if (nat->slirp)
		return nat;
	free(nat);
	return NULL;
}

/* Return: 0 or -errno. */
int nat_forward(struct nat *nat, const struct forward *fwd)
{
	errno = 0;
	if (!slirp_add_hostfwd(nat->slirp, fwd->udp, fwd->host, fwd->host_port,
			       fwd->guest, fwd->guest_port))
		return 0;
	return errno ? -errno : -EADDRINUSE;
}

static int add_fd(struct nat *nat, int fd, short events)
{
	struct pollfd *more;

	if (nat->nr_fds == nat->room) {
		more = realloc(nat->fds, sizeof(*more) * (size_t)(nat->room + POLL_STEP));
		if (!more)
			return -1;
		nat->fds = more;
		nat->room += POLL_STEP;
	}
	nat->fds[nat->nr_fds] = (struct pollfd) { .fd = fd, .events = events };
	return nat->nr_fds++;
}

static const struct {
	int slirp;
	short poll;
} event_bits[] = {
	{ SLIRP_POLL_IN, POLLIN }, { SLIRP_POLL_OUT, POLLOUT }, { SLIRP_POLL_PRI, POLLPRI },
	{ SLIRP_POLL_ERR, POLLERR }, { SLIRP_POLL_HUP, POLLHUP },
};

static int add_poll(int fd, int events, void *ctx)
{
	short bits = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(event_bits); i++)
		if (events & event_bits[i].slirp)
			bits |= event_bits[i].poll;
	return add_fd(ctx, fd, bits);
}

static int get_revents(int idx, void *ctx)
{
	struct nat *nat = ctx;
	int events = 0;
	size_t i;

	if (idx < 0)
		return 0;
	for (i = 0; i < ARRAY_SIZE(event_bits); i++)
		if (nat->fds[idx].revents & event_bits[i].poll)
			events |= event_bits[i].slirp;
	return events;
}

/* What the guest sent, a burst of it. Return: 0, or 1: the VMM is no more. */
static int take_frames(struct nat *nat)
{
	static u8 frame[sizeof(struct virtio_net_hdr_v1) + FRAME_MAX];
	const size_t hdr = sizeof(struct virtio_net_hdr_v1);
	ssize_t n;
	int i;

	for (i = 0; i < BURST; i++) {
		n = recv(nat->fd, frame, sizeof(frame), MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : 1;
		if (!n)
			return 1;
		if ((size_t)n > hdr)
			slirp_input(nat->slirp, frame + hdr, (int)((size_t)n - hdr));
	}
	return 0;
}

static u32 timeout(const struct nat *nat)
{
	s64 now = now_ns(NULL) / NS_PER_MS, first = now + WAIT_MAX;
	const struct timer *timer;

	for (timer = nat->timers; timer; timer = timer->next)
		if (timer->expires >= 0)
			first = min(first, timer->expires);
	return first > now ? (u32)(first - now) : 0;
}

/**
 * nat_serve() - carry frames until the VMM ends
 * @nat: network
 *
 * Return: 0 or -errno.
 */
int nat_serve(struct nat *nat)
{
	u32 ms;
	int n;

	for (;;) {
		nat->nr_fds = 0;
		if (add_fd(nat, nat->fd, POLLIN) < 0)
			return -ENOMEM;
		ms = timeout(nat);
		slirp_pollfds_fill(nat->slirp, &ms, add_poll, nat);
		n = poll(nat->fds, (nfds_t)nat->nr_fds, (int)min(ms, (u32)WAIT_MAX));
		if (n < 0 && errno != EINTR)
			return -errno;
		slirp_pollfds_poll(nat->slirp, n < 0, get_revents, nat);
		run_timers(nat);
		if (n > 0 && nat->fds[0].revents && take_frames(nat))
			return 0;
	}
}
