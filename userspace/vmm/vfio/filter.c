// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device's configuration space, filtered. What is not named here reads as zero and takes no
 * write. Registers stay at the hardware's offsets, for drivers that know them; capabilities that
 * are not shown are left out of the chain.
 */
#include <errno.h>
#include <string.h>

#include "filter.h"

#define CAPS_START	0x40
#define CAPS_MAX	((PCI_CFG_SPACE_SIZE - CAPS_START) / 4)
#define EXT_CAPS_MAX	((PCI_CONFIG_SIZE - PCI_CFG_SPACE_SIZE) / 8)
#define DSN_SIZE	12
#define STATUS_ERRORS	0xf900	/* all that are cleared by writing them */

/* Its configuration space, and what is made of it. */
struct build {
	struct filter *f;
	struct pci_dev *dev;
	const struct filter_source *from;
};

static const u8 *hw_at(const struct build *b, u32 reg)
{
	return b->from->config + reg;
}

static void copy(struct build *b, u32 reg, u32 len)
{
	memcpy(b->dev->config + reg, hw_at(b, reg), len);
}

/* Registers, as the hardware has them now. */
static void make_live(struct build *b, u32 reg, u32 len)
{
	copy(b, reg, len);
	memset(b->f->live + reg, 0xff, len);
}

static void pass16(struct build *b, u32 reg, u16 bits)
{
	pci_set16(b->f->pass + reg, pci_get16(b->f->pass + reg) | bits);
}

/*
 * Windows and the ROM are pci_dev_window()'s. The hardware decodes always: what answers the
 * guest, and where, is ours.
 */
