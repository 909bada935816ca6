// SPDX-License-Identifier: GPL-2.0
/*
 * A virtio-scsi device with the core's queues: sessions of a target, units
 * that come and go, a fence with I/O in flight.
 */
#include <string.h>

#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "scsi_dev.h"
#include "shim/hook.h"
#include "unit.h"

/* Of the fuzz target, which this is not. */
void fv_request(struct fv_chain *c, unsigned int queue)
{
	(void)c;
	(void)queue;
}

void fv_other(void)
{
}

void fv_check(void)
{
}

#define FEATURES	(~(BIT_ULL(VIRTIO_F_RING_PACKED) | \
			   BIT_ULL(VIRTIO_SCSI_F_T10_PI)))

static const struct fv_seed one = { .features = FEATURES };
static const struct fv_seed two = { .features = FEATURES, .far_rings = true };

/* The unit attention that each new session has. */
static void clear_ua_of(u8 lun)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		if (!SD_DO(lun, NULL, 0, NULL, 0, 0, 0, 0, 0, 0, 0))
			break;
	EXPECT(i < 4);
}

static void clear_ua(void)
{
	clear_ua_of(0);
}

static void make_preempt(struct sd_cmd *cmd, u8 key, u8 whose)
{
	u8 list[24] = { [7] = key, [15] = whose };

	sd_make(cmd, 0, (const u8[]){ 0x5f, 4, 5, [8] = sizeof(list),
		[9] = 0 }, 10, list, sizeof(list), 0);
}

static void make_write(struct sd_cmd *cmd, u8 lun, const u8 *data)
{
	sd_make(cmd, lun, (const u8[]){ 0x2a, [5] = 4, [8] = 1, [9] = 0 }, 10,
		data, 512, 0);
}

/* One that begins. */
static void begin_write(struct sd_cmd *cmd, u8 lun, const u8 *data)
{
	make_write(cmd, lun, data);
	fv_offer(SD_QUEUE, &cmd->c);
	fc_poll();
}

TEST(preempt_in_flight, "preempt waits for the write that another has in flight")
{
	u8 data[512] = { 0x77 };
	struct sd_cmd w, p;

	fv_open(&two);
	clear_ua();
	EXPECT_EQ(0, sd_resv(6, 0, 0, 1));
	fv_use(1);
	clear_ua();
	EXPECT_EQ(0, sd_resv(6, 0, 0, 2));
	EXPECT_EQ(0, sd_resv(1, 5, 2, 0));
	fc.holds = true;
	begin_write(&w, 0, data);
	fv_use(0);
	make_preempt(&p, 1, 2);
	fv_offer(SD_QUEUE, &p.c);
	fc_poll();
	/* Both are under way; the work item has to wait for the write. */
	EXPECT_EQ(0x11, fc.disk[0].data[4 * 512]);
	EXPECT_EQ(1, fc_do_work(1));
	EXPECT_EQ(0x77, fc.disk[0].data[4 * 512]);
	fc.holds = false;
	fc_settle();
	EXPECT_EQ(SCSI_GOOD, sd_resp(&p).status);
	fv_use(1);
	/* It had the right when it began. */
	EXPECT_EQ(SCSI_GOOD, sd_resp(&w).status);
	/* It may not any more: first it is told why. */
	EXPECT_EQ(SCSI_CHECK_CONDITION,
		  SD_DO(0, NULL, 0, NULL, 0, 0, 0, 0, 0, 0, 0));
	data[0] = 0x99;
	make_write(&w, 0, data);
	fv_send(SD_QUEUE, &w.c);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, sd_resp(&w).status);
	EXPECT_EQ(0x77, fc.disk[0].data[4 * 512]);
	fv_close();
}

/* Two sessions, which are registered at LUN 0; the second one has it. */
static void two_registered(void)
{
	unsigned int i;

	fv_open(&two);
	fc_add_disk(1);
	for (i = 0; i < 2; i++) {
		fv_use(i);
		clear_ua();
		clear_ua_of(1);
		EXPECT_EQ(0, sd_resv(6, 0, 0, i + 1));
	}
	EXPECT_EQ(0, sd_resv(1, 5, 2, 0));
}

