/* SPDX-License-Identifier: GPL-2.0 */
/* The logical unit layer's inside: commands, sense data, backend I/O. */
#ifndef _SCSI_LU_CMD_H
#define _SCSI_LU_CMD_H

#include <linux/bitops.h>
#include <linux/blkzoned.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "lu.h"

/* Flags of a command. */
#define SCSI_CMD_SA		BIT(0)	/* has a service action */
#define SCSI_CMD_NO_LU		BIT(1)	/* also where there is no LU */
#define SCSI_CMD_UA_OK		BIT(2)	/* leaves unit attentions pending */
#define SCSI_CMD_READS		BIT(3)	/* needs the right to read */
#define SCSI_CMD_WRITES		BIT(4)	/* needs the right to write */
#define SCSI_CMD_MEDIUM		BIT(5)	/* not while it has stopped the LU */
#define SCSI_CMD_CHANGES	BIT(6)	/* not while it is write protected */
#define SCSI_CMD_PROTECT	BIT(7)	/* has a field RDPROTECT or WRPROTECT */

#define SCSI_USAGE_LEN		16

/* Opcodes that handlers tell apart. */
#define SCSI_OP_WRITE_SAME_16	0x93

/**
 * struct scsi_cmd - a command that is supported
 * @len: bytes of its CDB
 * @flags: SCSI_CMD_*
 * @usage: CDB usage bitmap, as REPORT SUPPORTED OPERATION CODES says it:
 *	opcode, and with SCSI_CMD_SA the service action, and then the bits that
 *	may be set
 * @parse: look at the CDB, in a poller; NULL: SCSI_EXEC at once
 * @exec: do it, where it may sleep
 */
struct scsi_cmd {
	u8 len;
	u8 flags;
	u8 usage[SCSI_USAGE_LEN];
	enum scsi_verdict (*parse)(struct scsi_task *task);
	void (*exec)(struct scsi_task *task);
};

/* table.c */
extern const struct scsi_cmd scsi_cmds[];
extern const unsigned int scsi_nr_cmds;
#define SCSI_MAX_CMDS	96

static inline u8 scsi_cmd_sa(const struct scsi_cmd *cmd)
{
	return cmd->usage[1] & 0x1f;
}

/* cmd.c */
/* The command of this opcode and service action, or NULL. */
const struct scsi_cmd *scsi_cmd_find(u8 opcode, u8 sa);
/* Has this opcode service actions? */
bool scsi_opcode_has_sa(u8 opcode);

static inline struct scsi_lu *scsi_task_lu(const struct scsi_task *task)
{
	return task->itl ? task->itl->lu : NULL;
}

static inline u32 scsi_block_bytes(const struct scsi_lu *lu)
{
	return 1U << lu->block_shift;
}

/* Logical blocks <-> sectors of 512 bytes. */
static inline u64 scsi_to_sectors(const struct scsi_lu *lu, u64 blocks)
{
	return blocks << (lu->block_shift - SECTOR_SHIFT);
}

static inline u64 scsi_to_blocks(const struct scsi_lu *lu, u64 sectors)
{
	return sectors >> (lu->block_shift - SECTOR_SHIFT);
}

static inline u64 scsi_capacity(const struct scsi_lu *lu)
{
	return scsi_to_blocks(lu, READ_ONCE(scsi_lu_be(lu)->limits.sectors));
}

/* A host-managed disk. */
static inline bool scsi_zoned(const struct scsi_lu *lu)
{
	return scsi_lu_be(lu)->limits.zone_sectors;
}

/* Type of the protection information this task may deal with; 0: none. */
static inline u8 scsi_task_pi(const struct scsi_task *task)
{
	return task->itl && task->pi_ok ? task->itl->lu->pi_type : 0;
}

/* RDPROTECT or WRPROTECT. Of a 6 byte CDB, byte 1 is part of the LBA. */
static inline u8 scsi_cdb_protect(const u8 *cdb)
{
	return cdb[0] >> 5 ? cdb[1] >> 5 : 0;
}

/* Writes need no flush before they may be said to be stable. */
static inline bool scsi_write_through(const struct scsi_lu *lu)
{
	return !READ_ONCE(lu->wce) && scsi_lu_be(lu)->limits.write_cache;
}

/*
 * Sense data.
 */
enum scsi_sense_key {
	SCSI_NO_SENSE		= 0x0,
	SCSI_NOT_READY		= 0x2,
	SCSI_MEDIUM_ERROR	= 0x3,
	SCSI_HARDWARE_ERROR	= 0x4,
	SCSI_ILLEGAL_REQUEST	= 0x5,
	SCSI_UNIT_ATTENTION	= 0x6,
	SCSI_DATA_PROTECT	= 0x7,
	SCSI_ABORTED_COMMAND	= 0xb,
	SCSI_MISCOMPARE		= 0xe,
};

