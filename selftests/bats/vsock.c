// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two ends of a socket between guest and host: what is read from standard input goes
 * to the other end, what comes from there to standard output.
 *	vsock cid
 *	vsock listen PORT [seqpacket]
 *	vsock connect CID PORT [seqpacket]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#define TRIES	300	/* of a tenth of a second each: the other end may not be there yet */

static int type = SOCK_STREAM;

static void fail(const char *what)
{
	fprintf(stderr, "vsock: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void copy(int from, int to)
{
	static char data[65536];
	ssize_t n, done, wrote;

	while ((n = read(from, data, sizeof(data))) > 0)
		for (done = 0; done < n; done += wrote) {
			wrote = write(to, data + done, (size_t)(n - done));
			if (wrote < 0)
				fail("write");
		}
	if (n < 0)
		fail("read");
}

static int exchange(int fd)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		fail("fork");
	if (!pid) {
		copy(0, fd);
		shutdown(fd, SHUT_WR);
		exit(0);
	}
	copy(fd, 1);
	waitpid(pid, &status, 0);
	return status != 0;
}

static int listening(struct sockaddr_vm *addr)
{
	int fd = socket(AF_VSOCK, type, 0), conn;

	addr->svm_cid = VMADDR_CID_ANY;
	if (fd < 0 || bind(fd, (struct sockaddr *)addr, sizeof(*addr)) || listen(fd, 1))
		fail("listen");
	conn = accept(fd, NULL, NULL);
	if (conn < 0)
		fail("accept");
	return conn;
}

static int connected(const struct sockaddr_vm *addr)
{
	int tries, fd;

	for (tries = 0; tries < TRIES; tries++) {
		fd = socket(AF_VSOCK, type, 0);
		if (fd < 0)
			fail("socket");
		if (!connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
			return fd;
		close(fd);
		usleep(100000);
	}
	fail("connect");
	return -1;
}

static int print_cid(void)
{
	int fd = open("/dev/vsock", O_RDONLY);
	unsigned int value;

	if (fd < 0 || ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &value))
		fail("/dev/vsock");
	printf("cid %u\n", value);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_vm addr = { .svm_family = AF_VSOCK };

	if (!strcmp(argv[argc - 1], "seqpacket")) {
		type = SOCK_SEQPACKET;
		argc--;
	}
	if (argc == 2 && !strcmp(argv[1], "cid"))
		return print_cid();
	if (argc == 3 && !strcmp(argv[1], "listen")) {
		addr.svm_port = (unsigned int)atoi(argv[2]);
		return exchange(listening(&addr));
	}
	if (argc == 4 && !strcmp(argv[1], "connect")) {
		addr.svm_cid = (unsigned int)atoi(argv[2]);
		addr.svm_port = (unsigned int)atoi(argv[3]);
		return exchange(connected(&addr));
	}
	fprintf(stderr, "usage: vsock cid|listen PORT|connect CID PORT [seqpacket]\n");
	return 2;
}
