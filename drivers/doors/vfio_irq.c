// SPDX-License-Identifier: GPL-2.0
/* Interrupts of a VFIO PCI device: see vfio_irq.h. */
#include <linux/slab.h>
#include <linux/pci_regs.h>

#include "../compat/workqueue.h"
#include "vfio_irq.h"
#include "vfio_pci_config.h"

#define ENTRY_WORDS	(VT_MSIX_ENTRY / 4)
#define ENTRY_CTRL	3	/* word with the mask, bit 0 */

/* Vectors. */

static void vector_deliver(struct vt_irqs *q, struct vt_vector *v)
{
	lockdep_assert_held(&v->lock);

	/* Pairs with the store in vt_irqs_mask_all(), before it looks. */
	if (!v->pending || !v->trigger || v->masked || v->table_masked ||
	    READ_ONCE(q->all_masked))
		return;
	WRITE_ONCE(v->pending, false);
	eventfd_signal(v->trigger);
}

static void vector_look(struct vt_irqs *q, struct vt_vector *v)
{
	spin_lock(&v->lock);
	vector_deliver(q, v);
	spin_unlock(&v->lock);
}

static void vector_raise(struct vt_irqs *q, struct vt_vector *v)
{
	spin_lock(&v->lock);
	WRITE_ONCE(v->pending, true);
	vector_deliver(q, v);
	spin_unlock(&v->lock);
}

/* Takes over @ctx. */
static void vector_set_trigger(struct vt_irqs *q, struct vt_vector *v,
			       struct eventfd_ctx *ctx)
{
	struct eventfd_ctx *old;

	spin_lock(&v->lock);
	old = v->trigger;
	v->trigger = ctx;
	vector_deliver(q, v);
	spin_unlock(&v->lock);
	if (old)
		eventfd_ctx_put(old);
}

static void vector_set_mask(struct vt_irqs *q, struct vt_vector *v, bool mask)
{
	spin_lock(&v->lock);
	v->masked = mask;
	vector_deliver(q, v);
	spin_unlock(&v->lock);
}

void vt_irqs_mask_all(struct vt_irqs *q, bool masked)
{
	unsigned int i;

	WRITE_ONCE(q->all_masked, masked);
	for (i = 0; !masked && i < q->nr; i++)
		vector_look(q, &q->vec[i]);
}

/* The pin. */

static void pin_signal(struct vt_pin *p)
{
	spin_lock(&p->lock);
	if (p->trigger && !p->masked && !p->disabled) {
		p->masked = true;
		eventfd_signal(p->trigger);
	}
	spin_unlock(&p->lock);
}

bool vt_irqs_pin_level(struct vt_irqs *q)
{
	return !READ_ONCE(q->msix) && vt_nvme_intx(q->n);
}

/* It may be delivered now: is it still high? */
static void pin_look(struct vt_irqs *q)
{
	if (vt_irqs_pin_level(q))
		pin_signal(&q->pin);
}

static void pin_set_mask(struct vt_irqs *q, bool mask)
{
	spin_lock(&q->pin.lock);
	q->pin.masked = mask;
	spin_unlock(&q->pin.lock);
	if (!mask)
		pin_look(q);
}

void vt_irqs_disable_pin(struct vt_irqs *q, bool disabled)
{
	spin_lock(&q->pin.lock);
	q->pin.disabled = disabled;
	spin_unlock(&q->pin.lock);
	if (!disabled)
		pin_look(q);
}

/* Takes over @ctx. */
static void pin_set_trigger(struct vt_irqs *q, struct eventfd_ctx *ctx)
{
	struct vt_pin *p = &q->pin;
	struct eventfd_ctx *old;

	spin_lock(&p->lock);
	old = p->trigger;
	p->trigger = ctx;
	p->masked = false;
	spin_unlock(&p->lock);
	if (old)
		eventfd_ctx_put(old);
	if (ctx)
		pin_look(q);
}

static void pin_look_work(struct work_struct *work)
{
	pin_look(container_of(work, struct vt_irqs, pin.look));
}

/*
 * In a work item: the VMM's eventfd for unmasking was signalled. All VFIO devices
 * wait for such items in one queue, and what it takes to know the level, a
 * controller that is being reset say, may wait for a disk.
 */
static void pin_unmask(void *opaque, void *data)
{
	struct vt_irqs *q = opaque;

	spin_lock(&q->pin.lock);
	q->pin.masked = false;
	spin_unlock(&q->pin.lock);
	queue_work(system_dfl_wq, &q->pin.look);
}

