// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation, and each copy from and to user space, fails once: in every
 * call, and in the poller. What was asked for is refused, nothing of it stays,
 * and asked again it is done. Needs a kernel with fault injection.
 */
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "nth.h"
#include "nvme.h"
#include "vblk.h"
#include "vscsi.h"

#define LEN 4096
#define ROUNDS 25	/* of what fails at random */

FIXTURE(af)
{
	struct disk disk;
	struct disk more;
	struct bed bed;
	struct bed_opts o;
	struct vblk blk;
	struct vscsi scsi;
	struct nvme n;
	struct mem mem;		/* of @n */
	struct nth_step step;
	u32 generation;
	long long pinned;
};

typedef FIXTURE_DATA(af) af_data;

/* A session of each type. */

static int blk_attach(void *arg)
{
	af_data *s = arg;
	struct vblk_opts o = {
		.target = s->bed.name, .nr_queues = 2, .queue_size = 64,
		.indirect = true, .event_idx = true, .layout = MEM_PIECES,
	};

	return vblk_open(&s->blk, &o);
}

static void blk_detach(void *arg)
{
	af_data *s = arg;

	vblk_close(&s->blk);
}

static int blk_io(af_data *s)
{
	return vblk_verified_io(&s->blk.q[0], 0, 4, LEN, ++s->generation);
}

static int scsi_attach(void *arg)
{
	af_data *s = arg;
	struct vscsi_opts o = {
		.wwpn = s->bed.name, .nr_queues = 2, .queue_size = 64,
		.indirect = true, .event_idx = true,
	};

	return vscsi_open(&s->scsi, &o);
}

static void scsi_detach(void *arg)
{
	af_data *s = arg;

	vscsi_close(&s->scsi);
}

static int scsi_io(af_data *s)
{
	int ret = vscsi_ready(&s->scsi.q[0], 0);

	return ret ? ret : vscsi_verified_io(&s->scsi.q[0], 0, 0, 4, LEN, SECTOR,
					     ++s->generation);
}

static void nvme_detach(void *arg)
{
	af_data *s = arg;

	nvme_close(&s->n);
	mem_free(&s->mem);
}

static int nvme_attach(void *arg)
{
	af_data *s = arg;
	int ret = mem_init(&s->mem, MEM_ONE, 4 * MIB, false);

	if (!ret)
		ret = nvme_open(&s->n, &s->mem, s->bed.name, NVME_DB_SHADOW);
	if (!ret)
		ret = nvme_enable(&s->n, 32);
	if (!ret)
		ret = nvme_create_queue(&s->n, 1, 32);
	if (ret)
		nvme_detach(s);
	return ret;
}

static int nvme_io(af_data *s)
{
	struct nvme_sqe cmd = { .opcode = 0x00, .nsid = 1 };	/* Flush */
	int ret = nvme_do(&s->n, 1, &cmd, NULL);

	nvme_set_rw(&cmd, 0x02, 1, 0, 1);
	nvme_set_prp(&cmd, s->n.buf_gpa, SECTOR, NULL, 0);
	return ret ? ret : nvme_do(&s->n, 1, &cmd, NULL);
}

static const struct af_type {
	const char *name;
	u32 type;
	int (*attach)(void *arg);
	void (*detach)(void *arg);
	int (*io)(af_data *s);
} af_types[] = {
	{ "blk", VHOST_TARGET_BLK, blk_attach, blk_detach, blk_io },
	{ "scsi", VHOST_TARGET_SCSI, scsi_attach, scsi_detach, scsi_io },
	{ "nvme", VHOST_TARGET_NVME, nvme_attach, nvme_detach, nvme_io },
};

static const struct af_type *af_type(const af_data *s)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(af_types); i++)
		if (af_types[i].type == s->o.type)
			return &af_types[i];
	return NULL;
}

FIXTURE_VARIANT(af)
{
	u32 type;
};

FIXTURE_VARIANT_ADD(af, blk) { VHOST_TARGET_BLK };
FIXTURE_VARIANT_ADD(af, scsi) { VHOST_TARGET_SCSI };
FIXTURE_VARIANT_ADD(af, nvme) { VHOST_TARGET_NVME };

