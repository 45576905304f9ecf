// SPDX-License-Identifier: GPL-2.0-only
/* bios, uefi or PATH, then [,vars=PATH][,debug]; where Debian's packages have the first two. */
#include <errno.h>
#include <string.h>

#include "firmware.h"
#include "pieces.h"
#include "vmm.h"

static const struct {
	const char *name;
	const char *package;
	const char *code;
	const char *vars;
} kinds[] = {
	{ "bios", "seabios", "/usr/share/seabios/bios-256k.bin", NULL },
	{ "uefi", "ovmf", "/usr/share/OVMF/OVMF_CODE_4M.fd",
	  "/usr/share/OVMF/OVMF_VARS_4M.fd" },
};

/* Return: NULL, or what is wrong with it. */
static const char *parse_kind(char *text, void *into)
{
	struct vmm_firmware *fw = into;
	size_t i;

	*fw = (struct vmm_firmware) { .code.fd = -1, .vars.fd = -1 };
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(text, kinds[i].name) != 0)
			continue;
		fw->code.path = kinds[i].code;
		fw->vars.path = kinds[i].vars;
		fw->vars_private = kinds[i].vars;
		return NULL;
	}
	if (!strchr(text, '/'))
		return "is no firmware: give bios, uefi or a path with a / in it";
	fw->code.path = text;
	return NULL;
}

/* Likewise. */
static const char *parse_option(char *text, void *into)
{
	struct vmm_firmware *fw = into;

	if (!strcmp(text, "debug")) {
		fw->debug = true;
		return NULL;
	}
	if (strncmp(text, "vars=", 5) != 0)
		return "is no option of firmware: there are vars=PATH and debug";
	if (!text[5])
		return "names no file: give vars=PATH";
	if (fw->code.path == kinds[0].code)
		return "is for UEFI only: a BIOS keeps no variables";
	fw->vars_from = fw->vars.path;
	fw->vars.path = text + 5;
	fw->vars_private = false;
	return NULL;
}

/**
 * firmware_parse() - understand a firmware's name
 * @text: what was typed; cut into pieces, which must last as long as @fw
 * @fw: filled in
 * @wrong: what is wrong, if something is, with what @text is then
 *
 * Return: 0 or -EINVAL.
 */
int firmware_parse(char *text, struct vmm_firmware *fw, const char **wrong)
{
	return pieces_parse(text, parse_kind, parse_option, fw, wrong);
}

/* Return: Debian's package that has a file of ours, or NULL. */
const char *firmware_package(const char *path)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(path, kinds[i].code) ||
		    (kinds[i].vars && !strcmp(path, kinds[i].vars)))
			return kinds[i].package;
	return NULL;
}
