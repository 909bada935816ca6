// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that does anything, and memory that changes between any two loads.
 *
 * An input is a program for the driver and the device: a few bytes that say
 * what ring it is, then one step after another. The areas have their exact
 * sizes, so the address sanitizer sees every access beside them. Whatever the
 * steps do, each call ends after a bounded number of loads and what it says
 * is coherent; and a driver that starts anew is served.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <vhost_target/vring.h>

#include "../../drivers/core/vring.h"

#include "fuzz.h"
#include "shim/hook.h"

#define MEM_BASE	0x10000ULL
#define MEM_LEN		(1025u * 16)

/* More than any call needs: a whole ring and a whole table, four each. */
#define MAX_LOADS	(2 * 1024 * 4 + 64)

const unsigned int fuzz_cost = 1;

/* Numbers that matter, more often than others. */
static u32 take_odd(u32 near)
{
	static const u32 special[] = {
		0, 1, 2, 15, 16, 17, 32, 1023 * 16, 1024 * 16, 1025 * 16,
		0x7fff, 0x8000, 0xffff, 0x10000, 0x80000000, 0xffffffff,
	};
	u32 how = fuzz_take(1);

	if (how < 64)
		return near;
	if (how < 96)
		return near + (how - 80);
	if (how < 192)
		return special[how % ARRAY_SIZE(special)];
	return fuzz_take(4);
}

static struct vt_vring vr;
static struct vt_vring_layout lay;
static bool is_packed;
static u8 *mem;
static struct vt_chain *chain;
static bool mem_again;

/* Taken and not pushed: what the device's request pool bounds to the size. */
static unsigned int nr_taken;
static struct {
	u16 id;
	u16 slots;
} taken[VT_VRING_MAX_SIZE];

/* Overwrite two bytes of an area the driver can write. */
static void poke(void)
{
	u32 where = fuzz_take(1), off = fuzz_take(2);
	u16 val = take_odd(vr.next);
	u32 len;
	u8 *p;

	switch (where % 8) {
	case 0:
		p = vr.driver;
		len = lay.driver;
		break;
	case 1:
		p = vr.device;
		len = lay.device;
		break;
	case 2:
	case 3:
		p = mem;
		len = MEM_LEN;
		break;
	default:
		p = vr.desc;
		len = lay.desc;
		break;
	}
	/* Mostly near the start: small rings are full of surprises. */
	off = (where & 0x80 ? off : off % 64) % (len / 2) * 2;
	memcpy(p + off, &(__le16){ cpu_to_le16(val) }, 2);
}

/* The memory changes after the load with this number. */
static unsigned int nr_loads;
static unsigned int poke_at;

static void on_read(void)
{
	MUST(++nr_loads <= MAX_LOADS);
	if (nr_loads == poke_at) {
		poke();
		poke_at += fuzz_take(1) & 7;
	}
}

int vt_vring_read_guest(struct vt_vring *v, u64 addr, void *buf, u32 len)
{
	MUST(v == &vr);
	MUST(len && len <= VT_VRING_MAX_SIZE * 16);
	if (mem_again)
		return -EAGAIN;
	if (addr < MEM_BASE || addr - MEM_BASE > MEM_LEN ||
	    len > MEM_LEN - (addr - MEM_BASE))
		return -EFAULT;
	memcpy(buf, mem + (addr - MEM_BASE), len);
	return 0;
}

void *vt_vring_expect_guest(struct vt_vring *v, u64 addr)
{
	MUST(v == &vr);
	if (addr < MEM_BASE || addr - MEM_BASE >= MEM_LEN)
		return NULL;
	return mem + (addr - MEM_BASE);
}

static void *area(u32 len)
{
	void *p = malloc(len);

	memset(p, 0, len);
	return p;
}

static void ring_setup(void)
{
	u32 base;

	vr.ops = is_packed ? &vt_vring_packed_ops : &vt_vring_split_ops;
	vr.size = 1u << fuzz_take(1) % 11;
	vr.mask = vr.size - 1;
	vr.event_idx = fuzz_take(1) & 1;
	lay = vt_vring_layout(vr.size, is_packed);
	vr.desc = area(lay.desc);
	vr.driver = area(lay.driver);
	vr.device = area(lay.device);
	base = take_odd(is_packed ? 0x80008000 : 0);
	if (vt_vring_set_base(&vr, base))
		MUST(!vt_vring_set_base(&vr, is_packed ? 0x80008000 : 0));
	nr_taken = 0;
	mem_again = false;
}

