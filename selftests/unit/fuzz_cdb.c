// SPDX-License-Identifier: GPL-2.0
/*
 * CDBs, parameter lists and protection information of two initiators, to
 * disks of all kinds: with blocks of 512 and 4096 bytes, zones, protection
 * information. The bed ends it if data moves outside of a buffer or of the
 * medium, or if a status and its sense data do not belong together.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/vhost_target.h>

#include "fuzz.h"
#include "scsi_golden.h"
#include "shim/hook.h"

const unsigned int fuzz_cost = 400;

static u8 how;

static void set(struct sbed *b, struct scsi_lu_params *p)
{
	static const u32 types[] = {
		VHOST_TARGET_BACKEND_NULL, VHOST_TARGET_BACKEND_FILE,
	};
	static struct vt_backend_ops ops;

	ops.type = types[how & 1];
	b->be.ops = &ops;
	if (how & 2)
		b->be.limits.block_size = 4096;
	else if (how & 4)
		sbed_set_zoned(b, p);
	if (how & 8)
		sbed_set_pi1(b, p);
	if (how & 16)
		b->be.limits.pi_type = b->be.limits.pi_type ? 3 : 0;
	b->be.limits.ro = how & 32;
	b->be.limits.write_cache = !(how & 64);
	if (how & 128)
		b->be.limits.max_discard_sectors = 0;
	p->flags = fuzz_take(1) & VHOST_TARGET_UNIT_F_ALL;
}

/* Of a list, mostly as many bytes as there are fields. */
static u32 take_len(void)
{
	u32 v = fuzz_take(1);

	return v < 128 ? v * 512 : v < 192 ? (v - 128) * 4 : fuzz_take(2);
}

/* A good one of the unit tests' table, but for a byte; with its buffers. */
static void take_golden(u8 *cdb, u32 nr, u32 *out, u32 *in)
{
	const struct golden *g = &goldens[nr % nr_goldens];
	u8 at = 1 + cdb[0] % 15, bits = cdb[1];

	memset(cdb, 0, SCSI_CDB_LEN);
	golden_bytes(g->cdb, cdb);
	cdb[at] ^= bits;
	*out = g->out;
	*in = g->in;
}

/* Tuples for as many blocks as @nr says, right ones if it is to be so. */
static void give_pi(struct sbed *b, u32 nr, u32 out, bool right)
{
	u8 lba = b->task.cdb[5];
	u32 blocks = out / b->be.limits.block_size;

	if (!b->lu.pi_type)
		return;
	sbed_give_pi(b, lba, nr % 16 + 1);
	if (right)
		sbed_fill_pi(b, b->pi.tuple, b->out, lba,
			     min(b->pi.nr, blocks));
	/* A transport refuses what is not as much as the command moves. */
	if (scsi_task_parse(&b->task) != SCSI_IO ||
	    b->task.pi_bytes != b->pi.nr * VT_PI_BYTES)
		b->task.pi_ok = false;
}

static void step_task(struct sbed *b)
{
	u8 who = fuzz_take(1), cdb[SCSI_CDB_LEN];
	u32 nr = fuzz_take(1), out, in;

	fuzz_take_bytes(cdb, sizeof(cdb));
	if (who & 2) {
		take_golden(cdb, nr, &out, &in);
	} else {
		out = take_len();
		in = take_len();
	}
	sbed_task(b, who & 1, cdb, sizeof(cdb), out, in);
	if (who & 4 && out >= (cdb[0] == SCSI_OP_UNMAP ? 8 : 48))
		golden_list(b);
	else
		fuzz_take_bytes(b->out, min(out, fuzz_take(1)));
	b->task.attr = who >> 5 & 3;
	b->task.aborted = who & 0x80 && !(nr & 15);
	if (who & 8)
		give_pi(b, nr, out, who & 16);
	sbed_go(b);
}

static void step_other(struct sbed *b)
{
	u8 what = fuzz_take(1), v = fuzz_take(1);

	switch (what % 8) {
	case 0:
		b->fail = v & 15 ? v % BLK_STS_OFFLINE : 0;
		b->fail_op = what >> 4 & 3;
		b->fail_after = v >> 4;
		break;
	case 1:
		b->no_data = v & 1;
		break;
	case 2:
		b->reads_nothing = v & 1;
		break;
	case 3:
		shim_no_memory = v % 4;
		break;
	case 4:
		scsi_ua_raise(&b->itl[v & 1], v % SCSI_UA_NR);
		break;
	case 5:
		b->has_lun[1 + v] = what & 16;
		break;
	case 6:
		b->zones[v % SBED_ZONES].cond = what >> 4;
		break;
	default:
		scsi_lu_reset(&b->lu, SCSI_UA_LU_RESET);
		break;
	}
}

