/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the NVMe Base Specification 2.0 and the NVM Command Set Specification
 * 1.0 lay down. Of our own, because <linux/nvme.h> has the host's view and
 * changes from kernel to kernel.
 */
#ifndef _VT_NVME_SPEC_H
#define _VT_NVME_SPEC_H

#include <linux/build_bug.h>
#include <linux/types.h>

/* Controller registers. */
#define NV_REG_CAP	0x00
#define NV_REG_VS	0x08
#define NV_REG_INTMS	0x0c
#define NV_REG_INTMC	0x10
#define NV_REG_CC	0x14
#define NV_REG_CSTS	0x1c
#define NV_REG_NSSR	0x20
#define NV_REG_AQA	0x24
#define NV_REG_ASQ	0x28
#define NV_REG_ACQ	0x30
#define NV_REG_CRTO	0x68

#define NV_VERSION	0x00020000

#define NV_CAP_MQES(n)	((u64)(n))
#define NV_CAP_CQR	BIT_ULL(16)
#define NV_CAP_TO(n)	((u64)(n) << 24)	/* units of 500 ms */
#define NV_CAP_CSS_NVM	BIT_ULL(37)
#define NV_CAP_CRWMS	BIT_ULL(59)

#define NV_CC_EN	BIT(0)
#define NV_CC_CSS(cc)	(((cc) >> 4) & 7)
#define NV_CC_MPS(cc)	(((cc) >> 7) & 15)
#define NV_CC_AMS(cc)	(((cc) >> 11) & 7)
#define NV_CC_SHN(cc)	(((cc) >> 14) & 3)
#define NV_CC_IOSQES(cc)	(((cc) >> 16) & 15)
#define NV_CC_IOCQES(cc)	(((cc) >> 20) & 15)
#define NV_CC_WRITABLE	0x00fffff1u

#define NV_CSTS_RDY	BIT(0)
#define NV_CSTS_CFS	BIT(1)
#define NV_CSTS_SHST_BUSY	BIT(2)
#define NV_CSTS_SHST_DONE	BIT(3)
#define NV_CSTS_SHST	(NV_CSTS_SHST_BUSY | NV_CSTS_SHST_DONE)

#define NV_AQA_ASQS(aqa)	((aqa) & 0xfff)
#define NV_AQA_ACQS(aqa)	(((aqa) >> 16) & 0xfff)
#define NV_AQA_WRITABLE	0x0fff0fffu

#define NV_SQE_SHIFT	6
#define NV_CQE_SHIFT	4
#define NV_PAGE_SHIFT	12
#define NV_PAGE_SIZE	4096u

#define NV_NSID_ALL	0xffffffffu

/**
 * struct nv_sgl - SGL descriptor
 * @addr: guest address
 * @len: bytes
 * @rsvd: must be zero
 * @type: type in bits 7:4, subtype in bits 3:0
 */
struct nv_sgl {
	__le64 addr;
	__le32 len;
	u8 rsvd[3];
	u8 type;
};

static_assert(sizeof(struct nv_sgl) == 16);

#define NV_SGL_DATA	0x00
#define NV_SGL_BUCKET	0x10
#define NV_SGL_SEG	0x20
#define NV_SGL_LAST	0x30

/**
 * struct nv_sqe - submission queue entry
 * @opcode: of the command
 * @flags: fused operation in bits 1:0, PSDT in bits 7:6
 * @cid: command identifier, opaque
 * @nsid: namespace
 * @cdw2: command dword 2
 * @cdw3: command dword 3
 * @mptr: metadata pointer
 * @prp1: data pointer
 * @prp2: likewise
 * @sgl: data pointer, with PSDT not 0
 * @cdw10: command dwords from here on
 */
struct nv_sqe {
	u8 opcode;
	u8 flags;
	u16 cid;
	__le32 nsid;
	__le32 cdw2;
	__le32 cdw3;
	__le64 mptr;
	union {
		struct {
			__le64 prp1;
			__le64 prp2;
		};
		struct nv_sgl sgl;
	};
	__le32 cdw10;
	__le32 cdw11;
	__le32 cdw12;
	__le32 cdw13;
	__le32 cdw14;
	__le32 cdw15;
};

