// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmd's control process: clients that mean no good, VMs' processes that are not ours any
 * longer, and a parent that answers as it should, when the input says so. Each time the
 * process would wait, the next thing happens.
 */
#include <fcntl.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmd/control.h"
#include "vmd/js.h"
#include "vmd/sandbox.h"
#include "wrap.h"

#define NR_CLIENTS	4
#define NR_VMS		3
#define ASKED_MAX	64
#define TEXT_MAX	8192
#define PARENT_BUFFER	(256 << 10)
#define NS_PER_MS	1000000ULL
#define SETTLE_ROUNDS	40
#define SETTLE_MS	40000

enum action {
	CONNECT, CLOSE, SHUT, SAY, SAY_RAW, LISTEN, VM_SAYS, VM_SAYS_RAW, VM_CLOSES,
	ANSWER, REFUSE, STARTED, EXITED, UPDATE, GONE, PASS_TIME, NR_ACTIONS,
};

struct options options;

static const char *const names[NR_VMS] = { "web", "db", "abcd" };

/* What clients say; "%s" is a VM's name. */
static const char *const lines[] = {
	"{\"v\":1,\"id\":1,\"op\":\"version\"}\n", "{\"v\":1,\"op\":\"list\"}\n",
	"{\"v\":1,\"op\":\"show\",\"vm\":\"%s\"}\n", "{\"v\":1,\"op\":\"events\"}\n",
	"{\"v\":1,\"op\":\"events\",\"vm\":\"%s\"}\n",
	"{\"v\":1,\"id\":\"x\",\"op\":\"start\",\"vm\":\"%s\"}\n",
	"{\"v\":1,\"op\":\"stop\",\"vm\":\"%s\"}\n",
	"{\"v\":1,\"op\":\"stop\",\"vm\":\"%s\",\"force\":true}\n",
	"{\"v\":1,\"op\":\"stop\",\"vm\":\"%s\",\"timeout\":1.5,\"force\":true}\n",
	"{\"v\":1,\"op\":\"stop\",\"vm\":\"%s\",\"timeout\":0}\n",
	"{\"v\":1,\"op\":\"pause\",\"vm\":\"%s\"}\n", "{\"v\":1,\"op\":\"resume\",\"vm\":\"%s\"}\n",
	"{\"v\":1,\"op\":\"reset\",\"vm\":\"%s\"}\n", "{\"v\":1,\"op\":\"nmi\",\"vm\":\"%s\"}\n",
	"{\"v\":1,\"op\":\"wait\",\"vm\":\"%s\"}\n",
	"{\"v\":1,\"op\":\"wait\",\"vm\":\"%s\",\"for\":\"running\",\"timeout\":9}\n",
	"{\"v\":1,\"op\":\"console\",\"vm\":\"%s\"}\n",
	"{\"v\":1,\"op\":\"console\",\"vm\":\"%s\",\"mode\":\"ro\",\"scrollback\":1e9}\n",
	"{\"v\":1,\"op\":\"log\",\"vm\":\"%s\",\"bytes\":100}\n",
	"{\"v\":1,\"op\":\"delete\",\"vm\":\"%s\"}\n",
	"{\"v\":1,\"op\":\"create\",\"start\":true,\"definition\":{\"name\":\"%s\",\"kernel\":\"/k\"}}\n",
	"{\"v\":1,\"op\":\"balloon\",\"vm\":\"%s\",\"target\":16777216,\"wait\":true}\n",
	"{\"v\":1,\"op\":\"balloon\",\"vm\":\"%s\",\"timeout\":2}\n",
	"{\"v\":1,\"op\":\"config-check\"}\n", "{\"v\":1,\"op\":\"reload\"}\n", "\n", "[]\n",
};

static struct {
	const u8 *data;
	size_t left;
	int settling;
	u64 ns;
	int client[NR_CLIENTS], vm[NR_VMS], parent;
	u32 asked[ASKED_MAX];	/* tokens that wait for the parent's answer */
	int nr_asked;
	u32 token[NR_VMS];	/* the last that a VM's process was told */
} f;

static int listener = -1;
static struct sockaddr_un address;
static socklen_t address_len = sizeof(address);

/* What the control process has from elsewhere. */
int sandbox_empty_root(void)
{
	return 0;
}

int sandbox_become(u32 uid, u32 gid)
{
	(void)uid;
	(void)gid;
	return 0;
}

int seccomp_control(void)
{
	return 0;
}

void say(const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
}

int fail(struct failure *failure, const char *code, const char *fmt, ...)
{
	va_list args;

	*failure = (struct failure) { .code = code };
	va_start(args, fmt);
	vsnprintf(failure->why.text, sizeof(failure->why.text), fmt, args);
	va_end(args);
	return -1;
}

/* Half of the clients are root. */
int __wrap_peer_get(int sock, struct peer *peer)
{
	*peer = (struct peer) { .uid = sock & 1 ? 1000 : 0, .gid = 1000 };
	return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	ts->tv_sec = (time_t)(f.ns / 1000 / NS_PER_MS);
	ts->tv_nsec = (long)(f.ns % (1000 * NS_PER_MS));
	return 0;
}

