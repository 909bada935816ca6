/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A logical unit on a memory disk, with two initiators. The transport is
 * here: data buffers of exactly the length given, I/O that is done at once.
 */
#ifndef UNIT_SCSI_BED_H
#define UNIT_SCSI_BED_H

#include "../../drivers/scsi/lu/cmd.h"

#include "unit.h"

/* Of the disk a bed starts with, in blocks of 512 bytes. */
#define SBED_SECTORS		4096
#define SBED_BYTES		(SBED_SECTORS * SECTOR_SIZE)
#define SBED_MAX_DISCARD	256
#define SBED_MAX_ZEROES		512
#define SBED_MAX_BYTES		(1024 * 1024)

#define SBED_LUNS	300

#define SBED_ZONES		16
#define SBED_ZONE_SECTORS	(SBED_SECTORS / SBED_ZONES)

/* Operations of the backend, by enum vt_op. */
#define SBED_OPS	(VT_OP_SECURE_ERASE + 1)

/**
 * struct sbed - a logical unit and who uses it
 * @itl: two initiators
 * @disk: bytes of the medium
 * @tuples: protection information of the medium, one for each of its blocks
 * @pi: the initiator's, of the task, if it has a buffer for it
 * @task: the command
 * @verdict: of scsi_task_parse()
 * @out: data-out buffer, task.out_len bytes
 * @in: data-in buffer, task.in_len bytes
 * @has_lun: LUNs of the target
 * @no_data: touching the data buffers fails
 * @lose_data: this touch of them from now on fails, 1: the next one; 0: none
 * @reads_nothing: reads leave memory alone, as the null backend's do
 * @solid_state: the medium does not turn
 * @fail: what I/O ends with
 * @fail_op: if it is this operation
 * @fail_after: and this many of them went well
 * @on_io: called before each I/O; NULL: nothing
 * @ops: I/O that was done, by enum vt_op
 * @fua: writes that had VT_IO_FUA
 * @range: the last one
 * @rmw: sectors that are kept from others, or none
 * @zones: of a zoned disk
 * @no_zones: the backend finds none
 * @zone_ops: that were done, by enum scsi_zone_op
 * @rmw_writes: writes that had VT_IO_RMW
 * @drained: calls of scsi_itl_drain() for each initiator
 */
struct sbed {
	struct vt_backend be;
	struct vt_resv resv;
	struct scsi_port port;
	struct scsi_nexus nexus[2];
	struct scsi_lu lu;
	struct scsi_itl itl[2];
	u8 *disk;
	struct vt_pi_tuple *tuples;
	struct vt_pi pi;
	struct scsi_task task;
	enum scsi_verdict verdict;
	u8 *out;
	u8 *in;
	bool has_lun[SBED_LUNS];
	bool no_data;
	unsigned int lose_data;
	bool reads_nothing;
	bool solid_state;
	blk_status_t fail;
	enum vt_op fail_op;
	unsigned int fail_after;
	void (*on_io)(struct sbed *b);
	unsigned int ops[SBED_OPS];
	unsigned int fua;
	struct vt_range range;
	struct vt_range rmw;
	struct blk_zone zones[SBED_ZONES];
	bool no_zones;
	unsigned int zone_ops[SCSI_ZONE_RESET + 1];
	unsigned int rmw_writes;
	unsigned int drained[2];
};

/* A writable, cached disk of SBED_BYTES; POWER ON was already reported. */
struct sbed *sbed_new(void);
/* The same; @set changes backend and parameters before it is made. */
struct sbed *sbed_new_with(void (*set)(struct sbed *b,
				       struct scsi_lu_params *p));
void sbed_free(struct sbed *b);

/* The task of an initiator: CDB and the lengths of its buffers. */
void sbed_task(struct sbed *b, unsigned int who, const u8 *cdb,
	       unsigned int cdb_len, u64 out_len, u64 in_len);
/* Give it a buffer for protection information of @nr blocks from @lba on. */
void sbed_give_pi(struct sbed *b, u64 lba, u32 nr);
/* A host-managed disk of SBED_ZONES zones, the first of which is conventional. */
void sbed_set_zoned(struct sbed *b, struct scsi_lu_params *p);
/* A backend with tuples of type 1, for sbed_new_with(). */
void sbed_set_pi1(struct sbed *b, struct scsi_lu_params *p);
/* Tuples for such data; the application tags are numbered. */
void sbed_fill_pi(struct sbed *b, struct vt_pi_tuple *t, const u8 *data,
		  u64 lba, u32 nr);
/* Do it. Returns: its status. */
u8 sbed_go(struct sbed *b);
/* Both at once, with an empty data-out buffer. */
u8 sbed_run(struct sbed *b, unsigned int who, const u8 *cdb,
	    unsigned int cdb_len, u64 out_len, u64 in_len);

#define CDB(...)	((const u8[]){ __VA_ARGS__ }), sizeof((u8[]){ __VA_ARGS__ })

/* Fields of a CDB. */
#define B16(v)	(u8)((v) >> 8), (u8)(v)
#define B32(v)	B16((u32)(v) >> 16), B16((u32)(v))
#define B64(v)	B32((u64)(v) >> 32), B32((u64)(v))

/* What the sense data of the task says; whatever its format. */
u8 sbed_key(const struct sbed *b);
u16 sbed_asc(const struct sbed *b);
/* Field pointer, or -1; in the CDB? Its bit, or -1. */
int sbed_field(const struct sbed *b);
bool sbed_field_in_cdb(const struct sbed *b);
int sbed_field_bit(const struct sbed *b);
/* INFORMATION, or -1. */
s64 sbed_info(const struct sbed *b);

/* Fill blocks of 512 bytes of the disk with a pattern; are they that? */
void sbed_fill(struct sbed *b, u64 sector, u32 nr, u8 seed);
void sbed_pattern(u8 *buf, u32 len, u8 seed);
bool sbed_is(const struct sbed *b, u64 sector, u32 nr, u8 seed);
bool sbed_is_zero(const struct sbed *b, u64 sector, u32 nr);

#define EXPECT_GOOD(b)							\
	EXPECT_MSG((b)->task.status == SCSI_GOOD && !(b)->task.overrun,	\
		   "opcode %02x: status %02x sense %x/%04x overrun %d",	\
		   (b)->task.cdb[0], (b)->task.status, sbed_key(b),	\
		   sbed_asc(b), (b)->task.overrun)

#define EXPECT_CHECK(b, key, asc)					\
	EXPECT_MSG((b)->task.status == SCSI_CHECK_CONDITION &&		\
		   sbed_key(b) == (key) && sbed_asc(b) == (asc),	\
		   "opcode %02x: status %02x sense %x/%04x, not %x/%04x", \
		   (b)->task.cdb[0], (b)->task.status, sbed_key(b),	\
		   sbed_asc(b), (key), (asc))

#define EXPECT_FIELD(b, asc, byte, bit)					\
	do {								\
		EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, asc);		\
		EXPECT_EQ(byte, sbed_field(b));				\
		EXPECT_EQ(bit, sbed_field_bit(b));			\
		EXPECT_EQ((asc) == SCSI_ASC_BAD_CDB,			\
			  sbed_field_in_cdb(b));			\
	} while (0)

/* @bit: -1: the field is of whole bytes. */
#define EXPECT_BAD_CDB(b, byte, bit)	\
	EXPECT_FIELD(b, SCSI_ASC_BAD_CDB, byte, bit)
#define EXPECT_BAD_PARAM(b, byte, bit)	\
	EXPECT_FIELD(b, SCSI_ASC_BAD_PARAM, byte, bit)

#endif
