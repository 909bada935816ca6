/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory of one session: guest address -> page.
 *
 * DOC: guest memory
 *
 * Guest addresses are looked up in 2 MiB chunks kept in an xarray. A poller
 * looks up without a lock; a chunk it has never seen is filled by the
 * session's provider in a work item while the queue waits (-EAGAIN), because
 * pinning pages may sleep for as long as the VMM likes (a file system of its own,
 * swap). What userfaultfd would have to bring is not waited for: it is a hole.
 *
 * A chunk found may be used until the request that looked it up is done.
 * Taking memory away therefore has two steps: vt_gmem_drop() removes chunks
 * from the xarray, vt_gmem_punch() pages from chunks, at once and from any
 * context that may spin; the pages are let go only after ->sync() of the owner
 * has waited for every request that was picked up before. See
 * vt_vdev_sync_memory(). Whoever remembers a chunk longer looks at gm->gen
 * before it is used again: vt_gmem_gen().
 *
 * Locks: gm->fill_lock (mutex, fills and table changes) > gm->reap_lock (mutex,
 * one lets go at a time) > gm->lock (spinlock, chunks inserted and removed, the
 * list of dropped ones). Whether mmap_lock is above reap_lock or below is the
 * provider's affair; one that takes it within ->release() gives the lock a
 * lockdep class of its own.
 */
#ifndef _VHOST_TARGET_GMEM_H
#define _VHOST_TARGET_GMEM_H

#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#define VT_CHUNK_SHIFT	21
#define VT_CHUNK_SIZE	BIT_ULL(VT_CHUNK_SHIFT)
#define VT_CHUNK_PAGES	(VT_CHUNK_SIZE >> PAGE_SHIFT)

/* Set in a page pointer of a chunk: the guest may not have it written. */
#define VT_PAGE_RO	1UL

/**
 * struct vt_chunk - 2 MiB of guest memory
 * @index: guest address >> VT_CHUNK_SHIFT
 * @node: on gm->dropped once removed
 * @priv: the provider's
 * @nr: pages present
 * @contig: all pages present, contiguous and alike: only page[0] is there
 * @part: never seen by a poller: pages of a chunk that stays
 * @first: room for that
 * @page: page pointers | VT_PAGE_RO; 0: hole. Not behind the rest: together they
 *	are a little more than a page, for which the kernel takes two
 */
struct vt_chunk {
	u64 index;
	struct list_head node;
	void *priv;
	unsigned int nr;
	bool contig;
	bool part;
	unsigned long first;
	unsigned long *page;
};

struct vt_gmem;
struct vt_map;

/**
 * struct vt_gmem_ops - where a session's memory comes from
 * @fill: make the chunk of this address and insert it by vt_gmem_insert();
 *	may sleep, fill_lock held. -EFAULT if there is no memory at the
 *	address, inserted or not, -EBUSY to be tried again. NULL: all chunks were inserted
 *	before, a miss is a hole.
 * @release: let go of a dropped chunk's pages, may sleep
 * @sync: wait until no request uses what was dropped before, may sleep
 * @map: what vt_gmem_map() does, or NULL: it looks the pages up and takes
 *	references on them
 */
struct vt_gmem_ops {
	int (*fill)(struct vt_gmem *gm, u64 addr);
	void (*release)(struct vt_gmem *gm, struct vt_chunk *c);
	void (*sync)(struct vt_gmem *gm);
	int (*map)(struct vt_gmem *gm, u64 addr, u32 len, bool write,
		   struct vt_map *map);
};

/**
 * struct vt_gmem - guest memory of a session
 * @ops: provider; set once
 * @chunks: index -> struct vt_chunk
 * @identity: guest addresses are physical ones (a host kernel's own driver)
 * @mm: whose pinned_vm counts what we pin, a reference on the struct; NULL: none
 * @pin_limit: how far, in pages
 * @gen: changes after a chunk has left @chunks; written under @lock
 * @evictions: how often all had to be dropped to make room; written under
 *	@fill_lock
 * @fill_lock: serialises fills and changes of the provider's map
 * @reap_lock: held while chunks are let go of
 * @lock: protects insertion and removal of chunks, @dropped
 * @dropped: chunks removed from @chunks, still pinned
 * @reap: lets go of @dropped
 * @nr_pages: pages held, for the pin counters
 */
struct vt_gmem {
	const struct vt_gmem_ops *ops;
	struct xarray chunks;
	bool identity;
	struct mm_struct *mm;
	unsigned long pin_limit;
	unsigned long gen;
	unsigned long evictions;
	struct mutex fill_lock;
	struct mutex reap_lock;
	spinlock_t lock;
	struct list_head dropped;
	struct work_struct reap;
	atomic_long_t nr_pages;
};

/**
 * vt_gmem_init - set up an empty memory
 * @gm: memory
 * @ops: provider
 */
void vt_gmem_init(struct vt_gmem *gm, const struct vt_gmem_ops *ops);

