// SPDX-License-Identifier: GPL-2.0-only
/* Raw generic netlink: the family "joist" without any library. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "genl.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK	270
#endif

static const char *const group_name[GENL_GROUPS] = {
	JOIST_MCGRP_LIFECYCLE, JOIST_MCGRP_FAULT, JOIST_MCGRP_STATS,
};

static const void *attr_data(const struct nlattr *attr)
{
	return (const char *)attr + NLA_HDRLEN;
}

static const struct nlattr *attr_find(const void *start, int len, int type)
{
	const struct nlattr *attr = start;

	while (len >= NLA_HDRLEN && attr->nla_len >= NLA_HDRLEN && attr->nla_len <= len) {
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
		len -= NLA_ALIGN(attr->nla_len);
		attr = (const void *)((const char *)attr + NLA_ALIGN(attr->nla_len));
	}
	return NULL;
}

const struct nlattr *genl_attr(const struct nlmsghdr *hdr, int type)
{
	return attr_find((const char *)NLMSG_DATA(hdr) + GENL_HDRLEN,
			 NLMSG_PAYLOAD(hdr, GENL_HDRLEN), type);
}

const struct nlattr *genl_nested(const struct nlattr *nest, int type)
{
	return nest ? attr_find(attr_data(nest), nest->nla_len - NLA_HDRLEN, type) : NULL;
}

uint32_t genl_u32(const struct nlattr *attr)
{
	uint32_t value = 0;

	if (attr)
		memcpy(&value, attr_data(attr), sizeof(value));
	return value;
}

uint64_t genl_u64(const struct nlattr *attr)
{
	uint64_t value = 0;

	if (attr)
		memcpy(&value, attr_data(attr), sizeof(value));
	return value;
}

const char *genl_string(const struct nlattr *attr)
{
	return attr ? attr_data(attr) : "";
}

void genl_begin(struct genl_msg *m, struct genl *g, uint8_t cmd, int flags)
{
	struct genlmsghdr *genl = NLMSG_DATA(&m->hdr);

	memset(m, 0, NLMSG_LENGTH(GENL_HDRLEN));
	m->hdr.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	m->hdr.nlmsg_type = g->family;
	m->hdr.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	m->hdr.nlmsg_seq = ++g->seq;
	genl->cmd = cmd;
	genl->version = 1;
}

void genl_put(struct genl_msg *m, int type, const void *data, size_t len)
{
	struct nlattr *attr = (void *)(m->buf + NLMSG_ALIGN(m->hdr.nlmsg_len));

	memset(attr, 0, NLA_HDRLEN + NLA_ALIGN(len));
	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy((char *)attr + NLA_HDRLEN, data, len);
	m->hdr.nlmsg_len = NLMSG_ALIGN(m->hdr.nlmsg_len) + NLA_ALIGN(attr->nla_len);
}

void genl_put_u32(struct genl_msg *m, int type, uint32_t value)
{
	genl_put(m, type, &value, sizeof(value));
}

void genl_put_u64(struct genl_msg *m, int type, uint64_t value)
{
	genl_put(m, type, &value, sizeof(value));
}

void genl_put_string(struct genl_msg *m, int type, const char *s)
{
	genl_put(m, type, s, strlen(s) + 1);
}

/* The words that come with an error, after @offset of the message. */
static void note_words(struct genl *g, const struct nlmsghdr *hdr, int offset)
{
	const char *start = (const char *)NLMSG_DATA(hdr) + offset;
	int len = (int)NLMSG_PAYLOAD(hdr, 0) - offset;

	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	strncpy(g->error, genl_string(attr_find(start, len, NLMSGERR_ATTR_MSG)),
		sizeof(g->error) - 1);
	g->bad = genl_u32(attr_find(start, len, NLMSGERR_ATTR_OFFS));
}

static int take_end(struct genl *g, const struct nlmsghdr *hdr)
{
	const int *err = NLMSG_DATA(hdr);

	if (hdr->nlmsg_type == NLMSG_ERROR)
		note_words(g, hdr, sizeof(struct nlmsgerr));
	else
		note_words(g, hdr, sizeof(int));
	return *err;
}

