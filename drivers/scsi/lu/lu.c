// SPDX-License-Identifier: GPL-2.0
/* Logical units and who uses them. */
#include <linux/vhost_target.h>

#include "cmd.h"

/* A left-aligned ASCII field (SPC-5): @len bytes, space padded. */
static int lu_set_text(char *field, unsigned int len, const char *text)
{
	unsigned int i;

	memset(field, ' ', len);
	for (i = 0; text[i]; i++) {
		if (i == len || text[i] < 0x20 || text[i] > 0x7e)
			return -EINVAL;
		field[i] = text[i];
	}
	return 0;
}

static int lu_set_serial(struct scsi_lu *lu, const char *serial)
{
	int err = lu_set_text(lu->serial, SCSI_SERIAL_LEN, serial);

	lu->serial[strlen(serial) * !err] = '\0';
	return err;
}

static int lu_set_texts(struct scsi_lu *lu, const struct scsi_lu_params *p)
{
	return lu_set_text(lu->vendor, SCSI_VENDOR_LEN, p->vendor ?: "VHOST") ?:
	       lu_set_text(lu->product, SCSI_PRODUCT_LEN,
			   p->product ?: "DISK") ?:
	       lu_set_text(lu->revision, SCSI_REVISION_LEN,
			   p->revision ?: "0001") ?:
	       lu_set_serial(lu, p->serial);
}

u64 scsi_naa(const char *text)
{
	u64 hash = 0xcbf29ce484222325ULL;

	while (*text) {
		hash ^= (u8)*text++;
		hash *= 0x100000001b3ULL;
	}
	hash ^= hash >> 32;
	return (3ULL << 60) | (hash & ((1ULL << 60) - 1));
}

static void lu_set_limits(struct scsi_lu *lu, const struct scsi_lu_params *p)
{
	const struct vt_limits *l = &p->be->limits;

	lu->block_shift = ilog2(l->block_size);
	lu->max_blocks = p->max_bytes >> lu->block_shift;
	if (l->pi_type && l->pi_interval == l->block_size &&
	    l->block_size <= SCSI_PI_CHUNK) {
		lu->pi_type = l->pi_type;
		lu->max_blocks = min(lu->max_blocks, SCSI_PI_MAX_BLOCKS);
	}
	lu->ro = l->ro || p->flags & VHOST_TARGET_UNIT_F_RO;
	lu->unmap = l->max_discard_sectors && !lu->ro &&
		    !(p->flags & VHOST_TARGET_UNIT_F_NO_DISCARD);
	lu->unmap_zeroes = lu->unmap && scsi_be_unmap_zeroes(p->be);
	lu->cache_fixed = !l->write_cache ||
			  p->flags & VHOST_TARGET_UNIT_F_WRITETHROUGH;
}

int scsi_lu_init(struct scsi_lu *lu, const struct scsi_lu_params *p)
{
	int err = lu_set_texts(lu, p);

	if (err)
		return err;
	lu->be = p->be;
	lu->resv = p->resv;
	lu->naa = p->naa ?: scsi_naa(lu->serial);
	lu_set_limits(lu, p);
	if (!lu->max_blocks || scsi_block_bytes(lu) > SCSI_CHUNK)
		return -EINVAL;
	mutex_init(&lu->mode_lock);
	spin_lock_init(&lu->lock);
	INIT_LIST_HEAD(&lu->itls);
	scsi_mode_defaults(lu);
	return 0;
}

void scsi_lu_destroy(struct scsi_lu *lu)
{
	WARN_ON(!list_empty(&lu->itls));
	mutex_destroy(&lu->mode_lock);
}

void scsi_nexus_init(struct scsi_nexus *nexus, struct scsi_port *port,
		     const struct vt_resv_id *id,
		     struct cgroup_subsys_state *css)
{
	nexus->port = port;
	nexus->id = *id;
	nexus->css = css;
	spin_lock_init(&nexus->lock);
	INIT_LIST_HEAD(&nexus->itls);
}

