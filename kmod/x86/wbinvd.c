// SPDX-License-Identifier: GPL-2.0-only
/* A guest's WBINVD and INVD. */
#include <linux/smp.h>
#include <asm/special_insns.h>

#include "x86.h"
#include "../core/vm.h"

static void write_back(void *unused)
{
	wbinvd();
}

/**
 * wbinvd_guest() - have what the vCPU wrote in memory, for devices that do not look in caches
 * @vcpu: owner thread, loaded
 *
 * Where all of the VM's devices do, and where it has none, there is nothing to be done: so a
 * guest cannot have the host's caches emptied. Else these are the caches of the CPUs on
 * which the vCPU was since its last WBINVD; other vCPUs' are theirs to write back.
 *
 * Context: preemption may be on.
 */
void wbinvd_guest(struct vcpu *vcpu)
{
	int cpu;

	if (!READ_ONCE(vcpu->vm->mmu.noncoherent))
		return;
	vcpu->stat.cache_flushes++;
	cpu = get_cpu();
	on_each_cpu_mask(vcpu->ran_on, write_back, NULL, true);
	cpumask_clear(vcpu->ran_on);
	__cpumask_set_cpu(cpu, vcpu->ran_on);
	put_cpu();
}
