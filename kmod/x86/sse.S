/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vector register, chosen at run time, to and from memory.
 * void fn(unsigned int reg, void *mem): %edi, %rsi; reg is 0..15.
 */
#include <linux/linkage.h>

.macro EACH_REGISTER insn:req, name:req, load:req
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	cmpl	$\n, %edi
	jne	1f
	.if \load
	\insn	(%rsi), %\name\n
	.else
	\insn	%\name\n, (%rsi)
	.endif
	RET
1:
	.endr
	RET
.endm

SYM_FUNC_START(sse_xmm_store)
	EACH_REGISTER movdqu, xmm, 0
SYM_FUNC_END(sse_xmm_store)

SYM_FUNC_START(sse_xmm_load)
	EACH_REGISTER movdqu, xmm, 1
SYM_FUNC_END(sse_xmm_load)

SYM_FUNC_START(sse_ymm_store)
	EACH_REGISTER vmovdqu, ymm, 0
SYM_FUNC_END(sse_ymm_store)

SYM_FUNC_START(sse_ymm_load)
	EACH_REGISTER vmovdqu, ymm, 1
SYM_FUNC_END(sse_ymm_load)
