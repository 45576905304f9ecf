// SPDX-License-Identifier: GPL-2.0-only
/*
 * Definitions: one table of members serves the configuration files, where all values
 * are text, and JSON. Pure: nothing is opened, nobody is looked up.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "definition.h"
#include "libjoist/number.h"
#include "vmm/backend/vsock.h"
#include "vmm/firmware.h"
#include "vmm/memory.h"
#include "vmm/vmm.h"

#define PATH_LEN_MAX	4095
#define CMDLINE_LEN_MAX	16384

/* As vmctl run's: what the words are for is told there. */
#define DEFAULT_CMDLINE							\
	"console=ttyS0 quiet panic=-1 reboot=panic_warm cryptomgr.notests"

enum kind { FIRMWARE, PATH, TEXT, NUMBER, SIZE, BOOL, RESTART, WATCHDOG };

/* A member: its name, what it is, where it lies, and its bounds. */
static const struct member {
	const char *key;
	enum kind kind;
	size_t offset;
	u64 least, most;
} members[] = {
	{ "firmware", FIRMWARE, offsetof(struct definition, firmware), 0, 0 },
	{ "kernel", PATH, offsetof(struct definition, kernel), 0, 0 },
	{ "initrd", PATH, offsetof(struct definition, initrd), 0, 0 },
	{ "cmdline", TEXT, offsetof(struct definition, cmdline), 0, 0 },
	{ "user-data", PATH, offsetof(struct definition, user_data), 0, 0 },
	{ "meta-data", PATH, offsetof(struct definition, meta_data), 0, 0 },
	{ "network-config", PATH, offsetof(struct definition, network_config), 0, 0 },
	{ "vcpus", NUMBER, offsetof(struct definition, vcpus), 1, VMM_VCPUS_MAX },
	{ "memory", SIZE, offsetof(struct definition, memory),
	  MEM_SIZE_MIN, MEM_SIZE_MAX },
	{ "pluggable", SIZE, offsetof(struct definition, pluggable), 2 * MIB, MEM_SIZE_MAX },
	{ "balloon", BOOL, offsetof(struct definition, balloon), 0, 0 },
	{ "rng", BOOL, offsetof(struct definition, rng), 0, 0 },
	{ "watchdog", WATCHDOG, offsetof(struct definition, watchdog), 0, 0 },
	{ "vsock", NUMBER, offsetof(struct definition, vsock), VSOCK_CID_MIN, VSOCK_CID_MAX },
	{ "autostart", BOOL, offsetof(struct definition, autostart), 0, 0 },
	{ "restart", RESTART, offsetof(struct definition, restart), 0, 0 },
	{ "cpu-max", NUMBER, offsetof(struct definition, cpu_max), 1, 25600 },
	{ "memory-max", SIZE, offsetof(struct definition, memory_max),
	  MIB, 1ULL << 46 },
	{ "pids-max", NUMBER, offsetof(struct definition, pids_max), 1, 65536 },
};

static const char *const restart_names[] = {
	[RESTART_NEVER] = "never",
	[RESTART_ON_FAILURE] = "on-failure",
	[RESTART_ALWAYS] = "always",
};

int complain(struct complaint *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->text, sizeof(c->text), fmt, args);
	va_end(args);
	return -EINVAL;
}

const char *restart_name(u32 restart)
{
	return restart_names[restart];
}

bool name_valid(const char *name)
{
	const char *p;

	if (!isalpha((unsigned char)name[0]) || strlen(name) > NAME_LEN_MAX)
		return false;
	for (p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return false;
	return true;
}

bool bool_parse(const char *text, bool *value)
{
	static const char *const words[] = {
		"no", "yes", "false", "true", "off", "on",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcasecmp(text, words[i])) {
			*value = i & 1;
			return true;
		}
	}
	return false;
}

/* Digits, and with @units K, M, G or T behind them. */
static bool number_parse(const char *text, bool units, u64 *value)
{
	const char *end;

	return !number_take(text, 10, value, &end) &&
	       !(units && number_unit(value, &end)) && !*end;
}

/**
 * owner_parse() - "alice", ":staff", or numbers instead
 * @owner: filled in, its id as far as it is a number
 * @text: what was given
 * @c: what is wrong
 *
 * Return: 0 or -EINVAL.
 */