int genl_ask(struct genl *g, struct genl_msg *m, genl_fn each, void *arg)
{
	static __thread char buf[65536];
	bool over = false;
	int ret = 0, len;

	g->error[0] = '\0';
	g->bad = 0;
	if (send(g->fd, m->buf, m->hdr.nlmsg_len, 0) < 0)
		return -errno;
	while (!over) {
		struct nlmsghdr *hdr = (void *)buf;

		len = recv(g->fd, buf, sizeof(buf), 0);
		if (len < 0)
			return -errno;
		for (; NLMSG_OK(hdr, len); hdr = NLMSG_NEXT(hdr, len)) {
			int err = 0;

			if (hdr->nlmsg_seq != m->hdr.nlmsg_seq)
				continue;
			if (hdr->nlmsg_type == NLMSG_ERROR || hdr->nlmsg_type == NLMSG_DONE) {
				over = true;
				err = take_end(g, hdr);
			} else if (each) {
				err = each(hdr, arg);
			}
			if (!ret)
				ret = err;
		}
	}
	return ret;
}

int genl_event(struct genl *g, struct genl_msg *m, int ms)
{
	struct pollfd pfd = { .fd = g->fd, .events = POLLIN };
	int len = recv(g->fd, m->buf, sizeof(m->buf), MSG_DONTWAIT);

	if (len < 0 && errno == EAGAIN) {
		if (poll(&pfd, 1, ms) <= 0)
			return 0;
		len = recv(g->fd, m->buf, sizeof(m->buf), MSG_DONTWAIT);
	}
	return len < 0 ? -errno : 1;
}

int genl_simple(struct genl *g, uint8_t cmd, int type, uint32_t value)
{
	struct genl_msg m;

	genl_begin(&m, g, cmd, 0);
	genl_put_u32(&m, type, value);
	return genl_ask(g, &m, NULL, NULL);
}

static int take_family(struct nlmsghdr *hdr, void *arg)
{
	const struct nlattr *groups, *group;
	struct genl *g = arg;
	int i, n;

	memcpy(&g->family, attr_data(genl_attr(hdr, CTRL_ATTR_FAMILY_ID)),
	       sizeof(g->family));
	groups = genl_attr(hdr, CTRL_ATTR_MCAST_GROUPS);
	for (n = 1; (group = genl_nested(groups, n)); n++) {
		const struct nlattr *id = genl_nested(group, CTRL_ATTR_MCAST_GRP_ID);
		const struct nlattr *name = genl_nested(group, CTRL_ATTR_MCAST_GRP_NAME);

		for (i = 0; i < GENL_GROUPS; i++)
			if (!strcmp(group_name[i], genl_string(name)))
				g->group[i] = genl_u32(id);
	}
	return 0;
}

int genl_open(struct genl *g)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct genl_msg m;
	int on = 1, err;

	memset(g, 0, sizeof(*g));
	g->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (g->fd < 0)
		return -errno;
	setsockopt(g->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(g->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	if (bind(g->fd, (void *)&to, sizeof(to)) || connect(g->fd, (void *)&to, sizeof(to))) {
		err = -errno;
		goto out;
	}
	g->family = GENL_ID_CTRL;
	genl_begin(&m, g, CTRL_CMD_GETFAMILY, 0);
	genl_put_string(&m, CTRL_ATTR_FAMILY_NAME, JOIST_FAMILY_NAME);
	err = genl_ask(g, &m, take_family, g);
	if (!err)
		return 0;
out:
	close(g->fd);
	g->fd = -1;
	return err;
}

void genl_close(struct genl *g)
{
	close(g->fd);
	g->fd = -1;
}

int genl_join(struct genl *g, int group)
{
	if (setsockopt(g->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &g->group[group],
		       sizeof(g->group[group])))
		return -errno;
	return 0;
}
