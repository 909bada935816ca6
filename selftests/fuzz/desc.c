// SPDX-License-Identifier: GPL-2.0
/* All calls of all nodes. Guest addresses are those of machine.h. */
#include <linux/vfio.h>
#include <linux/vhost.h>
#include <linux/vhost_target.h>
#include <linux/virtio_config.h>
#include <stddef.h>
#include <sys/socket.h>

#include "ops.h"

struct arg8 { __u8 v; };
struct arg32 { __u32 v; };
struct arg64 { __u64 v; };
struct argfd { __s32 v; };
struct argname { char v[VHOST_TARGET_NAME_LEN]; };

struct arg_table {
	struct vhost_memory m;
	struct vhost_memory_region r[3];
};

struct arg_config {
	struct vhost_vdpa_config c;
	__u8 buf[64];
};

struct arg_irqs {
	struct vfio_irq_set s;
	__s32 data[4];
};

struct arg_feature {
	struct vfio_device_feature f;
	__u64 data[3];
};

struct arg_msg {
	struct vhost_msg_v2 m;
};

#define FLD(k, st, member, p) { \
	.off = offsetof(struct st, member), \
	.size = sizeof(((struct st *)0)->member), .kind = K_##k, .param = (p) }
#define INT(st, member, p) FLD(INT, st, member, p)
#define SIZE(st) FLD(INT, st, size, sizeof(struct st))
#define ARGSZ(st) FLD(INT, st, argsz, sizeof(struct st))

#define CALL(node_, nr_, st, ...) { \
	.name = #nr_, .node = node_, .nr = (__u32)(nr_), \
	.size = sizeof(struct st), .f = { __VA_ARGS__ } }
#define BARE(node_, nr_) { \
	.name = #nr_, .node = node_, .nr = (__u32)(nr_), .by_value = true }

#define V(i, k, p) { .off = (i) * 8, .size = 8, .kind = K_##k, .param = (p) }
#define OP(node_, name_, fn, ...) { \
	.name = name_, .node = node_, .run = fn, .f = { __VA_ARGS__ } }

#define VERSION_1 (1ull << VIRTIO_F_VERSION_1)
#define PLATFORM (1ull << VIRTIO_F_ACCESS_PLATFORM)

/* Of <linux/vhost.h>, by virtqueues; @base: how rings are addressed. */
#define VRING_CALLS(node, kind, base) \
	CALL(node, VHOST_SET_VRING_NUM, vhost_vring_state, \
	     INT(vhost_vring_state, index, 0), \
	     INT(vhost_vring_state, num, Q_NUM)), \
	CALL(node, VHOST_SET_VRING_BASE, vhost_vring_state, \
	     INT(vhost_vring_state, index, 0), \
	     INT(vhost_vring_state, num, 0)), \
	CALL(node, VHOST_GET_VRING_BASE, vhost_vring_state, \
	     INT(vhost_vring_state, index, 0), \
	     INT(vhost_vring_state, num, 0)), \
	CALL(node, VHOST_SET_VRING_ADDR, vhost_vring_addr, \
	     INT(vhost_vring_addr, index, 0), \
	     INT(vhost_vring_addr, flags, 0), \
	     FLD(kind, vhost_vring_addr, desc_user_addr, base), \
	     FLD(kind, vhost_vring_addr, used_user_addr, base + Q_USED), \
	     FLD(kind, vhost_vring_addr, avail_user_addr, base + Q_AVAIL), \
	     INT(vhost_vring_addr, log_guest_addr, 0)), \
	CALL(node, VHOST_SET_VRING_KICK, vhost_vring_file, \
	     INT(vhost_vring_file, index, 0), \
	     FLD(EVENTFD, vhost_vring_file, fd, 0)), \
	CALL(node, VHOST_SET_VRING_CALL, vhost_vring_file, \
	     INT(vhost_vring_file, index, 0), \
	     FLD(EVENTFD, vhost_vring_file, fd, 1)), \
	CALL(node, VHOST_SET_VRING_ERR, vhost_vring_file, \
	     INT(vhost_vring_file, index, 0), \
	     FLD(EVENTFD, vhost_vring_file, fd, 2))

#define REGION(i, gpa, len) \
	INT(arg_table, r[i].guest_phys_addr, gpa), \
	INT(arg_table, r[i].memory_size, len), \
	FLD(PTR, arg_table, r[i].userspace_addr, gpa), \
	INT(arg_table, r[i].flags_padding, 0)