static_assert(sizeof(struct nv_sqe) == 1 << NV_SQE_SHIFT);

#define NV_FUSE(flags)	((flags) & 3)
#define NV_FUSE_FIRST	1
#define NV_FUSE_SECOND	2
#define NV_PSDT(flags)	((flags) >> 6)

/**
 * struct nv_cqe - completion queue entry
 * @dw0: command specific
 * @dw1: command specific
 * @sqhd: where the submission queue stands
 * @sqid: submission queue
 * @cid: command identifier
 * @status: phase tag in bit 0, status above
 */
struct nv_cqe {
	__le32 dw0;
	__le32 dw1;
	__le16 sqhd;
	__le16 sqid;
	u16 cid;
	__le16 status;
};

static_assert(sizeof(struct nv_cqe) == 1 << NV_CQE_SHIFT);

/* Admin commands. */
enum nv_admin_opcode {
	NV_ADM_DELETE_SQ	= 0x00,
	NV_ADM_CREATE_SQ	= 0x01,
	NV_ADM_GET_LOG		= 0x02,
	NV_ADM_DELETE_CQ	= 0x04,
	NV_ADM_CREATE_CQ	= 0x05,
	NV_ADM_IDENTIFY		= 0x06,
	NV_ADM_ABORT		= 0x08,
	NV_ADM_SET_FEATURES	= 0x09,
	NV_ADM_GET_FEATURES	= 0x0a,
	NV_ADM_ASYNC_EVENT	= 0x0c,
	NV_ADM_DBBUF		= 0x7c,
};

/* Commands of the NVM command set. */
enum nv_nvm_opcode {
	NV_CMD_FLUSH		= 0x00,
	NV_CMD_WRITE		= 0x01,
	NV_CMD_READ		= 0x02,
	NV_CMD_WRITE_UNC	= 0x04,
	NV_CMD_COMPARE		= 0x05,
	NV_CMD_WRITE_ZEROES	= 0x08,
	NV_CMD_DSM		= 0x09,
	NV_CMD_VERIFY		= 0x0c,
	NV_CMD_RESV_REGISTER	= 0x0d,
	NV_CMD_RESV_REPORT	= 0x0e,
	NV_CMD_RESV_ACQUIRE	= 0x11,
	NV_CMD_RESV_RELEASE	= 0x15,
	NV_CMD_COPY		= 0x19,
	NV_CMD_LAST		= NV_CMD_COPY,
};

