/* SPDX-License-Identifier: GPL-2.0-only */
/* A hypervisor without a CPU: what its ioctls would check and keep. */
#ifndef FUZZ_FAKE_KVM_H
#define FUZZ_FAKE_KVM_H

#include "libjoist/types.h"

struct kvm_run;

#define FAKE_VCPUS_MAX	2
#define RUN_SIZE	(3 * PAGE_SIZE)
#define RUN_IO_OFFSET	PAGE_SIZE

/* Where it loads from: page tables for the report of a VM that ends badly. */
struct fake_regs {
	u64 cr0, cr3, cr4, efer, rip, rsp;
};

void fake_kvm_begin(unsigned int fail_at);
void fake_kvm_end(void);
bool fake_kvm_failed(void);
int fake_kvm_device(void);
void fake_kvm_set_regs(const struct fake_regs *regs);
u8 *fake_kvm_ram(u64 gpa, u64 len, bool write);
bool fake_kvm_notify(bool pio, u64 addr, unsigned int len, u64 value);

/* guest.c: the guest runs until it leaves to userspace. Return: 0 or -errno. */
int guest_run(int vcpu, struct kvm_run *run);

#endif
