/* SPDX-License-Identifier: GPL-2.0-only */
/* The form of requests. */
#ifndef VMD_REQUESTS_H
#define VMD_REQUESTS_H

#include "vmd.h"

struct json_object;

int members_check(struct json_object *json, const char *members,
		  struct failure *f);
bool uuid_prefix(const char *uuid, const char *text);

#endif
