// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of a share are diod's: a process of its own that we speak 9P with, on a socket. It
 * ends when the connection does, that is with us.
 *
 * It takes "..", slashes in names and symbolic links as they come, from a guest that may send
 * any: so it gets a root directory of its own, in which there are the share, itself with its
 * libraries, and nothing else. For that it has a user namespace, with no user but its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "share_tool.h"

#define PROGRAM		"/usr/sbin/diod"
#define SOCKET_FD	3
#define SOCKET_TEXT	"3"
#define START_TIMEOUT	10000	/* ms */
#define THREADS		"4"
#define LIBRARIES	"x86_64-linux-gnu"
#define NEW_ROOT	"/tmp"	/* where it is made; what is there is not in it */
#define SHARE		"/share"
#define NOT_ROOT	1	/* root is this in there: as root diod wants more */
#define NAMESPACES	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

/* What of ours it needs, to read: where a link leads comes before what is reached by it. */
static const char *const parts[] = {
	PROGRAM, "/usr/lib/" LIBRARIES, "/usr/lib64", "/lib", "/lib64", "/lib/" LIBRARIES,
};

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = -errno;
	close(fd);
	return err;
}

/* A mount and all below it: attributes are added, and none is taken away. */
static int restrict_mount(const char *path, u64 attributes)
{
	struct mount_attr attr = { .attr_set = attributes };

	return syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof(attr)) ?
	       -errno : 0;
}

