// SPDX-License-Identifier: GPL-2.0-only
/*
 * Formats of disks are qemu-nbd's: a process of its own that we speak NBD with, on a
 * socket that has no name any more when it starts. It ends when the connection does,
 * that is with us.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lock.h"
#include "tool.h"

#define PROGRAM		"/usr/bin/qemu-nbd"
#define LISTEN_FD	3	/* where a service finds its socket */
#define END_NAP_NS	10000000L
#define END_NAPS	1000
#define LOCK_NAPS	200

/*
 * A listening socket and its one client. Its name is gone before anybody could use it:
 * the directory is ours alone.
 */
static int make_sockets(const char *dir, int *listener)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char name[sizeof(addr.sun_path) - 8];
	int fd = -1, err = 0;

	*listener = -1;
	if (snprintf(name, sizeof(name), "%s/joist-XXXXXX", dir) >= (int)sizeof(name))
		return -ENAMETOOLONG;
	if (!mkdtemp(name))
		return -errno;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/nbd", name);
	*listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*listener < 0 || fd < 0 || bind(*listener, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(*listener, 1) || connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err = -errno;
	unlink(addr.sun_path);
	rmdir(name);
	if (!err)
		return fd;
	if (*listener >= 0)
		close(*listener);
	if (fd >= 0)
		close(fd);
	return err;
}

/* As options of QEMU's: no name can be taken for anything but a file's. */
static int describe(char *text, size_t size, const char *path)
{
	struct stat st;
	size_t len;

	if (stat(path, &st))
		return -errno;
	len = (size_t)snprintf(text, size, "driver=qcow2,file.driver=%s,file.filename=",
			       S_ISBLK(st.st_mode) ? "host_device" : "file");
	for (; *path && len + 2 < size; path++) {
		if (*path == ',')
			text[len++] = ',';
		text[len++] = *path;
	}
	text[len] = '\0';
	return *path ? -ENAMETOOLONG : 0;
}

static void limit_core(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
}

/* The child. */
static void run(int listener, const char *image, const struct disk_options *options)
{
	const char *const argv[] = {
		"qemu-nbd", "--image-opts", "--shared=1", "--detect-zeroes=off",
		options->direct ? "--cache=none" : "--cache=writeback",
		options->keep ? "--discard=ignore" : "--discard=unmap",
		options->readonly ? "--read-only" : image,
		options->readonly ? image : NULL,
		NULL,
	};
	char listen_pid[32];
	char *const envp[] = {
		listen_pid, (char *)"LISTEN_FDS=1", (char *)"PATH=/usr/bin:/bin", NULL,
	};
	sigset_t none_set;
	int null;

	sigemptyset(&none_set);
	sigprocmask(SIG_SETMASK, &none_set, NULL);
	limit_core();
	snprintf(listen_pid, sizeof(listen_pid), "LISTEN_PID=%d", (int)getpid());
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(126);
	/* dup2() onto itself would keep close-on-exec. */
	if (listener == LISTEN_FD ? fcntl(listener, F_SETFD, 0) : dup2(listener, LISTEN_FD) < 0)
		_exit(126);
	/* A terminal's signals are for us: it ends when we do. */
	setpgid(0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(126);
	execve(PROGRAM, (char **)argv, envp);
	_exit(127);
}

/* One that another VM leaves just now may still write; QEMU would not wait. */
static void wait_for_lock(const char *path, bool readonly)
{
	static const struct timespec nap = { .tv_nsec = END_NAP_NS };
	int fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC), i;

	for (i = 0; fd >= 0 && i < LOCK_NAPS && lock_image(fd, readonly) == -EAGAIN; i++)
		nanosleep(&nap, NULL);
	if (fd >= 0)
		close(fd);
}

/**
 * tool_start() - start it for a disk
 * @path: disk
 * @options: of it
 * @dir: where a socket can be made for a moment
 * @become: gives up rights in its process; NULL: it has ours
 * @arg: for @become, which returns 0 or -errno
 * @pid: of the process, to be waited for; NULL: it is nobody's child
 *
 * Return: a socket on which it will speak NBD, or be gone; or -errno. Before there are
 * other threads.
 */
int tool_start(const char *path, const struct disk_options *options, const char *dir,
	       int (*become)(void *arg), void *arg, pid_t *pid)
{
	char image[2 * PATH_MAX];
	int fd, listener;
	pid_t child;

	if (access(PROGRAM, X_OK))
		return -ENOPKG;
	fd = make_sockets(dir, &listener);
	if (fd < 0)
		return fd;
	child = fork();
	if (!child) {
		if (!pid && fork())
			_exit(0);
		/* With its own rights it sees what there is. */
		if ((become && become(arg)) || describe(image, sizeof(image), path))
			_exit(126);
		wait_for_lock(path, options->readonly);
		run(listener, image, options);
	}
	close(listener);
	if (child > 0) {
		if (pid)
			*pid = child;
		else
			waitpid(child, NULL, 0);
		return fd;
	}
	close(fd);
	return -errno;
}

/* Its connection was closed: wait until it has written all it has. */
void tool_end(pid_t pid)
{
	static const struct timespec nap = { .tv_nsec = END_NAP_NS };
	int i;

	if (pid <= 0)
		return;
	for (i = 0; i < END_NAPS; i++) {
		if (waitpid(pid, NULL, WNOHANG))
			return;
		nanosleep(&nap, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