/**
 * vt_gmem_exit - let go of everything; no queue may be running
 * @gm: memory
 *
 * Context: may sleep.
 */
void vt_gmem_exit(struct vt_gmem *gm);

/**
 * vt_gmem_set_owner - whose RLIMIT_MEMLOCK is it that pages count against?
 * @gm: memory that has no chunk and no mapping that is counted
 * @mm: an address space, or NULL: nothing is counted
 *
 * The limit is that of the calling task at this moment; with CAP_IPC_LOCK there is none.
 */
void vt_gmem_set_owner(struct vt_gmem *gm, struct mm_struct *mm);

/**
 * vt_gmem_charge - count pages that are going to be pinned
 * @gm: memory
 * @nr: pages
 *
 * They are counted before they are looked at: two who are at it see each other.
 *
 * Context: any.
 * Returns: whether the owner may have them; only then, they are counted.
 */
bool vt_gmem_charge(struct vt_gmem *gm, unsigned long nr);

/* They are not pinned any more, or were not after all. */
void vt_gmem_uncharge(struct vt_gmem *gm, unsigned long nr);

/**
 * vt_gmem_lookup - find the pages behind a guest address
 * @gm: memory
 * @addr: guest address
 * @len: bytes wanted, not 0
 * @write: the device will write there
 * @page: first page
 * @off: offset in it
 *
 * Context: any that may not be interrupted by ->sync() being satisfied, that
 * is: the poller that serves the queue, or with the queue stopped.
 *
 * Returns: bytes physically contiguous from there, at most @len; -EAGAIN if
 * the chunk must be filled first; -EFAULT if there is no such memory or it
 * is read-only and @write is set.
 */
int vt_gmem_lookup(struct vt_gmem *gm, u64 addr, u32 len, bool write,
		   struct page **page, unsigned int *off);

/**
 * vt_gmem_lookup_in - the same, with its chunk known
 * @gm: memory
 * @c: chunk with the index of @addr, NULL: there is none; it is not looked at
 *	if @gm is one of physical addresses
 * @addr: guest address
 * @len: bytes wanted, not 0
 * @write: the device will write there
 * @page: first page
 * @off: offset in it
 *
 * Context, returns: as vt_gmem_lookup().
 */
int vt_gmem_lookup_in(struct vt_gmem *gm, const struct vt_chunk *c, u64 addr,
		      u32 len, bool write, struct page **page,
		      unsigned int *off);

/**
 * vt_chunk_page - what a chunk has at an address
 * @c: chunk
 * @addr: guest address in it
 *
 * Context: as vt_gmem_lookup().
 *
 * Returns: the page's pointer | VT_PAGE_RO; 0: a hole.
 */
static inline unsigned long vt_chunk_page(const struct vt_chunk *c, u64 addr)
{
	unsigned int i = (addr & (VT_CHUNK_SIZE - 1)) >> PAGE_SHIFT;

	return c->contig ? c->first + i * sizeof(struct page) :
			   READ_ONCE(c->page[i]);
}

/**
 * vt_gmem_gen - is what is remembered of @gm's chunks still so?
 * @gm: memory
 *
 * A chunk found after a look at the generation is the right one as long as
 * that stays. Whoever drops chunks changes it before anybody can know that they
 * are gone: by then requests must not use them.
 */
static inline unsigned long vt_gmem_gen(const struct vt_gmem *gm)
{
	/* Before the xarray is looked at; pairs with gmem_left(). */
	return smp_load_acquire(&gm->gen);
}

/**
 * vt_gmem_read - copy from guest memory
 * @gm: memory
 * @addr: guest address
 * @buf: destination
 * @len: bytes
 *
 * Context: as vt_gmem_lookup().
 * Returns: 0, -EAGAIN or -EFAULT as vt_gmem_lookup(); all or nothing matters
 * only to the caller.
 */
int vt_gmem_read(struct vt_gmem *gm, u64 addr, void *buf, u32 len);

/**
 * vt_gmem_fill - have the chunk of an address filled
 * @gm: memory
 * @addr: guest address
 *
 * Context: may sleep for as long as the VMM's memory takes.
 * Returns: 0 if it is worth looking up again (the page was there, though it
 * may have been dropped since), -EFAULT if there is no memory at @addr,
 * -ENOMEM.
 */
int vt_gmem_fill(struct vt_gmem *gm, u64 addr);

/**
 * vt_chunk_alloc - make an empty chunk
 * @index: guest address >> VT_CHUNK_SHIFT
 * @contig: it will be physically contiguous (one page pointer instead of 512)
 * @gfp: flags
 */
struct vt_chunk *vt_chunk_alloc(u64 index, bool contig, gfp_t gfp);

/* Free a chunk that has no pages any more. */
void vt_chunk_free(struct vt_chunk *c);

/**
 * vt_chunk_range - which pages of a chunk lie in a range
 * @index: the chunk's
 * @first: first guest address of the range
 * @last: last one; the two have something in common
 * @from: first page
 * @to: last one
 */
