// SPDX-License-Identifier: GPL-2.0
/*
 * PERSISTENT RESERVE IN and OUT (SPC-5, 6.15 and 6.16): CDBs, parameter lists
 * and data of what <vhost_target/resv.h> does.
 */
#include "cmd.h"
#include "pr.h"

/* Additional sense codes that only reservations have. */
#define ASC_BAD_RELEASE		0x2604
#define ASC_NO_RESOURCES	0x5503
#define ASC_NO_REGISTRATIONS	0x5504

/* Parameter list, but for REGISTER AND MOVE: 6.16.3. */
#define PR_LIST_LEN	24
#define PR_FLAGS	20
#define PR_SPEC_I_PT	BIT(3)
#define PR_ALL_TG_PT	BIT(2)
#define PR_APTPL	BIT(0)
#define PR_FLAGS_ALL	(PR_SPEC_I_PT | PR_ALL_TG_PT | PR_APTPL)

/* Parameter list of REGISTER AND MOVE: 6.16.4. */
#define PR_MOVE_FLAGS	17
#define PR_UNREG	BIT(1)
#define PR_MOVE_PORT	18
#define PR_MOVE_ID_LEN	20
#define PR_MOVE_ID	24

/* TransportIDs: 7.6.4. */
#define TRANSPORT_ID_LEN	24
#define PROTO_SAS		0x06
#define PROTO_NONE		0x0f

/* Reservation types: 6.15.3.4. */
static const u8 pr_types[] = {
	[VT_RESV_NONE]		= 0,
	[VT_RESV_WRITE_EX]	= 1,
	[VT_RESV_EX_ACCESS]	= 3,
	[VT_RESV_WRITE_EX_REG]	= 5,
	[VT_RESV_EX_ACCESS_REG]	= 6,
	[VT_RESV_WRITE_EX_ALL]	= 7,
	[VT_RESV_EX_ACCESS_ALL]	= 8,
};

/* Of a CDB's scope and type; VT_RESV_NONE: there is no such. */
static u8 pr_type(u8 scope_type)
{
	unsigned int i;

	for (i = VT_RESV_WRITE_EX; i < ARRAY_SIZE(pr_types); i++)
		if (pr_types[i] == scope_type)
			return i;
	return VT_RESV_NONE;
}

static u32 pr_alloc_len(const struct scsi_task *task)
{
	return get_unaligned_be16(task->cdb + 7);
}

/* PRGENERATION and ADDITIONAL LENGTH, which all the data but one begin with. */
static void pr_put_header(struct scsi_task *task,
			  const struct vt_resv_state *s, u32 len)
{
	u8 head[8];

	put_unaligned_be32(s->generation, head);
	put_unaligned_be32(len, head + 4);
	scsi_put(task, pr_alloc_len(task), head, sizeof(head));
}

static void pr_read_keys(struct scsi_task *task, const struct vt_resv_state *s)
{
	unsigned int i;
	u8 key[8];

	pr_put_header(task, s, 8 * s->nr);
	for (i = 0; i < s->nr; i++) {
		put_unaligned_be64(s->reg[i].key, key);
		scsi_put_at(task, pr_alloc_len(task), 8 + 8 * i, key,
			    sizeof(key));
	}
}

static void pr_read_reservation(struct scsi_task *task,
				const struct vt_resv_state *s)
{
	u8 desc[16] = {};

	pr_put_header(task, s, s->type == VT_RESV_NONE ? 0 : sizeof(desc));
	if (s->type == VT_RESV_NONE)
		return;
	/* Where all registrants hold it, none of their keys is the key. */
	if (s->holder != VT_RESV_NOBODY)
		put_unaligned_be64(s->reg[s->holder].key, desc);
	desc[13] = pr_types[s->type];
	scsi_put_at(task, pr_alloc_len(task), 8, desc, sizeof(desc));
}

