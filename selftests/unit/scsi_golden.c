// SPDX-License-Identifier: GPL-2.0
/*
 * The commands as SPC-5 and SBC-4 have them, written down a second time: the
 * driver's table is held against this one.
 */
#include <stdlib.h>
#include <string.h>

#include "scsi_golden.h"

const struct golden goldens[] = {
	{ "TEST UNIT READY", "000000000000", "000000000000", "m", 0, 0 },
	{ "REQUEST SENSE", "030000001200", "03010000ff00", "un", 0, 18 },
	{ "READ (6)", "080000000200", "081fffffff00", "rm", 0, 1024 },
	{ "WRITE (6)", "0a0000000200", "0a1fffffff00", "wmc", 1024, 0 },
	{ "INQUIRY", "120000006000", "1201ffffff00", "un", 0, 96 },
	{ "MODE SELECT (6)", "151000000400", "15100000ff00", "w", 4, 0 },
	{ "MODE SENSE (6)", "1a003f00ff00", "1a08ffffff00", "r", 0, 255 },
	{ "START STOP UNIT", "1b0000000100", "1b0100000500", "", 0, 0 },
	{ "RECEIVE DIAGNOSTIC RESULTS", "1c010000ff00", "1c01ffffff00", "r",
	  0, 255 },
	{ "SEND DIAGNOSTIC", "1d0400000000", "1d1400000000", "w", 0, 0 },
	{ "PREVENT ALLOW MEDIUM REMOVAL", "1e0000000000", "1e0000000300", "",
	  0, 0 },
	{ "READ CAPACITY (10)", "25000000000000000000",
	  "25000000000000000000", "m", 0, 8 },
	{ "READ (10)", "28000000000000000200", "2818ffffffff00ffff00", "rm",
	  0, 1024 },
	{ "WRITE (10)", "2a000000000000000200", "2a18ffffffff00ffff00", "wmc",
	  1024, 0 },
	{ "WRITE AND VERIFY (10)", "2e000000000000000200",
	  "2e16ffffffff00ffff00", "wmc", 1024, 0 },
	{ "VERIFY (10)", "2f000000000000000200", "2f16ffffffff00ffff00", "rm",
	  0, 0 },
	{ "SYNCHRONIZE CACHE (10)", "35000000000000000000",
	  "3502ffffffff00ffff00", "wm", 0, 0 },
	{ "WRITE SAME (10)", "41000000000000000200", "4108ffffffff00ffff00",
	  "wmc", 512, 0 },
	{ "UNMAP", "42000000000000000800", "42000000000000ffff00", "wmc",
	  8, 0 },
	{ "LOG SENSE", "4d000000000000000400", "4d00ffff000000ffff00", "",
	  0, 4 },
	{ "MODE SELECT (10)", "55100000000000000800", "551000000000" "00ffff00",
	  "w", 8, 0 },
	{ "MODE SENSE (10)", "5a003f00000000010000", "5a18ffff000000ffff00",
	  "r", 0, 256 },
	{ "PERSISTENT RESERVE IN, READ KEYS", "5e000000000000000800",
	  "5e000000000000ffff00", "", 0, 8 },
	{ "PERSISTENT RESERVE IN, READ RESERVATION", "5e010000000000000800",
	  "5e010000000000ffff00", "", 0, 8 },
	{ "PERSISTENT RESERVE IN, REPORT CAPABILITIES",
	  "5e020000000000000800", "5e020000000000ffff00", "", 0, 8 },
	{ "PERSISTENT RESERVE IN, READ FULL STATUS", "5e030000000000000800",
	  "5e030000000000ffff00", "", 0, 8 },
	{ "PERSISTENT RESERVE OUT, REGISTER", "5f000000000000001800",
	  "5f00ff0000ffffffff00", "", 24, 0 },
	{ "PERSISTENT RESERVE OUT, RESERVE", "5f010100000000001800",
	  "5f01ff0000ffffffff00", "x", 24, 0 },
	{ "PERSISTENT RESERVE OUT, RELEASE", "5f020100000000001800",
	  "5f02ff0000ffffffff00", "x", 24, 0 },
	{ "PERSISTENT RESERVE OUT, CLEAR", "5f030000000000001800",
	  "5f03ff0000ffffffff00", "x", 24, 0 },
	{ "PERSISTENT RESERVE OUT, PREEMPT", "5f040100000000001800",
	  "5f04ff0000ffffffff00", "x", 24, 0 },
	{ "PERSISTENT RESERVE OUT, PREEMPT AND ABORT", "5f050100000000001800",
	  "5f05ff0000ffffffff00", "x", 24, 0 },
	{ "PERSISTENT RESERVE OUT, REGISTER AND IGNORE EXISTING KEY",
	  "5f060000000000001800", "5f06ff0000ffffffff00", "", 24, 0 },
	{ "PERSISTENT RESERVE OUT, REGISTER AND MOVE", "5f070000000000003000",
	  "5f07ff0000ffffffff00", "x", 48, 0 },
	{ "READ (16)", "88000000000000000000000000020000",
	  "8818ffffffffffffffffffffffff0000", "rm", 0, 1024 },
	{ "COMPARE AND WRITE", "89000000000000000000000000020000",
	  "8918ffffffffffffffff000000ff0000", "wmc", 2048, 0 },
	{ "WRITE (16)", "8a000000000000000000000000020000",
	  "8a18ffffffffffffffffffffffff0000", "wmc", 1024, 0 },
	{ "ORWRITE (16)", "8b000000000000000000000000020000",
	  "8b18ffffffffffffffffffffffff0000", "wmc", 1024, 0 },
	{ "WRITE AND VERIFY (16)", "8e000000000000000000000000020000",
	  "8e16ffffffffffffffffffffffff0000", "wmc", 1024, 0 },
	{ "VERIFY (16)", "8f000000000000000000000000020000",
	  "8f16ffffffffffffffffffffffff0000", "rm", 0, 0 },
	{ "SYNCHRONIZE CACHE (16)", "91000000000000000000000000000000",
	  "9102ffffffffffffffffffffffff0000", "wm", 0, 0 },
	{ "CLOSE ZONE", "94010000000000000100000000000000",
	  "9401ffffffffffffffff000000000100", "wmcz", 0, 0 },
	{ "FINISH ZONE", "94020000000000000100000000000000",
	  "9402ffffffffffffffff000000000100", "wmcz", 0, 0 },
	{ "OPEN ZONE", "94030000000000000100000000000000",
	  "9403ffffffffffffffff000000000100", "wmcz", 0, 0 },
	{ "RESET WRITE POINTER", "94040000000000000100000000000000",
	  "9404ffffffffffffffff000000000100", "wmcz", 0, 0 },
	{ "REPORT ZONES", "95000000000000000000000000400000",
	  "9500ffffffffffffffffffffffffbf00", "rmz", 0, 64 },
	{ "WRITE SAME (16)", "93000000000000000000000000020000",
	  "9309ffffffffffffffffffffffff0000", "wmc", 512, 0 },
	{ "READ CAPACITY (16)", "9e100000000000000000000000200000",
	  "9e100000000000000000ffffffff0000", "m", 0, 32 },
	{ "GET LBA STATUS", "9e120000000000000000000000180000",
	  "9e12ffffffffffffffffffffffff0000", "rm", 0, 24 },
	{ "REPORT LUNS", "a00000000000000000100000",
	  "a000ff000000ffffffff0000", "un", 0, 16 },
	{ "REPORT TARGET PORT GROUPS", "a30a00000000000000100000",
	  "a3ea00000000ffffffff0000", "", 0, 16 },
	{ "REPORT SUPPORTED OPERATION CODES", "a30c00000000000004000000",
	  "a30c87ffffffffffffff0000", "r", 0, 1024 },
	{ "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS",
	  "a30d00000000000000040000", "a30d80000000ffffffff0000", "r", 0, 4 },
	{ "READ (12)", "a80000000000000000020000", "a818ffffffffffffffff0000",
	  "rm", 0, 1024 },
	{ "WRITE (12)", "aa0000000000000000020000",
	  "aa18ffffffffffffffff0000", "wmc", 1024, 0 },
	{ "WRITE AND VERIFY (12)", "ae0000000000000000020000",
	  "ae16ffffffffffffffff0000", "wmc", 1024, 0 },
	{ "VERIFY (12)", "af0000000000000000020000",
	  "af16ffffffffffffffff0000", "rm", 0, 0 },
};

