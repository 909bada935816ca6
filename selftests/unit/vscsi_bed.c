// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include <linux/slab.h>
#include <linux/vhost_target.h>

#include "../../drivers/scsi/lu/cmd.h"
#include "vscsi_bed.h"

static const struct vt_backend_ops null_ops = {
	.type = VHOST_TARGET_BACKEND_NULL,
};

static int next_lun(struct scsi_nexus *nexus, int lun)
{
	struct scsi_session *ss = scsi_nexus_session(nexus);

	for (; lun < VBED_LUNS; lun++)
		if (xa_load(&ss->itls, lun))
			return lun;
	return -1;
}

static void vbed_init_unit(struct vbed *v, struct scsi_unit *su)
{
	struct scsi_lu_params p = {
		.be = &v->b->be,
		.resv = &v->resv,
		.max_bytes = SCSI_MAX_BYTES,
		.serial = "disk0",
	};

	su->disk = &v->disk[su - v->su];
	mutex_init(&su->disk->tmf_lock);
	INIT_LIST_HEAD(&su->disk->units);
	list_add_tail(&su->disk_node, &su->disk->units);
	if (!EXPECT_EQ(0, scsi_lu_init(&su->lu, &p)))
		abort();
}

static void vbed_init_session(struct vbed *v)
{
	struct vt_resv_id id = { .proto = VT_RESV_SCSI, .len = 24,
				 .bytes = { 0x06 } };
	struct scsi_session *ss = &v->ss;
	unsigned int i;

	ss->vdev = v->vdev;
	ss->fetched = v->fetched;
	ss->port = (struct scsi_port) {
		.name = "target0", .rel_port = 1, .group = 1,
		.next_lun = next_lun,
	};
	ss->itls.entry = &v->itl[0];
	ss->itls.table = v->luns;
	ss->itls.size = VBED_LUNS;
	ss->near[0] = &v->itl[0];
	v->luns[VBED_LUN_FLAT] = &v->itl[1];
	scsi_events_init(&ss->events);
	scsi_nexus_init(&ss->nexus, &ss->port, &id, NULL);
	for (i = 0; i < 2; i++) {
		scsi_itl_attach(&v->itl[i], &ss->nexus, &v->su[i].lu);
		atomic_set(&v->itl[i].ua, 0);
	}
	v->vdev->type_priv = ss;
}

unsigned int vbed_pending;

static unsigned int queue_pending(struct vt_queue *q)
{
	(void)q;
	return vbed_pending;
}

static const struct vt_queue_ops queue_ops = { .pending = queue_pending };

static void vbed_init_queues(struct vbed *v)
{
	static struct vt_qstats stats;
	struct vt_queue *q = &v->vqs[2].q;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		v->vqs[i].q.index = i;
		v->vqs[i].q.ops = &queue_ops;
		v->vqs[i].q.st = &stats;
		v->vqs[i].q.session = &v->vdev->s;
		v->vqs[i].vdev = v->vdev;
	}
	q->nr_reqs = VBED_POOL;
	q->req_size = (sizeof(struct vt_req) + sizeof(struct scsi_req) + 63) &
		      ~63UL;
	q->reqs = aligned_alloc(64, q->nr_reqs * q->req_size);
	memset(q->reqs, 0, q->nr_reqs * q->req_size);
	for (i = 0; i < VBED_POOL; i++)
		vt_queue_req(q, i)->q = q;
	v->vdev->vqs = v->vqs;
	v->vdev->nvqs = 3;
}

static const struct vt_vdev_door_ops door;

struct vbed *vbed_new(void)
{
	struct vbed *v = aligned_alloc(64, (sizeof(*v) + 63) & ~63UL);

	_Static_assert(sizeof(struct scsi_req) <= BED_PRIV, "BED_PRIV");
	memset(v, 0, sizeof(*v));
	scsi_cmds_init();
	v->b = bed_make();
	v->b->be.ops = &null_ops;
	v->vdev = &v->b->vdev;
	v->vdev->features = VBED_FEATURES;
	v->vdev->door = &door;
	v->vdev->sense_size = VIRTIO_SCSI_SENSE_DEFAULT_SIZE;
	v->vdev->cdb_size = VIRTIO_SCSI_CDB_DEFAULT_SIZE;
	v->b->vq.q.session = &v->vdev->s;
	vt_resv_init(&v->resv);
	vbed_init_unit(v, &v->su[0]);
	vbed_init_unit(v, &v->su[1]);
	vbed_init_queues(v);
	vbed_init_session(v);
	return v;
}

