// SPDX-License-Identifier: GPL-2.0-only
/* vmctl events: what happens to VMs, as the module and vmd tell it. */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "event.h"
#include "libjoist/netlink.h"
#include "opt.h"
#include "out.h"
#include "target.h"
#include "vmctl.h"
#include "vms.h"

#define RETRY_MS	1000

struct events_args {
	struct args args;
	u64 stats_ms;
	u64 count;
};

static const struct opt options[] = {
	OPT_TIME("stats", 's', struct events_args, stats_ms,
		 "and each vCPU's counters, every so often"),
	OPT_NUMBER("count", 'n', struct events_args, count, 1, UINT32_MAX,
		   "so many, then end"),
	OPT_JSON(struct events_args),
	OPT_SOCKET,
	OPT_END,
};

/**
 * struct follow - the work
 * @target: to ask; its client is the one vmd's events come by
 * @events: netlink's events
 * @vms: those that were named, or an empty list: all
 * @all: we see all VMs: a gap in the numbers is a loss
 * @seq: of netlink's last event
 * @told: events
 */
struct follow {
	const struct events_args *args;
	struct target target;
	struct host events;
	struct json_object *vms;
	bool all;
	s64 seq;
	u64 told;
};

static void tell(struct follow *f, struct json_object *event)
{
	if (!event_wanted(f->vms, event))
		return;
	if (f->args->args.json)
		out_json(event);
	else
		event_print(event);
	f->told++;
}

static void tell_own(struct follow *f, const char *what, const char *why)
{
	struct json_object *event = event_own(what, why);

	tell(f, event);
	json_object_put(event);
}

/* How things are, after events were lost. */
static void tell_all(struct follow *f)
{
	struct json_object *vms = NULL;
	size_t i;

	if (f->target.host_err || host_vms(&f->target.host, &vms))
		return;
	for (i = 0; i < json_object_array_length(vms); i++) {
		struct json_object *vm = json_object_array_get_idx(vms, i);
		struct json_object *event = event_own("is", NULL);

		json_object_object_add(event, "source",
				       json_object_new_string("netlink"));
		event_copy_vm(event, vm);
		tell(f, event);
		json_object_put(event);
	}
	json_object_put(vms);
}

static s64 last_seq(struct follow *f)
{
	struct json_object *info = NULL;
	s64 seq;

	if (host_info(&f->target.host, &info))
		return 0;
	seq = out_number(info, "seq");
	json_object_put(info);
	return seq;
}

static void lost(struct follow *f, const char *why)
{
	tell_own(f, "lost", why);
	f->seq = last_seq(f);
	tell_all(f);
}

static void take_netlink(struct follow *f, struct json_object *event)
{
	s64 seq = out_number(event, "seq");

	if (seq && seq <= f->seq)
		return;		/* the dump told it */
	if (seq && f->all && f->seq && seq > f->seq + 1)
		lost(f, "a gap in the numbers of netlink's events");
	if (seq)
		f->seq = max(seq, f->seq);
	tell(f, event);
}

/* Return: 0, or an exit code that was told. */
static int serve_netlink(struct follow *f)
{
	struct json_object *event;
	int ret;

	while (!f->args->count || f->told < f->args->count) {
		ret = host_event(&f->events, &event);
		if (ret == -ENOBUFS) {
			lost(f, "netlink's events came faster than they were read");
			continue;
		}
		if (ret == 0 || ret == -EINTR)
			return 0;
		if (ret < 0)
			return host_fail(&f->events, ret, "events");
		take_netlink(f, event);
		json_object_put(event);
	}
	return 0;
}

/* Return: 0 or -errno: vmd is not there. */
static int subscribe_vmd(struct follow *f)
{
	struct json_object *answer = NULL;
	int err;

	err = client_try(&f->target.client, client_request("events"),
			 CLIENT_TIMEOUT_MS, &answer);
	json_object_put(answer);
	return err;
}

static void vmd_gone(struct follow *f)
{
	client_close(&f->target.client);
	f->target.client_err = -ECONNRESET;
	tell_own(f, "vmd-lost", "vmd closed the connection; waiting for it");
}

