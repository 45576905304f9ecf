/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON out and in, progress, and numbers as people read them. */
#ifndef VMCTL_OUT_H
#define VMCTL_OUT_H

#include <stdio.h>

#include "libjoist/types.h"

struct json_object;

#define TEXT_MAX	32

void out_json_to(FILE *out, struct json_object *value);
void out_json(struct json_object *value);
const char *out_text(struct json_object *from, const char *member);
s64 out_number(struct json_object *from, const char *member);
bool out_flag(struct json_object *from, const char *member);
struct json_object *out_member(struct json_object *from, const char *member);
struct json_object *out_string(const char *text);
struct json_object *out_decimal(double value);
struct json_object *out_path(const char *path);
const char *out_size(u64 bytes, char *text);
const char *out_count(u64 value, char *text);
const char *out_age(u64 ms, char *text);
void progress(const char *fmt, ...) __printf(1, 2);
void progress_end(void);

#endif
