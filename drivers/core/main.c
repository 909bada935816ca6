// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include <vhost_target/ioctl.h>
#include <vhost_target/poller.h>
#include <vhost_target/target.h>

#include "queue.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static int __init vhost_target_init(void)
{
	int err;

	err = vt_copies_init();
	if (err)
		return err;
	err = vt_pollers_init();
	if (err)
		goto copies;
	err = vt_ctl_init();
	if (err)
		goto pollers;
	return 0;
pollers:
	vt_pollers_exit();
copies:
	vt_copies_exit();
	return err;
}

static void __exit vhost_target_exit(void)
{
	vt_ctl_exit();
	vt_registry_exit();
	vt_pollers_exit();
	vt_copies_exit();
}

module_init(vhost_target_init);
module_exit(vhost_target_exit);

MODULE_DESCRIPTION("Core of the in-kernel storage targets for virtual machines");
MODULE_LICENSE("GPL");