/* A descriptor as a driver would write it, or nearly. */
static void put_desc(u8 *at, u32 i, bool last, bool table)
{
	u16 flags = fuzz_take(1) & (table ? 3 : 7), other = take_odd(i + 1);
	u16 wrap = vr.next_wrap ? 0x80 : 0x8000;
	u64 addr = fuzz_take(1) & 1 ? MEM_BASE : fuzz_take(4);
	u32 len = take_odd(32);

	if (!last && fuzz_take(1) & 7)
		flags |= VRING_DESC_F_NEXT;
	if (is_packed) {
		flags |= fuzz_take(1) & 15 ? wrap : fuzz_take(2);
		other = take_odd(i);
	}
	memcpy(at, &(__le64){ cpu_to_le64(addr) }, 8);
	memcpy(at + 8, &(__le32){ cpu_to_le32(len) }, 4);
	memcpy(at + (is_packed ? 14 : 12), &(__le16){ cpu_to_le16(flags) }, 2);
	memcpy(at + (is_packed ? 12 : 14), &(__le16){ cpu_to_le16(other) }, 2);
}

static void step_chain(void)
{
	u32 n = 1 + fuzz_take(1) % 8, head = is_packed ? vr.next : fuzz_take(1), i;
	struct vring_avail *avail = vr.driver;

	for (i = 0; i < n; i++) {
		u32 at = (head + i) & vr.mask;

		put_desc((u8 *)vr.desc + 16 * at, at, i + 1 == n, false);
	}
	if (is_packed)
		return;
	avail->ring[vr.avail_idx & vr.mask] =
		cpu_to_le16(take_odd(head & vr.mask));
	avail->idx = cpu_to_le16(take_odd(vr.next + 1));
}

static void step_table(void)
{
	u32 n = 1 + fuzz_take(1) % 16, i;

	for (i = 0; i < n; i++)
		put_desc(mem + 16 * i, i, i + 1 == n, true);
}

static void check_chain(void)
{
	u64 out = 0, in_len = 0;
	unsigned int i;

	MUST(chain->id < vr.size);
	MUST(chain->slots && chain->slots <= vr.size);
	MUST(chain->nr_out + chain->nr_in <= VT_VRING_MAX_SIZE);
	for (i = 0; i < chain->nr_out; i++)
		out += chain->seg[i].len;
	for (; i < chain->nr_out + chain->nr_in; i++)
		in_len += chain->seg[i].len;
	for (i = 0; i < chain->nr_out + chain->nr_in; i++)
		MUST(chain->seg[i].len);
	MUST(out == chain->out_len && in_len == chain->in_len);
}

static void step_peek(bool change)
{
	u32 before = vt_vring_get_base(&vr);
	int ret;

	/* Whatever it finds, it changes nothing. */
	if (!is_packed)
		vt_split_expect(&vr, VT_SPLIT_EXPECT);
	MUST(before == vt_vring_get_base(&vr));
	nr_loads = 0;
	poke_at = change ? 1 + fuzz_take(1) % 32 : 0;
	mem_again = !(fuzz_take(1) & 15);
	shim_on_read = on_read;
	ret = vr.ops->peek(&vr, chain);
	shim_on_read = NULL;

	MUST(before == vt_vring_get_base(&vr));
	MUST(ret == 1 || ret == 0 || ret == -EAGAIN || ret == -EPROTO);
	if (ret == -EPROTO) {
		MUST(vr.error > VT_RING_OK && vr.error < VT_RING_ERRORS);
		/* A driver resets it; here it goes on where it stood. */
		vr.error = VT_RING_OK;
		return;
	}
	MUST(vr.error == VT_RING_OK);
	if (ret == -EAGAIN)
		MUST(mem_again);
	if (ret != 1)
		return;
	check_chain();
	if (nr_taken == vr.size)
		return;
	vr.ops->consume(&vr, chain);
	taken[nr_taken].id = chain->id;
	taken[nr_taken++].slots = chain->slots;
}

static void step_push(void)
{
	u32 n = fuzz_take(1), how = fuzz_take(1);

	nr_loads = 0;
	poke_at = how & 3;
	for (; n && nr_taken; n >>= 1) {
		u32 k = n % nr_taken;

		vr.ops->push(&vr, taken[k].id, taken[k].slots, take_odd(1));
		taken[k] = taken[--nr_taken];
	}
	shim_on_read = on_read;
	if (how & 4)
		vr.ops->show(&vr);
	else
		vr.ops->publish(&vr);
	shim_on_read = NULL;
}

static void step_other(u32 what)
{
	nr_loads = 0;
	poke_at = fuzz_take(1) & 7;
	shim_on_read = on_read;
	switch (what) {
	case 0:
		vr.ops->arm(&vr);
		break;
	case 1:
		vr.ops->disarm(&vr);
		break;
	case 2:
		vr.ops->pending(&vr);
		break;
	default:
		MUST(!vt_vring_set_base(&vr, vt_vring_get_base(&vr)));
		break;
	}
	shim_on_read = NULL;
	if (is_packed)
		MUST(vr.next < vr.size && vr.used < vr.size);
}

