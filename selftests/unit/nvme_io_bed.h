/* SPDX-License-Identifier: GPL-2.0 */
/* A request of an I/O queue whose core is here. */
#ifndef UNIT_NVME_IO_BED_H
#define UNIT_NVME_IO_BED_H

#include "../../drivers/nvme/io.h"

#include "nvme_bed.h"

/**
 * struct iob - a request
 * @b: its controller
 * @mapped: bytes mapped, and whether the device writes there
 * @look_err: what the metadata's memory is looked up with
 * @map_err: what mapping returns from the @map_at-th piece on
 */
struct iob {
	struct nb *b;
	struct vt_queue q;
	struct vt_qstats st;
	struct {
		struct vt_req req;
		struct nv_cmd cmd;
	} r;
	struct bio_vec bv[NV_SGL_MAX];
	unsigned int nr_maps;
	bool write;
	int look_err;
	int map_err;
	unsigned int map_at;
	unsigned int released;
};

struct iob *iob_new(void);
void iob_free(struct iob *b);

/* A fresh command on namespace @nsid, data at guest page 0. */
struct nv_sqe *iob_cmd(struct iob *b, u8 opcode, u32 nsid);
struct nv_sqe *iob_rw(struct iob *b, u8 opcode, u32 nsid, u64 lba, u32 nlb);
int iob_parse(struct iob *b);

/* The command ends at once, with this status and Do Not Retry. */
#define EXPECT_STATUS(b, want)						\
	do {								\
		u64 invalid_ = (b)->st.invalid;				\
									\
		EXPECT_EQ(1, iob_parse(b));				\
		EXPECT_EQ(SC(want), nv_io_status(&(b)->r.req));		\
		EXPECT_EQ(invalid_ + 1, (b)->st.invalid);		\
	} while (0)

#endif