#define TABLE_CALL(node) \
	CALL(node, VHOST_SET_MEM_TABLE, arg_table, \
	     INT(arg_table, m.nregions, 1), INT(arg_table, m.padding, 0), \
	     REGION(0, 0, GUEST_SIZE), REGION(1, GUEST_SIZE, 0x1000), \
	     REGION(2, 0x100000000ull, 0x1000))

#define FEATURE_CALLS(node, wanted) \
	BARE(node, VHOST_SET_OWNER), \
	CALL(node, VHOST_GET_FEATURES, arg64, INT(arg64, v, 0)), \
	CALL(node, VHOST_SET_FEATURES, arg64, INT(arg64, v, wanted)), \
	CALL(node, VHOST_GET_BACKEND_FEATURES, arg64, INT(arg64, v, 0)), \
	CALL(node, VHOST_SET_BACKEND_FEATURES, arg64, INT(arg64, v, 0))

/* Those that are always refused. */
#define OTHER_CALLS(node) \
	BARE(node, VHOST_RESET_OWNER), \
	CALL(node, VHOST_SET_LOG_BASE, arg64, INT(arg64, v, 0)), \
	CALL(node, VHOST_SET_LOG_FD, argfd, FLD(EVENTFD, argfd, v, 0)), \
	CALL(node, VHOST_SET_VRING_ENDIAN, vhost_vring_state, \
	     INT(vhost_vring_state, index, 0), \
	     INT(vhost_vring_state, num, 0)), \
	BARE(node, 0x40040000)

#define ATTACH_CALL(node, name_) \
	CALL(node, VHOST_TARGET_ATTACH, vhost_target_attach, \
	     SIZE(vhost_target_attach), INT(vhost_target_attach, flags, 0), \
	     FLD(NAME, vhost_target_attach, name, name_))

#define DEVICE_CALLS(node) \
	CALL(node, VHOST_TARGET_GET_CONFIG, vhost_target_config, \
	     SIZE(vhost_target_config), INT(vhost_target_config, flags, 0), \
	     INT(vhost_target_config, offset, 0), \
	     INT(vhost_target_config, len, 32), \
	     FLD(PTR, vhost_target_config, data_ptr, GUEST_BUF)), \
	CALL(node, VHOST_TARGET_SET_CONFIG, vhost_target_config, \
	     SIZE(vhost_target_config), INT(vhost_target_config, flags, 0), \
	     INT(vhost_target_config, offset, 32), \
	     INT(vhost_target_config, len, 1), \
	     FLD(PTR, vhost_target_config, data_ptr, GUEST_BUF)), \
	CALL(node, VHOST_TARGET_GET_DEVICE, vhost_target_device, \
	     SIZE(vhost_target_device), INT(vhost_target_device, flags, 0), \
	     INT(vhost_target_device, reserved0, 0)), \
	CALL(node, VHOST_TARGET_SET_CONFIG_CALL, vhost_target_eventfd, \
	     SIZE(vhost_target_eventfd), INT(vhost_target_eventfd, flags, 0), \
	     FLD(EVENTFD, vhost_target_eventfd, fd, 3), \
	     INT(vhost_target_eventfd, reserved0, 0))

#define UNIT(st) \
	SIZE(st), INT(st, flags, 0), INT(st, unit, 0)

/* What is in a queue: see run_chain() and run_command(). */
#define CHAIN(node, name_, w0, w2, w3, hdr, len, dev, resp, first) \
	OP(node, name_, run_chain, \
	   V(0, INT, 0), V(1, INT, w0), V(2, INT, 0), V(3, INT, w2), \
	   V(4, INT, w3), V(5, INT, 0), V(6, INT, 0), V(7, INT, 0), \
	   V(8, INT, hdr), V(9, INT, len), V(10, INT, dev), \
	   V(11, INT, resp), V(12, INT, first), V(13, INT, 0), \
	   V(14, INT, 0), V(15, INT, 0), V(16, INT, 1), V(17, INT, 0), \
	   V(18, INT, 0))