static void step(void)
{
	u32 what = fuzz_take(1) % 16;

	switch (what) {
	case 0 ... 3:
		step_chain();
		break;
	case 4:
		step_table();
		break;
	case 5 ... 6:
		poke();
		break;
	case 7 ... 8:
		step_peek(true);
		break;
	case 9 ... 10:
		step_peek(false);
		break;
	case 11:
		step_push();
		break;
	default:
		step_other(what - 12);
		break;
	}
}

static void ring_free(void)
{
	free(vr.desc);
	free(vr.driver);
	free(vr.device);
}

/* A driver that does all right, on a ring of its own: one buffer. */
static void check_good(void)
{
	u8 desc[16] = { [3] = 1, [8] = 32 };

	vr.error = VT_RING_OK;
	ring_free();
	lay = vt_vring_layout(vr.size, is_packed);
	vr.desc = area(lay.desc);
	vr.driver = area(lay.driver);
	vr.device = area(lay.device);
	MUST(!vt_vring_set_base(&vr, is_packed ? 0x80008000 : 0));
	MUST(!vr.ops->peek(&vr, chain) && !vr.ops->pending(&vr));
	/* Available in the first lap. */
	if (is_packed)
		desc[14] = 0x80;
	memcpy(vr.desc, desc, sizeof(desc));
	if (!is_packed)
		((struct vring_avail *)vr.driver)->idx = cpu_to_le16(1);
	MUST(vr.ops->pending(&vr));
	MUST(vr.ops->peek(&vr, chain) == 1);
	MUST(chain->nr_out == 1 && chain->out_len == 32 && !chain->nr_in);
	vr.ops->consume(&vr, chain);
	vr.ops->push(&vr, chain->id, chain->slots, 0);
	MUST(vr.ops->publish(&vr));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	if (!mem) {
		mem = area(MEM_LEN);
		chain = area(sizeof(*chain));
		vr.ind = area(VT_VRING_MAX_SIZE * sizeof(*vr.ind));
	}
	/* Nothing of the run before: an input is enough to repeat it. */
	memset(mem, 0, MEM_LEN);
	memset(&vr, 0, offsetof(struct vt_vring, ind));
	fuzz_begin(data, len);
	is_packed = fuzz_take(1) & 1;
	ring_setup();
	while (fuzz_left())
		step();
	check_good();
	ring_free();
	return 0;
}

/* Steps of a driver. */
static void put_chain(unsigned int n, bool table)
{
	unsigned int i;

	fuzz_put(1, 0);
	fuzz_put(1, n - 1);
	if (!is_packed)
		fuzz_put(1, 0);
	for (i = 0; i < n; i++) {
		bool last = i + 1 == n;

		/* Flags, next, address, length: all as they should be. */
		fuzz_put(1, table ? VRING_DESC_F_INDIRECT :
			 i ? VRING_DESC_F_WRITE : 0);
		fuzz_put(1, 0);
		fuzz_put(1, 1);
		fuzz_put(1, 0);
		if (!last)
			fuzz_put(1, 1);
		if (is_packed) {
			fuzz_put(1, 1);
			fuzz_put(1, 0);
		}
	}
	if (!is_packed) {
		fuzz_put(1, 0);
		fuzz_put(1, 0);
	}
}

static void put_take(void)
{
	fuzz_put(1, 9);
	fuzz_put(1, 1);
}

static void put_push(bool publish)
{
	fuzz_put(1, 11);
	fuzz_put(2, publish ? 0x0100 : 0x0104);
	fuzz_put(1, 0);
}

static void put_table(unsigned int n)
{
	unsigned int i;

	fuzz_put(1, 4);
	fuzz_put(1, n - 1);
	for (i = 0; i < n; i++) {
		fuzz_put(1, i ? VRING_DESC_F_WRITE : 0);
		fuzz_put(3, 0x000100);
		if (i + 1 != n)
			fuzz_put(1, 1);
		if (is_packed)
			fuzz_put(2, 0x0100);
	}
}

static void seed_of(const char *name, bool packed, bool event_idx,
		    unsigned int descs, bool table)
{
	unsigned int i;

	is_packed = packed;
	fuzz_put(1, packed);
	fuzz_put(1, 4);
	fuzz_put(1, event_idx);
	fuzz_put(1, 0);
	for (i = 0; i < 20; i++) {
		if (table)
			put_table(descs);
		put_chain(table ? 1 : descs, table);
		put_take();
		put_push(i & 1);
		fuzz_put(2, (12 + i % 4) << 8);
	}
	fuzz_save(name);
}

void fuzz_seeds(void)
{
	seed_of("split", false, false, 3, false);
	seed_of("split_event", false, true, 2, false);
	seed_of("split_table", false, true, 4, true);
	seed_of("packed", true, false, 3, false);
	seed_of("packed_event", true, true, 2, false);
	seed_of("packed_table", true, true, 4, true);
}
