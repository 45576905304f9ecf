// SPDX-License-Identifier: GPL-2.0-only
/* vmctl run: one virtual machine on this terminal. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "libjoist/joist.h"
#include "parse.h"
#include "vmctl.h"
#include "vmm/memory.h"
#include "vmm/vmm.h"

/*
 * quiet: each line costs two exits per byte. panic=-1: a panic ends the guest at
 * once. reboot=panic_warm: by that vmctl tells it from a reboot. cryptomgr.notests:
 * the known-answer tests of the ciphers are two thirds of a boot, and the same in each
 * VM; a kernel in FIPS mode runs them all the same.
 */
#define DEFAULT_CMDLINE							\
	"console=ttyS0 quiet panic=-1 reboot=panic_warm cryptomgr.notests"
#define DEFAULT_MEMORY	(256ULL << 20)
#define MIB		(1ULL << 20)
#define READONLY_SUFFIX	",ro"

enum { OPT_DEBUG_EXIT = 256, OPT_DEVICE, OPT_JSON, OPT_REBOOT, OPT_ONLY };

static const struct option options[] = {
	{ "vcpus", required_argument, NULL, 'c' },
	{ "memory", required_argument, NULL, 'm' },
	{ "initrd", required_argument, NULL, 'i' },
	{ "cmdline", required_argument, NULL, 'a' },
	{ "cmdline-only", no_argument, NULL, OPT_ONLY },
	{ "disk", required_argument, NULL, 'd' },
	{ "debug-exit", required_argument, NULL, OPT_DEBUG_EXIT },
	{ "device-path", required_argument, NULL, OPT_DEVICE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "reboot", no_argument, NULL, OPT_REBOOT },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/**
 * struct run - the command line, understood
 * @appended: --cmdline
 * @cmdline: the whole, freed at the end
 */
struct run {
	struct vmm_config config;
	const char *appended;
	char *cmdline;
	bool only;
	bool json;
	bool reboot;
	bool quiet;
	bool help;
};

static int add_disk(struct run *run, char *arg)
{
	struct vmm_config *config = &run->config;
	size_t len = strlen(arg), suffix = strlen(READONLY_SUFFIX);
	bool readonly = len >= suffix &&
			!strcmp(arg + len - suffix, READONLY_SUFFIX);

	if (readonly)
		arg[len - suffix] = '\0';
	if (!*arg)
		return usage_error("run", "--disk needs a file");
	if (config->nr_disks == VMM_DISKS_MAX)
		return usage_error("run", "more than %d disks", VMM_DISKS_MAX);
	config->disk[config->nr_disks++] = (struct vmm_disk) {
		.file = vmm_path(arg), .readonly = readonly,
	};
	return 0;
}

static int set_memory(struct run *run, const char *arg)
{
	u64 size;

	if (!parse_size(arg, &size))
		return usage_error("run", "bad memory size '%s': give a number with K, M or G",
				   arg);
	if (size < MEM_SIZE_MIN || size > MEM_SIZE_MAX || size % MIB)
		return usage_error("run",
				   "memory size '%s' is not a whole number of MiB from %llu to %llu",
				   arg, (unsigned long long)(MEM_SIZE_MIN / MIB),
				   (unsigned long long)(MEM_SIZE_MAX / MIB));
	run->config.memory = size;
	return 0;
}

static int set_vcpus(struct run *run, const char *arg)
{
	u64 n;

	if (!parse_number(arg, 1, VMM_VCPUS_MAX, &n))
		return usage_error("run", "bad number of vCPUs '%s': give 1 to %d",
				   arg, VMM_VCPUS_MAX);
	run->config.vcpus = (unsigned int)n;
	return 0;
}

static int set_debug_exit(struct run *run, const char *arg)
{
	u64 port;

	if (!parse_number(arg, 0, 0xfffc, &port))
		return usage_error("run", "bad port '%s': give 0 to 0xfffc", arg);
	run->config.debug_exit = (int)port;
	return 0;
}

/* Return: 0, or the exit code of a usage error. */
static int take_option(struct run *run, int opt, char *arg, char **argv)
{
	switch (opt) {
	case 'c':
		return set_vcpus(run, arg);
	case 'm':
		return set_memory(run, arg);
	case 'i':
		run->config.initrd = vmm_path(arg);
		return 0;
	case 'a':
		run->appended = arg;
		return 0;
	case 'd':
		return add_disk(run, arg);
	case OPT_DEBUG_EXIT:
		return set_debug_exit(run, arg);
	case OPT_DEVICE:
		run->config.device = vmm_path(arg);
		return 0;
	case OPT_JSON:
		run->json = true;
		return 0;
	case OPT_REBOOT:
		run->reboot = true;
		return 0;
	case OPT_ONLY:
		run->only = true;
		return 0;
	case 'q':
		run->quiet = true;
		return 0;
	case 'h':
		run->help = true;
		return 0;
	case ':':
		return usage_error("run", "option '%s' needs an argument",
				   argv[optind - 1]);
	default:
		return usage_error("run", "unknown option '%s'",
				   argv[optind - 1]);
	}
}

/* Return: 0, or an exit code. */
static int parse(struct run *run, int argc, char **argv)
{
	int opt, code;

	run->config = (struct vmm_config) {
		.device = vmm_path(JOIST_DEVICE),
		.memory = DEFAULT_MEMORY,
		.vcpus = 1,
		.debug_exit = -1,
	};
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":c:m:i:a:d:qh", options,
				  NULL)) != -1) {
		code = take_option(run, opt, optarg, argv);
		if (code)
			return code;
	}
	if (run->help)
		return 0;
	if (optind == argc)
		return usage_error("run", "no kernel given");
	if (optind + 1 < argc)
		return usage_error("run", "more than one kernel given ('%s')",
				   argv[optind + 1]);
	run->config.kernel = vmm_path(argv[optind]);
	if (asprintf(&run->cmdline, "%s%s%s", run->only ? "" : DEFAULT_CMDLINE,
		     run->only || !run->appended ? "" : " ",
		     run->appended ? run->appended : "") < 0)
		return VMM_ERROR;
	run->config.cmdline = run->cmdline;
	return 0;
}

