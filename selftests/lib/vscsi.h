/* SPDX-License-Identifier: GPL-2.0 */
/* A small virtio-scsi driver over the ioctl door. */
#ifndef VT_VSCSI_H
#define VT_VSCSI_H

#include <linux/types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_scsi.h>

#include "vhost.h"
#include "vq.h"

#define VSCSI_MAX_QUEUES 16	/* request queues */
#define VSCSI_CONTROL 0
#define VSCSI_EVENT 1
#define VSCSI_FIRST 2		/* index of the first request queue */
#define VSCSI_BIT(n) (1ull << (n))

/* All that a driver may want of the device. */
#define VSCSI_FEATURES (VSCSI_BIT(VIRTIO_F_VERSION_1) | \
	VSCSI_BIT(VIRTIO_SCSI_F_INOUT) | VSCSI_BIT(VIRTIO_SCSI_F_HOTPLUG) | \
	VSCSI_BIT(VIRTIO_SCSI_F_CHANGE))

#define VSCSI_NONE 0xff		/* response before the device wrote it */
#define VSCSI_EVENTS 8		/* buffers of the event queue */

/* SAM-5 statuses, SPC-5 sense keys. */
#define SCSI_GOOD			0x00
#define SCSI_CHECK_CONDITION		0x02
#define SCSI_RESERVATION_CONFLICT	0x18
#define KEY_NOT_READY			0x02
#define KEY_ILLEGAL_REQUEST		0x05
#define KEY_UNIT_ATTENTION		0x06
#define KEY_DATA_PROTECT		0x07

struct vscsi_opts {
	const char *wwpn;	/* or the name of the target */
	VQ_OPTS_MEMBER;		/* those of the request queues */
	bool no_start;
	bool only_requests;	/* as SeaBIOS: queue 2 and no other */
	bool keep_attention;	/* do not take the first unit attentions */
	u64 without;		/* features of VSCSI_FEATURES not to accept */
	u64 with;		/* others to accept */
};

struct vscsi;

enum vscsi_dir {
	DIR_NONE,
	DIR_IN,
	DIR_OUT,
};

struct vscsi_req {
	struct vscsi_queue *q;
	struct virtio_scsi_cmd_req *cmd;
	u64 cmd_gpa;
	struct virtio_scsi_cmd_resp *resp;
	u64 resp_gpa;
	/* The same memory, on the control queue. */
	struct virtio_scsi_ctrl_tmf_req *tmf;
	struct virtio_scsi_ctrl_tmf_resp *tmf_resp;
	u8 *buf;
	u64 buf_gpa;
	bool busy;
	/* of the present request */
	enum vscsi_dir dir;
	u64 lba;		/* the caller's, as tag */
	u32 len;
	u32 used_len;
	u32 tag;
};

struct vscsi_queue {
	struct vscsi *d;
	VQ_MEMBER;
	struct vscsi_req *req;
	unsigned int nr_reqs;
};

struct vscsi {
	struct vscsi_opts o;
	bool open;
	int fd;
	u64 offered;
	u64 features;
	struct mem mem;
	struct vscsi_queue ctl;
	struct vscsi_queue ev;
	unsigned int nr_queues;
	struct vscsi_queue q[VSCSI_MAX_QUEUES];
	u64 next_tag;
};

/* Open, negotiate, set up the queues and name the target, unless told not to. */
int vscsi_open(struct vscsi *d, const struct vscsi_opts *o);
void vscsi_close(struct vscsi *d);
/* The parts of it. */
int vscsi_connect(struct vscsi *d, const struct vscsi_opts *o);
int vscsi_negotiate(struct vscsi *d);
int vscsi_setup_memory(struct vscsi *d);
int vscsi_setup_queues(struct vscsi *d);
int vscsi_start(struct vscsi *d);

/* CLEAR_ENDPOINT, new rings and SET_ENDPOINT, whatever the old ones' state. */
int vscsi_reset(struct vscsi *d);

static inline bool vscsi_has(const struct vscsi *d, unsigned int feature)
{
	return d->features >> feature & 1;
}

/* A free request, or NULL. */
struct vscsi_req *vscsi_get(struct vscsi_queue *q);
void vscsi_put(struct vscsi_req *r);

/* Peripheral (below 256) or flat address of @lun on target 0. */
void vscsi_lun(u8 field[8], unsigned int lun);

