// SPDX-License-Identifier: GPL-2.0-only
/* sd_notify(3) and sd_listen_fds(3), as their manual pages describe them. */
#include <stddef.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"

#define LISTEN_FDS_START	3

/* Tell the service manager: "READY=1" and the like. */
void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len;
	int fd;

	if (!path || (*path != '/' && *path != '@'))
		return;
	len = strlen(path);
	if (len >= sizeof(addr.sun_path))
		return;
	memcpy(addr.sun_path, path, len);
	if (*path == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
	       (struct sockaddr *)&addr,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

/* Return: how often to say "WATCHDOG=1", as sd_watchdog_enabled(3) has it; 0: never. */
u64 watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && atol(pid) != getpid()))
		return 0;
	return strtoull(usec, NULL, 10) / 1000 / 2;
}

/* Return: the socket we were started for; -1: there is none. */
int listen_fd(void)
{
	const char *pid = getenv("LISTEN_PID"), *nr = getenv("LISTEN_FDS");

	if (!pid || !nr || atol(pid) != getpid() || atoi(nr) < 1)
		return -1;
	fcntl(LISTEN_FDS_START, F_SETFD, FD_CLOEXEC);
	/* systemd hands it over as one that waits. */
	fcntl(LISTEN_FDS_START, F_SETFL, O_RDWR | O_NONBLOCK);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	return LISTEN_FDS_START;
}
