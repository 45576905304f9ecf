// SPDX-License-Identifier: GPL-2.0-only
/*
 * dnsmasq: one for each switch with dhcp. It takes its sockets as root, and is the
 * daemon's user from then on. One that an earlier daemon left is ended first: what it
 * leased is in a file.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "switches.h"
#include "vmd/files.h"
#include "vmd/js.h"
#include "vmd/parent.h"

#define DHCP_NONE	"no dhcp: there is no dnsmasq (install the package dnsmasq-base)"
#define ARGS_MAX	24
#define DELAY_MS	1000
#define DELAY_MAX_MS	60000
#define END_TRIES	100
#define END_US		10000
#define LEASE_TIME	"1h"

static const char *const places[] = { "/usr/sbin/dnsmasq", "/usr/local/sbin/dnsmasq" };

/* A command line that grows. */
struct args {
	int nr;
	char *argv[ARGS_MAX + 1];
};

static void __printf(2, 3) add(struct args *args, const char *fmt, ...)
{
	va_list list;

	va_start(list, fmt);
	if (args->nr == ARGS_MAX || vasprintf(&args->argv[args->nr], fmt, list) < 0)
		_exit(126);
	va_end(list);
	args->argv[++args->nr] = NULL;
}

static void record_path(const struct soft_switch *sw, char *path, size_t size)
{
	snprintf(path, size, NET_DIR "/%s.json", sw->def.name);
}

static const char *quad(u32 addr)
{
	return inet_ntoa((struct in_addr) { addr });
}

static void add_dns(struct args *args, const struct switch_def *def)
{
	char list[SWITCH_DNS_MAX * (INET_ADDRSTRLEN + 1)] = "";
	int i;

	for (i = 0; i < def->nr_dns; i++) {
		strcat(list, ",");
		strcat(list, quad(def->dns[i]));
	}
	if (def->nr_dns || def->no_dns) {
		add(args, "--port=0");
		add(args, "--dhcp-option=option:dns-server%s", list);
	}
}

/* The child. */
static void run(const struct switch_def *def, const char *program)
{
	struct passwd *pw = getpwuid(parent.user_uid);
	char first[INET_ADDRSTRLEN];
	struct args args = { 0 };

	add(&args, "dnsmasq");
	add(&args, "--keep-in-foreground");
	add(&args, "--conf-file=/dev/null");
	add(&args, "--pid-file=");
	add(&args, "--log-facility=-");
	add(&args, "--quiet-dhcp");
	add(&args, "--no-hosts");
	add(&args, "--no-ping");
	add(&args, "--bind-interfaces");
	add(&args, "--except-interface=lo");
	add(&args, "--interface=" SWITCH_PREFIX "%s", def->name);
	add(&args, "--dhcp-authoritative");
	add(&args, "--dhcp-leasefile=" NET_DIR "/%s.leases", def->name);
	snprintf(first, sizeof(first), "%s", quad(def->dhcp_first));
	add(&args, "--dhcp-range=%s,%s," LEASE_TIME, first, quad(def->dhcp_last));
	if (pw)
		add(&args, "--user=%s", pw->pw_name);
	/* To a host that sends nothing on there is no way out. */
	if (!def->nat)
		add(&args, "--dhcp-option=option:router");
	add_dns(&args, def);
	execv(program, args.argv);
	_exit(127);
}

static struct soft_switch *switch_of(int pid)
{
	struct soft_switch *sw;

	for (sw = switch_first(); sw; sw = sw->next)
		if (sw->dhcp.pid == pid)
			return sw;
	return NULL;
}

static void start_again(struct timer *timer)
{
	struct soft_switch *sw = container_of(timer, struct soft_switch, dhcp.again);

	if (dhcp_start(sw))
		say("the switch %s: %s", sw->def.name, sw->why.text);
}

static void ended(int pid, int status)
{
	struct soft_switch *sw = switch_of(pid);

	if (!sw)
		return;
	sw->dhcp.pid = 0;
	sw->dhcp.delay = sw->dhcp.delay ? min(2 * sw->dhcp.delay, (u64)DELAY_MAX_MS) : DELAY_MS;
	say("the switch %s: dnsmasq is gone (%s %d), and is started again", sw->def.name,
	    WIFSIGNALED(status) ? "signal" : "code",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	timer_set(&sw->dhcp.again, sw->dhcp.delay, start_again);
}

static void write_record(const struct soft_switch *sw)
{
	struct json_object *obj = json_object_new_object();
	char path[256];

	js_add_int(obj, "pid", sw->dhcp.pid);
	js_add_int(obj, "start", (s64)process_start_time(sw->dhcp.pid));
	record_path(sw, path, sizeof(path));
	file_write(path, json_object_to_json_string(obj));
	json_object_put(obj);
}

/* One that is not our child: it was an earlier daemon's. */
static void end_old(const struct soft_switch *sw)
{
	struct json_object *obj;
	char path[256];
	u64 start;
	int pid, i;

	record_path(sw, path, sizeof(path));
	obj = file_read_json(path);
	pid = (int)js_int(obj, "pid", 0);
	start = (u64)js_int(obj, "start", 0);
	json_object_put(obj);
	unlink(path);
	for (i = 0; pid > 0 && start && process_start_time(pid) == start && i < END_TRIES; i++) {
		kill(pid, i < END_TRIES / 2 ? SIGTERM : SIGKILL);
		usleep(END_US);
	}
}

/* Return: 0, or -errno with @sw->why filled in. */
int dhcp_start(struct soft_switch *sw)
{
	size_t i;
	int pid;

	dhcp_stop(sw);
	if (!sw->def.dhcp_first)
		return 0;
	for (i = 0; i < ARRAY_SIZE(places) && access(places[i], X_OK); i++)
		;
	if (i == ARRAY_SIZE(places)) {
		complain(&sw->why, DHCP_NONE);
		return -ENOENT;
	}
	pid = child_start(ended);
	if (!pid)
		run(&sw->def, places[i]);
	if (pid < 0) {
		complain(&sw->why, "dnsmasq cannot be started: %s", strerror(-pid));
		return pid;
	}
	sw->dhcp.pid = pid;
	write_record(sw);
	return 0;
}

void dhcp_stop(struct soft_switch *sw)
{
	timer_clear(&sw->dhcp.again);
	if (sw->dhcp.pid) {
		child_forget(sw->dhcp.pid);
		sw->dhcp.pid = 0;
	}
	end_old(sw);
}