/* Additional sense code << 8 | qualifier. */
enum scsi_asc {
	SCSI_ASC_NONE			= 0x0000,
	SCSI_ASC_NEED_START		= 0x0402,
	SCSI_ASC_NEED_MANUAL		= 0x0403,
	SCSI_ASC_COMMUNICATION		= 0x0800,
	SCSI_ASC_WRITE_ERROR		= 0x0c00,
	SCSI_ASC_GUARD_CHECK		= 0x1001,
	SCSI_ASC_APP_CHECK		= 0x1002,
	SCSI_ASC_REF_CHECK		= 0x1003,
	SCSI_ASC_READ_ERROR		= 0x1100,
	SCSI_ASC_PARAM_LIST_LENGTH	= 0x1a00,
	SCSI_ASC_MISCOMPARE		= 0x1d00,
	SCSI_ASC_BAD_OPCODE		= 0x2000,
	SCSI_ASC_LBA_RANGE		= 0x2100,
	SCSI_ASC_UNALIGNED_WRITE	= 0x2104,
	SCSI_ASC_BAD_CDB		= 0x2400,
	SCSI_ASC_NO_LU			= 0x2500,
	SCSI_ASC_BAD_PARAM		= 0x2600,
	SCSI_ASC_WRITE_PROTECTED	= 0x2700,
	SCSI_ASC_SOFT_PROTECTED		= 0x2702,
	SCSI_ASC_SPACE_ALLOC		= 0x2707,
	SCSI_ASC_ZONE_READ_ONLY		= 0x2708,
	SCSI_ASC_ZONE_OFFLINE		= 0x2c0e,
	SCSI_ASC_TIMEOUT		= 0x2e02,
	SCSI_ASC_NO_SAVING		= 0x3900,
	SCSI_ASC_TARGET_FAILURE		= 0x4400,
	SCSI_ASC_DATA_PHASE		= 0x4b00,
	SCSI_ASC_ZONE_RESOURCES		= 0x550e,
};

/* For fields that are no bits of a byte. */
#define SCSI_NO_BIT	0xff

/**
 * struct scsi_sense - what sense data says
 * @asc: enum scsi_asc
 * @key: enum scsi_sense_key
 * @has_field: @in_cdb, @byte and @bit are set
 * @has_info: @info is set
 * @in_cdb: the field in error is in the CDB, not the parameter list
 * @bit: most significant bit of that field, or SCSI_NO_BIT
 * @byte: first byte of that field
 * @info: INFORMATION field
 */
struct scsi_sense {
	u16 asc;
	u8 key;
	bool has_field;
	bool has_info;
	bool in_cdb;
	u8 bit;
	u16 byte;
	u64 info;
};

/* Build it into SCSI_SENSE_LEN bytes. Returns: its length. */
u8 scsi_sense_build(const struct scsi_sense *s, bool desc, u8 *buf);

/* These end a task with CHECK CONDITION. They return SCSI_DONE. */
enum scsi_verdict scsi_check(struct scsi_task *task, u8 key, u16 asc);
enum scsi_verdict scsi_check_info(struct scsi_task *task, u8 key, u16 asc,
				  u64 info);
enum scsi_verdict scsi_bad_cdb(struct scsi_task *task, u16 byte, u8 bit);
enum scsi_verdict scsi_bad_param(struct scsi_task *task, u16 byte, u8 bit);

/* This one with any status. */
static inline enum scsi_verdict scsi_end(struct scsi_task *task, u8 status)
{
	task->status = status;
	return SCSI_DONE;
}

/* The CDB asks for more data than there are buffers for. */
static inline enum scsi_verdict scsi_overrun(struct scsi_task *task)
{
	task->overrun = true;
	return SCSI_DONE;
}

/* A backend's result; the one place where it becomes a SCSI status. */
void scsi_end_io(struct scsi_task *task, enum vt_op op, blk_status_t status);

/*
 * Unit attentions: ua.c.
 */
/* Take the first one pending. Returns: its enum scsi_asc, 0: there is none. */
u16 scsi_ua_take(struct scsi_itl *itl);
/* Forget one that is pending in all logical units of a session. */
void scsi_ua_clear_nexus(struct scsi_nexus *nexus, enum scsi_ua ua);

/*
 * Parameter data: data.c. The status stays GOOD unless these say so.
 */
/*
 * Hand over @len bytes of the data that starts at @off of all, where
 * allocation length and buffer have room for it.
 */
void scsi_put_at(struct scsi_task *task, u32 alloc, u32 off, const void *buf,
		 u32 len);

static inline void scsi_put(struct scsi_task *task, u32 alloc, const void *buf,
			    u32 len)
{
	scsi_put_at(task, alloc, 0, buf, len);
}

