/* SPDX-License-Identifier: GPL-2.0-only */
/* vmctl top's table: what is in it, in which order, and as text. Pure. */
#ifndef VMCTL_TOP_H
#define VMCTL_TOP_H

#include "libjoist/types.h"

#define TOP_REASONS	32	/* of exits; the rarest of more are not shown */
#define TOP_REASON_TEXT	24
#define TOP_LINE	1024

struct json_object;

/* What rows are sorted by; from TOP_BY_REASON on, by exits for a reason. */
enum top_key { TOP_BY_NAME, TOP_BY_ID, TOP_BY_STATE, TOP_BY_CPU, TOP_BY_EXITS, TOP_BY_REASON };

/**
 * struct top_view - how it is to be looked at
 * @key: sorted by this
 * @reason: with TOP_BY_REASON, which
 * @reverse: the other way round: names fall, numbers rise
 * @vcpus: under each VM, its vCPUs
 */
struct top_view {
	enum top_key key;
	char reason[TOP_REASON_TEXT];
	bool reverse;
	bool vcpus;
};

/**
 * struct top_row - a VM or a vCPU
 * @from: what it tells of; valid only while the table is made
 * @name: of the VM, with nothing in it that a terminal would obey
 * @vcpu: its index, or -1: it is a VM
 * @known: there are rates
 * @cpu: percent of one CPU, spent in the guest
 * @exits: per second
 * @reason: the same by reason, in the order of struct top
 */
struct top_row {
	struct json_object *from;
	char name[64];
	char state[12];
	u32 vm_id;
	int vcpu;
	bool known;
	double cpu;
	double exits;
	double reason[TOP_REASONS];
};

struct top_reason {
	char name[TOP_REASON_TEXT];
	u64 total;
};

/**
 * struct top - the table
 * @row: VMs in order, each followed by its vCPUs if they are wanted; owned
 * @vms: how many of the rows are VMs
 * @reason: the most frequent first, by all exits there ever were, which keeps the
 *	columns where they are
 */
struct top {
	struct top_row *row;
	size_t nr;
	size_t vms;
	struct top_reason reason[TOP_REASONS];
	unsigned int nr_reasons;
};

void top_build(struct top *top, struct json_object *vms, const struct top_view *view);
void top_free(struct top *top);
void top_step(const struct top *top, struct top_view *view, int by);
bool top_key(const char *name, struct top_view *view);
void top_head(const struct top *top, const struct top_view *view, size_t width,
	      char *text);
void top_text(const struct top *top, const struct top_view *view, size_t row,
	      size_t width, char *text);

#endif
