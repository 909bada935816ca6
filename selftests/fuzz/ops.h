/* SPDX-License-Identifier: GPL-2.0 */
/* Calls that are no ioctls: what they do with their fields. */
#ifndef VT_FUZZ_OPS_H
#define VT_FUZZ_OPS_H

#include "machine.h"

typedef long run_fn(struct machine *m, int fd, unsigned int slot,
		    const u64 *v);

run_fn run_open, run_close, run_kick, run_pause, run_memory, run_scribble;
run_fn run_chain, run_nvme_command, run_vfio_command;
run_fn run_map_doorbells, run_unmap_doorbells, run_doorbell;
run_fn run_message, run_pread, run_pwrite;

/* A node, whichever there is for @slot; an fd or -errno. */
int node_open(enum node node, unsigned int slot);

#endif
