/* SPDX-License-Identifier: GPL-2.0-only */
/* static_assert is C's own. */
#ifndef JOIST_SHIM_BUILD_BUG_H
#define JOIST_SHIM_BUILD_BUG_H

#include <assert.h>

#endif
