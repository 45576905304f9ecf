// SPDX-License-Identifier: GPL-2.0-only
/* RSDP, XSDT, FADT, FACS, MADT, MCFG and DSDT (ACPI specification 6.4). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../boot/layout.h"
#include "../log.h"
#include "../vm.h"
#include "acpi.h"
#include "aml.h"
#include "chipset.h"
#include "dsdt.h"
#include "host_bridge.h"
#include "pm.h"

#define TABLE_ALIGN	64

struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision;
	u8 checksum;
	char oem_id[6];
	char oem_table_id[8];
	u32 oem_revision;
	char creator_id[4];
	u32 creator_revision;
} __packed;

struct acpi_gas {
	u8 space;
	u8 bit_width;
	u8 bit_offset;
	u8 access;
	u64 address;
} __packed;

#define GAS_IO		1
#define GAS_BYTE	1
#define GAS_WORD	2
#define GAS_DWORD	3

struct acpi_fadt {
	struct acpi_header header;
	u32 facs;
	u32 dsdt;
	u8 reserved0;
	u8 profile;
	u16 sci;
	u32 smi_command;
	u8 acpi_enable, acpi_disable, s4bios, pstate;
	u32 pm1a_event, pm1b_event, pm1a_control, pm1b_control;
	u32 pm2_control, pm_timer, gpe0, gpe1;
	u8 pm1_event_len, pm1_control_len, pm2_control_len, pm_timer_len;
	u8 gpe0_len, gpe1_len, gpe1_base, cstate;
	u16 c2_latency, c3_latency, flush_size, flush_stride;
	u8 duty_offset, duty_width, day_alarm, month_alarm, century;
	u16 boot_flags;
	u8 reserved1;
	u32 flags;
	struct acpi_gas reset;
	u8 reset_value;
	u16 arm_flags;
	u8 minor;
	u64 x_facs, x_dsdt;
	struct acpi_gas x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control;
	struct acpi_gas x_pm2_control, x_pm_timer, x_gpe0, x_gpe1;
	struct acpi_gas sleep_control, sleep_status;
	u64 hypervisor;
} __packed;

_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 5.2.6");
_Static_assert(sizeof(struct acpi_fadt) == 276, "ACPI 5.2.9");

#define FADT_REVISION		6
#define FADT_MINOR		4
#define PROFILE_ENTERPRISE	4
#define NO_C2			101	/* microseconds: too long to be used */
#define NO_C3			1001
#define BOOT_LEGACY_DEVICES	BIT(0)
#define BOOT_NO_VGA		BIT(2)
#define BOOT_NO_ASPM		BIT(4)
#define FADT_WBINVD		BIT(0)
#define FADT_C1			BIT(2)
#define FADT_DSDT_SLEEP_BUTTON	BIT(5)	/* it is there, if anywhere */
#define FADT_RESET_REGISTER	BIT(10)
#define FADT_HEADLESS		BIT(12)
#define RESET_COLD		0x06	/* as port 0xcf9 wants it */

struct acpi_facs {
	char signature[4];
	u32 length;
	u32 hardware_signature, waking_vector, global_lock, flags;
	u64 x_waking_vector;
	u8 version;
	u8 reserved[31];
} __packed;

_Static_assert(sizeof(struct acpi_facs) == 64, "ACPI 5.2.10");

struct acpi_madt {
	struct acpi_header header;
	u32 lapic_address;
	u32 flags;
} __packed;

#define MADT_PCAT_COMPAT	BIT(0)

struct madt_lapic {
	u8 type, length, acpi_id, apic_id;
	u32 flags;
} __packed;

struct madt_ioapic {
	u8 type, length, id, reserved;
	u32 address, gsi_base;
} __packed;

struct madt_override {
	u8 type, length, bus, source;
	u32 gsi;
	u16 flags;
} __packed;

struct madt_nmi {
	u8 type, length, acpi_id;
	u16 flags;
	u8 lint;
} __packed;

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_NMI = 4 };

#define MADT_ENABLED		BIT(0)
#define MADT_ACTIVE_HIGH	0x1
#define MADT_LEVEL		0xc
#define MADT_ALL_CPUS		0xff

