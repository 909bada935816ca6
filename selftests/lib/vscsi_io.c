// SPDX-License-Identifier: GPL-2.0
/* Requests: commands, task management, events. */
#include <endian.h>
#include <string.h>

#include "pattern.h"
#include "vscsi.h"

/* Unit attentions that one logical unit may have at once. */
#define MAX_ATTENTIONS 16

struct vscsi_req *vscsi_get(struct vscsi_queue *q)
{
	unsigned int i;

	for (i = 0; i < q->nr_reqs; i++) {
		if (!q->req[i].busy) {
			q->req[i].busy = true;
			return &q->req[i];
		}
	}
	return NULL;
}

void vscsi_put(struct vscsi_req *r)
{
	r->busy = false;
}

void vscsi_lun(u8 field[8], unsigned int lun)
{
	memset(field, 0, 8);
	field[0] = 1;
	field[2] = lun < 256 ? 0 : 0x40 | lun >> 8;
	field[3] = lun;
}

void vscsi_prepare(struct vscsi_req *r, unsigned int lun, const void *cdb,
		   unsigned int cdb_len, enum vscsi_dir dir, u32 len)
{
	memset(r->cmd, 0, sizeof(*r->cmd));
	vscsi_lun(r->cmd->lun, lun);
	r->cmd->tag = ++r->q->d->next_tag;
	memcpy(r->cmd->cdb, cdb, cdb_len);
	memset(r->resp, 0, sizeof(*r->resp));
	vring_write(&r->resp->response, VSCSI_NONE);
	r->dir = dir;
	r->len = len;
	r->used_len = 0;
}

void vscsi_cdb_rw(u8 cdb[16], bool write, u64 lba, u32 blocks)
{
	u64 be_lba = htobe64(lba);
	u32 be_blocks = htobe32(blocks);

	memset(cdb, 0, 16);
	cdb[0] = write ? 0x8a : 0x88;
	memcpy(cdb + 2, &be_lba, sizeof(be_lba));
	memcpy(cdb + 10, &be_blocks, sizeof(be_blocks));
}

int vscsi_submit_chain(struct vscsi_req *r, const struct vring_seg *seg,
		       unsigned int n)
{
	return vq_submit(&r->q->vq, seg, n, r);
}

static unsigned int add_data(struct vscsi_req *r, struct vring_seg *seg,
			     unsigned int room, u32 piece)
{
	unsigned int n = 0;
	u32 at, len;

	for (at = 0; at < r->len && n < room; at += len) {
		len = r->len - at;
		if (piece && len > piece && n + 1 < room)
			len = piece;
		seg[n++] = (struct vring_seg){
			r->buf_gpa + at, len, r->dir == DIR_IN
		};
	}
	return n;
}

int vscsi_submit_pieces(struct vscsi_req *r, u32 piece)
{
	struct vring_seg seg[VRING_MAX_INDIRECT];
	unsigned int n = 0, room = ARRAY_SIZE(seg) - 2;

	seg[n++] = (struct vring_seg){ r->cmd_gpa, sizeof(*r->cmd), false };
	if (r->dir == DIR_OUT)
		n += add_data(r, seg + n, room, piece);
	seg[n++] = (struct vring_seg){ r->resp_gpa, sizeof(*r->resp), true };
	if (r->dir == DIR_IN)
		n += add_data(r, seg + n, room, piece);
	return vscsi_submit_chain(r, seg, n);
}

int vscsi_wait_ms(struct vscsi_queue *q, struct vscsi_req **done,
		  unsigned int ms)
{
	void *token;
	u32 len = 0;
	int ret = vq_wait_ms(&q->vq, &token, &len, ms);

	if (ret)
		return ret;
	*done = token;
	(*done)->used_len = len;
	return 0;
}

int vscsi_wait(struct vscsi_queue *q, struct vscsi_req **done)
{
	int ret = vscsi_wait_ms(q, done, VT_PATIENCE * 1000);

	if (ret)
		vq_failed(&q->vq, ret);
	return ret;
}

int vscsi_drain(struct vscsi_queue *q)
{
	struct vscsi_req *r;
	int ret;

	while (q->inflight) {
		ret = vscsi_wait(q, &r);
		if (ret)
			return ret;
		vscsi_put(r);
	}
	return 0;
}

/* Fixed format has its code 70h or 71h, descriptor format 72h or 73h. */
static u32 sense_key(const u8 *s, u32 len)
{
	if (len >= 14 && (s[0] & 0x7e) == 0x70)
		return SENSE(s[2] & 0xf, s[12], s[13]);
	if (len >= 4 && (s[0] & 0x7e) == 0x72)
		return SENSE(s[1] & 0xf, s[2], s[3]);
	return 0;
}

