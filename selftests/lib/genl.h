/* SPDX-License-Identifier: GPL-2.0-only */
/* Raw generic netlink: the family "joist" without any library. */
#ifndef JOIST_SELFTESTS_GENL_H
#define JOIST_SELFTESTS_GENL_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include "joist_netlink.h"

#define GENL_GROUPS	3	/* lifecycle, fault, stats: in this order */

struct genl {
	int fd;
	uint16_t family;
	uint32_t group[GENL_GROUPS];
	uint32_t seq;
	char error[256];	/* the kernel's words for the last error, or "" */
	uint32_t bad;		/* offset of the attribute it names, or 0 */
};

struct genl_msg {
	union {
		struct nlmsghdr hdr;
		char buf[16384];
	};
};

/* A message of a reply. What is returned and not 0 is returned in the end. */
typedef int (*genl_fn)(struct nlmsghdr *hdr, void *arg);

int genl_open(struct genl *g);		/* 0 or -errno; -ENOENT: no such family */
void genl_close(struct genl *g);
int genl_join(struct genl *g, int group);

void genl_begin(struct genl_msg *m, struct genl *g, uint8_t cmd, int flags);
void genl_put(struct genl_msg *m, int type, const void *data, size_t len);
void genl_put_u32(struct genl_msg *m, int type, uint32_t value);
void genl_put_u64(struct genl_msg *m, int type, uint64_t value);
void genl_put_string(struct genl_msg *m, int type, const char *s);
/* Sends it and takes the answer: 0 or -errno. */
int genl_ask(struct genl *g, struct genl_msg *m, genl_fn each, void *arg);
/* One event, within @ms: 1, 0: none came, or -errno. */
int genl_event(struct genl *g, struct genl_msg *m, int ms);

static inline uint8_t genl_cmd(const struct nlmsghdr *hdr)
{
	return ((const struct genlmsghdr *)NLMSG_DATA(hdr))->cmd;
}

/* An attribute of a message, of a nest; NULL: it has none of this type. */
const struct nlattr *genl_attr(const struct nlmsghdr *hdr, int type);
const struct nlattr *genl_nested(const struct nlattr *nest, int type);
uint32_t genl_u32(const struct nlattr *attr);
uint64_t genl_u64(const struct nlattr *attr);
const char *genl_string(const struct nlattr *attr);

/* A request with one number. */
int genl_simple(struct genl *g, uint8_t cmd, int type, uint32_t value);

#endif