struct acpi_mcfg {
	struct acpi_header header;
	u64 reserved;
	u64 base;
	u16 segment;
	u8 bus_first, bus_last;
	u32 reserved1;
} __packed;

_Static_assert(sizeof(struct acpi_mcfg) == 60, "PCI Firmware 4.1.2");

#define MCFG_EMPTY		offsetof(struct acpi_mcfg, base)
#define MCFG_BUS_SHIFT		20	/* bytes of a bus's configuration space */

/* Room for one table. Return: NULL: none is left. */
static void *take(struct acpi_tables *t, size_t size)
{
	size_t at = align_up(t->used, (size_t)TABLE_ALIGN);

	if (at + size > sizeof(t->data)) {
		t->overflow = true;
		return NULL;
	}
	t->used = at + size;
	return t->data + at;
}

static u32 offset(const struct acpi_tables *t, const void *p)
{
	return (u32)((const u8 *)p - t->data);
}

static u8 checksum(const void *data, size_t len)
{
	const u8 *p = data;
	u8 sum = 0;

	while (len--)
		sum = (u8)(sum + *p++);
	return (u8)-sum;
}

static void init_header(struct acpi_header *h, const char *signature, u8 revision)
{
	memcpy(h->signature, signature, sizeof(h->signature));
	h->revision = revision;
	memcpy(h->oem_id, "JOIST ", sizeof(h->oem_id));
	memcpy(h->oem_table_id, "VMM     ", sizeof(h->oem_table_id));
	h->oem_revision = 1;
	memcpy(h->creator_id, "JOIS", sizeof(h->creator_id));
	h->creator_revision = 1;
}

/* A table is written: note where its checksum goes, once its pointers are known. */
static void finish(struct acpi_tables *t, struct acpi_header *h, size_t length)
{
	h->length = (u32)length;
	if (t->nr_sums == ACPI_SUMS_MAX) {
		t->overflow = true;
		return;
	}
	t->sum[t->nr_sums++] = (struct acpi_sum) {
		.start = offset(t, h), .length = h->length,
	};
}

/* The @size bytes at @field point to the table at @target. */
static void point(struct acpi_tables *t, void *field, u8 size, u32 target)
{
	u64 gpa = t->base + target;

	memcpy(field, &gpa, size);
	if (t->nr_pointers == ACPI_POINTERS_MAX) {
		t->overflow = true;
		return;
	}
	t->pointer[t->nr_pointers++] = (struct acpi_pointer) {
		.at = offset(t, field), .size = size,
	};
}

static u32 build_dsdt(struct acpi_tables *t, struct vm *vm)
{
	struct acpi_header *h;
	struct aml aml;

	h = take(t, DSDT_MAX);
	if (!h)
		return 0;
	aml = (struct aml) {
		.buf = (u8 *)(h + 1),
		.size = DSDT_MAX - sizeof(*h),
	};
	init_header(h, "DSDT", 2);
	dsdt_write(&aml, vm);
	t->overflow |= aml.overflow;
	finish(t, h, sizeof(*h) + aml.len);
	return offset(t, h);
}

static u32 build_facs(struct acpi_tables *t)
{
	struct acpi_facs *facs;

	facs = take(t, sizeof(*facs));
	if (!facs)
		return 0;
	memcpy(facs->signature, "FACS", sizeof(facs->signature));
	facs->length = sizeof(*facs);
	facs->version = 2;
	return offset(t, facs);
}

static struct acpi_gas io_words(unsigned int port, u8 len)
{
	return (struct acpi_gas) { GAS_IO, (u8)(len * 8), 0, GAS_WORD, port };
}

