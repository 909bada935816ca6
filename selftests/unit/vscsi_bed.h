/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio-scsi session with a logical unit, on a struct bed. The logical unit
 * is the real one, its backend takes I/O and does nothing.
 */
#ifndef UNIT_VSCSI_BED_H
#define UNIT_VSCSI_BED_H

#include "../../drivers/scsi/scsi.h"

#include "bed.h"

#define VBED_FEATURES	(BIT_ULL(VIRTIO_SCSI_F_INOUT) |		\
			 BIT_ULL(VIRTIO_SCSI_F_HOTPLUG) |	\
			 BIT_ULL(VIRTIO_SCSI_F_CHANGE))

/* LUNs there are; LUN 1 is another logical unit. */
#define VBED_LUN	0
#define VBED_LUN_FLAT	300
#define VBED_LUNS	512

/* Requests of a queue's pool. */
#define VBED_POOL	4

/**
 * struct vbed - a session
 * @b: guest memory, a chain, the request being parsed
 * @vqs: control, event and request queue; the last one has a pool
 * @su: the logical unit of both LUNs
 * @disk: what they are views of
 * @ss: the session
 * @itl: of VBED_LUN and VBED_LUN_FLAT
 * @fetched: of @ss
 * @luns: LUN -> scsi_itl
 * @sense_size: as the driver set it, as @cdb_size
 */
struct vbed {
	struct bed *b;
	struct vt_vdev *vdev;
	struct vt_vq vqs[3];
	struct scsi_unit su[2];
	struct scsi_disk disk[2];
	struct vt_resv resv;
	struct scsi_session ss;
	struct scsi_itl itl[2];
	u64 fetched[3];
	void *luns[VBED_LUNS];
};

/* Chains on the rings, which no parser has seen. */
extern unsigned int vbed_pending;
/* Calls of vt_session_visit(), which shows the driver what has ended. */
extern unsigned int vbed_visits;

struct vbed *vbed_new(void);
void vbed_free(struct vbed *v);

/* Where a header says that a command goes; see vbed_header(). */
#define VBED_LUN_FIELD(lun)	((const u8[8]){ 1, 0, (lun) >> 8, (lun) & 0xff })

/* A new chain with the header of a command. */
void vbed_header(struct vbed *v, const u8 lun[8], const void *cdb, u32 cdb_len);

/* A whole chain of a command for VBED_LUN. */
void vbed_chain(struct vbed *v, const void *cdb, u32 cdb_len, u32 out, u32 in);

#define CDB(...)	((const u8[]){ __VA_ARGS__ }), sizeof((u8[]){ __VA_ARGS__ })

#define READ10(lba, nr)		CDB(0x28, 0, 0, 0, 0, lba, 0, 0, nr, 0)
#define WRITE10(lba, nr)	CDB(0x2a, 0, 0, 0, 0, lba, 0, 0, nr, 0)
#define INQUIRY(len)		CDB(0x12, 0, 0, 0, len, 0)
#define TUR			CDB(0, 0, 0, 0, 0, 0)

static inline struct scsi_req *vbed_req(struct vbed *v)
{
	return vt_req_priv(&v->b->req);
}

/* Parse the chain as a queue does. */
int vbed_parse(struct vbed *v, unsigned int queue);
/* Do what parsed as 2. */
void vbed_execute(struct vbed *v);
/* End it: the response that the driver sees. */
struct virtio_scsi_cmd_resp vbed_complete(struct vbed *v, blk_status_t status);
/* All of it, of a chain for the request queue. */
struct virtio_scsi_cmd_resp vbed_run(struct vbed *v);

/* @len bytes that the driver sees @off bytes into its writable buffers. */
void vbed_seen(struct vbed *v, u32 off, void *buf, u32 len);

/* Sense key << 16 | ASC << 8 | ASCQ of a response, 0: none. */
u32 vbed_sense(const struct virtio_scsi_cmd_resp *r);

/* A task in flight of the request queue's pool. */
struct scsi_req *vbed_task(struct vbed *v, unsigned int i, struct scsi_itl *itl,
			   u64 tag);
void vbed_task_end(struct scsi_req *sr);

#endif
