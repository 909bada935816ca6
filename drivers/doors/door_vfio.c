// SPDX-License-Identifier: GPL-2.0
/*
 * The VFIO door: an emulated PCI device with an NVMe controller for each
 * target that asks for one. VMMs attach by VFIO, without an IOMMU.
 *
 * A target is attached while its device is open. BAR0 has the controller's
 * registers, which trap, and the page of doorbells, which the VMM maps into
 * the guest: the fault handler inserts it, and the controller has it taken
 * away again (->zap) when its queues have been idle, so that the next write of
 * the guest faults and wakes them.
 *
 * Nothing is locked between the two. A fault that comes after the zap inserts
 * the page and then calls vt_nvme_doorbells_mapped(), which wakes the queues;
 * one that came before is undone by the zap, after which the controller looks
 * at the page.
 *
 * Locks: vfio_device_set's lock > d->lock > all of the controller's.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/pci_regs.h>

#include <vhost_target/nvme.h>
#include <vhost_target/target.h>

#include "../compat/vfio.h"
#include "door_vfio.h"
#include "gmem_vfio.h"
#include "vfio_irq.h"
#include "vfio_pci_config.h"

/* A region's number is in the upper bits of the offset in the device file. */
#define REGION_SHIFT	40
#define REGION_OFFSET(index)	((u64)(index) << REGION_SHIFT)

/**
 * struct door_vfio - a VFIO device
 * @vdev: the core's part; first, as VFIO wants it
 * @t: target
 * @n: controller, while the device is open
 * @mm: address space that has mapped the doorbells; set once while it is open
 * @mmaps: how often
 * @mem: guest memory
 * @user: how @mem reaches the controller
 * @lock: configuration space, interrupts' set-up, reset
 * @config: configuration space
 * @irqs: interrupts
 */
struct door_vfio {
	struct vfio_device vdev;
	struct vt_target *t;
	struct vt_nvme *n;
	struct mm_struct *mm;
	atomic_t mmaps;
	struct vt_gmem_vfio mem;
	struct vt_gmem_vfio_user user;
	struct mutex lock;	/* see above */
	struct vt_pci_config config;
	struct vt_irqs irqs;
};

static struct door_vfio *to_door(struct vfio_device *vdev)
{
	return container_of(vdev, struct door_vfio, vdev);
}

/* What the controller tells us. */

static void vd_raise(void *priv, unsigned int vector)
{
	struct door_vfio *d = priv;

	vt_irqs_raise(&d->irqs, vector);
}

static bool vd_zap(void *priv)
{
	struct door_vfio *d = priv;

	return vt_nvme_zap(d->mm, d->vdev.inode->i_mapping,
			   REGION_OFFSET(VFIO_PCI_BAR0_REGION_INDEX) +
			   VT_NVME_DOORBELLS);
}

static const struct vt_nvme_door_ops vd_nvme_ops = {
	.raise	= vd_raise,
	.zap	= vd_zap,
};

/* What its memory needs of it. */

static void vd_mem_sync(void *arg)
{
	struct door_vfio *d = arg;

	vt_nvme_sync_memory(d->n);
}

/* Life. */

static int vd_attach(struct door_vfio *d)
{
	int err;

	if (!vt_target_may_attach(d->t, current_cred()))
		return -EACCES;
	d->n = vt_nvme_create(d->t, &d->mem.gm, &vd_nvme_ops, d);
	if (IS_ERR(d->n))
		return PTR_ERR(d->n);
	err = vt_nvme_attach(d->n, current_cred());
	if (err)
		vt_nvme_destroy(d->n);
	return err;
}

static int vd_open(struct vfio_device *vdev)
{
	struct door_vfio *d = to_door(vdev);
	int err = vd_attach(d);

	if (err) {
		d->n = NULL;
		return err;
	}
	vt_pci_config_reset(&d->config);
	vt_irqs_open(&d->irqs, d->n);
	vt_gmem_vfio_open(&d->mem, &d->user);
	return 0;
}

static void vd_close(struct vfio_device *vdev)
{
	struct door_vfio *d = to_door(vdev);

	vt_nvme_detach(d->n);
	vt_irqs_close(&d->irqs);
	vt_gmem_vfio_close(&d->mem);
	vt_nvme_destroy(d->n);
	d->n = NULL;
	if (d->mm)
		mmdrop(d->mm);
	d->mm = NULL;
}

/* A function's reset leaves it without power state, memory and interrupts. */
static void vd_reset(struct door_vfio *d)
{
	lockdep_assert_held(&d->lock);

	vt_nvme_reset(d->n);
	vt_pci_config_reset(&d->config);
	vt_irqs_reset(&d->irqs);
	vt_gmem_vfio_set_master(&d->mem, false);
}

