// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "mac.h"

/* Return: whether @text is six bytes of two digits each, as 02:00:00:00:00:01. */
bool mac_parse(const char *text, u8 *mac)
{
	int i;

	for (i = 0; i < 6; i++, text += 3) {
		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) ||
		    text[2] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = (u8)strtoul(text, NULL, 16);
	}
	return true;
}

/* @text: MAC_TEXT_SIZE bytes. */
void mac_text(const u8 *mac, char *text)
{
	snprintf(text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
		 mac[2], mac[3], mac[4], mac[5]);
}
