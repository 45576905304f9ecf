/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Option ROM that boots a kernel Bochs has placed in memory, by its PVH entry:
 * it takes the BIOS's memory map, completes the hvm_start_info the host wrote at
 * INFO, and enters the kernel in 32-bit protected mode without paging.
 *
 * Bochs 2.7 gives host memory to guest memory block by block, in the order of
 * first touch, yet loads an optramimage in one piece: only the block it starts
 * in gets its own content, the others get whatever comes next in the file when
 * they are first touched. So the file begins with the INFO block and a row of
 * numbered padding blocks, some of which the BIOS has used up by now. The rest is
 * used up here, then kernel and initrd are touched in the order of the file.
 */
	.set	ROM, 0xd0000		/* where the BIOS finds it */
	.set	ROM_SIZE, 2048
	.set	INFO, 0x600000		/* struct hvm_start_info */
	.set	INFO_MEMMAP, 40		/* memmap_paddr */
	.set	INFO_ENTRIES, 48	/* memmap_entries */
	.set	ENTRY, INFO + 0x80	/* the kernel's entry address */
	.set	MEMMAP, INFO + 0x100	/* room for the memory map */
	.set	RANGES, INFO + 0x84	/* kernel start, end; initrd start, end */
	.set	SCRATCH, 0x10000
	.set	BLOCK, 0x20000
	.set	PAD, 0x1000000		/* touched downwards from here */
	.set	PAD_LAST, 0x4c41504a	/* "JPAL": the last padding block */

	.code16
	.text
	.globl	_start
_start:
	.byte	0x55, 0xaa, ROM_SIZE / 512
	cli
	cld
	movw	$SCRATCH >> 4, %ax
	movw	%ax, %es
	xorw	%di, %di
	xorw	%bp, %bp		/* entries so far */
	xorl	%ebx, %ebx
1:	movl	$0xe820, %eax
	movl	$0x534d4150, %edx	/* "SMAP" */
	movl	$20, %ecx
	int	$0x15
	jc	2f
	movl	$0, %es:20(%di)
	addw	$24, %di
	incw	%bp
	testl	%ebx, %ebx
	jnz	1b
2:	cli
	inb	$0x92, %al		/* A20 */
	orb	$2, %al
	outb	%al, $0x92
	lgdtl	%cs:(gdtr - _start)
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$8, $(ROM + protected - _start)

	.code32
protected:
	movl	$16, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$SCRATCH, %esi
	movl	$MEMMAP, %edi
	movzwl	%bp, %ebp
	leal	(%ebp, %ebp, 2), %ecx
	addl	%ecx, %ecx		/* six words an entry */
	rep movsl

	movl	$PAD, %edi
1:	subl	$BLOCK, %edi
	cmpl	$PAD_LAST, (%edi)
	jne	1b
	movl	$RANGES, %esi
	movl	$2, %ecx
2:	movl	(%esi), %edi
	movl	4(%esi), %edx
	addl	$8, %esi
3:	movl	(%edi), %eax
	addl	$BLOCK, %edi
	cmpl	%edx, %edi
	jb	3b
	loop	2b

	movl	$INFO, %ebx
	movl	$MEMMAP, INFO_MEMMAP(%ebx)
	movl	%ebp, INFO_ENTRIES(%ebx)
	jmp	*ENTRY

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdtr:	.word	. - gdt - 1
	.long	ROM + gdt - _start
	.org	ROM_SIZE - 1
	.byte	0			/* the checksum, filled in by the builder */
