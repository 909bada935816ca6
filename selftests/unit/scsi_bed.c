// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include <linux/crc-t10dif.h>
#include <linux/vhost_target.h>

#include "scsi_bed.h"

/* Whose task is being done. */
static struct sbed *bed;

static int next_lun(struct scsi_nexus *nexus, int lun)
{
	(void)nexus;
	for (; lun < SBED_LUNS; lun++)
		if (bed->has_lun[lun])
			return lun;
	return -1;
}

static const struct vt_backend_ops null_ops = {
	.type = VHOST_TARGET_BACKEND_NULL,
};

static void sbed_init_be(struct sbed *b)
{
	b->be.ops = &null_ops;
	b->be.limits = (struct vt_limits) {
		.sectors = SBED_SECTORS,
		.block_size = 512,
		.physical_block_size = 4096,
		.io_min = 4096,
		.io_opt = 65536,
		.max_discard_sectors = SBED_MAX_DISCARD,
		.discard_alignment = 8,
		.max_write_zeroes_sectors = SBED_MAX_ZEROES,
		.write_cache = true,
	};
}

static void sbed_attach(struct sbed *b, unsigned int who)
{
	struct vt_resv_id id = {
		.proto = VT_RESV_SCSI,
		.len = 24,
		.port = b->port.rel_port,
		.bytes = { 0x06, [11] = who + 1 },
	};

	scsi_nexus_init(&b->nexus[who], &b->port, &id, NULL);
	scsi_itl_attach(&b->itl[who], &b->nexus[who], &b->lu);
	scsi_ua_take(&b->itl[who]);
}

struct sbed *sbed_new_with(void (*set)(struct sbed *b,
				       struct scsi_lu_params *p))
{
	struct sbed *b = calloc(1, sizeof(*b));
	struct scsi_lu_params p = {
		.be = &b->be,
		.resv = &b->resv,
		.max_bytes = SBED_MAX_BYTES,
		.serial = "disk0",
	};

	scsi_cmds_init();
	b->disk = calloc(1, SBED_BYTES);
	b->tuples = calloc(SBED_SECTORS, VT_PI_BYTES);
	b->has_lun[0] = true;
	b->port = (struct scsi_port) {
		.name = "target0",
		.naa = 0x5001405000000001ULL,
		.rel_port = 3,
		.group = 7,
		.tmfs = SCSI_TMF_ABORT_TASK | SCSI_TMF_LU_RESET |
			SCSI_TMF_NEXUS_RESET,
		.next_lun = next_lun,
	};
	sbed_init_be(b);
	vt_resv_init(&b->resv);
	if (set)
		set(b, &p);
	if (!EXPECT_EQ(0, scsi_lu_init(&b->lu, &p)))
		abort();
	sbed_attach(b, 0);
	sbed_attach(b, 1);
	return b;
}

struct sbed *sbed_new(void)
{
	return sbed_new_with(NULL);
}

void sbed_free(struct sbed *b)
{
	scsi_itl_detach(&b->itl[0]);
	scsi_itl_detach(&b->itl[1]);
	scsi_lu_destroy(&b->lu);
	vt_resv_destroy(&b->resv);
	free(b->disk);
	free(b->tuples);
	free(b->pi.tuple);
	free(b->out);
	free(b->in);
	free(b);
}

void sbed_task(struct sbed *b, unsigned int who, const u8 *cdb,
	       unsigned int cdb_len, u64 out_len, u64 in_len)
{
	free(b->out);
	free(b->in);
	memset(&b->task, 0xa5, sizeof(b->task));
	memset(b->task.cdb, 0, sizeof(b->task.cdb));
	memcpy(b->task.cdb, cdb, cdb_len);
	b->task.nexus = &b->nexus[who];
	b->task.itl = &b->itl[who];
	b->task.attr = SCSI_ATTR_SIMPLE;
	b->task.aborted = false;
	b->task.out_len = out_len;
	b->task.in_len = in_len;
	b->task.pi_ok = false;
	b->task.pi_out_len = 0;
	b->task.pi_in_len = 0;
	b->out = calloc(1, out_len);
	b->in = malloc(in_len);
	memset(b->in, 0xee, in_len);
}

