// SPDX-License-Identifier: GPL-2.0-only
/* virtio-balloon: page numbers are what its requests are made of, or a run's number. */
#include <string.h>

#include "target.h"
#include "vmm/virtio/balloon.h"
#include "vmm/vm.h"

static void configure(struct vmm_config *config, const struct options *options)
{
	config->balloon = true;
	config->balloon_target = options->value;
}

/* The number of hinting's queue, with all features. */
#define HINT_QUEUE	3

/* d: the first page, and from one to the next; of hints: close to the numbers that there are */
static u32 header(u8 *header, int queue, u64 d)
{
	u32 pfn[8], i;

	if (queue == HINT_QUEUE) {
		pfn[0] = (u32)(d % 6);
		memcpy(header, pfn, sizeof(pfn[0]));
		return sizeof(pfn[0]);
	}
	for (i = 0; i < ARRAY_SIZE(pfn); i++)
		pfn[i] = (u32)d + i * (u32)(d >> 32);
	memcpy(header, pfn, sizeof(pfn));
	return sizeof(pfn);
}

static void event(struct vm *vm, u8 kind, u32 c, u64 d)
{
	struct balloon_state state;
	u64 bytes;
	int err;

	(void)c;
	switch (kind & 3) {
	case 0:
		virtio_balloon_set(vm->balloon, d);
		break;
	case 2:
		virtio_balloon_reclaim(vm->balloon);
		if (d & 1)
			virtio_balloon_reclaim_end(vm->balloon);
		break;
	default:
		virtio_balloon_refresh(vm->balloon);
	}
	virtio_balloon_state(vm->balloon, &state);
	if (virtio_balloon_reclaimed(vm->balloon, &bytes, &err) &&
	    bytes % PAGE_SIZE)
		__builtin_trap();
}

const struct target target = { .configure = configure, .header = header, .event = event };
