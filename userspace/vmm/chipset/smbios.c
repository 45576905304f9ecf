// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMBIOS (DMTF's DSP0134, version 3.0). Firmware gets the tables by fw_cfg and adds to them
 * what it knows of itself; for a kernel that we start they lie where a PC's do.
 */
#include <errno.h>
#include <string.h>

#include "../boot/layout.h"
#include "../log.h"
#include "../vm.h"
#include "libjoist/uuid.h"
#include "smbios.h"

#define VENDOR			"joist"
#define PRODUCT			"Virtual Machine"
#define TABLES_GPA		(SMBIOS_GPA + align_up(sizeof(struct smbios_anchor), 16UL))

/* A structure's number is its type and, of several, which one. */
enum smbios_type {
	TYPE_FIRMWARE = 0, TYPE_SYSTEM = 1, TYPE_CHASSIS = 3, TYPE_CPU = 4,
	TYPE_MEMORY_ARRAY = 16, TYPE_MEMORY_DEVICE = 17, TYPE_MEMORY_RANGE = 19,
	TYPE_BOOT = 32, TYPE_END = 127,
};

#define HANDLE(type)		((u16)((type) << 8))
#define HANDLE_NONE		0xffff
#define HANDLE_NO_ERRORS	0xfffe	/* nothing tells of errors */

struct header {
	u8 type, length;
	u16 handle;
} __packed;

#define HEADER(type, nr, what)	{ type, sizeof(what), HANDLE(type) + (nr) }

/* Strings are numbered from 1, as they follow the structure; 0: there is none. */
struct firmware_info {
	struct header header;
	u8 vendor, version;
	u16 segment;
	u8 date;
	u8 rom_size;
	u64 features;
	u8 more_features[2];
	u8 major, minor, ec_major, ec_minor;
} __packed;

_Static_assert(sizeof(struct firmware_info) == 0x18, "as in SMBIOS");

#define FIRMWARE_NO_FEATURES	BIT(3)	/* the list of them is not kept */
#define FIRMWARE_ACPI		BIT(0)
#define FIRMWARE_VIRTUAL	BIT(4)

struct system_info {
	struct header header;
	u8 vendor, product, version, serial;
	u8 uuid[16];
	u8 wake_up, sku, family;
} __packed;

_Static_assert(sizeof(struct system_info) == 0x1b, "as in SMBIOS");

#define WAKE_UP_POWER_SWITCH	6

struct chassis {
	struct header header;
	u8 vendor, type, version, serial, asset;
	u8 boot_state, power_state, thermal_state, security;
	u32 oem;
	u8 height, cords, elements, element_size;
	u8 sku;
} __packed;

_Static_assert(sizeof(struct chassis) == 0x16, "as in SMBIOS");

#define CHASSIS_OTHER		1
#define STATE_SAFE		3
#define SECURITY_NONE		3

struct cpu {
	struct header header;
	u8 socket, type, family, vendor;
	u64 id;
	u8 version, voltage;
	u16 clock, max_speed, speed;
	u8 status, upgrade;
	u16 cache[3];
	u8 serial, asset, part;
	u8 cores, cores_on, threads;
	u16 features, family2;
	u16 cores2, cores_on2, threads2;
} __packed;

_Static_assert(sizeof(struct cpu) == 0x30, "as in SMBIOS");

#define CPU_CENTRAL		3
#define CPU_OTHER		1
#define CPU_POPULATED		0x41	/* and enabled */
#define CPU_NO_UPGRADE		6
#define CPU_64_BIT		BIT(2)

struct memory_array {
	struct header header;
	u8 location, use, correction;
	u32 capacity;
	u16 errors, devices;
	u64 capacity_bytes;
} __packed;

_Static_assert(sizeof(struct memory_array) == 0x17, "as in SMBIOS");

#define ARRAY_OTHER		1
#define ARRAY_SYSTEM		3
#define ARRAY_NO_CORRECTION	3

struct memory_device {
	struct header header;
	u16 array, errors;
	u16 total_width, data_width;
	u16 size;
	u8 form, set, locator, bank, type;
	u16 details, speed;
	u8 vendor, serial, asset, part, ranks;
	u32 size_mib;
	u16 speed_now, volts[3];
} __packed;

