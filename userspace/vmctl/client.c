// SPDX-License-Identifier: GPL-2.0-only
/* A client of vmd's control socket: one JSON object a line, both ways. */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "error.h"
#include "out.h"

#define PROTOCOL	1
#define CHUNK		65536U
#define LINE_MAX_BYTES	(8U << 20)	/* an answer is 4 MiB at most */

static const char *socket_path;

void client_set_path(const char *path)
{
	socket_path = path;
}

const char *client_path(void)
{
	const char *path = socket_path ? socket_path : getenv(CLIENT_PATH_ENV);

	return path && *path ? path : CLIENT_PATH;
}

/**
 * client_connect() - connect to vmd, and keep quiet if it is not there
 * @client: filled in, in all cases; client_close() is due
 *
 * Return: 0 or -errno.
 */
int client_connect(struct client *client)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = client_path();
	int err;

	*client = (struct client) { .fd = -1, .passed = -1 };
	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return -errno;
	if (!connect(client->fd, (struct sockaddr *)&addr, sizeof(addr)))
		return 0;
	err = -errno;
	client_close(client);
	return err;
}

void client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	if (client->passed >= 0)
		close(client->passed);
	free(client->text);
	*client = (struct client) { .fd = -1, .passed = -1 };
}

/**
 * client_fail() - say why vmd does not answer
 * @err: -errno of any function here
 *
 * Return: the exit code.
 */
int client_fail(int err)
{
	const char *path = client_path();

	switch (err) {
	case -ENOENT:
	case -ECONNREFUSED:
		return fail("no-daemon", "start it: systemctl start joist-vmd, or vmd as root",
			    "no vmd at %s", path);
	case -EACCES:
	case -EPERM:
		return fail("not-yours", "run vmctl as root", "%s: %s", path,
			    strerror(-err));
	case -ETIMEDOUT:
		return fail("timeout", "look at its log: journalctl -u joist-vmd",
			    "vmd at %s does not answer in time", path);
	case -EPROTO:
		return fail("bad-answer", "vmctl and vmd should be of the same version",
			    "what vmd at %s says is no answer", path);
	case -ECONNRESET:
	case -EPIPE:
		return fail("no-daemon", "look at its log: journalctl -u joist-vmd",
			    "vmd at %s closed the connection", path);
	default:
		return fail("no-daemon", NULL, "%s: %s", path, strerror(-err));
	}
}

/* Connect, and tell if that fails. Return: 0 or an exit code. */
int client_open(struct client *client)
{
	int err = client_connect(client);

	return err ? client_fail(err) : 0;
}

/* Return: a request to which its own members can be added. */
struct json_object *client_request(const char *op)
{
	struct json_object *request = json_object_new_object();

	json_object_object_add(request, "v", json_object_new_int(PROTOCOL));
	json_object_object_add(request, "op", json_object_new_string(op));
	return request;
}

/**
 * client_send() - send a request
 * @client: connection
 * @request: taken over
 *
 * Return: 0 or -errno.
 */
int client_send(struct client *client, struct json_object *request)
{
	const char *text;
	size_t len, sent = 0;
	ssize_t n;
	int err = 0;

	json_object_object_add(request, "id",
			       json_object_new_int64(++client->last_id));
	text = json_object_to_json_string_length(request,
						 JSON_C_TO_STRING_PLAIN |
						 JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	while (sent <= len) {
		/* The newline is where the text's zero is. */
		if (sent < len)
			n = send(client->fd, text + sent, len - sent, MSG_NOSIGNAL);
		else
			n = send(client->fd, "\n", 1, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = -errno;
			break;
		}
		sent += (size_t)n;
	}
	json_object_put(request);
	return err;
}

static s64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A descriptor may come with an answer; with more than one, the first is it. */
static void take_passed(struct client *client, struct msghdr *msg)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t i, n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (client->passed < 0)
				client->passed = fd;
			else
				close(fd);
		}
	}
}