/* Get @len bytes. Returns: false: the task has ended, with a sense. */
bool scsi_get(struct scsi_task *task, u64 off, void *buf, u32 len);

/*
 * Two buffers for data on its way, of SCSI_CHUNK bytes each and aligned for
 * any backend, zeroed. NULL: no memory, and the task has ended with BUSY.
 */
#define SCSI_CHUNK	32768U
/* Of these, data and tuples share one buffer. */
#define SCSI_PI_CHUNK	(SCSI_CHUNK / 2)
u8 *scsi_buf_get(struct scsi_task *task);
void scsi_buf_put(u8 *buf);

/*
 * Synchronous I/O: be.c, and the unit tests' memory disk. @bytes are at most
 * SCSI_CHUNK. Context: may sleep.
 */
blk_status_t scsi_be_read(struct scsi_task *task, u64 sector, void *buf,
			  u32 bytes);
blk_status_t scsi_be_write(struct scsi_task *task, u64 sector, void *buf,
			   u32 bytes, u8 io_flags);
blk_status_t scsi_be_flush(struct scsi_task *task);
/* A read or write with its protection information, none of it checked. */
blk_status_t scsi_be_pi(struct scsi_task *task, enum vt_op op, u64 sector,
			void *buf, u32 bytes, u8 io_flags,
			struct vt_pi_tuple *tuple);
/* A discard or write zeroes within the backend's limits. */
blk_status_t scsi_be_range(struct scsi_task *task, enum vt_op op,
			   const struct vt_range *range);
/* Service actions of ZBC OUT. */
enum scsi_zone_op {
	SCSI_ZONE_CLOSE		= 1,
	SCSI_ZONE_FINISH	= 2,
	SCSI_ZONE_OPEN		= 3,
	SCSI_ZONE_RESET		= 4,
};

/* Zones from the one that has @sector on: at most @nr, which becomes less. */
blk_status_t scsi_be_zones(struct scsi_task *task, u64 sector,
			   struct blk_zone *zone, unsigned int *nr);
blk_status_t scsi_be_zone(struct scsi_task *task, enum scsi_zone_op op,
			  const struct blk_zone *zone);
/* Do sectors that were discarded read as zeroes? */
bool scsi_be_unmap_zeroes(const struct vt_backend *be);
/* Is it known not to be of spinning disks? */
bool scsi_be_solid_state(const struct vt_backend *be);

/*
 * Blocks: block.c.
 */
/* Largest COMPARE AND WRITE, UNMAP (where it can) and WRITE SAME, as VPD B0 says. */
u8 scsi_max_caw(const struct scsi_lu *lu);
u32 scsi_max_unmap(const struct scsi_lu *lu);
u32 scsi_max_same(const struct scsi_lu *lu);
#define SCSI_MAX_UNMAP_DESCS	64

/**
 * struct scsi_extent - logical blocks of a CDB
 * @lba: first
 * @nr: number
 * @nr_byte: where in the CDB @nr is
 */
struct scsi_extent {
	u64 lba;
	u32 nr;
	u8 nr_byte;
};

void scsi_cdb_extent(const u8 *cdb, struct scsi_extent *e);
/* Returns: false: not on the medium, and the task has ended. */
bool scsi_extent_ok(struct scsi_task *task, u64 lba, u64 nr);
/* The extent of a CDB, of at most @max blocks; likewise. */
bool scsi_extent_get(struct scsi_task *task, u32 max, struct scsi_extent *e);
/* The last block there is; false: there is none, and the task has ended. */
bool scsi_last_block(struct scsi_task *task, u64 *last);
/* The task was aborted, and has ended. */
bool scsi_stop(struct scsi_task *task);
/*
 * Between two pieces of a long command: reservations may change here. Returns:
 * false: it must not go on, and has ended. Not inside vt_rmw_begin().
 */
bool scsi_go_on(struct scsi_task *task);
/* What was written is to be stable if writes are. */
void scsi_settle(struct scsi_task *task);

/*
 * Protection information: pi.c.
 */
/* Most blocks of a transfer: their tuples are allocated in one piece. */
#define SCSI_PI_MAX_BLOCKS	2048U

/* Is this a value of RDPROTECT or WRPROTECT? False: the task has ended. */
bool scsi_protect_ok(struct scsi_task *task);
/* Go on with a read or write of @nr blocks with such a value, not 0. */
enum scsi_verdict scsi_pi_start(struct scsi_task *task, u32 nr, u8 protect);
/* A piece of a read; @buf is of scsi_buf_get(). Returns: go on? */
bool scsi_pi_read_chunk(struct scsi_task *task, u8 *buf, u32 off);