void sbed_give_pi(struct sbed *b, u64 lba, u32 nr)
{
	free(b->pi.tuple);
	b->pi = (struct vt_pi) {
		.tuple = calloc(nr, VT_PI_BYTES),
		.nr = nr,
		.ref = lba,
		.type = b->lu.pi_type,
	};
	b->task.pi_ok = true;
	if (b->task.out_len)
		b->task.pi_out_len = nr * VT_PI_BYTES;
	else
		b->task.pi_in_len = nr * VT_PI_BYTES;
}

void sbed_set_zoned(struct sbed *b, struct scsi_lu_params *p)
{
	unsigned int i;

	(void)p;
	b->be.limits.zone_sectors = SBED_ZONE_SECTORS;
	b->be.limits.max_open_zones = 4;
	for (i = 0; i < SBED_ZONES; i++)
		b->zones[i] = (struct blk_zone) {
			.start = i * SBED_ZONE_SECTORS,
			.len = SBED_ZONE_SECTORS,
			.capacity = SBED_ZONE_SECTORS,
			.wp = i ? i * SBED_ZONE_SECTORS : ~0ull,
			.type = i ? BLK_ZONE_TYPE_SEQWRITE_REQ :
				BLK_ZONE_TYPE_CONVENTIONAL,
			.cond = i ? BLK_ZONE_COND_EMPTY : BLK_ZONE_COND_NOT_WP,
		};
}

void sbed_set_pi1(struct sbed *b, struct scsi_lu_params *p)
{
	(void)p;
	b->be.limits.pi_type = 1;
	b->be.limits.pi_bytes = VT_PI_BYTES;
	b->be.limits.pi_interval = b->be.limits.block_size;
}

void sbed_fill_pi(struct sbed *b, struct vt_pi_tuple *t, const u8 *data,
		  u64 lba, u32 nr)
{
	u32 bytes = b->be.limits.block_size, i;

	for (i = 0; i < nr; i++) {
		t[i].guard = cpu_to_be16(crc_t10dif_update(0, data + i * bytes,
							   bytes));
		t[i].app = cpu_to_be16(0x5a00 + i);
		t[i].ref = cpu_to_be32(lba + i);
	}
}

static void sbed_move_pi(struct sbed *b, enum vt_op op, u64 sector,
			 struct vt_pi_tuple *tuple, u32 nr)
{
	struct vt_pi_tuple *at = b->tuples +
		(sector >> (ilog2(b->be.limits.block_size) - SECTOR_SHIFT));

	if (op == VT_OP_WRITE)
		memcpy(at, tuple, nr * VT_PI_BYTES);
	else
		memcpy(tuple, at, nr * VT_PI_BYTES);
}

/* An I/O begins. Does it fail? */
static bool sbed_fails(struct sbed *b, enum vt_op op)
{
	if (b->on_io)
		b->on_io(b);
	return b->fail && op == b->fail_op && !b->fail_after--;
}

static blk_status_t sbed_io(struct sbed *b, enum vt_op op, u64 sector,
			    void *buf, u32 bytes, u8 io_flags)
{
	u8 *at = b->disk + (sector << SECTOR_SHIFT);
	bool fails = sbed_fails(b, op);

	b->ops[op]++;
	if (fails)
		return b->fail;
	if (!EXPECT(sector <= SBED_SECTORS &&
		    bytes <= SBED_BYTES - (sector << SECTOR_SHIFT)))
		abort();
	EXPECT_EQ(0, bytes % b->be.limits.block_size);
	EXPECT_EQ(0, (sector << SECTOR_SHIFT) % b->be.limits.block_size);
	if (op == VT_OP_WRITE)
		memcpy(at, buf, bytes);
	else if (op == VT_OP_READ && !b->reads_nothing)
		memcpy(buf, at, bytes);
	b->fua += op == VT_OP_WRITE && io_flags & VT_IO_FUA;
	b->rmw_writes += op == VT_OP_WRITE && io_flags & VT_IO_RMW;
	return BLK_STS_OK;
}