void vscsi_result(const struct vscsi_req *r, struct vscsi_result *res)
{
	res->response = vring_read(&r->resp->response);
	res->status = r->resp->status;
	res->key = sense_key(r->resp->sense, r->resp->sense_len);
	res->resid = r->resp->resid;
	res->used_len = r->used_len;
}

int vscsi_cmd(struct vscsi_queue *q, unsigned int lun, const void *cdb,
	      unsigned int cdb_len, enum vscsi_dir dir, void *buf, u32 len,
	      struct vscsi_result *res)
{
	struct vscsi_req *r = vscsi_get(q), *done;
	int ret;

	if (!r)
		return -EBUSY;
	vscsi_prepare(r, lun, cdb, cdb_len, dir, len);
	if (buf && dir == DIR_OUT)
		memcpy(r->buf, buf, len);
	ret = vscsi_submit(r);
	if (!ret) {
		vscsi_kick(q);
		ret = vscsi_wait(q, &done);
	}
	if (!ret && done != r)
		ret = -EPROTO;
	if (!ret) {
		vscsi_result(r, res);
		if (buf && dir == DIR_IN)
			memcpy(buf, r->buf, len);
	}
	vscsi_put(r);
	return ret;
}

int vscsi_do(struct vscsi_queue *q, unsigned int lun, const void *cdb,
	     unsigned int cdb_len, enum vscsi_dir dir, void *buf, u32 len)
{
	struct vscsi_result res;
	int ret = vscsi_cmd(q, lun, cdb, cdb_len, dir, buf, len, &res);

	if (ret)
		return ret;
	return res.response ? 0x100 + res.response : res.status;
}

int vscsi_ready(struct vscsi_queue *q, unsigned int lun)
{
	static const u8 test_unit_ready[6];
	struct vscsi_result res = { 0 };
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < MAX_ATTENTIONS; i++) {
		ret = vscsi_cmd(q, lun, test_unit_ready,
				sizeof(test_unit_ready), DIR_NONE, NULL, 0,
				&res);
		if (res.response || SENSE_KEY(res.key) != KEY_UNIT_ATTENTION)
			break;
	}
	if (ret)
		return ret;
	return res.response ? 0x100 + res.response : res.status;
}

int vscsi_capacity(struct vscsi_queue *q, unsigned int lun, u64 *blocks,
		   u32 *block_size)
{
	static const u8 read_capacity_16[16] = { 0x9e, 0x10, [13] = 32 };
	u64 last;
	u8 buf[32];
	int ret;

	ret = vscsi_do(q, lun, read_capacity_16, 16, DIR_IN, buf, 32);
	if (ret)
		return ret;
	memcpy(&last, buf, sizeof(last));
	memcpy(block_size, buf + 8, sizeof(*block_size));
	*blocks = be64toh(last) + 1;
	*block_size = be32toh(*block_size);
	return 0;
}

int vscsi_read(struct vscsi_queue *q, unsigned int lun, u64 lba, u32 blocks,
	       void *buf, u32 len)
{
	u8 cdb[16];

	vscsi_cdb_rw(cdb, false, lba, blocks);
	return vscsi_do(q, lun, cdb, sizeof(cdb), DIR_IN, buf, len);
}

int vscsi_write(struct vscsi_queue *q, unsigned int lun, u64 lba, u32 blocks,
		void *buf, u32 len)
{
	u8 cdb[16];

	vscsi_cdb_rw(cdb, true, lba, blocks);
	return vscsi_do(q, lun, cdb, sizeof(cdb), DIR_OUT, buf, len);
}

/* Task management. */

struct vscsi_req *vscsi_tmf_start(struct vscsi *d, u32 subtype,
				  unsigned int lun, u64 tag)
{
	struct vscsi_req *r = vscsi_get(&d->ctl);
	struct vring_seg seg[2];

	if (!r)
		return NULL;
	memset(r->tmf, 0, sizeof(*r->tmf));
	r->tmf->type = VIRTIO_SCSI_T_TMF;
	r->tmf->subtype = subtype;
	vscsi_lun(r->tmf->lun, lun);
	r->tmf->tag = tag;
	vring_write(&r->tmf_resp->response, VSCSI_NONE);
	seg[0] = (struct vring_seg){ r->cmd_gpa, sizeof(*r->tmf), false };
	seg[1] = (struct vring_seg){ r->resp_gpa, 1, true };
	if (vscsi_submit_chain(r, seg, 2)) {
		vscsi_put(r);
		return NULL;
	}
	vscsi_kick(&d->ctl);
	return r;
}

int vscsi_tmf_wait(struct vscsi *d, struct vscsi_req *r)
{
	struct vscsi_req *done;
	int ret;

	if (!r)
		return -EBUSY;
	ret = vscsi_wait(&d->ctl, &done);
	if (ret)
		return ret;
	vscsi_put(done);
	if (done != r || done->used_len != 1)
		return -EPROTO;
	return vring_read(&r->tmf_resp->response);
}

