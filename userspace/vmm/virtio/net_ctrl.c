// SPDX-License-Identifier: GPL-2.0-only
/* Commands of the driver (virtio 1.2, 5.1.6.5): all are small, none waits. */
#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "iov.h"
#include "net_ctrl.h"

/* What is left of a command: pieces not read yet. */
struct args {
	struct iovec *iov;
	int nr;
};

static bool take(struct args *args, void *data, size_t len)
{
	return iov_pull(&args->iov, &args->nr, data, len);
}

static bool has(const struct net_ctrl *ctrl, int feature)
{
	return ctrl->features & BIT_ULL(feature);
}

/* Return: whether it was done, here and below. */
static bool rx_mode(const struct net_ctrl *ctrl, u8 cmd, struct args *args)
{
	struct net_filter *f = ctrl->filter;
	bool *modes[] = {
		[VIRTIO_NET_CTRL_RX_PROMISC] = &f->promisc,
		[VIRTIO_NET_CTRL_RX_ALLMULTI] = &f->allmulti,
		[VIRTIO_NET_CTRL_RX_ALLUNI] = &f->alluni,
		[VIRTIO_NET_CTRL_RX_NOMULTI] = &f->nomulti,
		[VIRTIO_NET_CTRL_RX_NOUNI] = &f->nouni,
		[VIRTIO_NET_CTRL_RX_NOBCAST] = &f->nobcast,
	};
	u8 on;

	if (!has(ctrl, VIRTIO_NET_F_CTRL_RX) || cmd >= ARRAY_SIZE(modes))
		return false;
	if (cmd >= VIRTIO_NET_CTRL_RX_ALLUNI &&
	    !has(ctrl, VIRTIO_NET_F_CTRL_RX_EXTRA))
		return false;
	if (!take(args, &on, sizeof(on)))
		return false;
	*modes[cmd] = on;
	return true;
}

/* One list of addresses. More than we hold are as good as all. */
static bool take_macs(struct args *args, struct net_macs *list)
{
	u64 there = iov_total(args->iov, args->nr), i;
	u8 mac[ETH_ALEN];
	u32 nr;

	memset(list, 0, sizeof(*list));
	if (!take(args, &nr, sizeof(nr)) ||
	    (u64)nr * ETH_ALEN > there - sizeof(nr))
		return false;
	if (nr > NET_MACS_MAX) {
		list->all = true;
		for (i = 0; i < nr; i++)
			if (!take(args, mac, sizeof(mac)))
				return false;
		return true;
	}
	list->nr = (int)nr;
	return take(args, list->mac, nr * sizeof(list->mac[0]));
}

static bool set_macs(const struct net_ctrl *ctrl, struct args *args)
{
	struct net_macs uni, multi;

	if (!has(ctrl, VIRTIO_NET_F_CTRL_RX) || !take_macs(args, &uni) ||
	    !take_macs(args, &multi))
		return false;
	ctrl->filter->uni = uni;
	ctrl->filter->multi = multi;
	return true;
}

static bool set_mac(const struct net_ctrl *ctrl, struct args *args)
{
	u8 mac[ETH_ALEN];

	if (!has(ctrl, VIRTIO_NET_F_CTRL_MAC_ADDR) ||
	    !take(args, mac, sizeof(mac)) || (mac[0] & 1))
		return false;
	memcpy(ctrl->filter->mac, mac, sizeof(mac));
	return true;
}

static bool set_vlan(const struct net_ctrl *ctrl, u8 cmd, struct args *args)
{
	u16 id;

	if (!has(ctrl, VIRTIO_NET_F_CTRL_VLAN) || cmd > VIRTIO_NET_CTRL_VLAN_DEL ||
	    !take(args, &id, sizeof(id)) || id >= NET_VLANS)
		return false;
	net_filter_vlan(ctrl->filter, id, cmd == VIRTIO_NET_CTRL_VLAN_ADD);
	return true;
}

static bool set_offloads(const struct net_ctrl *ctrl, u8 cmd, struct args *args)
{
	u64 offloads;

	if (!has(ctrl, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) ||
	    cmd != VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET ||
	    !take(args, &offloads, sizeof(offloads)) ||
	    (offloads & ~(ctrl->features & NET_GUEST_OFFLOADS)))
		return false;
	return !ctrl->set_offloads(ctrl->ctx, offloads);
}

static bool set_pairs(const struct net_ctrl *ctrl, u8 cmd, struct args *args)
{
	u16 pairs;

	if (!has(ctrl, VIRTIO_NET_F_MQ) || cmd != VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET ||
	    !take(args, &pairs, sizeof(pairs)) || !pairs || pairs > ctrl->max_pairs)
		return false;
	return !ctrl->set_pairs(ctrl->ctx, pairs);
}

static bool obey(const struct net_ctrl *ctrl, const struct virtio_net_ctrl_hdr *hdr,
		 struct args *args)
{
	switch (hdr->class) {
	case VIRTIO_NET_CTRL_RX:
		return rx_mode(ctrl, hdr->cmd, args);
	case VIRTIO_NET_CTRL_MAC:
		if (hdr->cmd == VIRTIO_NET_CTRL_MAC_TABLE_SET)
			return set_macs(ctrl, args);
		return hdr->cmd == VIRTIO_NET_CTRL_MAC_ADDR_SET && set_mac(ctrl, args);
	case VIRTIO_NET_CTRL_VLAN:
		return set_vlan(ctrl, hdr->cmd, args);
	case VIRTIO_NET_CTRL_GUEST_OFFLOADS:
		return set_offloads(ctrl, hdr->cmd, args);
	case VIRTIO_NET_CTRL_MQ:
		return set_pairs(ctrl, hdr->cmd, args);
	default:
		return false;
	}
}

/**
 * net_ctrl_serve() - obey one command
 * @ctrl: what it can change
 * @chain: the command; consumed
 *
 * Return: bytes written into the chain, or -EINVAL: it is no command at all.
 */
int net_ctrl_serve(const struct net_ctrl *ctrl, struct chain *chain)
{
	struct args args = { chain->iov, chain->nr_out };
	struct virtio_net_ctrl_hdr hdr;
	u8 *ack = iov_at(chain->iov + chain->nr_out, chain->nr_in, 0);

	if (!ack || !take(&args, &hdr, sizeof(hdr)))
		return -EINVAL;
	*ack = obey(ctrl, &hdr, &args) ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
	return sizeof(*ack);
}
