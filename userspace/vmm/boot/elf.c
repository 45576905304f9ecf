// SPDX-License-Identifier: GPL-2.0-only
/* ELF files of both word sizes: their segments, and the PVH note. */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../log.h"
#include "boot.h"

#define NOTE_PHYS32_ENTRY	18	/* XEN_ELFNOTE_PHYS32_ENTRY */
#define NOTES_MAX		4096
#define SEGMENTS_MAX		64

/* A program header of either word size. */
struct segment {
	u32 type;
	u64 offset, paddr, filesz, memsz;
};

bool elf_probe(const struct image *img)
{
	const u8 *ident = img->head;

	return img->head_len >= sizeof(Elf64_Ehdr) &&
	       !memcmp(ident, ELFMAG, SELFMAG) &&
	       ident[EI_DATA] == ELFDATA2LSB &&
	       (ident[EI_CLASS] == ELFCLASS64 || ident[EI_CLASS] == ELFCLASS32);
}

static bool is_elf64(const struct image *img)
{
	return img->head[EI_CLASS] == ELFCLASS64;
}

static int nr_segments(const struct image *img)
{
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;

	memcpy(&e64, img->head, sizeof(e64));
	memcpy(&e32, img->head, sizeof(e32));
	return min(is_elf64(img) ? e64.e_phnum : e32.e_phnum, SEGMENTS_MAX);
}

static u64 elf_entry(const struct image *img)
{
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;

	memcpy(&e64, img->head, sizeof(e64));
	memcpy(&e32, img->head, sizeof(e32));
	return is_elf64(img) ? e64.e_entry : e32.e_entry;
}

/* Program headers lie in the file's head in every kernel there is. */
static int get_segment(const struct image *img, int i, struct segment *seg)
{
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;
	Elf64_Phdr p64;
	Elf32_Phdr p32;
	u64 at, size;

	memcpy(&e64, img->head, sizeof(e64));
	memcpy(&e32, img->head, sizeof(e32));
	size = is_elf64(img) ? sizeof(p64) : sizeof(p32);
	at = is_elf64(img) ? e64.e_phoff : e32.e_phoff;
	if (at > img->head_len || img->head_len - at < (u64)(i + 1) * size)
		return -EINVAL;
	at += (u64)i * size;
	memcpy(&p64, img->head + at, is_elf64(img) ? sizeof(p64) : 0);
	memcpy(&p32, img->head + at, is_elf64(img) ? 0 : sizeof(p32));
	if (is_elf64(img))
		*seg = (struct segment) {
			p64.p_type, p64.p_offset, p64.p_paddr, p64.p_filesz,
			p64.p_memsz,
		};
	else
		*seg = (struct segment) {
			p32.p_type, p32.p_offset, p32.p_paddr, p32.p_filesz,
			p32.p_memsz,
		};
	return 0;
}

static bool find_note(const u8 *notes, size_t len, u64 *entry)
{
	size_t at = 0;
	Elf64_Nhdr note;

	while (len - at >= sizeof(note)) {
		size_t name, desc;

		memcpy(&note, notes + at, sizeof(note));
		name = at + sizeof(note);
		if (note.n_namesz > len || note.n_descsz > len)
			return false;
		desc = name + align_up((size_t)note.n_namesz, 4UL);
		at = desc + align_up((size_t)note.n_descsz, 4UL);
		if (at > len)
			return false;
		if (note.n_type == NOTE_PHYS32_ENTRY && note.n_namesz == 4 &&
		    !memcmp(notes + name, "Xen", 4) && note.n_descsz >= 4) {
			*entry = 0;
			memcpy(entry, notes + desc,
			       min((size_t)note.n_descsz, sizeof(*entry)));
			return true;
		}
	}
	return false;
}

/* Return: 0 with the entry the PVH note names, or -ENOENT. */
int elf_pvh_entry(const struct image *img, u64 *entry)
{
	u8 notes[NOTES_MAX];
	struct segment seg;
	ssize_t n;
	int i;

	for (i = 0; i < nr_segments(img); i++) {
		if (get_segment(img, i, &seg))
			break;
		if (seg.type != PT_NOTE)
			continue;
		n = pread(img->fd, notes, min(seg.filesz, (u64)sizeof(notes)),
			  (off_t)seg.offset);
		if (n > 0 && find_note(notes, (size_t)n, entry))
			return 0;
	}
	return -ENOENT;
}

/**
 * elf_load() - load an ELF file's segments at their physical addresses
 * @img: file that elf_probe() knew
 * @mem: guest memory, zero where nothing was loaded
 * @elf: filled in
 *
 * Return: 0, or -errno with the reason logged.
 */
int elf_load(const struct image *img, const struct memory *mem,
	     struct elf_image *elf)
{
	struct segment seg;
	int i, err;

	memset(elf, 0, sizeof(*elf));
	elf->entry = elf_entry(img);
	elf->is64 = is_elf64(img);
	for (i = 0; i < nr_segments(img); i++) {
		if (get_segment(img, i, &seg)) {
			log_err("%s: its program headers are not where a kernel's are",
				img->path);
			return -ENOEXEC;
		}
		if (seg.type != PT_LOAD || !seg.memsz)
			continue;
		if (seg.filesz > seg.memsz ||
		    !memory_ptr(mem, seg.paddr, seg.memsz)) {
			log_err("%s needs memory at %#llx; use a larger -m",
				img->path, (unsigned long long)seg.paddr);
			return -ENOSPC;
		}
		err = image_load(img, mem, seg.offset, seg.paddr, seg.filesz);
		if (err)
			return err;
		elf->end = max(elf->end, seg.paddr + seg.memsz);
	}
	if (!elf->end) {
		log_err("%s has nothing to load", img->path);
		return -ENOEXEC;
	}
	return 0;
}
