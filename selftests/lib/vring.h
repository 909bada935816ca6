/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver's side of a virtqueue (virtio 1.2, 2.7 and 2.8).
 *
 * One table of operations per ring format. The bookkeeping (which descriptors
 * are free, what waits for completion) lives here and never in ring memory,
 * so that a test may scribble over the ring and still know what it did.
 */
#ifndef VT_VRING_H
#define VT_VRING_H

#include <assert.h>
#include <linux/virtio_ring.h>

#include "mem.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	      "rings are written without conversion");

#define VRING_MAX_NUM		1024
#define VRING_MAX_INDIRECT	64	/* entries of one indirect table */

/* One buffer of a chain. */
struct vring_seg {
	u64 gpa;
	u32 len;
	bool write;	/* the device writes it */
};

/* A descriptor as it stands in memory, for tests that break the rules. */
struct vring_raw {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;	/* split: next descriptor; packed: buffer id */
};

/* What is known of a chain: by head (split), by buffer id (packed). */
struct vring_chain {
	u16 nr;		/* descriptors it takes */
	u16 next;	/* next free one */
	bool busy;
	void *token;
};

struct vqueue;

struct vring_ops {
	/* Bytes of the descriptor, driver and device areas. */
	void (*sizes)(const struct vqueue *vr, u64 size[3]);
	/* Begin at @index, as after a reset (0) or a migration. */
	void (*init)(struct vqueue *vr, u16 index);
	void (*put)(struct vqueue *vr, const struct vring_seg *seg,
		    unsigned int n, void *token);
	bool (*kick_needed)(struct vqueue *vr);
	int (*get_used)(struct vqueue *vr, void **token, u32 *len);
	void (*disarm)(struct vqueue *vr);
	bool (*arm)(struct vqueue *vr, unsigned int after);
	u32 (*base)(const struct vqueue *vr);
	void (*put_raw)(struct vqueue *vr, const struct vring_raw *raw,
			unsigned int n);
};

extern const struct vring_ops vring_split_ops;
extern const struct vring_ops vring_packed_ops;

struct vqueue {
	const struct vring_ops *ops;
	unsigned int num;
	bool packed;
	bool event_idx;
	bool indirect;		/* chains of more than one go to a table */

	union {
		struct vring_desc *desc;
		struct vring_packed_desc *pdesc;
		void *desc_area;
	};
	union {
		struct vring_avail *avail;
		struct vring_packed_desc_event *driver_event;
		void *driver_area;
	};
	union {
		struct vring_used *used;
		struct vring_packed_desc_event *device_event;
		void *device_area;
	};
	u64 desc_gpa;
	u64 driver_gpa;
	u64 device_gpa;

	void *tables;		/* an indirect table per chain */
	u64 tables_gpa;

	struct vring_chain chain[VRING_MAX_NUM];
	u16 free_head;
	unsigned int num_free;	/* descriptors */

	u16 next_avail;		/* split: free running; packed: position */
	u16 last_used;
	bool avail_wrap;	/* packed */
	bool used_wrap;
	bool armed;
	unsigned int added;	/* since the last kick decision */
};

/* Take ring memory of @m; the caller sets packed, event_idx, indirect. */
int vring_alloc(struct vqueue *vr, struct mem *m, unsigned int num);
/* Forget everything in flight and begin at @index. */
void vring_reset(struct vqueue *vr, u16 index);

/* Offer a chain; -ENOSPC when there is no room, -EINVAL when too long. */
int vring_add(struct vqueue *vr, const struct vring_seg *seg, unsigned int n,
	      void *token);

/* True when the device wants to be told of what was added since. */
static inline bool vring_kick_needed(struct vqueue *vr)
{
	return vr->ops->kick_needed(vr);
}

/*
 * 1: a chain has completed; 0: none has; -EPROTO: the device returned
 * something it was never given.
 */
static inline int vring_get_used(struct vqueue *vr, void **token, u32 *len)
{
	return vr->ops->get_used(vr, token, len);
}

/* Ask for no interrupts. */
static inline void vring_disarm(struct vqueue *vr)
{
	vr->ops->disarm(vr);
}

/*
 * Ask for an interrupt when more than @after entries (packed: descriptors)
 * have been used. False when there is already one to take: no interrupt needs
 * to come then. @after counts with the event index only.
 */
static inline bool vring_arm(struct vqueue *vr, unsigned int after)
{
	return vr->ops->arm(vr, after);
}

/* Argument of VHOST_SET_VRING_BASE for where the ring stands now. */
static inline u32 vring_base(const struct vqueue *vr)
{
	return vr->ops->base(vr);
}

/*
 * Offer @raw as it is, without any bookkeeping: the ring has to be reset
 * afterwards. Split: written to descriptors 0..n-1, head 0 made available.
 * Packed: written to the next @n slots; the driver's wrap counter is xored
 * into the AVAIL and USED bits, so flags of 0 mean "available".
 */
static inline void vring_put_raw(struct vqueue *vr, const struct vring_raw *raw,
				 unsigned int n)
{
	vr->ops->put_raw(vr, raw, n);
}

/* Split only: make @head available; let the avail index be @index. */
void vring_split_publish(struct vqueue *vr, u16 head);
void vring_split_set_avail(struct vqueue *vr, u16 index);

/* Where VHOST_SET_VRING_BASE of a packed ring has its parts. */
static inline u32 vring_packed_base(u16 avail, bool avail_wrap, u16 used,
				    bool used_wrap)
{
	return avail | avail_wrap << 15 | (u32)used << 16 |
	       (u32)used_wrap << 31;
}

/* The indirect table of chain @i. */
static inline void *vring_table(const struct vqueue *vr, unsigned int i)
{
	return (u8 *)vr->tables + i * VRING_MAX_INDIRECT * 16;
}

static inline u64 vring_table_gpa(const struct vqueue *vr, unsigned int i)
{
	return vr->tables_gpa + i * VRING_MAX_INDIRECT * 16;
}

/* Bookkeeping shared by both formats. */
static inline bool vring_uses_table(const struct vqueue *vr, unsigned int n)
{
	return vr->indirect && n > 1;
}

/* Full barrier between what was published and what is looked at next. */
static inline void vring_mb(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#define vring_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define vring_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define vring_read(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define vring_write(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)

#endif