/* Regions. */

static u64 region_size(unsigned int index)
{
	switch (index) {
	case VFIO_PCI_BAR0_REGION_INDEX:
		return VT_NVME_BAR_SIZE;
	case VFIO_PCI_BAR0_REGION_INDEX + VT_PCI_MSIX_BAR:
		return VT_PCI_MSIX_BAR_SIZE;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return VT_PCI_CONFIG_SIZE;
	default:
		return 0;
	}
}

static void config_write(struct door_vfio *d, u32 off, unsigned int size,
			 u64 val)
{
	__le64 buf = cpu_to_le64(val);
	u32 did;

	mutex_lock(&d->lock);
	did = vt_pci_config_write(&d->config, off, &buf, size);
	if (did & VT_PCI_FLR)
		vd_reset(d);
	if (did & VT_PCI_CHANGED_POWER)
		vt_gmem_vfio_set_master(&d->mem, vt_pci_master(&d->config));
	if (did & VT_PCI_CHANGED_INTX)
		vt_irqs_disable_pin(&d->irqs, vt_pci_intx_disabled(&d->config));
	if (did & VT_PCI_CHANGED_MSIX)
		vt_irqs_mask_all(&d->irqs, vt_pci_msix_masked(&d->config));
	mutex_unlock(&d->lock);
}

static u64 config_read(struct door_vfio *d, u32 off, unsigned int size)
{
	/* Waits for what the controller is doing: only for who asks. */
	bool intx = off <= PCI_STATUS && off + size > PCI_STATUS &&
		    vt_irqs_pin_level(&d->irqs);
	__le64 buf = 0;

	mutex_lock(&d->lock);
	vt_pci_config_read(&d->config, off, &buf, size, intx);
	mutex_unlock(&d->lock);
	return le64_to_cpu(buf);
}

static void msix_access(struct door_vfio *d, u32 off, unsigned int size,
			u64 *val, bool write)
{
	mutex_lock(&d->lock);
	if (write)
		vt_irqs_bar_write(&d->irqs, off, size, *val);
	else
		*val = vt_irqs_bar_read(&d->irqs, off, size);
	mutex_unlock(&d->lock);
}

/* The controller's own locks are enough: the doorbells come this way. */
static void nvme_access(struct door_vfio *d, u32 off, unsigned int size,
			u64 *val, bool write)
{
	if (write)
		vt_nvme_write(d->n, off, size, *val);
	else
		*val = vt_nvme_read(d->n, off, size);
}

static int region_access(struct door_vfio *d, unsigned int index, u32 off,
			 unsigned int size, u64 *val, bool write)
{
	if (index == VFIO_PCI_CONFIG_REGION_INDEX) {
		if (write)
			config_write(d, off, size, *val);
		else
			*val = config_read(d, off, size);
		return 0;
	}
	/* Whoever switches it off meanwhile finds it done or not. */
	if (!data_race(vt_pci_memory(&d->config)))
		return -EIO;
	if (index == VFIO_PCI_BAR0_REGION_INDEX)
		nvme_access(d, off, size, val, write);
	else
		msix_access(d, off, size, val, write);
	return 0;
}

/* The largest piece of 1, 2, 4 or 8 bytes that is aligned. */
static unsigned int piece_size(u32 off, size_t count)
{
	unsigned int size = 8;

	while (size > count || (off & (size - 1)))
		size /= 2;
	return size;
}

static int access_piece(struct door_vfio *d, unsigned int index, u32 off,
			unsigned int size, void __user *buf, bool write)
{
	__le64 le = 0;
	u64 val = 0;
	int err;

	if (write) {
		if (copy_from_user(&le, buf, size))
			return -EFAULT;
		val = le64_to_cpu(le);
	}
	err = region_access(d, index, off, size, &val, write);
	if (err || write)
		return err;
	le = cpu_to_le64(val);
	return copy_to_user(buf, &le, size) ? -EFAULT : 0;
}

static ssize_t vd_access(struct door_vfio *d, char __user *buf, size_t count,
			 loff_t *ppos, bool write)
{
	unsigned int index = (u64)*ppos >> REGION_SHIFT;
	u64 off = *ppos & (BIT_ULL(REGION_SHIFT) - 1);
	size_t done = 0;
	int err;

	if (index >= VFIO_PCI_NUM_REGIONS || off >= region_size(index))
		return -EINVAL;
	count = min_t(u64, count, region_size(index) - off);
	while (done < count) {
		unsigned int size = piece_size(off + done, count - done);

		err = access_piece(d, index, off + done, size, buf + done,
				   write);
		if (err)
			return done ? done : err;
		done += size;
		*ppos += size;
	}
	return done;
}

