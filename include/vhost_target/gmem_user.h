/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory that is memory of a VMM's address space, pinned chunk by
 * chunk when first used and dropped when the VMM unmaps or discards it.
 */
#ifndef _VHOST_TARGET_GMEM_USER_H
#define _VHOST_TARGET_GMEM_USER_H

#include <vhost_target/gmem.h>

#define VT_MAX_REGIONS	1024

/**
 * struct vt_region - a stretch of guest memory
 * @gpa: guest address
 * @size: bytes
 * @uaddr: where it is in the VMM's address space
 * @ro: the guest sees it as ROM
 */
struct vt_region {
	u64 gpa;
	u64 size;
	unsigned long uaddr;
	bool ro;
};

struct vt_gmem_user;

/**
 * vt_gmem_user_create - memory of an address space
 * @mm: the VMM's address space; a reference on the struct is taken
 * @sync: waits for the requests which may use dropped chunks
 * @sync_arg: its argument
 *
 * Returns: the memory, empty, or an ERR_PTR.
 */
struct vt_gmem_user *vt_gmem_user_create(struct mm_struct *mm,
					 void (*sync)(void *arg), void *sync_arg);

/**
 * vt_gmem_user_destroy - undo it; no queue may be running
 * @gu: memory
 *
 * Context: may sleep.
 */
void vt_gmem_user_destroy(struct vt_gmem_user *gu);

/* The memory to look up in, and whose it is. */
struct vt_gmem *vt_gmem_user_mem(struct vt_gmem_user *gu);
struct mm_struct *vt_gmem_user_mm(const struct vt_gmem_user *gu);

/**
 * vt_gmem_user_map - map memory by the VMM's addresses (rings of the ioctl door)
 * @gu: memory
 * @uaddr: address in the address space, whether a region has it or not
 * @len: bytes
 * @write: the device writes there
 * @map: result, to be undone by vt_map_undo()
 *
 * The pages stay pinned while mapped: memory which the owner discards
 * or remaps there is no longer what it sees. So do those of vt_gmem_map().
 *
 * Context: may sleep.
 * Returns: 0; -EFAULT; -ENOMEM: also at the owner's RLIMIT_MEMLOCK.
 */
int vt_gmem_user_map(struct vt_gmem_user *gu, unsigned long uaddr, u32 len,
		     bool write, struct vt_map *map);

/**
 * vt_gmem_user_set_table - replace the table of regions
 * @gu: memory
 * @regions: the new table, sorted or not; copied
 * @nr: entries
 *
 * Queues may be running. When it returns no request uses the old table.
 *
 * Context: may sleep.
 * Returns: 0; -EINVAL: regions overlap, wrap around or are empty; -ENOMEM.
 */
int vt_gmem_user_set_table(struct vt_gmem_user *gu,
			   const struct vt_region *regions, unsigned int nr);

/* Was a table with at least one region set? Serialised by the caller. */
bool vt_gmem_user_has_table(const struct vt_gmem_user *gu);

#endif
