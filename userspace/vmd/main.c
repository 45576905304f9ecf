// SPDX-License-Identifier: GPL-2.0-only
/* vmd: the command line, and which of the daemon's processes this one is. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cgroup.h"
#include "config.h"
#include "vmd.h"

#define EXIT_USAGE	2

struct options options = { .file = CONFIG_FILE };

static const char usage_text[] =
	"usage: vmd [-dnv] [-f FILE]\n"
	"\n"
	"  -d, --foreground      stay in the foreground\n"
	"  -n, --check           check the configuration, tell its faults, and end\n"
	"  -f, --config FILE     read FILE and conf.d beside it (default " CONFIG_FILE ")\n"
	"  -v, --verbose         tell more\n"
	"      --seccomp-log     log forbidden system calls instead of ending who makes them\n"
	"  -V, --version         show the version\n"
	"  -h, --help            this text\n";

int fail(struct failure *f, const char *code, const char *fmt, ...)
{
	va_list args;

	f->code = code;
	f->remedy = NULL;
	va_start(args, fmt);
	vsnprintf(f->why.text, sizeof(f->why.text), fmt, args);
	va_end(args);
	return -1;
}

/* As the host's devices have it; the remedy lies in @why, which is to stay. */
int fail_hostdev(struct failure *f, const struct hostdev_why *why)
{
	fail(f, why->code, "%s", why->text);
	if (*why->remedy)
		f->remedy = why->remedy;
	return -1;
}

/* To the log: standard error, which a service manager keeps. */
void say(const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "vmd: %s\n", text);
}

static int check_config(void)
{
	struct config config;
	char host[64] = "";
	int i, nr;

	gethostname(host, sizeof(host) - 1);
	config_read(&config, options.file, host);
	for (i = 0; i < config.nr_faults; i++)
		fprintf(stderr, "%s:%d: %s\n", config.fault[i].file,
			config.fault[i].line, config.fault[i].message);
	nr = config.nr_faults;
	if (!nr)
		printf("%s: %d VMs, no fault\n", options.file, config.nr_vms);
	config_free(&config);
	return nr ? 1 : 0;
}

enum { OPT_SECCOMP_LOG = 256 };

static const struct option long_options[] = {
	{ "foreground", no_argument, NULL, 'd' },
	{ "check", no_argument, NULL, 'n' },
	{ "config", required_argument, NULL, 'f' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "seccomp-log", no_argument, NULL, OPT_SECCOMP_LOG },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

int main(int argc, char **argv)
{
	bool check = false, foreground = false;
	int opt;

	/* Executed as /proc/self/exe, it would be called "exe". */
	prctl(PR_SET_NAME, "vmd");
	if (argc == 3 && !strcmp(argv[1], "--vm"))
		return vm_main(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "--control"))
		return control_main();
	if (argc == 2 && !strcmp(argv[1], "--hold-cgroup"))
		return cgroup_hold();
	while ((opt = getopt_long(argc, argv, "dnf:vVh", long_options,
				  NULL)) != -1) {
		switch (opt) {
		case 'd':
			foreground = true;
			break;
		case 'n':
			check = true;
			break;
		case 'f':
			options.file = optarg;
			break;
		case 'v':
			options.verbose = true;
			break;
		case OPT_SECCOMP_LOG:
			options.seccomp_log = true;
			break;
		case 'V':
			printf("vmd %s\n", VMD_VERSION);
			return 0;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		default:
			fputs(usage_text, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	if (check)
		return check_config();
	if (geteuid()) {
		say("must be started as root");
		return 1;
	}
	if (!foreground && daemon(0, 1)) {
		say("cannot go to the background: %s", strerror(errno));
		return 1;
	}
	return parent_main();
}
