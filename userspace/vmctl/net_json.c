// SPDX-License-Identifier: GPL-2.0-only
/* KIND[,OPTION=VALUE]...: an interface of a definition. vmd knows which values are good. */
#include <json-c/json.h>
#include <string.h>

#include "libjoist/types.h"
#include "net_json.h"
#include "vmm/pieces.h"

/* Options by the names they are typed with and those they have in a definition. */
static const struct {
	const char *typed, *key;
	bool list;
} options[] = {
	{ "switch", "switch", false }, { "macvtap", "macvtap", false },
	{ "name", "name", false }, { "mac", "mac", false }, { "vlan", "vlan", false },
	{ "trunk", "trunk", true }, { "isolated", "isolated", false },
	{ "rate-in", "rate-in", false }, { "rate-out", "rate-out", false },
	{ "mac-check", "mac-check", false }, { "ip", "ip", true }, { "mtu", "mtu", false },
	{ "queues", "queues", false },
	{ "hostfwd", "forward", true },
};

static void put(struct json_object *net, const char *key, bool list, const char *text)
{
	struct json_object *value = json_object_new_string(text), *array;

	if (!list) {
		json_object_object_add(net, key, value);
		return;
	}
	if (!json_object_object_get_ex(net, key, &array)) {
		array = json_object_new_array();
		json_object_object_add(net, key, array);
	}
	json_object_array_add(array, value);
}

/* Return: NULL, or what is wrong with @piece. */
static const char *take(char *piece, void *net)
{
	char *value = strchr(piece, '=');
	size_t i;

	if (!strcmp(piece, "user")) {
		json_object_object_add(net, "user", json_object_new_boolean(true));
		return NULL;
	}
	/* A word alone says yes. */
	if (!strcmp(piece, "isolated")) {
		put(net, piece, false, "yes");
		return NULL;
	}
	if (!value || !value[1])
		return "is no option of a network with its value";
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (strncmp(piece, options[i].typed, (size_t)(value - piece)) ||
		    options[i].typed[value - piece])
			continue;
		put(net, options[i].key, options[i].list, value + 1);
		return NULL;
	}
	return "is no option of a network";
}

/**
 * net_json() - understand a network
 * @text: what was typed; cut into pieces
 * @wrong: what is wrong, if something is, with what @text is then
 *
 * Return: an object, the caller's, or NULL.
 */
struct json_object *net_json(char *text, const char **wrong)
{
	struct json_object *net = json_object_new_object();

	if (!pieces_parse(text, take, take, net, wrong) &&
	    !json_object_object_get_ex(net, "user", NULL) &&
	    !json_object_object_get_ex(net, "switch", NULL) &&
	    !json_object_object_get_ex(net, "macvtap", NULL))
		*wrong = "is no network: give switch=NAME, macvtap=INTERFACE or user";
	if (!*wrong)
		return net;
	json_object_put(net);
	return NULL;
}
