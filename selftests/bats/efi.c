// SPDX-License-Identifier: GPL-2.0-only
/*
 * A UEFI application: it counts in a variable how often it was started, says so and what
 * SMBIOS has for a serial number, and powers off. As much of the specification's tables
 * (UEFI 2.10, 4.3 and 8) as that needs. It is built with -mabi=ms: so are UEFI's functions
 * called.
 */
#include <stddef.h>
#include <stdint.h>

#define KEPT		7	/* non-volatile, for boot services and the system */
#define SHUTDOWN	2

struct guid {
	uint32_t a;
	uint16_t b, c;
	uint8_t d[8];
};

struct text_output {
	void *reset;
	uint64_t (*print)(struct text_output *out, const uint16_t *text);
};

struct runtime_services {
	uint8_t header[24];
	void *time[6];
	uint64_t (*get_variable)(const uint16_t *name, const struct guid *vendor,
				 uint32_t *attributes, uint64_t *size,
				 void *data);
	void *next_variable;
	uint64_t (*set_variable)(const uint16_t *name, const struct guid *vendor,
				 uint32_t attributes, uint64_t size,
				 const void *data);
	void *monotonic;
	void (*reset)(int type, uint64_t status, uint64_t size, void *data);
};

struct configuration_table {
	struct guid guid;
	const uint8_t *table;
};

struct system_table {
	uint8_t header[24];
	uint16_t *vendor;
	uint64_t revision;
	void *in_handle, *in, *out_handle;
	struct text_output *out;
	void *err_handle, *err;
	struct runtime_services *runtime;
	void *boot;
	uint64_t nr_tables;
	struct configuration_table *tables;
};

_Static_assert(offsetof(struct runtime_services, reset) == 104, "UEFI 4.5");
_Static_assert(offsetof(struct system_table, runtime) == 88, "UEFI 4.3");

static const struct guid ours = {
	0x4b1d2a4e, 0x6d0c, 0x4b1f, { 0x9a, 0x51, 0x6a, 0x6f, 0x69, 0x73, 0x74, 0x01 },
};

static const struct guid smbios3 = {
	0xf2fd1544, 0x9794, 0x4a2c, { 0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94 },
};

static const uint16_t name[] = { 'B', 'o', 'o', 't', 's', 0 };

static int same(const struct guid *x, const struct guid *y)
{
	const uint64_t *a = (const uint64_t *)x, *b = (const uint64_t *)y;

	return a[0] == b[0] && a[1] == b[1];
}

/* Behind a structure's fixed part are its strings, and behind them an empty one. */
static const uint8_t *next(const uint8_t *s)
{
	for (s += s[1]; s[0] || s[1]; s++)
		;
	return s + 2;
}

static void print_string(struct text_output *out, const uint8_t *s, int nr)
{
	uint16_t c[] = { 0, 0 };

	for (s += s[1]; --nr > 0; s++)
		while (*s)
			s++;
	while ((c[0] = *s++))
		out->print(out, c);
}

static void print_serial(struct system_table *st)
{
	static const uint16_t head[] = {
		'e', 'f', 'i', ':', ' ', 'S', 'M', 'B', 'I', 'O', 'S', ' ', 0,
	};
	static const uint16_t end[] = { '\r', '\n', 0 };
	const uint8_t *s;
	uint64_t i;

	for (i = 0; i < st->nr_tables && !same(&st->tables[i].guid, &smbios3); i++)
		;
	if (i == st->nr_tables)
		return;
	st->out->print(st->out, (uint16_t *)head);
	s = *(const uint8_t **)(st->tables[i].table + 16);
	while (s[0] != 1 && s[0] != 127)
		s = next(s);
	if (s[0] == 1)
		print_string(st->out, s, s[7]);
	st->out->print(st->out, (uint16_t *)end);
}

uint64_t efi_main(void *image, struct system_table *st)
{
	uint16_t text[] = {
		'e', 'f', 'i', ':', ' ', 'b', 'o', 'o', 't', ' ', '0', '\r', '\n', 0,
	};
	uint64_t size = 1, error;
	uint8_t boots = 0;

	(void)image;
	st->runtime->get_variable(name, &ours, NULL, &size, &boots);
	boots++;
	error = st->runtime->set_variable(name, &ours, KEPT, sizeof(boots), &boots);
	text[10] = error ? '!' : (uint16_t)('0' + boots);
	st->out->print(st->out, text);
	print_serial(st);
	st->runtime->reset(SHUTDOWN, 0, 0, NULL);
	return 0;
}

/* None is needed, for all is relative: but without the section we may not be moved. */
__asm__(".section .reloc, \"a\"\n\t.long 0, 8\n");