/* Fill in header and CDB, @len bytes of data; forget the last response. */
void vscsi_prepare(struct vscsi_req *r, unsigned int lun, const void *cdb,
		   unsigned int cdb_len, enum vscsi_dir dir, u32 len);
/* The CDB of READ(16) or WRITE(16). */
void vscsi_cdb_rw(u8 cdb[16], bool write, u64 lba, u32 blocks);
int vscsi_submit_chain(struct vscsi_req *r, const struct vring_seg *seg,
		       unsigned int n);
/* Header, data and response in the order of the direction; data in pieces. */
int vscsi_submit_pieces(struct vscsi_req *r, u32 piece);

static inline int vscsi_submit(struct vscsi_req *r)
{
	return vscsi_submit_pieces(r, 0);
}

static inline void vscsi_kick(struct vscsi_queue *q)
{
	vq_kick(&q->vq);
}

/* As vq_wait_ms(), with the request. */
int vscsi_wait_ms(struct vscsi_queue *q, struct vscsi_req **done,
		  unsigned int ms);
int vscsi_wait(struct vscsi_queue *q, struct vscsi_req **done);
/* Wait for all in flight and put them; 0 or what vscsi_wait() said. */
int vscsi_drain(struct vscsi_queue *q);

/**
 * struct vscsi_result - what became of a command
 * @response: VIRTIO_SCSI_S_*
 * @status: SCSI status
 * @key: sense key, and additional sense code and qualifier: as bytes key asc
 *	ascq of a number, 0 without sense data
 * @resid: bytes not moved
 * @used_len: bytes written
 */
struct vscsi_result {
	u8 response;
	u8 status;
	u32 key;
	u32 resid;
	u32 used_len;
};

#define SENSE(key, asc, ascq) ((key) << 16 | (asc) << 8 | (ascq))
#define SENSE_KEY(k) ((k) >> 16)

void vscsi_result(const struct vscsi_req *r, struct vscsi_result *res);

/*
 * One command alone: 0 and its result, or -errno. @buf of @len bytes is sent
 * or filled.
 */
int vscsi_cmd(struct vscsi_queue *q, unsigned int lun, const void *cdb,
	      unsigned int cdb_len, enum vscsi_dir dir, void *buf, u32 len,
	      struct vscsi_result *res);
/* 0 for GOOD, the status, 0x100 + response if that is not OK, or -errno. */
int vscsi_do(struct vscsi_queue *q, unsigned int lun, const void *cdb,
	     unsigned int cdb_len, enum vscsi_dir dir, void *buf, u32 len);
/* TEST UNIT READY until no unit attention is left; 0 or as vscsi_do(). */
int vscsi_ready(struct vscsi_queue *q, unsigned int lun);
/* Bytes of a logical block and their number. */
int vscsi_capacity(struct vscsi_queue *q, unsigned int lun, u64 *blocks,
		   u32 *block_size);
int vscsi_read(struct vscsi_queue *q, unsigned int lun, u64 lba, u32 blocks,
	       void *buf, u32 len);
int vscsi_write(struct vscsi_queue *q, unsigned int lun, u64 lba, u32 blocks,
		void *buf, u32 len);

/* Task management: start it, and wait for its response (or -errno). */
struct vscsi_req *vscsi_tmf_start(struct vscsi *d, u32 subtype,
				  unsigned int lun, u64 tag);
int vscsi_tmf_wait(struct vscsi *d, struct vscsi_req *r);
int vscsi_tmf(struct vscsi *d, u32 subtype, unsigned int lun, u64 tag);

/* Offer event buffers; the next event: 0 or as vq_wait_ms(). */
int vscsi_post_events(struct vscsi *d, unsigned int nr);
int vscsi_event(struct vscsi *d, struct virtio_scsi_event *ev,
		unsigned int ms);

/*
 * Write @count * @len bytes of pattern from block @lba on, as many at once as
 * there are requests; read and compare; both, for a bystander: it must always
 * be 0. 0 or -errno after a message.
 */
int vscsi_write_pattern(struct vscsi_queue *q, unsigned int lun, u64 lba,
			unsigned int count, u32 len, u32 block_size,
			u32 generation);
int vscsi_check_pattern(struct vscsi_queue *q, unsigned int lun, u64 lba,
			unsigned int count, u32 len, u32 block_size,
			u32 generation);
int vscsi_verified_io(struct vscsi_queue *q, unsigned int lun, u64 lba,
		      unsigned int count, u32 len, u32 block_size,
		      u32 generation);

#endif
