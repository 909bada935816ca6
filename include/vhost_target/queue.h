/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A queue of requests, whatever their format: what virtqueues and NVMe queues
 * have in common.
 *
 * DOC: queues
 *
 * A queue is
 *
 *   stopped:   only its owner (the door) touches it, under session->lock;
 *   running:   its poller owns everything marked "poller" in struct vt_queue;
 *              the door reaches it through vt_queue_run();
 *   stopping:  running, but takes no new request; stopped when nothing is in
 *              flight.
 *
 * A queue whose driver broke its rules stays running with ->broken set: it
 * takes no request, what is in flight completes, the owner is told.
 *
 * The owner's ops->fetch takes one request off the ring: it gets a free one
 * (queue->free), fills it, and then calls vt_queue_take() and one of
 * vt_queue_submit() (the backend gets req->io), vt_queue_complete() (it is
 * done already), or has a work item do it, which ends with vt_io_end().
 */
#ifndef _VHOST_TARGET_QUEUE_H
#define _VHOST_TARGET_QUEUE_H

#include <linux/eventfd.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <vhost_target/poller.h>
#include <vhost_target/session.h>

struct vt_drain;
struct vt_queue;
struct vt_req;

/**
 * struct vt_moderation - interrupt moderation of a queue; its poller's
 * @since: when the present hold began, ns
 * @last: when a request last came, ns
 * @gap: usual time from one pass with requests to the next, ns
 * @score: what holds have gained lately; more than 0: hold
 * @depth: requests that the driver had under way when it was quiet
 * @full: holds that ended with all of @depth done, since a quiet one
 * @same: quiet holds with @depth requests; if enough, it is sure
 * @passed: results told at once since a hold was last tried
 * @holding: results are being held back
 * @ended: a hold has ended, and no request has come since
 */
struct vt_moderation {
	u64 since;
	u64 last;
	u32 gap;
	s16 score;
	u16 depth;
	u8 full;
	u8 same;
	u8 passed;
	bool holding;
	bool ended;
};

/**
 * struct vt_notify - how to interrupt the driver
 * @ctx: eventfd, or NULL
 * @fn: function, used when @ctx is NULL; may be NULL
 * @arg: its argument
 */
struct vt_notify {
	struct eventfd_ctx *ctx;
	void (*fn)(void *arg);
	void *arg;
};

static inline void vt_notify_signal(const struct vt_notify *n)
{
	if (n->ctx)
		eventfd_signal(n->ctx);
	else if (n->fn)
		n->fn(n->arg);
}

/* Chunks of guest memory a queue remembers, so that most are not searched for. */
#define VT_QUEUE_CHUNKS	64

/**
 * struct vt_known_chunk - a chunk that was found
 * @index: its index
 * @c: chunk, NULL: none was found yet
 */
struct vt_known_chunk {
	u64 index;
	struct vt_chunk *c;
};

/* Segments a request may be made of before a bigger table is needed. */
#define VT_INLINE_BVECS	16
#define VT_MAX_RANGES	16

/**
 * struct vt_bvecs - a table of segments for a big request
 * @next: free list
 * @max: entries
 * @bv: entries
 */
struct vt_bvecs {
	struct vt_bvecs *next;
	unsigned int max;
	struct bio_vec bv[];
};

/**
 * struct vt_req - a request; belongs to a queue for its life
 * @io: the backend's part
 * @done: on queue->done
 * @polled: on queue->polled, or empty
 * @q: whose
 * @next: on the free list
 * @big: big table in use, or NULL
 * @bounce: aligned copy of the data, or NULL
 * @copied: bytes of that, 0: there is none
 * @late: a work item copies
 * @start: when picked up, ns
 * @addr_bits: of all buffers' addresses, for the alignment check
 * @len_bits: of all buffers' lengths, likewise
 * @used_len: bytes written to the driver's buffers
 * @id: of the chain
 * @slots: ring entries of the chain
 * @op_class: enum vhost_target_opclass
 * @epoch: of the memory it uses
 * @given: it was taken and submitted: the backend has it
 * @taken: it is in flight
 * @part: of a chain, see struct vt_vq_parts
 * @priv_len: the device type's
 * @priv: likewise
 * @drain: who waits for it to leave the backend, or NULL
 * @bv: small requests' segments
 * @ranges: or ranges
 */
