// SPDX-License-Identifier: GPL-2.0-only
/* The beginning of NBD: what the server offers. Nothing it says is trusted. */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "nbd.h"
#include "nbd_protocol.h"

#define TIMEOUT_MS	20000
#define REPLIES_MAX	16
#define REPLY_LEN_MAX	4096

static int receive(int fd, void *data, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	while (len) {
		n = poll(&pfd, 1, TIMEOUT_MS);
		if (!n)
			return -ETIMEDOUT;
		n = n < 0 ? n : read(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ECONNRESET;
		data = (u8 *)data + n;
		len -= (size_t)n;
	}
	return 0;
}

/* It is little: the socket's buffer has room for it. */
static int transmit(int fd, const void *data, size_t len)
{
	return write(fd, data, len) == (ssize_t)len ? 0 : -EIO;
}

static int ask_for_export(int fd)
{
	struct {
		struct nbd_option option;
		u32 name_length;
		u16 nr_infos;
	} __packed go = {
		.option = {
			.magic = htobe64(NBD_OPTION_MAGIC),
			.option = htobe32(NBD_OPT_GO),
			.length = htobe32(sizeof(u32) + sizeof(u16)),
		},
	};

	return transmit(fd, &go, sizeof(go));
}

static void take_export(struct nbd_export *exp, const struct nbd_info_export *info)
{
	u16 flags = be16toh(info->flags);

	*exp = (struct nbd_export) {
		.size = be64toh(info->size),
		.readonly = flags & NBD_FLAG_READ_ONLY,
		.can_flush = flags & NBD_FLAG_SEND_FLUSH,
		.can_trim = flags & NBD_FLAG_SEND_TRIM,
		.can_zero = flags & NBD_FLAG_SEND_ZEROES,
	};
}

/* Return: 1: the export is ours; 0: there is more to come; or -errno. */
static int take_reply(int fd, struct nbd_export *exp)
{
	struct nbd_option_reply reply;
	u8 data[REPLY_LEN_MAX];
	struct nbd_info_export info;
	u32 length, type;
	int err;

	err = receive(fd, &reply, sizeof(reply));
	if (err)
		return err;
	length = be32toh(reply.length);
	type = be32toh(reply.type);
	if (be64toh(reply.magic) != NBD_REPLY_MAGIC || length > sizeof(data))
		return -EPROTO;
	err = receive(fd, data, length);
	if (err)
		return err;
	if (type & NBD_REP_ERROR)
		return -EREMOTEIO;
	if (type == NBD_REP_INFO && length == sizeof(info)) {
		memcpy(&info, data, sizeof(info));
		if (be16toh(info.type) == NBD_INFO_EXPORT)
			take_export(exp, &info);
	}
	return type == NBD_REP_ACK;
}

/**
 * nbd_connect() - from hello to where requests can be sent
 * @fd: connected socket
 * @exp: filled in
 *
 * Return: 0 or -errno.
 */
int nbd_connect(int fd, struct nbd_export *exp)
{
	u32 flags = htobe32(NBD_FIXED_NEWSTYLE | NBD_NO_ZEROES);
	struct nbd_hello hello;
	int i, ret;

	*exp = (struct nbd_export) { 0 };
	ret = receive(fd, &hello, sizeof(hello));
	if (ret)
		return ret;
	if (be64toh(hello.magic) != NBD_MAGIC || be64toh(hello.option_magic) != NBD_OPTION_MAGIC ||
	    !(be16toh(hello.flags) & NBD_FIXED_NEWSTYLE))
		return -EPROTO;
	ret = transmit(fd, &flags, sizeof(flags));
	ret = ret ?: ask_for_export(fd);
	for (i = 0; !ret && i < REPLIES_MAX; i++)
		ret = take_reply(fd, exp);
	if (ret <= 0)
		return ret ?: -EPROTO;
	return exp->size && exp->size <= INT64_MAX ? 0 : -EPROTO;
}
