// SPDX-License-Identifier: GPL-2.0
/*
 * For an L1 whose SVM is emulated. The emulator leaves the type and vector of
 * the guest's last exception in EXITINTINFO, without the bit that says that
 * they are valid. kvm_amd of 6.15 and later looks at the type alone when it is
 * to emulate an instruction, believes that an event was being delivered, and
 * ends the guest (KVM_INTERNAL_ERROR_DELIVERY_EV). So clear what is not valid
 * before it looks.
 */
#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <asm/svm.h>

/* The begin of kvm_amd's own structure, of which there is no header. */
struct lab_vcpu {
	struct kvm_vcpu vcpu;
	struct vmcb *vmcb;
};

static atomic_t cleared;

static int clear_stale(struct kprobe *probe, struct pt_regs *regs)
{
	struct lab_vcpu *svm = (struct lab_vcpu *)regs->di;
	struct vmcb *vmcb = svm->vmcb;

	if (!virt_addr_valid(vmcb) || !PAGE_ALIGNED(vmcb))
		return 0;
	if (!(vmcb->control.exit_int_info & SVM_EXITINTINFO_VALID) &&
	    vmcb->control.exit_int_info) {
		vmcb->control.exit_int_info = 0;
		atomic_inc(&cleared);
	}
	return 0;
}

static struct kprobe probe = {
	.symbol_name = "svm_check_emulate_instruction",
	.pre_handler = clear_stale,
};

static int cleared_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%d\n", atomic_read(&cleared));
}

static const struct kernel_param_ops cleared_ops = { .get = cleared_get };
module_param_cb(cleared, &cleared_ops, NULL, 0444);
MODULE_PARM_DESC(cleared, "how often something was cleared");

static int __init lab_svm_init(void)
{
	return register_kprobe(&probe);
}

static void __exit lab_svm_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(lab_svm_init);
module_exit(lab_svm_exit);
MODULE_DESCRIPTION("Emulated SVM: no stale EXITINTINFO");
MODULE_LICENSE("GPL");
