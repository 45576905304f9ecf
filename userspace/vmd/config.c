// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration: joist.conf and conf.d beside it. libconfuse reads the syntax; all
 * values are text to it, because its own checks end the reading at the first fault.
 */
#include <confuse.h>
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_parse.h"
#include "js.h"
#include "users.h"

#define FILE_SIZE_MAX	(1 << 20)
#define UNKNOWN		"no such option"
#define STAGGER_MAX_MS	3600000

/* The file being read: libconfuse's callbacks have no context of ours. */
struct reading reading;

void config_fault(struct config *config, const char *file, int line,
		  const char *fmt, ...)
{
	struct fault *f = &config->fault[config->nr_faults];
	va_list args;

	if (config->nr_faults == FAULTS_MAX)
		return;
	va_start(args, fmt);
	if (vasprintf(&f->message, fmt, args) < 0)
		f->message = NULL;
	va_end(args);
	f->file = strdup(file);
	f->line = line;
	config->nr_faults++;
}

static void drop_faults(struct config *config, int from)
{
	while (config->nr_faults > from) {
		struct fault *f = &config->fault[--config->nr_faults];

		free(f->file);
		free(f->message);
	}
}

/* Is that what was complained of last? */
static bool last_fault(const struct config *config, int line, const char *text)
{
	const struct fault *f;

	if (!config->nr_faults)
		return false;
	f = &config->fault[config->nr_faults - 1];
	return f->line == line && f->message && !strcmp(f->message, text) &&
	       !strcmp(f->file, reading.file);
}

/* What libconfuse and the checks below complain of. */
static void on_error(cfg_t *cfg, const char *fmt, va_list args)
{
	bool unknown = !strncmp(fmt, UNKNOWN, strlen(UNKNOWN));
	char text[512];

	/* In sections that take any option it complains, and takes it. */
	if (unknown && (cfg->flags & CFGF_KEYSTRVAL))
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	if (unknown)
		reading.unknown_line = cfg->line;
	/* The last value of a list is checked twice. */
	if (last_fault(reading.config, cfg->line, text))
		return;
	config_fault(reading.config, reading.file, cfg->line, "%s", text);
}

const char *config_last(cfg_opt_t *opt)
{
	const char *text = cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);

	return text ?: "";
}

/* A member of a definition: tried on one that is thrown away. */
static int check_member(cfg_t *cfg, cfg_opt_t *opt)
{
	struct definition scratch;
	struct complaint c;

	definition_init(&scratch);
	if (definition_set(&scratch, opt->name, config_last(opt), &c) ||
	    owner_resolve(&scratch.owner, &c))
		cfg_error(cfg, "%s", c.text);
	definition_free(&scratch);
	return 0;
}

static int check_disk_option(cfg_t *cfg, cfg_opt_t *opt)
{
	struct disk_options scratch;
	const char *wrong = disk_option_set(&scratch, opt->name, config_last(opt));

	if (wrong)
		cfg_error(cfg, "%s '%s' %s", opt->name, config_last(opt), wrong);
	return 0;
}

static int check_path(cfg_t *cfg, cfg_opt_t *opt)
{
	if (*config_last(opt) != '/')
		cfg_error(cfg, "%s '%s' is no absolute path", opt->name,
			  config_last(opt));
	return 0;
}

static int check_bool(cfg_t *cfg, cfg_opt_t *opt)
{
	bool scratch;

	if (!bool_parse(config_last(opt), &scratch))
		cfg_error(cfg, "%s '%s' is neither yes nor no", opt->name, config_last(opt));
	return 0;
}

static bool seconds_parse(const char *text, u32 *ms)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end || !(s >= 0 && s <= STAGGER_MAX_MS / 1000))
		return false;
	*ms = (u32)(s * 1000);
	return true;
}

static int check_stagger(cfg_t *cfg, cfg_opt_t *opt)
{
	u32 ms;

	if (!seconds_parse(config_last(opt), &ms))
		cfg_error(cfg, "%s '%s' is not a number of seconds from 0 to %d",
			  opt->name, config_last(opt), STAGGER_MAX_MS / 1000);
	return 0;
}

static int check_user(cfg_t *cfg, cfg_opt_t *opt)
{
	u32 uid, gid;

	if (user_find(config_last(opt), &uid, &gid))
		cfg_error(cfg, "there is no user '%s'", config_last(opt));
	return 0;
}

static int check_group(cfg_t *cfg, cfg_opt_t *opt)
{
	u32 gid;

	if (group_find(config_last(opt), &gid))
		cfg_error(cfg, "there is no group '%s'", config_last(opt));
	return 0;
}

