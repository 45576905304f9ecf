// SPDX-License-Identifier: GPL-2.0-only
/* vmctl stats: counters of VMs and vCPUs, once or time and again. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "error.h"
#include "opt.h"
#include "out.h"
#include "rates.h"
#include "table.h"
#include "target.h"
#include "vmctl.h"

#define INTERVAL_MIN_MS	100

struct stats_args {
	struct args args;
	u64 interval_ms;
	u64 count;
};

static const struct opt options[] = {
	OPT_TIME("interval", 'i', struct stats_args, interval_ms,
		 "tell the rates every so often"),
	OPT_NUMBER("count", 'n', struct stats_args, count, 1, UINT32_MAX,
		   "so many times, then end"),
	OPT_JSON(struct stats_args),
	OPT_SOCKET,
	OPT_END,
};

/**
 * struct stats - the work
 * @ids: of the VMs that were named, one for each operand
 * @before: vCPUs as they were; NULL at first
 * @before_time: when that was
 */
struct stats {
	const struct stats_args *args;
	struct target target;
	u32 *ids;
	struct json_object *before;
	double before_time;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool wanted(const struct stats *stats, struct json_object *vm)
{
	int i;

	for (i = 0; i < stats->args->args.nr_operands; i++)
		if (stats->ids[i] == (u32)out_number(vm, "id"))
			return true;
	return !stats->args->args.nr_operands;
}

/* The vCPUs of one VM, out of all. */
static struct json_object *vcpus_of(struct json_object *vcpus, s64 id)
{
	struct json_object *out = json_object_new_array();
	size_t i;

	for (i = 0; i < json_object_array_length(vcpus); i++) {
		struct json_object *vcpu = json_object_array_get_idx(vcpus, i);

		if (out_number(vcpu, "vm-id") == id)
			json_object_array_add(out, json_object_get(vcpu));
	}
	return out;
}

static void copy(struct json_object *to, struct json_object *from, const char *name)
{
	json_object_object_add(to, name, json_object_get(out_member(from, name)));
}

static struct json_object *group(const struct stats *stats, struct json_object *vms,
				 struct json_object *vcpus)
{
	struct json_object *out = json_object_new_array();
	static const char * const kept[] = { "name", "uuid", "id", "state" };
	size_t i, k;

