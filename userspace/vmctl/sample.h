/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters of VMs and vCPUs, looked at time and again. */
#ifndef VMCTL_SAMPLE_H
#define VMCTL_SAMPLE_H

#include "target.h"

#define SAMPLE_INTERVAL_MIN_MS	100

struct args;

/**
 * struct sample - what is looked at, and how it was the last time
 * @target: both ways
 * @ids: of the VMs that were named
 * @nr_ids: how many; 0: all VMs
 * @before: VMs as they were given; NULL at first
 * @before_time: when that was
 */
struct sample {
	struct target target;
	u32 *ids;
	int nr_ids;
	struct json_object *before;
	double before_time;
};

int sample_open(struct sample *sample, const struct args *args);
void sample_close(struct sample *sample);
int sample_take(struct sample *sample, struct json_object **vms, double *interval);
int sample_fail(struct sample *sample, int err);
void sample_print_json(struct json_object *vms, double interval);
double sample_now(void);

#endif
