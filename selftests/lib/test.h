/* SPDX-License-Identifier: GPL-2.0-only */
/* What every test program starts with: the harness, and a skip without device. */
#ifndef JOIST_SELFTESTS_TEST_H
#define JOIST_SELFTESTS_TEST_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "vm.h"

/* In main(): the whole program is skipped where there is no device. */
static inline void need_device(void)
{
	if (access(test_dev(), R_OK | W_OK))
		ksft_exit_skip("no %s\n", test_dev());
}

#define JOIST_TEST_MAIN							\
int main(int argc, char **argv)						\
{									\
	need_device();							\
	return test_harness_run(argc, argv);				\
}

#endif
