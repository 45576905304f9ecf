// SPDX-License-Identifier: GPL-2.0-only
/* The configuration's networks: sections of switches, and of VMs' interfaces. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_parse.h"

cfg_opt_t config_nic_opts[] = {
	TEXT("switch"), TEXT("macvtap"), TEXT("user"), TEXT("mac"), TEXT("vlan"),
	TEXT("isolated"), TEXT("rate-in"), TEXT("rate-out"), TEXT("mac-check"),
	TEXT("mtu"), TEXT("queues"), TEXTS("trunk"), TEXTS("ip"), TEXTS("forward"), CFG_END(),
};

cfg_opt_t config_switch_opts[] = {
	TEXT("vlan-filtering"), TEXT("uplink"), TEXT("address"), TEXT("dhcp"),
	TEXT("nat"), TEXT("ip-forward"), TEXT("isolated"), TEXT("mtu"),
	TEXTS("dns"), TEXTS("users"), CFG_END(),
};

/* A member of an interface's and of a switch's section. */
static int check_nic(cfg_t *cfg, cfg_opt_t *opt)
{
	struct interface scratch;
	struct complaint c;

	interface_init(&scratch, "", &c);
	if (interface_set(&scratch, opt->name, config_last(opt), &c))
		cfg_error(cfg, "%s", c.text);
	interface_free(&scratch);
	return 0;
}

static int check_switch(cfg_t *cfg, cfg_opt_t *opt)
{
	struct switch_def scratch;
	struct complaint c;

	switch_init(&scratch, "s", &c);
	if (switch_set(&scratch, opt->name, config_last(opt), &c))
		cfg_error(cfg, "%s", c.text);
	return 0;
}

/* Their faults are told where they stand. */
static void apply_nic(struct definition *def, cfg_t *sec, int from)
{
	struct complaint known, c;
	struct interface *nic = definition_interface(def, cfg_title(sec), &c);
	int line = config_line("interface", sec, from);
	unsigned int k, i;

	if (!nic) {
		config_fault(reading.config, reading.file, line, "%s", c.text);
		return;
	}
	nic->line = line;
	for (k = 0; config_nic_opts[k].name; k++) {
		const char *key = config_nic_opts[k].name;
		cfg_opt_t *opt = cfg_getopt(sec, key);

		for (i = 0; opt && i < cfg_opt_size(opt); i++) {
			char *full = config_expand(cfg_opt_getnstr(opt, i), def->name);

			if (full)
				interface_set(nic, key, full, &known);
			free(full);
		}
	}
}

void config_apply_nics(struct definition *def, const char *kind, cfg_t *sec)
{
	int from = config_line(kind, sec, 1);
	unsigned int i;

	for (i = 0; i < cfg_size(sec, "interface"); i++)
		apply_nic(def, cfg_getnsec(sec, "interface", i), from);
}

const struct switch_def *config_switch(const struct config *config, const char *name)
{
	int i;

	for (i = 0; i < config->nr_switches; i++)
		if (!strcmp(config->sw[i].name, name))
			return &config->sw[i];
	return NULL;
}

static void fill_switch(struct switch_def *sw, cfg_t *sec)
{
	struct complaint known;
	unsigned int k, i;

	for (k = 0; config_switch_opts[k].name; k++) {
		const char *key = config_switch_opts[k].name;
		cfg_opt_t *opt = cfg_getopt(sec, key);

		for (i = 0; opt && i < cfg_opt_size(opt); i++)
			switch_set(sw, key, cfg_opt_getnstr(opt, i), &known);
	}
}

void config_add_switch(struct config *config, cfg_t *sec)
{
	int line = config_line("switch", sec, 1);
	struct switch_def *more, *sw;
	struct complaint c;

	if (config->nr_switches == SWITCHES_MAX) {
		config_fault(config, reading.file, line, "more than %d switches", SWITCHES_MAX);
		return;
	}
	if (config_switch(config, cfg_title(sec))) {
		config_fault(config, reading.file, line,
			     "there is a switch \"%s\" in another file", cfg_title(sec));
		return;
	}
	more = realloc(config->sw, ((size_t)config->nr_switches + 1) * sizeof(*more));
	if (!more)
		return;
	config->sw = more;
	sw = &more[config->nr_switches];
	if (switch_init(sw, cfg_title(sec), &c)) {
		config_fault(config, reading.file, line, "%s", c.text);
		return;
	}
	config->nr_switches++;
	fill_switch(sw, sec);
	if (switch_check(sw, &c))
		config_fault(config, reading.file, line, "%s", c.text);
}

/* Are interfaces whole, and the switches there that they name? */
void config_check_nics(struct config *config, const struct definition *def)
{
	const struct interface *nic;
	struct complaint c;
	int i;

	for (i = 0; i < def->nr_nics; i++) {
		const struct switch_def *sw;

		nic = &def->nic[i];
		sw = config_switch(config, nic->link);
		if (interface_check(nic, &c))
			config_fault(config, def->file, nic->line, "%s", c.text);
		else if (nic->kind == IF_SWITCH && *nic->link && !sw)
			config_fault(config, def->file, nic->line,
				     "the interface \"%s\" is in the switch \"%s\", which is nowhere",
				     nic->name, nic->link);
		else if (nic->kind == IF_SWITCH && sw && switch_takes(sw, nic, &c))
			config_fault(config, def->file, nic->line, "%s", c.text);
	}
}

/* Each value is checked where it stands. */
void config_net_validate(cfg_t *cfg)
{
	static const char *const kinds[] = { "vm", "template" };
	char name[64];
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (k = 0; config_nic_opts[k].name; k++) {
			snprintf(name, sizeof(name), "%s|interface|%s", kinds[i],
				 config_nic_opts[k].name);
			cfg_set_validate_func(cfg, name, check_nic);
		}
	}
	for (k = 0; config_switch_opts[k].name; k++) {
		snprintf(name, sizeof(name), "switch|%s", config_switch_opts[k].name);
		cfg_set_validate_func(cfg, name, check_switch);
	}
}