/* Status: type in bits 10:8, code in bits 7:0, as in a CQE shifted down. */
enum nv_status {
	NV_SC_SUCCESS		= 0x000,
	NV_SC_OPCODE		= 0x001,
	NV_SC_FIELD		= 0x002,
	NV_SC_CID_CONFLICT	= 0x003,
	NV_SC_DATA_XFER		= 0x004,
	NV_SC_INTERNAL		= 0x006,
	NV_SC_ABORT_REQ		= 0x007,
	NV_SC_ABORT_SQ_DELETED	= 0x008,
	NV_SC_FUSED_FAIL	= 0x009,
	NV_SC_FUSED_MISSING	= 0x00a,
	NV_SC_NS		= 0x00b,
	NV_SC_SEQUENCE		= 0x00c,
	NV_SC_SGL_SEGMENT	= 0x00d,
	NV_SC_SGL_COUNT		= 0x00e,
	NV_SC_SGL_LENGTH	= 0x00f,
	NV_SC_SGL_TYPE		= 0x011,
	NV_SC_PRP_OFFSET	= 0x013,
	NV_SC_HOSTID_FORMAT	= 0x018,
	NV_SC_NS_WRITE_PROTECTED	= 0x020,
	NV_SC_LBA_RANGE		= 0x080,
	NV_SC_CAPACITY_EXCEEDED	= 0x081,
	NV_SC_NS_NOT_READY	= 0x082,
	NV_SC_RESV_CONFLICT	= 0x083,
	NV_SC_CQ		= 0x100,
	NV_SC_QID		= 0x101,
	NV_SC_QSIZE		= 0x102,
	NV_SC_ABORT_LIMIT	= 0x103,
	NV_SC_AER_LIMIT		= 0x105,
	NV_SC_VECTOR		= 0x108,
	NV_SC_LOG_PAGE		= 0x109,
	NV_SC_QUEUE_DELETION	= 0x10c,
	NV_SC_FEAT_NOT_SAVEABLE	= 0x10d,
	NV_SC_FEAT_NOT_CHANGEABLE	= 0x10e,
	NV_SC_FEAT_NOT_NS	= 0x10f,
	NV_SC_ATTRIBUTES	= 0x180,
	NV_SC_PROT_INFO		= 0x181,
	NV_SC_READ_ONLY		= 0x182,
	NV_SC_SIZE_LIMIT	= 0x183,
	NV_SC_WRITE_FAULT	= 0x280,
	NV_SC_READ_ERROR	= 0x281,
	NV_SC_GUARD		= 0x282,
	NV_SC_APP_TAG		= 0x283,
	NV_SC_REF_TAG		= 0x284,
	NV_SC_COMPARE		= 0x285,
	NV_SC_MASK		= 0x7ff,
	NV_SC_MORE		= 0x2000,
	NV_SC_DNR		= 0x4000,
};

/* Create I/O queue: dword 11. */
#define NV_Q_PC		BIT(0)
#define NV_CQ_IEN	BIT(1)

/* Identify: CNS values. */
enum nv_cns {
	NV_CNS_NS		= 0x00,
	NV_CNS_CTRL		= 0x01,
	NV_CNS_ACTIVE		= 0x02,
	NV_CNS_DESC		= 0x03,
	NV_CNS_CSI_NS		= 0x05,
	NV_CNS_CSI_CTRL		= 0x06,
	NV_CNS_CSI_ACTIVE	= 0x07,
	NV_CNS_INDEP_NS		= 0x08,
	NV_CNS_ALLOCATED	= 0x10,
	NV_CNS_ALLOCATED_NS	= 0x11,
	NV_CNS_NS_CTRLS		= 0x12,
	NV_CNS_CTRLS		= 0x13,
	NV_CNS_CSI_ALLOCATED	= 0x1a,
	NV_CNS_CSI_ALLOCATED_NS	= 0x1b,
	NV_CNS_CMD_SETS		= 0x1c,
};

#define NV_CSI_NVM	0

/**
 * struct nv_power - power state descriptor
 * @mp: maximum power, in units of 0.01 W
 * @rsvd2: zero
 */
struct nv_power {
	__le16 mp;
	u8 rsvd2[30];
};

static_assert(sizeof(struct nv_power) == 32);

