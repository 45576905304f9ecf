// SPDX-License-Identifier: GPL-2.0-only
/* The configuration's devices of the host: sections of VMs, and virtual functions to be made. */
#include <stdio.h>
#include <string.h>

#include "config_parse.h"

#define VFS_MOST	65535

cfg_opt_t config_device_opts[] = {
	TEXT("host"), TEXT("vf-of"), TEXT("mac"), TEXT("vlan"), TEXT("on-fault"), TEXT("force"),
	TEXTS("io-ports"), TEXTS("mmio"), CFG_END(),
};

cfg_opt_t config_vf_opts[] = { TEXT("count"), CFG_END() };

static int check_device(cfg_t *cfg, cfg_opt_t *opt)
{
	struct assigned scratch = { 0 };
	struct complaint c;

	if (assigned_set(&scratch, opt->name, config_last(opt), &c))
		cfg_error(cfg, "%s", c.text);
	return 0;
}

static int check_range(cfg_t *cfg, cfg_opt_t *opt)
{
	struct platform_device scratch = { 0 };
	struct complaint c;

	if (platform_set(&scratch, opt->name, config_last(opt), &c))
		cfg_error(cfg, "%s", c.text);
	return 0;
}

static int check_count(cfg_t *cfg, cfg_opt_t *opt)
{
	struct complaint c;
	u64 count;

	if (number_set("count", config_last(opt), 0, VFS_MOST, &count, &c))
		cfg_error(cfg, "%s", c.text);
	return 0;
}

static bool given_any(cfg_t *sec, const char *const *keys)
{
	for (; *keys; keys++)
		if (cfg_size(sec, *keys))
			return true;
	return false;
}

/* One that is not PCI's. Faults of its ranges are told where they stand. */
static void apply_platform(struct definition *def, cfg_t *sec, struct complaint *c)
{
	struct platform_device dev = { 0 };
	struct complaint known = { "" };
	unsigned int k, i;

	if (given_any(sec, assigned_keys)) {
		complain(c, "the device \"%s\" has io-ports or mmio, and what is for PCI devices",
			 cfg_title(sec));
		return;
	}
	snprintf(dev.name, sizeof(dev.name), "%s", cfg_title(sec));
	for (k = 0; platform_keys[k]; k++) {
		cfg_opt_t *opt = cfg_getopt(sec, platform_keys[k]);

		for (i = 0; opt && i < cfg_opt_size(opt); i++)
			platform_set(&dev, platform_keys[k], cfg_opt_getnstr(opt, i), &known);
	}
	if (!*known.text)
		platform_add(&def->platform, &dev, c);
}

static void apply_device(struct definition *def, cfg_t *sec, struct complaint *c)
{
	const char *title = cfg_title(sec);
	struct assigned dev = { 0 };
	struct complaint known = { "" };
	unsigned int k;

	if (!device_name_valid(title)) {
		complain(c, "'%.100s' is no name for a device: " DEVICE_NAME_RULE, title);
		return;
	}
	if (given_any(sec, platform_keys)) {
		apply_platform(def, sec, c);
		return;
	}
	snprintf(dev.name, sizeof(dev.name), "%s", title);
	/* Faults of its values are told where they stand; but not that it is two at once. */
	for (k = 0; assigned_keys[k]; k++) {
		cfg_opt_t *opt = cfg_getopt(sec, assigned_keys[k]);

		if (!opt || !cfg_opt_size(opt))
			continue;
		if (!strcmp(assigned_keys[k], "vf-of") && *dev.host)
			complain(c, "the device \"%s\" is either 'host' or 'vf-of'", title);
		else
			assigned_set(&dev, assigned_keys[k], config_last(opt), &known);
	}
	if (*dev.host || !*known.text)
		assignments_add(&def->devices, &dev, c);
}

/* @c: the last fault, untouched if none. */
void config_apply_devices(struct definition *def, cfg_t *sec, struct complaint *c)
{
	unsigned int i;

	for (i = 0; i < cfg_size(sec, "device"); i++)
		apply_device(def, cfg_getnsec(sec, "device", i), c);
}

void config_add_vf(struct config *config, cfg_t *sec)
{
	struct vf_def *vf = &config->vf[config->nr_vfs];
	int line = config_line("vf", sec, 1), i;
	cfg_opt_t *opt = cfg_getopt(sec, "count");
	struct complaint c;
	u64 count;

	if (config->nr_vfs == VF_DEFS_MAX) {
		config_fault(config, reading.file, line, "more than %d sections vf", VF_DEFS_MAX);
		return;
	}
	if (pci_addr_parse(cfg_title(sec), vf->addr)) {
		config_fault(config, reading.file, line,
			     "'%s' is no PCI address as 0000:01:00.0", cfg_title(sec));
		return;
	}
	for (i = 0; i < config->nr_vfs; i++) {
		if (strcmp(config->vf[i].addr, vf->addr))
			continue;
		config_fault(config, reading.file, line, "there is a section vf for %s already",
			     vf->addr);
		return;
	}
	if (!opt || !cfg_opt_size(opt)) {
		config_fault(config, reading.file, line, "the section vf \"%s\" has no count",
			     cfg_title(sec));
		return;
	}
	/* A fault of it is told where it stands. */
	if (number_set("count", config_last(opt), 0, VFS_MOST, &count, &c))
		return;
	vf->count = (u32)count;
	config->nr_vfs++;
}

void config_device_validate(cfg_t *cfg)
{
	static const char *const kinds[] = { "vm", "template" };
	char name[64];
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (k = 0; assigned_keys[k]; k++) {
			snprintf(name, sizeof(name), "%s|device|%s", kinds[i], assigned_keys[k]);
			cfg_set_validate_func(cfg, name, check_device);
		}
		for (k = 0; platform_keys[k]; k++) {
			snprintf(name, sizeof(name), "%s|device|%s", kinds[i], platform_keys[k]);
			cfg_set_validate_func(cfg, name, check_range);
		}
	}
	cfg_set_validate_func(cfg, "vf|count", check_count);
}