struct vt_req {
	struct vt_io io;
	struct llist_node done;
	struct list_head polled;
	struct vt_queue *q;
	struct vt_req *next;
	struct vt_bvecs *big;
	struct vt_bounce *bounce;
	u64 start;
	u32 addr_bits;
	u32 len_bits;
	u32 used_len;
	u16 id;
	u16 slots;
	u8 op_class;
	u8 epoch;
	bool given;
	bool taken;
	bool part;
	bool late;
	u32 copied;
	u32 priv_len;
	void *priv;
	struct vt_drain *drain;
	union {
		struct bio_vec bv[VT_INLINE_BVECS];
		struct vt_range ranges[VT_MAX_RANGES];
	};
};

/* What the owner of a queue keeps in each request; see vt_queue_alloc(). */
static inline void *vt_req_priv(struct vt_req *req)
{
	return req + 1;
}

/* More than that at a time was not faster. */
#define VT_EXPECT_MAX	16

/**
 * struct vt_queue_ops - a format of queues; all in the poller
 * @expect: @n requests, VT_EXPECT_MAX at most, will probably be fetched: have them
 *	brought into the cache; may be NULL
 * @fetch: take one request, see above. 1: taken; 0: there is none; -EAGAIN:
 *	guest memory at queue->fault_addr must be mapped first; -ENOBUFS: no
 *	buffer free, to be tried again; -ENODATA: it stays where it is until
 *	vt_queue_nudge(); any other error: the driver broke the rules.
 * @complete: a request has ended: tell the driver, perhaps not yet visibly
 * @show: make what was completed visible; NULL: @complete does
 * @publish: likewise; true if the driver wants to be interrupted for it, or for
 *	what was shown since the last publish
 * @arm: ask the driver for notifications; false if there is work already
 * @doze: instead, if it could take no request; false: it must not sleep yet; may
 *	be NULL
 * @disarm: notifications are not needed
 * @pending: 0: there is no request to fetch; otherwise how many there seem to be,
 *	to no more than 1 if that takes time to find out
 * @broke: the driver broke the rules
 */
struct vt_queue_ops {
	void (*expect)(struct vt_queue *q, unsigned int n);
	int (*fetch)(struct vt_queue *q);
	void (*complete)(struct vt_queue *q, struct vt_req *req);
	void (*show)(struct vt_queue *q);
	bool (*publish)(struct vt_queue *q);
	bool (*arm)(struct vt_queue *q);
	bool (*doze)(struct vt_queue *q);
	void (*disarm)(struct vt_queue *q);
	unsigned int (*pending)(struct vt_queue *q);
	void (*broke)(struct vt_queue *q);
};

/**
 * struct vt_queue - a queue
 * @pq: as pollers know it
 * @ops: set once, as the fields up to @st
 * @session: whose
 * @index: number, in the session
 * @st: counters; poller
 * @free: requests not in use; poller
 * @free_big: big tables not in use; poller
 * @call: how to interrupt the driver; poller while running
 * @now: time of this pass; poller
 * @moderation: when to interrupt; poller
 * @cost: of this pass, see VT_PASS_COST; poller
 * @rest_until: takes no request before, if it is crowded, ns; poller
 * @copied: bytes of all copies of requests in flight; poller
 * @ended: requests of @done whose turn is in a later pass; poller
 * @polled: requests whose backend has to be looked at; poller
 * @polled_since: when one of those last came or ended, ns; poller
 * @unpublished: requests completed since the last publish; poller
 * @inflight: requests not yet completed; written by the poller
 * @by_epoch: of these, by the memory epoch; written by the poller
 * @epoch: present memory epoch; poller
 * @armed: notifications are enabled; poller
 * @parked: the next request must wait for memory or a tag; poller
 * @stopping: take no new request; poller
 * @broken: the driver broke the rules; poller
 * @fault_addr: guest address that must be mapped; poller, then @fault_work
 * @fault_hole: there is no memory at @fault_addr, for the next request
 * @evicted: how often memory was let go of to make room for the next request
 * @faulting: @fault_work runs; take no new request
 * @nudged: what @fetch waited for may be there, or it is to be looked at anyhow
 * @known_gen: generation of guest memory in which @known is right; poller
 * @known: chunks by the low bits of their index; poller
 * @done: requests that have ended; anybody
 * @waiters: how many wait for @inflight or @by_epoch
 * @idle_wait: where they wait
 * @nr_reqs: requests in the pool; session->lock, as the fields below
 * @req_size: bytes of each, with the owner's part
 * @reqs: the request pool
 * @big: the big tables
 * @running: it is running
 * @fault_work: has memory mapped
 * @retry_work: wakes the queue after a shortage
 */
