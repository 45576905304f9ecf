// SPDX-License-Identifier: GPL-2.0-only
/* vmctl top on a terminal. */
#include <errno.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "top_screen.h"
#include "vmm/terminal.h"

#define EDGES	3	/* lines that are no rows: title, columns, keys */
#define CTRL_C	3

static SCREEN *screen;
static volatile sig_atomic_t ended_by;
static sigset_t outside;

static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static void take_signal(int sig)
{
	ended_by = sig;
}

/* Which signal ended it, or 0. */
int screen_signal(void)
{
	return ended_by;
}

/* Signals come while we wait for a key, and at no other time. */
static void take_signals(void)
{
	struct sigaction sa = { .sa_handler = take_signal };
	sigset_t inside;
	size_t i;

	sigemptyset(&inside);
	for (i = 0; i < ARRAY_SIZE(ending_signals); i++) {
		struct sigaction old;

		/* Of nohup's, for one, nothing is to be changed. */
		sigaction(ending_signals[i], NULL, &old);
		if (old.sa_handler == SIG_IGN)
			continue;
		sigaction(ending_signals[i], &sa, NULL);
		sigaddset(&inside, ending_signals[i]);
	}
	sigaddset(&inside, SIGWINCH);
	sigprocmask(SIG_BLOCK, &inside, &outside);
}

/**
 * screen_open() - take the terminal
 *
 * vmm/terminal.c gives it back in all cases, a crash among them; ncurses, which is
 * begun after it and ended before it, has its modes inside those.
 *
 * Return: 0, or -ENOENT: nothing is known of a terminal of this kind.
 */
int screen_open(void)
{
	char *rest;

	terminal_enter();
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		terminal_leave();
		return -ENOENT;
	}
	set_term(screen);
	rest = tigetstr("rmcup");
	if (rest && rest != (char *)-1)
		terminal_farewell(rest);
	atexit(screen_close);
	take_signals();
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	set_escdelay(50);
	nodelay(stdscr, TRUE);
	curs_set(0);
	return 0;
}

/* Harmless when called twice. */
void screen_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
	terminal_farewell(NULL);
	terminal_leave();
}

/* Rows that fit. */
size_t screen_page(void)
{
	return (size_t)max(LINES - EDGES, 1);
}

static void draw_title(const struct top *top)
{
	char clock[16] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	mvprintw(0, 0, "vmctl top  %s  %zu VM%s", clock, top->vms,
		 top->vms == 1 ? "" : "s");
}

/**
 * screen_draw() - show a table
 * @top: what
 * @view: how
 * @first: row at the top of the screen; brought back into the table
 */
void screen_draw(const struct top *top, const struct top_view *view, size_t *first)
{
	size_t page = screen_page(), i;
	char text[TOP_LINE];

	*first = min(*first, top->nr > page ? top->nr - page : 0);
	erase();
	draw_title(top);
	top_head(top, view, (size_t)COLS, text);
	attron(A_REVERSE);
	mvprintw(1, 0, "%-*s", COLS, text);
	attroff(A_REVERSE);
	for (i = 0; i < page && *first + i < top->nr; i++) {
		bool vm = top->row[*first + i].vcpu < 0;

		top_text(top, view, *first + i, (size_t)COLS, text);
		if (vm && view->vcpus)
			attron(A_BOLD);
		mvaddstr((int)i + 2, 0, text);
		attroff(A_BOLD);
	}
	if (LINES > EDGES)
		mvaddnstr(LINES - 1, 0,
			  "q quit  s < > sort  r reverse  v vCPUs  arrows scroll",
			  COLS - 1);
	refresh();
}

static enum screen_key meaning(int key)
{
	switch (key) {
	case 'q':
	case 'Q':
	case CTRL_C:
		return SCREEN_QUIT;
	case 's':
	case '>':
	case KEY_RIGHT:
		return SCREEN_RIGHT;
	case 'S':
	case '<':
	case KEY_LEFT:
		return SCREEN_LEFT;
	case 'r':
		return SCREEN_REVERSE;
	case 'v':
		return SCREEN_VCPUS;
	case KEY_UP:
	case 'k':
		return SCREEN_UP;
	case KEY_DOWN:
	case 'j':
		return SCREEN_DOWN;
	case KEY_PPAGE:
		return SCREEN_PAGE_UP;
	case KEY_NPAGE:
	case ' ':
		return SCREEN_PAGE_DOWN;
	case KEY_HOME:
		return SCREEN_FIRST;
	default:
		return SCREEN_REDRAW;
	}
}

/* The next key within @wait_ms; a terminal that is gone is a wish to quit. */
enum screen_key screen_key(int wait_ms)
{
	struct timespec wait = {
		.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000L,
	};
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	int key = getch(), n;

	if (key != ERR)
		return meaning(key);
	n = ppoll(&fd, 1, &wait, &outside);
	if (ended_by)
		return SCREEN_QUIT;
	if (!n)
		return SCREEN_NONE;
	if (n > 0 && !(fd.revents & POLLIN))
		return SCREEN_QUIT;
	key = getch();
	if (key == ERR && n > 0)
		return SCREEN_QUIT;
	return key == ERR ? SCREEN_REDRAW : meaning(key);
}