int vscsi_tmf(struct vscsi *d, u32 subtype, unsigned int lun, u64 tag)
{
	return vscsi_tmf_wait(d, vscsi_tmf_start(d, subtype, lun, tag));
}

/* Events. */

int vscsi_post_events(struct vscsi *d, unsigned int nr)
{
	struct vscsi_req *r;
	struct vring_seg seg;
	int ret;

	while (nr--) {
		r = vscsi_get(&d->ev);
		if (!r)
			return -EBUSY;
		seg = (struct vring_seg){
			r->buf_gpa, sizeof(struct virtio_scsi_event), true
		};
		ret = vscsi_submit_chain(r, &seg, 1);
		if (ret)
			return ret;
	}
	vscsi_kick(&d->ev);
	return 0;
}

int vscsi_event(struct vscsi *d, struct virtio_scsi_event *ev,
		unsigned int ms)
{
	struct vscsi_req *r;
	int ret = vscsi_wait_ms(&d->ev, &r, ms);

	if (ret)
		return ret;
	memcpy(ev, r->buf, sizeof(*ev));
	vscsi_put(r);
	return r->used_len == sizeof(*ev) ? 0 : -EPROTO;
}

/* Verified I/O. */

struct io_run {
	struct vscsi_queue *q;
	unsigned int lun;
	bool write;
	u64 lba;
	unsigned int count;
	u32 len;
	u32 block_size;
	u32 generation;
};

static u64 pattern_place(const struct io_run *io, u64 lba)
{
	return lba * (io->block_size / SECTOR);
}

static int submit_batch(struct io_run *io, unsigned int *next)
{
	u32 blocks = io->len / io->block_size;
	struct vscsi_req *r;
	u8 cdb[16];
	int ret;

	while (*next < io->count && (r = vscsi_get(io->q))) {
		r->lba = io->lba + (u64)*next * blocks;
		vscsi_cdb_rw(cdb, io->write, r->lba, blocks);
		vscsi_prepare(r, io->lun, cdb, sizeof(cdb),
			      io->write ? DIR_OUT : DIR_IN, io->len);
		if (io->write)
			pattern_fill(r->buf, io->len,
				     pattern_place(io, r->lba),
				     io->generation);
		else
			memset(r->buf, 0xee, io->len);
		ret = vscsi_submit(r);
		if (ret) {
			vscsi_put(r);
			return ret == -ENOSPC ? 0 : ret;
		}
		++*next;
	}
	return 0;
}

static int finish(struct io_run *io, struct vscsi_req *r)
{
	struct vscsi_result res;
	int ret = 0;

	vscsi_result(r, &res);
	if (res.response || res.status || res.resid) {
		vt_msg("block %llu: response %u status %#x sense %06x resid %u",
		       (unsigned long long)r->lba, res.response, res.status,
		       res.key, res.resid);
		ret = -EIO;
	} else if (!io->write) {
		ret = pattern_check(r->buf, r->len, pattern_place(io, r->lba),
				    io->generation);
	}
	vscsi_put(r);
	return ret;
}

static int run_io(struct io_run *io)
{
	unsigned int next = 0, done = 0;
	struct vscsi_req *r;
	int ret;

	while (done < io->count) {
		ret = submit_batch(io, &next);
		if (ret)
			return ret;
		vscsi_kick(io->q);
		ret = vscsi_wait(io->q, &r);
		if (!ret)
			ret = finish(io, r);
		if (ret)
			return ret;
		done++;
	}
	return 0;
}

static int pattern_io(struct vscsi_queue *q, unsigned int lun, bool write,
		      u64 lba, unsigned int count, u32 len, u32 block_size,
		      u32 generation)
{
	struct io_run io = {
		.q = q, .lun = lun, .write = write, .lba = lba, .count = count,
		.len = len, .block_size = block_size, .generation = generation,
	};

	return run_io(&io);
}

int vscsi_write_pattern(struct vscsi_queue *q, unsigned int lun, u64 lba,
			unsigned int count, u32 len, u32 block_size,
			u32 generation)
{
	return pattern_io(q, lun, true, lba, count, len, block_size,
			  generation);
}

int vscsi_check_pattern(struct vscsi_queue *q, unsigned int lun, u64 lba,
			unsigned int count, u32 len, u32 block_size,
			u32 generation)
{
	return pattern_io(q, lun, false, lba, count, len, block_size,
			  generation);
}

int vscsi_verified_io(struct vscsi_queue *q, unsigned int lun, u64 lba,
		      unsigned int count, u32 len, u32 block_size,
		      u32 generation)
{
	int ret = vscsi_write_pattern(q, lun, lba, count, len, block_size,
				      generation);

	return ret ? ret : vscsi_check_pattern(q, lun, lba, count, len,
					       block_size, generation);
}
