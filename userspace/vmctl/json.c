// SPDX-License-Identifier: GPL-2.0-only
/* JSON output (RFC 8259). */
#include "json.h"

void json_string(FILE *out, const char *text)
{
	const unsigned char *p;

	if (!text) {
		fputs("null", out);
		return;
	}
	fputc('"', out);
	for (p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (*p == '\n')
			fputs("\\n", out);
		else if (*p < 0x20 || *p == 0x7f)
			fprintf(out, "\\u%04x", *p);
		else
			fputc(*p, out);
	}
	fputc('"', out);
}
