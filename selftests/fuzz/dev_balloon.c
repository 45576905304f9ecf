// SPDX-License-Identifier: GPL-2.0-only
/* virtio-balloon: page numbers are what its requests are made of. */
#include <string.h>

#include "target.h"
#include "vmm/virtio/balloon.h"
#include "vmm/vm.h"

static void configure(struct vmm_config *config, const struct options *options)
{
	config->balloon = true;
	config->balloon_target = options->value;
}

/* d: the first page, and from one to the next */
static u32 header(u8 *header, int queue, u64 d)
{
	u32 pfn[8], i;

	(void)queue;
	for (i = 0; i < ARRAY_SIZE(pfn); i++)
		pfn[i] = (u32)d + i * (u32)(d >> 32);
	memcpy(header, pfn, sizeof(pfn));
	return sizeof(pfn);
}

static void event(struct vm *vm, u8 kind, u32 c, u64 d)
{
	struct balloon_state state;

	(void)c;
	if (kind & 1)
		virtio_balloon_refresh(vm->balloon);
	else
		virtio_balloon_set(vm->balloon, d);
	virtio_balloon_state(vm->balloon, &state);
}

const struct target target = { .configure = configure, .header = header, .event = event };