FIXTURE_SETUP(af)
{
	struct disk_opts d = {
		.kind = DISK_BDEV, .own = true, .block_size = SECTOR,
		.size_mb = 16,
	};

	if (nth_missing())
		SKIP(return, "%s", nth_missing());
	bed_sweep();
	self->pinned = pinned_pages();
	self->bed.ctl = -1;
	self->n.fd = -1;
	self->o.disk = &self->disk;
	self->o.type = variant->type;
	self->o.num_queues = 2;
	ASSERT_EQ(0, disk_create(&self->disk, &d));
}

FIXTURE_TEARDOWN(af)
{
	const struct af_type *t = af_type(self);

	if (!t)
		return;
	nth_random_end();
	t->detach(self);
	EXPECT_EQ(0, bed_finish(&self->bed, &self->disk));
	disk_destroy(&self->more);
	EXPECT_EQ(0, wait_pinned(self->pinned));
}

#define STEP(...) \
	(self->step = (struct nth_step){ __VA_ARGS__ })
#define SWEPT() do { \
	ASSERT_EQ(0, nth_sweep(&self->step, self)); \
	vt_fault("no memory, at each place in turn: %s | %s: refused at %u, done at %u, all was well after each", \
		 self->step.name, af_type(self)->name, self->step.refused, \
		 self->step.absorbed); \
} while (0)
/* Some faults are to have had an effect. */
#define SWEEP() do { \
	SWEPT(); \
	EXPECT_LT(0, self->step.refused); \
} while (0)

/* Whether it was refused or not: a session does I/O afterwards. */
static int attach_is_good(void *arg, int refused)
{
	af_data *s = arg;
	const struct af_type *t = af_type(s);
	int ret = bed_wait_detached(&s->bed);

	if (!refused)
		return t->io(s);
	if (!ret)
		ret = t->attach(s);
	if (!ret)
		ret = t->io(s);
	t->detach(s);
	return ret ? ret : bed_wait_detached(&s->bed);
}

/* Attached is one more than nobody. */
static int attached_is_good(void *arg, int refused)
{
	af_data *s = arg;

	return refused ? attach_is_good(s, refused) : af_type(s)->io(s);
}

TEST_F(af, attach)
{
	ASSERT_EQ(0, bed_make(&self->bed, &self->o));
	STEP(.name = "attach", .run = af_type(self)->attach,
	     .good = attached_is_good, .undo = af_type(self)->detach);
	SWEEP();
}

/* A target with a unit comes and goes. */

static int target_make(void *arg)
{
	af_data *s = arg;

	return bed_make(&s->bed, &s->o);
}

static void target_destroy(void *arg)
{
	af_data *s = arg;

	bed_destroy(&s->bed);
}

/* Nothing of it is left: the same disk serves once more. */
static int target_is_good(void *arg, int refused)
{
	af_data *s = arg;
	const struct af_type *t = af_type(s);
	int ret = 0;

	if (refused)
		ret = bed_make(&s->bed, &s->o);
	if (!ret)
		ret = t->attach(s);
	if (!ret)
		ret = t->io(s);
	t->detach(s);
	if (refused)
		bed_destroy(&s->bed);
	return ret;
}

TEST_F(af, create)
{
	STEP(.name = "create", .run = target_make, .good = target_is_good,
	     .undo = target_destroy);
	SWEEP();
}

TEST_F(af, create_on_a_file)
{
	struct disk_opts d = {
		.kind = DISK_FILE, .block_size = SECTOR, .size_mb = 16,
	};

	ASSERT_EQ(0, disk_create(&self->more, &d));
	self->o.disk = &self->more;
	/* It may have to move to a file system that does direct I/O. */
	ASSERT_EQ(0, bed_make(&self->bed, &self->o));
	bed_destroy(&self->bed);
	STEP(.name = "create on a file", .run = target_make,
	     .good = target_is_good, .undo = target_destroy);
	SWEEP();
}

static int target_destroy_call(void *arg)
{
	af_data *s = arg;

	return ctl_destroy(s->bed.ctl, s->bed.name);
}

/* It is there as before, or gone, if only the answer could not be written. */
static int destroyed_is_good(void *arg, int refused)
{
	af_data *s = arg;
	int ret = 0;

	if (refused)
		ret = ctl_destroy(s->bed.ctl, s->bed.name);
	if (ret == -ENOENT && refused == -EFAULT)
		ret = 0;
	close(s->bed.ctl);
	s->bed.name[0] = 0;
	return ret ? ret : bed_make(&s->bed, &s->o);
}

