// SPDX-License-Identifier: GPL-2.0-only
/*
 * A UEFI application: it counts in a variable how often it was started, says so, and powers
 * off. As much of the specification's tables (UEFI 2.10, 4.3 and 8) as that needs. It is
 * built with -mabi=ms: so are UEFI's functions called.
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

struct system_table {
	uint8_t header[24];
	uint16_t *vendor;
	uint64_t revision;
	void *in_handle, *in, *out_handle;
	struct text_output *out;
	void *err_handle, *err;
	struct runtime_services *runtime;
};

_Static_assert(offsetof(struct runtime_services, reset) == 104, "UEFI 4.5");
_Static_assert(offsetof(struct system_table, runtime) == 88, "UEFI 4.3");

static const struct guid ours = {
	0x4b1d2a4e, 0x6d0c, 0x4b1f, { 0x9a, 0x51, 0x6a, 0x6f, 0x69, 0x73, 0x74, 0x01 },
};

static const uint16_t name[] = { 'B', 'o', 'o', 't', 's', 0 };

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
	st->runtime->reset(SHUTDOWN, 0, 0, NULL);
	return 0;
}

/* None is needed, for all is relative: but without the section we may not be moved. */
__asm__(".section .reloc, \"a\"\n\t.long 0, 8\n");