	for (i = 0; i < json_object_array_length(vms); i++) {
		struct json_object *vm = json_object_array_get_idx(vms, i);
		struct json_object *row;

		if (!wanted(stats, vm))
			continue;
		row = json_object_new_object();
		for (k = 0; k < ARRAY_SIZE(kept); k++)
			copy(row, vm, kept[k]);
		json_object_object_add(row, "vcpus",
				       vcpus_of(vcpus, out_number(vm, "id")));
		json_object_array_add(out, row);
	}
	return out;
}

static void add_rows(struct table *table, const char *vm, struct json_object *vcpu)
{
	struct json_object *counters = out_member(vcpu, "counters");
	struct json_object *rates = out_member(vcpu, "rates");
	struct json_object *each = out_member(rates, "counters");
	struct json_object *guest = out_member(rates, "guest");
	struct json_object *exits = out_member(rates, "exits");

	table_cell(table, "%s", vm);
	table_cell(table, "%lld", (long long)out_number(vcpu, "index"));
	table_cell(table, "guest_ms");
	table_cell(table, "%lld", (long long)out_number(vcpu, "guest-ns") / 1000000);
	table_cell(table, guest ? "%.0f" : "",
		   1000 * json_object_get_double(guest));
	table_cell(table, "%s", vm);
	table_cell(table, "%lld", (long long)out_number(vcpu, "index"));
	table_cell(table, "exits");
	table_cell(table, "%lld", (long long)out_number(vcpu, "exits"));
	table_cell(table, exits ? "%.0f" : "", json_object_get_double(exits));
	if (!counters)
		return;
	json_object_object_foreach(counters, name, value) {
		struct json_object *rate = out_member(each, name);

		table_cell(table, "%s", vm);
		table_cell(table, "%lld", (long long)out_number(vcpu, "index"));
		table_cell(table, "%s", name);
		table_cell(table, "%llu",
			   (unsigned long long)json_object_get_uint64(value));
		table_cell(table, rate ? "%.0f" : "", json_object_get_double(rate));
	}
}

static void print_text(struct json_object *vms)
{
	static const char * const head[] = {
		"VM", "VCPU", "COUNTER", "TOTAL", "PER-SECOND",
	};
	struct table table;
	size_t i, k;

	table_start(&table, ARRAY_SIZE(head), BIT(1) | BIT(3) | BIT(4));
	for (i = 0; i < ARRAY_SIZE(head); i++)
		table_cell(&table, "%s", head[i]);
	for (i = 0; i < json_object_array_length(vms); i++) {
		struct json_object *vm = json_object_array_get_idx(vms, i);
		struct json_object *vcpus = out_member(vm, "vcpus");
		char text[TEXT_MAX];

		for (k = 0; k < json_object_array_length(vcpus); k++)
			add_rows(&table, target_name(vm, text),
				 json_object_array_get_idx(vcpus, k));
	}
	table_print(&table);
	fflush(stdout);
}

static void print_json(struct json_object *vms, double interval)
{
	struct json_object *whole = json_object_new_object();
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	json_object_object_add(whole, "time",
			       out_decimal((double)time.tv_sec +
					   (double)time.tv_nsec / 1e9));
	json_object_object_add(whole, "interval",
			       interval > 0 ? out_decimal(interval) : NULL);
	json_object_object_add(whole, "vms", json_object_get(vms));
	out_json(whole);
	json_object_put(whole);
}

/* Return: 0, or an exit code that was told; *@left: VMs that there are. */
static int look(struct stats *stats, bool print, size_t *left)
{
	struct json_object *vms = NULL, *vcpus = NULL, *rows;
	double time = now(), interval = stats->before ? time - stats->before_time : 0;
	struct host *host = &stats->target.host;
	int err;

	err = host_vms(host, &vms);
	if (!err)
		err = host_vcpus(host, 0, &vcpus);
	if (err) {
		json_object_put(vms);
		return host_fail(host, err, "cannot read statistics");
	}
	rates_add(vcpus, stats->before, interval);
	rows = group(stats, vms, vcpus);
	*left = json_object_array_length(rows);
	if (print && stats->args->args.json)
		print_json(rows, interval);
	else if (print)
		print_text(rows);
	json_object_put(rows);
	json_object_put(vms);
	json_object_put(stats->before);
	stats->before = vcpus;
	stats->before_time = time;
	return 0;
}

static int follow(struct stats *stats)
{
	u64 ms = stats->args->interval_ms, n;
	struct timespec pause = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};
	size_t left = 1;
	int code;

	/* With an interval, the first look is to compare with. */
	code = look(stats, !ms, &left);
	for (n = 0; !code && ms && (!stats->args->count || n < stats->args->count);
	     n++) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		code = look(stats, true, &left);
		if (!left && stats->args->args.nr_operands)
			break;
	}
	return code;
}

static int find(struct stats *stats)
{
	int i, code = 0;

	for (i = 0; !code && i < stats->args->args.nr_operands; i++) {
		struct json_object *vm = NULL;

		code = target_id(&stats->target, stats->args->args.operand[i],
				 &stats->ids[i], &vm);
		json_object_put(vm);
	}
	return code;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct stats_args args = { 0 };
	struct stats stats = { .args = &args };
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	if (args.interval_ms && args.interval_ms < INTERVAL_MIN_MS)
		return usage_error(cmd->name, "--interval is below 0.1");
	if (args.count && !args.interval_ms)
		args.interval_ms = 1000;
	code = target_open(&stats.target);
	if (!code && stats.target.host_err)
		code = host_fail_open(stats.target.host_err);
	stats.ids = calloc((size_t)args.args.nr_operands + 1, sizeof(*stats.ids));
	if (!code && !stats.ids)
		code = fail("failed", NULL, "no memory");
	if (!code)
		code = find(&stats);
	if (!code)
		code = follow(&stats);
	free(stats.ids);
	json_object_put(stats.before);
	target_close(&stats.target);
	return code;
}

const struct command cmd_stats = {
	.name = "stats",
	.run = run,
	.args = "[VM]...",
	.help = "show the counters of VMs and their vCPUs",
	.more = "Without --interval: totals, once. With it: the rates as well, each time.\n",
	.options = options,
	.operand = OPERAND_VM,
	.most = OPERANDS_ANY,
};