/* Where power management's registers are. */
static void fadt_pm(struct acpi_fadt *f, u32 base, bool timer)
{
	f->pm1a_event = base + PM_EVENT;
	f->pm1a_control = base + PM_CONTROL;
	f->gpe0 = base + PM_GPE0;
	f->pm1_event_len = PM_EVENT_LEN;
	f->pm1_control_len = PM_CONTROL_LEN;
	f->gpe0_len = PM_GPE0_LEN;
	f->x_pm1a_event = io_words(f->pm1a_event, PM_EVENT_LEN);
	f->x_pm1a_control = io_words(f->pm1a_control, PM_CONTROL_LEN);
	f->x_gpe0 = (struct acpi_gas) {
		GAS_IO, PM_GPE0_LEN * 8, 0, GAS_BYTE, f->gpe0,
	};
	/* A kernel that we start has better clocks; to look at this one takes it 5 ms. */
	if (!timer)
		return;
	f->pm_timer = base + PM_TIMER;
	f->pm_timer_len = PM_TIMER_LEN;
	f->x_pm_timer = (struct acpi_gas) {
		GAS_IO, PM_TIMER_LEN * 8, 0, GAS_DWORD, f->pm_timer,
	};
}

static u32 build_fadt(struct acpi_tables *t, struct vm *vm, u32 dsdt, u32 facs)
{
	struct acpi_fadt *f;

	f = take(t, sizeof(*f));
	if (!f)
		return 0;
	init_header(&f->header, "FACP", FADT_REVISION);
	f->minor = FADT_MINOR;
	point(t, &f->facs, sizeof(f->facs), facs);
	point(t, &f->dsdt, sizeof(f->dsdt), dsdt);
	point(t, &f->x_dsdt, sizeof(f->x_dsdt), dsdt);
	f->profile = PROFILE_ENTERPRISE;
	f->sci = GSI_SCI;
	fadt_pm(f, pm_base(vm->pm), vmm_has_firmware(vm->config));
	f->c2_latency = NO_C2;
	f->c3_latency = NO_C3;
	f->century = 0x32;
	/* No keyboard controller is told of: looking for one takes a second. */
	f->boot_flags = BOOT_LEGACY_DEVICES | BOOT_NO_VGA | BOOT_NO_ASPM;
	f->flags = FADT_WBINVD | FADT_C1 | FADT_DSDT_SLEEP_BUTTON |
		   FADT_RESET_REGISTER | FADT_HEADLESS;
	f->reset = (struct acpi_gas) { GAS_IO, 8, 0, GAS_BYTE, PORT_RESET };
	f->reset_value = RESET_COLD;
	finish(t, &f->header, sizeof(*f));
	return offset(t, f);
}

static u8 *madt_fixed(u8 *p)
{
	struct madt_ioapic ioapic = {
		.type = MADT_IOAPIC, .length = sizeof(ioapic),
		.address = IOAPIC_GPA,
	};
	struct madt_override timer = {
		.type = MADT_OVERRIDE, .length = sizeof(timer),
		.source = 0, .gsi = 2,
	};
	struct madt_override sci = {
		.type = MADT_OVERRIDE, .length = sizeof(sci),
		.source = GSI_SCI, .gsi = GSI_SCI,
		.flags = MADT_LEVEL | MADT_ACTIVE_HIGH,
	};
	struct madt_nmi nmi = {
		.type = MADT_NMI, .length = sizeof(nmi),
		.acpi_id = MADT_ALL_CPUS, .lint = 1,
	};

	memcpy(p, &ioapic, sizeof(ioapic));
	p += sizeof(ioapic);
	memcpy(p, &timer, sizeof(timer));
	p += sizeof(timer);
	memcpy(p, &sci, sizeof(sci));
	p += sizeof(sci);
	memcpy(p, &nmi, sizeof(nmi));
	return p + sizeof(nmi);
}

static u32 build_madt(struct acpi_tables *t, unsigned int vcpus)
{
	size_t max = sizeof(struct acpi_madt) + 64 +
		     vcpus * sizeof(struct madt_lapic);
	struct acpi_madt *m;
	unsigned int i;
	u8 *p;

	m = take(t, max);
	if (!m)
		return 0;
	init_header(&m->header, "APIC", 5);
	m->lapic_address = LAPIC_GPA;
	m->flags = MADT_PCAT_COMPAT;
	p = (u8 *)(m + 1);
	for (i = 0; i < vcpus; i++) {
		struct madt_lapic lapic = {
			.type = MADT_LAPIC, .length = sizeof(lapic),
			.acpi_id = (u8)i, .apic_id = (u8)i,
			.flags = MADT_ENABLED,
		};

		memcpy(p, &lapic, sizeof(lapic));
		p += sizeof(lapic);
	}
	p = madt_fixed(p);
	finish(t, &m->header, (size_t)(p - (u8 *)m));
	return offset(t, m);
}

