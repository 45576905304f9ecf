// SPDX-License-Identifier: GPL-2.0-only
/* Definitions that clients created: a JSON file each, as root only can write it. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "js.h"
#include "store.h"

#define SUFFIX	".json"

static void store_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, STORE_DIR "/%s" SUFFIX, name);
}

int store_save(const struct definition *def)
{
	struct json_object *obj = definition_json(def, true);
	int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;
	char path[256];
	int err;

	store_path(path, sizeof(path), def->name);
	err = file_write(path, json_object_to_json_string_ext(obj, flags));
	json_object_put(obj);
	return err;
}

int store_delete(const char *name)
{
	char path[256];

	store_path(path, sizeof(path), name);
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

/* @take: called with each; the definition is then its own. */
void store_load(void (*take)(struct definition *def))
{
	DIR *dir = opendir(STORE_DIR);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		struct json_object *obj;
		struct definition def;
		struct complaint c;
		char path[512];

		if (len <= strlen(SUFFIX) ||
		    strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX))
			continue;
		snprintf(path, sizeof(path), STORE_DIR "/%s", entry->d_name);
		obj = file_read_json(path);
		if (!obj)
			complain(&c, "it cannot be read");
		if (obj && !definition_from_json(&def, obj, true, &c)) {
			take(&def);
		} else {
			say("%s is left out: %s", path, c.text);
			if (obj)
				definition_free(&def);
		}
		json_object_put(obj);
	}
	closedir(dir);
}
