// SPDX-License-Identifier: GPL-2.0-only
/*
 * User-mode network: a process of its own, vmnat, speaks TCP and UDP for the guest with
 * the caller's rights. What takes the guest's packets apart has neither its memory nor
 * the hypervisor.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../log.h"
#include "../vmm.h"
#include "link.h"
#include "user.h"

#define PROGRAM		"vmnat"
#define READY_TIMEOUT	10000	/* ms */

/* Where it may be, beside our own program: as it is built, and as it is installed. */
static const char *const places[] = { "", "../libexec/joist/" };

bool user_program(char *path, size_t size)
{
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;
	size_t i;

	if (len <= 0)
		return false;
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return false;
	slash[1] = '\0';
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		if (snprintf(path, size, "%s%s" PROGRAM, self, places[i]) < (int)size &&
		    !access(path, X_OK))
			return true;
	}
	return false;
}

void user_args(struct user_args *args, const struct vmm_net *config)
{
	int i, nr = 0;

	snprintf(args->mtu, sizeof(args->mtu), "%u", config->mtu ?: VMM_USER_MTU);
	args->argv[nr++] = PROGRAM;
	args->argv[nr++] = "--mtu";
	args->argv[nr++] = args->mtu;
	for (i = 0; i < config->nr_forwards; i++) {
		args->argv[nr++] = "--forward";
		args->argv[nr++] = config->forward[i];
	}
	args->argv[nr] = NULL;
}

/* Its standard input is the wire. Signals are for us: it ends when we do. */
static int spawn(const char *path, int fd, const struct vmm_net *config, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	struct user_args args;
	int err;

	user_args(&args, config);
	err = posix_spawn_file_actions_init(&actions);
	if (err)
		return -err;
	err = posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
	if (!err)
		err = posix_spawn(pid, path, &actions, NULL, (char **)args.argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

/*
 * Its first word is empty but for a byte of 0, or why it cannot. Return: 0, or -errno with
 * the reason logged.
 */
int user_await(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char text[512];
	ssize_t n = -1;

	if (poll(&pfd, 1, READY_TIMEOUT) == 1)
		n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	if (n == 1 && !text[0])
		return 0;
	if (n > 0) {
		text[n] = '\0';
		log_err("no user-mode network: %s", text);
	} else {
		log_err("no user-mode network: " PROGRAM " %s",
			n ? "does not answer" : "ended at once");
	}
	return -EIO;
}

/* Return: 0, or -errno with the reason logged. */
int link_open_user(struct net_link *link, const struct vmm_net *config)
{
	char path[4096 + 64];
	int fd[2], err;

	link->mtu = config->mtu ?: VMM_USER_MTU;
	if (config->file.fd >= 0) {
		err = vmm_file_open(&config->file, O_RDWR);
		if (err < 0)
			return err;
		link->fd[link->nr_fds++] = err;
		return 0;
	}
	if (!user_program(path, sizeof(path))) {
		log_err("no user-mode network: there is no " PROGRAM "; it is built with libslirp");
		return -ENOENT;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd)) {
		log_err("no user-mode network: %s", strerror(errno));
		return -errno;
	}
	err = spawn(path, fd[1], config, &link->pid);
	close(fd[1]);
	if (err)
		log_err("cannot start %s: %s", path, strerror(-err));
	else
		err = user_await(fd[0]);
	if (!err && fcntl(fd[0], F_SETFL, O_NONBLOCK))
		err = -errno;
	link->fd[link->nr_fds++] = fd[0];
	if (err)
		link_close(link);
	return err;
}
