/* SPDX-License-Identifier: GPL-2.0-only */
/* struct vm: one virtual machine. */
#ifndef JOIST_CORE_VM_H
#define JOIST_CORE_VM_H

#include <linux/kvm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/ratelimit_types.h>
#include <linux/refcount.h>
#include <linux/srcu.h>
#include <linux/xarray.h>

#include "types.h"
#include "admin.h"
#include "coalesced.h"
#include "iobus.h"
#include "memslot.h"
#include "../mmu/mmu.h"
#include "../x86/hyperv.h"

struct vcpu;
struct irqchip;
struct msr_filter;
struct vm_device;

#define JOIST_MAX_VCPUS		288	/* x2APIC ids are 32-bit; MADT practice */
#define JOIST_MAX_VCPU_ID	1024	/* ids are below this */
#define JOIST_IDENTITY_MAP_DEFAULT	0xfffbc000

/**
 * struct vm - one virtual machine
 *
 * Lock order: vm->lock > vcpu->mutex > slots_lock > irq_lock > (srcu read) >
 * hv.page_lock > hv.lock, mmap_lock > mmu.lock > pic/ioapic spinlocks > lapic timer,
 * dirty_ring.lock, coalesced.lock, apf_queue->lock. The whole of it:
 * Documentation/locking.rst.
 *
 * Protection: (c) constant after creation, (l) vm->lock, (s) slots_lock for
 * writing and srcu for reading, (i) irq_lock for writing and srcu for reading,
 * (a) atomic.
 */
struct vm {
	struct mm_struct *mm;		/* (c) the creator's; grabbed */
	u32 id;				/* (c) unique while the module is loaded */
	refcount_t refs;		/* (a) fds: VM, vCPUs, devices */
	pid_t owner_pid;		/* (c) tgid, init namespace */
	struct mutex lock;		/* the VM's make-up: vCPUs, chips */
	struct srcu_struct srcu;	/* memslots and buses; read section of KVM_RUN */
	struct srcu_struct irq_srcu;	/* routing; taken in irqfd wakeups */
	struct ratelimit_state report_limit;	/* locks itself */
	struct vm_admin admin;		/* says itself */

	struct xarray vcpus;		/* (l) to add; idx -> struct vcpu */
	atomic_t online_vcpus;		/* (a) grows only; entries below are valid */
	u32 created_vcpus;		/* (l) */
	u32 last_yield;			/* racy: where vcpu_yield() goes on looking */

	struct mutex slots_lock;	/* who changes memslots and buses */
	struct memslots __rcu *memslots[NR_SPACES];	/* (s) */
	u64 slots_seq;			/* slots_lock to write: counts their changes */
	struct mmu mmu;			/* see mmu.h */
	struct mmu_notifier notifier;	/* (c) */

	u64 dirty_manual;		/* (s) slots_lock: KVM_DIRTY_LOG_* */
	atomic64_t dirty_pages;		/* (a) as the netlink family tells it */
	/* Entries of each vCPU's ring; 0: bitmaps. Set once, under lock and
	 * slots_lock, before there are vCPUs or logged slots.
	 */
	u32 dirty_ring_nr;

	struct iobus __rcu *bus[NR_IOBUSES];	/* (s) */
	/* Blocks of ports of which somebody on a bus has one: slots_lock to write. */
	DECLARE_BITMAP(port_blocks, IOBUS_PORT_BLOCKS);
	u64 mmio_pages;			/* likewise of pages, by their number modulo 64 */
	u32 atomic_buses;		/* likewise, buses with iodev_ops.atomic devices */
	struct coalesced coalesced;	/* says itself */
	struct mutex irq_lock;
	struct irqchip *irqchip;	/* set once under lock, read with smp_load_acquire */
	struct irq_routing __rcu *routing;	/* (i) */
	struct list_head ioeventfds;	/* (s) slots_lock */
	struct list_head irqfds;	/* irqfd_lock */
	spinlock_t irqfd_lock;
	/* irqfds that devices' interrupts may pass by: passthrough/bypass.c */
	struct {
		struct mutex lock;	/* protects the list, and what is in it */
		struct list_head list;
		struct work_struct work;
		/* Interrupts that follow vCPUs: passthrough/affinity.c. */
		struct list_head irqs;
		struct delayed_work look;
	} bypass;
	u32 irqs_posted;		/* bypass.lock to write: of devices, by an IOMMU */
	struct list_head resamplers;	/* resample_lock */
	struct mutex resample_lock;

	/* Devices of the host's: passthrough/vfio.c. */
	struct vm_device *vfio;		/* (l) KVM_DEV_TYPE_VFIO, or NULL */
	struct list_head assigned;	/* (l) and registry_lock to write, either to read */
	u32 nr_assigned;		/* (l) */