static void pr_report_capabilities(struct scsi_task *task,
				   const struct vt_resv_state *s)
{
	u8 cap[8] = { 0, sizeof(cap) };

	cap[2] = vt_resv_can_save(scsi_task_lu(task)->resv);
	/* The type mask is valid; TEST UNIT READY is always allowed. */
	cap[3] = 0x80 | 1 << 4 | s->ptpl;
	cap[4] = 0xea;
	cap[5] = 0x01;
	scsi_put(task, pr_alloc_len(task), cap, sizeof(cap));
}

/* An NVMe host on the same backend has no TransportID: its identifier. */
static void pr_transport_id(const struct vt_resv_id *id, u8 *buf)
{
	if (id->proto == VT_RESV_SCSI) {
		memcpy(buf, id->bytes, TRANSPORT_ID_LEN);
		return;
	}
	memset(buf, 0, TRANSPORT_ID_LEN);
	buf[0] = PROTO_NONE;
	memcpy(buf + 4, id->bytes, 16);
}

static void pr_read_full_status(struct scsi_task *task,
				const struct vt_resv_state *s)
{
	u8 desc[24 + TRANSPORT_ID_LEN];
	unsigned int i;

	pr_put_header(task, s, s->nr * sizeof(desc));
	for (i = 0; i < s->nr; i++) {
		const struct vt_resv_reg *reg = &s->reg[i];

		memset(desc, 0, sizeof(desc));
		put_unaligned_be64(reg->key, desc);
		if (vt_resv_holds(s, i)) {
			desc[12] = 1;
			desc[13] = pr_types[s->type];
		}
		put_unaligned_be16(reg->id.port, desc + 18);
		put_unaligned_be32(TRANSPORT_ID_LEN, desc + 20);
		pr_transport_id(&reg->id, desc + 24);
		scsi_put_at(task, pr_alloc_len(task), 8 + i * sizeof(desc),
			    desc, sizeof(desc));
	}
}

static void (*const pr_in[])(struct scsi_task *task,
			     const struct vt_resv_state *s) = {
	[SCSI_PR_READ_KEYS]		= pr_read_keys,
	[SCSI_PR_READ_RESERVATION]	= pr_read_reservation,
	[SCSI_PR_REPORT_CAPABILITIES]	= pr_report_capabilities,
	[SCSI_PR_READ_FULL_STATUS]	= pr_read_full_status,
};

static bool pr_supported(struct scsi_task *task)
{
	if (scsi_task_lu(task)->resv)
		return true;
	scsi_check(task, SCSI_ILLEGAL_REQUEST, SCSI_ASC_BAD_OPCODE);
	return false;
}

void scsi_pr_in(struct scsi_task *task)
{
	struct vt_resv *r = scsi_task_lu(task)->resv;
	u8 sa = task->cdb[1] & 0x1f;

	if (!pr_supported(task))
		return;
	if (sa >= ARRAY_SIZE(pr_in)) {
		scsi_bad_cdb(task, 1, 4);
		return;
	}
	pr_in[sa](task, vt_resv_read(r));
	vt_resv_read_end(r);
}

/*
 * PERSISTENT RESERVE OUT. The functions below that return bool return false
 * when they have ended the task.
 */

static bool pr_bad_length(struct scsi_task *task)
{
	scsi_check(task, SCSI_ILLEGAL_REQUEST, SCSI_ASC_PARAM_LIST_LENGTH);
	return false;
}

static bool pr_get_ptpl(struct scsi_task *task, struct vt_resv_args *a,
			u8 flags, u16 byte)
{
	a->ptpl = flags & PR_APTPL ? VT_RESV_PTPL_ON : VT_RESV_PTPL_OFF;
	if (a->ptpl == VT_RESV_PTPL_ON &&
	    !vt_resv_can_save(scsi_task_lu(task)->resv)) {
		scsi_bad_param(task, byte, 0);
		return false;
	}
	return true;
}