void vt_irqs_raise(struct vt_irqs *q, unsigned int vector)
{
	if (!READ_ONCE(q->msix))
		pin_signal(&q->pin);
	else if (vector < q->nr)
		vector_raise(q, &q->vec[vector]);
}

/* Life. */

int vt_irqs_init(struct vt_irqs *q, unsigned int nr_vectors)
{
	unsigned int i;

	q->vec = kcalloc(nr_vectors, sizeof(*q->vec), GFP_KERNEL_ACCOUNT);
	q->table = kcalloc(nr_vectors, VT_MSIX_ENTRY, GFP_KERNEL_ACCOUNT);
	if (!q->vec || !q->table) {
		vt_irqs_exit(q);
		return -ENOMEM;
	}
	q->nr = nr_vectors;
	for (i = 0; i < q->nr; i++)
		spin_lock_init(&q->vec[i].lock);
	spin_lock_init(&q->pin.lock);
	INIT_WORK(&q->pin.look, pin_look_work);
	spin_lock_init(&q->request.lock);
	spin_lock_init(&q->error.lock);
	return 0;
}

void vt_irqs_exit(struct vt_irqs *q)
{
	kfree(q->vec);
	kfree(q->table);
	q->vec = NULL;
	q->table = NULL;
}

void vt_irqs_reset(struct vt_irqs *q)
{
	unsigned int i;

	WRITE_ONCE(q->all_masked, false);
	memset(q->table, 0, q->nr * VT_MSIX_ENTRY);
	for (i = 0; i < q->nr; i++) {
		struct vt_vector *v = &q->vec[i];

		spin_lock(&v->lock);
		v->table_masked = false;
		WRITE_ONCE(v->pending, false);
		spin_unlock(&v->lock);
	}
	spin_lock(&q->pin.lock);
	q->pin.disabled = false;
	q->pin.masked = false;
	spin_unlock(&q->pin.lock);
	/* The controller has forgotten it; the VMM has not. */
	vt_nvme_set_msix(q->n, q->msix);
}

void vt_irqs_open(struct vt_irqs *q, struct vt_nvme *n)
{
	q->n = n;
	q->msix = false;
	vt_irqs_reset(q);
}

static void set_msix(struct vt_irqs *q, bool on)
{
	if (q->msix == on)
		return;
	WRITE_ONCE(q->msix, on);
	vt_nvme_set_msix(q->n, on);
	if (!on)
		pin_look(q);
}

static void msix_disable(struct vt_irqs *q)
{
	unsigned int i;

	set_msix(q, false);
	for (i = 0; i < q->nr; i++) {
		struct vt_vector *v = &q->vec[i];

		vector_set_trigger(q, v, NULL);
		spin_lock(&v->lock);
		v->masked = false;
		WRITE_ONCE(v->pending, false);
		spin_unlock(&v->lock);
	}
}

static void pin_disable(struct vt_irqs *q)
{
	vfio_virqfd_disable(&q->pin.unmask);
	cancel_work_sync(&q->pin.look);
	pin_set_trigger(q, NULL);
}

/* Notifiers. */

/* Takes over @ctx. */
static void notifier_set(struct vt_notifier *nt, struct eventfd_ctx *ctx)
{
	spin_lock(&nt->lock);
	swap(nt->trigger, ctx);
	spin_unlock(&nt->lock);
	if (ctx)
		eventfd_ctx_put(ctx);
}

/* Does anybody listen? */
static bool notifier_signal(struct vt_notifier *nt)
{
	bool sent;

	spin_lock(&nt->lock);
	sent = nt->trigger;
	if (sent)
		eventfd_signal(nt->trigger);
	spin_unlock(&nt->lock);
	return sent;
}

void vt_irqs_close(struct vt_irqs *q)
{
	pin_disable(q);
	msix_disable(q);
	notifier_set(&q->request, NULL);
	notifier_set(&q->error, NULL);
	q->n = NULL;
}

bool vt_irqs_request(struct vt_irqs *q)
{
	return notifier_signal(&q->request);
}

/* BAR4: the MSI-X table and the pending bits. */

static u32 pending_word(struct vt_irqs *q, unsigned int first)
{
	unsigned int i;
	u32 bits = 0;

	for (i = first; i < first + 32 && i < q->nr; i++)
		if (READ_ONCE(q->vec[i].pending))
			bits |= BIT(i - first);
	return bits;
}

