// SPDX-License-Identifier: GPL-2.0-only
/* A definition of a VM as a client sends it, and as the daemon's processes keep it. */
#include <string.h>

#include "vmd/definition.h"
#include "vmd/js.h"
#include "wrap.h"

#define DEPTH_MAX	8

static struct json_object *parse(const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *obj = json_tokener_parse_ex(tok, text, (int)len);

	json_tokener_free(tok);
	return obj;
}

/* What is taken is the same after it was told and taken again. */
static void again(const struct definition *def, bool all)
{
	struct json_object *obj = definition_json(def, all);
	struct definition copy;
	struct complaint c;

	if (definition_from_json(&copy, obj, all, &c) ||
	    (all && !definition_equal(def, &copy)))
		__builtin_trap();
	definition_free(&copy);
	json_object_put(obj);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct definition def;
	struct json_object *obj;
	struct complaint c;
	int all;

	obj = parse((const char *)data, size);
	if (!json_object_is_type(obj, json_type_object)) {
		json_object_put(obj);
		return 0;
	}
	for (all = 0; all < 2; all++) {
		c.text[0] = '\0';
		if (definition_from_json(&def, obj, all, &c)) {
			if (!c.text[0])
				__builtin_trap();
		} else {
			/* As whoever takes one does. */
			if (!def.uuid[0])
				uuid_from_name(def.uuid, "host", def.name);
			again(&def, all);
		}
		definition_free(&def);
	}
	json_object_put(obj);
	return 0;
}
