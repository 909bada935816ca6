// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that does anything, and memory that changes between any two loads.
 *
 * An input is a program for the driver and the device: a few bytes that say
 * what ring it is, then one step after another. The areas have their exact
 * sizes, so the address sanitizer sees every access beside them. Whatever the
 * steps do, each call ends after a bounded number of loads and what it says
 * is coherent.
 *
 * Built with LIBFUZZER it is a target of that. Otherwise it makes its inputs
 * up: FUZZ_RUNS of them (default 200000) from FUZZ_SEED (default 1), for each
 * format; a failure names the seed that shows it alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <vhost_target/vring.h>

#include "shim/hook.h"

#define MEM_BASE	0x10000ULL
#define MEM_LEN		(1025u * 16)

/* More than any call needs: a whole ring and a whole table, four each. */
#define MAX_LOADS	(2 * 1024 * 4 + 64)

/* The input, taken from both ends: steps from the front, none left: 0. */
static const u8 *in;
static size_t in_left;

static u32 take(unsigned int bytes)
{
	u32 v = 0;

	for (; bytes && in_left; bytes--, in_left--)
		v = v << 8 | *in++;
	return v;
}

/* Numbers that matter, more often than others. */
static u32 take_odd(u32 near)
{
	static const u32 special[] = {
		0, 1, 2, 15, 16, 17, 32, 1023 * 16, 1024 * 16, 1025 * 16,
		0x7fff, 0x8000, 0xffff, 0x10000, 0x80000000, 0xffffffff,
	};
	u32 how = take(1);

	if (how < 64)
		return near;
	if (how < 96)
		return near + (how - 80);
	if (how < 192)
		return special[how % ARRAY_SIZE(special)];
	return take(4);
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

/* What makes the present input again, when it is made up. */
static u64 present;

/* The sanitizer calls this before it ends the program. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	fprintf(stderr, "fuzz_vring: %s: FUZZ_RUNS=1 FUZZ_SEED=%llu shows it\n",
		is_packed ? "packed" : "split", (unsigned long long)present);
}

static void die(const char *what)
{
	fflush(stdout);
	fprintf(stderr, "fuzz_vring: %s\n", what);
	__asan_on_error();
	abort();
}

#define MUST(cond)		\
	do {			\
		if (!(cond))	\
			die(#cond);	\
	} while (0)

/* Overwrite two bytes of an area the driver can write. */
static void poke(void)
{
	u32 where = take(1), off = take(2);
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
		poke_at += take(1) & 7;
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
	vr.size = 1u << take(1) % 11;
	vr.mask = vr.size - 1;
	vr.event_idx = take(1) & 1;
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
	u16 flags = take(1) & (table ? 3 : 7), other = take_odd(i + 1);
	u16 wrap = vr.next_wrap ? 0x80 : 0x8000;
	u64 addr = take(1) & 1 ? MEM_BASE : take(4);
	u32 len = take_odd(32);

	if (!last && take(1) & 7)
		flags |= VRING_DESC_F_NEXT;
	if (is_packed) {
		flags |= take(1) & 15 ? wrap : take(2);
		other = take_odd(i);
	}
	memcpy(at, &(__le64){ cpu_to_le64(addr) }, 8);
	memcpy(at + 8, &(__le32){ cpu_to_le32(len) }, 4);
	memcpy(at + (is_packed ? 14 : 12), &(__le16){ cpu_to_le16(flags) }, 2);
	memcpy(at + (is_packed ? 12 : 14), &(__le16){ cpu_to_le16(other) }, 2);
}

static void step_chain(void)
{
	u32 n = 1 + take(1) % 8, head = is_packed ? vr.next : take(1), i;
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
	u32 n = 1 + take(1) % 16, i;

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

	nr_loads = 0;
	poke_at = change ? 1 + take(1) % 32 : 0;
	mem_again = !(take(1) & 15);
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
	u32 n = take(1), how = take(1);

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
	poke_at = take(1) & 7;
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
	u32 what = take(1) % 16;

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

static void fuzz_one(const u8 *data, size_t len)
{
	if (!mem) {
		mem = area(MEM_LEN);
		chain = area(sizeof(*chain));
		vr.ind = area(VT_VRING_MAX_SIZE * sizeof(*vr.ind));
	}
	/* Nothing of the run before: an input is enough to repeat it. */
	memset(mem, 0, MEM_LEN);
	memset(&vr, 0, offsetof(struct vt_vring, ind));
	in = data;
	in_left = len;
	ring_setup();
	while (in_left)
		step();
	free(vr.desc);
	free(vr.driver);
	free(vr.device);
}

#ifdef LIBFUZZER

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	if (!len)
		return 0;
	is_packed = data[0] & 1;
	fuzz_one(data + 1, len - 1);
	return 0;
}

#else

#include "unit.h"

static u64 rng;

static u64 rnd(void)
{
	/* xorshift64* */
	rng ^= rng >> 12;
	rng ^= rng << 25;
	rng ^= rng >> 27;
	return rng * 0x2545f4914f6cdd1dULL;
}

static unsigned long env(const char *name, unsigned long def)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : def;
}

TEST_RINGS(fuzz, "random drivers: no access beside the ring, always an end")
{
	u64 runs = env("FUZZ_RUNS", 200000), seed = env("FUZZ_SEED", 1), i;
	u8 data[256];
	unsigned int k;

	is_packed = packed;
	for (i = 0; i < runs; i++) {
		present = seed + i;
		rng = (present + 1) * 0x9e3779b97f4a7c15ULL;
		for (k = 0; k < sizeof(data); k++)
			data[k] = rnd() >> 56;
		fuzz_one(data, 16 + rnd() % (sizeof(data) - 16));
	}
}

#endif
