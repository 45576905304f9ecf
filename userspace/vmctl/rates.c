// SPDX-License-Identifier: GPL-2.0-only
/* What counters say of the time between two looks at them. */
#include <json-c/json.h>

#include "out.h"
#include "rates.h"

#define NS_PER_S	1e9

/* Return: the borrowed vCPU of @list that @vcpu was before, or NULL. */
static struct json_object *find(struct json_object *list, struct json_object *vcpu)
{
	size_t i, nr = list ? json_object_array_length(list) : 0;

	for (i = 0; i < nr; i++) {
		struct json_object *old = json_object_array_get_idx(list, i);

		if (out_number(old, "vm-id") == out_number(vcpu, "vm-id") &&
		    out_number(old, "index") == out_number(vcpu, "index"))
			return old;
	}
	return NULL;
}

/* A counter never falls: what seems so was read across an update. */
static double grown(struct json_object *now, struct json_object *before,
		    const char *name)
{
	s64 by = out_number(now, name) - out_number(before, name);

	return by > 0 ? (double)by : 0;
}

static struct json_object *rates_of(struct json_object *now,
				    struct json_object *before, double seconds)
{
	struct json_object *rates = json_object_new_object();
	struct json_object *each = json_object_new_object();
	struct json_object *counters = out_member(now, "counters");
	struct json_object *old = out_member(before, "counters");

	json_object_object_add(rates, "guest",
			       out_decimal(grown(now, before, "guest-ns") /
					   NS_PER_S / seconds));
	json_object_object_add(rates, "exits",
			       out_decimal(grown(now, before, "exits") / seconds));
	if (counters) {
		json_object_object_foreach(counters, name, value) {
			double rate = grown(counters, old, name) / seconds;

			(void)value;
			json_object_object_add(each, name, out_decimal(rate));
		}
	}
	json_object_object_add(rates, "counters", each);
	return rates;
}

/**
 * rates_add() - add "rates" to each vCPU
 * @vcpus: as they are now
 * @before: as they were, or NULL: that is not known
 * @seconds: between the two
 *
 * Per second; guest: the part of the time it was in the guest. A vCPU that was not
 * there before has rates: null.
 */
void rates_add(struct json_object *vcpus, struct json_object *before, double seconds)
{
	size_t i, nr = json_object_array_length(vcpus);

	for (i = 0; i < nr; i++) {
		struct json_object *vcpu = json_object_array_get_idx(vcpus, i);
		struct json_object *old = find(before, vcpu);

		json_object_object_add(vcpu, "rates", old && seconds > 0 ?
				       rates_of(vcpu, old, seconds) : NULL);
	}
}

static void add_to(struct json_object *sum, const char *name, double value)
{
	json_object_object_add(sum, name,
			       out_decimal(json_object_get_double(out_member(sum, name)) +
					   value));
}

static void add_all(struct json_object *sum, struct json_object *rates)
{
	struct json_object *each = out_member(rates, "counters");
	struct json_object *into = out_member(sum, "counters");

	add_to(sum, "guest", json_object_get_double(out_member(rates, "guest")));
	add_to(sum, "exits", json_object_get_double(out_member(rates, "exits")));
	if (!each)
		return;
	json_object_object_foreach(each, name, value) {
		add_to(into, name, json_object_get_double(value));
	}
}

/**
 * rates_sum() - add "rates" to a VM: those of its vCPUs together
 * @vm: its "vcpus" have theirs
 *
 * null, where no vCPU has any.
 */
void rates_sum(struct json_object *vm)
{
	struct json_object *vcpus = out_member(vm, "vcpus"), *sum = NULL;
	size_t i, nr = vcpus ? json_object_array_length(vcpus) : 0;

	for (i = 0; i < nr; i++) {
		struct json_object *rates =
			out_member(json_object_array_get_idx(vcpus, i), "rates");

		if (!rates)
			continue;
		if (!sum) {
			sum = json_object_new_object();
			json_object_object_add(sum, "guest", out_decimal(0));
			json_object_object_add(sum, "exits", out_decimal(0));
			json_object_object_add(sum, "counters",
					       json_object_new_object());
		}
		add_all(sum, rates);
	}
	json_object_object_add(vm, "rates", sum);
}

static struct json_object *find_vm(struct json_object *vms, s64 id)
{
	size_t i, nr = vms ? json_object_array_length(vms) : 0;

	for (i = 0; i < nr; i++) {
		struct json_object *vm = json_object_array_get_idx(vms, i);

		if (out_number(vm, "id") == id)
			return vm;
	}
	return NULL;
}

/**
 * rates_vms() - add "dirty-rate" to VMs, how many of their pages a second were written, and
 * to their vCPUs what rates_add() does
 * @vms: as they are now, each with its "dirty-pages" and, if it has any, its "vcpus"
 * @before: as they were, or NULL: that is not known
 * @seconds: between the two
 */
void rates_vms(struct json_object *vms, struct json_object *before, double seconds)
{
	size_t i;

	for (i = 0; i < json_object_array_length(vms); i++) {
		struct json_object *vm = json_object_array_get_idx(vms, i);
		struct json_object *old = find_vm(before, out_number(vm, "id"));
		struct json_object *vcpus = out_member(vm, "vcpus");

		json_object_object_add(vm, "dirty-rate", old && seconds > 0 ?
				       out_decimal(grown(vm, old, "dirty-pages") /
						   seconds) : NULL);
		if (vcpus)
			rates_add(vcpus, out_member(old, "vcpus"), seconds);
	}
}
