// SPDX-License-Identifier: GPL-2.0
/* vhost_scsi: virtio-scsi targets. */
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/virtio_ids.h>

#include <vhost_target/door_ioctl.h>

#include "scsi.h"

static unsigned int scsi_num_vqs(struct vt_target *t)
{
	return SCSI_CTL_QUEUES + t->num_queues;
}

static int scsi_parse(struct vt_vq *vq, const struct vt_chain *c,
		      struct vt_req *req)
{
	req->op_class = VHOST_TARGET_OP_OTHER;
	req->io.be = NULL;
	req->io.op = VT_OP_FLUSH;
	req->io.sector = 0;
	switch (vq->q.index) {
	case SCSI_VQ_CONTROL:
		return scsi_control_parse(vq, c, req);
	case SCSI_VQ_EVENT:
		return scsi_event_parse(vq, c, req);
	default:
		return scsi_cmd_parse(vq, c, req);
	}
}

static void scsi_execute(struct vt_req *req)
{
	if (req->q->index == SCSI_VQ_CONTROL)
		scsi_tmf_execute(req);
	else
		vt_cmd_punt(req, scsi_cmd_work);
}

static void scsi_complete(struct vt_req *req)
{
	switch (req->q->index) {
	case SCSI_VQ_CONTROL:
		scsi_control_complete(req);
		break;
	case SCSI_VQ_EVENT:
		scsi_event_complete(req);
		break;
	default:
		scsi_cmd_complete(req);
		break;
	}
	scsi_resp_free(&scsi_req(req)->resp);
}

static const struct vt_vdev_ops scsi_vdev_ops = {
	.device_id	= VIRTIO_ID_SCSI,
	.config_size	= sizeof(struct virtio_scsi_config),
	.req_priv	= sizeof(struct scsi_req),
	.features	= scsi_features,
	.num_vqs	= scsi_num_vqs,
	.attach		= scsi_attach,
	.detach		= scsi_detach,
	.power_on	= scsi_power_on,
	.unit_event	= scsi_unit_event,
	.get_config	= scsi_get_config,
	.set_config	= scsi_set_config,
	.get_events_missed = scsi_get_events_missed,
	.set_events_missed = scsi_set_events_missed,
	.parse		= scsi_parse,
	.execute	= scsi_execute,
	.complete	= scsi_complete,
	.abandon	= scsi_cmd_abandon,
};

static struct vt_type scsi_type = {
	.type		= VHOST_TARGET_SCSI,
	.name		= "scsi",
	.owner		= THIS_MODULE,
	.max_units	= SCSI_LUN_MAX + 1,
	.hot_units	= true,
	.zoned		= true,
	.ctl_queues	= SCSI_CTL_QUEUES,
	.endpoint_vqs	= SCSI_CTL_QUEUES + VHOST_TARGET_MAX_QUEUES,
	.vdev_ops	= &scsi_vdev_ops,
	.unit_init	= scsi_unit_init,
	.unit_exit	= scsi_unit_exit,
};

static int scsi_open(struct inode *inode, struct file *file)
{
	return vt_door_ioctl_open(&scsi_type, file);
}

static const struct file_operations scsi_fops = {
	.owner		= THIS_MODULE,
	.open		= scsi_open,
	.release	= vt_door_ioctl_release,
	.unlocked_ioctl	= vt_door_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice scsi_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "vhost-scsi",
	.fops	= &scsi_fops,
	.mode	= 0660,
};

static int __init vhost_scsi_init(void)
{
	int err;

	scsi_cmds_init();
	err = scsi_tmf_init();
	if (err)
		return err;
	err = vt_type_register(&scsi_type);
	if (err)
		goto exit_tmf;
	err = misc_register(&scsi_misc);
	if (err)
		goto unregister;
	return 0;
unregister:
	vt_type_unregister(&scsi_type);
exit_tmf:
	scsi_tmf_exit();
	return err;
}

static void __exit vhost_scsi_exit(void)
{
	misc_deregister(&scsi_misc);
	vt_type_unregister(&scsi_type);
	scsi_tmf_exit();
}

module_init(vhost_scsi_init);
module_exit(vhost_scsi_exit);

MODULE_DESCRIPTION("virtio-scsi targets for virtual machines");
MODULE_LICENSE("GPL");
MODULE_ALIAS("devname:vhost-scsi");