TEST(preempt_hung, "preempt does not wait for what another has on a disk that hangs")
{
	u8 data[512] = { 0x79 };
	struct sd_cmd a, b, p;

	two_registered();
	fc.hangs = &fc.disk[1].be;
	begin_write(&b, 1, data);
	fc.holds = true;
	begin_write(&a, 0, data);
	fv_use(0);
	make_preempt(&p, 1, 2);
	fv_offer(SD_QUEUE, &p.c);
	fc_poll();
	EXPECT_EQ(0x11, fc.disk[0].data[4 * 512]);
	EXPECT_EQ(1, fc_do_work(1));
	EXPECT_EQ(0x79, fc.disk[0].data[4 * 512]);
	EXPECT_EQ(0x22, fc.disk[1].data[4 * 512]);
	fc.holds = false;
	fc_settle();
	EXPECT_EQ(SCSI_GOOD, sd_resp(&p).status);
	EXPECT_EQ(SCSI_GOOD, sd_resp(&a).status);
	EXPECT_EQ(0xff, sd_resp(&b).status);
	fc.hangs = NULL;
	fc_settle();
	EXPECT_EQ(SCSI_GOOD, sd_resp(&b).status);
	EXPECT_EQ(0x79, fc.disk[1].data[4 * 512]);
	fv_close();
}

static struct vt_queue *sd_q(void)
{
	return &fv.vdev->vqs[SD_QUEUE].q;
}

static void drain(unsigned int disk)
{
	struct vt_backend *be = &fc.disk[disk].be;

	mutex_lock(&be->resv.fence_lock);
	vt_session_drain_io(&fv.vdev->s, be);
	mutex_unlock(&be->resv.fence_lock);
}

TEST(drain_held, "the write itself is waited for, not what the driver sees")
{
	u8 data[512] = { 0x78 };
	unsigned int ended;
	struct sd_cmd w;

	fv_open(&two);
	fv_use(1);
	clear_ua();
	fc.holds = true;
	ended = fv_ended(SD_QUEUE);
	begin_write(&w, 0, data);
	EXPECT_EQ(ended, fv_ended(SD_QUEUE));
	EXPECT_EQ(1, sd_q()->inflight);
	drain(0);
	EXPECT_EQ(0, sd_q()->inflight);
	EXPECT_EQ(0x78, fc.disk[0].data[4 * 512]);
	/* What it is next is nobody's to wait for. */
	EXPECT(!sd_q()->free->drain);
	fv_close();
}

static unsigned int drain_steps;

/* The oldest ends. */
static void end_one(void)
{
	drain_steps++;
	EXPECT_EQ(1, fc_end_io(1));
	fc_poll();
}

/* Another disk is drained meanwhile, and more is written to this one. */
static void drain_other(void)
{
	u8 data[512] = { 0x7b };
	struct sd_cmd c;

	drain_steps++;
	fc.hangs = &fc.disk[1].be;
	shim_on_wait = end_one;
	drain(0);
	EXPECT_EQ(2, drain_steps);
	EXPECT_EQ(1, sd_q()->inflight);
	fc.hangs = NULL;
	begin_write(&c, 1, data);
}

TEST(drain_two, "of a session's disks each is waited for alone, and not what comes later")
{
	u8 data[512] = { 0x7a };
	struct sd_cmd a, b;

	fv_open(&one);
	fc_add_disk(1);
	clear_ua();
	clear_ua_of(1);
	fc.holds = true;
	begin_write(&b, 1, data);
	begin_write(&a, 0, data);
	EXPECT_EQ(2, sd_q()->inflight);
	drain_steps = 0;
	shim_on_wait = drain_other;
	drain(1);
	EXPECT_EQ(3, drain_steps);
	EXPECT_EQ(SCSI_GOOD, sd_resp(&a).status);
	EXPECT_EQ(SCSI_GOOD, sd_resp(&b).status);
	EXPECT_EQ(1, sd_q()->inflight);
	EXPECT_EQ(0x7a, fc.disk[1].data[4 * 512]);
	fc.holds = false;
	fc_settle();
	EXPECT_EQ(0x7b, fc.disk[1].data[4 * 512]);
	fv_close();
}

/* More than a poller copies by itself. */
#define LATE_BLOCKS	136