#define MANY		(CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES)

static const char *const keys[] = {
	"firmware", "kernel", "initrd", "cmdline", "vcpus", "memory", "pluggable", "autostart",
	"restart", "cpu-max", "memory-max", "pids-max", "owner", "uuid", "balloon", "rng",
	"user-data", "meta-data", "network-config",
	"watchdog", "vsock",
};

static cfg_t *make_parser(void)
{
	static cfg_opt_t disk[] = {
		TEXT("path"), TEXT("readonly"), TEXT("format"), TEXT("serial"),
		TEXT("queues"), TEXT("direct"), TEXT("discard"), TEXT("iops"), TEXT("bps"),
		CFG_END(),
	};
	static cfg_opt_t share[] = { TEXT("path"), TEXT("readonly"), CFG_END() };
	static cfg_opt_t vm[] = {
		TEXT("firmware"),
		TEXT("kernel"), TEXT("initrd"), TEXT("cmdline"), TEXT("vcpus"),
		TEXT("memory"), TEXT("pluggable"), TEXT("autostart"), TEXT("restart"),
		TEXT("cpu-max"), TEXT("memory-max"), TEXT("pids-max"),
		TEXT("owner"), TEXT("uuid"), TEXT("template"),
		TEXT("user-data"), TEXT("meta-data"), TEXT("network-config"),
		TEXT("balloon"), TEXT("rng"), TEXT("watchdog"), TEXT("vsock"),
		CFG_SEC("disk", disk, MANY),
		CFG_SEC("share", share, MANY),
		CFG_SEC("interface", config_nic_opts, MANY),
		CFG_SEC("device", config_device_opts, MANY),
		CFG_END(),
	};
	static cfg_opt_t vmd[] = {
		TEXT("user"), TEXT("group"), TEXT("socket"), CFG_END(),
	};
	static cfg_opt_t root[] = {
		CFG_SEC("vm", vm, MANY),
		CFG_SEC("template", vm, MANY),
		CFG_SEC("switch", config_switch_opts, MANY),
		CFG_SEC("vf", config_vf_opts, MANY),
		CFG_SEC("vmd", vmd, CFGF_NONE),
		TEXT("autostart-stagger"),
		CFG_END(),
	};
	static const char *const sections[] = { "vm", "template" };
	cfg_t *cfg = cfg_init(root, CFGF_NONE);
	char name[64];
	size_t i, k;

	if (!cfg)
		return NULL;
	cfg_set_error_function(cfg, on_error);
	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		for (k = 0; k < ARRAY_SIZE(keys); k++) {
			snprintf(name, sizeof(name), "%s|%s", sections[i],
				 keys[k]);
			cfg_set_validate_func(cfg, name, check_member);
		}
		snprintf(name, sizeof(name), "%s|disk|path", sections[i]);
		cfg_set_validate_func(cfg, name, check_path);
		snprintf(name, sizeof(name), "%s|share|path", sections[i]);
		cfg_set_validate_func(cfg, name, check_path);
		snprintf(name, sizeof(name), "%s|share|readonly", sections[i]);
		cfg_set_validate_func(cfg, name, check_bool);
		for (k = 0; disk_option_name(k); k++) {
			snprintf(name, sizeof(name), "%s|disk|%s", sections[i],
				 disk_option_name(k));
			cfg_set_validate_func(cfg, name, check_disk_option);
		}
	}
	config_net_validate(cfg);
	config_device_validate(cfg);
	cfg_set_validate_func(cfg, "vmd|user", check_user);
	cfg_set_validate_func(cfg, "vmd|group", check_group);
	cfg_set_validate_func(cfg, "vmd|socket", check_path);
	cfg_set_validate_func(cfg, "autostart-stagger", check_stagger);
	return cfg;
}

/* The value an option was given, or NULL. */
static const char *given(cfg_t *cfg, const char *key)
{
	cfg_opt_t *opt = cfg_getopt(cfg, key);

	return opt && cfg_opt_size(opt) ? config_last(opt) : NULL;
}

/* Whether it says what starts the VM. */
static bool starts(cfg_t *sec)
{
	return given(sec, "kernel") || given(sec, "firmware");
}