/* The device does the checks. */
static void sbed_submit_pi(struct sbed *b)
{
	struct scsi_task *task = &b->task;
	bool read = task->op == VT_OP_READ;
	u8 *buf = read ? b->in : b->out;
	u32 nr = task->pi_bytes / VT_PI_BYTES;
	blk_status_t status;

	if (!EXPECT_EQ(b->pi.nr, nr))
		abort();
	EXPECT_EQ(task->bytes, nr * b->be.limits.block_size);
	if (read)
		sbed_move_pi(b, task->op, task->sector, b->pi.tuple, nr);
	if (!read && !vt_pi_check(&b->pi, 0, nr, buf, b->be.limits.pi_interval,
				  VT_PI_GUARD | VT_PI_REF, false)) {
		scsi_task_pi_failed(task, b->pi.bad, b->pi.bad_at);
		return;
	}
	status = sbed_io(b, task->op, task->sector, buf, task->bytes,
			 task->io_flags);
	if (!read)
		sbed_move_pi(b, task->op, task->sector, b->pi.tuple, nr);
	if (read && !vt_pi_check(&b->pi, 0, nr, buf, b->be.limits.pi_interval,
				 VT_PI_GUARD | VT_PI_REF, true))
		scsi_task_pi_failed(task, b->pi.bad, b->pi.bad_at);
	else
		scsi_task_io_done(task, status);
}

static void sbed_submit(struct sbed *b)
{
	struct scsi_task *task = &b->task;
	u64 room = task->op == VT_OP_READ ? task->in_len :
		   task->op == VT_OP_WRITE ? task->out_len : 0;

	if (!EXPECT(task->bytes <= room))
		abort();
	if (task->pi_bytes) {
		sbed_submit_pi(b);
		return;
	}
	scsi_task_io_done(task, sbed_io(b, task->op, task->sector,
					task->op == VT_OP_READ ? b->in : b->out,
					task->bytes, task->io_flags));
}

u8 sbed_go(struct sbed *b)
{
	bed = b;
	b->verdict = scsi_task_parse(&b->task);
	if (b->verdict == SCSI_IO)
		sbed_submit(b);
	b->task.pi = &b->pi;
	if (b->verdict == SCSI_EXEC)
		scsi_task_execute(&b->task);
	EXPECT(b->task.moved <= b->task.out_len + b->task.in_len);
	EXPECT_EQ(b->task.status == SCSI_CHECK_CONDITION,
		  b->task.sense_len != 0);
	return b->task.status;
}

u8 sbed_run(struct sbed *b, unsigned int who, const u8 *cdb,
	    unsigned int cdb_len, u64 out_len, u64 in_len)
{
	sbed_task(b, who, cdb, cdb_len, out_len, in_len);
	return sbed_go(b);
}

/* What the transport and the kernel's be.c provide. */

static bool sbed_no_data(void)
{
	return bed->no_data || (bed->lose_data && !--bed->lose_data);
}

int scsi_data_get(struct scsi_task *task, u64 off, void *buf, u32 len)
{
	if (!EXPECT(off <= task->out_len && len <= task->out_len - off))
		abort();
	if (sbed_no_data())
		return -EFAULT;
	memcpy(buf, bed->out + off, len);
	return 0;
}

int scsi_data_put(struct scsi_task *task, u64 off, const void *buf, u32 len)
{
	if (!EXPECT(off <= task->in_len && len <= task->in_len - off))
		abort();
	if (sbed_no_data())
		return -EFAULT;
	memcpy(bed->in + off, buf, len);
	return 0;
}

