/* SPDX-License-Identifier: GPL-2.0-only */
/* NBD's structures (the protocol's own document names them), big-endian. */
#ifndef VMM_BACKEND_NBD_PROTOCOL_H
#define VMM_BACKEND_NBD_PROTOCOL_H

#include <assert.h>

#include "libjoist/types.h"

#define NBD_MAGIC		0x4e42444d41474943ULL	/* "NBDMAGIC" */
#define NBD_OPTION_MAGIC	0x49484156454f5054ULL	/* "IHAVEOPT" */
#define NBD_REPLY_MAGIC		0x0003e889045565a9ULL
#define NBD_FIXED_NEWSTYLE	BIT(0)
#define NBD_NO_ZEROES		BIT(1)
#define NBD_OPT_GO		7
#define NBD_REP_ACK		1
#define NBD_REP_INFO		3
#define NBD_REP_ERROR		BIT(31)
#define NBD_INFO_EXPORT		0

#define NBD_FLAG_READ_ONLY	BIT(1)
#define NBD_FLAG_SEND_FLUSH	BIT(2)
#define NBD_FLAG_SEND_TRIM	BIT(5)
#define NBD_FLAG_SEND_ZEROES	BIT(6)

#define NBD_REQUEST_MAGIC	0x25609513U
#define NBD_SIMPLE_MAGIC	0x67446698U
#define NBD_CMD_READ		0
#define NBD_CMD_WRITE		1
#define NBD_CMD_DISC		2
#define NBD_CMD_FLUSH		3
#define NBD_CMD_TRIM		4
#define NBD_CMD_WRITE_ZEROES	6
#define NBD_CMD_FLAG_NO_HOLE	BIT(1)

struct nbd_hello {
	u64 magic;
	u64 option_magic;
	u16 flags;
} __packed;

struct nbd_option {
	u64 magic;
	u32 option;
	u32 length;
} __packed;

struct nbd_option_reply {
	u64 magic;
	u32 option;
	u32 type;
	u32 length;
} __packed;

struct nbd_info_export {
	u16 type;
	u64 size;
	u16 flags;
} __packed;

struct nbd_request {
	u32 magic;
	u16 flags;
	u16 type;
	u64 cookie;
	u64 offset;
	u32 length;
} __packed;

struct nbd_reply {
	u32 magic;
	u32 error;
	u64 cookie;
} __packed;

static_assert(sizeof(struct nbd_request) == 28, "as the protocol has it");
static_assert(sizeof(struct nbd_reply) == 16, "likewise");

#endif
