// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system calls that the daemon's processes may make, each by what needs it. Any
 * other ends the process: it is no longer ours then.
 */
#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <linux/vhost.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "filter.h"
#include "sandbox.h"

#define NO_SUCH_CALL	38	/* ENOSYS: what a kernel that has no clone3() says */

/* Memory, time, locks, the end: what any program does. */
static const int common_calls[] = {
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(sched_yield),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
	SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg),
	SCMP_SYS(accept4), SCMP_SYS(pread64), SCMP_SYS(shutdown),
};

/* The event loop, its clients, and who they are. */
static const int control_calls[] = {
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
	SCMP_SYS(socketpair), SCMP_SYS(getsockopt), SCMP_SYS(dup), SCMP_SYS(dup3),
};

/* The main thread's loop, its threads, the guest's interrupts. */
static const int vm_calls[] = {
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(eventfd2), SCMP_SYS(signalfd4),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sigaltstack),
	SCMP_SYS(pwrite64), SCMP_SYS(ftruncate),
};

/* Disks, and the firmware's variables. */
static const int disk_calls[] = {
	SCMP_SYS(preadv), SCMP_SYS(pwritev), SCMP_SYS(fdatasync),
	SCMP_SYS(fallocate), SCMP_SYS(io_uring_enter),
};

/* Networks: frames, and the first word of the user-mode network's process. */
static const int net_calls[] = { SCMP_SYS(readv), SCMP_SYS(recvfrom) };

static const unsigned long net_ioctls[] = { TUNSETVNETHDRSZ, TUNSETOFFLOAD, TUNSETQUEUE };

/* Of vhost devices, which the parent has opened: not what address the guest has. */
static const unsigned long vhost_ioctls[] = {
	VHOST_SET_OWNER, VHOST_GET_FEATURES, VHOST_SET_FEATURES, VHOST_SET_MEM_TABLE,
	VHOST_SET_VRING_NUM, VHOST_SET_VRING_ADDR, VHOST_SET_VRING_BASE,
	VHOST_GET_VRING_BASE, VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL,
	VHOST_SET_VRING_ERR, VHOST_VSOCK_SET_RUNNING,
};

/*
 * Of VFIO, whose container and groups the parent has opened. A device's hot reset has the numbers
 * of VFIO_IOMMU_GET_INFO and VFIO_IOMMU_MAP_DMA.
 */
static const unsigned long vfio_ioctls[] = {
	VFIO_GET_API_VERSION, VFIO_CHECK_EXTENSION, VFIO_SET_IOMMU, VFIO_IOMMU_GET_INFO,
	VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA, VFIO_GROUP_GET_STATUS,
	VFIO_GROUP_SET_CONTAINER, VFIO_GROUP_UNSET_CONTAINER, VFIO_GROUP_GET_DEVICE_FD,
	VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO, VFIO_DEVICE_GET_IRQ_INFO,
	VFIO_DEVICE_SET_IRQS, VFIO_DEVICE_RESET,
	KVM_CREATE_DEVICE, KVM_SET_DEVICE_ATTR,
};

/* What libjoist asks of the module: no ioctl of another driver. */
static const unsigned long vm_ioctls[] = {
	KVM_GET_API_VERSION, KVM_CREATE_VM, KVM_CHECK_EXTENSION,
	KVM_GET_VCPU_MMAP_SIZE, KVM_GET_SUPPORTED_CPUID, KVM_SET_TSS_ADDR,
	KVM_SET_IDENTITY_MAP_ADDR, KVM_CREATE_IRQCHIP, KVM_CREATE_PIT2,
	KVM_SET_USER_MEMORY_REGION, KVM_SET_GSI_ROUTING, KVM_IRQ_LINE, KVM_IRQFD,
	KVM_IOEVENTFD, KVM_CREATE_VCPU, KVM_RUN, KVM_NMI, KVM_SET_CPUID2,
	KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_SET_SREGS,
	KVM_GET_VCPU_EVENTS, KVM_SET_MSRS,
};

/*
 * Threads, but no processes. clone3()'s flags lie in memory, where no filter sees them:
 * the C library falls back to clone().
 */
