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
