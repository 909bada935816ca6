/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vhost_target

#if !defined(_VT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _VT_TRACE_H

#include <linux/tracepoint.h>

#include <vhost_target/backend.h>
#include <vhost_target/vring.h>

TRACE_DEFINE_ENUM(VT_OP_READ);
TRACE_DEFINE_ENUM(VT_OP_WRITE);
TRACE_DEFINE_ENUM(VT_OP_FLUSH);
TRACE_DEFINE_ENUM(VT_OP_DISCARD);
TRACE_DEFINE_ENUM(VT_OP_WRITE_ZEROES);
TRACE_DEFINE_ENUM(VT_OP_SECURE_ERASE);

#define vt_show_op(op)					\
	__print_symbolic(op,				\
		{ VT_OP_READ,		"read" },	\
		{ VT_OP_WRITE,		"write" },	\
		{ VT_OP_FLUSH,		"flush" },	\
		{ VT_OP_DISCARD,	"discard" },	\
		{ VT_OP_WRITE_ZEROES,	"write_zeroes" }, \
		{ VT_OP_SECURE_ERASE,	"secure_erase" })

TRACE_DEFINE_ENUM(VT_RING_OK);
TRACE_DEFINE_ENUM(VT_RING_BAD_INDEX);
TRACE_DEFINE_ENUM(VT_RING_BAD_HEAD);
TRACE_DEFINE_ENUM(VT_RING_LOOP);
TRACE_DEFINE_ENUM(VT_RING_BAD_INDIRECT);
TRACE_DEFINE_ENUM(VT_RING_BAD_ORDER);

#define vt_show_ring_error(e)				\
	__print_symbolic(e,				\
		{ VT_RING_OK,		"bad_request" }, \
		{ VT_RING_BAD_INDEX,	"bad_index" },	\
		{ VT_RING_BAD_HEAD,	"bad_head" },	\
		{ VT_RING_LOOP,		"loop" },	\
		{ VT_RING_BAD_INDIRECT,	"bad_indirect" }, \
		{ VT_RING_BAD_ORDER,	"bad_order" })

/* A request was taken off its queue; its partner is vhost_request_done. */
TRACE_EVENT(vhost_request_start,
	TP_PROTO(const char *target, unsigned int queue, u16 id, u8 op,
		 u64 sector, u32 bytes),
	TP_ARGS(target, queue, id, op, sector, bytes),
	TP_STRUCT__entry(
		__string(target, target)
		__field(unsigned int, queue)
		__field(u16, id)
		__field(u8, op)
		__field(u64, sector)
		__field(u32, bytes)
	),
	TP_fast_assign(
		__assign_str(target);
		__entry->queue = queue;
		__entry->id = id;
		__entry->op = op;
		__entry->sector = sector;
		__entry->bytes = bytes;
	),
	TP_printk("%s queue=%u id=%u %s sector=%llu bytes=%u",
		  __get_str(target), __entry->queue, __entry->id,
		  vt_show_op(__entry->op), __entry->sector, __entry->bytes)
);

/* A request was put on the used ring. */
TRACE_EVENT(vhost_request_done,
	TP_PROTO(const char *target, unsigned int queue, u16 id, u8 op,
		 int error, u64 ns),
	TP_ARGS(target, queue, id, op, error, ns),
	TP_STRUCT__entry(
		__string(target, target)
		__field(unsigned int, queue)
		__field(u16, id)
		__field(u8, op)
		__field(int, error)
		__field(u64, ns)
	),
	TP_fast_assign(
		__assign_str(target);
		__entry->queue = queue;
		__entry->id = id;
		__entry->op = op;
		__entry->error = error;
		__entry->ns = ns;
	),
	TP_printk("%s queue=%u id=%u %s error=%d ns=%llu",
		  __get_str(target), __entry->queue, __entry->id,
		  vt_show_op(__entry->op), __entry->error, __entry->ns)
);

/* A ring was stopped because its driver broke the rules. */
TRACE_EVENT(vhost_ring_error,
	TP_PROTO(const char *target, unsigned int queue, u8 error),
	TP_ARGS(target, queue, error),
	TP_STRUCT__entry(
		__string(target, target)
		__field(unsigned int, queue)
		__field(u8, error)
	),
	TP_fast_assign(
		__assign_str(target);
		__entry->queue = queue;
		__entry->error = error;
	),
	TP_printk("%s queue=%u %s", __get_str(target), __entry->queue,
		  vt_show_ring_error(__entry->error))
);

DECLARE_EVENT_CLASS(vhost_poller,
	TP_PROTO(u32 id),
	TP_ARGS(id),
	TP_STRUCT__entry(__field(u32, id)),
	TP_fast_assign(__entry->id = id;),
	TP_printk("poller=%u", __entry->id)
);

/* A poller has no queue to look at; its partner is vhost_poller_wake. */
DEFINE_EVENT(vhost_poller, vhost_poller_sleep, TP_PROTO(u32 id), TP_ARGS(id));
DEFINE_EVENT(vhost_poller, vhost_poller_wake, TP_PROTO(u32 id), TP_ARGS(id));

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH drivers/core
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
