/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM's ABI that is younger than the oldest kernel's <linux/kvm.h>. */
#ifndef JOIST_COMPAT_KVM_ABI_H
#define JOIST_COMPAT_KVM_ABI_H

#include <linux/build_bug.h>
#include <linux/kvm.h>

#ifndef KVM_CAP_USER_MEMORY2
#define KVM_CAP_USER_MEMORY2	231

struct kvm_userspace_memory_region2 {
	__u32 slot;
	__u32 flags;
	__u64 guest_phys_addr;
	__u64 memory_size;
	__u64 userspace_addr;
	__u64 guest_memfd_offset;
	__u32 guest_memfd;
	__u32 pad1;
	__u64 pad2[14];
};

#define KVM_SET_USER_MEMORY_REGION2					\
	_IOW(KVMIO, 0x49, struct kvm_userspace_memory_region2)
#endif

static_assert(sizeof(struct kvm_userspace_memory_region2) == 160);

/* Whether the hypercall that exits to userspace came from 64-bit code. */
static inline void compat_hypercall_mode(struct kvm_run *run, bool wide)
{
#ifdef KVM_EXIT_HYPERCALL_LONG_MODE
	run->hypercall.flags = wide ? KVM_EXIT_HYPERCALL_LONG_MODE : 0;
#else
	run->hypercall.longmode = wide;
	run->hypercall.pad = 0;
#endif
}

#endif