_Static_assert(sizeof(struct memory_device) == 0x28, "as in SMBIOS");

#define DEVICE_NO_WIDTH		0xffff
#define DEVICE_SIZE_ELSEWHERE	0x7fff
#define DEVICE_DIMM		9
#define DEVICE_RAM		7
#define DEVICE_OTHER		BIT(1)

struct memory_range {
	struct header header;
	u32 first, last;
	u16 array;
	u8 width;
	u64 first_byte, last_byte;
} __packed;

_Static_assert(sizeof(struct memory_range) == 0x1f, "as in SMBIOS");
_Static_assert(MEM_SIZE_MAX >> 10 < 0x80000000, "KiB of memory are told of in 31 bits");

struct boot_info {
	struct header header;
	u8 reserved[6];
	u8 status;
} __packed;

_Static_assert(sizeof(struct boot_info) == 0x0b, "as in SMBIOS");

static void put(struct smbios *t, const void *data, size_t len)
{
	if (len > sizeof(t->data) - t->used) {
		t->overflow = true;
		return;
	}
	memcpy(t->data + t->used, data, len);
	t->used += len;
}

/* @strings: up to a NULL. Behind them is an empty one; where there are none, two. */
static void add(struct smbios *t, const struct header *h, const char *const *strings)
{
	put(t, h, h->length);
	if (!*strings)
		put(t, "", 1);
	for (; *strings; strings++)
		put(t, *strings, strlen(*strings) + 1);
	put(t, "", 1);
}

/* Of firmware it says itself who it is. */
static void add_firmware(struct smbios *t)
{
	const char *const strings[] = { VENDOR, "1", "01/01/2026", NULL };
	const struct firmware_info info = {
		.header = HEADER(TYPE_FIRMWARE, 0, info),
		.vendor = 1, .version = 2, .date = 3,
		.segment = SMBIOS_GPA >> 4,
		.features = FIRMWARE_NO_FEATURES,
		.more_features = { FIRMWARE_ACPI, FIRMWARE_VIRTUAL },
		.major = 1, .ec_major = 0xff, .ec_minor = 0xff,
	};

	add(t, &info.header, strings);
}

