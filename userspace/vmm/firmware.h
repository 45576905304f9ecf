/* SPDX-License-Identifier: GPL-2.0-only */
/* Firmware as people name it, and the files that are meant. */
#ifndef VMM_FIRMWARE_H
#define VMM_FIRMWARE_H

struct vmm_firmware;

int firmware_parse(char *text, struct vmm_firmware *fw, const char **wrong);
int firmware_fill_vars(int fd, const char *from);
int firmware_make_vars(const struct vmm_firmware *fw);
const char *firmware_package(const char *path);

#endif
