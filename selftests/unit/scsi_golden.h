/* SPDX-License-Identifier: GPL-2.0 */
#ifndef UNIT_SCSI_GOLDEN_H
#define UNIT_SCSI_GOLDEN_H

#include "scsi_bed.h"

#define GOLDEN_LEN	16
#define SCSI_OP_UNMAP	0x42

/**
 * struct golden - a command
 * @name: the standard's
 * @cdb: a good one, in hex
 * @usage: bits that may be set, with opcode and service action
 * @flags: r, w: needs the right to read, write; m: needs the medium;
 *	c: changes it; u: leaves unit attentions; n: needs no logical unit;
 *	z: of zoned disks; x: a reservation conflict for those not registered
 * @out: bytes of the data-out buffer
 * @in: of the data-in buffer
 */
struct golden {
	const char *name;
	const char *cdb;
	const char *usage;
	const char *flags;
	u32 out;
	u32 in;
};

extern const struct golden goldens[];
extern const unsigned int nr_goldens;

/* Bytes of a hex string, zeroed to GOLDEN_LEN. Returns: their number. */
unsigned int golden_bytes(const char *hex, u8 *buf);
bool golden_is(const struct golden *g, char flag);
bool golden_has_sa(const struct golden *g);
/* A bed on which it ends well. */
struct sbed *golden_bed(const struct golden *g);
/* The parameter list where zeroes will not do. */
void golden_list(struct sbed *b);
/* Do the command as it is in the table. Returns: status. */
u8 golden_run(struct sbed *b, const struct golden *g);

#endif