/* Does it have reservations, and then none? */
static void clear_reservations(struct sbed *b)
{
	sbed_task(b, 0, CDB(0x5f, 6, 0, 0, 0, 0, 0, 0, 24, 0), 24, 0);
	b->out[15] = 7;
	MUST(sbed_go(b) == SCSI_GOOD);
	sbed_task(b, 0, CDB(0x5f, 3, 0, 0, 0, 0, 0, 0, 24, 0), 24, 0);
	b->out[7] = 7;
	MUST(sbed_go(b) == SCSI_GOOD);
}

/* After a reset it is a disk as any. */
static void check(struct sbed *b)
{
	u32 bytes = b->be.limits.block_size;

	b->fail = 0;
	b->no_data = false;
	b->reads_nothing = false;
	shim_no_memory = 0;
	scsi_lu_reset(&b->lu, SCSI_UA_LU_RESET);
	while (scsi_ua_take(&b->itl[0]))
		;
	MUST(sbed_run(b, 0, CDB(0x12, 0, 0, 0, 36, 0), 0, 36) == SCSI_GOOD);
	MUST(sbed_run(b, 0, CDB(0x1b, 0, 0, 0, 1, 0), 0, 0) == SCSI_GOOD);
	clear_reservations(b);
	MUST(sbed_run(b, 0, CDB(0, 0, 0, 0, 0, 0), 0, 0) == SCSI_GOOD);
	if (b->lu.ro || b->be.limits.zone_sectors)
		return;
	sbed_task(b, 0, CDB(0x2a, 0, 0, 0, 0, 1, 0, 0, 1, 0), bytes, 0);
	memset(b->out, 0x5a, bytes);
	MUST(sbed_go(b) == SCSI_GOOD);
	MUST(sbed_run(b, 0, CDB(0x28, 0, 0, 0, 0, 1, 0, 0, 1, 0), 0, bytes) ==
	     SCSI_GOOD);
	MUST(b->in[0] == 0x5a && b->in[bytes - 1] == 0x5a);
}

/* More than this are no new states. */
#define MAX_STEPS	64

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	unsigned int steps = 0;
	struct sbed *b;

	fuzz_begin(data, len);
	how = fuzz_take(1);
	shim_no_memory = 0;
	b = sbed_new_with(set);
	while (fuzz_left() && steps++ < MAX_STEPS)
		if (fuzz_take(1) % 8)
			step_task(b);
		else
			step_other(b);
	check(b);
	sbed_free(b);
	return 0;
}

/* Seeds: each command as the table of the unit tests has it. */

static void put_golden(const struct golden *g, u8 who)
{
	u8 cdb[SCSI_CDB_LEN] = { 0 };

	golden_bytes(g->cdb, cdb);
	fuzz_put(1, 1);
	fuzz_put(2, (who | 4) << 8);
	fuzz_put_bytes(cdb, sizeof(cdb));
	fuzz_put(1, 192);
	fuzz_put(2, g->out);
	fuzz_put(1, 192);
	fuzz_put(2, g->in);
}

static void seed(const char *name, u8 kind, bool zoned)
{
	unsigned int i;

	fuzz_put(2, kind << 8);
	for (i = 0; i < nr_goldens; i++)
		if (golden_is(&goldens[i], 'z') == zoned)
			put_golden(&goldens[i], i & 1);
	fuzz_save(name);
}

/* Everything that a command changes is seen by the other initiator. */
static void seed_two(void)
{
	unsigned int i, k;

	fuzz_put(2, 0);
	for (i = 0; i < nr_goldens; i++) {
		if (goldens[i].cdb[0] != '5')
			continue;
		for (k = 0; k < 2; k++)
			put_golden(&goldens[i], k);
	}
	fuzz_save("two");
}

/* Reads and writes with their protection information. */
static void seed_pi(void)
{
	static const u8 opcodes[] = { 0x28, 0x2a, 0x2e, 0x2f, 0x41 };
	unsigned int i, p;

	fuzz_put(2, 8 << 8);
	for (i = 0; i < ARRAY_SIZE(opcodes); i++)
		for (p = 0; p < 8; p++) {
			u8 cdb[SCSI_CDB_LEN] = {
				opcodes[i], p << 5, [5] = 16, [8] = 2,
			};
			bool out = opcodes[i] != 0x28;

			fuzz_put(1, 1);
			fuzz_put(2, 0x1801);
			fuzz_put_bytes(cdb, sizeof(cdb));
			fuzz_put(2, out ? 0x0200 : 0x0002);
			fuzz_put(1, 0);
		}
	fuzz_save("pi");
}

void fuzz_seeds(void)
{
	seed("disk", 0, false);
	seed("file", 1, false);
	seed("disk_4k", 2 | 64, false);
	seed("disk_pi", 8, false);
	seed("zoned", 4, true);
	seed_two();
	seed_pi();
}