/**
 * struct scsi_blocks - logical blocks in a buffer, at most SCSI_PI_CHUNK bytes
 * @data: theirs
 * @tuple: their protection information, behind the room for the data
 * @lba: first
 * @nr: number
 */
struct scsi_blocks {
	u8 *data;
	struct vt_pi_tuple *tuple;
	u64 lba;
	u32 nr;
};

/* How many a buffer has room for. */
static inline u32 scsi_chunk_blocks(const struct scsi_lu *lu, bool pi)
{
	return (pi ? SCSI_PI_CHUNK : SCSI_CHUNK) >> lu->block_shift;
}

static inline void scsi_blocks_init(struct scsi_blocks *b, u8 *buf)
{
	b->data = buf;
	b->tuple = (struct vt_pi_tuple *)(buf + SCSI_PI_CHUNK);
}

/*
 * The same for other commands with such a value, that pass through buffers:
 * @nr is what the initiator gives, blocks from @lba on. Returns false: the
 * task has ended; so do those below.
 */
bool scsi_pi_begin(struct scsi_task *task, u64 lba, u32 nr);
/*
 * The initiator's tuples from its number @first on, or made for the data; the
 * task's checks are made. So it is with the tuple of one block that is
 * repeated, number @first of its copies.
 */
bool scsi_pi_get(struct scsi_task *task, struct scsi_blocks *b, u32 first);
bool scsi_pi_get_repeated(struct scsi_task *task, struct scsi_blocks *b,
			  u32 first);
/* Of what was read. */
bool scsi_pi_check(struct scsi_task *task, const struct scsi_blocks *b);
/* Are they what the medium has, as far as the value asks for it? */
bool scsi_pi_same(struct scsi_task *task, const struct scsi_blocks *given,
		  const struct scsi_blocks *found);
/* A read or write of blocks, with their tuples if the task has some. */
bool scsi_blocks_io(struct scsi_task *task, enum vt_op op,
		    struct scsi_blocks *b, u8 io_flags);

/*
 * The handlers of the table.
 */
enum scsi_verdict scsi_parse_read(struct scsi_task *task);
enum scsi_verdict scsi_parse_write(struct scsi_task *task);
enum scsi_verdict scsi_parse_sync(struct scsi_task *task);
enum scsi_verdict scsi_parse_verify(struct scsi_task *task);
enum scsi_verdict scsi_parse_write_verify(struct scsi_task *task);
enum scsi_verdict scsi_parse_same(struct scsi_task *task);
enum scsi_verdict scsi_parse_caw(struct scsi_task *task);
enum scsi_verdict scsi_parse_orwrite(struct scsi_task *task);
enum scsi_verdict scsi_parse_unmap(struct scsi_task *task);
enum scsi_verdict scsi_parse_report_zones(struct scsi_task *task);
enum scsi_verdict scsi_parse_zone(struct scsi_task *task);
enum scsi_verdict scsi_parse_tur(struct scsi_task *task);
enum scsi_verdict scsi_parse_start_stop(struct scsi_task *task);
enum scsi_verdict scsi_parse_prevent(struct scsi_task *task);
enum scsi_verdict scsi_parse_send_diag(struct scsi_task *task);
void scsi_read_exec(struct scsi_task *task);
void scsi_write_exec(struct scsi_task *task);
void scsi_verify(struct scsi_task *task);
void scsi_write_verify(struct scsi_task *task);
void scsi_write_same(struct scsi_task *task);
void scsi_compare_and_write(struct scsi_task *task);
void scsi_orwrite(struct scsi_task *task);
void scsi_unmap(struct scsi_task *task);
void scsi_report_zones(struct scsi_task *task);
void scsi_zone(struct scsi_task *task);
void scsi_get_lba_status(struct scsi_task *task);
void scsi_read_capacity10(struct scsi_task *task);
void scsi_read_capacity16(struct scsi_task *task);
void scsi_start_stop(struct scsi_task *task);
void scsi_inquiry(struct scsi_task *task);
void scsi_mode_sense6(struct scsi_task *task);
void scsi_mode_sense10(struct scsi_task *task);
void scsi_mode_select6(struct scsi_task *task);
void scsi_mode_select10(struct scsi_task *task);
void scsi_log_sense(struct scsi_task *task);
void scsi_report_luns(struct scsi_task *task);
void scsi_request_sense(struct scsi_task *task);
void scsi_receive_diag(struct scsi_task *task);
void scsi_report_opcodes(struct scsi_task *task);
void scsi_report_tmfs(struct scsi_task *task);
void scsi_report_groups(struct scsi_task *task);

/* inquiry.c: designators of the target port, also for VPD 88h. */
unsigned int scsi_put_port_naa(const struct scsi_port *port, u8 *buf);

/* mode.c: what a reset, and the making, set. */
void scsi_mode_defaults(struct scsi_lu *lu);

#endif
