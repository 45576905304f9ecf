// SPDX-License-Identifier: GPL-2.0-only
/* ADDRESS[,name=NAME] */
#include <ctype.h>
#include <string.h>

#include "libjoist/types.h"
#include "parse_hostdev.h"
#include "vmm/vmm.h"

/* What it is to be is seen when it is looked for: here it must look like one. */
static bool address_like(const char *text)
{
	return *text && text[strspn(text, "0123456789abcdefABCDEF:.")] == '\0' &&
	       strchr(text, ':') && strchr(text, '.');
}

static bool name_fits(const char *name)
{
	size_t len = strlen(name), i;

	for (i = 0; i < len && isgraph((unsigned char)name[i]); i++)
		;
	return len && len < DEVICE_NAME_SIZE && i == len;
}

/**
 * parse_hostdev() - a PCI device of the host's
 * @text: what was typed; cut into its parts, which @dev borrows
 * @dev: filled in
 * @wrong: set to what is wrong with it
 *
 * Return: 0, or -1.
 */
int parse_hostdev(char *text, struct vmm_hostdev *dev, const char **wrong)
{
	char *word = strsep(&text, ",");

	*dev = (struct vmm_hostdev) { .host = word, .group = vmm_path(NULL) };
	if (!address_like(word)) {
		*wrong = "give a PCI address, as lspci -D does: 0000:01:00.0";
		return -1;
	}
	while ((word = strsep(&text, ","))) {
		if (strncmp(word, "name=", 5)) {
			*wrong = "give ADDRESS and, if you like, name=NAME";
			return -1;
		}
		dev->name = word + 5;
		if (!name_fits(dev->name)) {
			*wrong = "name= takes 1 to 31 printable bytes without blanks and commas";
			return -1;
		}
	}
	return 0;
}
