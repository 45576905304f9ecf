// SPDX-License-Identifier: GPL-2.0-only
/* vmctl top: what VMs do, as it happens. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "opt.h"
#include "out.h"
#include "rates.h"
#include "sample.h"
#include "top.h"
#include "top_screen.h"
#include "vmctl.h"

#define INTERVAL_MS	1000
#define INTERVAL_MAX_MS	3600000

struct top_args {
	struct args args;
	u64 interval_ms;
	u64 count;
	const char *sort;
	bool reverse;
	bool vcpus;
	bool batch;
};

static const struct opt options[] = {
	OPT_TIME("interval", 'i', struct top_args, interval_ms, "look every so often (1)"),
	OPT_NUMBER("count", 'n', struct top_args, count, 1, UINT32_MAX,
		   "so many times, then end"),
	OPT_TEXT("sort", 's', struct top_args, sort, "KEY",
		 "name id state cpu exits io hlt cpuid",
		 "name, id, state, cpu, exits (the default), or a kind of exit"),
	OPT_FLAG("reverse", 'r', struct top_args, reverse, "the other way round"),
	OPT_FLAG("vcpus", 'v', struct top_args, vcpus, "show each VM's vCPUs too"),
	OPT_FLAG("batch", 'b', struct top_args, batch, "rows of text, no keys"),
	OPT_JSON(struct top_args),
	OPT_SOCKET,
	OPT_END,
};

/**
 * struct work - the work
 * @vms: as they were at the last look; NULL at first
 * @interval: seconds between the last two looks; 0: there was one
 * @first: row at the top of the screen
 */
struct work {
	const struct top_args *args;
	struct sample sample;
	struct top_view view;
	struct json_object *vms;
	double interval;
	size_t first;
};

/* Return: 0 or -errno, not told yet. */
static int look(struct work *work)
{
	struct json_object *vms = NULL;
	int err = sample_take(&work->sample, &vms, &work->interval);
	size_t i;

	if (err)
		return err;
	for (i = 0; i < json_object_array_length(vms); i++)
		rates_sum(json_object_array_get_idx(vms, i));
	json_object_put(work->vms);
	work->vms = vms;
	return 0;
}

static void print_text(const struct work *work, bool again)
{
	char text[TOP_LINE];
	struct top top;
	size_t i;

	top_build(&top, work->vms, &work->view);
	top_head(&top, &work->view, TOP_LINE, text);
	printf("%s%s\n", again ? "\n" : "", text);
	for (i = 0; i < top.nr; i++) {
		top_text(&top, &work->view, i, TOP_LINE, text);
		puts(text);
	}
	fflush(stdout);
	top_free(&top);
}

static bool over(const struct work *work, u64 looks)
{
	return work->args->count && looks >= work->args->count;
}

/* Without a terminal. Return: the exit code. */
static int print(struct work *work)
{
	u64 ms = work->args->interval_ms, looks = 0;
	struct timespec pause = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};
	int err = look(work);	/* to compare with */

	while (!err && !over(work, looks) && !ferror(stdout)) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		err = look(work);
		if (err)
			break;
		if (work->args->args.json)
			sample_print_json(work->vms, work->interval);
		else
			print_text(work, looks);
		looks++;
		if (work->sample.nr_ids && !json_object_array_length(work->vms))
			break;
	}
	return err ? sample_fail(&work->sample, err) : 0;
}

static void act(struct work *work, const struct top *top, enum screen_key key)
{
	size_t page = screen_page();

	switch (key) {
	case SCREEN_RIGHT:
		top_step(top, &work->view, 1);
		break;
	case SCREEN_LEFT:
		top_step(top, &work->view, -1);
		break;
	case SCREEN_REVERSE:
		work->view.reverse = !work->view.reverse;
		break;
	case SCREEN_VCPUS:
		work->view.vcpus = !work->view.vcpus;
		break;
	case SCREEN_UP:
		work->first -= work->first > 0;
		break;
	case SCREEN_DOWN:
		work->first++;
		break;
	case SCREEN_PAGE_UP:
		work->first -= min(work->first, page);
		break;
	case SCREEN_PAGE_DOWN:
		work->first += page;
		break;
	case SCREEN_FIRST:
		work->first = 0;
		break;
	default:
		break;
	}
}

/* Show it and do what keys say, until it is time to look again. Return: whether to. */
static bool show(struct work *work)
{
	double end = sample_now() + (double)work->args->interval_ms / 1000;

	for (;;) {
		double left = max(end - sample_now(), 0.0);
		enum screen_key key;
		struct top top;

		top_build(&top, work->vms, &work->view);
		screen_draw(&top, &work->view, &work->first);
		key = screen_key((int)(left * 1000 + 0.999));
		act(work, &top, key);
		top_free(&top);
		if (key == SCREEN_QUIT)
			return false;
		if (key == SCREEN_NONE)
			return true;
	}
}

static int on_terminal(struct work *work)
{
	int err = look(work);
	u64 looks = 0;

	if (err)
		return sample_fail(&work->sample, err);
	if (screen_open())
		return fail("failed", "set TERM, or use --batch",
			    "nothing is known of this terminal");
	/* The first look has no rates, and does not count. */
	while (show(work)) {
		if (over(work, looks++))
			break;
		err = look(work);
		if (err)
			break;
	}
	screen_close();
	if (err)
		return sample_fail(&work->sample, err);
	return screen_signal() ? 128 + screen_signal() : 0;
}

static int check(const struct command *cmd, const struct top_args *args,
		 struct top_view *view)
{
	if (args->interval_ms < SAMPLE_INTERVAL_MIN_MS)
		return usage_error(cmd->name, "--interval is below 0.1");
	if (args->interval_ms > INTERVAL_MAX_MS)
		return usage_error(cmd->name, "--interval is above an hour");
	if (args->batch && args->args.json)
		return usage_error(cmd->name, "--batch is text, --json is not: give one of them");
	view->reverse = args->reverse;
	view->vcpus = args->vcpus;
	if (!top_key(args->sort, view))
		return usage_error(cmd->name, "bad --sort '%s': give cpu, exits, name...",
				   args->sort);
	return 0;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct top_args args = { .interval_ms = INTERVAL_MS, .sort = "exits" };
	struct work work = { .args = &args };
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	code = check(cmd, &args, &work.view);
	if (code)
		return code;
	code = sample_open(&work.sample, &args.args);
	if (!code)
		code = args.args.json || args.batch || !isatty(STDIN_FILENO) ||
		       !isatty(STDOUT_FILENO) ? print(&work) : on_terminal(&work);
	json_object_put(work.vms);
	sample_close(&work.sample);
	return code;
}

const struct command cmd_top = {
	.name = "top",
	.run = run,
	.args = "[VM]...",
	.help = "watch what VMs do, as it happens",
	.more =
	"On a terminal: q quits, s or > sorts by the column to the right, < to the left,\n"
	"r the other way round, v shows vCPUs, arrows and pages scroll.\n"
	"Without one, or with --batch, rows of text each time.\n",
	.options = options,
	.operand = OPERAND_VM,
	.most = OPERANDS_ANY,
};
