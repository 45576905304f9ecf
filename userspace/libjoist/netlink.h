/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libjoist: the generic netlink family "joist", which lists, watches and steers the
 * VMs of all programs. Documentation/netlink/specs/joist.yaml says what things mean.
 *
 * A request returns 0 or -errno; of some errors the kernel says more in words, which
 * joist_nl_error() has. Strings and arrays given to a callback are valid during the
 * call. A callback that returns something else than 0 ends the dump with it: the rest
 * is read and dropped. A handle is for one thread at a time, and not to be used from
 * its callbacks: open another.
 */
#ifndef LIBJOIST_NETLINK_H
#define LIBJOIST_NETLINK_H

#include <linux/joist_netlink.h>

#include "types.h"

#define JOIST_UUID_LEN		16
#define JOIST_NL_TEXT		256	/* longest text of an error, with its zero */
#define JOIST_NL_FEATURES	32	/* more of one message are dropped */
#define JOIST_NL_COUNTERS	256	/* likewise */
#define JOIST_NL_PCI		64	/* likewise */

struct joist_nl;

/* What went wrong with a guest last. */
struct joist_nl_fault {
	bool known;			/* there is one */
	enum joist_fault_kind kind;
	u32 vcpu;
	u64 age_ms;
	const char *report;		/* lines; NULL: a dump has none */
};

struct joist_nl_vm {
	u32 id;
	u8 uuid[JOIST_UUID_LEN];
	const char *name;		/* "" where it has none */
	enum joist_vm_state state;
	u32 owner_uid;
	u32 owner_pid;			/* 0: not to be seen from here */
	u64 age_ms;
	bool nested_paging;
	u32 vcpus;
	u64 memory;			/* bytes in its slots */
	u32 limit_vcpus;		/* 0: none */
	u64 limit_memory;		/* 0: none */
	u64 trace_exits;
	u64 dirty_pages;		/* found written, where they are logged */
	u64 seq;			/* of the last event, of any VM */
	u64 vm_seq;			/* of its last event */
	struct joist_nl_fault fault;
};

struct joist_nl_counter {
	u32 id;
	const char *name;		/* exits_cpuid and so on */
	u64 value;
};

struct joist_nl_vcpu {
	u32 vm_id;
	u32 index;
	u32 apic_id;
	enum joist_vcpu_state state;
	s64 cpu;			/* of the host; -1: not loaded */
	u32 tid;			/* 0: not run yet, or not to be seen from here */
	u64 guest_ns;
	u64 exits;
	const struct joist_nl_counter *counters;	/* those that are not 0 */
	u32 nr_counters;
};

struct joist_nl_slot {
	u32 vm_id;
	u32 id;
	u64 gpa;
	u64 size;
	u64 hva;
	bool read_only;
	bool log_dirty;
};

struct joist_nl_device {
	u32 vm_id;
	const char *kind;
	u32 first_port;
	u32 nr_ports;			/* 0: none */
	s64 iommu_group;		/* of vfio; -1: none, or not known */
	bool no_snoop;			/* its DMA goes past the CPUs' caches */
	const char *pci[JOIST_NL_PCI];	/* names of the group's devices */
	u32 nr_pci;
};

struct joist_nl_host {
	const char *vendor;
	const char *version;
	u32 vms;			/* that the asker may see */
	u32 max_vcpus;
	u64 seq;
	const char *features[JOIST_NL_FEATURES];
	u32 nr_features;
};

/* What joist_nl_set() is to change: members whose bit is in @what. */
#define JOIST_NL_SET_NAME		BIT(0)
#define JOIST_NL_SET_UUID		BIT(1)
#define JOIST_NL_SET_LIMIT_VCPUS	BIT(2)
#define JOIST_NL_SET_LIMIT_MEMORY	BIT(3)
#define JOIST_NL_SET_TRACE_EXITS	BIT(4)

struct joist_nl_settings {
	u32 what;
	const char *name;
	u8 uuid[JOIST_UUID_LEN];
	u32 limit_vcpus;
	u64 limit_memory;
	u64 trace_exits;
};

