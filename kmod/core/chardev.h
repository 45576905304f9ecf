/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef JOIST_CORE_CHARDEV_H
#define JOIST_CORE_CHARDEV_H

int chardev_register(void);
void chardev_unregister(void);

#endif
