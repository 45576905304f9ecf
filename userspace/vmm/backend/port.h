/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's end of a port: a Unix stream socket, for one program at a time. */
#ifndef VMM_BACKEND_PORT_H
#define VMM_BACKEND_PORT_H

#include <sys/types.h>

#include "../vmm.h"

/**
 * struct port_end - a socket that listens, and who is connected
 * @path: of the socket, if it is ours to take away; else NULL
 * @listen_fd: listens
 * @fd: who is connected, or -1
 */
struct port_end {
	const char *path;
	int listen_fd;
	int fd;
};

int port_end_open(struct port_end *end, const struct vmm_file *file);
void port_end_close(struct port_end *end);
bool port_end_accept(struct port_end *end);
void port_end_drop(struct port_end *end);
ssize_t port_end_send(struct port_end *end, const void *data, size_t len);
ssize_t port_end_receive(struct port_end *end, void *data, size_t len);

#endif