TEST(drain_late, "a write that a work item has to copy first is waited for")
{
	static const struct fv_seed unaligned = {
		.disk = { 2 }, .features = FEATURES,
	};
	static u8 data[LATE_BLOCKS * 512];
	struct sd_cmd w;

	memset(data, 0x7c, sizeof(data));
	fv_open(&unaligned);
	clear_ua();
	fc.holds = true;
	sd_make(&w, 0, (const u8[]){ 0x2a, [8] = LATE_BLOCKS, [9] = 0 }, 10,
		data, sizeof(data), 0);
	fv_offer(SD_QUEUE, &w.c);
	fc_poll();
	EXPECT_EQ(1, sd_q()->st->bounced);
	EXPECT_EQ(1, sd_q()->inflight);
	drain(0);
	EXPECT_EQ(0, sd_q()->inflight);
	EXPECT_EQ(0x7c, fc.disk[0].data[sizeof(data) - 1]);
	fv_close();
}

static const struct vt_vdev_door_ops door;

static struct vt_vdev *session(const char *initiator)
{
	struct vt_vdev *vdev = vt_vdev_create(&fc.target, 4, &door, NULL);

	strcpy(vdev->initiator, initiator);
	return vdev;
}

static struct scsi_session *ss_of(struct vt_vdev *vdev)
{
	return vdev->type_priv;
}

static bool same_nexus(struct vt_vdev *a, struct vt_vdev *b)
{
	return vt_resv_id_equal(&ss_of(a)->nexus.id, &ss_of(b)->nexus.id);
}

TEST(power_on, "a driver that begins finds mode pages as they were made")
{
	const struct vt_vdev_ops *type = fc.module_type->vdev_ops;
	struct scsi_itl *itl;

	fv_open(&one);
	itl = scsi_session_itl(fv.vdev->type_priv, 0);
	itl->lu->swp = true;
	type->power_on(fv.vdev);
	EXPECT(!itl->lu->swp);
	fv_close();
}

TEST(names, "sessions are told apart by name, or by the order of their coming")
{
	struct vt_vdev *a, *b, *c;
	struct vt_resv_id id;

	fv_open(&two);
	a = session("vm-a");
	b = session("vm-b");
	c = session("vm-a");
	EXPECT_EQ(0, vt_vdev_attach(a));
	EXPECT_EQ(0, vt_vdev_attach(b));
	EXPECT_EQ(SCSI_NO_INDEX, ss_of(a)->index);
	EXPECT(!same_nexus(a, b));
	EXPECT(!same_nexus(a, fv.vdev));
	/* The name is taken, until it goes. */
	EXPECT_EQ(-EBUSY, vt_vdev_attach(c));
	id = ss_of(a)->nexus.id;
	vt_vdev_detach(a);
	EXPECT_EQ(0, vt_vdev_attach(c));
	EXPECT(vt_resv_id_equal(&id, &ss_of(c)->nexus.id));
	/* Those without a name are 0 and 1: the next one is 2. */
	a->initiator[0] = 0;
	EXPECT_EQ(0, vt_vdev_attach(a));
	EXPECT_EQ(2, ss_of(a)->index);
	vt_vdev_destroy(a);
	vt_vdev_destroy(b);
	vt_vdev_destroy(c);
	fv_close();
}

TEST(attach_no_memory, "no memory for a session: an error, and nothing is kept")
{
	struct vt_vdev *vdev;
	unsigned int i;

	fv_open(&two);
	vdev = session("");
	/* The session, its view of the one unit. */
	for (i = 1; i <= 2; i++) {
		shim_no_memory = i;
		EXPECT_EQ(-ENOMEM, vt_vdev_attach(vdev));
		EXPECT(!vdev->type_priv);
		EXPECT_EQ(2, fc.target.nr_sessions);
	}
	EXPECT_EQ(0, vt_vdev_attach(vdev));
	vt_vdev_destroy(vdev);
	fv_close();
}