static int allow_threads(scmp_filter_ctx ctx)
{
	int err;

	err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(NO_SUCH_CALL), SCMP_SYS(clone3), 0);
	err = err ?: seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			SCMP_CMP(0, SCMP_CMP_MASKED_EQ,
				 CLONE_THREAD | CLONE_NEWUSER | CLONE_NEWNS,
				 CLONE_THREAD));
	err = err ?: filter_allow_value(ctx, SCMP_SYS(prctl), 0, PR_SET_NAME);
	/* Kicks of vCPUs, and abort(): nobody else's threads. */
	return err ?: filter_allow_value(ctx, SCMP_SYS(tgkill), 0, (u64)getpid());
}

static int allow_files(scmp_filter_ctx ctx)
{
	static const int commands[] = {
		F_DUPFD_CLOEXEC, F_OFD_SETLK, F_OFD_GETLK, F_GETFL, F_SETFL, F_GETFD,
	};
	int err = 0;
	size_t i;

	for (i = 0; !err && i < ARRAY_SIZE(commands); i++)
		err = filter_allow_value(ctx, SCMP_SYS(fcntl), 1, (u64)commands[i]);
	/* fstat(), as the C library spells it: of a descriptor, in an empty root. */
	return err ?: filter_allow_value(ctx, SCMP_SYS(newfstatat), 3, AT_EMPTY_PATH);
}

/* The rings that were made before, and no others: they can do no more than disks need. */
static int allow_disks(scmp_filter_ctx ctx)
{
	int err = filter_allow(ctx, disk_calls, ARRAY_SIZE(disk_calls));

	return err ?: filter_allow_value(ctx, SCMP_SYS(io_uring_register), 1,
					 IORING_REGISTER_ENABLE_RINGS);
}

static int allow_ioctls(scmp_filter_ctx ctx, const unsigned long *requests, size_t nr)
{
	int err = 0;
	size_t i;

	for (i = 0; !err && i < nr; i++)
		err = filter_allow_value(ctx, SCMP_SYS(ioctl), 1, requests[i]);
	return err;
}

/* Its own limits, to be read: what devices reach is locked in memory. */
static int allow_limits(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
				SCMP_CMP(0, SCMP_CMP_EQ, 0), SCMP_CMP(2, SCMP_CMP_EQ, 0));
}

static scmp_filter_ctx begin(int *err)
{
	scmp_filter_ctx ctx = filter_begin(options.seccomp_log ? SCMP_ACT_LOG :
					   SCMP_ACT_KILL_PROCESS, err);

	if (ctx && !*err)
		*err = filter_allow(ctx, common_calls, ARRAY_SIZE(common_calls));
	return ctx;
}

int seccomp_control(void)
{
	int err;
	scmp_filter_ctx ctx = begin(&err);

	if (!ctx)
		return err;
	err = err ?: filter_allow(ctx, control_calls, ARRAY_SIZE(control_calls));
	err = err ?: filter_allow_value(ctx, SCMP_SYS(fcntl), 1, F_GETFL);
	err = err ?: filter_allow_value(ctx, SCMP_SYS(newfstatat), 3, AT_EMPTY_PATH);
	return filter_finish(ctx, err);
}

/**
 * seccomp_vm() - the filter of a VM's process
 *
 * Return: 0 or -errno.
 */
int seccomp_vm(void)
{
	int err;
	scmp_filter_ctx ctx = begin(&err);

	if (!ctx)
		return err;
	err = err ?: filter_allow(ctx, vm_calls, ARRAY_SIZE(vm_calls));
	/* Any VM may get a disk, a network or a device of the host's while it runs. */
	err = err ?: allow_disks(ctx);
	err = err ?: filter_allow(ctx, net_calls, ARRAY_SIZE(net_calls));
	err = err ?: allow_ioctls(ctx, net_ioctls, ARRAY_SIZE(net_ioctls));
	err = err ?: allow_ioctls(ctx, vhost_ioctls, ARRAY_SIZE(vhost_ioctls));
	err = err ?: allow_ioctls(ctx, vfio_ioctls, ARRAY_SIZE(vfio_ioctls));
	err = err ?: allow_limits(ctx);
	err = err ?: allow_threads(ctx);
	err = err ?: allow_files(ctx);
	err = err ?: allow_ioctls(ctx, vm_ioctls, ARRAY_SIZE(vm_ioctls));
	/* isatty(), of the C library's buffers. */
	err = err ?: filter_allow_value(ctx, SCMP_SYS(ioctl), 1, TCGETS);
	return filter_finish(ctx, err);
}