int owner_parse(struct owner *owner, const char *text, struct complaint *c)
{
	u64 id;

	owner->kind = *text == ':' ? OWNER_GROUP : OWNER_USER;
	if (*text == ':')
		text++;
	if (!*text || strlen(text) > NAME_LEN_MAX)
		return complain(c, "an owner is a user, or a group behind a colon");
	snprintf(owner->name, sizeof(owner->name), "%s", text);
	owner->id = NOBODY;
	if (number_parse(text, false, &id)) {
		if (id >= NOBODY)
			return complain(c, "there is no user or group %s", text);
		owner->id = (u32)id;
	}
	return 0;
}

void definition_init(struct definition *def)
{
	memset(def, 0, sizeof(*def));
	def->vcpus = 1;
	def->memory = 256 * MIB;
	def->balloon = true;
	def->rng = true;
	def->owner.id = NOBODY;
}

void definition_free(struct definition *def)
{
	int i;

	free(def->firmware);
	free(def->kernel);
	free(def->initrd);
	free(def->cmdline);
	free(def->user_data);
	free(def->meta_data);
	free(def->network_config);
	for (i = 0; i < def->nr_disks; i++)
		free(def->disk[i].path);
	for (i = 0; i < def->nr_nics; i++)
		interface_free(&def->nic[i]);
	shares_free(&def->shares);
	free(def->file);
	memset(def, 0, sizeof(*def));
}

static const struct member *find(const char *key)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(members); i++)
		if (!strcmp(members[i].key, key))
			return &members[i];
	return NULL;
}

bool definition_key(const char *key)
{
	return find(key) || !strcmp(key, "owner") || !strcmp(key, "uuid");
}

static int set_string(struct definition *def, const struct member *m,
		      const char *text, struct complaint *c)
{
	size_t most = m->kind == TEXT ? CMDLINE_LEN_MAX : PATH_LEN_MAX;
	char **to = (char **)((char *)def + m->offset);
	char *copy;

	if (strlen(text) > most)
		return complain(c, "%s is longer than %zu bytes", m->key, most);
	if (m->kind == PATH && *text != '/')
		return complain(c, "%s '%s' is no absolute path", m->key, text);
	copy = strdup(text);
	if (!copy)
		return complain(c, "out of memory");
	free(*to);
	*to = copy;
	return 0;
}

/**
 * definition_firmware() - the firmware's files
 * @def: definition with firmware, which was checked
 * @fw: filled in
 * @text: where its paths are; the caller frees it after @fw
 *
 * Return: 0 or -ENOMEM.
 */
int definition_firmware(const struct definition *def, struct vmm_firmware *fw,
			char **text)
{
	const char *wrong;

	*text = strdup(def->firmware);
	return *text && !firmware_parse(*text, fw, &wrong) ? 0 : -ENOMEM;
}

static int check_firmware(const char *text, struct complaint *c)
{
	char *copy = strdup(text);
	struct vmm_firmware fw;
	const char *wrong;
	int err = 0;

	if (!copy)
		return complain(c, "out of memory");
	if (firmware_parse(copy, &fw, &wrong))
		err = complain(c, "firmware: '%.100s' %s", copy, wrong);
	else if (*fw.code.path != '/' || (fw.vars.path && *fw.vars.path != '/'))
		err = complain(c, "firmware '%.100s': its paths are to be absolute",
			       text);
	free(copy);
	return err;
}

static int set_number(struct definition *def, const struct member *m, u64 value,
		      struct complaint *c)
{
	void *to = (char *)def + m->offset;

	if (value < m->least || value > m->most)
		return complain(c, "%s %llu is not from %llu to %llu", m->key,
				(unsigned long long)value,
				(unsigned long long)m->least,
				(unsigned long long)m->most);
	if (m->kind == SIZE && value % MIB)
		return complain(c, "%s %llu is not a whole number of MiB",
				m->key, (unsigned long long)value);
	if (m->kind == SIZE)
		*(u64 *)to = value;
	else
		*(u32 *)to = (u32)value;
	return 0;
}

static int set_restart(struct definition *def, const char *text,
		       struct complaint *c)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(restart_names); i++) {
		if (!strcmp(text, restart_names[i])) {
			def->restart = i;
			return 0;
		}
	}
	return complain(c, "restart '%s' is none of never, on-failure, always",
			text);
}

static int set_uuid(struct definition *def, const char *text, struct complaint *c)
{
	size_t i;

	if (!uuid_valid(text))
		return complain(c, "'%s' is no UUID", text);
	for (i = 0; i <= UUID_LEN; i++)
		def->uuid[i] = (char)tolower((unsigned char)text[i]);
	return 0;
}

