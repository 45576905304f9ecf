/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM's network interface, as configured or created. */
#ifndef VMD_INTERFACE_H
#define VMD_INTERFACE_H

#include "libjoist/types.h"
#include "vmm/vmm.h"

#define INTERFACES_MAX	VMM_NETS_MAX
#define IF_NAME_SIZE	16	/* IFNAMSIZ */
#define IF_QUEUES_MAX	VMM_NET_PAIRS_MAX
#define SWITCH_NAME_MAX	11	/* with "jsw-" before it an interface's name */
#define TRUNK_MAX	16
#define IPS_MAX		16
#define VLAN_MAX	4094

struct complaint;
struct json_object;

enum interface_kind { IF_NONE, IF_SWITCH, IF_USER, IF_MACVTAP };

/**
 * struct ip_prefix - an address, or those that begin as it does
 * @family: AF_INET or AF_INET6
 * @bits: of @addr that count
 */
struct ip_prefix {
	u8 family;
	u8 bits;
	u8 addr[16];
};

struct vlan_range {
	u16 first, last;
};

/**
 * struct interface - one of a VM's
 * @name: within the VM
 * @kind: enum interface_kind
 * @link: the switch, or of macvtap: the interface of the host
 * @has_mac: @mac was given; else it follows from the VM's UUID and @name
 * @vlan: the network it is in, 0: the switch's own; frames come without a tag
 * @trunk: networks whose frames come with their tags
 * @isolated: reaches the host and the uplink, not its neighbours
 * @rate_in: bits per second to the guest, 0: no limit
 * @rate_out: likewise, from the guest
 * @mac_check: frames of another address than @mac are dropped
 * @ip: addresses it may use; none: any
 * @queues: pairs
 * @forward: of user: ports of the host's that lead to the guest
 * @line: in the configuration file
 */
struct interface {
	char name[IF_NAME_SIZE];
	enum interface_kind kind;
	char link[IF_NAME_SIZE];
	bool has_mac;
	u8 mac[6];
	u16 vlan;
	int nr_trunk;
	struct vlan_range trunk[TRUNK_MAX];
	bool isolated;
	u64 rate_in, rate_out;
	bool mac_check;
	int nr_ips;
	struct ip_prefix ip[IPS_MAX];
	u16 mtu;
	u32 queues;
	int nr_forwards;
	char *forward[VMM_FORWARDS_MAX];
	int line;
};

int interface_init(struct interface *nic, const char *name, struct complaint *c);
void interface_free(struct interface *nic);
int interface_set(struct interface *nic, const char *key, const char *text,
		  struct complaint *c);
bool interface_list(const char *key);
int interfaces_fds(const struct interface *nic, int nr);
int interface_check(const struct interface *nic, struct complaint *c);
bool interface_equal(const struct interface *a, const struct interface *b);
void interface_mac(const struct interface *nic, const char *uuid, u8 *mac);

bool ip_parse(const char *text, struct ip_prefix *ip);
void ip_text(const struct ip_prefix *ip, char *text, size_t size);
bool ifname_valid(const char *name);

/* interface_json.c */
struct json_object *interface_json(const struct interface *nic);
int interface_from_json(struct interface *nic, struct json_object *obj, int index,
			struct complaint *c);

/* Values of members, of switches too. */
int number_set(const char *key, const char *text, u64 least, u64 most, u64 *value,
	       struct complaint *c);
int bool_set(const char *key, const char *text, bool *value, struct complaint *c);

#endif
