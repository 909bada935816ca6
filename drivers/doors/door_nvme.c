// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctl door of NVMe controllers: BAR0 by ioctls, the page of doorbells by
 * mmap, interrupts by eventfds. See "Calls of /dev/vhost-nvme" in
 * <linux/vhost_target.h>.
 *
 * Locks: door->lock > those of the controller.
 */
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vhost.h>

#include <linux/vhost_target.h>
#include <vhost_target/door_ioctl.h>
#include <vhost_target/gmem_user.h>
#include <vhost_target/ioctl.h>
#include <vhost_target/nvme.h>
#include <vhost_target/target.h>

/**
 * struct nvme_door - a file opened
 * @lock: serialises the calls
 * @type: what it may attach to
 * @cred: of the opener
 * @inode: whose mapping that of the doorbells is
 * @gu: the owner's memory, NULL before VHOST_SET_OWNER
 * @n: the controller, NULL before VHOST_TARGET_ATTACH
 * @vectors: entries of @irq
 * @irq: an eventfd for each vector, or NULL; changed under @lock
 * @mmaps: mappings of the doorbells
 * @faults: counters
 * @zaps: likewise
 */
struct nvme_door {
	struct mutex lock;
	struct vt_type *type;
	const struct cred *cred;
	struct inode *inode;
	struct vt_gmem_user *gu;
	struct vt_nvme *n;
	unsigned int vectors;
	struct eventfd_ctx __rcu *irq[VT_NVME_MAX_VECTORS];
	atomic_t mmaps;
	atomic64_t faults;
	atomic64_t zaps;
};

/* Where the page of doorbells is in the mapping. */
#define DOORBELLS_PGOFF	1

/* What the controller asks for. */

static void door_raise(void *priv, unsigned int vector)
{
	struct nvme_door *door = priv;
	struct eventfd_ctx *ctx;

	rcu_read_lock();
	ctx = rcu_dereference(door->irq[vector]);
	if (ctx)
		eventfd_signal(ctx);
	rcu_read_unlock();
}

static bool door_zap(void *priv)
{
	struct nvme_door *door = priv;

	if (!vt_nvme_zap(vt_gmem_user_mm(door->gu), door->inode->i_mapping,
			 (loff_t)DOORBELLS_PGOFF << PAGE_SHIFT))
		return false;
	atomic64_inc(&door->zaps);
	return true;
}

static const struct vt_nvme_door_ops door_ops = {
	.raise	= door_raise,
	.zap	= door_zap,
};

static void door_sync_memory(void *arg)
{
	struct nvme_door *door = arg;
	/* Pairs with door_attach(). */
	struct vt_nvme *n = smp_load_acquire(&door->n);

	if (n)
		vt_nvme_sync_memory(n);
}

/* The doorbells. */

static vm_fault_t door_fault(struct vm_fault *vmf)
{
	struct nvme_door *door = vmf->vma->vm_private_data;
	struct page *page = vt_nvme_doorbell_page(door->n);
	vm_fault_t ret;

	ret = vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(page));
	if (ret & VM_FAULT_ERROR)
		return ret;
	atomic64_inc(&door->faults);
	vt_nvme_doorbells_mapped(door->n);
	return ret;
}

/* It is moved: the old one goes after that. */
static void door_vm_open(struct vm_area_struct *vma)
{
	struct nvme_door *door = vma->vm_private_data;

	atomic_inc(&door->mmaps);
}

static void door_vm_close(struct vm_area_struct *vma)
{
	struct nvme_door *door = vma->vm_private_data;

	atomic_dec(&door->mmaps);
}

static const struct vm_operations_struct door_vm_ops = {
	.open	= door_vm_open,
	.close	= door_vm_close,
	.fault	= door_fault,
};

int vt_door_nvme_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct nvme_door *door = file->private_data;
	/* Pairs with door_attach(). */
	struct vt_nvme *n = smp_load_acquire(&door->n);

	if (!n)
		return -ENOTCONN;
	if (vma->vm_pgoff != DOORBELLS_PGOFF ||
	    vma->vm_end - vma->vm_start != PAGE_SIZE ||
	    !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (atomic_inc_return(&door->mmaps) > VT_NVME_MAX_MMAPS) {
		atomic_dec(&door->mmaps);
		return -ENOSPC;
	}
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP |
			  VM_DONTCOPY);
	vma->vm_private_data = door;
	vma->vm_ops = &door_vm_ops;
	return 0;
}

