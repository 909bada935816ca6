// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "nvme.h"

#define BED_PREFIX "vtbed."

static int create_target(struct bed *b, const struct bed_opts *o)
{
	struct vhost_target_create c;
	int ret;

	ret = o->poller ? o->poller - 1 : ctl_some_poller(b->ctl);
	if (ret < 0)
		return ret;
	b->poller = ret;
	ctl_init_create(&c, b->name);
	if (o->type)
		c.type = o->type;
	c.flags = o->target_flags;
	if (c.type == VHOST_TARGET_NVME)
		c.flags |= nvme_door_flag();
	c.num_queues = o->num_queues;
	c.queue_size = o->queue_size;
	c.uid = o->uid;
	c.gid = o->gid ? o->gid : ~0u;
	c.nr_pollers = !o->any_poller;
	c.pollers_ptr = o->any_poller ? 0 : (uintptr_t)&b->poller;
	return ctl_call(b->ctl, VHOST_TARGET_CREATE, &c);
}

static int add_unit(struct bed *b, unsigned int nr, unsigned int flags,
		    const struct disk *d, const char *serial)
{
	static const unsigned int backend[DISK_KINDS] = {
		[DISK_NULL] = VHOST_TARGET_BACKEND_NULL,
		[DISK_BDEV] = VHOST_TARGET_BACKEND_BDEV,
		[DISK_FILE] = VHOST_TARGET_BACKEND_FILE,
	};
	struct vhost_target_unit_add u;

	ctl_init_unit(&u, b->name);
	u.unit = nr;
	u.flags = flags;
	u.backend = backend[d->kind];
	if (d->kind == DISK_NULL)
		u.capacity = d->capacity;
	else
		u.path_ptr = (uintptr_t)d->path;
	u.block_size = d->block_size;
	strcpy(u.serial, serial);
	return ctl_call(b->ctl, VHOST_TARGET_UNIT_ADD, &u);
}

static int add_disk(struct bed *b, unsigned int nr, unsigned int flags,
		    struct disk *d, const char *serial)
{
	int ret = add_unit(b, nr, flags, d, serial);

	if (ret == -EOPNOTSUPP && d->kind == DISK_FILE && !disk_to_ext4(d))
		ret = add_unit(b, nr, flags, d, serial);
	if (ret)
		vt_msg("add %s to %s: %s", disk_kind_name[d->kind], b->name,
		       strerror(-ret));
	return ret;
}

int bed_add_lun(struct bed *b, unsigned int lun, struct disk *d,
		unsigned int flags)
{
	return add_disk(b, lun, flags, d, "");
}

static void read_wwpn(struct bed *b)
{
	struct vhost_target_info info;

	if (!ctl_get(b->ctl, b->name, &info))
		memcpy(b->wwpn, info.wwpn, sizeof(b->wwpn));
}

int bed_make(struct bed *b, const struct bed_opts *o)
{
	static unsigned int serial;
	struct disk *d = o->disk;
	int ret;

	memset(b, 0, sizeof(*b));
	b->ctl = ctl_open();
	if (b->ctl < 0) {
		vt_msg("%s: %s", CTL_NODE, strerror(-b->ctl));
		return b->ctl;
	}
	snprintf(b->name, sizeof(b->name), BED_PREFIX "%d.%u", getpid(),
		 serial++);
	if (d) {
		b->capacity = d->capacity;
		b->block_size = d->block_size;
	}
	ret = create_target(b, o);
	if (ret) {
		vt_msg("create %s: %s", b->name, strerror(-ret));
		close(b->ctl);
		b->ctl = -1;
		return ret;
	}
	read_wwpn(b);
	ret = d ? add_disk(b, 0, o->unit_flags, d, BED_SERIAL) : 0;
	if (ret)
		bed_destroy(b);
	return ret;
}

int bed_make_nullb(struct bed *b, const struct bed_opts *o, u64 delay_ns)
{
	struct disk_opts d = {
		.kind = DISK_BDEV,
		.block_size = SECTOR,
		.size_mb = 16,
		.delay_ns = delay_ns,
		.own = true,
	};
	int ret = disk_create(o->disk, &d);

	return ret ? ret : bed_make(b, o);
}

void bed_destroy(struct bed *b)
{
	int ret;

	if (b->ctl < 0 || !b->name[0])
		return;
	bed_wait_detached(b);
	ret = ctl_destroy(b->ctl, b->name);
	if (ret)
		vt_msg("destroy %s: %s", b->name, strerror(-ret));
	close(b->ctl);
	b->ctl = -1;
	b->name[0] = 0;
}

void bed_sweep(void)
{
	struct vhost_target_info info = { 0 };
	char name[VHOST_TARGET_NAME_LEN] = "";
	int ctl = ctl_open();

	while (ctl >= 0 && !ctl_next(ctl, name, &info)) {
		memcpy(name, info.name, sizeof(name));
		if (!strncmp(name, BED_PREFIX, strlen(BED_PREFIX)))
			ctl_destroy(ctl, name);
	}
	if (ctl >= 0)
		close(ctl);
	disk_sweep();
}

void bed_stats(const struct bed *b, struct vhost_target_stats *st)
{
	int ret = ctl_stats(b->ctl, b->name, VHOST_TARGET_QUEUE_ALL, st);

	if (!ret)
		return;
	vt_msg("stats of %s: %s", b->name, strerror(-ret));
	memset(st, 0xff, sizeof(*st));
}

bool bed_counted(const struct bed *b, const struct vhost_target_stats *before,
		 u64 invalid, u64 ring_errors)
{
	struct vhost_target_stats st;

	if (vt_wait((bed_stats(b, &st),
		     st.invalid - before->invalid == invalid &&
		     st.ring_errors - before->ring_errors == ring_errors)))
		return true;
	vt_msg("invalid +%llu, ring_errors +%llu",
	       (unsigned long long)(st.invalid - before->invalid),
	       (unsigned long long)(st.ring_errors - before->ring_errors));
	return false;
}

int bed_wait_detached(const struct bed *b)
{
	struct vhost_target_info info;

	if (vt_wait(ctl_get(b->ctl, b->name, &info) || !info.nr_sessions))
		return 0;
	vt_msg("%s still has %u sessions", b->name, info.nr_sessions);
	return -ETIMEDOUT;
}

static unsigned int inflight(const struct bed *b)
{
	struct vhost_target_stats st;

	bed_stats(b, &st);
	return st.inflight;
}

int bed_wait_inflight(const struct bed *b, unsigned int nr)
{
	/* All ones is no number: bed_stats() failed. */
	if (vt_wait(inflight(b) >= nr) && inflight(b) != ~0u)
		return 0;
	vt_msg("%u in flight, not %u", inflight(b), nr);
	return -ETIMEDOUT;
}

int bed_wait_idle(const struct bed *b)
{
	if (vt_wait(!inflight(b)))
		return 0;
	vt_msg("%u still in flight", inflight(b));
	return -ETIMEDOUT;
}

int bed_wait_asleep(const struct bed *b)
{
	struct vhost_target_poller p = { 0 };

	if (vt_wait(!ctl_poller(b->ctl, b->poller, &p) && !p.nr_active))
		return 0;
	vt_msg("%u queues are awake", p.nr_active);
	return -ETIMEDOUT;
}

int bed_finish(struct bed *b, struct disk *d)
{
	int ret = 0;

	if (b->name[0]) {
		ret = bed_wait_detached(b);
		if (inflight(b)) {
			vt_msg("%u stayed in flight", inflight(b));
			ret = -EBUSY;
		}
		bed_destroy(b);
	}
	disk_destroy(d);
	return ret;
}