/* As REPORT CAPABILITIES says, neither SPEC_I_PT nor ALL_TG_PT are known. */
static bool pr_get_flags(struct scsi_task *task, struct vt_resv_args *a,
			 u8 flags)
{
	if (flags & (PR_SPEC_I_PT | PR_ALL_TG_PT)) {
		scsi_bad_param(task, PR_FLAGS, flags & PR_SPEC_I_PT ? 3 : 2);
		return false;
	}
	return pr_get_ptpl(task, a, flags, PR_FLAGS);
}

static bool pr_registers(const struct vt_resv_args *a)
{
	return a->op == VT_RESV_OP_REGISTER ||
	       a->op == VT_RESV_OP_REGISTER_IGNORE;
}

static bool pr_get_list(struct scsi_task *task, struct vt_resv_args *a, u32 len)
{
	u8 list[PR_LIST_LEN];

	if (len < PR_LIST_LEN)
		return pr_bad_length(task);
	if (!scsi_get(task, 0, list, sizeof(list)))
		return false;
	if (list[PR_FLAGS] & ~PR_FLAGS_ALL || list[PR_FLAGS + 1]) {
		scsi_bad_param(task, list[PR_FLAGS] & ~PR_FLAGS_ALL ?
			       PR_FLAGS : PR_FLAGS + 1, SCSI_NO_BIT);
		return false;
	}
	a->key = get_unaligned_be64(list);
	a->new_key = get_unaligned_be64(list + 8);
	/* Other service actions ignore the flags. */
	if (pr_registers(a) && !pr_get_flags(task, a, list[PR_FLAGS]))
		return false;
	return len == PR_LIST_LEN || pr_bad_length(task);
}

/* A port that leads to what the logical unit stands on, as far as is known. */
static bool pr_port_known(struct scsi_task *task, u16 port)
{
	struct vt_resv *r = scsi_task_lu(task)->resv;
	const struct vt_resv_state *s = vt_resv_read(r);
	struct vt_resv_nexus *n;
	bool known = false;
	unsigned int i;

	list_for_each_entry(n, &r->nexuses, node)
		known |= n->id.proto == VT_RESV_SCSI && n->id.port == port;
	for (i = 0; i < s->nr; i++)
		known |= s->reg[i].id.proto == VT_RESV_SCSI &&
			 s->reg[i].id.port == port;
	vt_resv_read_end(r);
	return known;
}

/* The one format all our initiators have: a SAS address and zeroes. */
static bool pr_transport_id_ok(const u8 *id)
{
	return id[0] == PROTO_SAS && !memchr_inv(id + 1, 0, 3) &&
	       !memchr_inv(id + 12, 0, TRANSPORT_ID_LEN - 12);
}

static bool pr_get_dest(struct scsi_task *task, struct vt_resv_args *a,
			const u8 *list)
{
	a->dest.proto = VT_RESV_SCSI;
	a->dest.len = TRANSPORT_ID_LEN;
	a->dest.port = get_unaligned_be16(list + PR_MOVE_PORT);
	memcpy(a->dest.bytes, list + PR_MOVE_ID, TRANSPORT_ID_LEN);
	if (!pr_port_known(task, a->dest.port)) {
		scsi_bad_param(task, PR_MOVE_PORT, SCSI_NO_BIT);
		return false;
	}
	if (!pr_transport_id_ok(a->dest.bytes)) {
		scsi_bad_param(task, PR_MOVE_ID, SCSI_NO_BIT);
		return false;
	}
	return true;
}

