// SPDX-License-Identifier: GPL-2.0-only
/*
 * sniff INTERFACE: counts the frames that the host sends out of it, until SIGTERM, and then
 * tells how many.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static volatile sig_atomic_t done;

static void on_term(int sig)
{
	(void)sig;
	done = 1;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_term };
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
	};
	char frame[2048];
	long nr = 0;
	int fd;

	if (argc != 2)
		return 2;
	sigaction(SIGTERM, &sa, NULL);
	addr.sll_ifindex = (int)if_nametoindex(argv[1]);
	fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	if (!addr.sll_ifindex || fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		perror(argv[1]);
		return 1;
	}
	printf("listening\n");
	fflush(stdout);
	while (!done) {
		struct sockaddr_ll from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from,
				     &len);

		nr += n > 0 && from.sll_pkttype == PACKET_OUTGOING;
	}
	printf("frames: %ld\n", nr);
	return 0;
}