#define CHAINS(node) \
	CHAIN(node, "blk chain", 0, 0, 0, 16, 4096, 1, 1, 0), \
	CHAIN(node, "scsi chain", 0x400001, 0x28000000, 0x08000000, 51, \
	      4096, 1, 108, 1), \
	CHAIN(node, "scsi control", 0x0000000000000000, 0, 0, 24, 0, 0, 1, 0)

#define COMMAND(node, fn) \
	OP(node, "nvme command", fn, \
	   V(0, INT, 0), V(1, INT, 0x06), V(2, INT, 0), V(3, INT, 0), \
	   V(4, INT, NV_DATA), V(5, INT, NV_DATA + 0x1000), V(6, INT, 1), \
	   V(7, INT, 0), V(8, INT, 0), V(9, INT, 1))

const struct desc descs[] = {
	/* Anybody's. */
	OP(N_NONE, "open", run_open, V(0, INT, 0), V(1, INT, 0)),
	OP(N_NONE, "close", run_close, V(0, INT, 0)),
	OP(N_NONE, "kick", run_kick, V(0, INT, 0), V(1, INT, 1)),
	OP(N_NONE, "pause", run_pause, V(0, INT, 1)),
	OP(N_NONE, "memory", run_memory, V(0, INT, 0), V(1, INT, 0),
	   V(2, INT, 1)),
	OP(N_NONE, "scribble", run_scribble, V(0, INT, 0), V(1, INT, 0)),

	/* /dev/vhost-target */
	CALL(N_CTL, VHOST_TARGET_CREATE, vhost_target_create,
	     SIZE(vhost_target_create), INT(vhost_target_create, flags, 0),
	     INT(vhost_target_create, type, VHOST_TARGET_BLK),
	     INT(vhost_target_create, num_queues, 1),
	     INT(vhost_target_create, queue_size, 0),
	     INT(vhost_target_create, uid, 0),
	     INT(vhost_target_create, gid, 0xffffffff),
	     INT(vhost_target_create, nr_pollers, 1),
	     FLD(PTR, vhost_target_create, pollers_ptr, GUEST_BUF),
	     FLD(NAME, vhost_target_create, name, TARGETS),
	     INT(vhost_target_create, reserved[0], 0),
	     INT(vhost_target_create, reserved[3], 0),
	     FLD(STR, vhost_target_create, wwpn, 0)),
	CALL(N_CTL, VHOST_TARGET_DESTROY, vhost_target_destroy,
	     SIZE(vhost_target_destroy), INT(vhost_target_destroy, flags, 0),
	     FLD(NAME, vhost_target_destroy, name, TARGETS)),
	CALL(N_CTL, VHOST_TARGET_GET, vhost_target_info,
	     SIZE(vhost_target_info), INT(vhost_target_info, flags, 0),
	     FLD(NAME, vhost_target_info, name, T_BLK),
	     INT(vhost_target_info, reserved[0], 0)),
	CALL(N_CTL, VHOST_TARGET_UNIT_ADD, vhost_target_unit_add,
	     UNIT(vhost_target_unit_add),
	     INT(vhost_target_unit_add, backend, VHOST_TARGET_BACKEND_NULL),
	     FLD(PATH, vhost_target_unit_add, path_ptr, 0),
	     INT(vhost_target_unit_add, capacity, 0x1000000),
	     INT(vhost_target_unit_add, block_size, 512),
	     INT(vhost_target_unit_add, reserved0, 0),
	     FLD(NAME, vhost_target_unit_add, name, TARGETS),
	     FLD(STR, vhost_target_unit_add, serial, 0),
	     INT(vhost_target_unit_add, reserved[0], 0),
	     FLD(STR, vhost_target_unit_add, vendor, 0),
	     FLD(STR, vhost_target_unit_add, product, 0),
	     FLD(STR, vhost_target_unit_add, revision, 0),
	     INT(vhost_target_unit_add, reserved1, 0),
	     INT(vhost_target_unit_add, naa, 0)),
	CALL(N_CTL, VHOST_TARGET_UNIT_REMOVE, vhost_target_unit_remove,
	     UNIT(vhost_target_unit_remove),
	     INT(vhost_target_unit_remove, reserved0, 0),
	     FLD(NAME, vhost_target_unit_remove, name, TARGETS)),
	CALL(N_CTL, VHOST_TARGET_UNIT_RESIZE, vhost_target_unit_resize,
	     UNIT(vhost_target_unit_resize),
	     INT(vhost_target_unit_resize, reserved0, 0),
	     INT(vhost_target_unit_resize, capacity, 0),
	     FLD(NAME, vhost_target_unit_resize, name, T_BLK)),
	CALL(N_CTL, VHOST_TARGET_UNIT_GET, vhost_target_unit_info,
	     UNIT(vhost_target_unit_info),
	     FLD(PTR, vhost_target_unit_info, path_ptr, GUEST_BUF),
	     INT(vhost_target_unit_info, path_len, 4096),
	     INT(vhost_target_unit_info, reserved0, 0),
	     FLD(NAME, vhost_target_unit_info, name, T_BLK),
	     INT(vhost_target_unit_info, reserved[1], 0)),
	CALL(N_CTL, VHOST_TARGET_STATS, vhost_target_stats,
	     SIZE(vhost_target_stats), INT(vhost_target_stats, flags, 0),
	     INT(vhost_target_stats, queue, VHOST_TARGET_QUEUE_ALL),
	     INT(vhost_target_stats, reserved0, 0),
	     FLD(NAME, vhost_target_stats, name, T_BLK),
	     INT(vhost_target_stats, reserved[0], 0)),
	CALL(N_CTL, VHOST_TARGET_POLLER_ADD, vhost_target_poller,
	     SIZE(vhost_target_poller), INT(vhost_target_poller, flags, 0),
	     INT(vhost_target_poller, id, 0), INT(vhost_target_poller, cpu, 0),
	     INT(vhost_target_poller, idle_us, 50),
	     INT(vhost_target_poller, reserved[0], 0)),
	CALL(N_CTL, VHOST_TARGET_POLLER_REMOVE, vhost_target_poller_remove,
	     SIZE(vhost_target_poller_remove),
	     INT(vhost_target_poller_remove, flags, 0),
	     INT(vhost_target_poller_remove, id, 1),
	     INT(vhost_target_poller_remove, reserved0, 0)),
	CALL(N_CTL, VHOST_TARGET_POLLER_SET, vhost_target_poller,
	     SIZE(vhost_target_poller), INT(vhost_target_poller, flags, 0),
	     INT(vhost_target_poller, id, 1),
	     INT(vhost_target_poller, idle_us, 50),
	     INT(vhost_target_poller, reserved[3], 0)),
	CALL(N_CTL, VHOST_TARGET_POLLER_GET, vhost_target_poller,
	     SIZE(vhost_target_poller),
	     INT(vhost_target_poller, flags, VHOST_TARGET_GET_NEXT),
	     INT(vhost_target_poller, id, 0),
	     INT(vhost_target_poller, reserved[0], 0)),
	BARE(N_CTL, VHOST_TARGET_ATTACH),

	/* /dev/vhost-blk */
	FEATURE_CALLS(N_BLK, VERSION_1),
	TABLE_CALL(N_BLK),
	VRING_CALLS(N_BLK, PTR, 0),
	OTHER_CALLS(N_BLK),
	ATTACH_CALL(N_BLK, T_BLK),
	CALL(N_BLK, VHOST_TARGET_START, vhost_target_run,
	     SIZE(vhost_target_run), INT(vhost_target_run, flags, 0)),
	CALL(N_BLK, VHOST_TARGET_STOP, vhost_target_run,
	     SIZE(vhost_target_run), INT(vhost_target_run, flags, 0)),
	DEVICE_CALLS(N_BLK),
	CHAINS(N_BLK),

	/* /dev/vhost-scsi */
	FEATURE_CALLS(N_SCSI, VERSION_1),
	TABLE_CALL(N_SCSI),
	VRING_CALLS(N_SCSI, PTR, 0),
	OTHER_CALLS(N_SCSI),
	CALL(N_SCSI, VHOST_SCSI_SET_ENDPOINT, vhost_scsi_target,
	     INT(vhost_scsi_target, abi_version, 1),
	     FLD(NAME, vhost_scsi_target, vhost_wwpn, T_SCSI),
	     INT(vhost_scsi_target, vhost_tpgt, 1),
	     INT(vhost_scsi_target, reserved, 0)),
	CALL(N_SCSI, VHOST_SCSI_CLEAR_ENDPOINT, vhost_scsi_target,
	     INT(vhost_scsi_target, abi_version, 1),
	     FLD(NAME, vhost_scsi_target, vhost_wwpn, T_SCSI),
	     INT(vhost_scsi_target, vhost_tpgt, 1),
	     INT(vhost_scsi_target, reserved, 0)),
	CALL(N_SCSI, VHOST_SCSI_GET_ABI_VERSION, arg32, INT(arg32, v, 0)),
	CALL(N_SCSI, VHOST_SCSI_SET_EVENTS_MISSED, arg32, INT(arg32, v, 1)),
	CALL(N_SCSI, VHOST_SCSI_GET_EVENTS_MISSED, arg32, INT(arg32, v, 0)),
	CALL(N_SCSI, VHOST_NEW_WORKER, vhost_worker_state,
	     INT(vhost_worker_state, worker_id, 0)),
	CALL(N_SCSI, VHOST_FREE_WORKER, vhost_worker_state,
	     INT(vhost_worker_state, worker_id, 1)),
	CALL(N_SCSI, VHOST_ATTACH_VRING_WORKER, vhost_vring_worker,
	     INT(vhost_vring_worker, index, 0),
	     INT(vhost_vring_worker, worker_id, 1)),
	CALL(N_SCSI, VHOST_GET_VRING_WORKER, vhost_vring_worker,
	     INT(vhost_vring_worker, index, 0),
	     INT(vhost_vring_worker, worker_id, 0)),
	DEVICE_CALLS(N_SCSI),
	BARE(N_SCSI, VHOST_TARGET_START),
	CHAINS(N_SCSI),

	/* /dev/vhost-nvme */
	BARE(N_NVME, VHOST_SET_OWNER),
	TABLE_CALL(N_NVME),
	ATTACH_CALL(N_NVME, T_NVME),
	CALL(N_NVME, VHOST_TARGET_NVME_READ, vhost_target_nvme_reg,
	     SIZE(vhost_target_nvme_reg), INT(vhost_target_nvme_reg, flags, 0),
	     INT(vhost_target_nvme_reg, offset, 0x1c),
	     INT(vhost_target_nvme_reg, len, 4),
	     INT(vhost_target_nvme_reg, value, 0)),
	CALL(N_NVME, VHOST_TARGET_NVME_WRITE, vhost_target_nvme_reg,
	     SIZE(vhost_target_nvme_reg), INT(vhost_target_nvme_reg, flags, 0),
	     INT(vhost_target_nvme_reg, offset, 0x14),
	     INT(vhost_target_nvme_reg, len, 4),
	     INT(vhost_target_nvme_reg, value, 0x460001)),
	CALL(N_NVME, VHOST_TARGET_NVME_SET_IRQ, vhost_target_nvme_irq,
	     SIZE(vhost_target_nvme_irq), INT(vhost_target_nvme_irq, flags, 0),
	     INT(vhost_target_nvme_irq, vector, 0),
	     FLD(EVENTFD, vhost_target_nvme_irq, fd, 1)),
	CALL(N_NVME, VHOST_TARGET_NVME_RESET, vhost_target_nvme_reset,
	     SIZE(vhost_target_nvme_reset),
	     INT(vhost_target_nvme_reset, flags, 0)),
	CALL(N_NVME, VHOST_TARGET_NVME_GET, vhost_target_nvme_info,
	     SIZE(vhost_target_nvme_info), INT(vhost_target_nvme_info, flags, 0),
	     INT(vhost_target_nvme_info, reserved[0], 0)),
	BARE(N_NVME, VHOST_TARGET_START),
	COMMAND(N_NVME, run_nvme_command),
	OP(N_NVME, "map doorbells", run_map_doorbells, V(0, INT, PAGE),
	   V(1, INT, 0)),
	OP(N_NVME, "doorbell", run_doorbell, V(0, INT, 0), V(1, INT, 1)),
	OP(N_NVME, "unmap doorbells", run_unmap_doorbells),

	/* /dev/vhost-vdpa-N */
	FEATURE_CALLS(N_VDPA, VERSION_1 | PLATFORM),
	VRING_CALLS(N_VDPA, INT, 0),
	OTHER_CALLS(N_VDPA),
	CALL(N_VDPA, VHOST_VDPA_GET_DEVICE_ID, arg32, INT(arg32, v, 0)),
	CALL(N_VDPA, VHOST_VDPA_GET_STATUS, arg8, INT(arg8, v, 0)),
	CALL(N_VDPA, VHOST_VDPA_SET_STATUS, arg8, INT(arg8, v, 0xf)),
	CALL(N_VDPA, VHOST_VDPA_GET_CONFIG, arg_config,
	     INT(arg_config, c.off, 0), INT(arg_config, c.len, 16)),
	CALL(N_VDPA, VHOST_VDPA_SET_CONFIG, arg_config,
	     INT(arg_config, c.off, 32), INT(arg_config, c.len, 1),
	     INT(arg_config, buf[0], 1)),
	CALL(N_VDPA, VHOST_VDPA_SET_VRING_ENABLE, vhost_vring_state,
	     INT(vhost_vring_state, index, 0), INT(vhost_vring_state, num, 1)),
	CALL(N_VDPA, VHOST_VDPA_GET_VRING_NUM, arg32, INT(arg32, v, 0)),
	CALL(N_VDPA, VHOST_VDPA_SET_CONFIG_CALL, argfd,
	     FLD(EVENTFD, argfd, v, 3)),
	CALL(N_VDPA, VHOST_VDPA_GET_IOVA_RANGE, vhost_vdpa_iova_range,
	     INT(vhost_vdpa_iova_range, first, 0)),
	CALL(N_VDPA, VHOST_VDPA_GET_CONFIG_SIZE, arg32, INT(arg32, v, 0)),
	CALL(N_VDPA, VHOST_VDPA_GET_VQS_COUNT, arg32, INT(arg32, v, 0)),
	CALL(N_VDPA, VHOST_VDPA_GET_GROUP_NUM, arg32, INT(arg32, v, 0)),
	CALL(N_VDPA, VHOST_VDPA_GET_AS_NUM, arg32, INT(arg32, v, 0)),
	CALL(N_VDPA, VHOST_VDPA_GET_VRING_GROUP, vhost_vring_state,
	     INT(vhost_vring_state, index, 0), INT(vhost_vring_state, num, 0)),
	CALL(N_VDPA, VHOST_VDPA_SET_GROUP_ASID, vhost_vring_state,
	     INT(vhost_vring_state, index, 0), INT(vhost_vring_state, num, 0)),
	CALL(N_VDPA, VHOST_VDPA_GET_VRING_DESC_GROUP, vhost_vring_state,
	     INT(vhost_vring_state, index, 0), INT(vhost_vring_state, num, 0)),
	CALL(N_VDPA, VHOST_VDPA_GET_VRING_SIZE, vhost_vring_state,
	     INT(vhost_vring_state, index, 0), INT(vhost_vring_state, num, 0)),
	BARE(N_VDPA, VHOST_VDPA_SUSPEND),
	BARE(N_VDPA, _IO(VHOST_VIRTIO, 0x7E) /* VHOST_VDPA_RESUME */),
	OP(N_VDPA, "IOTLB message", run_message,
	   V(0, INT, VHOST_IOTLB_MSG_V2), V(1, INT, VHOST_IOTLB_UPDATE),
	   V(2, INT, 0), V(3, INT, GUEST_SIZE), V(4, PTR, 0),
	   V(5, INT, VHOST_ACCESS_RW), V(6, INT, 0),
	   V(7, INT, sizeof(struct vhost_msg_v2))),
	CHAINS(N_VDPA),

	/* /dev/vfio/vfio, /dev/vfio/N, and the device */
	BARE(N_CONTAINER, VFIO_GET_API_VERSION),
	{
		.name = "VFIO_CHECK_EXTENSION", .node = N_CONTAINER,
		.nr = VFIO_CHECK_EXTENSION, .by_value = true,
		.f = { V(0, INT, VFIO_TYPE1v2_IOMMU) },
	},
	{
		.name = "VFIO_SET_IOMMU", .node = N_CONTAINER,
		.nr = VFIO_SET_IOMMU, .by_value = true,
		.f = { V(0, INT, VFIO_TYPE1v2_IOMMU) },
	},
	CALL(N_CONTAINER, VFIO_IOMMU_MAP_DMA, vfio_iommu_type1_dma_map,
	     ARGSZ(vfio_iommu_type1_dma_map),
	     INT(vfio_iommu_type1_dma_map, flags, 3),
	     FLD(PTR, vfio_iommu_type1_dma_map, vaddr, 0),
	     INT(vfio_iommu_type1_dma_map, iova, 0),
	     INT(vfio_iommu_type1_dma_map, size, GUEST_SIZE)),
	CALL(N_CONTAINER, VFIO_IOMMU_UNMAP_DMA, vfio_iommu_type1_dma_unmap,
	     ARGSZ(vfio_iommu_type1_dma_unmap),
	     INT(vfio_iommu_type1_dma_unmap, flags, 0),
	     INT(vfio_iommu_type1_dma_unmap, iova, 0),
	     INT(vfio_iommu_type1_dma_unmap, size, GUEST_SIZE)),
	CALL(N_GROUP, VFIO_GROUP_GET_STATUS, vfio_group_status,
	     ARGSZ(vfio_group_status)),
	CALL(N_GROUP, VFIO_GROUP_SET_CONTAINER, argfd,
	     FLD(FD, argfd, v, N_CONTAINER)),
	BARE(N_GROUP, VFIO_GROUP_UNSET_CONTAINER),
	{
		.name = "VFIO_GROUP_GET_DEVICE_FD", .node = N_GROUP,
		.nr = VFIO_GROUP_GET_DEVICE_FD, .makes = N_VFIO,
		.size = sizeof(struct argname),
		.f = { FLD(NAME, argname, v, T_VFIO) },
	},
	CALL(N_VFIO, VFIO_DEVICE_GET_INFO, vfio_device_info,
	     ARGSZ(vfio_device_info)),
	CALL(N_VFIO, VFIO_DEVICE_GET_REGION_INFO, vfio_region_info,
	     ARGSZ(vfio_region_info), INT(vfio_region_info, index, 0)),
	CALL(N_VFIO, VFIO_DEVICE_GET_IRQ_INFO, vfio_irq_info,
	     ARGSZ(vfio_irq_info), INT(vfio_irq_info, index, 2)),
	CALL(N_VFIO, VFIO_DEVICE_SET_IRQS, arg_irqs,
	     INT(arg_irqs, s.argsz, sizeof(struct vfio_irq_set) + 4),
	     INT(arg_irqs, s.flags, VFIO_IRQ_SET_DATA_EVENTFD |
		 VFIO_IRQ_SET_ACTION_TRIGGER),
	     INT(arg_irqs, s.index, VFIO_PCI_MSIX_IRQ_INDEX),
	     INT(arg_irqs, s.start, 0), INT(arg_irqs, s.count, 1),
	     FLD(EVENTFD, arg_irqs, data[0], 1),
	     FLD(EVENTFD, arg_irqs, data[1], 2),
	     FLD(EVENTFD, arg_irqs, data[2], 3)),
	BARE(N_VFIO, VFIO_DEVICE_RESET),
	CALL(N_VFIO, VFIO_DEVICE_FEATURE, arg_feature,
	     INT(arg_feature, f.argsz, sizeof(struct arg_feature)),
	     INT(arg_feature, f.flags, 0), INT(arg_feature, data[0], 0)),
	BARE(N_VFIO, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO),
	CALL(N_VFIO, VFIO_DEVICE_IOEVENTFD, vfio_device_ioeventfd,
	     ARGSZ(vfio_device_ioeventfd),
	     INT(vfio_device_ioeventfd, flags, 4),
	     INT(vfio_device_ioeventfd, offset, 0x1000),
	     INT(vfio_device_ioeventfd, data, 1),
	     FLD(EVENTFD, vfio_device_ioeventfd, fd, 1)),
	OP(N_VFIO, "read region", run_pread, V(0, INT, VFIO_PCI_BAR0_REGION_INDEX),
	   V(1, INT, 0x1c), V(2, INT, 4)),
	OP(N_VFIO, "write region", run_pwrite,
	   V(0, INT, VFIO_PCI_BAR0_REGION_INDEX), V(1, INT, 0x14),
	   V(2, INT, 4), V(3, INT, 0x460001)),
	COMMAND(N_VFIO, run_vfio_command),
	OP(N_VFIO, "map doorbells", run_map_doorbells, V(0, INT, PAGE),
	   V(1, INT, 0)),
	OP(N_VFIO, "doorbell", run_doorbell, V(0, INT, 0), V(1, INT, 1)),
};

const unsigned int nr_descs = ARRAY_SIZE(descs);

_Static_assert(ARRAY_SIZE(descs) <= MAX_DESCS, "sh->done is too small");
