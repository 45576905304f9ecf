/* SPDX-License-Identifier: GPL-2.0-only */
/* A client of vmd's control socket: Documentation/control-socket.rst. */
#ifndef VMCTL_CLIENT_H
#define VMCTL_CLIENT_H

#include "libjoist/types.h"

#define CLIENT_PATH		"/run/joist/control"
#define CLIENT_PATH_ENV		"JOIST_SOCKET"
#define CLIENT_TIMEOUT_MS	30000
#define CLIENT_FOREVER		(-1)

struct json_object;

/**
 * struct client - a connection
 * @fd: the socket, or -1
 * @text: what was received and is no whole line yet, or was not asked for yet
 * @len: bytes in @text
 * @size: bytes @text has room for
 * @passed: descriptor that came with the last answer, or -1; its taker sets -1
 * @last_id: of the last request
 */
struct client {
	int fd;
	char *text;
	size_t len;
	size_t size;
	int passed;
	u32 last_id;
};

void client_set_path(const char *path);
const char *client_path(void);
int client_connect(struct client *client);
int client_open(struct client *client);
void client_close(struct client *client);
struct json_object *client_request(const char *op);
int client_send(struct client *client, struct json_object *request);
int client_read(struct client *client, int timeout_ms, struct json_object **line);
int client_try(struct client *client, struct json_object *request, int timeout_ms,
	       struct json_object **answer);
int client_call(struct client *client, struct json_object *request,
		int timeout_ms, struct json_object **result);
int client_fail(int err);
int client_once(struct json_object *request, int timeout_ms,
		struct json_object **result);

#endif
