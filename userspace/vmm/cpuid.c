// SPDX-License-Identifier: GPL-2.0-only
/* What CPUID tells the guest: the hypervisor's leaves, and the topology. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libjoist/joist.h"
#include "log.h"
#include "vcpu.h"
#include "vm.h"

/* Leaf 1. */
#define EBX_APIC_ID_SHIFT	24
#define EBX_NR_CPUS_SHIFT	16
#define ECX_TSC_DEADLINE	BIT(24)
#define ECX_HYPERVISOR		BIT(31)
#define EDX_HTT			BIT(28)

/* Leaves 4 and 0xb. */
#define EAX_CORES_SHIFT		26
#define EAX_SHARING_SHIFT	14
#define LEVEL_SMT		(1U << 8)
#define LEVEL_CORE		(2U << 8)

/* Leaf 0x80000001. */
#define ECX_CMP_LEGACY		BIT(1)

/* Bits of the APIC id that number the cores of the one package. */
static u32 core_bits(u32 vcpus)
{
	u32 bits = 0;

	while ((1U << bits) < vcpus)
		bits++;
	return bits;
}

static void set_leaf1(struct kvm_cpuid_entry2 *e, u32 id, u32 vcpus,
		      bool deadline)
{
	u32 nr = 1U << core_bits(vcpus);

	e->ebx &= 0xffff;
	e->ebx |= id << EBX_APIC_ID_SHIFT | min(nr, 255U) << EBX_NR_CPUS_SHIFT;
	e->ecx |= ECX_HYPERVISOR;
	if (deadline)
		e->ecx |= ECX_TSC_DEADLINE;
	if (vcpus > 1)
		e->edx |= EDX_HTT;
	else
		e->edx &= ~EDX_HTT;
}

/* Caches: the first two levels are a core's own, the others the package's. */
static void set_caches(struct kvm_cpuid_entry2 *e, u32 vcpus)
{
	u32 level = (e->eax >> 5) & 7;
	u32 cores = (1U << core_bits(vcpus)) - 1;

	if (!(e->eax & 0x1f))
		return;
	e->eax &= 0x3fff;
	if (level > 2)
		e->eax |= cores << EAX_SHARING_SHIFT;
	if (e->function == 4)
		e->eax |= min(cores, 63U) << EAX_CORES_SHIFT;
}

static void set_topology(struct kvm_cpuid_entry2 *e, u32 id, u32 vcpus)
{
	e->edx = id;
	e->ecx = e->index;
	switch (e->index) {
	case 0:
		e->eax = 0;
		e->ebx = 1;
		e->ecx |= LEVEL_SMT;
		break;
	case 1:
		e->eax = core_bits(vcpus);
		e->ebx = vcpus;
		e->ecx |= LEVEL_CORE;
		break;
	default:
		e->eax = 0;
		e->ebx = 0;
	}
}

static void fill(struct kvm_cpuid2 *table, u32 id, u32 vcpus, bool deadline)
{
	u32 i;

	for (i = 0; i < table->nent; i++) {
		struct kvm_cpuid_entry2 *e = &table->entries[i];

		switch (e->function) {
		case 1:
			set_leaf1(e, id, vcpus, deadline);
			break;
		case 4:
		case 0x8000001d:
			set_caches(e, vcpus);
			break;
		case 0xb:
		case 0x1f:
			set_topology(e, id, vcpus);
			break;
		case 0x80000001:
			if (vcpus > 1)
				e->ecx |= ECX_CMP_LEGACY;
			else
				e->ecx &= ~ECX_CMP_LEGACY;
			break;
		case 0x80000008:
			e->ecx = core_bits(vcpus) << 12 | (vcpus - 1);
			break;
		case 0x8000001e:	/* AMD: extended APIC id, core, node */
			e->eax = id;
			e->ebx = id & 0xff;
			e->ecx = 0;
			break;
		}
	}
}

/* The table has leaf 0xb as the hypervisor gives it: make it two levels. */
static struct kvm_cpuid2 *with_core_level(struct kvm_cpuid2 *table)
{
	struct kvm_cpuid2 *grown;
	bool smt = false, core = false;
	u32 i;

	for (i = 0; i < table->nent; i++) {
		if (table->entries[i].function != 0xb)
			continue;
		smt |= table->entries[i].index == 0;
		core |= table->entries[i].index == 1;
	}
	if (!smt || core)
		return table;
	grown = realloc(table, sizeof(*table) +
			       (table->nent + 1) * sizeof(table->entries[0]));
	if (!grown)
		return table;
	grown->entries[grown->nent++] = (struct kvm_cpuid_entry2) {
		.function = 0xb,
		.index = 1,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
	};
	return grown;
}

/**
 * vcpu_init_cpuid() - give every vCPU its CPUID table
 * @vm: VM with its vCPUs created
 *
 * Return: 0, or -errno with the reason logged.
 */
int vcpu_init_cpuid(struct vm *vm)
{
	bool deadline = joist_check(vm->fd, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
	struct kvm_cpuid2 *table;
	unsigned int i;
	int err;

	err = joist_supported_cpuid(vm->sys_fd, &table);
	if (err) {
		log_err("cannot learn the CPUID of guests: %s", strerror(-err));
		return err;
	}
	table = with_core_level(table);
	for (i = 0; i < vm->config->vcpus; i++) {
		fill(table, i, vm->config->vcpus, deadline);
		err = joist_set_cpuid(vm->vcpu[i].fd, table);
		if (err) {
			log_err("cannot set the CPUID of vCPU %u: %s", i,
				strerror(-err));
			break;
		}
	}
	free(table);
	return err;
}
