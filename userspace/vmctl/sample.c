// SPDX-License-Identifier: GPL-2.0-only
/* The counters of VMs and vCPUs, looked at time and again. */
#include <json-c/json.h>
#include <stdlib.h>
#include <time.h>

#include "error.h"
#include "opt.h"
#include "out.h"
#include "rates.h"
#include "sample.h"

/* Seconds of a clock that nobody sets. */
double sample_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool wanted(const struct sample *sample, struct json_object *vm)
{
	int i;

	for (i = 0; i < sample->nr_ids; i++)
		if (sample->ids[i] == (u32)out_number(vm, "id"))
			return true;
	return !sample->nr_ids;
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

static struct json_object *group(const struct sample *sample, struct json_object *vms,
				 struct json_object *vcpus)
{
	struct json_object *out = json_object_new_array();
	static const char * const kept[] = { "name", "uuid", "id", "state" };
	size_t i, k;

	for (i = 0; i < json_object_array_length(vms); i++) {
		struct json_object *vm = json_object_array_get_idx(vms, i);
		struct json_object *row;

		if (!wanted(sample, vm))
			continue;
		row = json_object_new_object();
		for (k = 0; k < ARRAY_SIZE(kept); k++)
			copy(row, vm, kept[k]);
		copy(row, out_member(vm, "host"), "dirty-pages");
		json_object_object_add(row, "vcpus",
				       vcpus_of(vcpus, out_number(vm, "id")));
		json_object_array_add(out, row);
	}
	return out;
}

/**
 * sample_take() - look at them
 * @sample: opened
 * @vms: set to an array of VMs with their vCPUs and, of those, their rates since the
 *	time before; the caller puts it
 * @interval: set to the seconds since then, 0 at the first time
 *
 * Return: 0 or -errno, which was not told: sample_fail() does.
 */
int sample_take(struct sample *sample, struct json_object **vms, double *interval)
{
	struct json_object *all = NULL, *vcpus = NULL;
	double time = sample_now();
	int err;

	*interval = sample->before ? time - sample->before_time : 0;
	err = host_vms(&sample->target.host, &all);
	if (!err)
		err = host_vcpus(&sample->target.host, 0, &vcpus);
	if (!err) {
		*vms = group(sample, all, vcpus);
		rates_vms(*vms, sample->before, *interval);
		json_object_put(sample->before);
		sample->before = json_object_get(*vms);
		sample->before_time = time;
	}
	json_object_put(vcpus);
	json_object_put(all);
	return err;
}

int sample_fail(struct sample *sample, int err)
{
	return host_fail(&sample->target.host, err, "cannot read statistics");
}

/* One line. */
void sample_print_json(struct json_object *vms, double interval)
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

/**
 * sample_open() - begin
 * @sample: filled in, in all cases; sample_close() is due
 * @args: its operands are the VMs to look at; none: all
 *
 * Return: 0, or the exit code of an error that was told.
 */
int sample_open(struct sample *sample, const struct args *args)
{
	int i, code;

	*sample = (struct sample) { 0 };
	code = target_open(&sample->target);
	if (!code && sample->target.host_err)
		code = host_fail_open(sample->target.host_err);
	sample->ids = calloc((size_t)args->nr_operands + 1, sizeof(*sample->ids));
	if (!code && !sample->ids)
		code = fail("failed", NULL, "no memory");
	for (i = 0; !code && i < args->nr_operands; i++) {
		struct json_object *vm = NULL;

		code = target_id(&sample->target, args->operand[i], &sample->ids[i],
				 &vm);
		json_object_put(vm);
	}
	sample->nr_ids = args->nr_operands;
	return code;
}

void sample_close(struct sample *sample)
{
	free(sample->ids);
	json_object_put(sample->before);
	target_close(&sample->target);
}
