/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libjoist: the KVM ioctl ABI of /dev/joist, one thin function per ioctl.
 * The only code of userspace that calls ioctl(). It keeps no state: every
 * function takes the file descriptor it works on and returns 0 (or what the
 * ioctl defines) or -errno.
 */
#ifndef LIBJOIST_JOIST_H
#define LIBJOIST_JOIST_H

#include <linux/kvm.h>

#include "types.h"

#define JOIST_DEVICE	"/dev/joist"
#define JOIST_API	12	/* KVM_API_VERSION: the ABI's only stable one */

/* On the device. */
int joist_open(const char *path);
int joist_api_version(int sys);
int joist_run_size(int sys);
int joist_supported_cpuid(int sys, struct kvm_cpuid2 **cpuid);
int joist_create_vm(int sys);

/* On the device or a VM. */
int joist_check(int fd, long cap);

/* On a VM. */
int joist_set_tss_addr(int vm, u64 gpa);
int joist_set_identity_map(int vm, u64 gpa);
int joist_create_irqchip(int vm);
int joist_create_pit(int vm, u32 flags);
int joist_set_memory(int vm, const struct kvm_userspace_memory_region *region);
int joist_set_routing(int vm, const struct kvm_irq_routing *table);
int joist_irq_line(int vm, u32 gsi, bool level);
int joist_irqfd(int vm, int fd, u32 gsi, bool assign);
int joist_irqfd_level(int vm, int fd, int resample, u32 gsi, bool assign);
int joist_create_device(int vm, u32 type);
int joist_vfio_group(int device, int group, bool add);
int joist_ioeventfd(int vm, const struct kvm_ioeventfd *args);
int joist_create_vcpu(int vm, u32 id);

/* On a vCPU. */
int joist_run(int vcpu);
int joist_nmi(int vcpu);
int joist_set_cpuid(int vcpu, const struct kvm_cpuid2 *cpuid);
int joist_get_regs(int vcpu, struct kvm_regs *regs);
int joist_set_regs(int vcpu, const struct kvm_regs *regs);
int joist_get_sregs(int vcpu, struct kvm_sregs *sregs);
int joist_set_sregs(int vcpu, const struct kvm_sregs *sregs);
int joist_get_events(int vcpu, struct kvm_vcpu_events *events);
int joist_set_msrs(int vcpu, const struct kvm_msrs *msrs);

#endif