static u8 byte(void)
{
	if (!f.left)
		return 0;
	f.left--;
	return *f.data++;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void tell_parent(struct json_object *obj, int fd)
{
	const char *text = json_object_to_json_string(obj);

	msg_write(f.parent, text, strlen(text), &fd, fd >= 0);
	json_object_put(obj);
}

/* What it is asked: its answers need the tokens. */
static void read_parent(void)
{
	static char text[PARENT_BUFFER];
	struct json_object *obj;
	int fds[MSG_FDS_MAX], nr;
	ssize_t n;

	while ((n = msg_read(f.parent, text, sizeof(text) - 1, fds, &nr)) > 0) {
		while (nr > 0)
			close(fds[--nr]);
		text[n] = '\0';
		obj = json_tokener_parse(text);
		if (js_get(obj, "token") && f.nr_asked < ASKED_MAX)
			f.asked[f.nr_asked++] = (u32)js_int(obj, "token", 0);
		json_object_put(obj);
	}
}

static void read_vm(int i)
{
	int fds[MSG_FDS_MAX], nr;
	struct vm_request req;

	while (f.vm[i] >= 0 && msg_read(f.vm[i], &req, sizeof(req), fds, &nr) > 0) {
		while (nr > 0)
			close(fds[--nr]);
		if (req.id)
			f.token[i] = req.id;
	}
}

static struct json_object *about(const char *type, int vm)
{
	struct json_object *obj = js_new("type", type);

	js_add_text(obj, "vm", names[vm]);
	return obj;
}

static void update(int vm, u8 how)
{
	struct json_object *obj = js_new("type", "vm"), *def = js_new("name", names[vm]);
	struct json_object *owner = js_new("user", "alice");

	js_add_int(owner, "uid", how & 1 ? 1000 : 1001);
	js_add(def, "owner", owner);
	js_add_text(def, "kernel", "/k");
	js_add_text(def, "uuid", vm == 1 ? "abcd0000-0000-4000-8000-000000000001" :
					   "abcd1111-0000-4000-8000-000000000002");
	js_add_bool(def, "autostart", how & 2);
	js_add_text(def, "restart", how & 4 ? "always" : how & 8 ? "on-failure" : "never");
	js_add_bool(def, "created", how & 16);
	js_add(obj, "definition", def);
	js_add_bool(obj, "orphan", how & 32);
	js_add_bool(obj, "pending", how & 64);
	tell_parent(obj, -1);
}

static void started(int vm, bool found)
{
	struct json_object *obj = about("started", vm);
	int pair[2];

	shut(&f.vm[vm]);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		abort();
	f.vm[vm] = pair[0];
	js_add_int(obj, "pid", 100 + vm);
	js_add_bool(obj, "found", found);
	tell_parent(obj, pair[1]);
	close(pair[1]);
}

static void exited(int vm, u8 how)
{
	static const char *const reasons[] = {
		"poweroff", "reset", "panic", "killed", "error", "stopped",
	};
	struct json_object *obj = about("exited", vm), *last;

	if (how & 0x80) {
		last = js_new("reason", reasons[how % ARRAY_SIZE(reasons)]);
		js_add_int(last, "code", how);
		js_add_text(last, "message", "it has ended");
		js_add(obj, "last", last);
	}
	shut(&f.vm[vm]);
	tell_parent(obj, -1);
}

static void answer(bool refuse, u8 which)
{
	struct json_object *obj = js_new("type", "reply"), *error;
	int i, fd = -1;

	read_parent();
	if (!f.nr_asked) {
		json_object_put(obj);
		return;
	}
	i = which % f.nr_asked;
	js_add_int(obj, "token", f.asked[i]);
	f.asked[i] = f.asked[--f.nr_asked];
	if (refuse) {
		error = js_new("code", "failed");
		js_add_text(error, "message", "it cannot");
		js_add_text(error, "remedy", which & 1 ? "ask again" : NULL);
		js_add(obj, "error", error);
	} else {
		js_add_text(obj, "vm", names[which % NR_VMS]);
		js_add_text(obj, "name", names[which % NR_VMS]);
		js_add_int(obj, "vm-id", which);
		/* A log. */
		fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
	}
	tell_parent(obj, fd);
	shut(&fd);
}

static void connect_client(int *fd)
{
	shut(fd);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connect(*fd, (struct sockaddr *)&address, address_len))
		shut(fd);
}