static ssize_t vd_read(struct vfio_device *vdev, char __user *buf,
		       size_t count, loff_t *ppos)
{
	return vd_access(to_door(vdev), buf, count, ppos, false);
}

static ssize_t vd_write(struct vfio_device *vdev, const char __user *buf,
			size_t count, loff_t *ppos)
{
	return vd_access(to_door(vdev), (char __user *)buf, count, ppos, true);
}

/* The doorbell page. */

static vm_fault_t vd_fault(struct vm_fault *vmf)
{
	struct door_vfio *d = vmf->vma->vm_private_data;
	vm_fault_t ret;

	ret = vmf_insert_pfn(vmf->vma, vmf->address,
			     page_to_pfn(vt_nvme_doorbell_page(d->n)));
	/* A fault for reading inserts a page that can be written, too. */
	if (ret == VM_FAULT_NOPAGE)
		vt_nvme_doorbells_mapped(d->n);
	return ret;
}

/* It is moved: the old one goes after that. */
static void vd_vm_open(struct vm_area_struct *vma)
{
	struct door_vfio *d = vma->vm_private_data;

	atomic_inc(&d->mmaps);
}

static void vd_vm_close(struct vm_area_struct *vma)
{
	struct door_vfio *d = vma->vm_private_data;

	atomic_dec(&d->mmaps);
}

static const struct vm_operations_struct vd_vm_ops = {
	.open	= vd_vm_open,
	.close	= vd_vm_close,
	.fault	= vd_fault,
};

/*
 * One address space has mappings, the one whose KVM may be using them. Not
 * under d->lock: the mmap_lock is held.
 */
static int vd_set_mm(struct door_vfio *d, struct mm_struct *mm)
{
	struct mm_struct *old;

	mmgrab(mm);
	old = cmpxchg(&d->mm, NULL, mm);
	if (old)
		mmdrop(mm);
	return old && old != mm ? -EBUSY : 0;
}

static int vd_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	u64 start = (u64)vma->vm_pgoff << PAGE_SHIFT;
	struct door_vfio *d = to_door(vdev);
	int err;

	if (start != REGION_OFFSET(VFIO_PCI_BAR0_REGION_INDEX) +
		     VT_NVME_DOORBELLS ||
	    vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	err = vd_set_mm(d, vma->vm_mm);
	if (err)
		return err;
	if (atomic_inc_return(&d->mmaps) > VT_NVME_MAX_MMAPS) {
		atomic_dec(&d->mmaps);
		return -ENOSPC;
	}
	vm_flags_mod(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP |
			  VM_DONTCOPY, VM_MAYEXEC);
	vma->vm_private_data = d;
	vma->vm_ops = &vd_vm_ops;
	return 0;
}

/* Calls. */

static int add_sparse_area(struct vfio_info_cap *caps)
{
	struct vfio_region_info_cap_sparse_mmap *sparse;
	size_t size = struct_size(sparse, areas, 1);
	int err;

	sparse = kzalloc(size, GFP_KERNEL);
	if (!sparse)
		return -ENOMEM;
	sparse->header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
	sparse->header.version = 1;
	sparse->nr_areas = 1;
	sparse->areas[0].offset = VT_NVME_DOORBELLS;
	sparse->areas[0].size = PAGE_SIZE;
	err = vfio_info_add_capability(caps, &sparse->header, size);
	kfree(sparse);
	return err;
}

static int vd_region_info(struct vfio_device *vdev,
			  struct vfio_region_info *info,
			  struct vfio_info_cap *caps)
{
	if (info->index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info->offset = REGION_OFFSET(info->index);
	info->size = region_size(info->index);
	info->flags = info->size ? VFIO_REGION_INFO_FLAG_READ |
				   VFIO_REGION_INFO_FLAG_WRITE : 0;
	if (info->index != VFIO_PCI_BAR0_REGION_INDEX)
		return 0;
	info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	return add_sparse_area(caps);
}

static long vd_get_info(void __user *arg)
{
	size_t min = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info = {};
	u32 argsz;

	if (copy_from_user(&info, arg, min))
		return -EFAULT;
	argsz = info.argsz;
	if (argsz < min)
		return -EINVAL;
	info = (struct vfio_device_info) {
		.argsz		= argsz,
		.flags		= VFIO_DEVICE_FLAGS_PCI |
				  VFIO_DEVICE_FLAGS_RESET,
		.num_regions	= VFIO_PCI_NUM_REGIONS,
		.num_irqs	= VFIO_PCI_NUM_IRQS,
	};
	return copy_to_user(arg, &info, min_t(size_t, argsz, sizeof(info))) ?
	       -EFAULT : 0;
}

static long vd_get_irq_info(struct door_vfio *d, void __user *arg)
{
	struct vfio_irq_info info;
	int err;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info))
		return -EINVAL;
	err = vt_irqs_info(&d->irqs, &info);
	if (err)
		return err;
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long vd_set_irqs(struct door_vfio *d, void __user *arg)
{
	size_t min = offsetofend(struct vfio_irq_set, count), size = 0;
	struct vfio_irq_info info;
	struct vfio_irq_set hdr;
	void *data = NULL;
	int err;

	if (copy_from_user(&hdr, arg, min))
		return -EFAULT;
	info.index = hdr.index;
	err = vt_irqs_info(&d->irqs, &info);
	if (!err)
		err = vfio_set_irqs_validate_and_prepare(&hdr, info.count,
							 VFIO_PCI_NUM_IRQS,
							 &size);
	if (err)
		return err;
	if (size) {
		data = memdup_user(arg + min, size);
		if (IS_ERR(data))
			return PTR_ERR(data);
	}
	mutex_lock(&d->lock);
	err = vt_irqs_set(&d->irqs, &hdr, data);
	mutex_unlock(&d->lock);
	kfree(data);
	return err;
}

