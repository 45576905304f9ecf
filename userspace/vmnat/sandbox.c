// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is left to a process that takes a hostile guest's packets apart: sockets, and
 * reading where the name servers are. No programs, no files written, no other process.
 */
#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "vmd/filter.h"
#include "vmnat.h"

#define NOBODY		65534
#define MEMORY_MAX	(1ULL << 30)
#define FILES_MAX	4096

/* Memory, time, the end: what any program does. */
static const int common_calls[] = {
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
	SCMP_SYS(fstat), SCMP_SYS(lseek), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(fcntl), SCMP_SYS(getuid), SCMP_SYS(geteuid),
};

static const int socket_calls[] = {
	SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen),
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(shutdown),
	SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
};

/* As any user: who was root for low ports of the host's is nobody from here on. */
static int become_nobody(void)
{
	if (geteuid())
		return 0;
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return -errno;
	return setuid(0) ? 0 : -EPERM;
}

static int limit(int resource, u64 value)
{
	struct rlimit rl;

	if (getrlimit(resource, &rl))
		return -errno;
	rl.rlim_max = min(rl.rlim_max, (rlim_t)value);
	rl.rlim_cur = rl.rlim_max;
	return setrlimit(resource, &rl) ? -errno : 0;
}

/* Files are read, not written or made: the name servers' list, and when it changes. */
static int allow_reading(scmp_filter_ctx ctx)
{
	static const int stats[] = { SCMP_SYS(stat), SCMP_SYS(newfstatat), SCMP_SYS(statx) };
	int err = filter_allow(ctx, stats, ARRAY_SIZE(stats));

	return err ?: seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
			SCMP_CMP(2, SCMP_CMP_MASKED_EQ,
				 O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
}

static int filter(void)
{
	int err;
	scmp_filter_ctx ctx = filter_begin(SCMP_ACT_KILL_PROCESS, &err);

	if (!ctx)
		return err;
	err = err ?: filter_allow(ctx, common_calls, ARRAY_SIZE(common_calls));
	err = err ?: filter_allow(ctx, socket_calls, ARRAY_SIZE(socket_calls));
	err = err ?: allow_reading(ctx);
	err = err ?: filter_allow_value(ctx, SCMP_SYS(ioctl), 1, FIONREAD);
	err = err ?: filter_allow_value(ctx, SCMP_SYS(ioctl), 1, FIONBIO);
	return filter_finish(ctx, err);
}

/**
 * sandbox() - give up what the network does not need
 *
 * Return: 0 or -errno.
 */
int sandbox(void)
{
	int err = become_nobody();

	err = err ?: limit(RLIMIT_CORE, 0);
	err = err ?: limit(RLIMIT_AS, MEMORY_MAX);
	err = err ?: limit(RLIMIT_NOFILE, FILES_MAX);
	err = err ?: limit(RLIMIT_FSIZE, 0);
	if (!err && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		     prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)))
		err = -errno;
	return err ?: filter();
}