struct vt_queue {
	struct vt_pq pq;
	const struct vt_queue_ops *ops;
	struct vt_session *session;
	unsigned int index;
	struct vt_qstats *st;
	struct vt_req *free;
	struct vt_bvecs *free_big;
	struct vt_notify call;
	u64 now;
	struct vt_moderation moderation;
	unsigned int cost;
	u64 rest_until;
	u32 copied;
	struct llist_node *ended;
	struct list_head polled;
	u64 polled_since;
	unsigned int unpublished;
	unsigned int inflight;
	unsigned int by_epoch[2];
	u8 epoch;
	bool armed;
	bool parked;
	bool stopping;
	bool broken;
	u64 fault_addr;
	bool fault_hole;
	unsigned int evicted;
	bool faulting;
	bool nudged;
	unsigned long known_gen;
	struct vt_known_chunk known[VT_QUEUE_CHUNKS];
	struct llist_head done ____cacheline_aligned_in_smp;
	atomic_t waiters;
	wait_queue_head_t idle_wait;
	unsigned int nr_reqs;
	unsigned int req_size;
	void *reqs;
	void *big;
	bool running;
	struct work_struct fault_work;
	struct delayed_work retry_work;
};

/* Request @i of the pool. */
static inline struct vt_req *vt_queue_req(struct vt_queue *q, unsigned int i)
{
	return q->reqs + (size_t)i * q->req_size;
}

/**
 * vt_queue_init - prepare a queue, stopped
 * @q: zeroed
 * @ops: its format
 * @s: whose
 * @index: number, below s->nr_queues
 */
void vt_queue_init(struct vt_queue *q, const struct vt_queue_ops *ops,
		   struct vt_session *s, unsigned int index);

/**
 * vt_queue_alloc - make the request pool
 * @q: stopped
 * @nr: requests
 * @priv: bytes the owner keeps in each, see vt_req_priv()
 *
 * Context: may sleep.
 * Returns: 0 or -ENOMEM.
 */
int vt_queue_alloc(struct vt_queue *q, unsigned int nr, unsigned int priv);

/* Free the request pool. Context: may sleep. */
void vt_queue_free(struct vt_queue *q);

/**
 * vt_queue_start - start serving a queue
 * @q: stopped, with a request pool; session->lock held
 *
 * Context: may sleep.
 */
void vt_queue_start(struct vt_queue *q);

/**
 * vt_queue_stop - stop serving a queue
 * @q: running; session->lock held
 *
 * Waits for the requests in flight; all of them are published.
 * Context: may sleep.
 */
void vt_queue_stop(struct vt_queue *q);

/**
 * vt_queue_run - run a function while the queue's poller does not
 * @q: queue; session->lock held
 * @fn: function; may not sleep for long
 * @arg: its argument
 *
 * Context: may sleep.
 */
void vt_queue_run(struct vt_queue *q, void (*fn)(void *arg), void *arg);

/**
 * vt_queue_set_call - change how the driver is interrupted
 * @q: queue; session->lock held
 * @call: new way
 *
 * Returns the old one, which is not in use any more.
 * Context: may sleep.
 */
struct vt_notify vt_queue_set_call(struct vt_queue *q, struct vt_notify call);

/* In ops->fetch: account a request as taken off the ring. */
void vt_queue_take(struct vt_queue *q, struct vt_req *req);

/* In ops->fetch: hand a request that was taken to the backend. */
void vt_queue_submit(struct vt_queue *q, struct vt_req *req);

/**
 * vt_cmd_punt - have a command run where it may wait
 * @req: taken; @req->io.work is used
 * @fn: may wait for I/O, and for other commands that wait for I/O
 *
 * Each session has a workqueue of its own for them, and each backend one: there
 * is a limit to what a workqueue runs at a time. Commands that wait for each
 * other's I/O (reservations that fence, say) must not keep the I/O from going
 * on, nor one VM's the neighbour's.
 *
 * Context: ops->fetch.
 */
