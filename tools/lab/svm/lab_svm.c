// SPDX-License-Identifier: GPL-2.0
/*
 * For an L1 whose SVM is emulated, and what the emulator does wrong.
 *
 * It leaves the type and vector of the guest's last exception in EXITINTINFO,
 * without the bit that says that they are valid. kvm_amd of 6.15 and later
 * looks at the type alone when it is to emulate an instruction, believes that
 * an event was being delivered, and ends the guest
 * (KVM_INTERNAL_ERROR_DELIVERY_EV). So what is not valid is cleared before it
 * looks.
 *
 * It dies when a guest writes to CR8 while an interrupt is pending. With the
 * parameter cr8 those writes are intercepted, whether KVM wants to know of
 * them or not. UEFI firmware makes many; Linux makes none.
 */
#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/version.h>
#include <asm/svm.h>

/* The begin of kvm_amd's own structure, of which there is no header. */
struct lab_vcpu {
	struct kvm_vcpu vcpu;
	struct vmcb *vmcb;
};

static unsigned int cleared;
module_param(cleared, uint, 0444);
MODULE_PARM_DESC(cleared, "how often something was not valid");

static struct vmcb *vmcb_of(unsigned long vcpu)
{
	struct vmcb *vmcb = ((struct lab_vcpu *)vcpu)->vmcb;

	return virt_addr_valid(vmcb) && PAGE_ALIGNED(vmcb) ? vmcb : NULL;
}

static int clear_stale(struct kprobe *probe, struct pt_regs *regs)
{
	struct vmcb *vmcb = vmcb_of(regs->di);

	if (vmcb && vmcb->control.exit_int_info &&
	    !(vmcb->control.exit_int_info & SVM_EXITINTINFO_VALID)) {
		vmcb->control.exit_int_info = 0;
		cleared++;
	}
	return 0;
}

static struct kprobe stale = {
	.symbol_name = "svm_check_emulate_instruction",
	.pre_handler = clear_stale,
};

static int keep_vcpu(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	*(unsigned long *)ri->data = regs->di;
	return 0;
}

static int intercept_cr8(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct vmcb *vmcb = vmcb_of(*(unsigned long *)ri->data);

	if (vmcb)
		__set_bit(INTERCEPT_CR8_WRITE,
			  (unsigned long *)vmcb->control.intercepts);
	return 0;
}

static struct kretprobe cr8 = {
	.kp.symbol_name = "svm_update_cr8_intercept",
	.entry_handler = keep_vcpu,
	.handler = intercept_cr8,
	.data_size = sizeof(unsigned long),
};

static bool cr8_on;

static int cr8_set(const char *text, const struct kernel_param *param)
{
	int err;

	if (cr8_on)
		return 0;
	err = register_kretprobe(&cr8);
	cr8_on = !err;
	return err;
}

static const struct kernel_param_ops cr8_ops = {
	.set = cr8_set,
	.get = param_get_bool,
};

module_param_cb(cr8, &cr8_ops, &cr8_on, 0644);
MODULE_PARM_DESC(cr8, "intercept all writes to CR8 from now on");

static int __init lab_svm_init(void)
{
	if (LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0))
		return 0;
	return register_kprobe(&stale);
}

static void __exit lab_svm_exit(void)
{
	if (cr8_on)
		unregister_kretprobe(&cr8);
	if (stale.addr)
		unregister_kprobe(&stale);
}

module_init(lab_svm_init);
module_exit(lab_svm_exit);
MODULE_DESCRIPTION("What an emulated SVM does wrong");
MODULE_LICENSE("GPL");
