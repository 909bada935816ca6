/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An NVMe controller as doors see it: BAR0 in, interrupts out.
 *
 * DOC: NVMe controllers
 *
 * A door makes a controller for a target, attaches it, and passes on what
 * the driver does to BAR0: the registers at 0 and, from VT_NVME_DOORBELLS on,
 * the doorbells.
 *
 * The doorbells are one page of memory, vt_nvme_doorbell_page(). The door may
 * map it into the guest: then the pollers see what the driver writes and no
 * exit takes place. Or it traps: then it calls vt_nvme_write(), which writes
 * the page for it and wakes the queue. Both may be mixed at any time.
 *
 * No queue sleeps while the page is mapped. When all have been idle the
 * controller has the door take the mapping away (->zap, vt_nvme_zap()), looks
 * at the page once more, and only then lets its queues sleep. The door must call
 * vt_nvme_doorbells_mapped() each time it has mapped the page again, after the
 * mapping can be used: that wakes every queue.
 *
 * Locks: a door may call everything below with its own locks held, as long as
 * ->raise, ->zap and ->failed take none of these.
 */
#ifndef _VHOST_TARGET_NVME_H
#define _VHOST_TARGET_NVME_H

#include <linux/types.h>

struct address_space;
struct cred;
struct inode;
struct file;
struct mm_struct;
struct page;
struct vm_area_struct;
struct vt_gmem;
struct vt_nvme;
struct vt_target;

/* BAR0: registers, the page of doorbells, nothing. */
#define VT_NVME_BAR_SIZE	0x4000
#define VT_NVME_DOORBELLS	0x1000

/* What PCI configuration space and Identify Controller both say. */
#define VT_NVME_PCI_VENDOR	0x1af4
#define VT_NVME_PCI_DEVICE	0x10f5

/* More vectors than this break a driver that is in wide use. */
#define VT_NVME_MAX_VECTORS	128
#define VT_NVME_MAX_IO_QUEUES	128

/**
 * struct vt_nvme_door_ops - what a controller tells its door
 * @raise: interrupt the driver. With MSI-X on: by this vector, which may be
 *	masked: the door keeps it pending then. With MSI-X off, @vector is 0
 *	and it is the pin that went up; it is level triggered, so the door asks
 *	vt_nvme_intx() whenever the pin is unmasked. Called by pollers and work
 *	items; does not sleep.
 * @zap: take the mapping of the doorbell page away from the guest: the next
 *	access faults. False if that cannot be done now: it is called again
 *	soon. May sleep for a moment. Called by pollers, never by two at a time.
 *	NULL if the door never maps it.
 * @failed: CSTS.CFS was set, the driver has to reset the controller; does not
 *	sleep. May be NULL.
 */
struct vt_nvme_door_ops {
	void (*raise)(void *priv, unsigned int vector);
	bool (*zap)(void *priv);
	void (*failed)(void *priv);
};

/**
 * vt_nvme_vectors - MSI-X vectors of the controllers of a target
 * @t: target
 *
 * One for the admin queue and one for each I/O queue, if that many are allowed.
 */
unsigned int vt_nvme_vectors(const struct vt_target *t);

/**
 * vt_nvme_create - make a controller, not yet attached
 * @t: target of type nvme; a reference is taken
 * @gmem: guest memory, the door's; outlives the controller
 * @ops: the door's functions
 * @priv: their argument
 *
 * Context: may sleep.
 * Returns: the controller or an ERR_PTR (-ENOMEM).
 */
struct vt_nvme *vt_nvme_create(struct vt_target *t, struct vt_gmem *gmem,
			       const struct vt_nvme_door_ops *ops, void *priv);

/**
 * vt_nvme_attach - claim the target
 * @n: controller
 * @opener: who opened the door
 *
 * The registers can be used from here on.
 *
 * Context, returns: as vt_session_attach().
 */
int vt_nvme_attach(struct vt_nvme *n, const struct cred *opener);

/**
 * vt_nvme_detach - stop all queues and give the target up
 * @n: controller, attached or not
 *
 * Guest memory is not used any more when it returns; no ->raise or ->zap is
 * under way and none will come.
 * Context: may sleep.
 */
