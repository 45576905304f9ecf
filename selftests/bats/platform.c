// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices of the bench's that are not PCI's: QEMU's firmware configuration, by its ports, and the
 * chipset's own registers (ICH9, chapter 10), by the memory that firmware has put them at.
 */
#include "kernel.h"

#define FW_CFG_SELECT	0x510
#define FW_CFG_DATA	0x511
#define FW_CFG_SIGNATURE	0
#define CHIPSET		0xfed1c000
#define GENERAL_CONTROL	0x3410
#define SCRATCH		0x3ff0	/* it keeps what is written there */
#define WORD		0x6a6f6973

void read_fw_cfg(void)
{
	char text[5] = "";
	int i;

	put16(FW_CFG_SELECT, FW_CFG_SIGNATURE);
	for (i = 0; i < 4; i++) {
		text[i] = get8(FW_CFG_DATA);
		if (text[i] < ' ')
			text[i] = '?';
	}
	print("fw_cfg: ");
	print(text);
}

void use_chipset(void)
{
	volatile u32 *scratch = (void *)(CHIPSET + SCRATCH);

	print("chipset: control ");
	print_number(*(volatile u32 *)(CHIPSET + GENERAL_CONTROL));
	*scratch = WORD;
	print(*scratch == WORD ? ", kept" : ", lost");
}
