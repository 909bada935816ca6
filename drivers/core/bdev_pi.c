// SPDX-License-Identifier: GPL-2.0
/*
 * Protection information of bios. The payload is part of what vt_pi_alloc()
 * made, so that nothing is allocated here.
 *
 * The block layer has one status for all checks of a device. Which of them it
 * was, and of which block, is found by doing them again: a write's data is
 * there, a read's is read once more with no check, and a work item computes.
 */
#include <linux/bvec.h>
#include <linux/crc-t10dif.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "../compat/integrity.h"
#include "bdev_pi.h"

/**
 * struct bdev_pi - protection information with its payload
 * @pi: what others see
 * @searching: the failed check is being looked for
 * @bv: of the tuples
 * @payload: for the bio
 */
struct bdev_pi {
	struct vt_pi pi;
	bool searching;
	struct bio_vec bv;
	struct bio_integrity_payload payload;
};

static struct bdev_pi *to_bdev_pi(struct vt_pi *pi)
{
	return container_of(pi, struct bdev_pi, pi);
}

/* Also of the partition's disk, as it is for a bio of the partition. */
static u8 bdev_pi_type(const struct blk_integrity *bi)
{
	if (!bi || bi->csum_type != BLK_INTEGRITY_CSUM_CRC || bi->pi_offset ||
	    vt_integrity_bytes(bi) != VT_PI_BYTES ||
	    bi->interval_exp < SECTOR_SHIFT ||
	    !(bi->flags & BLK_INTEGRITY_DEVICE_CAPABLE))
		return 0;
	return bi->flags & BLK_INTEGRITY_REF_TAG ? 1 : 3;
}

void vt_bdev_pi_limits(struct vt_backend *be)
{
	const struct blk_integrity *bi = bdev_get_integrity(be->bdev);
	struct vt_limits *l = &be->limits;

	l->pi_type = bdev_pi_type(bi);
	if (!l->pi_type)
		return;
	l->pi_bytes = VT_PI_BYTES;
	l->pi_interval = 1U << bi->interval_exp;
}

/* The tuples must not share cache lines with what the CPU writes. */
static size_t bdev_pi_head(void)
{
	return ALIGN(sizeof(struct bdev_pi), dma_get_cache_alignment());
}

struct vt_pi *vt_pi_alloc(const struct vt_backend *be, u64 sector, u32 bytes,
			  gfp_t gfp)
{
	const struct vt_limits *l = &be->limits;
	u32 shift = ilog2(l->pi_interval), nr = bytes >> shift;
	struct bdev_pi *p;

	p = kzalloc(bdev_pi_head() + nr * VT_PI_BYTES, gfp);
	if (!p)
		return NULL;
	p->pi.tuple = (void *)p + bdev_pi_head();
	p->pi.nr = nr;
	p->pi.ref = sector >> (shift - SECTOR_SHIFT);
	p->pi.type = l->pi_type;
	p->pi.check = true;
	return &p->pi;
}
EXPORT_SYMBOL_GPL(vt_pi_alloc);

void vt_pi_free(struct vt_pi *pi)
{
	if (pi)
		kfree(to_bdev_pi(pi));
}
EXPORT_SYMBOL_GPL(vt_pi_free);

/* On its way the reference tag becomes another one: look at it here. */
blk_status_t vt_bdev_pi_check(struct vt_io *io)
{
	if (io->op == VT_OP_WRITE && io->pi->check &&
	    !vt_pi_check(io->pi, 0, io->pi->nr, NULL, 0, VT_PI_REF, false))
		return BLK_STS_PROTECTION;
	return BLK_STS_OK;
}

blk_status_t vt_bdev_pi_attach(struct vt_io *io)
{
	const struct blk_integrity *bi = bdev_get_integrity(io->be->bdev);
	struct bdev_pi *p = to_bdev_pi(io->pi);
	struct bio_integrity_payload *bip = &p->payload;
	u32 bytes = io->pi->nr * VT_PI_BYTES;

	/* The device may have been formatted since it was opened. */
	if (bdev_pi_type(bi) != io->pi->type ||
	    1U << bi->interval_exp != io->be->limits.pi_interval)
		return BLK_STS_NOTSUPP;
	memset(bip, 0, sizeof(*bip));
	bvec_set_virt(&p->bv, io->pi->tuple, bytes);
	bip->bip_vec = &p->bv;
	bip->bip_vcnt = 1;
	bip->bip_max_vcnt = 1;
	bip->bip_iter.bi_size = bytes;
	bip_set_seed(bip, io->pi->ref);
	bip->bip_flags = vt_bip_flags(io->pi->check, io->pi->type == 1);
	io->bio.bi_integrity = bip;
	io->bio.bi_opf |= REQ_INTEGRITY;
	return BLK_STS_OK;
}

/* So that the block layer does not free what it did not allocate. */
void vt_bdev_pi_detach(struct vt_io *io)
{
	io->bio.bi_opf &= ~REQ_INTEGRITY;
	io->bio.bi_integrity = NULL;
}

/**
 * struct pi_walk - a walk through the data of an I/O
 * @bv: piece
 * @off: bytes of it that were passed
 */
struct pi_walk {
	const struct bio_vec *bv;
	u32 off;
};

/* CRC of the next @len bytes. */
static u16 walk_crc(struct pi_walk *w, u32 len)
{
	u16 crc = 0;
	u32 n;

	for (; len; len -= n) {
		if (w->off == w->bv->bv_len) {
			w->bv++;
			w->off = 0;
		}
		n = min(len, w->bv->bv_len - w->off);
		crc = crc_t10dif_update(crc, page_address(w->bv->bv_page) +
					w->bv->bv_offset + w->off, n);
		w->off += n;
	}
	return crc;
}

static void pi_search(struct vt_io *io)
{
	/* A write's reference tags were looked at, and may have changed. */
	u8 checks = VT_PI_GUARD | (io->op == VT_OP_READ ? VT_PI_REF : 0);
	struct pi_walk w = { .bv = io->bv };
	struct vt_pi *pi = io->pi;
	u16 guard;
	u32 i;

	for (i = 0; i < pi->nr; i++) {
		guard = walk_crc(&w, io->be->limits.pi_interval);
		if (io->op == VT_OP_READ &&
		    vt_pi_escapes(&pi->tuple[i], pi->type))
			continue;
		pi->bad = vt_pi_verify(&pi->tuple[i], pi->type, checks, guard,
				       pi->ref + i);
		pi->bad_at = i;
		if (pi->bad)
			break;
	}
}

static void pi_search_work(struct work_struct *work)
{
	struct vt_io *io = container_of(work, struct vt_io, work);

	pi_search(io);
	vt_io_end(io, BLK_STS_PROTECTION);
}

bool vt_bdev_pi_ended(struct vt_io *io, blk_status_t status)
{
	struct bdev_pi *p = to_bdev_pi(io->pi);

	if (p->searching) {
		/* The second reading: if it fails, nothing more is known. */
		if (status)
			vt_io_end(io, BLK_STS_PROTECTION);
		else
			vt_io_punt(io, pi_search_work);
		return true;
	}
	if (status != BLK_STS_PROTECTION || !io->pi->check)
		return false;
	p->searching = true;
	io->pi->check = false;
	if (io->op == VT_OP_READ)
		vt_io_late(io);
	else
		vt_io_punt(io, pi_search_work);
	return true;
}
