/* SPDX-License-Identifier: GPL-2.0-only */
/* A share as it is typed. */
#ifndef VMM_SHARE_OPTIONS_H
#define VMM_SHARE_OPTIONS_H

#include "vmm.h"

#define SHARE_TAG_RULE	"1 to 31 letters, digits, '-', '_', '.', a letter first"

bool share_tag_valid(const char *tag);
const char *share_parse(char *text, struct vmm_share *share);

#endif
