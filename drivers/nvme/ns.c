// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces: a unit of the target each, NSID = unit + 1. What the NVM command
 * set says of one comes from its backend's limits.
 */
#include "nvme.h"

#define FNV_PRIME	0x100000001b3ULL
#define FNV_BASIS	0xcbf29ce484222325ULL

static u64 fnv(u64 hash, const void *data, size_t len)
{
	const u8 *p = data;

	while (len--)
		hash = (hash ^ *p++) * FNV_PRIME;
	return hash;
}

/* Names are short and alike: spread what they differ in over all bits. */
static u64 mix(u64 x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

/* Of names that somebody else made up. */
u64 nv_hash(const void *data, size_t len)
{
	return mix(fnv(FNV_BASIS, data, len));
}

/* The same for as long as the target and the unit have their names. */
static u64 ns_hash(const struct vt_unit *u, u8 salt)
{
	const char *name = u->target->name;
	u64 hash = fnv(FNV_BASIS, &salt, 1);
	__le32 nr = cpu_to_le32(u->nr);

	hash = fnv(hash, name, strlen(name) + 1);
	hash = fnv(hash, u->serial, strlen(u->serial) + 1);
	return mix(fnv(hash, &nr, sizeof(nr)));
}

static void put_be64(u8 *to, u64 x)
{
	int i;

	for (i = 7; i >= 0; i--, x >>= 8)
		to[i] = x;
}

/* Locally administered, as there is no vendor's OUI in it. */
void nv_ns_eui64(const struct vt_unit *u, u8 eui[8])
{
	put_be64(eui, ns_hash(u, 'e'));
	eui[0] = (eui[0] & ~1) | 2;
}

/* The extension identifier, then an identifier as in EUI-64 (4.5.1). */
void nv_ns_nguid(const struct vt_unit *u, u8 nguid[16])
{
	put_be64(nguid, ns_hash(u, 'n'));
	put_be64(nguid + 8, ns_hash(u, 'g'));
	nguid[8] = (nguid[8] & ~1) | 2;
}

/* RFC 9562, version 8: bits of our own choice. */
void nv_ns_uuid(const struct vt_unit *u, u8 uuid[16])
{
	put_be64(uuid, ns_hash(u, 'u'));
	put_be64(uuid + 8, ns_hash(u, 'v'));
	uuid[6] = (uuid[6] & 0x0f) | 0x80;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

bool nv_ns_ro(const struct vt_unit *u)
{
	return (u->flags & VHOST_TARGET_UNIT_F_RO) ||
	       READ_ONCE(u->be->limits.ro);
}

u8 nv_ns_nmic(const struct vt_unit *u)
{
	return u->target->flags & VHOST_TARGET_F_SHARED ? NV_NMIC_SHARED : 0;
}

u8 nv_ns_attr(const struct vt_unit *u)
{
	return nv_ns_ro(u) ? NV_NSATTR_RO : 0;
}

u8 nv_ns_rescap(const struct vt_unit *u)
{
	return NV_RESCAP_ALL |
	       (vt_resv_can_save(&u->be->resv) ? NV_RESCAP_PTPL : 0);
}

/* Bytes as a number of blocks, less one, as these fields count. */
static __le16 ns_blocks0(u64 bytes, u32 bs)
{
	u64 n = bytes / bs;

	return cpu_to_le16(n ? min_t(u64, n - 1, U16_MAX) : 0);
}

/* Not reported if it does not fit. */
static __le16 ns_boundary(const struct vt_limits *l)
{
	u64 n = ((u64)l->io_boundary << SECTOR_SHIFT) / l->block_size;

	return cpu_to_le16(n <= U16_MAX ? n : 0);
}

/* A multiple of the preferred granularity. */
static u32 ns_optimal(const struct vt_limits *l)
{
	u32 unit = max(l->io_min, l->block_size);

	return max(l->io_opt - l->io_opt % unit, unit);
}

static void ns_hints(struct nv_id_ns *id, const struct vt_limits *l)
{
	u32 bs = l->block_size;
	u64 discard = (u64)l->discard_alignment << SECTOR_SHIFT;

	id->nsfeat |= NV_NSFEAT_OPT;
	id->npwg = ns_blocks0(l->io_min, bs);
	id->npwa = id->npwg;
	id->npdg = ns_blocks0(discard ?: l->io_min, bs);
	id->npda = id->npdg;
	id->nows = ns_blocks0(ns_optimal(l), bs);
	id->noiob = ns_boundary(l);
}

/*
 * What a write of more than a block is worth: nothing that crosses a boundary
 * is whole. Linux takes the smaller of this and NPWG for the physical block.
 */
static void ns_atomic(struct nv_id_ns *id, const struct vt_limits *l)
{
	u32 bs = l->block_size;

	if (l->atomic_bytes <= bs)
		return;
	id->nsfeat |= NV_NSFEAT_ATOMIC;
	id->nawun = ns_blocks0(l->atomic_bytes, bs);
	id->nawupf = id->nawun;
	id->nabsn = id->nawun;
	id->nabspf = id->nawun;
	id->nabo = cpu_to_le16(l->alignment_offset / bs);
	id->nacwu = cpu_to_le16(NV_ACWU);
}

static void ns_copy_limits(struct nv_id_ns *id, u32 bs)
{
	id->mssrl = cpu_to_le16(min_t(u32, NV_MAX_DATA / bs, U16_MAX));
	id->mcl = cpu_to_le32(NV_COPY_TOTAL / bs);
	id->msrc = NV_COPY_RANGES - 1;
}

/* In a buffer of its own: Linux knows no other way on PCI. */
static void ns_pi(struct nv_id_ns *id, const struct vt_limits *l)
{
	id->lbaf[0].ms = cpu_to_le16(VT_PI_BYTES);
	id->mc = NV_MC_SEPARATE;
	id->dpc = NV_DPC_TYPE(l->pi_type) | NV_DPC_LAST;
	id->dps = l->pi_type;
}

void nv_ns_identify(const struct vt_unit *u, struct nv_id_ns *id)
{
	const struct vt_limits *l = &u->be->limits;
	u32 shift = ilog2(l->block_size);
	u64 blocks = READ_ONCE(l->sectors) >> (shift - SECTOR_SHIFT);

	id->nsze = cpu_to_le64(blocks);
	id->ncap = id->nsze;
	id->nuse = id->nsze;
	id->lbaf[0].lbads = shift;
	id->nmic = nv_ns_nmic(u);
	if (nv_ns_pi(u))
		ns_pi(id, l);
	else if (l->max_discard_sectors && l->max_write_zeroes_sectors)
		id->dlfeat = NV_DLFEAT_WZ_DEAC;
	id->nsattr = nv_ns_attr(u);
	id->rescap = nv_ns_rescap(u);
	ns_hints(id, l);
	ns_atomic(id, l);
	ns_copy_limits(id, l->block_size);
	nv_ns_nguid(u, id->nguid);
	nv_ns_eui64(u, id->eui64);
}