/* Identify Controller. Members are named as in the specification. */
struct nv_id_ctrl {
	__le16 vid;
	__le16 ssvid;
	char sn[20];
	char mn[40];
	char fr[8];
	u8 rab;
	u8 ieee[3];
	u8 cmic;
	u8 mdts;
	__le16 cntlid;
	__le32 ver;
	__le32 rtd3r;
	__le32 rtd3e;
	__le32 oaes;
	__le32 ctratt;
	__le16 rrls;
	u8 rsvd102[9];
	u8 cntrltype;
	u8 fguid[16];
	__le16 crdt[3];
	u8 rsvd134[119];
	u8 nvmsr;
	u8 vwci;
	u8 mec;
	__le16 oacs;
	u8 acl;
	u8 aerl;
	u8 frmw;
	u8 lpa;
	u8 elpe;
	u8 npss;
	u8 avscc;
	u8 apsta;
	__le16 wctemp;
	__le16 cctemp;
	__le16 mtfa;
	__le32 hmpre;
	__le32 hmmin;
	u8 tnvmcap[16];
	u8 unvmcap[16];
	__le32 rpmbs;
	__le16 edstt;
	u8 dsto;
	u8 fwug;
	__le16 kas;
	__le16 hctma;
	__le16 mntmt;
	__le16 mxtmt;
	__le32 sanicap;
	__le32 hmminds;
	__le16 hmmaxd;
	__le16 nsetidmax;
	__le16 endgidmax;
	u8 anatt;
	u8 anacap;
	__le32 anagrpmax;
	__le32 nanagrpid;
	__le32 pels;
	__le16 domainid;
	u8 rsvd358[10];
	u8 megcap[16];
	u8 rsvd384[128];
	u8 sqes;
	u8 cqes;
	__le16 maxcmd;
	__le32 nn;
	__le16 oncs;
	__le16 fuses;
	u8 fna;
	u8 vwc;
	__le16 awun;
	__le16 awupf;
	u8 icsvscc;
	u8 nwpc;
	__le16 acwu;
	__le16 cdfs;
	__le32 sgls;
	__le32 mnan;
	u8 maxdna[16];
	__le32 maxcna;
	u8 rsvd564[204];
	char subnqn[256];
	u8 rsvd1024[1024];
	struct nv_power psd[32];
	u8 vs[1024];
};

static_assert(sizeof(struct nv_id_ctrl) == 4096);
static_assert(offsetof(struct nv_id_ctrl, mdts) == 77);
static_assert(offsetof(struct nv_id_ctrl, oaes) == 92);
static_assert(offsetof(struct nv_id_ctrl, cntrltype) == 111);
static_assert(offsetof(struct nv_id_ctrl, oacs) == 256);
static_assert(offsetof(struct nv_id_ctrl, wctemp) == 266);
static_assert(offsetof(struct nv_id_ctrl, tnvmcap) == 280);
static_assert(offsetof(struct nv_id_ctrl, kas) == 320);
static_assert(offsetof(struct nv_id_ctrl, anatt) == 342);
static_assert(offsetof(struct nv_id_ctrl, megcap) == 368);
static_assert(offsetof(struct nv_id_ctrl, sqes) == 512);
static_assert(offsetof(struct nv_id_ctrl, vwc) == 525);
static_assert(offsetof(struct nv_id_ctrl, sgls) == 536);
static_assert(offsetof(struct nv_id_ctrl, subnqn) == 768);
static_assert(offsetof(struct nv_id_ctrl, psd) == 2048);

#define NV_OAES_NS	BIT(8)
#define NV_OACS_DBBUF	BIT(8)
#define NV_FRMW_SLOT1_RO	(BIT(0) | 1 << 1)
#define NV_LPA_EFFECTS	BIT(1)
#define NV_LPA_EXTENDED	BIT(2)
#define NV_LPA_SUPPORTED	BIT(5)
#define NV_ONCS_COMPARE	BIT(0)
#define NV_ONCS_DSM	BIT(2)
#define NV_ONCS_ZEROES	BIT(3)
#define NV_ONCS_SAVE	BIT(4)
#define NV_ONCS_RESV	BIT(5)
#define NV_ONCS_TIMESTAMP	BIT(6)
#define NV_ONCS_VERIFY	BIT(7)
#define NV_ONCS_COPY	BIT(8)
#define NV_FUSES_COMPARE_WRITE	BIT(0)
#define NV_VWC_PRESENT	BIT(0)
#define NV_VWC_FLUSH_ALL	(3 << 1)
#define NV_SGLS_BYTES	1
#define NV_SGLS_BUCKET	BIT(16)
#define NV_SGLS_MPTR	BIT(17)	/* metadata at any byte */
#define NV_CTRATT_HOSTID128	BIT(0)

/* One LBA format. */
struct nv_lbaf {
	__le16 ms;
	u8 lbads;
	u8 rp;
};

