/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices of the host's that a VM is to have, as configured or created. */
#ifndef VMD_ASSIGNED_H
#define VMD_ASSIGNED_H

#include "hostdev/hostdev.h"
#include "libjoist/types.h"
#include "vmm/vmm.h"

#define ASSIGNED_MAX	VMM_HOSTDEVS_MAX

struct complaint;
struct json_object;

/**
 * struct assigned - one of them
 * @name: within the VM
 * @host: the device; with @pool: whose virtual function it is, any that is free
 * @has_mac: of a virtual function that is a network: @mac is to be its address
 * @vlan: likewise, the network it is in; 0: any
 * @stop: a VM whose device reaches for memory that is not its own is ended
 * @force: it is taken even if the host needs it as its way out
 */
struct assigned {
	char name[DEVICE_NAME_SIZE];
	char host[PCI_ADDR_SIZE];
	bool pool;
	bool has_mac;
	u8 mac[6];
	u16 vlan;
	bool stop;
	bool force;
};

struct assignments {
	int nr;
	struct assigned dev[ASSIGNED_MAX];
};

extern const char *const assigned_keys[];	/* ended by NULL */

int assigned_set(struct assigned *dev, const char *key, const char *text, struct complaint *c);
int assignments_add(struct assignments *list, const struct assigned *dev, struct complaint *c);
struct assigned *assignments_find(struct assignments *list, const char *name);
void assignments_remove(struct assignments *list, const char *name);
bool assignments_equal(const struct assignments *a, const struct assignments *b);
struct json_object *assigned_json(const struct assigned *dev);
int assigned_from_json(struct assignments *list, struct json_object *obj, struct complaint *c);
struct json_object *assignments_json(const struct assignments *list);

#endif
