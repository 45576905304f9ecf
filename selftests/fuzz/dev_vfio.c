// SPDX-License-Identifier: GPL-2.0-only
/* A device of the host's: its configuration space, windows, interrupts; it comes and goes. */
#include <unistd.h>

#include "fake_vfio.h"
#include "target.h"
#include "vmm/plug.h"
#include "vmm/vfio/hostdev.h"
#include "vmm/vm.h"

#define OPTION_PLUGGABLE	BIT(4)
#define OPTION_NO_DEVICE	BIT(5)

enum { EVENT_SIGNAL, EVENT_UNPLUG, EVENT_FORCE, EVENT_PLUG, NR_EVENTS };

static const struct vmm_hostdev device = {
	.name = "hostdev", .host = "0000:01:00.0", .group = { "/dev/vfio/5", -1 },
};

static struct vmm_file open_file(const char *path)
{
	return (struct vmm_file) { path, fake_vfio_file() };
}

static void configure(struct vmm_config *config, const struct options *options)
{
	fake_vfio_begin(options->flags, options->value);
	if (options->flags & OPTION_PLUGGABLE) {
		config->balloon = true;
		config->pluggable = 16 << 20;
		config->plugged = 8 << 20;
	}
	if (options->flags & OPTION_NO_DEVICE)
		return;
	config->vfio = open_file("/dev/vfio/vfio");
	config->nr_hostdevs = 1;
	config->hostdev[0] = device;
	config->hostdev[0].group = open_file(device.group.path);
}

static void plug(struct vm *vm)
{
	struct vmm_file vfio = open_file("/dev/vfio/vfio");
	struct vmm_hostdev more = device;

	vfio.fd = dup(vfio.fd);
	more.group = open_file(device.group.path);
	more.group.fd = dup(more.group.fd);
	vm_plug_hostdev(vm, &more, &vfio);
}

/* What a frontend looks at. */
static void look(struct vm *vm)
{
	enum hostdev_event event;
	enum plug_kind kind;
	char name[DEVICE_NAME_SIZE];

	while (hostdev_news(vm, &event, name))
		;
	while (vm_plug_left(vm, &kind, name))
		;
}

/* c: of which interrupt, and which of them */
static void event(struct vm *vm, u8 kind, u32 c, u64 d)
{
	(void)d;
	switch (kind % NR_EVENTS) {
	case EVENT_SIGNAL:
		fake_vfio_signal(c & 7, c >> 8 & 0xff);
		break;
	case EVENT_UNPLUG:
	case EVENT_FORCE:
		vm_unplug(vm, PLUG_HOSTDEV, device.name, kind % NR_EVENTS == EVENT_FORCE);
		break;
	case EVENT_PLUG:
		plug(vm);
		break;
	}
	look(vm);
}

const struct target target = { .configure = configure, .event = event, .end = fake_vfio_end };