/* Identify Namespace of the NVM command set. */
struct nv_id_ns {
	__le64 nsze;
	__le64 ncap;
	__le64 nuse;
	u8 nsfeat;
	u8 nlbaf;
	u8 flbas;
	u8 mc;
	u8 dpc;
	u8 dps;
	u8 nmic;
	u8 rescap;
	u8 fpi;
	u8 dlfeat;
	__le16 nawun;
	__le16 nawupf;
	__le16 nacwu;
	__le16 nabsn;
	__le16 nabo;
	__le16 nabspf;
	__le16 noiob;
	u8 nvmcap[16];
	__le16 npwg;
	__le16 npwa;
	__le16 npdg;
	__le16 npda;
	__le16 nows;
	__le16 mssrl;
	__le32 mcl;
	u8 msrc;
	u8 rsvd81[11];
	__le32 anagrpid;
	u8 rsvd96[3];
	u8 nsattr;
	__le16 nvmsetid;
	__le16 endgid;
	u8 nguid[16];
	u8 eui64[8];
	struct nv_lbaf lbaf[64];
	u8 vs[3712];
};

static_assert(sizeof(struct nv_id_ns) == 4096);
static_assert(offsetof(struct nv_id_ns, nmic) == 30);
static_assert(offsetof(struct nv_id_ns, nawun) == 34);
static_assert(offsetof(struct nv_id_ns, noiob) == 46);
static_assert(offsetof(struct nv_id_ns, npwg) == 64);
static_assert(offsetof(struct nv_id_ns, mssrl) == 74);
static_assert(offsetof(struct nv_id_ns, msrc) == 80);
static_assert(offsetof(struct nv_id_ns, nsattr) == 99);
static_assert(offsetof(struct nv_id_ns, nguid) == 104);
static_assert(offsetof(struct nv_id_ns, lbaf) == 128);

#define NV_NSFEAT_THIN	BIT(0)
#define NV_NSFEAT_ATOMIC	BIT(1)
#define NV_NSFEAT_OPT	BIT(4)
#define NV_MC_SEPARATE	BIT(1)
#define NV_DPC_TYPE(t)	BIT((t) - 1)
#define NV_DPC_LAST	BIT(4)	/* the metadata's last bytes, which are all */
#define NV_NMIC_SHARED	BIT(0)
#define NV_DLFEAT_ZEROES	1
#define NV_DLFEAT_WZ_DEAC	BIT(3)
#define NV_NSATTR_RO	BIT(0)

/* I/O Command Set Independent Identify Namespace. */
struct nv_id_ns_indep {
	u8 nsfeat;
	u8 nmic;
	u8 rescap;
	u8 fpi;
	__le32 anagrpid;
	u8 nsattr;
	u8 rsvd9;
	__le16 nvmsetid;
	__le16 endgid;
	u8 nstat;
	u8 rsvd15[4081];
};

static_assert(sizeof(struct nv_id_ns_indep) == 4096);

#define NV_NSTAT_READY	BIT(0)

/* I/O Command Set specific Identify Controller, NVM. */
struct nv_id_ctrl_nvm {
	u8 vsl;
	u8 wzsl;
	u8 wusl;
	u8 dmrl;
	__le32 dmrsl;
	__le64 dmsl;
	u8 rsvd16[4080];
};

static_assert(sizeof(struct nv_id_ctrl_nvm) == 4096);

/* Namespace identification descriptor. */
struct nv_ns_desc {
	u8 nidt;
	u8 nidl;
	u8 rsvd2[2];
	u8 nid[];
};

static_assert(sizeof(struct nv_ns_desc) == 4);

#define NV_NIDT_EUI64	1
#define NV_NIDT_NGUID	2
#define NV_NIDT_UUID	3
#define NV_NIDT_CSI	4

