// SPDX-License-Identifier: GPL-2.0-only
/* Children that are waited for when one of the parent's has ended. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"

struct child {
	struct child *next;
	int pid;
	void (*ended)(int pid, int status);
};

static struct child *list;

/**
 * child_start() - fork
 * @ended: called once it has ended; NULL: nobody minds
 *
 * Return: 0: this is the child, without the parent's signal mask; else its pid, or
 * -errno with errno set.
 */
int child_start(void (*ended)(int pid, int status))
{
	struct child *child = calloc(1, sizeof(*child));
	sigset_t none;
	int pid;

	if (!child)
		return -ENOMEM;
	pid = fork();
	if (!pid) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setsid();
		free(child);
		return 0;
	}
	if (pid < 0) {
		free(child);
		return -errno;
	}
	*child = (struct child) { list, pid, ended };
	list = child;
	return pid;
}

/* Nobody minds any more. */
void child_forget(int pid)
{
	struct child *child;

	for (child = list; child; child = child->next)
		if (child->pid == pid)
			child->ended = NULL;
}

/* One of the parent's children has ended: perhaps of these. */
void children_reap(void)
{
	struct child **link = &list, *child;
	int status;

	while ((child = *link)) {
		void (*ended)(int pid, int status) = child->ended;
		int pid = child->pid;

		if (waitpid(pid, &status, WNOHANG) != pid) {
			link = &child->next;
			continue;
		}
		*link = child->next;
		free(child);
		if (ended)
			ended(pid, status);
	}
}
