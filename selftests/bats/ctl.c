// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of vmd's control socket: sends its arguments as lines, prints as many answers.
 * usage: ctl [-s SOCKET] [-f SECONDS] [-k KEYS] [-u TEXT] [-n TIMES] LINE...
 *	-f: follow: print what comes, for so long
 *	-k: type that on the console an answer brought
 *	-u: read the console until TEXT was printed
 *	-n: send the lines so often, and read nothing
 * Exit code: 0: all answers were "ok"; 1: not all; 3: no answer, or TEXT did not come.
 * With -n: 0: was let go; 1: was not.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_S	60

static int console = -1;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int dial(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		perror("ctl: connect");
		exit(3);
	}
	return fd;
}

/* Return: bytes, 0 at the end or when @until is over. */
static ssize_t receive(int fd, char *data, size_t len, double until)
{
	char space[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { data, len };
	struct msghdr hdr = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct cmsghdr *c;
	double left = until - now();
	ssize_t n;

	if (left <= 0 || poll(&p, 1, (int)(left * 1000) + 1) <= 0)
		return 0;
	n = recvmsg(fd, &hdr, 0);
	c = n > 0 ? CMSG_FIRSTHDR(&hdr) : NULL;
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&console, CMSG_DATA(c), sizeof(console));
	return n;
}

/* Print lines. Return: how many of @want are missing or not "ok". */
static int answers(int fd, int want, double seconds, int follow)
{
	static char text[5 << 20];
	double until = now() + seconds;
	size_t len = 0;
	int good = 0, seen = 0;

	while (follow || seen < want) {
		ssize_t n = receive(fd, text + len, sizeof(text) - 1 - len, until);
		char *eol;

		if (n <= 0)
			break;
		len += (size_t)n;
		text[len] = '\0';
		while ((eol = strchr(text, '\n'))) {
			*eol = '\0';
			puts(text);
			fflush(stdout);
			seen += !!strstr(text, "\"ok\":");
			good += !!strstr(text, "\"ok\":true");
			len -= (size_t)(eol + 1 - text);
			memmove(text, eol + 1, len + 1);
		}
	}
	if (seen < want)
		exit(3);
	return want - good;
}

static int read_console(const char *until)
{
	static char text[1 << 20];
	double end = now() + TIMEOUT_S;
	size_t len = 0;
	ssize_t n;

	while (!strstr(text, until)) {
		n = receive(console, text + len, sizeof(text) - 1 - len, end);
		if (n <= 0)
			break;
		len += (size_t)n;
		text[len] = '\0';
	}
	fwrite(text, 1, len, stdout);
	return strstr(text, until) ? 0 : 3;
}

/* Return: 0: the other end has hung up; 1: it bears this. */
static int flood(int fd, char **lines, int times)
{
	struct pollfd p = { .fd = fd };
	char **line;

	while (times--)
		for (line = lines; *line; line++)
			if (dprintf(fd, "%s\n", *line) < 0)
				return 0;
	poll(&p, 1, 2000);
	return p.revents & POLLHUP ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *path = "/run/joist/control", *keys = NULL, *until = NULL;
	double follow = 0;
	int opt, fd, i, bad, times = 0;

	while ((opt = getopt(argc, argv, "s:f:k:u:n:")) != -1) {
		switch (opt) {
		case 's':
			path = optarg;
			break;
		case 'f':
			follow = atof(optarg);
			break;
		case 'k':
			keys = optarg;
			break;
		case 'u':
			until = optarg;
			break;
		case 'n':
			times = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	signal(SIGPIPE, SIG_IGN);
	fd = dial(path);
	if (times)
		return flood(fd, argv + optind, times);
	for (i = optind; i < argc; i++)
		dprintf(fd, "%s\n", argv[i]);
	bad = answers(fd, argc - optind, follow ? follow : TIMEOUT_S, follow > 0);
	if (keys && console >= 0)
		dprintf(console, "%s", keys);
	if (until && console >= 0)
		return read_console(until);
	return bad ? 1 : 0;
}
