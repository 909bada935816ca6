// SPDX-License-Identifier: GPL-2.0
/* Checks of protection information: see <vhost_target/pi.h>. */
#include <linux/crc-t10dif.h>
#include <linux/kernel.h>
#include <linux/export.h>

#include <vhost_target/pi.h>

#define APP_ESCAPE	0xffff
#define REF_ESCAPE	0xffffffff

bool vt_pi_escapes(const struct vt_pi_tuple *t, u8 type)
{
	return be16_to_cpu(t->app) == APP_ESCAPE &&
	       (type != 3 || be32_to_cpu(t->ref) == REF_ESCAPE);
}
EXPORT_SYMBOL_GPL(vt_pi_escapes);

u8 vt_pi_verify(const struct vt_pi_tuple *t, u8 type, u8 checks, u16 guard,
		u32 ref)
{
	if (checks & VT_PI_GUARD && be16_to_cpu(t->guard) != guard)
		return VT_PI_GUARD;
	/* Type 3 leaves the reference tag to the initiator. */
	if (checks & VT_PI_REF && type != 3 && be32_to_cpu(t->ref) != ref)
		return VT_PI_REF;
	return 0;
}

void vt_pi_generate(struct vt_pi *pi, u32 first, u32 nr, const void *data,
		    u32 interval, u16 app)
{
	struct vt_pi_tuple *t;
	u32 i;

	for (i = first; i < first + nr; i++, data += interval) {
		t = &pi->tuple[i];
		t->guard = cpu_to_be16(crc_t10dif_update(0, data, interval));
		t->app = cpu_to_be16(app);
		t->ref = cpu_to_be32(pi->type == 3 ? pi->ref : pi->ref + i);
	}
}
EXPORT_SYMBOL_GPL(vt_pi_generate);

bool vt_pi_check(struct vt_pi *pi, u32 first, u32 nr, const void *data,
		 u32 interval, u8 checks, bool read)
{
	const struct vt_pi_tuple *t;
	u16 guard = 0;
	u32 i;

	for (i = first; i < first + nr; i++, data += interval) {
		t = &pi->tuple[i];
		if (read && vt_pi_escapes(t, pi->type))
			continue;
		if (checks & VT_PI_GUARD)
			guard = crc_t10dif_update(0, data, interval);
		pi->bad = vt_pi_verify(t, pi->type, checks, guard, pi->ref + i);
		pi->bad_at = i;
		if (pi->bad)
			return false;
	}
	return true;
}
EXPORT_SYMBOL_GPL(vt_pi_check);