void vt_nvme_detach(struct vt_nvme *n);

/* Free it; detaches. Context: may sleep. */
void vt_nvme_destroy(struct vt_nvme *n);

/**
 * vt_nvme_reset - function level, bus or power-on reset
 * @n: controller, attached
 *
 * Registers have their initial values when it returns, no queue exists, no
 * I/O is in flight.
 * Context: may sleep.
 */
void vt_nvme_reset(struct vt_nvme *n);

/**
 * vt_nvme_read - the driver reads BAR0
 * @n: controller, attached
 * @off: offset in BAR0, a multiple of @size
 * @size: bytes, 1, 2, 4 or 8
 *
 * What is no register reads as 0.
 */
u64 vt_nvme_read(struct vt_nvme *n, u32 off, unsigned int size);

/**
 * vt_nvme_write - the driver writes to BAR0
 * @n: controller, attached
 * @off: offset in BAR0, a multiple of @size
 * @size: bytes, 1, 2, 4 or 8
 * @val: value
 *
 * What is no register, or not of a register's size, is ignored and counted.
 * What CC asks for is done in the background; CSTS tells when it is.
 * Context: any that may spin, as vt_nvme_read().
 */
void vt_nvme_write(struct vt_nvme *n, u32 off, unsigned int size, u64 val);

/* I/O queues it offers. */
unsigned int vt_nvme_queues(const struct vt_nvme *n);

/* Accesses that were no valid ones, doorbells out of range among them. */
u64 vt_nvme_bad_writes(const struct vt_nvme *n);

/*
 * Mappings of the page of doorbells that a door lets a VMM have at a time, and none
 * of them is copied when it forks: a poller takes them all away when it falls asleep.
 */
#define VT_NVME_MAX_MMAPS	8

/* The page of doorbells: one page, order 0, the controller's. */
struct page *vt_nvme_doorbell_page(struct vt_nvme *n);

/**
 * vt_nvme_doorbells_mapped - the guest can write to the doorbell page again
 * @n: controller, attached
 *
 * Context: any that may spin.
 */
void vt_nvme_doorbells_mapped(struct vt_nvme *n);

/**
 * vt_nvme_zap - take the doorbell page away from whoever has mapped it
 * @mm: address space of the VMM that did
 * @mapping: of the door's file
 * @start: offset of the page in it
 *
 * KVM has the page inserted by our fault handler and then looks for it, and
 * stops the guest for good if it is not there. It holds the mmap_lock all the
 * while, so nothing is taken away without it.
 *
 * Context: may sleep, but does not wait for the VMM.
 * Returns: false if the VMM is busy with its memory.
 */
bool vt_nvme_zap(struct mm_struct *mm, struct address_space *mapping,
		 loff_t start);

/**
 * vt_nvme_set_msix - MSI-X was switched on or off in configuration space
 * @n: controller, attached
 * @on: MSI-X is used, not the pin
 *
 * Context: may sleep.
 */
void vt_nvme_set_msix(struct vt_nvme *n, bool on);

/**
 * vt_nvme_intx - is the interrupt pin asserted?
 * @n: controller, attached
 *
 * Context: may sleep.
 */
bool vt_nvme_intx(struct vt_nvme *n);

/**
 * vt_nvme_sync_memory - wait for what uses dropped guest memory
 * @n: controller, attached or not
 *
 * To be called by ->sync of the door's struct vt_gmem_ops: when it returns, no
 * request that was picked up before is in flight. The pages of queues and of
 * shadow doorbells have references of the controller's own, from when the
 * driver named them until it deletes them or resets the controller.
 * Context: may sleep.
 */
void vt_nvme_sync_memory(struct vt_nvme *n);

struct vt_type;

/* The ioctl door of controllers: functions of /dev/vhost-nvme. */
int vt_door_nvme_open(struct vt_type *type, struct file *file);
int vt_door_nvme_release(struct inode *inode, struct file *file);
long vt_door_nvme_ioctl(struct file *file, unsigned int cmd,
			unsigned long arg);
int vt_door_nvme_mmap(struct file *file, struct vm_area_struct *vma);

#endif
