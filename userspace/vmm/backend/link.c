// SPDX-License-Identifier: GPL-2.0-only
/* Links of all kinds. */
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../vmm.h"
#include "libjoist/tap.h"
#include "link.h"

/**
 * link_open() - plug in
 * @link: filled in
 * @config: where
 *
 * Return: 0, or -errno with the reason logged; link_close() is due on success.
 */
int link_open(struct net_link *link, const struct vmm_net *config)
{
	*link = (struct net_link) { .mtu = config->mtu, .used = 1 };
	switch (config->kind) {
	case VMM_NET_TAP:
		return link_open_tap(link, config);
	case VMM_NET_USER:
		return link_open_user(link, config);
	default:
		return -EINVAL;
	}
}

void link_close(struct net_link *link)
{
	while (link->nr_fds)
		close(link->fd[--link->nr_fds]);
	if (link->pid > 0) {
		/* It has nothing to lose, and it must not stay as a zombie. */
		kill(link->pid, SIGKILL);
		waitpid(link->pid, NULL, 0);
	}
	link->pid = 0;
}

/**
 * link_set_pairs() - how many of its pairs frames come by
 * @link: link
 * @pairs: 1 to link->nr_fds
 *
 * Return: 0 or -errno.
 */
int link_set_pairs(struct net_link *link, int pairs)
{
	int err = 0;

	while (!err && link->used < pairs) {
		err = tap_set_queue(link->fd[link->used], true);
		link->used += !err;
	}
	while (!err && link->used > pairs) {
		err = tap_set_queue(link->fd[link->used - 1], false);
		link->used -= !err;
	}
	return err;
}

/**
 * link_set_offloads() - what the guest makes of frames itself
 * @link: link
 * @features: VIRTIO_NET_F_GUEST_*
 *
 * Return: 0 or -errno.
 */
int link_set_offloads(struct net_link *link, u64 features)
{
	unsigned int flags = 0;

	if (!link->offloads)
		return features ? -EOPNOTSUPP : 0;
	if (features & BIT_ULL(VIRTIO_NET_F_GUEST_CSUM)) {
		flags |= TUN_F_CSUM;
		if (features & BIT_ULL(VIRTIO_NET_F_GUEST_TSO4))
			flags |= TUN_F_TSO4;
		if (features & BIT_ULL(VIRTIO_NET_F_GUEST_TSO6))
			flags |= TUN_F_TSO6;
		if ((flags & (TUN_F_TSO4 | TUN_F_TSO6)) &&
		    (features & BIT_ULL(VIRTIO_NET_F_GUEST_ECN)))
			flags |= TUN_F_TSO_ECN;
	}
	return tap_set_offloads(link->fd[0], flags);
}