static void client_says(int fd, const char *text, size_t len)
{
	if (fd >= 0)
		(void)!send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void say_line(int fd, u8 which)
{
	char text[512];

	snprintf(text, sizeof(text), lines[which % ARRAY_SIZE(lines)], names[which >> 5 & 1]);
	client_says(fd, text, strlen(text));
}

/* Up to that many bytes of the input. */
static const u8 *take(size_t *len)
{
	const u8 *data = f.data;

	*len = min(*len, f.left);
	f.data += *len;
	f.left -= *len;
	return data;
}

static void listen_to(int fd)
{
	static char sink[65536];

	while (fd >= 0 && recv(fd, sink, sizeof(sink), MSG_DONTWAIT) > 0)
		;
}

static void vm_says(int i, u8 how)
{
	struct vm_reply reply = {
		.version = VM_PROTOCOL, .op = how & 15, .error = how >> 4 & 3 ? 0 : how >> 6,
		.state = how >> 6 & 1,
	};

	read_vm(i);
	reply.id = f.token[i];
	if (f.vm[i] < 0)
		return;
	/* The longer kind, at its end. */
	if (reply.op == VM_BALLOON || reply.op == VM_BALLOON_AT)
		msg_write(f.vm[i], &(struct vm_balloon_reply) {
			.head = reply, .flags = how >> 5 & 3, .known = how,
		}, sizeof(struct vm_balloon_reply), NULL, 0);
	else
		msg_write(f.vm[i], &reply, sizeof(reply), NULL, 0);
}

static void vm_says_raw(int i, size_t len)
{
	const u8 *data = take(&len);

	if (f.vm[i] >= 0 && len)
		msg_write(f.vm[i], data, len, NULL, 0);
}

static void client_does(enum action action, int *fd)
{
	size_t len;

	switch (action) {
	case CONNECT:
		connect_client(fd);
		break;
	case CLOSE:
		shut(fd);
		break;
	case SHUT:
		if (*fd >= 0)
			shutdown(*fd, SHUT_WR);
		break;
	case SAY:
		say_line(*fd, byte());
		break;
	case SAY_RAW:
		len = byte();
		client_says(*fd, (const char *)take(&len), len);
		break;
	default:
		listen_to(*fd);
	}
}

static void happen(void)
{
	u8 what = byte();
	enum action action = what % NR_ACTIONS;
	int vm = (what >> 4) % NR_VMS;

	if (action <= LISTEN) {
		client_does(action, &f.client[what >> 4 & 3]);
		return;
	}
	switch (action) {
	case VM_SAYS:
		vm_says(vm, byte());
		break;
	case VM_SAYS_RAW:
		vm_says_raw(vm, byte() & 31);
		break;
	case VM_CLOSES:
		shut(&f.vm[vm]);
		break;
	case ANSWER:
	case REFUSE:
		answer(action == REFUSE, byte());
		break;
	case STARTED:
		started(vm, byte() & 1);
		break;
	case EXITED:
		exited(vm, byte());
		break;
	case UPDATE:
		update(vm, byte());
		break;
	case GONE:
		tell_parent(about("gone", vm), -1);
		break;
	default:
		f.ns += (1ULL << byte() % 18) * NS_PER_MS;
	}
}

/* All of them go, and so does the parent in the end. */
static void settle(void)
{
	int i;

	for (i = 0; i < NR_CLIENTS; i++)
		shut(&f.client[i]);
	f.ns += SETTLE_MS * NS_PER_MS;
	read_parent();
	if (f.settling == 1)
		for (i = 0; i < NR_VMS; i++)
			tell_parent(about("gone", i), -1);
	else if (f.settling > 4 && f.nr_asked)
		answer(false, 0);
	else if (f.settling > SETTLE_ROUNDS)
		shut(&f.parent);
	f.settling++;
}

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int max, int timeout)
{
	int nr = __real_epoll_wait(epoll, events, max, 0);

	if (nr || !timeout)
		return nr;
	/* Two things at a time are one batch, at times. */
	if (f.left)
		happen();
	else
		settle();
	if (f.left && *f.data & 0x80)
		happen();
	return __real_epoll_wait(epoll, events, max, 0);
}

static void begin(void)
{
	struct json_object *obj;
	int pair[2], i;

	if (listener < 0) {
		listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		address.sun_family = AF_UNIX;
		if (bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)) ||
		    listen(listener, 64) ||
		    getsockname(listener, (struct sockaddr *)&address, &address_len))
			abort();
	}
	memset(&f, 0, sizeof(f));
	f.ns = 1000 * NS_PER_MS;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		abort();
	f.parent = pair[0];
	dup2(pair[1], SETUP_FD);
	close(pair[1]);
	for (i = 0; i < NR_CLIENTS; i++)
		f.client[i] = -1;
	for (i = 0; i < NR_VMS; i++)
		f.vm[i] = -1;
	obj = js_new("type", "settings");
	js_add_int(obj, "admin-gid", 900);
	js_add_int(obj, "stagger", 100);
	tell_parent(obj, listener);
	for (i = 0; i < NR_VMS; i++)
		update(i, (u8)i);
	tell_parent(js_new("type", "all"), -1);
}

static void reserve(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null != SETUP_FD) {
		dup2(null, SETUP_FD);
		close(null);
	}
}

/* The place where the parent's socket will be is nobody else's. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (fcntl(SETUP_FD, F_GETFD) >= 0)
		fprintf(stderr, "descriptor %d was in use\n", SETUP_FD);
	reserve();
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	int i;

	begin();
	f.data = data;
	f.left = size;
	control = (struct control) { .parent.watch.fd = -1, .admin_gid = NOBODY };
	if (control_main() || machines())
		abort();
	close(control.listen_fd);
	for (i = 0; i < NR_VMS; i++)
		shut(&f.vm[i]);
	reserve();
	return 0;
}
