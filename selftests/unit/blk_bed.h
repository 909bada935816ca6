/* SPDX-License-Identifier: GPL-2.0 */
/* A virtio-blk session. */
#ifndef UNIT_BLK_BED_H
#define UNIT_BLK_BED_H

#include "../../drivers/blk/blk.h"

#include "bed.h"

/* All that a disk that can do everything has, but RO. */
#define BED_FEATURES	(BIT_ULL(VIRTIO_BLK_F_SIZE_MAX) |	\
			 BIT_ULL(VIRTIO_BLK_F_SEG_MAX) |	\
			 BIT_ULL(VIRTIO_BLK_F_GEOMETRY) |	\
			 BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) |	\
			 BIT_ULL(VIRTIO_BLK_F_FLUSH) |		\
			 BIT_ULL(VIRTIO_BLK_F_TOPOLOGY) |	\
			 BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE) |	\
			 BIT_ULL(VIRTIO_BLK_F_MQ) |		\
			 BIT_ULL(VIRTIO_BLK_F_DISCARD) |	\
			 BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES) |	\
			 BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE))

/* A writable, cached disk of BED_SECTORS, with all features negotiated. */
struct bed *bed_new(void);

/* A new chain with a header. */
void bed_header(struct bed *b, u32 type, u64 sector);

/* A whole chain: header, @out bytes, @in bytes, status. */
void bed_chain(struct bed *b, u32 type, u64 sector, u32 out, u32 in);

/* Parse the chain. */
int bed_parse(struct bed *b);

/* End the request. Returns the status byte the driver sees. */
u8 bed_complete(struct bed *b, blk_status_t status);

/* The chain is refused with a status and counted; nothing was mapped. */
#define EXPECT_REFUSED(b, want)						\
	do {								\
		u64 invalid_ = (b)->st.invalid;				\
									\
		EXPECT_EQ(1, bed_parse(b));				\
		EXPECT_EQ(invalid_ + 1, (b)->st.invalid);		\
		EXPECT_EQ(0, (b)->nr_maps);				\
		EXPECT_EQ(want, bed_complete(b, (b)->req.io.status));	\
	} while (0)

#define EXPECT_IOERR(b)		EXPECT_REFUSED(b, VIRTIO_BLK_S_IOERR)
#define EXPECT_UNSUPP(b)	EXPECT_REFUSED(b, VIRTIO_BLK_S_UNSUPP)

#endif