static void tell_json(const struct vmm_result *result)
{
	fputs("{\"reason\":", stderr);
	json_string(stderr, result->reason);
	fprintf(stderr, ",\"code\":%d,\"message\":", result->code);
	json_string(stderr, result->message);
	fputs(",\"report\":", stderr);
	json_string(stderr, result->report);
	fputs("}\n", stderr);
}

static void tell(const struct run *run, const struct vmm_result *result)
{
	if (run->json) {
		tell_json(result);
		return;
	}
	if (result->report)
		fputs(result->report, stderr);
	/* A guest that powers off has said enough itself. */
	if (result->message && !run->quiet && result->code != VMM_POWEROFF)
		fprintf(stderr, "vmctl: %s\n", result->message);
}

/* A reboot is a new process: nothing of the old machine can leak into it. */
static int reexec(char **argv)
{
	/* argv[0] is the verb here: the program's own name is before it. */
	execv("/proc/self/exe", argv - 1);
	fprintf(stderr, "vmctl: cannot start again: %s\n", strerror(errno));
	return VMM_ERROR;
}

int cmd_run(int argc, char **argv)
{
	struct vmm_result result;
	struct run run = { 0 };
	int code;

	code = parse(&run, argc, argv);
	if (run.help)
		return help_for(argv[0]);
	if (code)
		return code;
	vmm_run(&run.config, &result);
	tell(&run, &result);
	code = result.code;
	vmm_result_free(&result);
	free(run.cmdline);
	if (code == VMM_RESET && run.reboot)
		return reexec(argv);
	return code;
}