static u32 bar_word(struct vt_irqs *q, u32 off)
{
	if (off < q->nr * VT_MSIX_ENTRY)
		return le32_to_cpu(q->table[off / 4]);
	if (off >= VT_PCI_MSIX_PBA)
		return pending_word(q, (off - VT_PCI_MSIX_PBA) * 8);
	return 0;
}

/* Software uses words of 4 or 8 bytes only; others read right as well. */
u64 vt_irqs_bar_read(struct vt_irqs *q, u32 off, unsigned int size)
{
	u32 at = round_down(off, 4);
	u64 val = bar_word(q, at);

	if (size == 8)
		return val | (u64)bar_word(q, at + 4) << 32;
	return (val >> (8 * (off - at))) & (BIT_ULL(8 * size) - 1);
}

static void table_write(struct vt_irqs *q, unsigned int word, u32 val)
{
	struct vt_vector *v = &q->vec[word / ENTRY_WORDS];

	if (word % ENTRY_WORDS == ENTRY_CTRL)
		val &= PCI_MSIX_ENTRY_CTRL_MASKBIT;
	q->table[word] = cpu_to_le32(val);
	if (word % ENTRY_WORDS != ENTRY_CTRL)
		return;
	spin_lock(&v->lock);
	v->table_masked = val;
	vector_deliver(q, v);
	spin_unlock(&v->lock);
}

void vt_irqs_bar_write(struct vt_irqs *q, u32 off, unsigned int size, u64 val)
{
	if (size < 4 || off + size > q->nr * VT_MSIX_ENTRY)
		return;
	table_write(q, off / 4, val);
	if (size == 8)
		table_write(q, off / 4 + 1, val >> 32);
}

/* VFIO's calls. */

int vt_irqs_info(const struct vt_irqs *q, struct vfio_irq_info *info)
{
	info->flags = VFIO_IRQ_INFO_EVENTFD;
	info->count = 1;
	switch (info->index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		info->flags |= VFIO_IRQ_INFO_MASKABLE |
			       VFIO_IRQ_INFO_AUTOMASKED;
		return 0;
	case VFIO_PCI_MSIX_IRQ_INDEX:
		info->flags |= VFIO_IRQ_INFO_MASKABLE;
		info->count = q->nr;
		return 0;
	case VFIO_PCI_ERR_IRQ_INDEX:
	case VFIO_PCI_REQ_IRQ_INDEX:
		return 0;
	case VFIO_PCI_MSI_IRQ_INDEX:
		info->flags = 0;
		info->count = 0;
		return 0;
	default:
		return -EINVAL;
	}
}

/* The eventfd of entry @i, NULL for -1. */
static struct eventfd_ctx *get_eventfd(const void *data, unsigned int i)
{
	s32 fd = ((const s32 *)data)[i];

	return fd < 0 ? NULL : eventfd_ctx_fdget(fd);
}

/* Does the call mean entry @i? */
static bool is_meant(const struct vfio_irq_set *hdr, const void *data,
		     unsigned int i)
{
	return (hdr->flags & VFIO_IRQ_SET_DATA_NONE) ||
	       ((const u8 *)data)[i];
}

static bool is_eventfd(const struct vfio_irq_set *hdr)
{
	return hdr->flags & VFIO_IRQ_SET_DATA_EVENTFD;
}

static int set_pin_trigger(struct vt_irqs *q, const struct vfio_irq_set *hdr,
			   void *data)
{
	struct eventfd_ctx *ctx;

	if (!hdr->count) {
		pin_disable(q);
		return 0;
	}
	if (is_eventfd(hdr)) {
		ctx = get_eventfd(data, 0);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
		pin_set_trigger(q, ctx);
	} else if (!q->pin.trigger) {
		return -EINVAL;
	} else if (is_meant(hdr, data, 0)) {
		pin_signal(&q->pin);
	}
	return 0;
}

static int set_pin_unmask(struct vt_irqs *q, const struct vfio_irq_set *hdr,
			  void *data)
{
	s32 fd;

	if (!q->pin.trigger || !hdr->count)
		return -EINVAL;
	if (!is_eventfd(hdr)) {
		if (is_meant(hdr, data, 0))
			pin_set_mask(q, false);
		return 0;
	}
	fd = *(s32 *)data;
	if (fd >= 0)
		return vfio_virqfd_enable(q, NULL, pin_unmask, NULL,
					  &q->pin.unmask, fd);
	vfio_virqfd_disable(&q->pin.unmask);
	return 0;
}

