/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where is a host interrupt to go that is for a vCPU? What is decided, of what affinity.c
 * sees; no host state is here.
 */
#ifndef JOIST_PASSTHROUGH_STEER_H
#define JOIST_PASSTHROUGH_STEER_H

#include <linux/types.h>

/**
 * struct steer_view - an interrupt and its vCPU, now
 * @to: CPU that the vCPU is on, or was last; -1: it never was on one
 * @from: CPU that we sent the interrupt to; -1: it is as it was
 * @as_left: where it may go is what we left; else somebody else has set it
 * @from_online: @from is
 * @to_online: @to is
 * @there: it goes to @to, and to no other
 * @settled: the vCPU has not changed its CPU of late
 */
struct steer_view {
	int to;
	int from;
	bool as_left;
	bool from_online;
	bool to_online;
	bool there;
	bool settled;
};

enum steer {
	STEER_KEEP,		/* nothing is to be done until the vCPU moves */
	STEER_LATER,		/* look again soon */
	STEER_MOVE,		/* it is to go to where the vCPU is */
	STEER_LEAVE,		/* from now on it is somebody else's affair */
};

/* Has nobody changed where it goes but us, and the kernel, away from a CPU that leaves? */
static inline bool steer_is_ours(const struct steer_view *v)
{
	return v->as_left || (v->from >= 0 && !v->from_online);
}

/*
 * A vCPU that changes its CPU again and again, by its wake-ups above all, is not run after:
 * as often as not the next interrupt would find it elsewhere.
 */
static inline enum steer steer_decide(const struct steer_view *v)
{
	if (!steer_is_ours(v))
		return STEER_LEAVE;
	if (v->to < 0 || !v->to_online)
		return STEER_KEEP;
	/* By the kernel, though, that is not where we sent it. */
	if (v->there && (v->from < 0 || v->from == v->to))
		return STEER_KEEP;
	return v->settled ? STEER_MOVE : STEER_LATER;
}

#endif