static u32 build_mcfg(struct acpi_tables *t, struct vm *vm)
{
	const struct ecam ecam = host_bridge_ecam(vm);
	struct acpi_mcfg *m;

	m = take(t, sizeof(*m));
	if (!m)
		return 0;
	init_header(&m->header, "MCFG", 1);
	m->base = ecam.base;
	m->bus_last = (u8)((ecam.size >> MCFG_BUS_SHIFT) - 1);
	/* Closed by the guest: a table that tells of none. */
	finish(t, &m->header, ecam.size ? sizeof(*m) : MCFG_EMPTY);
	return offset(t, m);
}

static u32 build_xsdt(struct acpi_tables *t, u32 fadt, u32 madt, u32 mcfg)
{
	const u32 tables[] = { fadt, madt, mcfg };
	struct acpi_header *h;
	u8 *entry;
	size_t i;

	h = take(t, sizeof(*h) + ARRAY_SIZE(tables) * sizeof(u64));
	if (!h)
		return 0;
	init_header(h, "XSDT", 1);
	entry = (u8 *)(h + 1);
	for (i = 0; i < ARRAY_SIZE(tables); i++, entry += sizeof(u64))
		point(t, entry, sizeof(u64), tables[i]);
	finish(t, h, (size_t)(entry - (u8 *)h));
	return offset(t, h);
}

/**
 * acpi_tables() - write the tables
 * @t: filled in; their sizes are the same for a VM, whatever the guest has programmed
 * @vm: VM
 * @base: address the blob will be at; 0: firmware adds it to the pointers
 *
 * The checksums are left for who places the tables.
 *
 * Return: 0, or -ENOSPC with the reason logged.
 */
int acpi_tables(struct acpi_tables *t, struct vm *vm, u64 base)
{
	u32 fadt, madt, mcfg;

	memset(t, 0, sizeof(*t));
	t->base = base;
	fadt = build_fadt(t, vm, build_dsdt(t, vm), build_facs(t));
	madt = build_madt(t, vm->config->vcpus);
	mcfg = build_mcfg(t, vm);
	t->xsdt = build_xsdt(t, fadt, madt, mcfg);
	if (t->overflow) {
		log_err("the ACPI tables do not fit");
		return -ENOSPC;
	}
	return 0;
}

/* The root of them, its checksums blank. @xsdt: what its pointer holds. */
void acpi_rsdp(struct acpi_rsdp *root, u64 xsdt)
{
	*root = (struct acpi_rsdp) {
		.signature = "RSD PTR ", .oem_id = "JOIST ",
		.revision = 2, .length = sizeof(*root), .xsdt = xsdt,
	};
}

/**
 * acpi_build() - write the tables into guest memory
 * @vm: VM
 * @rsdp: guest physical address of their root
 *
 * Return: 0, or -errno with the reason logged.
 */
int acpi_build(struct vm *vm, u64 *rsdp)
{
	struct acpi_tables *t = malloc(sizeof(*t));
	struct acpi_rsdp root;
	int i, err;

	if (!t)
		return -ENOMEM;
	err = acpi_tables(t, vm, ACPI_GPA + TABLE_ALIGN);
	for (i = 0; i < t->nr_sums; i++) {
		struct acpi_header *h = (void *)(t->data + t->sum[i].start);

		h->checksum = checksum(h, t->sum[i].length);
	}
	acpi_rsdp(&root, t->base + t->xsdt);
	root.checksum = checksum(&root, RSDP_V1_SIZE);
	root.extended_checksum = checksum(&root, sizeof(root));
	*rsdp = ACPI_GPA;
	if (!err)
		err = memory_write(&vm->mem, ACPI_GPA, &root, sizeof(root));
	if (!err)
		err = memory_write(&vm->mem, t->base, t->data, sizeof(t->data));
	free(t);
	return err;
}