void vt_cmd_punt(struct vt_req *req, work_func_t fn);

/* In ops->fetch: a request that was taken has ended. */
void vt_queue_complete(struct vt_queue *q, struct vt_req *req);

/**
 * vt_queue_kick - the driver has made requests available
 * @q: queue
 *
 * Context: any, one caller at a time for a queue.
 */
static inline void vt_queue_kick(struct vt_queue *q)
{
	vt_stat_inc(q->st->kicks);
	vt_pq_wake(&q->pq);
}

/**
 * vt_queue_nudge - what ops->fetch said -ENODATA for may be there
 * @q: queue
 *
 * Context: any.
 */
static inline void vt_queue_nudge(struct vt_queue *q)
{
	/* After what it may be; pairs with the xchg() in queue_fetch(). */
	smp_store_release(&q->nudged, true);
	/* Its barrier pairs with the one before the last look: see pollers. */
	vt_pq_wake(&q->pq);
}

/**
 * vt_queue_lookup - find the page behind a guest address, for a request
 * @q: queue
 * @addr: guest address
 * @len: bytes wanted, not 0
 * @write: the device will write there
 * @page: first page
 * @off: offset in it
 *
 * Context: ops->fetch.
 * Returns: bytes contiguous from there; -EAGAIN, to be returned by ops->fetch;
 * -EFAULT: there is no such memory.
 */
int vt_queue_lookup(struct vt_queue *q, u64 addr, u32 len, bool write,
		    struct page **page, unsigned int *off);

/**
 * vt_queue_expect - have guest memory brought into the cache
 * @q: queue
 * @addr: guest address
 *
 * Context: ops->expect, ops->fetch.
 * Returns: where it is, up to the end of its page, or NULL.
 */
void *vt_queue_expect(struct vt_queue *q, u64 addr);

/**
 * vt_queue_read - copy out of guest memory
 * @q: queue
 * @addr: guest address
 * @buf: destination
 * @len: bytes
 *
 * Context: ops->fetch.
 * Returns: 0, -EAGAIN, -EFAULT as vt_queue_lookup().
 */
int vt_queue_read(struct vt_queue *q, u64 addr, void *buf, u32 len);

/* Make a free request ready to be filled. */
void vt_req_reset(struct vt_req *req);

/* Undo what filling it took, if it is not taken after all. */
void vt_req_release(struct vt_req *req);

/**
 * vt_req_map_addr - add a stretch of guest memory to a request's data
 * @req: request
 * @addr: guest address
 * @len: bytes
 * @write: the device writes there
 *
 * Context: ops->fetch.
 * Returns: 0, -EAGAIN, -ENOBUFS as ops->fetch; -EFAULT: not in guest memory;
 * -E2BIG: more pieces than a request can have. On an error the caller calls
 * vt_req_release().
 */
int vt_req_map_addr(struct vt_req *req, u64 addr, u32 len, bool write);

/**
 * vt_req_map_page - add a page of our own to a request's data
 * @req: request
 * @page: page; outlives the request
 * @len: bytes, at most a page
 *
 * Context, returns: as vt_req_map_addr(), but never -EAGAIN or -EFAULT.
 */
int vt_req_map_page(struct vt_req *req, struct page *page, u32 len);

/**
 * vt_req_bounce - have data go through a copy if the backend needs alignment
 * @req: request, complete
 *
 * A large copy is made by a work item, which vt_queue_submit() starts.
 *
 * Returns: 0 or -ENOBUFS.
 */
int vt_req_bounce(struct vt_req *req);

/* The same at once, whatever its size: for who submits it otherwise. */
int vt_req_bounce_now(struct vt_req *req);

/* Have vt_req_bounce() copy it in any case: then it is cut by whole pages. */
static inline void vt_req_gather(struct vt_req *req)
{
	req->len_bits |= 1;
}

/**
 * vt_req_copy_in - copy into the data of a request
 * @req: request with data mapped
 * @off: bytes of the data to leave alone
 * @buf: source
 * @len: bytes; what does not fit in the data is left out
 */
void vt_req_copy_in(struct vt_req *req, u32 off, const void *buf, u32 len);

/* The same, out of the data of a request. */
void vt_req_copy_out(struct vt_req *req, u32 off, void *buf, u32 len);

#endif
