// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a program on a terminal of its own: waits for a text, types keys, sends a
 * signal or changes the terminal's size, once or several times, and tells what became
 * of the terminal.
 * usage: ptyrun TEXT KEYS|-SIGNAL|=ROWSxCOLUMNS [+ TEXT KEYS...]... PROGRAM [ARGUMENT]...
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#define TIMEOUT_MS	60000

struct output {
	char text[65536];
	size_t len;
};

/* Return: bytes read; 0: the other side is closed, or nothing came in time. */
static ssize_t more(int fd, struct output *out, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, timeout_ms) <= 0)
		return 0;
	n = read(fd, out->text + out->len, sizeof(out->text) - 1 - out->len);
	if (n <= 0)
		return 0;
	out->len += (size_t)n;
	out->text[out->len] = '\0';
	return n;
}

static int is_raw(int fd)
{
	struct termios t;

	return !tcgetattr(fd, &t) && !(t.c_lflag & (ICANON | ECHO | ISIG));
}

static void act(int fd, pid_t child, const char *what)
{
	struct winsize size = { 0 };

	if (sscanf(what, "=%hux%hu", &size.ws_row, &size.ws_col) == 2)
		ioctl(fd, TIOCSWINSZ, &size);
	else if (what[0] == '-' && what[1])
		kill(child, atoi(what + 1));
	else if (write(fd, what, strlen(what)) < 0)
		perror("ptyrun: write");
}

/* Wait for one text after another, and do what is to be done then. Return: was it raw? */
static int converse(int fd, int slave, pid_t child, struct output *out, char **argv)
{
	const char *from = out->text, *found;
	int raw = 0;

	for (;; argv += 3) {
		while (!(found = strstr(from, argv[0])) && more(fd, out, TIMEOUT_MS))
			;
		if (found)
			from = found + strlen(argv[0]);
		raw |= is_raw(slave);
		act(fd, child, argv[1]);
		if (strcmp(argv[2], "+") != 0)
			return raw;
	}
}

/* Where the program is in @argv, or 0. */
static int program(int argc, char **argv)
{
	int at = 3;

	while (at < argc && !strcmp(argv[at], "+"))
		at += 3;
	return at < argc ? at : 0;
}

int main(int argc, char **argv)
{
	static struct output out;
	struct termios before, after;
	int fd, slave, status, raw, at = program(argc, argv);
	pid_t child;

	if (!at)
		return 125;
	/* The slave stays open here: its settings outlive the program. */
	if (openpty(&fd, &slave, NULL, NULL, NULL))
		return 125;
	tcgetattr(slave, &before);
	child = fork();
	if (!child) {
		close(fd);
		login_tty(slave);
		execvp(argv[at], argv + at);
		_exit(127);
	}
	raw = converse(fd, slave, child, &out, argv + 1);
	while (waitpid(child, &status, WNOHANG) == 0)
		more(fd, &out, 100);
	/* What it said last. */
	while (more(fd, &out, 0))
		;
	tcgetattr(slave, &after);
	printf("%s\n", out.text);
	printf("raw=%d restored=%d code=%d\n", raw,
	       before.c_lflag == after.c_lflag && before.c_iflag == after.c_iflag &&
	       before.c_oflag == after.c_oflag,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
