/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_TRACEPOINT_H
#define _SHIM_LINUX_TRACEPOINT_H

/* Nobody traces. */
#define TRACE_DEFINE_ENUM(value)	_Static_assert((value) >= 0, "")
#define TP_PROTO(...)			__VA_ARGS__
#define TRACE_EVENT(name, proto, args, fields, assign, print)	\
	static inline void trace_##name(proto) { }		\
	_Static_assert(1, "")
#define DECLARE_EVENT_CLASS(name, proto, args, fields, assign, print)	\
	_Static_assert(1, "")
#define DEFINE_EVENT(class, name, proto, args)	\
	TRACE_EVENT(name, proto, args, , , )

#endif
