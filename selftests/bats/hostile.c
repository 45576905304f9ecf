// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VM's process tries once a guest has taken it over: one attempt, which the VM's
 * command line names, "NAME [PID]". It is made where the VM would be: in the sandbox.
 * System calls are made by number, without the C library's detours.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kvm.h>
#include <linux/vhost.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmd/hostile.h"
#include "vmm/vmm.h"

#define I386_GETUID	24	/* as the 32-bit system calls are numbered */
#define FD_FIRST	3	/* descriptors that the daemon gave */
#define FD_LAST		16

static long open_path(const char *path, int flags)
{
	return syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

static long do_open(int pid)
{
	(void)pid;
	return open_path("/etc/passwd", O_RDONLY);
}

static long do_create(int pid)
{
	(void)pid;
	return open_path("/new", O_RDWR | O_CREAT);
}

static long do_escape(int pid)
{
	(void)pid;
	return open_path("../../../../etc/passwd", O_RDONLY);
}

static long do_root(int pid)
{
	(void)pid;
	return open_path("/", O_RDONLY | O_DIRECTORY);
}

static long do_device(int pid)
{
	(void)pid;
	return open_path("/dev/joist", O_RDWR);
}

static long do_mem(int pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	return open_path(path, O_RDWR);
}

static long do_readv(int pid)
{
	char byte;
	struct iovec local = { &byte, 1 }, remote = { (void *)0x400000, 1 };

	return syscall(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0);
}

static long do_ptrace(int pid)
{
	return syscall(SYS_ptrace, PTRACE_SEIZE, pid, NULL, NULL);
}

static long do_kill(int pid)
{
	return syscall(SYS_kill, pid, SIGKILL);
}

static long do_tgkill(int pid)
{
	return syscall(SYS_tgkill, pid, pid, SIGKILL);
}

static long do_pidfd(int pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

static long do_unix(int pid)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	long fd = syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);

	(void)pid;
	if (fd < 0)
		return fd;
	strcpy(addr.sun_path, "/run/joist/control");
	return syscall(SYS_connect, fd, &addr, sizeof(addr));
}

static long do_inet(int pid)
{
	(void)pid;
	return syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
}

static long do_netlink(int pid)
{
	(void)pid;
	return syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 16);
}

static long do_fork(int pid)
{
	long child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);

	(void)pid;
	if (!child)
		_exit(0);
	return child;
}

static long do_clone3(int pid)
{
	u64 args[11] = { [4] = SIGCHLD };
	long child = syscall(SYS_clone3, args, sizeof(args));

	(void)pid;
	if (!child)
		_exit(0);
	return child;
}

static long do_exec(int pid)
{
	static const char *const argv[] = { "vmd", "-V", NULL };

	(void)pid;
	return syscall(SYS_execve, "/proc/self/exe", argv, NULL);
}

static long do_memfd(int pid)
{
	(void)pid;
	return syscall(SYS_memfd_create, "code", 0);
}

static long do_mmap(int pid)
{
	(void)pid;
	return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long do_mprotect(int pid)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	(void)pid;
	return syscall(SYS_mprotect, p, 4096, PROT_READ | PROT_EXEC);
}

static long do_setuid(int pid)
{
	(void)pid;
	return syscall(SYS_setuid, 0);
}

static long do_setgid(int pid)
{
	(void)pid;
	return syscall(SYS_setgid, 0);
}

static long do_capset(int pid)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 1, 1, 0 } };

	(void)pid;
	return syscall(SYS_capset, &header, data);
}

static long do_unshare(int pid)
{
	(void)pid;
	return syscall(SYS_unshare, CLONE_NEWUSER);
}

static long do_mount(int pid)
{
	(void)pid;
	return syscall(SYS_mount, "proc", "/", "proc", 0, NULL);
}

static long do_chroot(int pid)
{
	(void)pid;
	return syscall(SYS_chroot, "/");
}

static long do_dumpable(int pid)
{
	(void)pid;
	return syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long do_rlimit(int pid)
{
	struct rlimit rl = { 65536, 65536 };

	(void)pid;
	return syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &rl, NULL);
}

static long do_chmod(int pid)
{
	long ret = -1;
	int fd;

	(void)pid;
	for (fd = FD_FIRST; fd < FD_LAST && ret; fd++)
		ret = syscall(SYS_fchmod, fd, 04777);
	return ret;
}

