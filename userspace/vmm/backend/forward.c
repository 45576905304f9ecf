// SPDX-License-Identifier: GPL-2.0-only
/* PROTOCOL:[ADDRESS]:PORT-[ADDRESS]:PORT, as vmctl and vmnat take it. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "forward.h"

/* [ADDRESS]:PORT up to @end, a character or the string's end. Return: behind it, or NULL. */
static const char *parse_side(const char *text, char end, struct in_addr *addr, u16 *port)
{
	const char *colon = strchr(text, ':');
	char buf[INET_ADDRSTRLEN];
	unsigned long value;
	char *stop;

	if (!colon || (size_t)(colon - text) >= sizeof(buf))
		return NULL;
	memcpy(buf, text, (size_t)(colon - text));
	buf[colon - text] = '\0';
	if (*buf && inet_pton(AF_INET, buf, addr) != 1)
		return NULL;
	if (!isdigit((unsigned char)colon[1]))
		return NULL;
	value = strtoul(colon + 1, &stop, 10);
	if (!value || value > 65535 || *stop != end)
		return NULL;
	*port = (u16)value;
	return end ? stop + 1 : stop;
}

/**
 * forward_parse() - understand a port forward
 * @text: tcp or udp, the host's side, the guest's side; an address that is not there
 *        is the host's loopback, or whichever the guest was given
 * @fwd: filled in
 *
 * Return: whether it is one.
 */
bool forward_parse(const char *text, struct forward *fwd)
{
	*fwd = (struct forward) { .host.s_addr = htonl(INADDR_LOOPBACK) };
	if (!strncmp(text, "udp:", 4))
		fwd->udp = true;
	else if (strncmp(text, "tcp:", 4))
		return false;
	text = parse_side(text + 4, '-', &fwd->host, &fwd->host_port);
	return text && parse_side(text, '\0', &fwd->guest, &fwd->guest_port);
}
