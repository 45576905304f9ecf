// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <string.h>

#include "share_options.h"

bool share_tag_valid(const char *tag)
{
	const char *p;

	if (!isalpha((unsigned char)tag[0]) || strlen(tag) >= VMM_SHARE_TAG_SIZE)
		return false;
	for (p = tag; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return false;
	return true;
}

/**
 * share_parse() - TAG=DIR[,ro|,rw] as it is typed
 * @text: is cut, and is to last as long as @share
 * @share: filled in
 *
 * What is behind the last comma is part of the name, unless it is one of the two words.
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *share_parse(char *text, struct vmm_share *share)
{
	char *dir = strchr(text, '='), *option;

	*share = (struct vmm_share) { .tag = text, .dir = vmm_path(NULL) };
	if (!dir)
		return "is no share: give TAG=FOLDER";
	*dir++ = '\0';
	if (!share_tag_valid(text))
		return "is no tag of a share: give " SHARE_TAG_RULE;
	option = strrchr(dir, ',');
	if (option && (!strcmp(option, ",ro") || !strcmp(option, ",rw"))) {
		share->readonly = !strcmp(option, ",ro");
		*option = '\0';
	}
	share->dir.path = dir;
	return *dir ? NULL : "is a tag without a folder";
}