/* Features. */
enum nv_feature {
	NV_FEAT_ARBITRATION	= 0x01,
	NV_FEAT_POWER		= 0x02,
	NV_FEAT_TEMPERATURE	= 0x04,
	NV_FEAT_RECOVERY	= 0x05,
	NV_FEAT_VWC		= 0x06,
	NV_FEAT_QUEUES		= 0x07,
	NV_FEAT_COALESCE	= 0x08,
	NV_FEAT_VECTOR		= 0x09,
	NV_FEAT_ATOMICITY	= 0x0a,
	NV_FEAT_AEC		= 0x0b,
	NV_FEAT_TIMESTAMP	= 0x0e,
	NV_FEAT_HOST_ID		= 0x81,
	NV_FEAT_RESV_MASK	= 0x82,
	NV_FEAT_RESV_PERSIST	= 0x83,
};

#define NV_SEL_CURRENT	0
#define NV_SEL_DEFAULT	1
#define NV_SEL_SAVED	2
#define NV_SEL_CAPS	3

/* Log pages. */
enum nv_log {
	NV_LOG_SUPPORTED	= 0x00,
	NV_LOG_ERROR		= 0x01,
	NV_LOG_SMART		= 0x02,
	NV_LOG_FIRMWARE		= 0x03,
	NV_LOG_CHANGED_NS	= 0x04,
	NV_LOG_EFFECTS		= 0x05,
	NV_LOG_FEATURES		= 0x12,
	NV_LOG_MI		= 0x13,
	NV_LOG_RESV		= 0x80,
};

/* Entry of the Error Information log. */
struct nv_log_error {
	__le64 count;
	__le16 sqid;
	u16 cid;
	__le16 status;
	__le16 location;
	__le64 lba;
	__le32 nsid;
	u8 vs;
	u8 trtype;
	u8 rsvd30[2];
	__le64 cs;
	__le16 trinfo;
	u8 rsvd42[22];
};

static_assert(sizeof(struct nv_log_error) == 64);

/* SMART / Health Information log. */
struct nv_log_smart {
	u8 critical;
	u8 temperature[2];
	u8 spare;
	u8 spare_threshold;
	u8 used;
	u8 endurance;
	u8 rsvd7[25];
	__le64 units_read[2];
	__le64 units_written[2];
	__le64 reads[2];
	__le64 writes[2];
	__le64 busy_minutes[2];
	__le64 power_cycles[2];
	__le64 power_hours[2];
	__le64 unsafe_shutdowns[2];
	__le64 media_errors[2];
	__le64 error_entries[2];
	__le32 warning_time;
	__le32 critical_time;
	__le16 sensor[8];
	u8 rsvd216[296];
};

static_assert(sizeof(struct nv_log_smart) == 512);
static_assert(offsetof(struct nv_log_smart, units_read) == 32);
static_assert(offsetof(struct nv_log_smart, error_entries) == 176);
static_assert(offsetof(struct nv_log_smart, sensor) == 200);

#define NV_SMART_READ_ONLY	BIT(3)

/* Firmware Slot Information log. */
struct nv_log_firmware {
	u8 afi;
	u8 rsvd1[7];
	char frs[7][8];
	u8 rsvd64[448];
};

static_assert(sizeof(struct nv_log_firmware) == 512);

/* Commands Supported and Effects log. */
struct nv_log_effects {
	__le32 acs[256];
	__le32 iocs[256];
	u8 rsvd2048[2048];
};

static_assert(sizeof(struct nv_log_effects) == 4096);

#define NV_EFFECT_SUPPORTED	BIT(0)
#define NV_EFFECT_CONTENT	BIT(1)

/* Supported Log Pages and Feature Identifiers logs: an entry each. */
#define NV_LOG_LSUPP	BIT(0)
#define NV_FID_SUPPORTED	BIT(0)
#define NV_FID_NS	BIT(20)
#define NV_FID_CTRL	BIT(21)

/* Namespaces that the Changed Namespace List can name. */
#define NV_MAX_CHANGED	1024