TEST(unit_no_memory, "no memory for a unit: an error, and nothing is kept")
{
	struct vt_unit *u = &fc.disk[1].unit;
	unsigned int i;

	fv_open(&one);
	/* The logical unit, the disk that it is a view of. */
	for (i = 1; i <= 2; i++) {
		shim_no_memory = i;
		EXPECT_EQ(-ENOMEM, fc.target.type->unit_init(u));
	}
	u->be->limits.block_size = 1 << 17;
	EXPECT(fc.target.type->unit_init(u) < 0);
	u->be->limits.block_size = 512;
	EXPECT_EQ(0, fc.target.type->unit_init(u));
	fc.target.type->unit_exit(u);
	fv_close();
}

TEST(one_disk, "units of one backend are one disk")
{
	struct vt_unit *a, *b;
	struct scsi_disk *d;

	fv_open(&one);
	a = &fc.disk[0].unit;
	b = &fc.disk[1].unit;
	b->be = a->be;
	EXPECT_EQ(0, fc.target.type->unit_init(b));
	d = ((struct scsi_unit *)a->priv)->disk;
	EXPECT(((struct scsi_unit *)b->priv)->disk == d);
	EXPECT_EQ(2, d->nr_units);
	fc.target.type->unit_exit(b);
	EXPECT_EQ(1, d->nr_units);
	b->be = &fc.disk[1].be;
	EXPECT_EQ(0, fc.target.type->unit_init(b));
	EXPECT(((struct scsi_unit *)b->priv)->disk != d);
	fc.target.type->unit_exit(b);
	fv_close();
}

TEST(unit_unseen, "a unit that a session had no memory for is not there for it")
{
	u8 in[36];

	fv_open(&one);
	clear_ua();
	/* After those of the unit: the session's view of it. */
	shim_no_memory = 3;
	fc_add_disk(1);
	EXPECT(fc.disk[1].present);
	EXPECT_EQ(0, SD_DO(1, NULL, 0, in, sizeof(in), 0x12, 0, 0, 0, 36, 0));
	EXPECT_EQ(0x7f, in[0]);
	/* What becomes of it is not told, either. */
	mutex_lock(&fc.target.lock);
	fv.vdev->s.ops->unit_event(&fv.vdev->s, &fc.disk[1].unit,
				   VT_UNIT_RESIZED);
	mutex_unlock(&fc.target.lock);
	fc_remove_disk(1);
	fc_add_disk(1);
	EXPECT_EQ(0, SD_DO(1, NULL, 0, in, sizeof(in), 0x12, 0, 0, 0, 36, 0));
	EXPECT_EQ(0, in[0]);
	fv_close();
}

static struct scsi_itl *watched;
static unsigned int told_early;

/* Whoever adds a unit may have to wait for a lock. */
static void look_at_ua(struct mutex *m)
{
	(void)m;
	told_early += !!(atomic_read(&watched->ua) & BIT(SCSI_UA_LUNS_CHANGED));
}

TEST(unit_told, "a driver is told of a new unit when it is there, and not before")
{
	struct scsi_session *ss;

	fv_open(&one);
	clear_ua();
	ss = fv.vdev->type_priv;
	watched = scsi_session_itl(ss, 0);
	told_early = 0;
	shim_on_lock = look_at_ua;
	fc_add_disk(1);
	shim_on_lock = NULL;
	EXPECT_EQ(0, told_early);
	EXPECT_EQ(BIT(SCSI_UA_LUNS_CHANGED), atomic_read(&watched->ua));
	/* The new one itself knows. */
	EXPECT_EQ(BIT(SCSI_UA_POWER_ON),
		  atomic_read(&scsi_session_itl(ss, 1)->ua));
	fv_close();
}

/* A task management request at a page that is lost. Returns: the response. */
static u8 tmf_at_lost(bool for_good)
{
	const u64 at = FC_BASE + (FC_RUN + 4) * PAGE_SIZE;
	struct virtio_scsi_ctrl_tmf_req r = {
		.subtype = cpu_to_le32(VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET),
		.lun = { 1 },
	};
	struct fv_chain c = { .nr = 0 };
	u8 response = 0xff;
	u64 resp;

	fc_write(at, &r, sizeof(r));
	fv_add(&c, at, sizeof(r), false);
	resp = fv_in(&c, 1);
	fc_write(resp, &response, 1);
	fc_lose(FC_RUN + 4, for_good);
	fv_send(SCSI_VQ_CONTROL, &c);
	fc_read(resp, &response, 1);
	return response;
}

