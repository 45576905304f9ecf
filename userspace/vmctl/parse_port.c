// SPDX-License-Identifier: GPL-2.0-only
/* name=NAME,path=SOCKET[,console] */
#include <ctype.h>
#include <string.h>

#include "libjoist/types.h"
#include "parse_port.h"
#include "vmm/vmm.h"

static bool name_fits(const char *name)
{
	size_t len = strlen(name), i;

	for (i = 0; i < len && isgraph((unsigned char)name[i]) && name[i] != '/'; i++)
		;
	return len && len <= VMM_PORT_NAME_MAX && i == len;
}

/**
 * parse_port() - a port of the guest's
 * @text: what was typed; cut into its parts, which @port borrows
 * @port: filled in
 * @wrong: set to what is wrong with it
 *
 * Return: 0, or -1.
 */
int parse_port(char *text, struct vmm_port *port, const char **wrong)
{
	char *word;

	*port = (struct vmm_port) { .file = vmm_path(NULL) };
	while ((word = strsep(&text, ","))) {
		if (!strncmp(word, "name=", 5)) {
			port->name = word + 5;
		} else if (!strncmp(word, "path=", 5)) {
			port->file = vmm_path(word + 5);
		} else if (!strcmp(word, "console")) {
			port->console = true;
		} else {
			*wrong = "give name=NAME,path=SOCKET and, for a terminal, console";
			return -1;
		}
	}
	if (!port->name || !name_fits(port->name)) {
		*wrong = "name= takes 1 to 63 printable bytes without blanks, commas and slashes";
		return -1;
	}
	if (!port->file.path || !*port->file.path) {
		*wrong = "path= is where the socket is to be";
		return -1;
	}
	return 0;
}
