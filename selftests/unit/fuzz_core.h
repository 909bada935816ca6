/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine for fuzz targets of whole devices. The core's queues, rings,
 * sessions and reservations are the real ones; here are guest memory, a
 * poller, work items, a disk. All of it is one thread, in which the input
 * decides what happens next.
 *
 * Guest memory is FC_PAGES pages. The first FC_RUN of them are in one piece,
 * each other one ends in a red zone of the address sanitizer. Some are not
 * there, read-only, or not found at once, as the input says.
 */
#ifndef UNIT_FUZZ_CORE_H
#define UNIT_FUZZ_CORE_H

#include <vhost_target/vdev.h>

#include "fuzz.h"

#define FC_BASE		0x10000000ULL
#define FC_PAGES	48
#define FC_RUN		16
#define FC_BYTES	(FC_PAGES * PAGE_SIZE)

/* Of a disk, in sectors; and of how many disks. */
#define FC_SECTORS	2048
#define FC_DISKS	2

/**
 * struct fc_disk - a disk and the unit that it is
 * @data: its bytes
 * @tuples: its protection information
 * @dirty: the end of what was written
 * @present: it is a unit of the target
 */
struct fc_disk {
	struct vt_backend be;
	struct vt_unit unit;
	u8 *data;
	struct vt_pi_tuple *tuples;
	u32 dirty;
	bool present;
};

/**
 * struct fc - the machine
 * @module_type: what the module under test has registered
 * @target: whose devices are fuzzed
 * @gmem: guest memory
 * @disk: units of the target
 * @may_read: may the device read there now? NULL: yes
 * @may_write: may it write there?
 * @on_map: something is to be mapped now; NULL: nobody minds
 * @on_wake: somebody is about to wake a queue; NULL: nobody minds
 * @on_sleep: a queue is armed, and about to fall asleep; NULL: nobody minds
 * @on_submit: the backend gets an I/O now; NULL: nobody minds
 * @on_io: I/Os are only looked at, and end as it says: a disk may be larger than
 *	there is memory for; NULL: they are done
 * @blocked: does it wait for a lock that is held? NULL: no
 * @fails: how many I/Os from now on fail
 * @fills_nothing: the backend does not read what it says it has read
 * @crowded: other queues have work for the poller, too
 * @submit_ns: an I/O takes so long to be submitted
 * @evicts: there is room for one page that is not in the first piece: another one
 *	goes where it is looked up
 * @holds: the backend keeps I/O until it is let go
 * @hangs: this one keeps it for as long as it is here; NULL: none does
 * @looks: how often a backend was polled
 * @nr_pi: pieces of protection information that were allocated and not freed
 */
struct fc {
	struct vt_type *module_type;
	struct vt_target target;
	struct vt_gmem gmem;
	struct fc_disk disk[FC_DISKS];
	bool (*may_read)(u64 addr, u32 len);
	bool (*may_write)(u64 addr, u32 len);
	void (*on_map)(void);
	void (*on_wake)(void);
	void (*on_sleep)(void);
	void (*on_submit)(void);
	blk_status_t (*on_io)(const struct vt_io *io);
	bool (*blocked)(struct work_struct *work);
	unsigned int fails;
	bool fills_nothing;
	bool crowded;
	u64 submit_ns;
	bool evicts;
	bool holds;
	const struct vt_backend *hangs;
	unsigned int looks;
	unsigned int nr_pi;
};

extern struct fc fc;

/* Insert the module under test, if it is not yet; take it out. */
int fc_insert(void);
void fc_eject(void);
/* The core refuses a step of the next insertion, 1: the first one. */
void fc_refuse(unsigned int step);
/* Open its device file. */
int fc_open_file(void);
/* Refused at each step it is gone; else it is there, and goes. */
bool fc_module_lives(void);
/* A page is lost: it must be waited for, or is not there at all. */
void fc_lose(unsigned int page, bool for_good);

/*
 * Make it, without disks. What memory and disks are like is in the input:
 * FC_BEGIN bytes.
 */
#define FC_BEGIN	(1 + FC_DISKS)
void fc_begin(struct vt_type *type);
void fc_add_disk(unsigned int i);
void fc_remove_disk(unsigned int i);
/* All that goes wrong goes well from here on. */
void fc_heal(void);
/* Nothing is left to do; memory holds what it may hold. */
void fc_end(void);

/* The driver's side of guest memory: what is outside of it is left out. */
u8 *fc_mem(u64 addr);
void fc_write(u64 addr, const void *buf, u32 len);
void fc_read(u64 addr, void *buf, u32 len);
/* What the driver wrote there by itself, the device may have, too. */
void fc_allow(u64 addr, u32 len);

/* Addresses that matter more often than others: near @want, mostly. */
u64 fc_take_addr(u64 want);

/*
 * All queues are polled once; they fall asleep if nothing is to be done.
 * Returns: what was done.
 */
unsigned int fc_poll(void);
/* I/O that the backend has held ends: at most @max. Returns: how many. */
unsigned int fc_end_io(unsigned int max);
/* Do work items: at most @max. */
unsigned int fc_do_work(unsigned int max);
/* How many there are to be done. */
unsigned int fc_works(void);
/* Until nothing happens any more. */
void fc_settle(void);
/* Do all queues sleep? */
bool fc_asleep(void);

/* What takes a step that has nothing to do with the kind of device. */
void fc_step(void);

#endif