TEST(control_memory, "a control request that is not in memory waits; where none is, it fails")
{
	fv_open(&one);
	EXPECT_EQ(VIRTIO_SCSI_S_OK, tmf_at_lost(false));
	EXPECT_EQ(1, fv.vdev->s.stats[SCSI_VQ_CONTROL].mem_faults);
	EXPECT_EQ(VIRTIO_SCSI_S_FAILURE, tmf_at_lost(true));
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  sd_tmf(VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET));
	fv_close();
}

static const struct fv_seed pi = {
	.disk = { 32 }, .features = ~BIT_ULL(VIRTIO_F_RING_PACKED),
};

/* It asks for checks (WRPROTECT 1), but gives none. */
TEST(pi_made, "blocks of a WRITE SAME are written with tuples of their own")
{
	u8 data[512];
	unsigned int i;

	memset(data, 0x21, sizeof(data));
	fv_open(&pi);
	clear_ua();
	EXPECT_EQ(0, SD_DO(0, data, 512, NULL, 0, 0x41, 0x20, 0, 0, 0, 8, 0, 0,
			   4, 0));
	for (i = 8; i < 12; i++) {
		EXPECT_EQ(0x21, fc.disk[0].data[i * 512]);
		EXPECT_EQ(i, be32_to_cpu(fc.disk[0].tuples[i].ref));
	}
	/* Of the buffers there are two; then come the tuples. */
	for (i = 1; i < 4; i++) {
		struct sd_cmd cmd;

		shim_no_memory = i;
		sd_make(&cmd, 0, (const u8[]){ 0x41, 0x20, [5] = 32, [8] = 1,
			[9] = 0 }, 10, data, 512, 0);
		fv_send(SD_QUEUE, &cmd.c);
		EXPECT_EQ(shim_no_memory ? SCSI_GOOD : SCSI_BUSY,
			  sd_resp(&cmd).status);
		shim_no_memory = 0;
	}
	fv_close();
}

TEST(no_zones, "a kernel without zoned devices: the commands fail")
{
	struct blk_zone zone = { .start = 0 };
	unsigned int nr = 1;

	EXPECT_EQ(BLK_STS_NOTSUPP, scsi_be_zones(NULL, 0, &zone, &nr));
	EXPECT_EQ(BLK_STS_NOTSUPP, scsi_be_zone(NULL, SCSI_ZONE_OPEN, &zone));
}

TEST(rotational, "whether the medium turns is what is below it")
{
	static const struct vt_backend_ops bdev = {
		.type = VHOST_TARGET_BACKEND_BDEV,
	};
	static const struct vt_backend_ops file = {
		.type = VHOST_TARGET_BACKEND_FILE,
	};
	struct block_device dev = { .queue = { .limits = { 0 } } };
	struct super_block sb = { .s_bdev = &dev };
	struct inode inode = { .i_sb = &sb };
	struct vt_backend be = { .ops = &bdev };

	EXPECT(!scsi_be_solid_state(&be));
	be.bdev = &dev;
	EXPECT(scsi_be_solid_state(&be));
	dev.queue.limits.features = BLK_FEAT_ROTATIONAL;
	EXPECT(!scsi_be_solid_state(&be));
	be.ops = &file;
	be.bdev = NULL;
	be.file = (struct file *)&inode;
	EXPECT(!scsi_be_solid_state(&be));
	dev.queue.limits.features = 0;
	EXPECT(scsi_be_solid_state(&be));
	EXPECT(scsi_be_unmap_zeroes(&be));
}

TEST(features_of_type, "a type offers what its targets may, and the core's own")
{
	u64 of_type, of_one;

	fv_open(&one);
	of_type = vt_type_features(fc.target.type);
	of_one = vt_vdev_features(fv.vdev);
	EXPECT_EQ(0, of_one & ~of_type);
	EXPECT(of_type & BIT_ULL(VIRTIO_SCSI_F_T10_PI));
	EXPECT(of_type & BIT_ULL(VIRTIO_F_RING_PACKED));
	fv_close();
}

TEST(module, "the module comes and goes, or does not come at all")
{
	EXPECT(fc_module_lives());
}
