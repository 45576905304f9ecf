/* SPDX-License-Identifier: GPL-2.0-only */
/* What is to be run: one VM, as configured or created. */
#ifndef VMD_DEFINITION_H
#define VMD_DEFINITION_H

#include "assigned.h"
#include "interface.h"
#include "libjoist/uuid.h"
#include "platform.h"
#include "share.h"
#include "vmm/vmm.h"

#define NAME_LEN_MAX	63
#define NAME_RULE	"1 to 63 letters, digits, '-', '_', '.', a letter first"
#define DEVICE_NAME_RULE	"1 to 31 letters, digits, '-', '_', '.', a letter first"
#define DISKS_MAX	16
#define NOBODY		0xffffffffU
#define MIB		(1ULL << 20)

struct json_object;
struct vmm_firmware;

enum restart { RESTART_NEVER, RESTART_ON_FAILURE, RESTART_ALWAYS };
enum owner_kind { OWNER_NONE, OWNER_USER, OWNER_GROUP };

/**
 * struct owner - who may use it
 * @name: as it was given: a name or digits
 * @id: uid or gid; NOBODY until it is resolved
 */
struct owner {
	enum owner_kind kind;
	char name[NAME_LEN_MAX + 1];
	u32 id;
};

/**
 * struct disk - one of a VM's disks
 * @name: within the VM
 * @uid: somebody who added it to the running VM: it is opened with their rights; NOBODY: it
 *       came with the definition, and is opened with the rights that has
 */
struct disk {
	char name[DEVICE_NAME_SIZE];
	char *path;
	struct disk_options options;
	u32 uid, gid;
};

/**
 * struct definition - one VM
 * @pluggable: bytes of memory that can be plugged in; 0: none
 * @watchdog: enum watchdog_action
 * @vsock: the guest's address for sockets, its CID; 0: it has none
 * @restart: enum restart
 * @cpu_max: percent of a CPU; 0: no limit, as of the next two
 * @created: by a client, not by a configuration file
 * @uid: creator; files are opened with the rights of @uid and @gid
 * @file: configuration file; NULL if created
 */
struct definition {
	char name[NAME_LEN_MAX + 1];
	char uuid[UUID_LEN + 1];
	char *firmware;	/* or a kernel with its initrd and command line */
	char *kernel;
	char *initrd;
	char *cmdline;
	char *user_data;	/* what cloud-init is given; NULL: there is no seed */
	char *meta_data;
	char *network_config;
	u32 vcpus;
	u64 memory;
	u64 pluggable;
	bool balloon;
	bool rng;
	u32 watchdog;
	u32 vsock;
	int nr_disks;
	struct disk disk[DISKS_MAX];
	int nr_nics;
	struct interface nic[INTERFACES_MAX];
	struct shares shares;
	struct assignments devices;	/* the host's */
	struct platform_devices platform;	/* likewise, not PCI's */
	struct owner owner;
	bool autostart;
	u32 restart;
	u32 cpu_max;
	u64 memory_max;
	u32 pids_max;
	bool created;
	u32 uid, gid;
	char *file;
	int line;
};

/* A sentence about what is wrong. */
struct complaint {
	char text[512];
};

int complain(struct complaint *c, const char *fmt, ...) __printf(2, 3);

void definition_init(struct definition *def);
void definition_free(struct definition *def);
bool definition_equal(const struct definition *a, const struct definition *b);
int definition_firmware(const struct definition *def, struct vmm_firmware *fw,
			char **text);
int definition_check(struct definition *def, struct complaint *c);

/* Members by the names they have in files and in JSON. */
bool definition_key(const char *key);
int definition_set(struct definition *def, const char *key, const char *text,
		   struct complaint *c);
int definition_add_disk(struct definition *def, const char *name, const char *path,
			const struct disk_options *options, struct complaint *c);
struct disk *definition_disk(struct definition *def, const char *name);
void definition_remove_disk(struct definition *def, struct disk *disk);
bool device_name_valid(const char *name);
struct interface *definition_find_interface(struct definition *def, const char *name);
int definition_interface_from_json(struct definition *def, struct json_object *obj,
				   struct complaint *c);
void definition_remove_interface(struct definition *def, struct interface *nic);
struct interface *definition_interface(struct definition *def, const char *name,
				       struct complaint *c);
int owner_parse(struct owner *owner, const char *text, struct complaint *c);
bool name_valid(const char *name);
bool bool_parse(const char *text, bool *value);

/* JSON: the protocol's object, and with @all what only the daemon's processes see. */
struct json_object *definition_json(const struct definition *def, bool all);
int definition_from_json(struct definition *def, struct json_object *obj,
			 bool all, struct complaint *c);
struct json_object *definition_devices_json(const struct definition *def);
struct json_object *interfaces_json(const struct definition *def);
struct json_object *definition_disk_json(const struct disk *disk, bool all);
int definition_disk_from_json(struct definition *def, struct json_object *obj, bool all,
			      struct complaint *c);
struct json_object *owner_json(const struct owner *owner);
const char *restart_name(u32 restart);

/* uuid.c */
int uuid_random(char *uuid);
void uuid_from_name(char *uuid, const char *host, const char *name);

#endif