static void serve_vmd(struct follow *f)
{
	struct json_object *line;
	int err = 0;

	while (!f->args->count || f->told < f->args->count) {
		err = client_read(&f->target.client, 0, &line);
		if (err)
			break;
		if (out_member(line, "event")) {
			struct json_object *event = event_of_vmd(line);

			tell(f, event);
			json_object_put(event);
		}
		json_object_put(line);
	}
	if (err && err != -ETIMEDOUT)
		vmd_gone(f);
}

static void retry_vmd(struct follow *f)
{
	if (client_connect(&f->target.client))
		return;
	if (subscribe_vmd(f)) {
		client_close(&f->target.client);
		return;
	}
	f->target.client_err = 0;
	tell_own(f, "vmd-back", "events in between are missing");
	serve_vmd(f);
}

static int follow(struct follow *f)
{
	bool retry = !f->target.client_err;
	int code = 0;

	/* What came with the answer to our subscription is here already. */
	if (retry)
		serve_vmd(f);
	while (!code && (!f->args->count || f->told < f->args->count)) {
		struct pollfd fds[] = {
			{ f->events.nl ? joist_nl_fd(f->events.nl) : -1, POLLIN, 0 },
			{ f->target.client_err ? -1 : f->target.client.fd, POLLIN, 0 },
		};
		bool wait = retry && f->target.client_err;

		if (poll(fds, ARRAY_SIZE(fds), wait ? RETRY_MS : -1) < 0 &&
		    errno != EINTR)
			return fail("failed", NULL, "poll: %s", strerror(errno));
		if (fds[0].revents)
			code = serve_netlink(f);
		if (wait)
			retry_vmd(f);
		else if (fds[1].revents)
			serve_vmd(f);
	}
	return code;
}

/* Return: 0, or an exit code that was told: there is nothing to follow. */
static int subscribe(struct follow *f)
{
	u32 groups = JOIST_NL_LIFECYCLE | JOIST_NL_FAULT |
		     (f->args->stats_ms ? JOIST_NL_STATS : 0);
	int err = f->target.host_err, vmd_err = f->target.client_err;

	if (!err)
		err = host_open(&f->events);
	if (!err) {
		err = host_subscribe(&f->events, groups, (u32)f->args->stats_ms);
		/* Before Linux 6.6, only root may: vmd's events are left. */
		if (err && (vmd_err || f->args->stats_ms))
			return host_fail(&f->events, err, "cannot follow netlink's events");
		if (err)
			host_close(&f->events);
	}
	if (!err) {
		f->all = geteuid() == 0;
		f->seq = last_seq(f);
	} else if (f->args->stats_ms) {
		return host_fail_open(err);
	}
	if (!vmd_err)
		vmd_err = subscribe_vmd(f);
	return err && vmd_err ? client_fail(vmd_err) : 0;
}

static int find(struct follow *f)
{
	int i, code = 0;

	for (i = 0; !code && i < f->args->args.nr_operands; i++) {
		const char *typed = f->args->args.operand[i];
		struct json_object *vm = NULL;

		code = vms_show(&f->target, typed, &vm);
		if (!code)
			json_object_array_add(f->vms, vm);
	}
	return code;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct events_args args = { 0 };
	struct follow f = { .args = &args };
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	if (args.stats_ms > 3600000)
		return usage_error(cmd->name, "--stats is above an hour");
	f.vms = json_object_new_array();
	code = target_open(&f.target);
	if (!code)
		code = find(&f);
	if (!code)
		code = subscribe(&f);
	if (!code)
		code = follow(&f);
	host_close(&f.events);
	target_close(&f.target);
	json_object_put(f.vms);
	return code;
}

const struct command cmd_events = {
	.name = "events",
	.run = run,
	.args = "[VM]...",
	.help = "follow what happens to VMs",
	.more =
	"The module's events (source netlink) are of all VMs on this host, vmd's of its own.\n"
	"Where some were lost, a line says so, and lines 'is' tell how things are.\n",
	.options = options,
	.operand = OPERAND_VM,
	.most = OPERANDS_ANY,
};
