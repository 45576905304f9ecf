/* SPDX-License-Identifier: GPL-2.0-only */
/* Ethernet addresses as text. */
#ifndef LIBJOIST_MAC_H
#define LIBJOIST_MAC_H

#include "types.h"

#define MAC_TEXT_SIZE	18	/* with its NUL */

bool mac_parse(const char *text, u8 *mac);
void mac_text(const u8 *mac, char *text);

#endif
