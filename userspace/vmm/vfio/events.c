// SPDX-License-Identifier: GPL-2.0-only
/* What the host tells of a guest's devices, besides their interrupts. Main thread. */
#include <poll.h>
#include <sys/eventfd.h>

#include "../log.h"
#include "../vm.h"
#include "device.h"

#define WANTED_FORCE	4	/* it asks every ten seconds */

/* What poll() shall wait for: HOSTDEV_FDS of each place of a device. */
void hostdev_fds(struct vm *vm, struct pollfd *fds)
{
	int i, k;

	for (i = 0; i < VMM_HOSTDEVS_MAX; i++) {
		const bool in = vm_plug_is_in(vm, PLUG_HOSTDEV, i);

		for (k = 0; k < HOSTDEV_FDS; k++)
			*fds++ = (struct pollfd) {
				.fd = in ? vm->hostdev[i]->event_fd[k] : -1,
				.events = POLLIN,
			};
	}
}

/* The guest is asked to let go of it, and asked no more once it has had its time. */
static void give_back(struct vm *vm, struct hostdev *hd, const char *name)
{
	bool force = ++hd->wanted >= WANTED_FORCE;

	if (hd->wanted == 1)
		log_trouble("the host wants '%s' (%s) back: the guest is asked for it", name,
			    hd->host);
	else if (hd->wanted == WANTED_FORCE)
		log_trouble("the guest does not let go of '%s': it is taken from it", name);
	vm_unplug(vm, PLUG_HOSTDEV, name, force);
}

static void happened(struct vm *vm, int index, enum hostdev_event event)
{
	struct hostdev *hd = vm->hostdev[index];
	char name[DEVICE_NAME_SIZE];
	bool first = event == HOSTDEV_ERROR || !hd->wanted;

	vm_plug_name(vm, PLUG_HOSTDEV, index, name);
	if (first)
		hd->news |= BIT(event);
	if (event == HOSTDEV_WANTED)
		give_back(vm, hd, name);
	else
		log_trouble("'%s' (%s) has an error that the host cannot correct: unplug it", name,
			    hd->host);
}

/* @fds: as hostdev_fds() filled them in, after poll() */
void hostdev_serve(struct vm *vm, const struct pollfd *fds)
{
	eventfd_t count;
	int i, k;

	for (i = 0; i < VMM_HOSTDEVS_MAX; i++)
		for (k = 0; k < HOSTDEV_FDS; k++, fds++)
			if (fds->fd >= 0 && fds->revents && !eventfd_read(fds->fd, &count))
				happened(vm, i, (enum hostdev_event)k);
}

/**
 * hostdev_news() - what has happened to devices since the last time
 * @vm: VM
 * @event: set
 * @name: filled in, DEVICE_NAME_SIZE: whose
 *
 * Return: whether something has.
 */
bool hostdev_news(struct vm *vm, enum hostdev_event *event, char *name)
{
	int i;

	for (i = 0; i < VMM_HOSTDEVS_MAX; i++) {
		struct hostdev *hd = vm->hostdev[i];

		if (!vm_plug_is_in(vm, PLUG_HOSTDEV, i) || !hd->news)
			continue;
		*event = (enum hostdev_event)__builtin_ctz(hd->news);
		hd->news &= hd->news - 1;
		vm_plug_name(vm, PLUG_HOSTDEV, i, name);
		return true;
	}
	return false;
}
