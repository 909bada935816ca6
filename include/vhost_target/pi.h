/* SPDX-License-Identifier: GPL-2.0 */
/*
 * T10 protection information: a tuple for each interval of data, that goes
 * with it from the initiator to the medium and back.
 *
 * DOC: protection information
 *
 * An I/O without it (io->pi is NULL) on a backend that has it is protected
 * from the block layer on: that makes the tuples of a write and verifies those
 * of a read, if the owner of the device has not turned it off.
 *
 * An I/O with it carries the initiator's own tuples. They are a copy: the
 * block layer changes them on their way (the reference tag of a partition is
 * not that of the disk), and expects no tuple to lie in two pieces.
 */
#ifndef _VHOST_TARGET_PI_H
#define _VHOST_TARGET_PI_H

#include <linux/bitops.h>
#include <linux/types.h>

struct vt_backend;
struct vt_io;

/* As it is stored. */
struct vt_pi_tuple {
	__be16 guard;
	__be16 app;
	__be32 ref;
};

#define VT_PI_BYTES	sizeof(struct vt_pi_tuple)

/* Checks. */
#define VT_PI_GUARD	BIT(0)	/* CRC of the data */
#define VT_PI_APP	BIT(1)	/* application tag; only devices do */
#define VT_PI_REF	BIT(2)	/* low half of the LBA; type 1 */

/**
 * struct vt_pi - the protection information of a read or write
 * @tuple: one for each interval: given, or to be filled
 * @nr: number
 * @ref: reference tag of the first one, by type 1
 * @type: 1 or 3
 * @check: the device is to check all it can; else it is to check nothing
 * @bad: if the I/O ends with BLK_STS_PROTECTION: the VT_PI_* that failed,
 *	0: it is not known
 * @bad_at: interval that failed, if @bad is set
 */
struct vt_pi {
	struct vt_pi_tuple *tuple;
	u32 nr;
	u32 ref;
	u8 type;
	bool check;
	u8 bad;
	u32 bad_at;
};

#ifdef CONFIG_BLK_DEV_INTEGRITY
/**
 * vt_pi_alloc - make protection information for an I/O
 * @be: backend, with limits.pi_type set
 * @sector: first sector of the I/O
 * @bytes: of the I/O
 * @gfp: how
 *
 * All tuples are zero, @check is set. To be freed with vt_pi_free() when the
 * I/O has ended.
 *
 * Context: as of @gfp. Returns: NULL: no memory.
 */
struct vt_pi *vt_pi_alloc(const struct vt_backend *be, u64 sector, u32 bytes,
			  gfp_t gfp);
void vt_pi_free(struct vt_pi *pi);

/**
 * vt_pi_verify - check a tuple
 * @t: tuple
 * @type: 1 or 3
 * @checks: VT_PI_GUARD, VT_PI_REF or both
 * @guard: CRC of its data; for VT_PI_GUARD
 * @ref: reference tag it ought to have; for VT_PI_REF
 *
 * Returns: the VT_PI_* that failed, 0: none.
 */
u8 vt_pi_verify(const struct vt_pi_tuple *t, u8 type, u8 checks, u16 guard,
		u32 ref);

/* Does the tuple say that its data is not to be checked when it is read? */
bool vt_pi_escapes(const struct vt_pi_tuple *t, u8 type);

/**
 * vt_pi_check - check tuples against data in one piece
 * @pi: tuples; @bad and @bad_at are set if one fails
 * @first: of the tuples
 * @nr: number
 * @data: of them
 * @interval: bytes
 * @checks: VT_PI_*
 * @read: leave out those that are not to be checked when read
 *
 * Returns: whether all are good.
 */
bool vt_pi_check(struct vt_pi *pi, u32 first, u32 nr, const void *data,
		 u32 interval, u8 checks, bool read);

/**
 * vt_pi_generate - make tuples of data in one piece
 * @pi: tuples
 * @first: of the tuples
 * @nr: number
 * @data: of them
 * @interval: bytes
 * @app: application tag of each
 *
 * Reference tags are @pi->ref plus their place, by type 3 @pi->ref.
 */
void vt_pi_generate(struct vt_pi *pi, u32 first, u32 nr, const void *data,
		    u32 interval, u16 app);
#else
/* No backend has any: limits.pi_type is 0. */
static inline struct vt_pi *vt_pi_alloc(const struct vt_backend *be, u64 sector,
					u32 bytes, gfp_t gfp)
{
	return NULL;
}

static inline void vt_pi_free(struct vt_pi *pi)
{
}

static inline bool vt_pi_escapes(const struct vt_pi_tuple *t, u8 type)
{
	return true;
}

static inline void vt_pi_generate(struct vt_pi *pi, u32 first, u32 nr,
				  const void *data, u32 interval, u16 app)
{
}

static inline bool vt_pi_check(struct vt_pi *pi, u32 first, u32 nr,
			       const void *data, u32 interval, u8 checks,
			       bool read)
{
	return true;
}
#endif

#endif
