/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that read the configuration share. */
#ifndef VMD_CONFIG_PARSE_H
#define VMD_CONFIG_PARSE_H

#include <confuse.h>

#include "config.h"

#define TEXT(name)	CFG_STR(name, NULL, CFGF_NODEFAULT)
#define TEXTS(name)	CFG_STR_LIST(name, NULL, CFGF_NODEFAULT)

/**
 * struct reading - the file being read
 * @text: it, comments blanked
 * @unknown_line: of an option that there is none of
 * @open_line: of a section that does not end
 */
struct reading {
	struct config *config;
	const char *file;
	char *text;
	size_t len;
	int unknown_line;
	int open_line;
};

extern struct reading reading;

const char *config_last(cfg_opt_t *opt);
int config_line(const char *kind, cfg_t *sec, int from);
char *config_expand(const char *text, const char *name);

/* config_device.c */
extern cfg_opt_t config_device_opts[];
extern cfg_opt_t config_vf_opts[];

void config_device_validate(cfg_t *cfg);
void config_apply_devices(struct definition *def, cfg_t *sec, struct complaint *c);
void config_add_vf(struct config *config, cfg_t *sec);

/* config_net.c */
extern cfg_opt_t config_nic_opts[];
extern cfg_opt_t config_switch_opts[];

void config_net_validate(cfg_t *cfg);
void config_apply_nics(struct definition *def, const char *kind, cfg_t *sec);
void config_add_switch(struct config *config, cfg_t *sec);
void config_check_nics(struct config *config, const struct definition *def);

#endif
