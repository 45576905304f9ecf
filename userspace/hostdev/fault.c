// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines of the kernel's log about blocked DMA. Pure. Intel's:
 *	DMAR: [DMA Write NO_PASID] Request device [01:00.0] fault addr 0x1000 [fault reason ...
 * and AMD's, where a driver has the device or not:
 *	vfio-pci 0000:01:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 address=0x1000 ...
 *	AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:01:00.0 domain=0x0003 address=0x1000 ...
 * An address may be without its domain, which is 0 then.
 */
#include <stdlib.h>
#include <string.h>

#include "fault.h"

#define AMD_WRITE	0x20	/* of an event's flags: RW */

static bool take_word(const char *text, size_t len, char *addr)
{
	char copy[PCI_ADDR_SIZE];

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return !pci_addr_parse(copy, addr);
}

/* An address, up to one of @ends. */
static bool take_address(const char *text, const char *ends, char *addr)
{
	size_t len = strcspn(text, ends);

	return text[len] && take_word(text, len, addr);
}

static bool take_number(const char *line, const char *key, u64 *value)
{
	const char *at = strstr(line, key);
	char *end;

	if (!at)
		return false;
	at += strlen(key);
	/* strtoull() would take a sign, and blanks before it. */
	if (*at != '0')
		return false;
	*value = strtoull(at, &end, 16);
	return end != at;
}

static bool parse_intel(const char *line, struct dma_fault *fault)
{
	static const char request[] = "Request device [";
	const char *at = strstr(line, request);

	if (!at || !take_address(at + strlen(request), "]", fault->addr))
		return false;
	if (strstr(line, "[DMA Write"))
		fault->access = DMA_WRITE;
	else if (strstr(line, "[DMA Read"))
		fault->access = DMA_READ;
	else
		return false;
	return take_number(at, "fault addr ", &fault->iova);
}

/* The last word before "AMD-Vi:" is the device, with a colon, if a driver has it. */
static bool amd_device(const char *line, const char *tag, char *addr)
{
	static const char key[] = "device=";
	const char *at = strstr(tag, key);
	const char *word = tag;

	if (at)
		return take_address(at + strlen(key), " ]", addr);
	if (word - line < 2 || word[-1] != ' ' || word[-2] != ':')
		return false;
	for (word -= 2; word > line && word[-1] != ' '; word--)
		;
	return take_word(word, (size_t)(tag - 2 - word), addr);
}

static bool parse_amd(const char *line, struct dma_fault *fault)
{
	const char *tag = strstr(line, "AMD-Vi: Event logged [IO_PAGE_FAULT ");
	u64 flags;

	if (!tag || !amd_device(line, tag, fault->addr) ||
	    !take_number(tag, " address=", &fault->iova))
		return false;
	if (take_number(tag, " flags=", &flags))
		fault->access = flags & AMD_WRITE ? DMA_WRITE : DMA_READ;
	return true;
}

/**
 * dma_fault_parse() - is that line about blocked DMA?
 * @line: of the kernel's log, without what /dev/kmsg has before it
 * @fault: filled in
 *
 * Return: whether it is.
 */
bool dma_fault_parse(const char *line, struct dma_fault *fault)
{
	*fault = (struct dma_fault) { 0 };
	if (strstr(line, "DMAR: "))
		return parse_intel(line, fault);
	return parse_amd(line, fault);
}