/**
 * definition_set() - set a member from text
 * @def: definition
 * @key: its name, a definition_key()
 * @text: its value
 * @c: what is wrong with it
 *
 * Return: 0 or -EINVAL.
 */
int definition_set(struct definition *def, const char *key, const char *text,
		   struct complaint *c)
{
	const struct member *m = find(key);
	u64 value;

	if (!strcmp(key, "owner"))
		return owner_parse(&def->owner, text, c);
	if (!strcmp(key, "uuid"))
		return set_uuid(def, text, c);
	if (!m)
		return complain(c, "there is no '%s'", key);
	switch (m->kind) {
	case FIRMWARE:
		if (check_firmware(text, c))
			return -EINVAL;
		fallthrough;
	case PATH:
	case TEXT:
		return set_string(def, m, text, c);
	case NUMBER:
		if (!number_parse(text, false, &value))
			return complain(c, "%s '%s' is no number", key, text);
		return set_number(def, m, value, c);
	case SIZE:
		if (!number_parse(text, true, &value))
			return complain(c, "%s '%s' is no size: give a number with K, M or G",
					key, text);
		return set_number(def, m, value, c);
	case BOOL:
		if (!bool_parse(text, (bool *)((char *)def + m->offset)))
			return complain(c, "%s '%s' is neither yes nor no", key,
					text);
		return 0;
	case RESTART:
		return set_restart(def, text, c);
	case WATCHDOG:
		if (!watchdog_parse(text, &def->watchdog))
			return complain(c, "watchdog '%s' is none of " WATCHDOG_RULE, text);
		return 0;
	}
	return 0;
}

/* As those of VMs, but shorter: messages of a fixed size have room for it. */
bool device_name_valid(const char *name)
{
	return strlen(name) < DEVICE_NAME_SIZE && name_valid(name);
}

/* Return: NULL: there is none of that name. */
struct disk *definition_disk(struct definition *def, const char *name)
{
	int i;

	for (i = 0; i < def->nr_disks; i++)
		if (!strcmp(def->disk[i].name, name))
			return &def->disk[i];
	return NULL;
}

static int name_disk(struct definition *def, struct disk *disk, const char *name,
		     struct complaint *c)
{
	int i;

	if (name && !device_name_valid(name))
		return complain(c, "'%.100s' is no name for a disk: " DEVICE_NAME_RULE, name);
	if (name && definition_disk(def, name))
		return complain(c, "there is a disk '%s' already", name);
	if (name)
		snprintf(disk->name, sizeof(disk->name), "%s", name);
	for (i = 0; !name && (!i || definition_disk(def, disk->name)); i++)
		snprintf(disk->name, sizeof(disk->name), "disk%d", i);
	return 0;
}

/* @name: NULL: disk0, disk1 and so on, the first that is free. */
int definition_add_disk(struct definition *def, const char *name, const char *path,
			const struct disk_options *options, struct complaint *c)
{
	struct disk disk = { .options = *options, .uid = NOBODY, .gid = NOBODY };

	/* A seed is one, too. */
	if (def->nr_disks + !!def->user_data >= DISKS_MAX)
		return complain(c, "more than %d disks", DISKS_MAX);
	if (*path != '/' || strlen(path) > PATH_LEN_MAX)
		return complain(c, "the disk's path '%.100s' is no absolute path",
				path);
	if (name_disk(def, &disk, name, c))
		return -EINVAL;
	disk.path = strdup(path);
	if (!disk.path)
		return complain(c, "out of memory");
	def->disk[def->nr_disks++] = disk;
	return 0;
}

/* Return: NULL: there is none of that name. */
struct interface *definition_find_interface(struct definition *def, const char *name)
{
	int i;

	for (i = 0; i < def->nr_nics; i++)
		if (!strcmp(def->nic[i].name, name))
			return &def->nic[i];
	return NULL;
}

void definition_remove_interface(struct definition *def, struct interface *nic)
{
	int i = (int)(nic - def->nic);

	interface_free(nic);
	def->nr_nics--;
	memmove(nic, nic + 1, (size_t)(def->nr_nics - i) * sizeof(*nic));
}

/* Of that name: one that is there, or a new one. Return: NULL: it cannot be. */
struct interface *definition_interface(struct definition *def, const char *name,
				       struct complaint *c)
{
	struct interface *nic = definition_find_interface(def, name);

