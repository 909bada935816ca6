// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of a queue: the pool, their data as pages, bounce buffers.
 *
 * The pool is made when the queue starts. A request of up to VT_INLINE_BVECS
 * pieces needs no more; a larger one has a table of a page made, and the few that
 * are larger still, or find no page, borrow one from a pool of the queue's own.
 */
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prefetch.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "queue.h"

/**
 * struct vt_bounce - aligned copy of a request's data
 * @nr_orig: entries of the guest's table
 * @orig: the guest's table
 * @nr: pages
 * @bv: one entry for each page
 */
struct vt_bounce {
	unsigned int nr_orig;
	struct bio_vec *orig;
	unsigned int nr;
	struct bio_vec bv[];
};

static unsigned int queue_nr_tables(const struct vt_queue *q)
{
	return min_t(unsigned int, q->nr_reqs, VT_BIG_TABLES);
}

int vt_queue_alloc(struct vt_queue *q, unsigned int nr, unsigned int priv)
{
	size_t table = struct_size_t(struct vt_bvecs, bv, VT_BIG_BVECS);
	unsigned int i;

	q->nr_reqs = nr;
	q->req_size = ALIGN(sizeof(struct vt_req) + priv, SMP_CACHE_BYTES);
	q->reqs = kvcalloc(nr, q->req_size, GFP_KERNEL_ACCOUNT);
	q->big = kvcalloc(queue_nr_tables(q), table, GFP_KERNEL_ACCOUNT);
	if (!q->reqs || !q->big) {
		vt_queue_free(q);
		return -ENOMEM;
	}

	q->free = NULL;
	for (i = nr; i-- > 0;) {
		struct vt_req *req = vt_queue_req(q, i);

		INIT_LIST_HEAD(&req->polled);
		req->q = q;
		req->next = q->free;
		q->free = req;
	}
	q->free_big = NULL;
	for (i = 0; i < queue_nr_tables(q); i++) {
		struct vt_bvecs *big = q->big + i * table;

		big->max = VT_BIG_BVECS;
		big->next = q->free_big;
		q->free_big = big;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vt_queue_alloc);

void vt_queue_free(struct vt_queue *q)
{
	kvfree(q->reqs);
	kvfree(q->big);
	q->reqs = NULL;
	q->big = NULL;
	q->free = NULL;
	q->free_big = NULL;
}
EXPORT_SYMBOL_GPL(vt_queue_free);

static void table_put(struct vt_queue *q, struct vt_bvecs *table)
{
	if (table->max == VT_PAGE_BVECS) {
		kfree(table);
		return;
	}
	table->next = q->free_big;
	q->free_big = table;
}

void vt_req_release(struct vt_req *req)
{
	if (req->big) {
		table_put(req->q, req->big);
		req->big = NULL;
	}
}
EXPORT_SYMBOL_GPL(vt_req_release);

static struct vt_known_chunk *queue_known(struct vt_queue *q, u64 addr)
{
	return &q->known[(addr >> VT_CHUNK_SHIFT) % VT_QUEUE_CHUNKS];
}

/*
 * A chunk that was found is used as long as none has been taken away: while
 * the generation is an old one we are in a pass that began before whoever
 * takes it away has waited for us.
 */
static struct vt_chunk *queue_chunk(struct vt_queue *q, u64 addr)
{
	struct vt_known_chunk *k = queue_known(q, addr);
	struct vt_gmem *gm = q->session->gmem;
	unsigned long gen = vt_gmem_gen(gm);
	u64 index = addr >> VT_CHUNK_SHIFT;

	if (unlikely(gm->identity))
		return NULL;
	if (unlikely(gen != q->known_gen)) {
		memset(q->known, 0, sizeof(q->known));
		q->known_gen = gen;
	}
	if (unlikely(k->index != index || !k->c)) {
		k->index = index;
		k->c = xa_load(&gm->chunks, index);
	}
	return k->c;
}

/*
 * Nearly all of what is looked up lies in a page of a chunk that is known:
 * that page, or 0.
 */
static __always_inline unsigned long queue_page(struct vt_queue *q, u64 addr,
						u32 len, bool write)
{
	const struct vt_known_chunk *k = queue_known(q, addr);
	unsigned long p;

	if (unlikely(vt_gmem_gen(q->session->gmem) != q->known_gen ||
		     k->index != addr >> VT_CHUNK_SHIFT || !k->c ||
		     len > PAGE_SIZE - offset_in_page(addr)))
		return 0;
	p = vt_chunk_page(k->c, addr);
	if (unlikely(p & VT_PAGE_RO))
		return write ? 0 : p & ~VT_PAGE_RO;
	return p;
}

/*
 * How often all memory had to be let go for a request, before its data is taken
 * to be more than may be pinned at a time; and before all of it is.
 */
#define EVICTED_DATA	4
#define EVICTED_ALL	8

/*
 * A miss is filled and looked up again, as often as memory is taken away in
 * between; a fill that found nothing there makes it a hole for this request.
 */
static noinline int queue_lookup_any(struct vt_queue *q, u64 addr, u32 len,
				     bool write, struct page **page,
				     unsigned int *off)
{
	int n = vt_gmem_lookup_in(q->session->gmem, queue_chunk(q, addr),
				  addr, len, write, page, off);

	if (likely(n != -EAGAIN))
		return n;
	if ((q->fault_hole && q->fault_addr == addr) ||
	    q->evicted >= EVICTED_ALL)
		return -EFAULT;
	if (q->fault_addr != addr)
		q->fault_hole = false;
	q->fault_addr = addr;
	return -EAGAIN;
}

int vt_queue_lookup(struct vt_queue *q, u64 addr, u32 len, bool write,
		    struct page **page, unsigned int *off)
{
	unsigned long p = queue_page(q, addr, len, write);

	q->cost++;
	if (unlikely(!p))
		return queue_lookup_any(q, addr, len, write, page, off);
	*page = (struct page *)p;
	*off = offset_in_page(addr);
	return len;
}
EXPORT_SYMBOL_GPL(vt_queue_lookup);

/* Nobody is asked for what is not there: the request itself will do that. */
void *vt_queue_expect(struct vt_queue *q, u64 addr)
{
	struct page *page = (struct page *)queue_page(q, addr, 1, false);
	unsigned int off = offset_in_page(addr);
	void *p;

	if (unlikely(!page) &&
	    vt_gmem_lookup_in(q->session->gmem, queue_chunk(q, addr), addr, 1,
			      false, &page, &off) < 0)
		return NULL;
	p = page_address(page) + off;
	prefetch(p);
	return p;
}
EXPORT_SYMBOL_GPL(vt_queue_expect);

int vt_queue_read(struct vt_queue *q, u64 addr, void *buf, u32 len)
{
	unsigned int off;
	struct page *page;
	int n;

	q->cost += len / VT_COST_BYTES;
	for (; len; len -= n, addr += n, buf += n) {
		n = vt_queue_lookup(q, addr, len, false, &page, &off);
		if (n < 0)
			return n;
		memcpy(buf, page_address(page) + off, n);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vt_queue_read);

static struct vt_bvecs *table_make(void)
{
	struct vt_bvecs *table = kmalloc(PAGE_SIZE, GFP_NOWAIT | __GFP_NOWARN);

	if (table)
		table->max = VT_PAGE_BVECS;
	return table;
}

static struct vt_bvecs *table_borrow(struct vt_queue *q)
{
	struct vt_bvecs *table = q->free_big;

	if (table)
		q->free_big = table->next;
	return table;
}

static bool req_grow(struct vt_req *req)
{
	struct vt_bvecs *old = req->big, *table = old ? NULL : table_make();

	if (!table)
		table = table_borrow(req->q);
	if (!table)
		return false;
	memcpy(table->bv, req->io.bv, req->io.nr_bv * sizeof(*table->bv));
	if (old)
		table_put(req->q, old);
	req->big = table;
	req->io.bv = table->bv;
	return true;
}

static int req_add_piece(struct vt_req *req, struct page *page,
			 unsigned int off, u32 len)
{
	unsigned int max = req->big ? req->big->max : VT_INLINE_BVECS;

	if (req->io.nr_bv == max) {
		if (max == VT_BIG_BVECS)
			return -E2BIG;
		if (!req_grow(req))
			return -ENOBUFS;
	}
	bvec_set_page(&req->io.bv[req->io.nr_bv++], page, len, off);
	req->io.bytes += len;
	return 0;
}

int vt_req_map_addr(struct vt_req *req, u64 addr, u32 len, bool write)
{
	unsigned int off;
	struct page *page;
	int n, err;

	req->addr_bits |= addr;
	req->len_bits |= len;
	for (; len; len -= n, addr += n) {
		n = vt_queue_lookup(req->q, addr, len, write, &page, &off);
		if (unlikely(n == -EAGAIN && req->q->evicted >= EVICTED_DATA))
			return -EFAULT;
		if (n < 0)
			return n;
		err = req_add_piece(req, page, off, n);
		if (err)
			return err;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vt_req_map_addr);

int vt_req_map_page(struct vt_req *req, struct page *page, u32 len)
{
	req->q->cost++;
	req->len_bits |= len;
	return req_add_piece(req, page, 0, len);
}
EXPORT_SYMBOL_GPL(vt_req_map_page);

static void bounce_free(struct vt_bounce *b)
{
	while (b->nr)
		__free_page(b->bv[--b->nr].bv_page);
	kvfree(b);
}

/* Zeroed for a read: not every device fills what it says it has read. */
static struct vt_bounce *bounce_alloc(u32 bytes, gfp_t gfp)
{
	unsigned int nr = DIV_ROUND_UP(bytes, PAGE_SIZE);
	struct vt_bounce *b;

	b = kvmalloc(struct_size(b, bv, nr), gfp);
	if (!b)
		return NULL;
	for (b->nr = 0; b->nr < nr; b->nr++) {
		struct page *page = alloc_page(gfp);

		if (!page) {
			bounce_free(b);
			return NULL;
		}
		bvec_set_page(&b->bv[b->nr], page,
			      min_t(u32, bytes, PAGE_SIZE), 0);
		bytes -= b->bv[b->nr].bv_len;
	}
	return b;
}

/* Walks the guest's pieces page by page of the copy. */
static void bounce_copy(struct vt_bounce *b, bool from_guest, bool late)
{
	struct bio_vec *g = b->orig;
	unsigned int done = 0, i;

	for (i = 0; i < b->nr; i++) {
		void *p = page_address(b->bv[i].bv_page);
		u32 len = b->bv[i].bv_len;

		if (late)
			cond_resched();
		while (len) {
			u32 n = min(len, g->bv_len - done);
			void *q = page_address(g->bv_page) + g->bv_offset +
				  done;

			if (from_guest)
				memcpy(p, q, n);
			else
				memcpy(q, p, n);
			p += n;
			len -= n;
			done += n;
			if (done == g->bv_len) {
				g++;
				done = 0;
			}
		}
	}
}

static bool bounce_begin(struct vt_req *req, gfp_t gfp)
{
	struct vt_io *io = &req->io;
	bool in = io->op == VT_OP_READ;
	struct vt_bounce *b;

	b = bounce_alloc(io->bytes, gfp | __GFP_NOWARN | __GFP_ACCOUNT |
			 (in ? __GFP_ZERO : 0));
	if (!b)
		return false;
	b->orig = io->bv;
	b->nr_orig = io->nr_bv;
	if (!in)
		bounce_copy(b, true, req->late);
	io->bv = b->bv;
	io->nr_bv = b->nr;
	req->bounce = b;
	return true;
}

/* Not aligned as the backend needs it? */
static bool req_must_copy(const struct vt_req *req)
{
	const struct vt_limits *l = &req->io.be->limits;

	return (req->addr_bits & l->dma_mask) ||
	       (req->len_bits & (l->block_size - 1));
}

/* A queue may have so many bytes of copies, or a single one. */
#define COPIED_MAX	SZ_16M
/* A larger copy would keep the poller for too long. */
#define COPIED_NOW	SZ_64K

static int req_copy_begin(struct vt_req *req, bool now)
{
	struct vt_queue *q = req->q;
	u32 bytes = req->io.bytes;

	if (q->copied && q->copied + bytes > COPIED_MAX)
		return -ENOBUFS;
	req->late = !now;
	if (now && !bounce_begin(req, GFP_NOWAIT))
		return -ENOBUFS;
	if (now)
		q->cost += DIV_ROUND_UP(bytes, PAGE_SIZE) * VT_COST_PAGE;
	req->copied = bytes;
	q->copied += bytes;
	vt_stat_inc(q->st->bounced);
	return 0;
}

int vt_req_bounce_now(struct vt_req *req)
{
	if (req->io.op > VT_OP_WRITE || likely(!req_must_copy(req)))
		return 0;
	return req_copy_begin(req, true);
}
EXPORT_SYMBOL_GPL(vt_req_bounce_now);

int vt_req_bounce(struct vt_req *req)
{
	if (req->io.op > VT_OP_WRITE || likely(!req_must_copy(req)))
		return 0;
	return req_copy_begin(req, req->io.bytes <= COPIED_NOW);
}
EXPORT_SYMBOL_GPL(vt_req_bounce);

void vt_req_unbounce(struct vt_req *req)
{
	struct vt_bounce *b = req->bounce;

	if (req->io.op == VT_OP_READ && !req->io.status)
		bounce_copy(b, false, req->late);
	req->io.bv = b->orig;
	req->io.nr_bv = b->nr_orig;
	bounce_free(b);
	req->bounce = NULL;
}

/*
 * Large copies are made by a work item, one in each session: it makes one, and
 * queues itself again if there are more. It waits for memory only, never for a
 * device or a lock, so that one workqueue does for all sessions.
 */
static struct workqueue_struct *copy_wq;

int vt_copies_init(void)
{
	copy_wq = alloc_workqueue("vhost-target-copy",
				  WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return copy_wq ? 0 : -ENOMEM;
}

void vt_copies_exit(void)
{
	destroy_workqueue(copy_wq);
}

static void copy_add(struct vt_req *req)
{
	struct vt_session *s = req->q->session;
	unsigned long flags;

	spin_lock_irqsave(&s->copy_lock, flags);
	if (list_empty(&s->copies))
		queue_delayed_work(copy_wq, &s->copy_work, 0);
	list_add_tail(&req->io.copy_node, &s->copies);
	spin_unlock_irqrestore(&s->copy_lock, flags);
}

static struct vt_req *copy_first(struct vt_session *s)
{
	struct vt_req *req;

	spin_lock_irq(&s->copy_lock);
	req = list_first_entry(&s->copies, struct vt_req, io.copy_node);
	spin_unlock_irq(&s->copy_lock);
	return req;
}

#define COPY_RETRY_MS 20

/*
 * Without memory for it the others have their turn first: some of them give
 * memory back.
 */
static void copy_next(struct vt_session *s, struct vt_req *req, bool done)
{
	unsigned long delay = done ? 0 : msecs_to_jiffies(COPY_RETRY_MS);

	spin_lock_irq(&s->copy_lock);
	if (done)
		list_del(&req->io.copy_node);
	else
		list_move_tail(&req->io.copy_node, &s->copies);
	if (!list_empty(&s->copies))
		queue_delayed_work(copy_wq, &s->copy_work, delay);
	spin_unlock_irq(&s->copy_lock);
}

static void req_submit_work(struct work_struct *work)
{
	vt_io_submit(container_of(work, struct vt_io, work));
}

/*
 * Whatever it takes: the guest sees a slow disk, not an error. Once the last
 * request is passed on, the session may go.
 */
void vt_copy_work(struct work_struct *work)
{
	struct vt_session *s = container_of(to_delayed_work(work),
					    struct vt_session, copy_work);
	struct vt_req *req = copy_first(s);
	bool back = req->bounce, done = true;

	if (back)
		vt_req_unbounce(req);
	else
		done = bounce_begin(req, GFP_NOIO);
	copy_next(s, req, done);
	if (back)
		req->io.done(&req->io);
	else if (done)
		vt_io_punt(&req->io, req_submit_work);
}

void vt_req_submit_late(struct vt_req *req)
{
	copy_add(req);
}

bool vt_req_ended_late(struct vt_req *req)
{
	if (!req->bounce)
		return false;
	copy_add(req);
	return true;
}
