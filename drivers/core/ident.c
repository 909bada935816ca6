// SPDX-License-Identifier: GPL-2.0
/*
 * What targets and units are known by. What their maker did not say is made
 * of their names, so that a VM finds its disks again after a reload.
 */
#include <linux/ctype.h>
#include <linux/hex.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include <vhost_target/target.h>

#include "ident.h"

#define NAA_PREFIX	"naa."
#define NAA_DIGITS	16
#define NAA_SHIFT	60
#define NAA_LOCAL	3

/* FNV-1a. Users keep what comes out: it must never change. */
static u64 ident_hash(const char *name, u32 nr)
{
	u64 hash = 0xcbf29ce484222325ULL;
	unsigned int i;

	for (; *name; name++)
		hash = (hash ^ (u8)*name) * 0x100000001b3ULL;
	for (i = 0; i < sizeof(nr); i++)
		hash = (hash ^ ((nr >> (8 * i)) & 0xff)) * 0x100000001b3ULL;
	return hash ^ hash >> 32;
}

static u64 naa_local(u64 bits)
{
	return (u64)NAA_LOCAL << NAA_SHIFT |
	       (bits & GENMASK_ULL(NAA_SHIFT - 1, 0));
}

/* Types of 8 bytes: IEEE extended, locally assigned, IEEE registered. */
static bool naa_ok(u64 naa)
{
	unsigned int type = naa >> NAA_SHIFT;

	return type == 2 || type == NAA_LOCAL || type == 5;
}

static bool wwpn_parse(const char *wwpn, u64 *naa)
{
	const char *digits = wwpn + strlen(NAA_PREFIX);
	unsigned int i;

	if (strncmp(wwpn, NAA_PREFIX, strlen(NAA_PREFIX)) ||
	    strlen(digits) != NAA_DIGITS)
		return false;
	*naa = 0;
	for (i = 0; i < NAA_DIGITS; i++) {
		if (!isxdigit(digits[i]))
			return false;
		*naa = *naa << 4 | hex_to_bin(digits[i]);
	}
	return true;
}

static int wwpn_set(struct vt_target *t, const char *wwpn)
{
	u64 naa;

	if (!wwpn_parse(wwpn, &naa))
		return -EINVAL;
	strscpy(t->wwpn, wwpn);
	/* Any digits are in use as wwpns; what the VM sees is well-formed. */
	t->naa = naa_ok(naa) ? naa : naa_local(naa);
	return 0;
}

int vt_ident_target(struct vt_target *t, const struct vhost_target_create *p)
{
	if (t->type->type != VHOST_TARGET_SCSI)
		return p->wwpn[0] ? -EINVAL : 0;
	if (p->wwpn[0])
		return strnlen(p->wwpn, sizeof(p->wwpn)) < sizeof(p->wwpn) ?
		       wwpn_set(t, p->wwpn) : -EINVAL;
	if (!wwpn_set(t, t->name))
		return 0;
	t->naa = naa_local(ident_hash(t->name, 0));
	snprintf(t->wwpn, sizeof(t->wwpn), NAA_PREFIX "%016llx", t->naa);
	return 0;
}

/* A field of @len bytes, NUL-padded, to a string. */
static int ident_copy(char *to, const char *from, unsigned int len)
{
	unsigned int i, n = strnlen(from, len);

	for (i = 0; i < n; i++)
		if (!isascii(from[i]) || !isprint(from[i]))
			return -EINVAL;
	if (memchr_inv(from + n, 0, len - n))
		return -EINVAL;
	memcpy(to, from, n);
	to[n] = '\0';
	return 0;
}

static int ident_scsi(struct vt_unit *u, const struct vhost_target_unit_add *p)
{
	if (ident_copy(u->vendor, p->vendor, sizeof(p->vendor)) ||
	    ident_copy(u->product, p->product, sizeof(p->product)) ||
	    ident_copy(u->revision, p->revision, sizeof(p->revision)) ||
	    ident_copy(u->serial, u->serial, VHOST_TARGET_SERIAL_LEN))
		return -EINVAL;
	if (p->naa && !naa_ok(p->naa))
		return -EINVAL;
	u->naa = p->naa ?: naa_local(ident_hash(u->serial, 0));
	return 0;
}

static bool ident_has_scsi(const struct vhost_target_unit_add *p)
{
	return p->vendor[0] || p->product[0] || p->revision[0] || p->naa;
}

static void ident_serial(struct vt_unit *u)
{
	const struct vt_target *t = u->target;
	char made[VHOST_TARGET_NAME_LEN + 12];

	if (t->type->max_units == 1)
		snprintf(made, sizeof(made), "%s", t->name);
	else
		snprintf(made, sizeof(made), "%s-%u", t->name, u->nr);
	/* Cut off, those of two units would be the same. */
	if (t->type->max_units > 1 && strlen(made) > VHOST_TARGET_SERIAL_LEN)
		snprintf(made, sizeof(made), "%016llx",
			 ident_hash(t->name, u->nr));
	strscpy(u->serial, made);
}

int vt_ident_unit(struct vt_unit *u, const struct vhost_target_unit_add *p)
{
	memcpy(u->serial, p->serial, VHOST_TARGET_SERIAL_LEN);
	if (!u->serial[0])
		ident_serial(u);
	if (u->target->type->type == VHOST_TARGET_SCSI)
		return ident_scsi(u, p);
	return ident_has_scsi(p) ? -EINVAL : 0;
}
