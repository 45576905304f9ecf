// SPDX-License-Identifier: GPL-2.0-only
/* Shares of a definition. Pure: nothing is opened. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "definition.h"
#include "js.h"
#include "share.h"
#include "vmm/disk_json.h"
#include "vmm/share_options.h"

/* Return: 0 or -EINVAL. */
int shares_add(struct shares *shares, const char *tag, const char *path, bool readonly,
	       struct complaint *c)
{
	struct share *share = &shares->share[shares->nr];
	int i;

	if (!share_tag_valid(tag))
		return complain(c, "'%.100s' is no tag of a share: " SHARE_TAG_RULE, tag);
	if (shares->nr == SHARES_MAX)
		return complain(c, "more than %d shares", SHARES_MAX);
	if (*path != '/' || strlen(path) >= PATH_MAX)
		return complain(c, "the share's path '%.100s' is no absolute path", path);
	for (i = 0; i < shares->nr; i++)
		if (!strcmp(shares->share[i].tag, tag))
			return complain(c, "there is a share '%s' already", tag);
	share->path = strdup(path);
	if (!share->path)
		return complain(c, "out of memory");
	snprintf(share->tag, sizeof(share->tag), "%s", tag);
	share->readonly = readonly;
	shares->nr++;
	return 0;
}

void shares_free(struct shares *shares)
{
	while (shares->nr)
		free(shares->share[--shares->nr].path);
}

bool shares_equal(const struct shares *a, const struct shares *b)
{
	int i;

	if (a->nr != b->nr)
		return false;
	for (i = 0; i < a->nr; i++)
		if (strcmp(a->share[i].tag, b->share[i].tag) ||
		    strcmp(a->share[i].path, b->share[i].path) ||
		    a->share[i].readonly != b->share[i].readonly)
			return false;
	return true;
}

/* Return: an array, the caller's. */
struct json_object *shares_json(const struct shares *shares)
{
	struct json_object *list = json_object_new_array();
	int i;

	for (i = 0; i < shares->nr; i++) {
		struct json_object *obj = js_new("tag", shares->share[i].tag);

		js_add_text(obj, "path", shares->share[i].path);
		js_add_bool(obj, "readonly", shares->share[i].readonly);
		json_object_array_add(list, obj);
	}
	return list;
}

static int take(struct shares *shares, struct json_object *obj, struct complaint *c)
{
	struct json_object *readonly = js_get(obj, "readonly");
	const char *tag = json_plain(js_get(obj, "tag")), *path = json_plain(js_get(obj, "path"));

	if (!json_object_is_type(obj, json_type_object) || !tag || !path)
		return complain(c, "a share is an object with 'tag' and 'path'");
	if (readonly && !json_object_is_type(readonly, json_type_boolean))
		return complain(c, "a share's 'readonly' is true or false");
	json_object_object_foreach(obj, key, value) {
		(void)value;
		if (strcmp(key, "tag") && strcmp(key, "path") && strcmp(key, "readonly"))
			return complain(c, "a share has no '%.40s'", key);
	}
	return shares_add(shares, tag, path, json_object_get_boolean(readonly), c);
}

/* The way back; nothing of @list is trusted. Return: 0 or less. */
int shares_from_json(struct shares *shares, struct json_object *list, struct complaint *c)
{
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++)
		if (take(shares, json_object_array_get_idx(list, i), c))
			return -1;
	return 0;
}
