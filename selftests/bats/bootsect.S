/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk of two sectors that a BIOS boots: it says so by the BIOS's screen, has the BIOS
 * read the second sector and say what is in there, looks for SMBIOS, waits some ticks of the
 * clock, and powers off by the ports that the LPC bridge says power management has.
 */
	.code16
	.globl _start
_start:
	ljmp	$0, $1f
1:	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	cld
	pushw	%dx
	movw	$first, %si
	call	print
	popw	%dx
	movw	$packet, %si
	movb	$0x42, %ah		/* read by a packet; DL is the disk we came from */
	int	$0x13
	movw	$second, %si
	jnc	2f
	movw	$failed, %si
2:	call	print
	movw	$0xf000, %ax		/* SMBIOS: at each 16th byte of the BIOS's segment */
	movw	%ax, %es
	xorw	%di, %di
6:	movw	$anchor, %si
	movw	$5, %cx
	pushw	%di
	repe cmpsb
	popw	%di
	je	7f
	addw	$16, %di
	jnz	6b
	jmp	8f
7:	movw	$smbios, %si
	call	print
8:	sti
	movw	$4, %cx			/* ticks: the last of it is still on its way */
5:	hlt
	loop	5b
	cli
	/* 00:1f.0's register 0x40. */
	movl	$0x8000f840, %eax
	movw	$0xcf8, %dx
	outl	%eax, %dx
	movw	$0xcfc, %dx
	inl	%dx, %eax
	andw	$0xff80, %ax
	addw	$4, %ax
	movw	%ax, %dx
	movw	$0x2000, %ax		/* sleep, type 0: S5 */
	outw	%ax, %dx
3:	hlt
	jmp	3b

print:	lodsb
	testb	%al, %al
	jz	4f
	movb	$0x0e, %ah
	movw	$7, %bx
	int	$0x10
	jmp	print
4:	ret

first:	.asciz	"bios: the boot sector runs\r\n"
failed:	.asciz	"bios: cannot read\r\n"
anchor:	.ascii	"_SM3_"
smbios:	.asciz	"bios: SMBIOS 3 is there\r\n"
	.balign	4
packet:	.byte	16, 0
	.word	1			/* sector */
	.word	second, 0		/* to there */
	.quad	1			/* from this one */
	.org	510
	.word	0xaa55
second:	.asciz	"bios: the second sector was read\r\n"
	.org	0x100000		/* a BIOS wants a whole cylinder */
