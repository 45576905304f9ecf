/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI devices of the host: what they are, who uses them, and how they change hands between their
 * drivers and vfio-pci; and who has ports and memory of other devices. All of it is read from, and
 * written to, files below a root: "" is the host's own, tests have others.
 */
#ifndef HOSTDEV_HOSTDEV_H
#define HOSTDEV_HOSTDEV_H

#include "libjoist/number.h"
#include "libjoist/pci_addr.h"
#include "libjoist/types.h"

#define HOSTDEV_DRIVER_SIZE	32
#define HOSTDEV_VM_SIZE		64
#define HOSTDEV_NAME_SIZE	32
#define HOSTDEV_BARS		7	/* the last is the ROM */
#define HOSTDEV_VFIO		"vfio-pci"
#define HOSTDEV_CONTAINER	"/dev/vfio/vfio"
#define HOSTDEV_STATE_DIR	"/run/joist/devices"
#define HOSTDEV_MEMBERS_MAX	64	/* of a group that are looked at */

struct hostdev_id {
	char addr[PCI_ADDR_SIZE];
};

/**
 * struct hostdev - a PCI device
 * @root: of the files it was read from
 * @class: base class, subclass and interface, a byte each
 * @driver: which it is bound to; empty: none
 * @group: its IOMMU group; -1: it is in none
 * @bar: bytes of each; 0: there is none
 * @reset: how the kernel can reset it, as it says; empty: not at all
 * @total_vfs: virtual functions it can make; 0: it is none that does
 * @nr_vfs: those there are
 * @physfn: whose virtual function it is; empty: nobody's
 */
struct hostdev {
	const char *root;
	char addr[PCI_ADDR_SIZE];
	u16 vendor, device;
	u32 class;
	char driver[HOSTDEV_DRIVER_SIZE];
	int group;
	u64 bar[HOSTDEV_BARS];
	char reset[64];
	u32 total_vfs, nr_vfs;
	char physfn[PCI_ADDR_SIZE];
};

/**
 * struct hostdev_why - why something cannot be
 * @code: of vmd's protocol
 * @text: a sentence
 * @remedy: what to do about it, or empty
 */
struct hostdev_why {
	const char *code;
	char text[512];
	char remedy[512];
};

/**
 * struct hostdev_state - a device that was taken from its driver, kept in HOSTDEV_STATE_DIR
 * @driver: whom it goes back to; empty: nobody
 * @bare: somebody bound it to vfio-pci without a VM: there it goes back to
 * @net: its MAC or VLAN was set through its physical function
 * @vm: which VM has it; empty: none
 * @name: what that VM calls it
 */
struct hostdev_state {
	char driver[HOSTDEV_DRIVER_SIZE];
	bool bare;
	bool net;
	char vm[HOSTDEV_VM_SIZE];
	char name[HOSTDEV_NAME_SIZE];
};

/**
 * struct hostdev_interrupts - those of a device that VFIO has
 * @kind: "intx", "msi" or "msix"; empty: none are on
 * @vectors: how many are
 * @count: how often they came, as far as the host's CPUs took them: none that were posted. A line
 *	that others share has theirs, too
 */
struct hostdev_interrupts {
	char kind[8];
	u32 vectors;
	u64 count;
};

/* pci.c */
int hostdev_group(const char *root, const char *addr);
void hostdev_driver(const char *root, const char *addr, char *driver);
int hostdev_read(const char *root, const char *addr, struct hostdev *dev);
int hostdev_list(const char *root, struct hostdev **list);
int hostdev_addrs(const char *path, struct hostdev_id *list, int most);
int hostdev_members(const char *root, int group, struct hostdev_id *list, int most);
int hostdev_vf(const struct hostdev *pf, u32 index, char *addr);
int hostdev_vf_index(const struct hostdev *pf, const struct hostdev *vf, u32 *index);
bool hostdev_is_bridge(const struct hostdev *dev);
bool hostdev_on_vfio(const struct hostdev *dev);
u64 hostdev_bars(const struct hostdev *dev);
int hostdev_child(const struct hostdev *dev, const char *kind, char *name, size_t size);

/* interrupts.c */
bool hostdev_interrupts(const struct hostdev *dev, struct hostdev_interrupts *irqs);
void hostdev_interrupts_take(struct hostdev_interrupts *irqs, const char *addr, const char *line);

/* ids.c */
void hostdev_names(const struct hostdev *dev, char *vendor, char *device, size_t size);
const char *hostdev_class_name(u32 class);

/* check.c */
int hostdev_check(const struct hostdev *dev, const struct hostdev_id *along, int nr_along,
		  bool force, struct hostdev_why *why);
int hostdev_why(struct hostdev_why *why, const char *code, const char *remedy, const char *fmt, ...)
	__printf(4, 5);
int hostdev_errno(struct hostdev_why *why, int err, const char *remedy, const char *fmt, ...)
	__printf(4, 5);

/* use_block.c, use_net.c */
int hostdev_block_use(const struct hostdev *dev, struct hostdev_why *why);
int hostdev_net_use(const struct hostdev *dev, struct hostdev_why *why);

/* bind.c */
int hostdev_load_vfio(const char *root, struct hostdev_why *why);
int hostdev_taken(const struct hostdev *dev, struct hostdev_why *why);
int hostdev_bind(const struct hostdev *dev, const struct hostdev_state *want,
		 struct hostdev_why *why);
int hostdev_give_back(const char *root, const char *addr, struct hostdev_why *why);
bool hostdev_busy(const char *root, const char *addr);

/* range.c */
enum hostdev_space { HOSTDEV_MEMORY, HOSTDEV_PORTS };

int hostdev_range_check(const char *root, enum hostdev_space space, const struct range *range,
			struct hostdev_why *why);
int hostdev_memory_open(struct hostdev_why *why);

/* state.c */
int hostdev_lock(const char *root);
int hostdev_state(const char *root, const char *addr, struct hostdev_state *state);
int hostdev_state_save(const char *root, const char *addr, const struct hostdev_state *state);
void hostdev_state_drop(const char *root, const char *addr);
int hostdev_states(const char *root, struct hostdev_id *list, int most);

/* sriov.c */
int hostdev_set_vfs(const struct hostdev *pf, u32 count, struct hostdev_why *why);
int hostdev_free_vf(const struct hostdev *pf, struct hostdev *vf, struct hostdev_why *why);

/* nvme_vf.c */
bool nvme_vf_of(const struct hostdev *pf);
int nvme_vf_prepare(const struct hostdev *pf, struct hostdev_why *why);
int nvme_vf_online(const struct hostdev *pf, u32 count, struct hostdev_why *why);
void nvme_vf_offline(const struct hostdev *pf);

#endif
