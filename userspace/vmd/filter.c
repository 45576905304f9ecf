// SPDX-License-Identifier: GPL-2.0-only
/* What the filters of vmd's processes, and that of vmnat, have in common. */
#include <errno.h>
#include <sys/mman.h>

#include "filter.h"

int filter_allow(scmp_filter_ctx ctx, const int *calls, size_t nr)
{
	int err = 0;
	size_t i;

	for (i = 0; !err && i < nr; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	return err;
}

/* Call @nr with its argument @arg being @value. */
int filter_allow_value(scmp_filter_ctx ctx, int nr, unsigned int arg, u64 value)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
				SCMP_CMP(arg, SCMP_CMP_EQ, value));
}

/* No memory that was ever writable is executed. */
static int allow_memory(scmp_filter_ctx ctx)
{
	int err;

	err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
			       SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return err ?: seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
			SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/**
 * filter_begin() - a filter that lets memory be mapped, but not made executable
 * @otherwise: SCMP_ACT_*, what other calls come to
 * @err: set to 0 or -errno; for filter_finish()
 *
 * Return: NULL: there is none, and *@err says why.
 */
scmp_filter_ctx filter_begin(u32 otherwise, int *err)
{
	scmp_filter_ctx ctx = seccomp_init(otherwise);

	*err = ctx ? 0 : -ENOMEM;
	/* By default that of a 32-bit call would be the thread alone. */
	if (ctx)
		*err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
					SCMP_ACT_KILL_PROCESS);
	if (ctx && !*err)
		*err = allow_memory(ctx);
	return ctx;
}

/* If nothing has failed so far it applies from now on. Return: 0 or -errno. */
int filter_finish(scmp_filter_ctx ctx, int err)
{
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}