/* Groups of events, as a mask. */
#define JOIST_NL_LIFECYCLE	BIT(0)
#define JOIST_NL_FAULT		BIT(1)
#define JOIST_NL_STATS		BIT(2)

struct joist_nl_event {
	int cmd;			/* JOIST_CMD_VM_CREATED and so on */
	struct joist_nl_vm vm;		/* of all but JOIST_CMD_VCPU_STATS */
	struct joist_nl_device device;	/* of JOIST_CMD_DEVICE_*: vm has its id and numbers */
	enum joist_cause cause;		/* of JOIST_CMD_VM_DESTROYED */
	struct joist_nl_vcpu vcpu;	/* of JOIST_CMD_VCPU_STATS */
};

/* -ENOENT: the module is not loaded, or has no such family. */
int joist_nl_open(struct joist_nl **nl);
void joist_nl_close(struct joist_nl *nl);
/* What the kernel said of the last request that failed; else the errno's text. */
const char *joist_nl_error(const struct joist_nl *nl);

int joist_nl_host(struct joist_nl *nl,
		  int (*each)(const struct joist_nl_host *host, void *arg), void *arg);
/* @vm_id 0: of all VMs that the asker may see. */
int joist_nl_vms(struct joist_nl *nl, u32 vm_id,
		 int (*each)(const struct joist_nl_vm *vm, void *arg), void *arg);
int joist_nl_vcpus(struct joist_nl *nl, u32 vm_id,
		   int (*each)(const struct joist_nl_vcpu *vcpu, void *arg), void *arg);
int joist_nl_slots(struct joist_nl *nl, u32 vm_id,
		   int (*each)(const struct joist_nl_slot *slot, void *arg), void *arg);
int joist_nl_devices(struct joist_nl *nl, u32 vm_id,
		     int (*each)(const struct joist_nl_device *device, void *arg),
		     void *arg);

int joist_nl_set(struct joist_nl *nl, u32 vm_id, const struct joist_nl_settings *settings);
int joist_nl_pause(struct joist_nl *nl, u32 vm_id);
int joist_nl_resume(struct joist_nl *nl, u32 vm_id);
int joist_nl_stop(struct joist_nl *nl, u32 vm_id, bool force);
int joist_nl_nmi(struct joist_nl *nl, u32 vm_id);
int joist_nl_port_grant(struct joist_nl *nl, u32 vm_id, u32 first, u32 nr);
int joist_nl_port_revoke(struct joist_nl *nl, u32 vm_id, u32 first, u32 nr);

/*
 * Events. They have a socket of their own in the handle, so that requests can be made
 * meanwhile. Subscribe first, then dump: an event with a number not above the dump's is
 * known already. To subscribe again is to listen to these groups, too.
 */
int joist_nl_subscribe(struct joist_nl *nl, u32 groups);
/*
 * The group of statistics is fed every @ms (100 at least) while the handle is open; 0: no
 * more. For CAP_SYS_ADMIN: -EPERM tells others to dump.
 */
int joist_nl_stats_period(struct joist_nl *nl, u32 ms);
/* Of events, to be polled for POLLIN; -1: not subscribed. */
int joist_nl_fd(const struct joist_nl *nl);
/*
 * Take one event, waiting up to @timeout_ms for it (-1: for ever). Returns 1: @each was
 * called (what it returns, unless 0, is returned instead); 0: none came; -ENOBUFS: events
 * were lost: dump, then go on; -EINTR: a signal came.
 */
int joist_nl_event(struct joist_nl *nl, int timeout_ms,
		   int (*each)(const struct joist_nl_event *event, void *arg), void *arg);

/* Names of values, as in the specification. Unknown ones are "?". */
const char *joist_nl_vm_state(enum joist_vm_state state);
const char *joist_nl_vcpu_state(enum joist_vcpu_state state);
const char *joist_nl_cause(enum joist_cause cause);
const char *joist_nl_fault_kind(enum joist_fault_kind kind);
/* "vm-created" and so on. */
const char *joist_nl_event_name(int cmd);

#endif
