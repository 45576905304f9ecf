/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of 9P on a socket: size[4] type[1] tag[2], and what the server is asked or says. */
#ifndef VMM_VIRTIO_P9_WIRE_H
#define VMM_VIRTIO_P9_WIRE_H

#include "libjoist/types.h"

#define P9_HEADER	7U
#define P9_MESSAGE_MAX	(512U << 10)	/* as much as Linux asks for at most, and diod gives less */
#define P9_ERROR_SIZE	(P9_HEADER + 4)

enum { P9_RLERROR = 7, P9_TATTACH = 104, P9_TFLUSH = 108, P9_RFLUSH };

/**
 * struct p9_wire - a connection to a server
 * @fd: its socket, which does not block; -1: it is gone
 * @tx: the request being sent
 * @rx: the reply being received
 */
struct p9_wire {
	int fd;
	u8 *tx;
	u32 tx_len, tx_sent;
	u8 *rx;
	u32 rx_len;
};

int p9_wire_init(struct p9_wire *wire, int fd);
void p9_wire_destroy(struct p9_wire *wire);
void p9_wire_close(struct p9_wire *wire);
void p9_wire_put(struct p9_wire *wire);
int p9_wire_send(struct p9_wire *wire);
int p9_wire_receive(struct p9_wire *wire);

static inline bool p9_wire_sending(const struct p9_wire *wire)
{
	return wire->tx_sent < wire->tx_len;
}

static inline u32 p9_size(const u8 *message)
{
	return message[0] | message[1] << 8 | message[2] << 16 | (u32)message[3] << 24;
}

static inline u16 p9_tag(const u8 *message)
{
	return (u16)(message[5] | message[6] << 8);
}

#endif