void scsi_itl_drain(struct scsi_itl *itl)
{
	bed->drained[itl - bed->itl]++;
}

blk_status_t scsi_be_read(struct scsi_task *task, u64 sector, void *buf,
			  u32 bytes)
{
	(void)task;
	EXPECT(bytes <= SCSI_CHUNK);
	return sbed_io(bed, VT_OP_READ, sector, buf, bytes, 0);
}

blk_status_t scsi_be_write(struct scsi_task *task, u64 sector, void *buf,
			   u32 bytes, u8 io_flags)
{
	(void)task;
	EXPECT(bytes <= SCSI_CHUNK);
	return sbed_io(bed, VT_OP_WRITE, sector, buf, bytes, io_flags);
}

blk_status_t scsi_be_pi(struct scsi_task *task, enum vt_op op, u64 sector,
			void *buf, u32 bytes, u8 io_flags,
			struct vt_pi_tuple *tuple)
{
	blk_status_t status = sbed_io(bed, op, sector, buf, bytes, io_flags);

	(void)task;
	EXPECT(bytes <= SCSI_CHUNK);
	sbed_move_pi(bed, op, sector, tuple, bytes / bed->be.limits.block_size);
	return status;
}

blk_status_t scsi_be_flush(struct scsi_task *task)
{
	(void)task;
	return sbed_io(bed, VT_OP_FLUSH, 0, NULL, 0, 0);
}

/* What is discarded reads as anything: as 0xdd. */
blk_status_t scsi_be_range(struct scsi_task *task, enum vt_op op,
			   const struct vt_range *range)
{
	u32 bytes = range->nr_sectors << SECTOR_SHIFT;
	blk_status_t status;

	(void)task;
	EXPECT(range->nr_sectors);
	EXPECT(range->nr_sectors <= (op == VT_OP_DISCARD ?
				     bed->be.limits.max_discard_sectors :
				     bed->be.limits.max_write_zeroes_sectors));
	bed->range = *range;
	status = sbed_io(bed, op, range->sector, NULL, bytes, 0);
	if (!status)
		memset(bed->disk + (range->sector << SECTOR_SHIFT),
		       op == VT_OP_DISCARD ? 0xdd : 0, bytes);
	return status;
}

void vt_rmw_begin(struct vt_backend *be, u64 sector, u64 nr_sectors)
{
	struct sbed *b = container_of(be, struct sbed, be);

	EXPECT_EQ(0, b->rmw.nr_sectors);
	b->rmw.sector = sector;
	b->rmw.nr_sectors = nr_sectors;
}

void vt_rmw_end(struct vt_backend *be)
{
	struct sbed *b = container_of(be, struct sbed, be);

	EXPECT(b->rmw.nr_sectors);
	b->rmw.nr_sectors = 0;
}

/* Few at a time. */
blk_status_t scsi_be_zones(struct scsi_task *task, u64 sector,
			   struct blk_zone *zone, unsigned int *nr)
{
	unsigned int first = sector / SBED_ZONE_SECTORS;

	(void)task;
	EXPECT(*nr && sector < SBED_SECTORS);
	*nr = bed->no_zones ? 0 : min(min(*nr, 3U), SBED_ZONES - first);
	memcpy(zone, bed->zones + first, *nr * sizeof(*zone));
	return sbed_fails(bed, VT_OP_READ) ? bed->fail : BLK_STS_OK;
}

blk_status_t scsi_be_zone(struct scsi_task *task, enum scsi_zone_op op,
			  const struct blk_zone *zone)
{
	static const u8 conds[] = {
		[SCSI_ZONE_CLOSE]	= BLK_ZONE_COND_CLOSED,
		[SCSI_ZONE_FINISH]	= BLK_ZONE_COND_FULL,
		[SCSI_ZONE_OPEN]	= BLK_ZONE_COND_EXP_OPEN,
		[SCSI_ZONE_RESET]	= BLK_ZONE_COND_EMPTY,
	};

	(void)task;
	EXPECT_EQ(SBED_ZONE_SECTORS, zone->len);
	if (sbed_fails(bed, VT_OP_WRITE))
		return bed->fail;
	bed->zones[zone->start / SBED_ZONE_SECTORS].cond = conds[op];
	bed->zone_ops[op]++;
	return BLK_STS_OK;
}

