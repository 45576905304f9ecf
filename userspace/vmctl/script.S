/* SPDX-License-Identifier: GPL-2.0-only */
/* The completion script, as a string in the program. */
	.section .rodata
	.globl	completion_script
completion_script:
	.incbin	"completion/vmctl.bash"
	.byte	0
	.section .note.GNU-stack, "", @progbits
