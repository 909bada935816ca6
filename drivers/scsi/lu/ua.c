// SPDX-License-Identifier: GPL-2.0
/*
 * Unit attentions (SAM-5): a bit for each condition and I_T_L nexus.
 * Whoever clears a bit is who reports the condition, so that commands of
 * several queues report it once, without a lock.
 */
#include "cmd.h"

static const u16 ua_asc[SCSI_UA_NR] = {
	[SCSI_UA_POWER_ON]		= 0x2901,
	[SCSI_UA_RESET]			= 0x2902,
	[SCSI_UA_LU_RESET]		= 0x2903,
	[SCSI_UA_NEXUS_LOSS]		= 0x2907,
	[SCSI_UA_COMMANDS_CLEARED]	= 0x2f00,
	[SCSI_UA_RESV_PREEMPTED]	= 0x2a03,
	[SCSI_UA_RESV_RELEASED]		= 0x2a04,
	[SCSI_UA_REG_PREEMPTED]		= 0x2a05,
	[SCSI_UA_MODE_CHANGED]		= 0x2a01,
	[SCSI_UA_CAPACITY_CHANGED]	= 0x2a09,
	[SCSI_UA_INQUIRY_CHANGED]	= 0x3f03,
	[SCSI_UA_LUNS_CHANGED]		= 0x3f0e,
};

void scsi_ua_raise(struct scsi_itl *itl, enum scsi_ua ua)
{
	atomic_or(BIT(ua), &itl->ua);
}

void scsi_ua_raise_all(struct scsi_lu *lu, struct scsi_itl *except,
		       enum scsi_ua ua)
{
	struct scsi_itl *itl;
	unsigned long flags;

	spin_lock_irqsave(&lu->lock, flags);
	list_for_each_entry(itl, &lu->itls, lu_node)
		if (itl != except)
			scsi_ua_raise(itl, ua);
	spin_unlock_irqrestore(&lu->lock, flags);
}

void scsi_ua_raise_nexus(struct scsi_nexus *nexus, struct scsi_itl *except,
			 enum scsi_ua ua)
{
	struct scsi_itl *itl;
	unsigned long flags;

	spin_lock_irqsave(&nexus->lock, flags);
	list_for_each_entry(itl, &nexus->itls, nexus_node)
		if (itl != except)
			scsi_ua_raise(itl, ua);
	spin_unlock_irqrestore(&nexus->lock, flags);
}

void scsi_ua_clear_nexus(struct scsi_nexus *nexus, enum scsi_ua ua)
{
	struct scsi_itl *itl;
	unsigned long flags;

	spin_lock_irqsave(&nexus->lock, flags);
	list_for_each_entry(itl, &nexus->itls, nexus_node)
		atomic_andnot(BIT(ua), &itl->ua);
	spin_unlock_irqrestore(&nexus->lock, flags);
}

u16 scsi_ua_take(struct scsi_itl *itl)
{
	unsigned int ua;
	int pending;

	while ((pending = atomic_read(&itl->ua))) {
		ua = __ffs(pending);
		if (atomic_fetch_andnot(BIT(ua), &itl->ua) & BIT(ua))
			return ua_asc[ua];
	}
	return 0;
}