/* libconfuse keeps the line where a section ends: look where it begins, @from on. */
int config_line(const char *kind, cfg_t *sec, int from)
{
	const char *title = cfg_title(sec), *p = reading.text;
	int line;

	for (line = 1; *p; line++) {
		const char *eol = p + strcspn(p, "\n");

		p += strspn(p, " \t");
		if (line >= from && !strncmp(p, kind, strlen(kind))) {
			p += strlen(kind);
			p += strspn(p, " \t\"'");
			if (!strncmp(p, title, strlen(title)) &&
			    strchr(" \t\"'{\n", p[strlen(title)]))
				return line;
		}
		p = *eol ? eol + 1 : eol;
	}
	return sec->line;
}

/* "%n" is the VM's name. Return: a copy, or NULL. */
char *config_expand(const char *text, const char *name)
{
	char *out = NULL, *at;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	if (!f)
		return NULL;
	while ((at = strstr(text, "%n"))) {
		fwrite(text, 1, (size_t)(at - text), f);
		fputs(name, f);
		text = at + 2;
	}
	fputs(text, f);
	return fclose(f) ? NULL : out;
}

static void apply_disks(struct definition *def, cfg_t *sec, struct complaint *c)
{
	unsigned int i;

	for (i = 0; i < cfg_size(sec, "disk"); i++) {
		cfg_t *disk = cfg_getnsec(sec, "disk", i);
		const char *path = given(disk, "path"), *name;
		struct disk_options options = { 0 };
		const char *title = cfg_title(disk);
		struct complaint known;
		char *full;
		size_t k;

		/* A template's and the VM's may be the same word: then there are two disks. */
		if (!device_name_valid(title) || definition_disk(def, title))
			title = NULL;

		/* Its faults were told where the value stands. */
		for (k = 0; (name = disk_option_name(k)); k++)
			if (given(disk, name))
				disk_option_set(&options, name, given(disk, name));
		full = path ? config_expand(path, def->name) : NULL;
		if (!full)
			complain(c, "the disk \"%s\" has no path", cfg_title(disk));
		else
			definition_add_disk(def, title, full, &options,
					    *full == '/' ? c : &known);
		free(full);
	}
}

static void apply_shares(struct definition *def, cfg_t *sec, struct complaint *c)
{
	unsigned int i;

	for (i = 0; i < cfg_size(sec, "share"); i++) {
		cfg_t *share = cfg_getnsec(sec, "share", i);
		const char *path = given(share, "path"), *word = given(share, "readonly");
		bool readonly = false;
		char *full = path ? config_expand(path, def->name) : NULL;

		/* Faults of its values were told where they stand. */
		if (word)
			bool_parse(word, &readonly);
		if (!full)
			complain(c, "the share \"%s\" has no path", cfg_title(share));
		else if (*full == '/')
			shares_add(&def->shares, cfg_title(share), full, readonly, c);
		free(full);
	}
}

/* What a section says goes into a definition. @c: the last fault, untouched if none. */
static void apply(struct definition *def, const char *kind, cfg_t *sec, struct complaint *c)
{
	struct complaint known;
	size_t k;

	for (k = 0; k < ARRAY_SIZE(keys); k++) {
		const char *text = given(sec, keys[k]);
		char *full;

		if (!text)
			continue;
		full = config_expand(text, def->name);
		/* Its faults were told where the value stands. */
		if (full && !definition_set(def, keys[k], full, &known))
			owner_resolve(&def->owner, &known);
		free(full);
	}
	apply_disks(def, sec, c);
	apply_shares(def, sec, c);
	config_apply_nics(def, kind, sec);
	config_apply_devices(def, sec, c);
}

static cfg_t *find_section(cfg_t *cfg, const char *kind, const char *title)
{
	unsigned int i;

	for (i = 0; i < cfg_size(cfg, kind); i++)
		if (!strcmp(cfg_title(cfg_getnsec(cfg, kind, i)), title))
			return cfg_getnsec(cfg, kind, i);
	return NULL;
}

static const struct definition *find_vm(const struct config *config,
					const struct definition *like)
{
	int i;

	for (i = 0; i < config->nr_vms; i++)
		if (!strcmp(config->vm[i].name, like->name) ||
		    !strcmp(config->vm[i].uuid, like->uuid))
			return &config->vm[i];
	return NULL;
}