void vbed_free(struct vbed *v)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		scsi_itl_detach(&v->itl[i]);
		scsi_lu_destroy(&v->su[i].lu);
	}
	vt_resv_destroy(&v->resv);
	bed_free(v->b);
	free(v->vqs[2].q.reqs);
	free(v);
}

void vbed_header(struct vbed *v, const u8 lun[8], const void *cdb, u32 cdb_len)
{
	u8 hdr[512] = {};
	struct virtio_scsi_cmd_req *r = (void *)hdr;

	memcpy(r->lun, lun, 8);
	r->tag = 0x1234;
	memcpy(r->cdb, cdb, cdb_len);
	bed_reset(v->b);
	bed_out(v->b, hdr, SCSI_REQ_HEAD + v->vdev->cdb_size);
}

void vbed_chain(struct vbed *v, const void *cdb, u32 cdb_len, u32 out, u32 in)
{
	u64 addr;

	vbed_header(v, VBED_LUN_FIELD(VBED_LUN), cdb, cdb_len);
	addr = bed_alloc(v->b, out);
	bed_add(v->b, addr, out, false);
	bed_in(v->b, SCSI_RESP_HEAD + v->vdev->sense_size);
	bed_in(v->b, in);
}

/* What was left behind is garbage. */
int vbed_parse(struct vbed *v, unsigned int queue)
{
	struct vt_req *req = &v->b->req;
	struct bed *b = v->b;

	memset(b->priv, 0xa5, sizeof(b->priv));
	memset(&req->io, 0xa5, sizeof(req->io));
	req->io.counted = 0;
	req->io.be = NULL;
	vt_req_reset(req);
	req->io.bv = b->bv;
	b->nr_reads = 0;
	b->nr_maps = 0;
	b->vq.q.index = queue;
	switch (queue) {
	case SCSI_VQ_CONTROL:
		return scsi_control_parse(&b->vq, &b->chain, req);
	case SCSI_VQ_EVENT:
		return scsi_event_parse(&b->vq, &b->chain, req);
	default:
		return scsi_cmd_parse(&b->vq, &b->chain, req);
	}
}

static void vbed_io_done(struct vt_io *io)
{
	(void)io;
}

void vbed_execute(struct vbed *v)
{
	struct vt_io *io = &v->b->req.io;

	io->done = vbed_io_done;
	if (v->b->vq.q.index == SCSI_VQ_CONTROL) {
		scsi_tmf_execute(&v->b->req);
		scsi_tmf_work(&v->ss.tmf_work);
	} else {
		scsi_cmd_work(&io->work);
	}
}

void vbed_seen(struct vbed *v, u32 off, void *buf, u32 len)
{
	const struct vt_chain *c = &v->b->chain;
	const struct vt_seg *seg = c->seg + c->nr_out;
	u32 n;

	for (; len && seg < c->seg + c->nr_out + c->nr_in; seg++) {
		if (off >= seg->len) {
			off -= seg->len;
			continue;
		}
		n = min(len, seg->len - off);
		memcpy(buf, bed_ptr(v->b, seg->addr + off), n);
		buf += n;
		len -= n;
		off = 0;
	}
	EXPECT_EQ(0, len);
}

struct virtio_scsi_cmd_resp vbed_complete(struct vbed *v, blk_status_t status)
{
	struct virtio_scsi_cmd_resp r;
	struct vt_req *req = &v->b->req;
	u32 sense = min_t(u64, sizeof(r.sense),
			  v->b->chain.in_len - SCSI_RESP_HEAD);

	req->io.status = status;
	scsi_cmd_complete(req);
	scsi_resp_free(&vbed_req(v)->resp);
	memset(&r, 0, sizeof(r));
	vbed_seen(v, 0, &r, SCSI_RESP_HEAD + min(sense, v->vdev->sense_size));
	return r;
}

struct virtio_scsi_cmd_resp vbed_run(struct vbed *v)
{
	int ret = vbed_parse(v, 2);

	if (!EXPECT(ret >= 0))
		abort();
	if (ret == 2)
		vbed_execute(v);
	return vbed_complete(v, BLK_STS_OK);
}

u32 vbed_sense(const struct virtio_scsi_cmd_resp *r)
{
	if (!r->sense_len)
		return 0;
	return (r->sense[2] & 0xf) << 16 | r->sense[12] << 8 | r->sense[13];
}