bool scsi_be_unmap_zeroes(const struct vt_backend *be)
{
	return be->ops->type == VHOST_TARGET_BACKEND_FILE;
}

/* Sense data. */

static bool sense_desc(const struct sbed *b)
{
	return (b->task.sense[0] & 0x7f) == 0x72;
}

/* A descriptor, or NULL. */
static const u8 *sense_find(const struct sbed *b, u8 type)
{
	const u8 *p = b->task.sense + 8, *end = b->task.sense +
		      b->task.sense_len;

	for (; p < end; p += p[1] + 2)
		if (p[0] == type)
			return p;
	return NULL;
}

u8 sbed_key(const struct sbed *b)
{
	if (b->task.status != SCSI_CHECK_CONDITION)
		return 0;
	return b->task.sense[sense_desc(b) ? 1 : 2] & 0x0f;
}

u16 sbed_asc(const struct sbed *b)
{
	if (b->task.status != SCSI_CHECK_CONDITION)
		return 0;
	return get_unaligned_be16(b->task.sense + (sense_desc(b) ? 2 : 12));
}

static const u8 *sense_field(const struct sbed *b)
{
	const u8 *p = b->task.sense + 15;

	if (b->task.status != SCSI_CHECK_CONDITION)
		return NULL;
	if (sense_desc(b)) {
		p = sense_find(b, 0x02);
		p = p ? p + 4 : NULL;
	}
	return p && p[0] & 0x80 ? p : NULL;
}

int sbed_field(const struct sbed *b)
{
	const u8 *p = sense_field(b);

	return p ? get_unaligned_be16(p + 1) : -1;
}

bool sbed_field_in_cdb(const struct sbed *b)
{
	const u8 *p = sense_field(b);

	return p && p[0] & 0x40;
}

int sbed_field_bit(const struct sbed *b)
{
	const u8 *p = sense_field(b);

	return p && p[0] & 0x08 ? p[0] & 7 : -1;
}

s64 sbed_info(const struct sbed *b)
{
	const u8 *p;

	if (!sense_desc(b))
		return b->task.sense[0] & 0x80 ?
		       (s64)get_unaligned_be32(b->task.sense + 3) : -1;
	p = sense_find(b, 0x00);
	return p ? (s64)get_unaligned_be64(p + 4) : -1;
}

bool scsi_be_solid_state(const struct vt_backend *be)
{
	return container_of(be, struct sbed, be)->solid_state;
}

void sbed_pattern(u8 *buf, u32 len, u8 seed)
{
	u32 i;

	for (i = 0; i < len; i++)
		buf[i] = seed + i + (i >> 9) * 7;
}

void sbed_fill(struct sbed *b, u64 sector, u32 nr, u8 seed)
{
	sbed_pattern(b->disk + (sector << SECTOR_SHIFT), nr << SECTOR_SHIFT,
		     seed);
}

bool sbed_is(const struct sbed *b, u64 sector, u32 nr, u8 seed)
{
	u32 len = nr << SECTOR_SHIFT;
	u8 *want = malloc(len);
	bool same;

	sbed_pattern(want, len, seed);
	same = !memcmp(b->disk + (sector << SECTOR_SHIFT), want, len);
	free(want);
	return same;
}

bool sbed_is_zero(const struct sbed *b, u64 sector, u32 nr)
{
	return !memchr_inv(b->disk + (sector << SECTOR_SHIFT), 0,
			   (size_t)nr << SECTOR_SHIFT);
}