const unsigned int nr_goldens = ARRAY_SIZE(goldens);

unsigned int golden_bytes(const char *hex, u8 *buf)
{
	unsigned int i, n = strlen(hex) / 2;

	memset(buf, 0, GOLDEN_LEN);
	for (i = 0; i < n; i++) {
		char byte[] = { hex[2 * i], hex[2 * i + 1], 0 };

		buf[i] = strtoul(byte, NULL, 16);
	}
	return n;
}

bool golden_is(const struct golden *g, char flag)
{
	return strchr(g->flags, flag);
}

bool golden_has_sa(const struct golden *g)
{
	static const char *const with_sa[] = {
		"5e", "5f", "94", "95", "9e", "a3",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(with_sa); i++)
		if (!strncmp(g->cdb, with_sa[i], 2))
			return true;
	return false;
}

struct sbed *golden_bed(const struct golden *g)
{
	return golden_is(g, 'z') ? sbed_new_with(sbed_set_zoned) : sbed_new();
}

void golden_list(struct sbed *b)
{
	if (b->task.cdb[0] == SCSI_OP_UNMAP) {
		b->out[1] = 6;
	} else if (b->task.cdb[0] == 0x5f && b->task.cdb[1] == 7) {
		b->out[19] = b->port.rel_port;
		b->out[23] = 24;
		b->out[24] = 6;
	}
}

u8 golden_run(struct sbed *b, const struct golden *g)
{
	u8 cdb[GOLDEN_LEN];
	unsigned int len = golden_bytes(g->cdb, cdb);

	sbed_task(b, 0, cdb, len, g->out, g->in);
	golden_list(b);
	return sbed_go(b);
}
