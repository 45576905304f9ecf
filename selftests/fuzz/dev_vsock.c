// SPDX-License-Identifier: GPL-2.0-only
/* virtio-vsock: its queues are the kernel's, which calls, and finds fault with them. */
#include "fake_vhost.h"
#include "target.h"

static void configure(struct vmm_config *config, const struct options *options)
{
	static int device = -1;

	(void)options;
	if (device < 0)
		device = fuzz_memfd("vhost", NULL, 0);
	config->vsock = (struct vmm_vsock) { 3, { "vhost", device } };
}

/* kind: an error, or else a call; c: of which ring */
static void event(struct vm *vm, u8 kind, u32 c, u64 d)
{
	(void)vm;
	(void)d;
	fake_vhost_signal(c % FAKE_VHOST_RINGS, kind & 1);
}

const struct target target = { .configure = configure, .event = event, .end = fake_vhost_end };
