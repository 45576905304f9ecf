// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmnat: the user-mode network of one VM. The VMM starts it with a socket as standard
 * input, hears a byte of 0 when it is ready or else why not, and ends it by leaving.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmnat.h"

#define MTU_MIN		1280	/* IPv6's least */
#define MTU_MAX		65521	/* libslirp's most */

static int explain(void)
{
	fputs("vmnat [--mtu N] [--forward PROTOCOL:[ADDRESS]:PORT-[ADDRESS]:PORT]...\n"
	      "The VMM's socket is standard input: vmctl run --net user starts it.\n", stderr);
	return 2;
}

static bool parse(struct options *opts, int argc, char **argv)
{
	static const struct option options[] = {
		{ "mtu", required_argument, NULL, 'm' },
		{ "forward", required_argument, NULL, 'f' },
		{ NULL },
	};
	unsigned long mtu;
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'm':
			mtu = strtoul(optarg, &end, 10);
			if (*end || mtu < MTU_MIN || mtu > MTU_MAX)
				return false;
			opts->mtu = (u16)mtu;
			break;
		case 'f':
			if (opts->nr_forwards == FORWARDS_MAX ||
			    !forward_parse(optarg, &opts->forward[opts->nr_forwards++]))
				return false;
			break;
		default:
			return false;
		}
	}
	return optind == argc;
}

/* Say why not, and end. */
static int refuse(const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (send(STDIN_FILENO, text, strlen(text), MSG_NOSIGNAL) < 0)
		fprintf(stderr, "vmnat: %s\n", text);
	return 1;
}

static int add_forwards(struct nat *nat, const struct options *opts)
{
	char addr[INET_ADDRSTRLEN];
	int i, err;

	for (i = 0; i < opts->nr_forwards; i++) {
		const struct forward *fwd = &opts->forward[i];

		err = nat_forward(nat, fwd);
		if (!err)
			continue;
		inet_ntop(AF_INET, &fwd->host, addr, sizeof(addr));
		return refuse("cannot take %s port %u of %s for the guest: %s",
			      fwd->udp ? "UDP" : "TCP", fwd->host_port, addr, strerror(-err));
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options opts = { .mtu = 1500 };
	socklen_t len = sizeof(int);
	struct nat *nat;
	int type, err;

	if (!parse(&opts, argc, argv) ||
	    getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &len) ||
	    type != SOCK_SEQPACKET)
		return explain();
	signal(SIGPIPE, SIG_IGN);
	nat = nat_create(&opts, STDIN_FILENO);
	if (!nat)
		return refuse("libslirp cannot be started");
	if (add_forwards(nat, &opts))
		return 1;
	err = sandbox();
	if (err)
		return refuse("vmnat cannot give up its rights: %s", strerror(-err));
	if (send(STDIN_FILENO, "", 1, MSG_NOSIGNAL) != 1)
		return 1;
	err = nat_serve(nat);
	if (err)
		fprintf(stderr, "vmnat: %s\n", strerror(-err));
	return err ? 1 : 0;
}