static int set_pin_mask(struct vt_irqs *q, const struct vfio_irq_set *hdr,
			void *data)
{
	if (is_eventfd(hdr))
		return -ENOTTY;
	if (!q->pin.trigger || !hdr->count)
		return -EINVAL;
	if (is_meant(hdr, data, 0))
		pin_set_mask(q, true);
	return 0;
}

/* All eventfds must be good before any of them is taken. */
static int set_triggers(struct vt_irqs *q, const struct vfio_irq_set *hdr,
			void *data)
{
	struct eventfd_ctx **ctx;
	unsigned int i, n;
	int err = 0;

	ctx = kcalloc(hdr->count, sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return -ENOMEM;
	for (n = 0; n < hdr->count; n++) {
		ctx[n] = get_eventfd(data, n);
		if (IS_ERR(ctx[n])) {
			err = PTR_ERR(ctx[n]);
			break;
		}
	}
	for (i = 0; i < n; i++) {
		if (!err)
			vector_set_trigger(q, &q->vec[hdr->start + i], ctx[i]);
		else if (ctx[i])
			eventfd_ctx_put(ctx[i]);
	}
	kfree(ctx);
	if (!err)
		set_msix(q, true);
	return err;
}

static int set_msix_trigger(struct vt_irqs *q, const struct vfio_irq_set *hdr,
			    void *data)
{
	unsigned int i;

	if (!hdr->count) {
		if (is_eventfd(hdr))
			return -EINVAL;
		msix_disable(q);
		return 0;
	}
	if (is_eventfd(hdr))
		return set_triggers(q, hdr, data);
	if (!q->msix)
		return -EINVAL;
	for (i = 0; i < hdr->count; i++)
		if (is_meant(hdr, data, i))
			vector_raise(q, &q->vec[hdr->start + i]);
	return 0;
}

static int set_msix_mask(struct vt_irqs *q, const struct vfio_irq_set *hdr,
			 void *data, bool mask)
{
	unsigned int i;

	if (is_eventfd(hdr))
		return -ENOTTY;
	for (i = 0; i < hdr->count; i++)
		if (is_meant(hdr, data, i))
			vector_set_mask(q, &q->vec[hdr->start + i], mask);
	return 0;
}

static int set_notifier(struct vt_notifier *nt, const struct vfio_irq_set *hdr,
			void *data)
{
	struct eventfd_ctx *ctx;

	if (!(hdr->flags & VFIO_IRQ_SET_ACTION_TRIGGER))
		return -EINVAL;
	if (is_eventfd(hdr)) {
		ctx = hdr->count ? get_eventfd(data, 0) : ERR_PTR(-EINVAL);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
		notifier_set(nt, ctx);
		return 0;
	}
	if (!nt->trigger)
		return -EINVAL;
	if (!hdr->count)
		notifier_set(nt, NULL);
	else if (is_meant(hdr, data, 0))
		notifier_signal(nt);
	return 0;
}

static int set_pin(struct vt_irqs *q, const struct vfio_irq_set *hdr,
		   void *data)
{
	switch (hdr->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) {
	case VFIO_IRQ_SET_ACTION_TRIGGER:
		return set_pin_trigger(q, hdr, data);
	case VFIO_IRQ_SET_ACTION_MASK:
		return set_pin_mask(q, hdr, data);
	case VFIO_IRQ_SET_ACTION_UNMASK:
		return set_pin_unmask(q, hdr, data);
	default:
		return -EINVAL;
	}
}

static int set_vectors(struct vt_irqs *q, const struct vfio_irq_set *hdr,
		       void *data)
{
	switch (hdr->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) {
	case VFIO_IRQ_SET_ACTION_TRIGGER:
		return set_msix_trigger(q, hdr, data);
	case VFIO_IRQ_SET_ACTION_MASK:
		return set_msix_mask(q, hdr, data, true);
	case VFIO_IRQ_SET_ACTION_UNMASK:
		return set_msix_mask(q, hdr, data, false);
	default:
		return -EINVAL;
	}
}

int vt_irqs_set(struct vt_irqs *q, const struct vfio_irq_set *hdr, void *data)
{
	switch (hdr->index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return set_pin(q, hdr, data);
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return set_vectors(q, hdr, data);
	case VFIO_PCI_ERR_IRQ_INDEX:
		return set_notifier(&q->error, hdr, data);
	case VFIO_PCI_REQ_IRQ_INDEX:
		return set_notifier(&q->request, hdr, data);
	default:
		return -EINVAL;
	}
}
