// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to the kernel's routing and filter families. Messages are made with libnl's
 * core; what they say is the kernel's ABI. The parent has one thread, and each request
 * is answered before the next is made.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "rtnl.h"

#define ANSWER_MS	5000
#define BUFFER_SIZE	65536

/**
 * struct family - a netlink family
 * @fd: -1: it is not open
 * @seq: of the last request
 */
struct family {
	int protocol;
	int fd;
	u32 seq;
};

static struct family route = { NETLINK_ROUTE, -1, 0 };
static struct family filter = { NETLINK_NETFILTER, -1, 0 };
static char words[256];	/* the kernel's, of the last failure */
static char buffer[BUFFER_SIZE];

static int family_open(struct family *f)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int on = 1;

	if (f->fd >= 0)
		return 0;
	f->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, f->protocol);
	if (f->fd < 0)
		return -errno;
	setsockopt(f->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(f->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	if (!bind(f->fd, (struct sockaddr *)&addr, sizeof(addr)))
		return 0;
	on = -errno;
	close(f->fd);
	f->fd = -1;
	return on;
}

/* Return: 0 or -errno. */
int rtnl_open(void)
{
	return family_open(&route);
}

/* Why the last request failed: the kernel's words, or those for @err. */
const char *rtnl_why(int err)
{
	return *words ? words : strerror(-err);
}

/**
 * nl_new() - begin a message
 * @type: its type
 * @flags: NLM_F_*, but for NLM_F_REQUEST
 * @header: of its family
 * @len: of @header
 *
 * Return: the message, which nl_do() and its like free; NULL: out of memory, which they
 * take too.
 */
struct nl_msg *nl_new(int type, int flags, const void *header, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_size(BUFFER_SIZE / 4);

	if (!msg || !nlmsg_put(msg, 0, 0, type, 0, flags | NLM_F_REQUEST) ||
	    nlmsg_append(msg, (void *)header, len, NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static void note_words(struct nlmsghdr *hdr, size_t len)
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	size_t at = NLMSG_ALIGN(sizeof(struct nlmsgerr));
	int left = (int)(len - at);

	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS) || len <= at ||
	    nla_parse(tb, NLMSGERR_ATTR_MAX, (struct nlattr *)((char *)nlmsg_data(hdr) + at),
		      left, NULL) < 0 || !tb[NLMSGERR_ATTR_MSG])
		return;
	snprintf(words, sizeof(words), "%.*s", nla_len(tb[NLMSGERR_ATTR_MSG]),
		 (char *)nla_data(tb[NLMSGERR_ATTR_MSG]));
}

/* Return: bytes, or -errno. */
static ssize_t await(struct family *f)
{
	struct pollfd pfd = { f->fd, POLLIN, 0 };
	ssize_t n = -1;

	errno = ETIMEDOUT;
	if (poll(&pfd, 1, ANSWER_MS) == 1)
		n = recv(f->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

/* An error or an acknowledgment: its errno. */
static int answer(struct nlmsghdr *hdr)
{
	struct nlmsgerr *e = nlmsg_data(hdr);

	if (nlmsg_datalen(hdr) < (int)sizeof(*e))
		return -EBADMSG;
	if (e->error)
		note_words(hdr, (size_t)nlmsg_datalen(hdr));
	return e->error;
}

/* Read until the request @last is answered. Return: the first error, or 0. */
static int answers(struct family *f, u32 first, u32 last, nl_take take, void *arg)
{
	struct nlmsghdr *hdr;
	int err = 0, e, left;
	ssize_t n;

	for (;;) {
		n = await(f);
		if (n < 0)
			return (int)n;
		left = (int)n;
		for (hdr = (struct nlmsghdr *)buffer; nlmsg_ok(hdr, left);
		     hdr = nlmsg_next(hdr, &left)) {
			/* Late answers to requests that were given up. */
			if (hdr->nlmsg_seq - first > last - first)
				continue;
			if (hdr->nlmsg_type == NLMSG_DONE)
				return err;
			if (hdr->nlmsg_type != NLMSG_ERROR) {
				if (take)
					take(hdr, arg);
				continue;
			}
			e = answer(hdr);
			err = err ?: e;
			/* A batch that is refused as a whole is answered once. */
			if (hdr->nlmsg_seq == last || (e && hdr->nlmsg_seq == first))
				return err;
		}
	}
}

static int request(struct nl_msg *msg, int flags, nl_take take, void *arg)
{
	struct nlmsghdr *hdr = msg ? nlmsg_hdr(msg) : NULL;
	int err = hdr ? family_open(&route) : -ENOMEM;

	words[0] = '\0';
	if (!err) {
		hdr->nlmsg_seq = ++route.seq;
		hdr->nlmsg_flags |= (u16)flags;
		if (send(route.fd, hdr, hdr->nlmsg_len, 0) < 0)
			err = -errno;
	}
	err = err ?: answers(&route, route.seq, route.seq, take, arg);
	nlmsg_free(msg);
	return err;
}

/* Make a request, and free it. Return: 0 or -errno; rtnl_why() has it in words. */
int nl_do(struct nl_msg *msg)
{
	return request(msg, NLM_F_ACK, NULL, NULL);
}

/* Likewise, for a list: @take sees each message of it. */
int nl_list(struct nl_msg *msg, nl_take take, void *arg)
{
	return request(msg, NLM_F_DUMP, take, arg);
}

static void add_bound(char *data, size_t *len, u16 type, u32 seq)
{
	struct nlmsghdr *hdr = (struct nlmsghdr *)(data + *len);
	struct nfgenmsg *nfg = (struct nfgenmsg *)(hdr + 1);

	memset(hdr, 0, sizeof(*hdr) + sizeof(*nfg));
	hdr->nlmsg_len = sizeof(*hdr) + sizeof(*nfg);
	hdr->nlmsg_type = type;
	hdr->nlmsg_flags = NLM_F_REQUEST;
	hdr->nlmsg_seq = seq;
	nfg->nfgen_family = AF_UNSPEC;
	nfg->res_id = htons(NFNL_SUBSYS_NFTABLES);
	*len += hdr->nlmsg_len;
}

/**
 * nl_batch() - change nftables' rules: all of it or nothing
 * @msg: messages; freed
 * @nr: how many
 *
 * Return: 0 or -errno; rtnl_why() has it in words.
 */
int nl_batch(struct nl_msg **msg, int nr)
{
	static char data[BUFFER_SIZE];
	u32 first = filter.seq + 1;
	int err = family_open(&filter), i;
	size_t len = 0;

	words[0] = '\0';
	add_bound(data, &len, NFNL_MSG_BATCH_BEGIN, ++filter.seq);
	for (i = 0; i < nr; i++) {
		struct nlmsghdr *hdr = msg[i] ? nlmsg_hdr(msg[i]) : NULL;

		if (!hdr) {
			err = -ENOMEM;
			continue;
		}
		if (len + NLMSG_ALIGN(hdr->nlmsg_len) + 64 > sizeof(data)) {
			err = -E2BIG;
		} else {
			hdr->nlmsg_seq = ++filter.seq;
			hdr->nlmsg_flags |= NLM_F_ACK;
			memcpy(data + len, hdr, hdr->nlmsg_len);
			len += NLMSG_ALIGN(hdr->nlmsg_len);
		}
		nlmsg_free(msg[i]);
	}
	add_bound(data, &len, NFNL_MSG_BATCH_END, filter.seq + 1);
	if (!err && send(filter.fd, data, len, 0) < 0)
		err = -errno;
	err = err ?: answers(&filter, first, filter.seq, NULL, NULL);
	filter.seq++;
	return err;
}