static void itl_resv_event(struct vt_resv_nexus *n, unsigned int events)
{
	struct scsi_itl *itl = container_of(n, struct scsi_itl, resv);

	if (events & VT_RESV_EV_REG_PREEMPTED)
		scsi_ua_raise(itl, SCSI_UA_REG_PREEMPTED);
	if (events & VT_RESV_EV_RELEASED)
		scsi_ua_raise(itl, SCSI_UA_RESV_RELEASED);
	if (events & VT_RESV_EV_RESV_PREEMPTED)
		scsi_ua_raise(itl, SCSI_UA_RESV_PREEMPTED);
}

static void itl_resv_drain(struct vt_resv_nexus *n)
{
	scsi_itl_drain(container_of(n, struct scsi_itl, resv));
}

static const struct vt_resv_nexus_ops itl_resv_ops = {
	.event	= itl_resv_event,
	.drain	= itl_resv_drain,
};

void scsi_itl_attach(struct scsi_itl *itl, struct scsi_nexus *nexus,
		     struct scsi_lu *lu)
{
	unsigned long flags;

	itl->lu = lu;
	itl->nexus = nexus;
	itl->resv.ops = &itl_resv_ops;
	itl->resv.may = VT_RESV_RW;
	atomic_set(&itl->ua, BIT(SCSI_UA_POWER_ON));

	spin_lock_irqsave(&lu->lock, flags);
	list_add_tail(&itl->lu_node, &lu->itls);
	spin_unlock_irqrestore(&lu->lock, flags);

	spin_lock_irqsave(&nexus->lock, flags);
	list_add_tail(&itl->nexus_node, &nexus->itls);
	spin_unlock_irqrestore(&nexus->lock, flags);

	if (lu->resv)
		vt_resv_bind(lu->resv, &itl->resv, &nexus->id);
}

void scsi_itl_detach(struct scsi_itl *itl)
{
	unsigned long flags;

	vt_resv_unbind(&itl->resv);
	spin_lock_irqsave(&itl->nexus->lock, flags);
	list_del(&itl->nexus_node);
	spin_unlock_irqrestore(&itl->nexus->lock, flags);

	spin_lock_irqsave(&itl->lu->lock, flags);
	list_del(&itl->lu_node);
	spin_unlock_irqrestore(&itl->lu->lock, flags);
}

static bool lu_is_shared(struct scsi_lu *lu)
{
	unsigned long flags;
	bool shared;

	spin_lock_irqsave(&lu->lock, flags);
	shared = !list_is_singular(&lu->itls);
	spin_unlock_irqrestore(&lu->lock, flags);
	return shared;
}

/* Whoever comes meanwhile waits with its first MODE SELECT. */
void scsi_itl_power_on(struct scsi_itl *itl)
{
	struct scsi_lu *lu = itl->lu;

	mutex_lock(&lu->mode_lock);
	if (!lu_is_shared(lu))
		scsi_mode_defaults(lu);
	mutex_unlock(&lu->mode_lock);
}

static void lu_start(struct scsi_lu *lu)
{
	struct scsi_itl *itl;
	unsigned long flags;

	spin_lock_irqsave(&lu->lock, flags);
	list_for_each_entry(itl, &lu->itls, lu_node)
		WRITE_ONCE(itl->stopped, false);
	spin_unlock_irqrestore(&lu->lock, flags);
}

void scsi_lu_reset(struct scsi_lu *lu, enum scsi_ua ua)
{
	mutex_lock(&lu->mode_lock);
	scsi_mode_defaults(lu);
	mutex_unlock(&lu->mode_lock);
	lu_start(lu);
	scsi_ua_raise_all(lu, NULL, ua);
}

void scsi_lun_encode(int lun, u8 buf[8])
{
	memset(buf, 0, 8);
	put_unaligned_be16(lun < 256 ? lun : 0x4000 | lun, buf);
}
