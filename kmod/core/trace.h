/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints, under events/joist. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM joist

#if !defined(JOIST_CORE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define JOIST_CORE_TRACE_H

#include <linux/tracepoint.h>

#include "exit.h"

#define TRACE_KIND_BYTES	20

/* An exit of a VM whose trace-exits asks for its kind, before it is seen to. */
TRACE_EVENT(joist_exit,
	TP_PROTO(u32 vm, u32 vcpu, const struct exit *e, u64 rip),
	TP_ARGS(vm, vcpu, e, rip),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__array(char, kind, TRACE_KIND_BYTES)
		__field(u64, rip)
		__field(u32, hw_reason)
		__field(u64, info1)
		__field(u64, info2)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		strscpy(__entry->kind, exit_kind_name(e->kind), TRACE_KIND_BYTES);
		__entry->rip = rip;
		__entry->hw_reason = e->hw_reason;
		__entry->info1 = e->hw_info1;
		__entry->info2 = e->hw_info2;
	),
	TP_printk("vm=%u vcpu=%u kind=%s rip=0x%llx hw_reason=0x%x info1=0x%llx info2=0x%llx",
		  __entry->vm, __entry->vcpu, __entry->kind, __entry->rip,
		  __entry->hw_reason, __entry->info1, __entry->info2)
);

#endif

/* Found by -I kmod: the kernel includes this file again by its path. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH core
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