static inline void vt_chunk_range(u64 index, u64 first, u64 last,
				  unsigned int *from, unsigned int *to)
{
	u64 start = index << VT_CHUNK_SHIFT;

	*from = first <= start ? 0 : (first - start) >> PAGE_SHIFT;
	*to = min(last - start, VT_CHUNK_SIZE - 1) >> PAGE_SHIFT;
}

/**
 * vt_chunk_has - is the page of a guest address there?
 * @c: chunk with the index of @addr; gm->lock held if pollers can see it
 * @addr: guest address
 */
static inline bool vt_chunk_has(const struct vt_chunk *c, u64 addr)
{
	return c->contig ||
	       c->page[(addr & (VT_CHUNK_SIZE - 1)) >> PAGE_SHIFT];
}

/**
 * vt_chunk_move - a page of a chunk, if it is there, becomes one of another
 * @c: chunk, not contiguous; gm->lock held if pollers can see it
 * @to: chunk without that page, that no poller can see
 * @i: which page
 */
void vt_chunk_move(struct vt_chunk *c, struct vt_chunk *to, unsigned int i);

/**
 * vt_gmem_insert - make a chunk visible to the pollers
 * @gm: memory; gm->lock held
 * @c: chunk, complete
 *
 * The chunk that was there before, if any, is dropped.
 * Returns: 0 or -ENOMEM.
 */
int vt_gmem_insert(struct vt_gmem *gm, struct vt_chunk *c);

/**
 * vt_gmem_drop - remove the chunks of a range of guest addresses
 * @gm: memory; gm->lock held
 * @first: first address
 * @last: last address
 *
 * The caller lets go of them by vt_gmem_reap(), or leaves that to the work
 * it queues by vt_gmem_reap_later().
 *
 * Returns: whether there were any.
 */
bool vt_gmem_drop(struct vt_gmem *gm, u64 first, u64 last);

/**
 * vt_gmem_punch - remove the pages of a range of guest addresses
 * @gm: memory; gm->lock held
 * @first: first address
 * @last: last address
 *
 * As vt_gmem_drop(), but what else is in their chunks stays, so that who changes
 * a page does not have its neighbours looked for again. Chunks that
 * are one huge page, or for whose pages there is no room, go as a whole. Not with
 * @gm->ops->fill NULL: a page that is gone would be a hole for ever.
 *
 * Returns: whether there were any.
 */
bool vt_gmem_punch(struct vt_gmem *gm, u64 first, u64 last);

/**
 * vt_gmem_drop_others - remove the chunks that were not inserted lately
 * @gm: memory; gm->lock held
 * @priv: chunks with this ->priv stay
 */
void vt_gmem_drop_others(struct vt_gmem *gm, const void *priv);

/**
 * vt_gmem_reap - let go of the chunks dropped
 * @gm: memory
 *
 * When it returns, all that was dropped before the call has been let go of,
 * by whomever.
 *
 * Context: may sleep; waits for the requests that may use them.
 */
void vt_gmem_reap(struct vt_gmem *gm);

/**
 * vt_gmem_reap_later - have the chunks dropped let go of by a work item
 * @gm: memory
 *
 * Context: any.
 */
void vt_gmem_reap_later(struct vt_gmem *gm);

/**
 * struct vt_map - a stretch of guest memory mapped for the kernel
 * @addr: kernel address, NULL: nothing mapped
 * @base: what to vunmap
 * @pages: its pages, each with a reference of the kind @pinned says
 * @nr: pages that are there
 * @want: pages it has when it is complete
 * @mm: whose pinned_vm counts @want, a reference on the struct, or NULL
 * @pinned: by pin_user_pages (else get_page; else, with @borrowed, none)
 * @borrowed: the pages belong to somebody who outlives the mapping
 * @write: we write there
 */
struct vt_map {
	void *addr;
	void *base;
	struct page **pages;
	unsigned int nr;
	unsigned int want;
	struct mm_struct *mm;
	bool pinned;
	bool borrowed;
	bool write;
};

/**
 * vt_gmem_map - map guest memory by guest addresses (rings)
 * @gm: memory
 * @addr: guest address
 * @len: bytes
 * @write: the device writes there
 * @map: result, to be undone by vt_map_undo()
 *
 * The pages are counted, beside the chunks that may have them, too: those may
 * go at any time, and the ring keeps the pages it was made on.
 *
 * Context: may sleep.
 * Returns: 0; -EFAULT; -ENOMEM: also at the owner's RLIMIT_MEMLOCK; -EINTR: the
 * caller is being killed.
 */
int vt_gmem_map(struct vt_gmem *gm, u64 addr, u32 len, bool write,
		struct vt_map *map);

/**
 * vt_map_undo - unmap, and let go of the pages
 * @map: mapping, may be one that was never made
 */
void vt_map_undo(struct vt_map *map);

#endif
