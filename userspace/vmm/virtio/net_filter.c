// SPDX-License-Identifier: GPL-2.0-only
/* The receive filter (virtio 1.2, 5.1.6.5.1 to 5.1.6.5.3). */
#include <string.h>

#include "net_filter.h"

#define VLAN_ID		0x0fff

/**
 * net_filter_reset() - as it is before the driver has said anything
 * @f: filter
 * @mac: the device's address
 * @vlans: the driver will name the VLANs it wants
 *
 * A driver that never says anything gets all there is.
 */
void net_filter_reset(struct net_filter *f, const u8 *mac, bool vlans)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->mac, mac, sizeof(f->mac));
	f->promisc = true;
	f->vlans = vlans;
}

static bool listed(const struct net_macs *list, const u8 *mac)
{
	int i;

	if (list->all)
		return true;
	for (i = 0; i < list->nr; i++)
		if (!memcmp(list->mac[i], mac, ETH_ALEN))
			return true;
	return false;
}

static u16 be16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

static bool vlan_passes(const struct net_filter *f, const u8 *frame)
{
	u16 id;

	if (!f->vlans || be16(frame + 2 * ETH_ALEN) != ETH_P_8021Q)
		return true;
	id = be16(frame + ETH_HLEN) & VLAN_ID;
	return f->vlan[id / 8] & BIT(id % 8);
}

/**
 * net_filter_pass() - does the guest want a frame?
 * @f: filter
 * @frame: its first NET_FILTER_LEN bytes
 *
 * Return: whether it does.
 */
bool net_filter_pass(const struct net_filter *f, const u8 *frame)
{
	static const u8 broadcast[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (f->promisc)
		return true;
	if (!vlan_passes(f, frame))
		return false;
	if (!memcmp(frame, broadcast, ETH_ALEN))
		return !f->nobcast;
	if (frame[0] & 1)
		return !f->nomulti && (f->allmulti || listed(&f->multi, frame));
	return !f->nouni && (f->alluni || !memcmp(frame, f->mac, ETH_ALEN) ||
			     listed(&f->uni, frame));
}

/* Frames of VLAN @id, below NET_VLANS, are to pass or not. */
void net_filter_vlan(struct net_filter *f, u16 id, bool pass)
{
	u8 bit = (u8)BIT(id % 8);

	if (pass)
		f->vlan[id / 8] |= bit;
	else
		f->vlan[id / 8] &= (u8)~bit;
}