static void header(struct build *b)
{
	u8 *config = b->dev->config, *writable = b->dev->writable;

	copy(b, PCI_VENDOR_ID, 4);
	copy(b, PCI_CLASS_REVISION, 4);
	copy(b, PCI_SUBSYSTEM_VENDOR_ID, 4);
	if (hw_at(b, PCI_INTERRUPT_PIN)[0] && b->from->has_intx)
		config[PCI_INTERRUPT_PIN] = 1;
	pci_set16(writable + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		  PCI_COMMAND_INTX_DISABLE | PCI_COMMAND_PARITY | PCI_COMMAND_SERR);
	pass16(b, PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	writable[PCI_INTERRUPT_LINE] = 0xff;
	writable[PCI_CACHE_LINE_SIZE] = 0xff;
	writable[PCI_LATENCY_TIMER] = 0xff;
	/* Errors, which are cleared by writing them. */
	pci_set16(b->f->live + PCI_STATUS, PCI_STATUS_INTERRUPT | STATUS_ERRORS);
	pass16(b, PCI_STATUS, STATUS_ERRORS);
}

/*
 * A sleeping device would take its windows along: the state is remembered, and that is all. It
 * loses nothing by it, and says so.
 */
static void show_pm(struct build *b, u8 at)
{
	u16 pmc = pci_get16(hw_at(b, at + PCI_PM_PMC));

	pci_set16(b->dev->config + at + PCI_PM_PMC, pmc & (u16)~PCI_PM_CAP_PME_MASK);
	pci_set16(b->dev->config + at + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	pci_set16(b->dev->writable + at + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
}

static u8 msi_size(u16 flags)
{
	u8 size = flags & PCI_MSI_FLAGS_64BIT ? 14 : 10;

	return flags & PCI_MSI_FLAGS_MASKBIT ? (u8)(size + 10) : size;
}

static void show_msi(struct build *b, u8 at)
{
	u16 flags = pci_get16(hw_at(b, at + PCI_MSI_FLAGS)) &
		    (PCI_MSI_FLAGS_QMASK | PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT);
	bool wide = flags & PCI_MSI_FLAGS_64BIT;
	u8 *writable = b->dev->writable + at;

	b->f->msi = at;
	pci_set16(b->dev->config + at + PCI_MSI_FLAGS, flags);
	pci_set16(writable + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	pci_set32(writable + PCI_MSI_ADDRESS_LO, ~3U);
	if (wide)
		pci_set32(writable + PCI_MSI_ADDRESS_HI, ~0U);
	pci_set16(writable + (wide ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32), 0xffff);
	if (flags & PCI_MSI_FLAGS_MASKBIT)
		pci_set32(writable + (wide ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32), ~0U);
}

static void show_msix(struct build *b, u8 at)
{
	u32 table = pci_get32(hw_at(b, at + PCI_MSIX_TABLE));
	u32 pba = pci_get32(hw_at(b, at + PCI_MSIX_PBA));
	u16 nr = pci_get16(hw_at(b, at + PCI_MSIX_FLAGS)) & PCI_MSIX_FLAGS_QSIZE;
	struct filter *f = b->f;

	f->msix = at;
	f->msix_nr = nr + 1;
	f->table_bar = table & PCI_MSIX_TABLE_BIR;
	f->table_offset = table & (u32)PCI_MSIX_TABLE_OFFSET;
	f->pba_bar = pba & PCI_MSIX_PBA_BIR;
	f->pba_offset = pba & (u32)PCI_MSIX_PBA_OFFSET;
	/* What may be written of it is msix_init_at()'s. */
	pci_set16(b->dev->config + at + PCI_MSIX_FLAGS, nr);
	copy(b, at + PCI_MSIX_TABLE, 8);
}

static u8 exp_size(u16 flags)
{
	return (flags & PCI_EXP_FLAGS_VERS) > 1 ? PCI_CAP_EXP_ENDPOINT_SIZEOF_V2 :
						  PCI_CAP_EXP_ENDPOINT_SIZEOF_V1;
}

/*
 * Where the guest has it there is no link: it is integrated into the root complex. Errors and
 * limits of requests are the device's, sizes of what it sends the host's.
 */
static void show_exp(struct build *b, u8 at)
{
	const u16 pass = PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN |
			 PCI_EXP_DEVCTL_READRQ;
	u16 flags = pci_get16(hw_at(b, at + PCI_EXP_FLAGS));
	u32 cap = pci_get32(hw_at(b, at + PCI_EXP_DEVCAP));
	u8 *config = b->dev->config + at, *writable = b->dev->writable + at;

	b->f->exp = at;
	pci_set16(config + PCI_EXP_FLAGS, (flags & PCI_EXP_FLAGS_VERS) |
		  PCI_EXP_TYPE_RC_END << 4);
	cap &= PCI_EXP_DEVCAP_PAYLOAD | PCI_EXP_DEVCAP_EXT_TAG | PCI_EXP_DEVCAP_RBER |
	       PCI_EXP_DEVCAP_FLR;
	if (!b->from->has_reset)
		cap &= ~PCI_EXP_DEVCAP_FLR;
	pci_set32(config + PCI_EXP_DEVCAP, cap);
	pci_set16(config + PCI_EXP_DEVCTL, pci_get16(hw_at(b, at + PCI_EXP_DEVCTL)) &
		  (pass | PCI_EXP_DEVCTL_PAYLOAD | PCI_EXP_DEVCTL_EXT_TAG));
	pci_set16(writable + PCI_EXP_DEVCTL, pass | PCI_EXP_DEVCTL_PAYLOAD |
		  PCI_EXP_DEVCTL_EXT_TAG | PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE |
		  PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE);
	pass16(b, at + PCI_EXP_DEVCTL, pass);
	make_live(b, at + PCI_EXP_DEVSTA, 2);
	pass16(b, at + PCI_EXP_DEVSTA, PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED |
	       PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD);
}

/* What drivers are told there only the hardware knows. */
static void show_through(struct build *b, u8 at, u8 len)
{
	make_live(b, at + 2U, len - 2U);
	memset(b->f->pass + at + 2, 0xff, len - 2U);
}

static u8 vendor_size(const u8 *cap)
{
	return cap[PCI_CAP_FLAGS] < 3 ? 3 : cap[PCI_CAP_FLAGS];
}

static void show_vendor(struct build *b, u8 at)
{
	u8 len = vendor_size(hw_at(b, at));

	show_through(b, at, len);
	/* The length itself is no register. */
	b->f->pass[at + PCI_CAP_FLAGS] = 0;
}

static void show_vpd(struct build *b, u8 at)
{
	show_through(b, at, PCI_CAP_VPD_SIZEOF);
}

/**
 * struct shown - a capability that guests see
 * @id: PCI_CAP_ID_*
 * @size: of one, if all have the same
 * @show: fills in what comes after its id and the next one's offset
 */
struct shown {
	u8 id;
	u8 size;
	void (*show)(struct build *b, u8 at);
};

static const struct shown shown[] = {
	{ PCI_CAP_ID_PM, PCI_PM_SIZEOF, show_pm },
	{ PCI_CAP_ID_VPD, PCI_CAP_VPD_SIZEOF, show_vpd },
	{ PCI_CAP_ID_MSI, 0, show_msi },
	{ PCI_CAP_ID_VNDR, 0, show_vendor },
	{ PCI_CAP_ID_EXP, 0, show_exp },
	{ PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF, show_msix },
};

static const struct shown *shown_cap(u8 id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shown); i++)
		if (shown[i].id == id)
			return &shown[i];
	return NULL;
}

static u32 cap_size(const struct shown *s, const u8 *cap)
{
	switch (s->id) {
	case PCI_CAP_ID_MSI:
		return msi_size(pci_get16(cap + PCI_MSI_FLAGS));
	case PCI_CAP_ID_VNDR:
		return vendor_size(cap);
	case PCI_CAP_ID_EXP:
		return exp_size(pci_get16(cap + PCI_EXP_FLAGS));
	default:
		return s->size;
	}
}

/* Of one kind only the first is known to the rest of us. */
static bool is_second(const struct filter *f, u8 id)
{
	return (id == PCI_CAP_ID_MSI && f->msi) || (id == PCI_CAP_ID_MSIX && f->msix) ||
	       (id == PCI_CAP_ID_EXP && f->exp);
}

static void add_cap(struct build *b, u8 at, u8 *link)
{
	u8 *config = b->dev->config;

	config[at] = hw_at(b, at)[0];
	config[at + 1] = 0;
	config[*link] = at;
	config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	*link = at + 1;
}

/* A chain that hardware made: it may be anything. */
static void capabilities(struct build *b)
{
	u8 link = PCI_CAPABILITY_LIST, at, taken[PCI_CFG_SPACE_SIZE] = { 0 };
	const struct shown *s;
	u32 i, size;

	if (!(hw_at(b, PCI_STATUS)[0] & PCI_STATUS_CAP_LIST))
		return;
	at = hw_at(b, PCI_CAPABILITY_LIST)[0] & (u8)~3;
	for (i = 0; i < CAPS_MAX && at >= CAPS_START; i++) {
		s = shown_cap(hw_at(b, at)[0]);
		size = s ? cap_size(s, hw_at(b, at)) : 0;
		if (s && at + size <= PCI_CFG_SPACE_SIZE && !is_second(b->f, s->id) &&
		    !memchr(taken + at, 1, size)) {
			memset(taken + at, 1, size);
			add_cap(b, at, &link);
			s->show(b, at);
		}
		at = hw_at(b, at)[1] & (u8)~3;
	}
}

/* Of the extended ones a serial number is shown, which has to be the first then. */
static void serial_number(struct build *b)
{
	u8 *config = b->dev->config + PCI_CFG_SPACE_SIZE;
	u32 at = PCI_CFG_SPACE_SIZE, head;
	u32 i;

	for (i = 0; i < EXT_CAPS_MAX && at >= PCI_CFG_SPACE_SIZE; i++) {
		if (at + DSN_SIZE > b->from->size)
			return;
		head = pci_get32(hw_at(b, at));
		if (PCI_EXT_CAP_ID(head) == PCI_EXT_CAP_ID_DSN) {
			memcpy(config, hw_at(b, at), DSN_SIZE);
			pci_set32(config, head & 0xfffff);
			return;
		}
		at = PCI_EXT_CAP_NEXT(head);
	}
}

/**
 * filter_init() - what a guest sees
 * @f: zeroed
 * @dev: after pci_dev_init(), before its windows are added; its configuration is filled in
 * @from: the hardware's
 *
 * Return: 0; -ENODEV: it is no device but a bridge.
 */
int filter_init(struct filter *f, struct pci_dev *dev, const struct filter_source *from)
{
	struct build b = { f, dev, from };

	if ((from->config[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MASK) != PCI_HEADER_TYPE_NORMAL)
		return -ENODEV;
	header(&b);
	capabilities(&b);
	if (f->exp && from->size == PCI_CONFIG_SIZE)
		serial_number(&b);
	return 0;
}

/* Has a read to ask the hardware? */
bool filter_read_hits(const struct filter *f, u64 reg, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		if (f->live[reg + i])
			return true;
	return false;
}

/**
 * filter_next_run() - which bytes of a write go to the hardware
 * @f: filter
 * @reg: where the guest writes
 * @len: how much
 * @first: where to look; set to the first byte that does
 * @nr: set to how many from there on do
 *
 * Return: whether any does.
 */
bool filter_next_run(const struct filter *f, u64 reg, unsigned int len, unsigned int *first,
		     unsigned int *nr)
{
	unsigned int end;

	while (*first < len && !f->pass[reg + *first])
		(*first)++;
	for (end = *first; end < len && f->pass[reg + end]; end++)
		;
	*nr = end - *first;
	return *nr;
}