TEST_F(af, destroy)
{
	ASSERT_EQ(0, bed_make(&self->bed, &self->o));
	STEP(.name = "destroy", .run = target_destroy_call,
	     .good = destroyed_is_good);
	SWEEP();
}

/* Another unit while a session does I/O; blk has one only. */

static int unit_add(void *arg)
{
	af_data *s = arg;
	struct disk d = {
		.kind = DISK_NULL, .block_size = SECTOR, .capacity = 16 * MIB,
	};

	return bed_add_lun(&s->bed, 1, &d, 0);
}

static int session_is_good(void *arg, int refused)
{
	(void)refused;
	return af_type(arg)->io(arg);
}

/* What fails after its work was done may have to be told twice. */
static int unit_remove(void *arg)
{
	af_data *s = arg;

	return ctl_remove_unit(s->bed.ctl, s->bed.name, 1);
}

static void unit_remove_all(void *arg)
{
	unit_remove(arg);
}

static int unit_added_is_good(void *arg, int refused)
{
	if (refused)
		unit_remove(arg);
	return session_is_good(arg, refused);
}

static int unit_removed_is_good(void *arg, int refused)
{
	int ret = session_is_good(arg, refused);

	if (refused)
		unit_remove(arg);
	return ret ? ret : unit_add(arg);
}

TEST_F(af, unit_while_it_runs)
{
	if (self->o.type == VHOST_TARGET_BLK)
		SKIP(return, "blk has one unit");
	ASSERT_EQ(0, bed_make(&self->bed, &self->o));
	ASSERT_EQ(0, af_type(self)->attach(self));
	STEP(.name = "add a unit", .run = unit_add, .good = unit_added_is_good,
	     .undo = unit_remove_all);
	SWEEP();
	ASSERT_EQ(0, unit_add(self));
	STEP(.name = "remove a unit", .run = unit_remove,
	     .good = unit_removed_is_good);
	SWEEP();
}

/* Numbers that are asked for while it runs, and another poller. */

static int ask_all(void *arg)
{
	struct vhost_target_unit_info unit;
	struct vhost_target_poller poller;
	struct vhost_target_info info;
	struct vhost_target_stats st;
	const struct bed *b = &((af_data *)arg)->bed;
	int ret = ctl_get(b->ctl, b->name, &info);

	if (!ret)
		ret = ctl_unit(b->ctl, b->name, 0, &unit);
	if (!ret)
		ret = ctl_stats(b->ctl, b->name, VHOST_TARGET_QUEUE_ALL, &st);
	if (!ret)
		ret = ctl_poller(b->ctl, b->poller, &poller);
	return ret;
}

static int poller_comes_and_goes(void *arg)
{
	const struct bed *b = &((af_data *)arg)->bed;
	unsigned int id;
	struct vhost_target_poller p;
	int ret = ctl_poller(b->ctl, b->poller, &p);

	if (!ret)
		ret = ctl_poller_add(b->ctl, !p.cpu, 100, &id);

	return ret ? ret : ctl_poller_remove(b->ctl, id);
}

/* One that was added, though the call failed, or could not be removed. */
static int no_other_poller(void *arg, int refused)
{
	const struct bed *b = &((af_data *)arg)->bed;
	struct vhost_target_poller p;
	unsigned int id = 0;
	int ret = 0;

	for (; !ret && !ctl_poller_next(b->ctl, id, &p); id = p.id + 1)
		if (p.id != b->poller)
			ret = ctl_poller_remove(b->ctl, p.id);
	return ret ? ret : session_is_good(arg, refused);
}

TEST_F(af, calls_while_it_runs)
{
	ASSERT_EQ(0, bed_make(&self->bed, &self->o));
	ASSERT_EQ(0, af_type(self)->attach(self));
	STEP(.name = "ask", .run = ask_all, .good = session_is_good);
	SWEEP();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "a second poller wants a second CPU");
	ASSERT_EQ(0, no_other_poller(self, 0));
	STEP(.name = "poller", .run = poller_comes_and_goes,
	     .good = no_other_poller);
	SWEEP();
}

/* The calls of a session that runs. */