/* A UUID's first three numbers are little-endian here. */
static void put_uuid(u8 *to, const char *uuid)
{
	u8 b[16];
	const u8 order[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	size_t i;

	uuid_bytes(uuid, b);
	for (i = 0; i < sizeof(b); i++)
		to[i] = b[order[i]];
}

static void add_system(struct smbios *t, const struct vmm_config *config)
{
	const char *const strings[] = { VENDOR, PRODUCT, config->name, NULL };
	struct system_info info = {
		.header = HEADER(TYPE_SYSTEM, 0, info),
		.vendor = 1, .product = 2, .serial = config->name ? 3 : 0,
		.wake_up = WAKE_UP_POWER_SWITCH,
	};

	if (config->uuid)
		put_uuid(info.uuid, config->uuid);
	add(t, &info.header, strings);
}

static void add_chassis(struct smbios *t, const struct vmm_config *config)
{
	const char *const strings[] = { VENDOR, config->name, NULL };
	const struct chassis chassis = {
		.header = HEADER(TYPE_CHASSIS, 0, chassis),
		.vendor = 1, .asset = config->name ? 2 : 0,
		.type = CHASSIS_OTHER,
		.boot_state = STATE_SAFE, .power_state = STATE_SAFE,
		.thermal_state = STATE_SAFE, .security = SECURITY_NONE,
	};

	add(t, &chassis.header, strings);
}

/* One package, as CPUID says. */
static void add_cpu(struct smbios *t, unsigned int vcpus)
{
	const char *const strings[] = { "CPU 0", VENDOR, NULL };
	const struct cpu cpu = {
		.header = HEADER(TYPE_CPU, 0, cpu),
		.socket = 1, .vendor = 2,
		.type = CPU_CENTRAL, .family = CPU_OTHER, .family2 = CPU_OTHER,
		.status = CPU_POPULATED, .upgrade = CPU_NO_UPGRADE,
		.cache = { HANDLE_NONE, HANDLE_NONE, HANDLE_NONE },
		.cores = (u8)vcpus, .cores_on = (u8)vcpus, .threads = (u8)vcpus,
		.cores2 = (u16)vcpus, .cores_on2 = (u16)vcpus, .threads2 = (u16)vcpus,
		.features = CPU_64_BIT,
	};

	add(t, &cpu.header, strings);
}

static void add_memory(struct smbios *t, const struct memory *mem)
{
	const char *const none[] = { NULL }, *const strings[] = { "DIMM 0", VENDOR, NULL };
	const u32 mib = (u32)(mem->size >> 20);
	const u16 size = (u16)min(mib, (u32)DEVICE_SIZE_ELSEWHERE);
	const struct memory_array array = {
		.header = HEADER(TYPE_MEMORY_ARRAY, 0, array),
		.location = ARRAY_OTHER, .use = ARRAY_SYSTEM, .correction = ARRAY_NO_CORRECTION,
		.capacity = (u32)(mem->size >> 10),
		.errors = HANDLE_NO_ERRORS, .devices = 1,
	};
	const struct memory_device device = {
		.header = HEADER(TYPE_MEMORY_DEVICE, 0, device),
		.array = HANDLE(TYPE_MEMORY_ARRAY), .errors = HANDLE_NO_ERRORS,
		.total_width = DEVICE_NO_WIDTH, .data_width = DEVICE_NO_WIDTH,
		.size = size,
		.size_mib = mib < DEVICE_SIZE_ELSEWHERE ? 0 : mib,
		.form = DEVICE_DIMM, .type = DEVICE_RAM, .details = DEVICE_OTHER,
		.locator = 1, .vendor = 2,
	};
	int i;

	add(t, &array.header, none);
	add(t, &device.header, strings);
	for (i = 0; i < mem->nr_regions; i++) {
		const struct mem_region *r = &mem->region[i];
		const struct memory_range range = {
			.header = HEADER(TYPE_MEMORY_RANGE, (u16)i, range),
			.first = (u32)(r->gpa >> 10),
			.last = (u32)((r->gpa + r->size - 1) >> 10),
			.array = HANDLE(TYPE_MEMORY_ARRAY), .width = 1,
		};

		add(t, &range.header, none);
	}
}

/**
 * smbios_tables() - write the structures
 * @t: filled in
 * @vm: VM with its memory
 *
 * Return: 0, or -ENOSPC with the reason logged.
 */
int smbios_tables(struct smbios *t, const struct vm *vm)
{
	const struct boot_info boot = { .header = HEADER(TYPE_BOOT, 0, boot) };
	const struct header end = HEADER(TYPE_END, 0, end);
	const char *const none[] = { NULL };

	memset(t, 0, sizeof(*t));
	if (!vmm_has_firmware(vm->config))
		add_firmware(t);
	add_system(t, vm->config);
	add_chassis(t, vm->config);
	add_cpu(t, vm->config->vcpus);
	add_memory(t, &vm->mem);
	add(t, &boot.header, none);
	add(t, &end, none);
	if (!t->overflow)
		return 0;
	log_err("the SMBIOS tables do not fit: the VM's name is too long");
	return -ENOSPC;
}

/* @gpa: where the structures are; 0: firmware fills it in, and sums up anew. */
void smbios_anchor(struct smbios_anchor *anchor, const struct smbios *t, u64 gpa)
{
	const u8 *p = (const u8 *)anchor;
	u8 sum = 0;
	size_t i;

	*anchor = (struct smbios_anchor) {
		.signature = "_SM3_", .length = sizeof(*anchor), .major = 3,
		.entry_revision = 1, .size = (u32)t->used, .address = gpa,
	};
	for (i = 0; i < sizeof(*anchor); i++)
		sum = (u8)(sum + p[i]);
	anchor->checksum = (u8)-sum;
}

/**
 * smbios_place() - write anchor and structures into the memory of a guest without firmware
 * @vm: VM
 *
 * Return: 0, or -errno with the reason logged.
 */
int smbios_place(struct vm *vm)
{
	struct smbios_anchor anchor;
	struct smbios t;
	int err;

	err = smbios_tables(&t, vm);
	if (err)
		return err;
	smbios_anchor(&anchor, &t, TABLES_GPA);
	err = memory_write(&vm->mem, SMBIOS_GPA, &anchor, sizeof(anchor));
	return err ?: memory_write(&vm->mem, TABLES_GPA, t.data, t.used);
}
