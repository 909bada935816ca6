// SPDX-License-Identifier: GPL-2.0
/* The null backend: every I/O succeeds at once, reads leave memory alone. */
#include <linux/sizes.h>

#include <linux/vhost_target.h>
#include <vhost_target/backend.h>

static bool null_capacity_ok(u64 capacity, u32 block_size)
{
	return capacity && !(capacity % block_size) && capacity <= S64_MAX;
}

static int null_open(struct vt_backend *be, const struct vt_backend_spec *spec)
{
	u32 bs = spec->block_size ?: 512;

	if (!null_capacity_ok(spec->capacity, bs))
		return -ERANGE;
	be->limits = (struct vt_limits) {
		.sectors = spec->capacity >> SECTOR_SHIFT,
		.block_size = bs,
		.physical_block_size = bs,
		.io_min = bs,
		.max_discard_sectors = SZ_1G >> SECTOR_SHIFT,
		.discard_alignment = bs >> SECTOR_SHIFT,
		.max_write_zeroes_sectors = SZ_1G >> SECTOR_SHIFT,
		.ro = spec->ro,
	};
	return 0;
}

static void null_close(struct vt_backend *be)
{
}

static void null_submit(struct vt_io *io)
{
	vt_io_end(io, BLK_STS_OK);
}

static int null_refresh(struct vt_backend *be, u64 capacity)
{
	if (!capacity)
		return 0;
	if (!null_capacity_ok(capacity, be->limits.block_size))
		return -ERANGE;
	WRITE_ONCE(be->limits.sectors, capacity >> SECTOR_SHIFT);
	return 0;
}

const struct vt_backend_ops vt_backend_null_ops = {
	.type		= VHOST_TARGET_BACKEND_NULL,
	.open		= null_open,
	.close		= null_close,
	.submit		= null_submit,
	.refresh	= null_refresh,
};