static void add_vm(struct config *config, cfg_t *cfg, cfg_t *sec, const char *host)
{
	int line = config_line("vm", sec, 1);
	const struct definition *other;
	struct definition *def, *more;
	struct complaint c = { "" };
	const char *template = given(sec, "template");
	cfg_t *from = template ? find_section(cfg, "template", template) : NULL;

	if (template && !from)
		config_fault(config, reading.file, line,
			     "there is no template \"%s\" in this file", template);
	if (!name_valid(cfg_title(sec))) {
		config_fault(config, reading.file, line,
			     "'%s' is no name for a VM: " NAME_RULE,
			     cfg_title(sec));
		return;
	}
	more = config->nr_vms < VMS_MAX ?
	       realloc(config->vm, ((size_t)config->nr_vms + 1) * sizeof(*more)) :
	       NULL;
	if (!more) {
		config_fault(config, reading.file, line, "more than %d VMs",
			     VMS_MAX);
		return;
	}
	config->vm = more;
	def = &more[config->nr_vms];
	definition_init(def);
	snprintf(def->name, sizeof(def->name), "%s", cfg_title(sec));
	if (from)
		apply(def, "template", from, &c);
	apply(def, "vm", sec, &c);
	if (!*def->uuid || (from && given(from, "uuid") && !given(sec, "uuid")))
		uuid_from_name(def->uuid, host, def->name);
	def->file = strdup(reading.file);
	def->line = line;
	if (c.text[0] || definition_check(def, &c)) {
		/* A kernel or firmware that is there but wrong has been complained of. */
		if (def->kernel || def->firmware ||
		    !(starts(sec) || (from && starts(from))))
			config_fault(config, reading.file, line, "%s", c.text);
	}
	other = find_vm(config, def);
	if (other)
		config_fault(config, reading.file, line,
			     "the name or UUID of the VM '%s' is that of the VM '%s' in %s:%d",
			     def->name, other->name, other->file, other->line);
	config->nr_vms++;
}

static void take_settings(struct config *config, cfg_t *cfg)
{
	cfg_t *vmd = cfg_getsec(cfg, "vmd");
	const char *text = given(vmd, "socket");

	if (given(cfg, "autostart-stagger"))
		seconds_parse(given(cfg, "autostart-stagger"),
			      &config->stagger_ms);
	if (given(vmd, "user"))
		snprintf(config->user, sizeof(config->user), "%s",
			 given(vmd, "user"));
	if (given(vmd, "group"))
		snprintf(config->group, sizeof(config->group), "%s",
			 given(vmd, "group"));
	if (text && strlen(text) >= sizeof(config->socket))
		config_fault(config, reading.file, vmd->line,
			     "the socket's path is longer than %zu bytes",
			     sizeof(config->socket) - 1);
	else if (text)
		snprintf(config->socket, sizeof(config->socket), "%s", text);
}

/* One pass. Return: the parser with all it found, or NULL: it could not get through. */
static cfg_t *parse(void)
{
	cfg_t *cfg = make_parser();
	FILE *f = fmemopen(reading.text, max(reading.len, (size_t)1), "r");
	int ret = CFG_PARSE_ERROR;

	reading.unknown_line = 0;
	if (cfg && f) {
		/* For what libconfuse itself prints; the callback has its own. */
		cfg->filename = strdup(reading.file);
		ret = cfg_parse_fp(cfg, f);
	}
	if (f)
		fclose(f);
	if (ret == CFG_SUCCESS)
		return cfg;
	cfg_free(cfg);
	return NULL;
}

/* Blank an option's line. Return: whether that can help. */
static bool blank_line(int line)
{
	char *p = reading.text;
	size_t len;

	while (--line && p)
		p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL;
	if (!p)
		return false;
	len = strcspn(p, "\n");
	if (memchr(p, '{', len) || memchr(p, '}', len) || strspn(p, " ") == len)
		return false;
	memset(p, ' ', len);
	return true;
}

/*
 * An unknown option ends libconfuse's reading. It is told, its line is blanked, and the
 * file read again, so that all faults are found at once.
 */
static void read_text(struct config *config, const char *host)
{
	int first = config->nr_faults, unknown = 0;
	struct fault kept;
	unsigned int i;
	cfg_t *cfg;

	for (;;) {
		cfg = parse();
		if (cfg || !reading.unknown_line ||
		    config->nr_faults == FAULTS_MAX ||
		    !blank_line(reading.unknown_line))
			break;
		/* Keep the unknown ones of all passes; the others come again. */
		kept = config->fault[--config->nr_faults];
		drop_faults(config, first + unknown);
		config->fault[config->nr_faults++] = kept;
		unknown++;
	}
	if (!cfg)
		return;
	for (i = 0; i < cfg_size(cfg, "switch"); i++)
		config_add_switch(config, cfg_getnsec(cfg, "switch", i));
	for (i = 0; i < cfg_size(cfg, "vf"); i++)
		config_add_vf(config, cfg_getnsec(cfg, "vf", i));
	for (i = 0; i < cfg_size(cfg, "vm"); i++)
		add_vm(config, cfg, cfg_getnsec(cfg, "vm", i), host);
	take_settings(config, cfg);
	cfg_free(cfg);
}