/* Of a driver that we have no business with. */
static long do_ioctl(int pid)
{
	struct ifreq ifr = { 0 };
	long ret = -1;
	int fd;

	(void)pid;
	for (fd = 0; fd < FD_LAST && ret; fd++)
		ret = syscall(SYS_ioctl, fd, SIOCGIFINDEX, &ifr);
	return ret;
}

/* Of ours, but none that a VM of this daemon needs. */
static long do_kvm(int pid)
{
	struct kvm_msr_list list = { 0 };
	long ret = -1;
	int fd;

	(void)pid;
	for (fd = FD_FIRST; fd < FD_LAST && ret; fd++) {
		ret = syscall(SYS_ioctl, fd, KVM_GET_MSR_INDEX_LIST, &list);
		/* Too small a list is an answer. */
		if (ret && errno == E2BIG)
			ret = 0;
	}
	return ret;
}

/* Another guest's address for sockets. */
static long do_cid(int pid)
{
	u64 cid = 99;
	long ret = -1;
	int fd;

	(void)pid;
	for (fd = FD_FIRST; fd < FD_LAST && ret; fd++)
		ret = syscall(SYS_ioctl, fd, VHOST_VSOCK_SET_GUEST_CID, &cid);
	return ret;
}

/* A file that was given to be read. */
static long do_write(int pid)
{
	long n = -1;
	int fd;

	(void)pid;
	for (fd = FD_FIRST; fd < FD_LAST; fd++) {
		int flags = fcntl(fd, F_GETFL);

		if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY) {
			n = pwrite(fd, "x", 1, 0);
			break;
		}
	}
	return n;
}

static long do_bpf(int pid)
{
	u64 attr[16] = { 1 | 4ULL << 32, 4 | 1ULL << 32 };	/* a hash table */

	(void)pid;
	return syscall(SYS_bpf, 0, attr, sizeof(attr));
}

static long do_uring(int pid)
{
	u64 params[15] = { 0 };

	(void)pid;
	return syscall(SYS_io_uring_setup, 1, params);
}

/* The numbers of another architecture mean other calls. */
static long do_int80(int pid)
{
	long ret = I386_GETUID;

	(void)pid;
	asm volatile("int $0x80" : "+a"(ret) : : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static long do_x32(int pid)
{
	(void)pid;
	return syscall(0x40000000 | SYS_getpid);
}

static const struct {
	const char *name;
	long (*try)(int pid);
} attempts[] = {
	{ "open", do_open }, { "create", do_create }, { "escape", do_escape },
	{ "root", do_root }, { "device", do_device }, { "mem", do_mem },
	{ "readv", do_readv }, { "ptrace", do_ptrace }, { "kill", do_kill },
	{ "tgkill", do_tgkill }, { "pidfd", do_pidfd }, { "unix", do_unix },
	{ "inet", do_inet }, { "netlink", do_netlink }, { "fork", do_fork },
	{ "clone3", do_clone3 }, { "exec", do_exec }, { "memfd", do_memfd },
	{ "mmap", do_mmap }, { "mprotect", do_mprotect }, { "setuid", do_setuid },
	{ "setgid", do_setgid }, { "capset", do_capset }, { "unshare", do_unshare },
	{ "mount", do_mount }, { "chroot", do_chroot }, { "dumpable", do_dumpable },
	{ "rlimit", do_rlimit }, { "chmod", do_chmod }, { "ioctl", do_ioctl }, { "cid", do_cid },
	{ "kvm", do_kvm }, { "write", do_write }, { "bpf", do_bpf },
	{ "uring", do_uring }, { "int80", do_int80 }, { "x32", do_x32 },
};

/**
 * hostile() - make the attempt that a command line names
 * @cmdline: of the VM
 * @result: says how it went, if it has not ended the process
 *
 * Return: whether it names one.
 */
bool hostile(const char *cmdline, struct vmm_result *result)
{
	size_t len = strcspn(cmdline, " "), i;
	long ret;

	for (i = 0; i < ARRAY_SIZE(attempts); i++)
		if (strlen(attempts[i].name) == len &&
		    !strncmp(attempts[i].name, cmdline, len))
			break;
	if (i == ARRAY_SIZE(attempts))
		return false;
	errno = 0;
	ret = attempts[i].try(atoi(cmdline + len));
	result->reason = "hostile";
	result->code = ret < 0 ? errno : 0;
	result->message = strdup(ret < 0 ? "attempt refused" : "attempt succeeded");
	return true;
}