/* Asynchronous events: type, information, log page. */
#define NV_AER(type, info, log)	((type) | (info) << 8 | (u32)(log) << 16)
#define NV_AER_TYPE(dw0)	((dw0) & 7)
#define NV_AER_LOG(dw0)		(((dw0) >> 16) & 0xff)
#define NV_AER_ERROR	0
#define NV_AER_SMART	1
#define NV_AER_NOTICE	2
#define NV_AER_CSS	6	/* I/O command set specific */
#define NV_AER_TYPES	8

#define NV_ERROR_BAD_DOORBELL_REG	0
#define NV_ERROR_BAD_DOORBELL	1
#define NV_NOTICE_NS_CHANGED	0

/* Reservation commands: dword 10. */
#define NV_RESV_ACTION(dw10)	((dw10) & 7)
#define NV_RESV_IEKEY	BIT(3)
#define NV_RESV_TYPE(dw10)	(((dw10) >> 8) & 0xff)
#define NV_RESV_CPTPL(dw10)	((dw10) >> 30)
#define NV_RESV_EDS	BIT(0)	/* Report: dword 11 */

/* Data of Reservation Register, Acquire; Release has the first key only. */
struct nv_resv_keys {
	__le64 crkey;
	__le64 key;	/* new, or to be preempted */
};

static_assert(sizeof(struct nv_resv_keys) == 16);

/* Reservation Status, followed by registered controllers. */
struct nv_resv_status {
	__le32 gen;
	u8 rtype;
	u8 regctl[2];
	u8 rsvd7[2];
	u8 ptpls;
	u8 rsvd10[14];
};

static_assert(sizeof(struct nv_resv_status) == 24);

struct nv_resv_ctrl {
	__le16 cntlid;
	u8 rcsts;
	u8 rsvd3[5];
	u8 hostid[8];
	__le64 rkey;
};

static_assert(sizeof(struct nv_resv_ctrl) == 24);

/* The extended form has 40 reserved bytes more before the first of these. */
struct nv_resv_ctrl_ext {
	__le16 cntlid;
	u8 rcsts;
	u8 rsvd3[5];
	__le64 rkey;
	u8 hostid[16];
	u8 rsvd32[32];
};

static_assert(sizeof(struct nv_resv_ctrl_ext) == 64);

#define NV_RESV_EXT_HEADER	64

/* Of RESCAP: all types; IEKEY as of version 1.3. */
#define NV_RESCAP_PTPL	BIT(0)
#define NV_RESCAP_ALL	0xfe

/* Reservation Notification log. */
struct nv_log_resv {
	__le64 count;
	u8 type;
	u8 more;
	u8 rsvd10[2];
	__le32 nsid;
	u8 rsvd16[48];
};

static_assert(sizeof(struct nv_log_resv) == 64);

/* Range of a Dataset Management command. */
struct nv_dsm_range {
	__le32 cattr;
	__le32 nlb;
	__le64 slba;
};

static_assert(sizeof(struct nv_dsm_range) == 16);

#define NV_DSM_MAX_RANGES	256
#define NV_DSM_DEALLOCATE	BIT(2)

/* Source range of a Copy command, descriptor format 0. */
struct nv_copy_range {
	u8 rsvd0[8];
	__le64 slba;
	__le16 nlb;
	u8 rsvd18[6];
	__le32 eilbrt;
	__le16 elbat;
	__le16 elbatm;
};

static_assert(sizeof(struct nv_copy_range) == 32);

/* Read and Write: dword 12. */
#define NV_RW_NLB(dw12)	(((dw12) & 0xffff) + 1)
#define NV_RW_DEAC	BIT(25)
#define NV_RW_PRINFO(dw12)	(((dw12) >> 26) & 15)
#define NV_RW_FUA	BIT(30)
#define NV_COPY_PRINFOR(dw12)	(((dw12) >> 12) & 15)

/* Protection information: what to do, what to check. */
#define NV_PRACT	BIT(3)
#define NV_PRCHK_GUARD	BIT(2)
#define NV_PRCHK_APP	BIT(1)
#define NV_PRCHK_REF	BIT(0)

#endif
