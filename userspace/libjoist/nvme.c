// SPDX-License-Identifier: GPL-2.0-only
/* Admin commands of an NVMe controller that makes virtual functions. */
#include <endian.h>
#include <linux/nvme_ioctl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "nvme.h"
#include "ret.h"

#define OP_IDENTIFY		0x06
#define OP_VIRTUALIZATION	0x1c
#define CNS_PRIMARY		0x14
#define CNS_SECONDARIES		0x15
#define IDENTIFY_SIZE		4096
#define ENTRY_SIZE		32

static u16 get16(const u8 *p)
{
	u16 value;

	memcpy(&value, p, sizeof(value));
	return le16toh(value);
}

static u32 get32(const u8 *p)
{
	u32 value;

	memcpy(&value, p, sizeof(value));
	return le32toh(value);
}

static int identify(int fd, u32 cns, u8 *data)
{
	struct nvme_admin_cmd cmd = {
		.opcode = OP_IDENTIFY,
		.addr = (uintptr_t)data,
		.data_len = IDENTIFY_SIZE,
		.cdw10 = cns,
	};

	return ret_errno(ioctl(fd, NVME_IOCTL_ADMIN_CMD, &cmd));
}

/* Queues are told of from byte 32 on, interrupts from byte 64. */
static struct nvme_flexible flexible(const u8 *p)
{
	return (struct nvme_flexible) {
		.total = get32(p), .of_primary = get16(p + 8),
		.most = get16(p + 12), .granularity = get16(p + 14),
	};
}

/* Return: 0, -errno, or the status that the controller answers with. */
int nvme_identify_primary(int fd, struct nvme_primary *caps)
{
	u8 data[IDENTIFY_SIZE] = { 0 };
	int err = identify(fd, CNS_PRIMARY, data);

	caps->id = get16(data);
	caps->queues = flexible(data + 32);
	caps->interrupts = flexible(data + 64);
	return err;
}

/* Return: how many there are, or -errno. */
int nvme_identify_secondaries(int fd, struct nvme_secondary list[NVME_SECONDARIES_MAX])
{
	u8 data[IDENTIFY_SIZE] = { 0 };
	int err = identify(fd, CNS_SECONDARIES, data), nr, i;

	if (err)
		return err < 0 ? err : -ENXIO;
	nr = min((int)data[0], NVME_SECONDARIES_MAX);
	for (i = 0; i < nr; i++) {
		const u8 *entry = data + (i + 1) * ENTRY_SIZE;

		list[i].id = get16(entry);
		list[i].online = entry[4] & 1;
		list[i].vf = get16(entry + 8);
	}
	return nr;
}

/* Return: as nvme_identify_primary(). */
int nvme_virtualize(int fd, enum nvme_virt_action action, enum nvme_virt_kind kind, u16 id,
		    u32 nr)
{
	struct nvme_admin_cmd cmd = {
		.opcode = OP_VIRTUALIZATION,
		.cdw10 = (u32)id << 16 | (u32)kind << 8 | (u32)action,
		.cdw11 = nr,
	};

	return ret_errno(ioctl(fd, NVME_IOCTL_ADMIN_CMD, &cmd));
}