/* @to is there. */
static int bind_mount(const char *from, const char *to, u64 attributes)
{
	if (mount(from, to, NULL, MS_BIND | MS_REC, NULL))
		return -errno;
	return restrict_mount(to, attributes | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* Directories above @path; what is wrong is seen by what needs them. */
static void make_parents(char *path)
{
	char *p;

	for (p = path + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
}

/* A link as a link; what is not there is not needed. */
static int add_part(const char *path)
{
	char to[64], link[64] = "";
	struct stat st;

	snprintf(to, sizeof(to), NEW_ROOT "%s", path);
	if (lstat(path, &st) || !access(to, F_OK))
		return 0;
	make_parents(to);
	if (S_ISLNK(st.st_mode))
		return readlink(path, link, sizeof(link) - 1) < 0 || symlink(link, to) ? -errno : 0;
	/* Of directories in which there is something else, too, only what is needed. */
	if (!strcmp(path, "/lib"))
		return 0;
	if (S_ISDIR(st.st_mode) ? mkdir(to, 0755) : mknod(to, S_IFREG | 0755, 0))
		return -errno;
	return bind_mount(path, to, MOUNT_ATTR_RDONLY);
}

/* diod looks for names of who attaches, which is always root, and who they are then. */
static int add_etc(uid_t uid, gid_t gid)
{
	char text[96];

	if (mkdir(NEW_ROOT "/etc", 0755))
		return -errno;
	snprintf(text, sizeof(text), "root:x:0:0::/:\njoist:x:%u:%u::/:\n", uid, gid);
	return write_file(NEW_ROOT "/etc/passwd", text) ?:
	       write_file(NEW_ROOT "/etc/diod.conf", "");
}

/* Who a process is outside, which tells it to the one that knows it by @pid. */
struct outer {
	uid_t uid;
	gid_t gid;
};

static uid_t inner(uid_t id)
{
	return id ?: NOT_ROOT;
}

static int write_proc(pid_t pid, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return write_file(path, text);
}

/*
 * By who is still outside, with the rights from before: the process that was somebody else
 * before may not do it itself.
 */
static int map_ids(pid_t pid, const struct outer *outer)
{
	char text[64];
	int err;

	err = write_proc(pid, "setgroups", "deny");
	snprintf(text, sizeof(text), "%u %u 1", inner(outer->uid), outer->uid);
	err = err ?: write_proc(pid, "uid_map", text);
	snprintf(text, sizeof(text), "%u %u 1", inner(outer->gid), outer->gid);
	return err ?: write_proc(pid, "gid_map", text);
}

/* Return: 0 or -errno. */
static int enter_namespaces(int mapper)
{
	struct outer outer = { geteuid(), getegid() };
	int err = -EIO;

	if (unshare(NAMESPACES))
		return -EUSERS;
	if (write(mapper, &outer, sizeof(outer)) != sizeof(outer) ||
	    read(mapper, &err, sizeof(err)) != sizeof(err) || err)
		return -EUSERS;
	return 0;
}

static int change_root(void)
{
	if (chdir(NEW_ROOT))
		return -errno;
	if (!syscall(SYS_pivot_root, ".", "."))
		return umount2(".", MNT_DETACH) || chdir("/") ? -errno : 0;
	/* An initramfs cannot be pivoted away from: be moved over it instead. */
	return mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/") ? -errno : 0;
}

/* The share is the working directory. Return: 0 or -errno. */
static int make_root(bool readonly, uid_t uid, gid_t gid)
{
	size_t i;
	int err;

	/* Links are the guest's to follow; here they lead nowhere. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	/* Before the new root hides what may be the way to it. */
	if (mount("share", NEW_ROOT, "tmpfs", MS_NOSUID | MS_NODEV,
		  "size=64k,nr_inodes=32,mode=0755"))
		return -errno;
	if (mkdir(NEW_ROOT SHARE, 0755))
		return -errno;
	err = bind_mount(".", NEW_ROOT SHARE, MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_NOEXEC |
			 (readonly ? MOUNT_ATTR_RDONLY : 0));
	for (i = 0; !err && i < ARRAY_SIZE(parts); i++)
		err = add_part(parts[i]);
	err = err ?: add_etc(uid, gid);
	err = err ?: change_root();
	if (err)
		return err;
	/* The root itself, and nothing below it. */
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
		     NULL) ? -errno : 0;
}

/* Return: 0; -EUSERS: there are no namespaces for us; or -errno. */
static int jail(const char *dir, bool readonly, int mapper)
{
	uid_t uid = inner(geteuid());
	gid_t gid = inner(getegid());
	int err;

	/* The daemon's is not for what diod is to find. */
	umask(022);
	if (chdir(dir))
		return -errno;
	err = enter_namespaces(mapper);
	return err ?: make_root(readonly, uid, gid);
}

/* Return: only of a failure: -errno. */
static int run(int fd)
{
	static const char *const argv[] = {
		"diod", "--foreground", "--no-auth", "--allsquash", "--nwthreads", THREADS,
		"--rfdno", SOCKET_TEXT, "--wfdno", SOCKET_TEXT, "--logdest", "stderr",
		"--export", SHARE, NULL,
	};
	char *const envp[] = { (char *)"PATH=/usr/sbin:/usr/bin", NULL };
	struct rlimit none = { 0, 0 };
	sigset_t none_set;

	/* A file has the mode that the guest gives it. */
	umask(0);
	sigemptyset(&none_set);
	sigprocmask(SIG_SETMASK, &none_set, NULL);
	setrlimit(RLIMIT_CORE, &none);
	/* A terminal's signals are for us: it ends when we do. */
	setpgid(0, 0);
	/* A guest can make it say anything, and as often as it wants. */
	if (dup2(STDOUT_FILENO, STDERR_FILENO) < 0 || dup2(fd, SOCKET_FD) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	execve(PROGRAM, (char **)argv, envp);
	return -errno;
}

/**
 * struct start - what the processes on the way to it need
 * @fd: its end of the connection
 * @told: where what goes wrong is told, before there is another program
 * @null: of /dev/null
 */
struct start {
	const char *dir;
	bool readonly;
	int fd;
	int told;
	int null;
	int (*become)(void *arg);
	void *arg;
};

/* The process that becomes it. */
static void child(const struct start *s, int mapper)
{
	/* Out of the way of the descriptors that it gets; they go when it starts. */
	int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, SOCKET_FD + 1);
	int told = fcntl(s->told, F_DUPFD_CLOEXEC, SOCKET_FD + 1);
	int err = fd < 0 || told < 0 ? -errno : 0;

	if (!err && (dup2(s->null, STDIN_FILENO) < 0 || dup2(s->null, STDOUT_FILENO) < 0))
		err = -errno;
	if (!err && s->become)
		err = s->become(s->arg);
	err = err ?: jail(s->dir, s->readonly, mapper);
	err = err ?: run(fd);
	if (write(told, &err, sizeof(err)) < 0)
		_exit(125);
	_exit(126);
}

/* The process between: it leaves that one alone, nobody's child. */
static void between(const struct start *s)
{
	struct outer outer;
	int pair[2], err;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		_exit(126);
	pid = fork();
	if (!pid) {
		close(pair[0]);
		child(s, pair[1]);
	}
	close(pair[1]);
	if (pid > 0 && read(pair[0], &outer, sizeof(outer)) == sizeof(outer)) {
		err = map_ids(pid, &outer);
		if (write(pair[0], &err, sizeof(err)) < 0)
			_exit(126);
	}
	_exit(0);
}

static int spawn(struct start *s)
{
	pid_t pid;
	int status;

	s->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (s->null < 0)
		return -errno;
	pid = fork();
	if (!pid)
		between(s);
	close(s->null);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return status ? -EAGAIN : 0;
}

/**
 * share_tool_start() - start it for a share
 * @dir: folder
 * @readonly: nothing is to change there
 * @become: gives up rights in its process; NULL: it has ours
 * @arg: for @become, which returns 0 or -errno
 *
 * Return: a socket on which it will speak 9P, or be gone; or -errno, which share_tool_error()
 * explains.
 */
int share_tool_start(const char *dir, bool readonly, int (*become)(void *arg), void *arg)
{
	struct start start = { .dir = dir, .readonly = readonly, .become = become, .arg = arg };
	struct pollfd p = { .events = POLLIN };
	int pair[2], told[2], err;

	if (access(PROGRAM, X_OK))
		return -ENOPKG;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	if (pipe2(told, O_CLOEXEC)) {
		err = -errno;
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	start.fd = pair[1];
	start.told = told[1];
	err = spawn(&start);
	close(pair[1]);
	close(told[1]);
	/* The way to the folder may be one that does not end. Nothing is told: it runs. */
	p.fd = told[0];
	if (!err && poll(&p, 1, START_TIMEOUT) != 1)
		err = -ETIMEDOUT;
	if (!err && read(told[0], &err, sizeof(err)) < 0)
		err = -EIO;
	close(told[0]);
	if (!err)
		return pair[0];
	close(pair[0]);
	return err;
}

/* What an error of share_tool_start() is, for people. */
const char *share_tool_error(int err)
{
	switch (err) {
	case -ENOPKG:
		return "it needs diod; install the package diod";
	case -EUSERS:
		return "its server cannot be locked up; allow user namespaces";
	default:
		return strerror(-err);
	}
}