/* Return: where it ends. */
static char *blank_until(char *p, const char *end, size_t len)
{
	char *stop = strstr(p, end);
	char *last = stop ? stop + len : p + strlen(p);

	for (; p < last; p++)
		if (*p != '\n')
			*p = ' ';
	return p;
}

static int line_of(const char *at)
{
	const char *p;
	int line = 1;

	for (p = reading.text; p < at; p++)
		line += *p == '\n';
	return line;
}

/*
 * libconfuse counts the lines of comments more than once: it is to see none. A comment
 * begins where a word could. Nor does it mind a section that is not closed: tell its line.
 */
static void blank_comments(char *p)
{
	bool start = true;
	int depth = 0;

	while (*p) {
		if (*p == '{' && !depth++)
			reading.open_line = line_of(p);
		if (*p == '}' && depth && !--depth)
			reading.open_line = 0;
		if (*p == '"' || *p == '\'') {
			char quote = *p++;

			while (*p && *p != quote)
				p += *p == '\\' && p[1] ? 2 : 1;
			p += *p == quote;
			start = true;
		} else if (start && (*p == '#' || (*p == '/' && p[1] == '/'))) {
			p = blank_until(p, "\n", 0);
		} else if (start && *p == '/' && p[1] == '*') {
			p = blank_until(p, "*/", 2);
		} else {
			start = strchr(" \t\n={}()+,", *p);
			p++;
		}
	}
}

static void read_file(struct config *config, const char *file, const char *host)
{
	FILE *f = fopen(file, "re");
	struct stat st;

	reading = (struct reading) { .config = config, .file = file };
	if (!f || fstat(fileno(f), &st)) {
		config_fault(config, file, 0, "cannot be read: %s",
			     strerror(errno));
	} else if (!S_ISREG(st.st_mode) || st.st_size > FILE_SIZE_MAX) {
		config_fault(config, file, 0, "is no file of at most 1 MiB");
	} else {
		reading.text = calloc(1, (size_t)st.st_size + 1);
		if (reading.text)
			reading.len = fread(reading.text, 1,
					    (size_t)st.st_size, f);
		if (reading.text) {
			blank_comments(reading.text);
			read_text(config, host);
			if (reading.open_line)
				config_fault(config, file, reading.open_line,
					     "the section that begins here does not end");
		}
		free(reading.text);
	}
	if (f)
		fclose(f);
}

/**
 * config_read() - read a configuration file and conf.d beside it
 * @config: filled in; config_free() is due in all cases
 * @file: CONFIG_FILE, which need not be there, or another, which must
 * @host: what tells this host from others: UUIDs follow from it
 *
 * Return: 0, or -EINVAL: there are faults.
 */
int config_read(struct config *config, const char *file, const char *host)
{
	char pattern[4096];
	char *copy;
	glob_t found;
	size_t i;
	int k;

	memset(config, 0, sizeof(*config));
	snprintf(config->user, sizeof(config->user), "_joist");
	snprintf(config->group, sizeof(config->group), "joist");
	if (strcmp(file, CONFIG_FILE) || !access(file, F_OK))
		read_file(config, file, host);
	copy = strdup(file);
	snprintf(pattern, sizeof(pattern), "%s/conf.d/*.conf",
		 copy ? dirname(copy) : ".");
	free(copy);
	if (!glob(pattern, 0, NULL, &found)) {
		for (i = 0; i < found.gl_pathc; i++)
			read_file(config, found.gl_pathv[i], host);
		globfree(&found);
	}
	/* Switches may be in another file than who uses them. */
	for (k = 0; k < config->nr_vms; k++)
		config_check_nics(config, &config->vm[k]);
	return config->nr_faults ? -EINVAL : 0;
}

void config_free(struct config *config)
{
	int i;

	for (i = 0; i < config->nr_vms; i++)
		definition_free(&config->vm[i]);
	free(config->vm);
	free(config->sw);
	config->sw = NULL;
	config->nr_switches = 0;
	config->vm = NULL;
	config->nr_vms = 0;
	drop_faults(config, 0);
}

struct json_object *config_faults_json(const struct config *config)
{
	struct json_object *list = json_object_new_array();
	int i;

	for (i = 0; i < config->nr_faults; i++) {
		struct json_object *f = js_new("file", config->fault[i].file);

		js_add_int(f, "line", config->fault[i].line);
		js_add_text(f, "message", config->fault[i].message);
		json_object_array_add(list, f);
	}
	return list;
}