/* Calls. */

static struct vt_nvme *door_make(struct nvme_door *door, const char *name)
{
	struct vt_target *t = vt_target_find(name);
	struct vt_nvme *n;
	int err;

	if (!t)
		return ERR_PTR(-ENOENT);
	err = t->type == door->type ? vt_target_admits(t, door->cred) : -ENOENT;
	n = err ? ERR_PTR(err) :
		  vt_nvme_create(t, vt_gmem_user_mem(door->gu), &door_ops, door);
	if (!IS_ERR(n))
		door->vectors = vt_nvme_vectors(t);
	vt_target_put(t);
	return n;
}

static long door_attach(void *ctx, void *arg)
{
	const struct vhost_target_attach *p = arg;
	struct nvme_door *door = ctx;
	struct vt_nvme *n;
	int err;

	if (!vt_name_ok(p->name))
		return -EINVAL;
	if (door->n)
		return -EALREADY;
	n = door_make(door, p->name);
	if (IS_ERR(n))
		return PTR_ERR(n);
	err = vt_nvme_attach(n, door->cred);
	if (err) {
		vt_nvme_destroy(n);
		return err;
	}
	vt_nvme_set_msix(n, true);
	/* Pairs with door_sync_memory() and mmap. */
	smp_store_release(&door->n, n);
	return 0;
}

static long reg_check(const struct nvme_door *door,
		      const struct vhost_target_nvme_reg *p)
{
	if (!door->n)
		return -ENOTCONN;
	if (p->len != 1 && p->len != 2 && p->len != 4 && p->len != 8)
		return -EINVAL;
	if (p->offset & (p->len - 1))
		return -EINVAL;
	return p->offset > VT_NVME_BAR_SIZE - p->len ? -ERANGE : 0;
}

static long door_read(void *ctx, void *arg)
{
	struct vhost_target_nvme_reg *p = arg;
	struct nvme_door *door = ctx;
	long err = reg_check(door, p);

	if (!err)
		p->value = vt_nvme_read(door->n, p->offset, p->len);
	return err;
}

static long door_write(void *ctx, void *arg)
{
	const struct vhost_target_nvme_reg *p = arg;
	struct nvme_door *door = ctx;
	long err = reg_check(door, p);

	if (!err)
		vt_nvme_write(door->n, p->offset, p->len, p->value);
	return err;
}

static void door_put_irq(struct eventfd_ctx *ctx)
{
	if (!ctx)
		return;
	/* Nobody signals it any more when this returns. */
	synchronize_rcu();
	eventfd_ctx_put(ctx);
}

static long door_set_irq(void *ctx, void *arg)
{
	const struct vhost_target_nvme_irq *p = arg;
	bool pin = p->flags & VHOST_TARGET_NVME_IRQ_F_PIN;
	struct nvme_door *door = ctx;
	struct eventfd_ctx *new = NULL;

	if (!door->n)
		return -ENOTCONN;
	if (p->vector >= (pin ? 1 : door->vectors))
		return -ERANGE;
	if (p->fd != -1) {
		new = eventfd_ctx_fdget(p->fd);
		if (IS_ERR(new))
			return PTR_ERR(new);
	}
	new = rcu_replace_pointer(door->irq[p->vector], new,
				  lockdep_is_held(&door->lock));
	vt_nvme_set_msix(door->n, !pin);
	door_put_irq(new);
	return 0;
}

static long door_reset(void *ctx, void *arg)
{
	struct nvme_door *door = ctx;

	if (!door->n)
		return -ENOTCONN;
	vt_nvme_reset(door->n);
	vt_nvme_set_msix(door->n, true);
	return 0;
}