	/* Time. */
	raw_spinlock_t tsc_lock;
	u64 tsc_last_write;		/* tsc_lock: value userspace last wrote */
	u64 tsc_last_host;		/* tsc_lock: host TSC then */
	u64 tsc_lost;			/* tsc_lock: host's loss made up for */
	u64 tsc_ratio;			/* (l) what a new vCPU gets, with the rate */
	u32 tsc_khz;			/* (l) */
	s64 clock_offset;		/* tsc_lock: kvmclock = boottime + offset, ns */
	u64 clock_tsc;			/* tsc_lock: with a stable TSC: base */
	u64 clock_ns;			/* tsc_lock: kvmclock at clock_tsc */
	u32 clock_mul;			/* (c) ns = (tsc << shift) * mul >> 32 */
	s8 clock_shift;			/* (c) */
	u64 wall_clock_msr;		/* tsc_lock */
	struct hv_vm hv;		/* locks itself */
	atomic_t apf_pages;		/* (a) its vCPUs wait for, asynchronously */

	/* Set by userspace before vCPUs run: (l). */
	gpa_t tss_addr;
	gpa_t identity_map_addr;
	u32 bsp_id;
	u32 nr_mmu_pages;		/* KVM_SET_NR_MMU_PAGES: kept, no more */
	u32 max_vcpu_id;		/* KVM_CAP_MAX_VCPU_ID; 0: not set */
	u32 x2apic_api;			/* KVM_X2APIC_API_* of KVM_ENABLE_CAP */
	bool split_irqchip;		/* set once; read with smp_load_acquire */
	u32 reserved_gsis;		/* (c) once split: GSIs below are IOAPIC pins */
	u32 disabled_exits;		/* KVM_X86_DISABLE_EXITS_*: guests do without */
	bool bus_lock_exit;		/* a guest that locks the bus exits */
	u32 notify_flags;		/* KVM_X86_NOTIFY_VMEXIT_* */
	u32 notify_window;		/* cycles beyond the CPU's own */

	/* KVM_ENABLE_CAP: (l) written, read racily. */
	u64 disabled_quirks;		/* KVM_X86_QUIRK_* */
	u32 hypercall_exits;		/* bits of KVM_HC_*: userspace does them */
	u32 user_space_msr;		/* KVM_MSR_EXIT_REASON_*: what exits to userspace */
	struct msr_filter __rcu *msr_filter;	/* (l) written, srcu to read */
	bool exception_payload;		/* VCPU_EVENTS tell pending from injected */
	bool triple_fault_event;	/* and show a triple fault that waits */
	bool exit_on_emulation_failure;	/* of user programs, too */
	u32 halt_poll_ns;		/* KVM_CAP_HALT_POLL: instead of the module's */
	bool halt_poll_set;		/* there is one; written after it */
	bool platform_info_hidden;	/* the guest may not read PLATFORM_INFO */
};

struct vm *vm_create(void);
void vm_get(struct vm *vm);
void vm_put(struct vm *vm);
int vm_create_fd(void);
struct vcpu *vm_vcpu_by_id(struct vm *vm, u64 id);
void vm_request_all(struct vm *vm, unsigned int req);
void vm_request_all_wait(struct vm *vm, unsigned int req);
void vm_request_some_wait(struct vm *vm, unsigned int req,
			  const unsigned long *which);

/* PIC and IOAPIC are here: true once every access of vm->irqchip is valid. */
static inline bool vm_has_ioapic(struct vm *vm)
{
	return smp_load_acquire(&vm->irqchip); /* pairs with irqchip_create() */
}

/* Local APICs are here, and GSIs are routed; with the chips or without them. */
static inline bool vm_has_lapic(struct vm *vm)
{
	/* Pairs with the release in irqchip_create_split(). */
	return vm_has_ioapic(vm) || smp_load_acquire(&vm->split_irqchip);
}

/* What makes accesses of ports exit, for the vendor; NULL: all do. */
static inline unsigned long *ports_map(const struct vm *vm)
{
	return smp_load_acquire(&vm->admin.ports);	/* pairs with ports_grant() */
}

/*
 * May somebody on a bus have the page of @gpa? Context: any. False: at some moment since
 * this was called nobody had.
 */
static inline bool vm_claims_page(const struct vm *vm, gpa_t gpa)
{
	return READ_ONCE(vm->mmio_pages) & BIT_ULL(gpa_to_gfn(gpa) % 64);
}

static inline struct vcpu *vm_vcpu(struct vm *vm, u32 idx)
{
	return xa_load(&vm->vcpus, idx);
}

#define vm_for_each_vcpu(vm, vcpu, idx)					\
	for ((idx) = 0; (idx) < atomic_read(&(vm)->online_vcpus) &&	\
	     ((vcpu) = vm_vcpu(vm, idx)); (idx)++)

#endif