static long vd_ioctl(struct vfio_device *vdev, unsigned int cmd,
		     unsigned long arg)
{
	struct door_vfio *d = to_door(vdev);
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return vd_get_info(uarg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return vt_vfio_region_info(vdev, uarg, vd_region_info);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return vd_get_irq_info(d, uarg);
	case VFIO_DEVICE_SET_IRQS:
		return vd_set_irqs(d, uarg);
	case VFIO_DEVICE_RESET:
		mutex_lock(&d->lock);
		vd_reset(d);
		mutex_unlock(&d->lock);
		return 0;
	default:
		return -ENOTTY;
	}
}

/* Called again and again while somebody waits for the device. */
static void vd_request(struct vfio_device *vdev, unsigned int count)
{
	if (!vt_irqs_request(&to_door(vdev)->irqs) && !count)
		dev_notice(vdev->dev,
			   "wanted back, but its VMM does not listen\n");
}

static void vd_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	vt_gmem_vfio_unmap(&to_door(vdev)->mem, iova, length);
}

static int vd_init(struct vfio_device *vdev)
{
	struct door_vfio *d = to_door(vdev);

	mutex_init(&d->lock);
	d->user = (struct vt_gmem_vfio_user) {
		.sync	= vd_mem_sync,
		.arg	= d,
	};
	return vt_gmem_vfio_init(&d->mem, vdev);
}

static void vd_release(struct vfio_device *vdev)
{
	struct door_vfio *d = to_door(vdev);

	vt_irqs_exit(&d->irqs);
	vt_gmem_vfio_exit(&d->mem);
}

static const struct vfio_device_ops vd_ops = {
	.name		= "vhost-nvme",
	.init		= vd_init,
	.release	= vd_release,
	.bind_iommufd	= vfio_iommufd_emulated_bind,
	.unbind_iommufd	= vfio_iommufd_emulated_unbind,
	.attach_ioas	= vfio_iommufd_emulated_attach_ioas,
	.detach_ioas	= vfio_iommufd_emulated_detach_ioas,
	.open_device	= vd_open,
	.close_device	= vd_close,
	.read		= vd_read,
	.write		= vd_write,
	.ioctl		= vd_ioctl,
	VT_VFIO_REGION_OP(vd_region_info)
	.mmap		= vd_mmap,
	.request	= vd_request,
	.dma_unmap	= vd_dma_unmap,
};

static int vd_setup(struct door_vfio *d, struct vt_target *t)
{
	struct vt_pci_identity id = {
		.vendor		= VT_NVME_PCI_VENDOR,
		.device		= VT_NVME_PCI_DEVICE,
		.bar0_size	= VT_NVME_BAR_SIZE,
		.nr_vectors	= vt_nvme_vectors(t),
	};

	d->t = t;
	vt_pci_config_init(&d->config, &id);
	return vt_irqs_init(&d->irqs, id.nr_vectors);
}

struct door_vfio *door_vfio_create(struct device *parent, struct vt_target *t)
{
	struct door_vfio *d;
	int err;

	d = vfio_alloc_device(door_vfio, vdev, parent, &vd_ops);
	if (IS_ERR(d))
		return d;
	err = vd_setup(d, t);
	if (!err)
		err = vfio_register_emulated_iommu_dev(&d->vdev);
	if (err) {
		vfio_put_device(&d->vdev);
		return ERR_PTR(err);
	}
	return d;
}

void door_vfio_destroy(struct door_vfio *d)
{
	vfio_unregister_group_dev(&d->vdev);
	vfio_put_device(&d->vdev);
}
