// SPDX-License-Identifier: GPL-2.0-only
/* ioctls of the device itself: what there is, and the VM's creation. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "ret.h"

#define CPUID_ENTRIES_START	64
#define CPUID_ENTRIES_MAX	1024

/**
 * joist_open() - open the hypervisor's device
 * @path: JOIST_DEVICE, or another device that speaks the same ABI
 *
 * Return: a file descriptor the caller closes, or -errno.
 */
int joist_open(const char *path)
{
	return ret_errno(open(path, O_RDWR | O_CLOEXEC));
}

int joist_api_version(int sys)
{
	return ret_errno(ioctl(sys, KVM_GET_API_VERSION, 0));
}

/* Bytes of a vCPU's run page mapping. */
int joist_run_size(int sys)
{
	return ret_errno(ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 0));
}

/**
 * joist_check() - KVM_CHECK_EXTENSION
 * @fd: the device or a VM
 * @cap: KVM_CAP_*
 *
 * Return: 0: not there; the capability's value; or -errno.
 */
int joist_check(int fd, long cap)
{
	return ret_errno(ioctl(fd, KVM_CHECK_EXTENSION, cap));
}

int joist_create_vm(int sys)
{
	return ret_errno(ioctl(sys, KVM_CREATE_VM, 0));
}

/**
 * joist_supported_cpuid() - the CPUID leaves a guest can be given
 * @sys: the device
 * @cpuid: set to a table the caller frees
 *
 * Return: 0 or -errno.
 */
int joist_supported_cpuid(int sys, struct kvm_cpuid2 **cpuid)
{
	u32 nent;

	for (nent = CPUID_ENTRIES_START; nent <= CPUID_ENTRIES_MAX; nent *= 2) {
		struct kvm_cpuid2 *table;
		int err;

		table = calloc(1, sizeof(*table) +
				  nent * sizeof(table->entries[0]));
		if (!table)
			return -ENOMEM;
		table->nent = nent;
		err = ret_errno(ioctl(sys, KVM_GET_SUPPORTED_CPUID, table));
		if (!err) {
			*cpuid = table;
			return 0;
		}
		free(table);
		if (err != -E2BIG)
			return err;
	}
	return -E2BIG;
}
