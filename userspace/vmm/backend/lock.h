/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_BACKEND_LOCK_H
#define VMM_BACKEND_LOCK_H

#include "libjoist/types.h"

int lock_image(int fd, bool readonly);

#endif