static int table_again(void *arg)
{
	af_data *s = arg;
	int fd = s->o.type == VHOST_TARGET_BLK ? s->blk.fd : s->scsi.fd;

	return mem_set_table(s->o.type == VHOST_TARGET_BLK ? &s->blk.mem :
			     &s->scsi.mem, fd, -1);
}

static int rings_again(void *arg)
{
	af_data *s = arg;

	return s->o.type == VHOST_TARGET_BLK ? vblk_reset(&s->blk) :
					       vscsi_reset(&s->scsi);
}

static int rings_are_good(void *arg, int refused)
{
	int ret = refused ? rings_again(arg) : 0;

	return ret ? ret : session_is_good(arg, refused);
}

TEST_F(af, session_calls)
{
	if (self->o.type == VHOST_TARGET_NVME)
		SKIP(return, "nvme has no such calls");
	ASSERT_EQ(0, bed_make(&self->bed, &self->o));
	ASSERT_EQ(0, af_type(self)->attach(self));
	STEP(.name = "memory table", .run = table_again,
	     .good = session_is_good);
	SWEEP();
	STEP(.name = "rings", .run = rings_again, .good = rings_are_good);
	SWEEP();
}

/* In the poller: a request has one of its statuses, and the next is served. */

static int blk_odd_io(af_data *s)
{
	static const u32 type[] = {
		VIRTIO_BLK_T_IN, VIRTIO_BLK_T_FLUSH, VIRTIO_BLK_T_WRITE_ZEROES,
		VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_OUT,
	};
	struct virtio_blk_discard_write_zeroes range = { .num_sectors = 8 };
	unsigned char buf[LEN] = { 0 };
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(type); i++) {
		bool ranges = type[i] == VIRTIO_BLK_T_WRITE_ZEROES ||
			      type[i] == VIRTIO_BLK_T_DISCARD;
		bool data = type[i] == VIRTIO_BLK_T_IN ||
			    type[i] == VIRTIO_BLK_T_OUT;

		memcpy(buf, &range, sizeof(range));
		ret = vblk_do(&s->blk.q[0], type[i], 0, buf,
			      ranges ? sizeof(range) : data ? LEN : 0);
		/* No memory, then: IOERR. */
		if (ret < 0 || ret > VIRTIO_BLK_S_IOERR + 1)
			return ret < 0 ? ret : -EPROTO;
	}
	return 0;
}

static int odd_io(void *arg)
{
	return blk_odd_io(arg);
}

static pid_t poller_pid(const struct bed *b)
{
	struct vhost_target_poller p;

	return ctl_poller(b->ctl, b->poller, &p) ? -1 : (pid_t)p.pid;
}

TEST_F(af, in_the_poller)
{
	if (self->o.type != VHOST_TARGET_BLK)
		SKIP(return, "the poller's part is that of blk");
	ASSERT_EQ(0, bed_make(&self->bed, &self->o));
	ASSERT_EQ(0, blk_attach(self));
	STEP(.name = "I/O", .run = odd_io, .good = session_is_good,
	     .tid = poller_pid(&self->bed));
	ASSERT_LT(0, self->step.tid);
	SWEPT();
	EXPECT_LT(0, self->step.refused + self->step.absorbed);
}

/* Anywhere, work items too: whatever happens, all is well afterwards. */

static void anything(af_data *s)
{
	const struct af_type *t = af_type(s);
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		if (t->attach(s))
			continue;
		if (s->o.type == VHOST_TARGET_BLK)
			blk_odd_io(s);
		else
			t->io(s);
		unit_add(s);
		unit_remove(s);
		t->detach(s);
	}
}

TEST_F(af, anywhere)
{
	static const char *const module[] = {
		"vhost_target", "vhost_blk", "vhost_scsi", "vhost_nvme",
	};
	const struct af_type *t = af_type(self);
	unsigned int i;

	ASSERT_EQ(0, bed_make(&self->bed, &self->o));
	for (i = 0; i < ARRAY_SIZE(module); i++) {
		ASSERT_EQ(0, nth_random(module[i], 7));
		vt_silent = true;
		anything(self);
		vt_silent = false;
		ASSERT_EQ(0, nth_random_end());
		unit_remove(self);
		ASSERT_EQ(0, bed_wait_detached(&self->bed));
		ASSERT_EQ(0, t->attach(self));
		EXPECT_EQ(0, t->io(self));
		t->detach(self);
	}
}

TEST_HARNESS_MAIN