static int receive(struct client *client)
{
	char control[CMSG_SPACE(4 * sizeof(int))];
	struct iovec iov;
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t n;

	if (client->size - client->len < CHUNK) {
		size_t size = client->size ? client->size * 2 : 2 * CHUNK;
		char *text;

		if (size > 2 * LINE_MAX_BYTES)
			return -EPROTO;
		text = realloc(client->text, size);
		if (!text)
			return -ENOMEM;
		client->text = text;
		client->size = size;
	}
	iov.iov_base = client->text + client->len;
	iov.iov_len = client->size - client->len;
	n = recvmsg(client->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	take_passed(client, &msg);
	client->len += (size_t)n;
	return n ? 0 : -ECONNRESET;
}

/* Return: whether there was a whole line; *@line is NULL if it is no object. */
static bool whole_line(struct client *client, struct json_object **line)
{
	struct json_tokener *tokener;
	char *end = client->len ? memchr(client->text, '\n', client->len) : NULL;
	size_t len;

	if (!end)
		return false;
	len = (size_t)(end - client->text);
	*line = NULL;
	tokener = json_tokener_new();
	if (tokener) {
		*line = json_tokener_parse_ex(tokener, client->text, (int)len + 1);
		json_tokener_free(tokener);
	}
	if (*line && !json_object_is_type(*line, json_type_object)) {
		json_object_put(*line);
		*line = NULL;
	}
	client->len -= len + 1;
	memmove(client->text, end + 1, client->len);
	return true;
}

/**
 * client_read() - the next line, whatever it is
 * @client: connection
 * @timeout_ms: how long to wait; 0: not at all
 * @line: set to an object the caller puts
 *
 * Return: 0; -ETIMEDOUT; -EPROTO: no JSON object; another -errno.
 */
int client_read(struct client *client, int timeout_ms, struct json_object **line)
{
	s64 end = now_ms() + timeout_ms;
	int err;

	while (!whole_line(client, line)) {
		struct pollfd p = { .fd = client->fd, .events = POLLIN };
		s64 left = timeout_ms < 0 ? -1 : max(end - now_ms(), (s64)0);
		int n = poll(&p, 1, (int)left);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ETIMEDOUT;
		if (n < 0)
			continue;
		err = receive(client);
		if (err)
			return err;
	}
	return *line ? 0 : -EPROTO;
}

/* Events may come in between: who follows them does so on a connection of its own. */
static bool is_answer(struct client *client, struct json_object *line)
{
	return out_member(line, "ok") &&
	       out_number(line, "id") == (s64)client->last_id;
}

/**
 * client_try() - ask, and keep quiet about what is wrong
 * @client: connection
 * @request: taken over
 * @timeout_ms: for the answer, or CLIENT_FOREVER
 * @answer: set to the answer, good or bad; the caller puts it
 *
 * Return: 0: there is an answer; -errno.
 */
int client_try(struct client *client, struct json_object *request, int timeout_ms,
	       struct json_object **answer)
{
	s64 end = now_ms() + timeout_ms;
	int err = client_send(client, request);

	while (!err) {
		s64 left = timeout_ms < 0 ? -1 : max(end - now_ms(), (s64)0);

		err = client_read(client, (int)left, answer);
		if (err)
			break;
		if (is_answer(client, *answer))
			return 0;
		/* A refusal that names no request is about ours. */
		if (out_member(*answer, "error") && !out_member(*answer, "id"))
			return 0;
		json_object_put(*answer);
	}
	return err;
}

/**
 * client_call() - ask, and tell what is wrong
 * @client: connection
 * @request: taken over
 * @timeout_ms: for the answer, or CLIENT_FOREVER
 * @result: set to the answer's result, which the caller puts; may be NULL
 *
 * Return: 0 or the exit code.
 */
int client_call(struct client *client, struct json_object *request,
		int timeout_ms, struct json_object **result)
{
	const char *text = out_text(request, "vm");
	char *vm = text ? strdup(text) : NULL;
	struct json_object *answer;
	int code = 0, err;

	err = client_try(client, request, timeout_ms, &answer);
	progress_end();
	if (err)
		code = client_fail(err);
	else if (!out_flag(answer, "ok"))
		code = fail_answer(out_member(answer, "error"), vm);
	else if (result)
		*result = json_object_get(out_member(answer, "result"));
	if (!err)
		json_object_put(answer);
	free(vm);
	return code;
}

/* client_call() on a connection for this one request. */
int client_once(struct json_object *request, int timeout_ms,
		struct json_object **result)
{
	struct client client;
	int code = client_open(&client);

	if (code) {
		json_object_put(request);
		return code;
	}
	code = client_call(&client, request, timeout_ms, result);
	client_close(&client);
	return code;
}