static long door_get(void *ctx, void *arg)
{
	struct vhost_target_nvme_info *p = arg;
	struct nvme_door *door = ctx;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(p->reserved); i++)
		if (p->reserved[i])
			return -EINVAL;
	if (!door->n)
		return -ENOTCONN;
	p->vectors = door->vectors;
	p->queues = vt_nvme_queues(door->n);
	p->bar_size = VT_NVME_BAR_SIZE;
	p->pin = vt_nvme_intx(door->n);
	p->doorbells = (u64)DOORBELLS_PGOFF << PAGE_SHIFT;
	p->faults = atomic64_read(&door->faults);
	p->zaps = atomic64_read(&door->zaps);
	p->bad_writes = vt_nvme_bad_writes(door->n);
	return 0;
}

static const struct vt_ioctl door_ioctls[] = {
	VT_IOCTL(VHOST_TARGET_ATTACH, vhost_target_attach, name,
		 0, door_attach),
	VT_IOCTL(VHOST_TARGET_NVME_READ, vhost_target_nvme_reg, value,
		 0, door_read),
	VT_IOCTL(VHOST_TARGET_NVME_WRITE, vhost_target_nvme_reg, value,
		 0, door_write),
	VT_IOCTL(VHOST_TARGET_NVME_SET_IRQ, vhost_target_nvme_irq, fd,
		 VHOST_TARGET_NVME_IRQ_F_PIN, door_set_irq),
	VT_IOCTL(VHOST_TARGET_NVME_RESET, vhost_target_nvme_reset, flags,
		 0, door_reset),
	VT_IOCTL(VHOST_TARGET_NVME_GET, vhost_target_nvme_info, reserved,
		 0, door_get),
};

long vt_door_nvme_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct nvme_door *door = file->private_data;
	void __user *argp = (void __user *)arg;
	long ret;

	mutex_lock(&door->lock);
	if (cmd == VHOST_SET_OWNER)
		ret = vt_door_set_owner(&door->gu, door_sync_memory, door);
	else if (!vt_door_is_owner(door->gu))
		ret = -EPERM;
	else if (cmd == VHOST_SET_MEM_TABLE)
		ret = vt_door_set_mem_table(door->gu, argp);
	else
		ret = vt_ioctl_call(door_ioctls, ARRAY_SIZE(door_ioctls), door,
				    cmd, argp);
	mutex_unlock(&door->lock);
	return ret;
}

static const struct file_operations door_inode_fops = {
	.owner	= THIS_MODULE,
};

/*
 * All openers have the device node's: a poller that takes a mapping away would
 * wait for all VMMs that map something meanwhile.
 */
static struct inode *door_inode(void)
{
	struct file *file;
	struct inode *inode;

	file = anon_inode_create_getfile("[vhost-nvme]", &door_inode_fops, NULL,
					 O_RDWR, NULL);
	if (IS_ERR(file))
		return ERR_CAST(file);
	inode = igrab(file_inode(file));
	fput(file);
	return inode;
}

int vt_door_nvme_open(struct vt_type *type, struct file *file)
{
	struct nvme_door *door;

	door = kzalloc(sizeof(*door), GFP_KERNEL_ACCOUNT);
	if (!door)
		return -ENOMEM;
	door->inode = door_inode();
	if (IS_ERR(door->inode)) {
		int err = PTR_ERR(door->inode);

		kfree(door);
		return err;
	}
	mutex_init(&door->lock);
	door->type = type;
	door->cred = get_cred(file->f_cred);
	file->f_mapping = door->inode->i_mapping;
	file->private_data = door;
	return 0;
}

int vt_door_nvme_release(struct inode *inode, struct file *file)
{
	struct nvme_door *door = file->private_data;
	unsigned int i;

	if (door->n)
		vt_nvme_detach(door->n);
	for (i = 0; i < ARRAY_SIZE(door->irq); i++)
		door_put_irq(rcu_dereference_protected(door->irq[i], true));
	/* A work item of the memory may still ask the session to sync. */
	if (door->gu)
		vt_gmem_user_destroy(door->gu);
	if (door->n)
		vt_nvme_destroy(door->n);
	put_cred(door->cred);
	iput(door->inode);
	kfree(door);
	return 0;
}