struct scsi_req *vbed_task(struct vbed *v, unsigned int i, struct scsi_itl *itl,
			   u64 tag)
{
	struct vt_req *req = vt_queue_req(&v->vqs[2].q, i);
	struct scsi_req *sr = scsi_req(req);

	v->vqs[2].q.inflight += !req->taken;
	memset(sr, 0, sizeof(*sr));
	req->taken = true;
	sr->task.itl = itl;
	sr->tag = tag;
	sr->response = VIRTIO_SCSI_S_OK;
	return sr;
}

void vbed_task_end(struct scsi_req *sr)
{
	struct vt_req *req = scsi_to_vt_req(sr);

	req->taken = false;
	req->q->inflight--;
}

/* The core's part. */

unsigned int vbed_visits;

void vt_session_visit(struct vt_session *s,
		      void (*fn)(struct vt_queue *q, void *arg), void *arg)
{
	struct vt_vdev *vdev = vt_to_vdev(s);
	unsigned int i;

	for (i = 0; i < vdev->nvqs; i++)
		fn(&vdev->vqs[i].q, arg);
	vbed_visits++;
}

void vt_req_release(struct vt_req *req)
{
	req->io.nr_bv = 0;
}

struct vt_pi *vt_pi_alloc(const struct vt_backend *be, u64 sector, u32 bytes,
			  gfp_t gfp)
{
	u32 nr = bytes / be->limits.pi_interval;
	struct vt_pi *pi = kzalloc(sizeof(*pi) + nr * VT_PI_BYTES, gfp);

	if (!pi)
		return NULL;
	pi->tuple = (void *)(pi + 1);
	pi->nr = nr;
	pi->ref = sector;
	pi->type = be->limits.pi_type;
	pi->check = true;
	return pi;
}

void vt_pi_free(struct vt_pi *pi)
{
	free(pi);
}

/* The backend of the commands that a work item does: all goes well. */

blk_status_t scsi_be_zones(struct scsi_task *task, u64 sector,
			   struct blk_zone *zone, unsigned int *nr)
{
	(void)task;
	(void)sector;
	(void)zone;
	(void)nr;
	return BLK_STS_NOTSUPP;
}

blk_status_t scsi_be_zone(struct scsi_task *task, enum scsi_zone_op op,
			  const struct blk_zone *zone)
{
	(void)task;
	(void)op;
	(void)zone;
	return BLK_STS_NOTSUPP;
}

void vt_rmw_begin(struct vt_backend *be, u64 sector, u64 nr_sectors)
{
	(void)be;
	(void)sector;
	(void)nr_sectors;
}

void vt_rmw_end(struct vt_backend *be)
{
	(void)be;
}

void vt_rmw_write_end(struct vt_io *io)
{
	EXPECT_MSG(false, "%p was not counted", (void *)io);
}

blk_status_t scsi_be_read(struct scsi_task *task, u64 sector, void *buf,
			  u32 bytes)
{
	(void)task;
	(void)sector;
	memset(buf, 0, bytes);
	return BLK_STS_OK;
}

blk_status_t scsi_be_write(struct scsi_task *task, u64 sector, void *buf,
			   u32 bytes, u8 io_flags)
{
	(void)task;
	(void)sector;
	(void)buf;
	(void)bytes;
	(void)io_flags;
	return BLK_STS_OK;
}

blk_status_t scsi_be_pi(struct scsi_task *task, enum vt_op op, u64 sector,
			void *buf, u32 bytes, u8 io_flags,
			struct vt_pi_tuple *tuple)
{
	(void)task;
	(void)sector;
	(void)io_flags;
	if (op == VT_OP_READ) {
		memset(buf, 0, bytes);
		memset(tuple, 0x77, (bytes >> SECTOR_SHIFT) * VT_PI_BYTES);
	}
	return BLK_STS_OK;
}

blk_status_t scsi_be_flush(struct scsi_task *task)
{
	(void)task;
	return BLK_STS_OK;
}

blk_status_t scsi_be_range(struct scsi_task *task, enum vt_op op,
			   const struct vt_range *range)
{
	(void)task;
	(void)op;
	(void)range;
	return BLK_STS_OK;
}

bool scsi_be_unmap_zeroes(const struct vt_backend *be)
{
	(void)be;
	return false;
}

bool scsi_be_solid_state(const struct vt_backend *be)
{
	(void)be;
	return false;
}

void scsi_itl_drain(struct scsi_itl *itl)
{
	(void)itl;
}
