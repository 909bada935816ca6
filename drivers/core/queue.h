/* SPDX-License-Identifier: GPL-2.0 */
/* Between queue.c, req.c, session.c, poller.c and main.c only. */
#ifndef _VT_CORE_QUEUE_H
#define _VT_CORE_QUEUE_H

#include <linux/atomic.h>
#include <linux/completion.h>

#include <vhost_target/queue.h>

/*
 * Pieces of the largest request, and how many such requests at a time: one more
 * table would not fit in 256 KiB, and the kernel would take 512 for them.
 */
#define VT_BIG_BVECS	2304
#define VT_BIG_TABLES	7

/* Pieces of one that has a page for its table. */
#define VT_PAGE_BVECS	((PAGE_SIZE - sizeof(struct vt_bvecs)) / \
			 sizeof(struct bio_vec))

/* req.c */
void vt_req_unbounce(struct vt_req *req);

/* Of requests with @late set: copy, then submit; true: it is to be copied back. */
void vt_req_submit_late(struct vt_req *req);
bool vt_req_ended_late(struct vt_req *req);

/* What makes the copies: session->copy_work. */
int vt_copies_init(void);
void vt_copies_exit(void);
void vt_copy_work(struct work_struct *work);

/* What a poller calls, mostly. */
unsigned int vt_queue_poll(struct vt_pq *pq, u64 now, u64 patience);

/**
 * struct vt_drain - somebody waits for what a session has given to a backend
 * @be: backend
 * @left: requests it has still, and 1 until all queues were asked
 * @done: there is none left
 */
struct vt_drain {
	const struct vt_backend *be;
	atomic_t left;
	struct completion done;
};

static inline void vt_drain_put(struct vt_drain *d)
{
	if (atomic_dec_and_test(&d->left))
		complete(&d->done);
}

/* queue.c */
/* session->sync_lock held. */
void vt_queue_sync(struct vt_queue *q);
/* For vt_session_visit(); @arg: struct vt_drain. */
void vt_queue_drain(struct vt_queue *q, void *arg);
void vt_queue_visit(struct vt_queue *q,
		    void (*fn)(struct vt_queue *q, void *arg), void *arg);

#endif