	if (nic)
		return nic;
	if (def->nr_nics == INTERFACES_MAX) {
		complain(c, "more than %d interfaces", INTERFACES_MAX);
		return NULL;
	}
	nic = &def->nic[def->nr_nics];
	if (interface_init(nic, name, c))
		return NULL;
	def->nr_nics++;
	return nic;
}

/* The others stay in their order. */
void definition_remove_disk(struct definition *def, struct disk *disk)
{
	int i = (int)(disk - def->disk);

	free(disk->path);
	def->nr_disks--;
	memmove(disk, disk + 1, (size_t)(def->nr_disks - i) * sizeof(*disk));
}

static bool disk_equal(const struct disk *a, const struct disk *b)
{
	return !strcmp(a->name, b->name) && !strcmp(a->path, b->path) &&
	       disk_options_equal(&a->options, &b->options) && a->uid == b->uid &&
	       a->gid == b->gid;
}

/* What starts it. Fills in a kernel's command line if there is none. */
static int check_start(struct definition *def, struct complaint *c)
{
	if (def->firmware) {
		if (!def->kernel && !def->initrd && !def->cmdline)
			return 0;
		return complain(c, "the VM '%s' has firmware: no kernel, initrd or cmdline",
				def->name);
	}
	if (!def->kernel)
		return complain(c, "the VM '%s' has neither a kernel nor firmware",
				def->name);
	if (!def->cmdline)
		def->cmdline = strdup(DEFAULT_CMDLINE);
	return def->cmdline ? 0 : complain(c, "out of memory");
}

static int check_seed(const struct definition *def, struct complaint *c)
{
	if (!def->user_data && (def->meta_data || def->network_config))
		return complain(c, "the VM '%s' has no user-data: no meta-data and network-config",
				def->name);
	if (def->user_data && def->nr_disks == DISKS_MAX)
		return complain(c, "the VM '%s' has more than %d disks, its user-data's among them",
				def->name, DISKS_MAX);
	return 0;
}

/* Of both kinds: one may be looked for by its name. */
static int check_devices(const struct definition *def, struct complaint *c)
{
	int i;

	for (i = 0; i < def->devices.nr; i++)
		if (platform_find(&def->platform, def->devices.dev[i].name))
			return complain(c, "the VM '%s' has two devices '%s'", def->name,
					def->devices.dev[i].name);
	return 0;
}

/* What no single member can say. */
int definition_check(struct definition *def, struct complaint *c)
{
	if (!name_valid(def->name))
		return complain(c, "'%.100s' is no name for a VM: " NAME_RULE,
				def->name);
	if (check_start(def, c) || check_seed(def, c) || check_devices(def, c))
		return -EINVAL;
	if (def->pluggable % (2 * MIB))
		return complain(c, "pluggable of the VM '%s' is not whole 2 MiB", def->name);
	if (def->memory_max && def->memory_max < def->memory)
		return complain(c, "memory-max of the VM '%s' is less than its memory",
				def->name);
	return 0;
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Do both run the same, for the same people? */
bool definition_equal(const struct definition *a, const struct definition *b)
{
	int i;

	if (a->nr_disks != b->nr_disks)
		return false;
	for (i = 0; i < a->nr_disks; i++)
		if (!disk_equal(&a->disk[i], &b->disk[i]))
			return false;
	if (a->nr_nics != b->nr_nics)
		return false;
	for (i = 0; i < a->nr_nics; i++)
		if (!interface_equal(&a->nic[i], &b->nic[i]))
			return false;
	return shares_equal(&a->shares, &b->shares) &&
	       assignments_equal(&a->devices, &b->devices) &&
	       platform_equal(&a->platform, &b->platform) &&
	       same(a->firmware, b->firmware) && same(a->kernel, b->kernel) &&
	       same(a->initrd, b->initrd) && same(a->cmdline, b->cmdline) &&
	       same(a->user_data, b->user_data) && same(a->meta_data, b->meta_data) &&
	       same(a->network_config, b->network_config) &&
	       !strcmp(a->uuid, b->uuid) &&
	       a->vcpus == b->vcpus && a->memory == b->memory &&
	       a->pluggable == b->pluggable &&
	       a->balloon == b->balloon && a->rng == b->rng && a->watchdog == b->watchdog &&
	       a->vsock == b->vsock &&
	       a->owner.kind == b->owner.kind && a->owner.id == b->owner.id &&
	       a->autostart == b->autostart && a->restart == b->restart &&
	       a->cpu_max == b->cpu_max && a->memory_max == b->memory_max &&
	       a->pids_max == b->pids_max && a->uid == b->uid && a->gid == b->gid;
}
