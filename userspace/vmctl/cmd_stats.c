// SPDX-License-Identifier: GPL-2.0-only
/* vmctl stats: counters of VMs and vCPUs, once or time and again. */
#include <json-c/json.h>
#include <stdio.h>
#include <time.h>

#include "error.h"
#include "opt.h"
#include "out.h"
#include "sample.h"
#include "table.h"
#include "target.h"
#include "vmctl.h"

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

/* What is no vCPU's. */
static void add_vm_row(struct table *table, const char *name, struct json_object *vm)
{
	struct json_object *rate = out_member(vm, "dirty-rate");

	if (!out_number(vm, "dirty-pages"))
		return;
	table_cell(table, "%s", name);
	table_cell(table, "-");
	table_cell(table, "dirty_pages");
	table_cell(table, "%lld", (long long)out_number(vm, "dirty-pages"));
	table_cell(table, rate ? "%.0f" : "", json_object_get_double(rate));
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

		add_vm_row(&table, target_name(vm, text), vm);
		for (k = 0; k < json_object_array_length(vcpus); k++)
			add_rows(&table, target_name(vm, text),
				 json_object_array_get_idx(vcpus, k));
	}
	table_print(&table);
	fflush(stdout);
}

/* Return: 0, or an exit code that was told; *@left: VMs that there are. */
static int look(struct sample *sample, bool print, bool json, size_t *left)
{
	struct json_object *vms = NULL;
	double interval;
	int err;

	err = sample_take(sample, &vms, &interval);
	if (err)
		return sample_fail(sample, err);
	*left = json_object_array_length(vms);
	if (print && json)
		sample_print_json(vms, interval);
	else if (print)
		print_text(vms);
	json_object_put(vms);
	return 0;
}

static int follow(struct sample *sample, const struct stats_args *args)
{
	u64 ms = args->interval_ms, n;
	struct timespec pause = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};
	size_t left = 1;
	int code;

	/* With an interval, the first look is to compare with. */
	code = look(sample, !ms, args->args.json, &left);
	for (n = 0; !code && ms && (!args->count || n < args->count); n++) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		code = look(sample, true, args->args.json, &left);
		if (!left && sample->nr_ids)
			break;
	}
	return code;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct stats_args args = { 0 };
	struct sample sample;
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	if (args.interval_ms && args.interval_ms < SAMPLE_INTERVAL_MIN_MS)
		return usage_error(cmd->name, "--interval is below 0.1");
	if (args.count && !args.interval_ms)
		args.interval_ms = 1000;
	code = sample_open(&sample, &args.args);
	if (!code)
		code = follow(&sample, &args);
	sample_close(&sample);
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
