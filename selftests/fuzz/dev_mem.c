// SPDX-License-Identifier: GPL-2.0-only
/* virtio-mem: its requests name blocks of the memory that can be plugged in. */
#include <linux/virtio_mem.h>
#include <string.h>

#include "target.h"
#include "vmm/virtio/mem.h"
#include "vmm/virtio/mem_blocks.h"
#include "vmm/vm.h"

#define FIRST	0x100000000ULL	/* where the region is: there is little memory */

static void configure(struct vmm_config *config, const struct options *options)
{
	config->pluggable = 16 * MEM_BLOCK_SIZE;
	config->plugged = options->value % 17 * MEM_BLOCK_SIZE;
}

/* d: the type, the number of blocks << 16, the first << 32; with bit 63 an address instead */
static u32 header(u8 *header, int queue, u64 d)
{
	struct virtio_mem_req req = { .type = (u16)d };

	(void)queue;
	req.u.plug.nb_blocks = (u16)(d >> 16);
	req.u.plug.addr = d >> 63 ? d : FIRST + (d >> 32) * MEM_BLOCK_SIZE;
	memcpy(header, &req, sizeof(req));
	return sizeof(req);
}

static void event(struct vm *vm, u8 kind, u32 c, u64 d)
{
	struct mem_state state;

	(void)c;
	if (!(kind & 1))
		virtio_mem_set(vm->plug_mem, d);
	virtio_mem_state(vm->plug_mem, &state);
}

const struct target target = { .configure = configure, .header = header, .event = event };
