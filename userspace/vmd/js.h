/* SPDX-License-Identifier: GPL-2.0-only */
/* json-c with fewer words. */
#ifndef VMD_JS_H
#define VMD_JS_H

#include <json-c/json.h>

#include "libjoist/types.h"

const char *js_text(struct json_object *obj, const char *key);
s64 js_int(struct json_object *obj, const char *key, s64 otherwise);
bool js_bool(struct json_object *obj, const char *key, bool otherwise);
struct json_object *js_get(struct json_object *obj, const char *key);

void js_add(struct json_object *obj, const char *key, struct json_object *value);
void js_add_text(struct json_object *obj, const char *key, const char *text);
void js_add_int(struct json_object *obj, const char *key, s64 value);
void js_add_time(struct json_object *obj, const char *key, double time);
void js_add_bool(struct json_object *obj, const char *key, bool value);

/* A message or an object that begins with one member. */
struct json_object *js_new(const char *key, const char *text);

#endif
