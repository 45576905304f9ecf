// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk's options: one table serves vmctl's command lines, joist.conf and JSON. Pure:
 * nothing is opened.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "disk_options.h"
#include "libjoist/number.h"

#define RATE_MAX	(1ULL << 50)

enum kind { YES_NO, FORMAT, QUEUES, COUNT, SIZE, SERIAL };

/* @inverse: what the member says is not what the word says. */
static const struct option {
	const char *name;
	enum kind kind;
	size_t offset;
	bool inverse;
} table[] = {
	{ "readonly", YES_NO, offsetof(struct disk_options, readonly), false },
	{ "format", FORMAT, offsetof(struct disk_options, format), false },
	{ "serial", SERIAL, offsetof(struct disk_options, serial), false },
	{ "queues", QUEUES, offsetof(struct disk_options, queues), false },
	{ "direct", YES_NO, offsetof(struct disk_options, direct), false },
	{ "discard", YES_NO, offsetof(struct disk_options, keep), true },
	{ "iops", COUNT, offsetof(struct disk_options, iops), false },
	{ "bps", SIZE, offsetof(struct disk_options, bps), false },
};

static const char *const formats[] = { [DISK_RAW] = "raw", [DISK_QCOW2] = "qcow2" };

static const struct option *find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

/* Return: the name of option @i, or NULL: there are no more. */
const char *disk_option_name(size_t i)
{
	return i < ARRAY_SIZE(table) ? table[i].name : NULL;
}

/* @name: of an option. */
enum disk_option_type disk_option_type(const char *name)
{
	switch (find(name)->kind) {
	case YES_NO:
		return DISK_OPTION_BOOL;
	case FORMAT:
	case SERIAL:
		return DISK_OPTION_TEXT;
	default:
		return DISK_OPTION_NUMBER;
	}
}

/**
 * disk_option_get() - read an option
 * @options: options
 * @name: its name
 * @number: set, if it is a number or a bool
 * @text: set, if it is text
 *
 * Return: whether it is another than the default.
 */
bool disk_option_get(const struct disk_options *options, const char *name, u64 *number,
		     const char **text)
{
	const struct option *option = find(name);
	const void *at = (const char *)options + option->offset;

	switch (option->kind) {
	case YES_NO:
		*number = *(const bool *)at != option->inverse;
		return *(const bool *)at;
	case FORMAT:
		*text = formats[options->format];
		return options->format;
	case SERIAL:
		*text = options->serial;
		return *options->serial;
	case QUEUES:
		*number = options->queues;
		return options->queues;
	case COUNT:
	case SIZE:
		*number = *(const u64 *)at;
		return *number;
	}
	return false;
}

static const char *set_bool(bool *to, const char *text, bool inverse)
{
	static const char *const words[] = { "no", "yes", "off", "on", "false", "true", "0", "1" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(text, words[i])) {
			*to = (i % 2) != inverse;
			return NULL;
		}
	}
	return "is neither yes nor no";
}

static const char *set_number(u64 *to, const char *text, u64 highest, bool suffix)
{
	const char *end;
	u64 value;
	int err;

	err = number_take(text, 10, &value, &end);
	if (!err && suffix)
		err = number_unit(&value, &end);
	if (err == -ERANGE)
		return "is too large";
	if (err || *end)
		return suffix ? "is no size: give a number with K, M or G" : "is no number";
	if (!value)
		return "must not be 0";
	if (value > highest)
		return "is too large";
	*to = value;
	return NULL;
}

static const char *set_serial(char *to, const char *text)
{
	const char *p;

	for (p = text; *p; p++)
		if (!isgraph((unsigned char)*p))
			return "is no serial number: give printable bytes without blanks";
	if (!*text || p - text > DISK_SERIAL_MAX)
		return "is no serial number: give 1 to 20 bytes";
	strcpy(to, text);
	return NULL;
}

/**
 * disk_option_set() - set an option
 * @options: options
 * @name: its name
 * @text: its value
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *disk_option_set(struct disk_options *options, const char *name,
			    const char *text)
{
	const struct option *option = find(name);
	const char *wrong;
	u64 queues;
	u32 i;

	if (!option)
		return "is for an option that disks do not have";
	switch (option->kind) {
	case YES_NO:
		return set_bool((bool *)((char *)options + option->offset), text, option->inverse);
	case FORMAT:
		for (i = 0; i < ARRAY_SIZE(formats); i++) {
			if (!strcmp(text, formats[i])) {
				options->format = i;
				return NULL;
			}
		}
		return "is no format of a disk: there are raw and qcow2";
	case SERIAL:
		return set_serial(options->serial, text);
	case QUEUES:
		wrong = set_number(&queues, text, DISK_QUEUES_MAX, false);
		if (wrong)
			return "is no number of queues: give 1 to 16";
		options->queues = (u32)queues;
		return NULL;
	case COUNT:
	case SIZE:
		return set_number((u64 *)((char *)options + option->offset), text, RATE_MAX,
				  option->kind == SIZE);
	}
	return NULL;
}

bool disk_options_equal(const struct disk_options *a, const struct disk_options *b)
{
	return a->readonly == b->readonly && a->direct == b->direct && a->keep == b->keep &&
	       a->format == b->format && a->queues == b->queues && a->iops == b->iops &&
	       a->bps == b->bps && !strcmp(a->serial, b->serial);
}

/* Cut a piece off at the first comma; two of them are one that belongs to it. */
static char *cut(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == ',') {
			if (text[1] != ',') {
				*to = '\0';
				return text + 1;
			}
			text++;
		}
		*to++ = *text;
	}
	*to = '\0';
	return NULL;
}

/**
 * disk_parse() - FILE[,OPTION]... as it is typed
 * @text: becomes the file's name, or what is wrong
 * @options: filled in
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *disk_parse(char *text, struct disk_options *options)
{
	const char *wrong = NULL;
	char *piece = text, *rest = cut(text);

	*options = (struct disk_options) { 0 };
	if (!*text)
		return "is no disk: its file's name comes first";
	while (rest && !wrong) {
		char *value;

		piece = rest;
		rest = cut(piece);
		value = strchr(piece, '=');
		if (!strcmp(piece, "ro"))
			options->readonly = true;
		else if (!strcmp(piece, "direct"))
			options->direct = true;
		else if (!value)
			wrong = "is no option of a disk; for a comma in a file's name write two";
		if (value) {
			*value = '\0';
			wrong = find(piece) ? NULL : "is no option of a disk";
			if (!wrong) {
				wrong = disk_option_set(options, piece, value + 1);
				piece = wrong ? value + 1 : piece;
			}
		}
	}
	if (wrong)
		memmove(text, piece, strlen(piece) + 1);
	return wrong;
}
