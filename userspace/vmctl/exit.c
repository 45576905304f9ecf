// SPDX-License-Identifier: GPL-2.0-only
/* What can go wrong: the word for it, the exit code, and what it means. */
#include <string.h>

#include "exit.h"
#include "libjoist/types.h"

const struct exit_row exit_rows[] = {
	{ "failed", EXIT_FAILED, "the host could not do it" },
	{ "usage", EXIT_USAGE, "the command line is wrong" },
	{ "not-managed", EXIT_FAILED, "only vmd could, and the VM is not its" },
	{ "not-found", EXIT_NOT_FOUND, "there is no such VM" },
	{ "not-yours", EXIT_DENIED, "the VM or the request is another's" },
	{ "no-daemon", EXIT_NO_DAEMON, "vmd does not answer" },
	{ "no-host", EXIT_NO_HOST, "the module is not loaded" },
	{ "no-iommu", EXIT_NO_HOST, "the host cannot confine a device" },
	{ "running", EXIT_STATE, "the VM runs, and must not" },
	{ "not-running", EXIT_STATE, "the VM does not run, and must" },
	{ "busy", EXIT_STATE, "another request, or a console, is in the way" },
	{ "inhibited", EXIT_STATE, "devices of the host's use the guest's memory" },
	{ "in-use", EXIT_STATE, "the host, or a VM, uses the device" },
	{ "exists", EXIT_EXISTS, "there is a VM of this name" },
	{ "timeout", EXIT_TIMEOUT, "it took too long" },
	{ "bad-config", EXIT_BAD_CONFIG, "a definition or the configuration is wrong" },
	{ "limit", EXIT_LIMIT, "a limit is reached" },
	{ "bad-request", EXIT_PROTOCOL, "vmd does not understand vmctl" },
	{ "bad-version", EXIT_PROTOCOL, "vmd speaks another version of the protocol" },
	{ "unknown-op", EXIT_PROTOCOL, "vmd does not know the operation" },
	{ "bad-answer", EXIT_PROTOCOL, "vmctl does not understand vmd" },
	{ "ambiguous", EXIT_AMBIGUOUS, "more than one VM is meant" },
};

const unsigned int nr_exit_rows = ARRAY_SIZE(exit_rows);

/* Return: the exit code of @word; that of "failed" for one we do not know. */
enum vmctl_exit exit_code(const char *word)
{
	size_t i;

	for (i = 0; word && i < ARRAY_SIZE(exit_rows); i++)
		if (!strcmp(word, exit_rows[i].word))
			return exit_rows[i].code;
	return EXIT_FAILED;
}