static bool pr_get_move(struct scsi_task *task, struct vt_resv_args *a, u32 len)
{
	u8 list[PR_MOVE_ID + TRANSPORT_ID_LEN];
	u8 flags;
	u32 id_len;

	if (len < PR_MOVE_ID)
		return pr_bad_length(task);
	if (!scsi_get(task, 0, list, PR_MOVE_ID))
		return false;
	id_len = get_unaligned_be32(list + PR_MOVE_ID_LEN);
	if (id_len > len - PR_MOVE_ID)
		return pr_bad_length(task);
	if (id_len != TRANSPORT_ID_LEN) {
		scsi_bad_param(task, PR_MOVE_ID_LEN, SCSI_NO_BIT);
		return false;
	}
	if (!scsi_get(task, PR_MOVE_ID, list + PR_MOVE_ID, TRANSPORT_ID_LEN))
		return false;

	flags = list[PR_MOVE_FLAGS];
	if (list[PR_MOVE_FLAGS - 1] || flags & ~(PR_UNREG | PR_APTPL)) {
		scsi_bad_param(task, list[PR_MOVE_FLAGS - 1] ?
			       PR_MOVE_FLAGS - 1 : PR_MOVE_FLAGS, SCSI_NO_BIT);
		return false;
	}
	a->key = get_unaligned_be64(list);
	a->new_key = get_unaligned_be64(list + 8);
	a->unreg = flags & PR_UNREG;
	return pr_get_ptpl(task, a, flags, PR_MOVE_FLAGS) &&
	       pr_get_dest(task, a, list);
}

/* The core only says that a field is wrong; what can be, by operation. */
static void pr_bad_command(struct scsi_task *task, const struct vt_resv_args *a)
{
	if (a->op == VT_RESV_OP_MOVE)
		scsi_bad_cdb(task, 1, 4);
	else
		scsi_bad_cdb(task, 2, task->cdb[2] & 0xf0 ? 7 : 3);
}

static void pr_bad_param(struct scsi_task *task, const struct vt_resv_args *a)
{
	scsi_bad_param(task, a->new_key ? PR_MOVE_ID : 8, SCSI_NO_BIT);
}

static void pr_end(struct scsi_task *task, const struct vt_resv_args *a,
		   enum vt_resv_result res)
{
	switch (res) {
	case VT_RESV_OK:
		break;
	case VT_RESV_CONFLICT:
		task->status = SCSI_RESERVATION_CONFLICT;
		break;
	case VT_RESV_BAD_COMMAND:
		pr_bad_command(task, a);
		break;
	case VT_RESV_BAD_PARAM:
		pr_bad_param(task, a);
		break;
	case VT_RESV_BAD_RELEASE:
		scsi_check(task, SCSI_ILLEGAL_REQUEST, ASC_BAD_RELEASE);
		break;
	case VT_RESV_FULL:
		scsi_check(task, SCSI_ILLEGAL_REQUEST, ASC_NO_REGISTRATIONS);
		break;
	case VT_RESV_NO_RESOURCES:
		scsi_check(task, SCSI_ILLEGAL_REQUEST, ASC_NO_RESOURCES);
		break;
	}
}

static const u8 pr_out_ops[] = {
	[SCSI_PR_REGISTER]		= VT_RESV_OP_REGISTER,
	[SCSI_PR_RESERVE]		= VT_RESV_OP_RESERVE,
	[SCSI_PR_RELEASE]		= VT_RESV_OP_RELEASE,
	[SCSI_PR_CLEAR]			= VT_RESV_OP_CLEAR,
	[SCSI_PR_PREEMPT]		= VT_RESV_OP_PREEMPT,
	[SCSI_PR_PREEMPT_ABORT]		= VT_RESV_OP_PREEMPT_ABORT,
	[SCSI_PR_REGISTER_IGNORE]	= VT_RESV_OP_REGISTER_IGNORE,
	[SCSI_PR_MOVE]			= VT_RESV_OP_MOVE,
};

void scsi_pr_out(struct scsi_task *task)
{
	u32 len = get_unaligned_be32(task->cdb + 5);
	u8 sa = task->cdb[1] & 0x1f;
	struct vt_resv_args a = {};
	bool ok;

	if (!pr_supported(task))
		return;
	if (sa >= ARRAY_SIZE(pr_out_ops)) {
		scsi_bad_cdb(task, 1, 4);
		return;
	}
	a.op = pr_out_ops[sa];
	a.type = pr_type(task->cdb[2]);
	if (a.op == VT_RESV_OP_MOVE)
		ok = pr_get_move(task, &a, len);
	else
		ok = pr_get_list(task, &a, len);
	if (ok)
		pr_end(task, &a, vt_resv_out(&task->itl->resv, &a));
}
