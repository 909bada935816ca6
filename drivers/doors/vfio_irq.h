/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupts of a VFIO PCI device: the pin, MSI-X, two notifiers.
 *
 * DOC: interrupts of a VFIO device
 *
 * Each is an eventfd of the VMM's, set by VFIO_DEVICE_SET_IRQS. What is raised
 * while it cannot be delivered (masked, no eventfd yet) stays pending, and is
 * delivered as soon as it can be.
 *
 * The pin is level triggered. Each time it was signalled it masks itself; when
 * the VMM unmasks it and the level is still high, it is signalled again.
 *
 * The notifiers ask the VMM to give the device back, and tell it of errors that
 * nothing repairs. There are none of these: what goes wrong with a controller
 * its driver repairs by a reset. But QEMU wants to be able to listen.
 *
 * Locks: the set-up functions are serialised by the device's lock. A vector's
 * lock and the pin's are spinlocks, taken by pollers; nothing is taken inside.
 */
#ifndef _VT_VFIO_IRQ_H
#define _VT_VFIO_IRQ_H

#include <linux/eventfd.h>
#include <linux/spinlock.h>
#include <linux/vfio.h>
#include <linux/workqueue.h>

#include <vhost_target/nvme.h>

/* Bytes of an entry of the MSI-X table, and of its mask. */
#define VT_MSIX_ENTRY		16

/**
 * struct vt_vector - an MSI-X vector
 * @lock: protects the fields below
 * @trigger: eventfd, or NULL
 * @masked: by VFIO_DEVICE_SET_IRQS
 * @table_masked: in the table
 * @pending: raised and not delivered
 */
struct vt_vector {
	spinlock_t lock;	/* see above */
	struct eventfd_ctx *trigger;
	bool masked;
	bool table_masked;
	bool pending;
};

/**
 * struct vt_pin - INTx
 * @lock: protects the fields below
 * @trigger: eventfd, or NULL
 * @masked: by its own signal, or by VFIO_DEVICE_SET_IRQS
 * @disabled: by the command register
 * @unmask: the VMM unmasks it by an eventfd
 * @look: is the level high?
 */
struct vt_pin {
	spinlock_t lock;	/* see above */
	struct eventfd_ctx *trigger;
	bool masked;
	bool disabled;
	struct virqfd *unmask;
	struct work_struct look;
};

/**
 * struct vt_notifier - tells the VMM something
 * @lock: protects @trigger
 * @trigger: eventfd, or NULL
 */
struct vt_notifier {
	spinlock_t lock;	/* see above */
	struct eventfd_ctx *trigger;
};

/**
 * struct vt_irqs - all interrupts of a device
 * @n: its controller, while the device is open
 * @msix: MSI-X is used, not the pin
 * @all_masked: all vectors are masked, by the function's mask
 * @pin: INTx
 * @nr: vectors
 * @vec: the vectors
 * @table: MSI-X table as the VMM wrote it
 * @request: the VMM is asked to give the device back
 * @error: it is told of an error
 */
struct vt_irqs {
	struct vt_nvme *n;
	bool msix;
	bool all_masked;
	struct vt_pin pin;
	unsigned int nr;
	struct vt_vector *vec;
	__le32 *table;
	struct vt_notifier request;
	struct vt_notifier error;
};

int vt_irqs_init(struct vt_irqs *q, unsigned int nr_vectors);
void vt_irqs_exit(struct vt_irqs *q);

/* The device was opened, is about to be closed. */
void vt_irqs_open(struct vt_irqs *q, struct vt_nvme *n);
void vt_irqs_close(struct vt_irqs *q);

/* Masks and pending bits go; eventfds stay. The device's lock is held. */
void vt_irqs_reset(struct vt_irqs *q);

/**
 * vt_irqs_raise - the controller interrupts
 * @q: interrupts
 * @vector: vector; 0 for the pin
 *
 * Context: any that may spin; a poller.
 */
void vt_irqs_raise(struct vt_irqs *q, unsigned int vector);

/* Ask the VMM to give the device back; false if it does not listen. */
bool vt_irqs_request(struct vt_irqs *q);

/* The command register disabled or enabled the pin. Device's lock held. */
void vt_irqs_disable_pin(struct vt_irqs *q, bool disabled);
/* The function's mask was set or cleared. Device's lock held. */
void vt_irqs_mask_all(struct vt_irqs *q, bool masked);

/* Is the pin asserted, for the status register? Context: may sleep. */
bool vt_irqs_pin_level(struct vt_irqs *q);

/* BAR4: @off a multiple of @size, @size 1, 2, 4 or 8. Device's lock held. */
u64 vt_irqs_bar_read(struct vt_irqs *q, u32 off, unsigned int size);
void vt_irqs_bar_write(struct vt_irqs *q, u32 off, unsigned int size, u64 val);

/* VFIO_DEVICE_GET_IRQ_INFO: info->index is set. */
int vt_irqs_info(const struct vt_irqs *q, struct vfio_irq_info *info);

/**
 * vt_irqs_set - VFIO_DEVICE_SET_IRQS
 * @q: interrupts; the device's lock held
 * @hdr: checked by vfio_set_irqs_validate_and_prepare()
 * @data: what follows it, a kernel copy
 *
 * Returns: 0, -EINVAL, -ENOTTY, -EBADF, -ENOMEM.
 */
int vt_irqs_set(struct vt_irqs *q, const struct vfio_irq_set *hdr, void *data);

#endif
