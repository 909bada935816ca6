/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device side of virtio 1.2 virtqueues, split (2.7) and packed (2.8).
 *
 * This file and vring_split.c, vring_packed.c also compile in user space for
 * the unit tests and fuzzers: they see the rings as plain memory and reach
 * other guest memory (indirect tables) only through vt_vring_read_guest().
 *
 * One thread at a time uses a vring (the poller that serves the queue).
 * Everything the driver can write is read once, copied, then checked. What is
 * read ahead of that (vt_split_expect()) is a hint for the cache, and no more.
 */
#ifndef _VHOST_TARGET_VRING_H
#define _VHOST_TARGET_VRING_H

#include <linux/types.h>
#include <linux/virtio_ring.h>

#define VT_VRING_MAX_SIZE	1024

/* Reasons why a ring is stopped; the driver must reset the queue. */
enum vt_ring_error {
	VT_RING_OK,
	VT_RING_BAD_INDEX,	/* available index ahead by more than the size */
	VT_RING_BAD_HEAD,	/* head, buffer id or next out of range */
	VT_RING_LOOP,		/* chain longer than the queue */
	VT_RING_BAD_INDIRECT,	/* odd, empty, nested or unreadable table */
	VT_RING_BAD_ORDER,	/* readable descriptor after a writable one */
	VT_RING_ERRORS,
};

/**
 * struct vt_seg - one buffer of a chain, copied from a descriptor
 * @addr: guest address
 * @len: bytes, never 0
 */
struct vt_seg {
	u64 addr;
	u32 len;
};

/**
 * struct vt_chain - a descriptor chain, copied and in order
 * @id: head index (split) or buffer id (packed), to be returned by push
 * @slots: ring entries the chain takes (packed)
 * @looked: descriptors looked at, empty ones included
 * @nr_out: device-readable segments, the first of @seg
 * @nr_in: device-writable segments, after them
 * @out_len: bytes of all readable segments
 * @in_len: bytes of all writable segments
 * @seg: the segments, VT_VRING_MAX_SIZE of them at most
 */
struct vt_chain {
	u16 id;
	u16 slots;
	u16 looked;
	u16 nr_out;
	u16 nr_in;
	u64 out_len;
	u64 in_len;
	struct vt_seg seg[VT_VRING_MAX_SIZE];
};

struct vt_vring;

/**
 * struct vt_vring_ops - one ring format
 * @peek: copy the next chain; 1: got one, 0: none, -EAGAIN: an indirect table
 *	is in memory that is not mapped yet, -EPROTO: vr->error says why the
 *	ring cannot go on. Does not move the ring.
 * @consume: take the chain last peeked off the ring
 * @push: hand chain @id of @slots entries back with @len bytes written
 * @show: make what was pushed visible
 * @publish: likewise; true if the driver wants a call for it, or for what was
 *	shown since the last publish
 * @arm: ask the driver for notifications; true if there is already work
 * @disarm: tell the driver that notifications are not needed
 * @pending: 0: there is no chain to peek; otherwise how many there seem to be
 */
struct vt_vring_ops {
	int (*peek)(struct vt_vring *vr, struct vt_chain *c);
	void (*consume)(struct vt_vring *vr, const struct vt_chain *c);
	void (*push)(struct vt_vring *vr, u16 id, u16 slots, u32 len);
	void (*show)(struct vt_vring *vr);
	bool (*publish)(struct vt_vring *vr);
	bool (*arm)(struct vt_vring *vr);
	void (*disarm)(struct vt_vring *vr);
	unsigned int (*pending)(struct vt_vring *vr);
};

/**
 * struct vt_vring - a virtqueue's ring as the device sees it
 * @ops: format
 * @size: entries, a power of two up to VT_VRING_MAX_SIZE
 * @mask: @size - 1
 * @event_idx: VIRTIO_F_EVENT_IDX was negotiated
 * @error: why the ring was stopped
 * @next: next entry to take (split: free running, packed: 0..size-1)
 * @avail_idx: split: available index last read
 * @used: next used entry (split: free running, packed: 0..size-1)
 * @nr_pushed: entries pushed, and not yet visible
 * @nr_shown: entries made visible since the last publish (split: 1: some)
 * @next_wrap: packed: wrap counter of @next
 * @used_wrap: packed: wrap counter of @used
 * @signalled_valid: split: @signalled can be compared
 * @signalled: split: used index at the last publish
 * @batch_flags: packed: flags of the first entry pushed, written last
 * @batch_at: packed: that entry
 * @desc: descriptor table (split) or descriptor ring (packed)
 * @driver: available ring, or driver event suppression
 * @device: used ring, or device event suppression
 * @ind: scratch copy of an indirect table
 */
struct vt_vring {
	const struct vt_vring_ops *ops;
	u16 size;
	u16 mask;
	bool event_idx;
	u8 error;
	u16 next;
	u16 avail_idx;
	u16 used;
	bool next_wrap;
	bool used_wrap;
	bool signalled_valid;
	u16 signalled;
	u32 nr_pushed;
	u32 nr_shown;
	u16 batch_flags;
	u16 batch_at;
	void *desc;
	void *driver;
	void *device;
	struct vring_desc *ind;
};

extern const struct vt_vring_ops vt_vring_split_ops;
extern const struct vt_vring_ops vt_vring_packed_ops;

/* Bytes of the three parts of a ring of @size entries (virtio 1.2, 2.7, 2.8). */
struct vt_vring_layout {
	u32 desc;
	u32 driver;
	u32 device;
};

/**
 * vt_vring_layout - how much memory the parts of a ring take
 * @size: entries
 * @packed: packed format
 *
 * Returns: bytes of the descriptor, driver and device areas.
 */
struct vt_vring_layout vt_vring_layout(unsigned int size, bool packed);

/**
 * vt_vring_size_ok - can a ring have this many entries?
 * @size: entries
 *
 * A power of two: split rings need it (2.7), and no driver of packed rings
 * is known that asks for another.
 */
bool vt_vring_size_ok(unsigned int size);

/**
 * vt_vring_set_base - set where the ring starts
 * @vr: ring; format, size and areas are set
 * @base: split: available index; packed: bits 0-14 available index, 15 its
 *	wrap counter, 16-30 used index, 31 its wrap counter
 *
 * Returns: 0, or -EINVAL if an index is outside of a packed ring.
 */
int vt_vring_set_base(struct vt_vring *vr, u32 base);

/* Where the ring of a driver that begins starts, in that form. */
static inline u32 vt_vring_first_base(bool packed)
{
	return packed ? 0x80008000 : 0;
}

/**
 * vt_vring_get_base - where the ring stands, in the form of vt_vring_set_base
 * @vr: ring
 */
u32 vt_vring_get_base(const struct vt_vring *vr);

/**
 * vt_vring_read_guest - copy guest memory; the ring's user provides it
 * @vr: ring
 * @addr: guest address
 * @buf: destination
 * @len: bytes
 *
 * Returns: 0, -EAGAIN if the memory is not mapped yet, -EFAULT if there is
 * none.
 */
int vt_vring_read_guest(struct vt_vring *vr, u64 addr, void *buf, u32 len);

/**
 * vt_vring_expect_guest - have guest memory brought into the cache, likewise
 * @vr: ring
 * @addr: guest address
 *
 * Returns: where it is, up to the end of its page, or NULL.
 */
void *vt_vring_expect_guest(struct vt_vring *vr, u64 addr);

#endif
