// SPDX-License-Identifier: GPL-2.0
/* Memories that share an RLIMIT_MEMLOCK: whose turn is it, and whose memory goes? */
#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

#include "../../drivers/core/gmem_share.h"
#include "unit.h"

#define NR	3
#define PAGES	512

/* Pages that are in no request's way: to be let go of. */
static struct vt_gmem mem[NR];
static struct vt_share share[NR];
static long idle[NR];

/* The last one is of another VMM. */
static void begin(void)
{
	unsigned int i;

	for (i = 0; i < NR; i++) {
		mem[i] = (struct vt_gmem){ .mm = (void *)(i < 2 ? 1ul : 2ul) };
		spin_lock_init(&mem[i].lock);
		atomic_long_set(&mem[i].nr_pages, 0);
		share[i] = (struct vt_share){ };
		vt_share_add(&share[i], &mem[i]);
		idle[i] = 0;
	}
}

static void end(void)
{
	unsigned int i;

	for (i = 0; i < NR; i++)
		vt_share_del(&share[i]);
}

bool vt_gmem_drop(struct vt_gmem *gm, u64 first, u64 last)
{
	EXPECT_EQ(0, first);
	EXPECT_EQ(U64_MAX, last);
	return idle[gm - mem];
}

void vt_gmem_reap_later(struct vt_gmem *gm)
{
	atomic_long_sub(idle[gm - mem], &gm->nr_pages);
	idle[gm - mem] = 0;
}

static void have(unsigned int i, long used, long unused)
{
	idle[i] = unused;
	atomic_long_set(&mem[i].nr_pages, used + unused);
}

static long pages(unsigned int i)
{
	return atomic_long_read(&mem[i].nr_pages);
}

/* The first one tries all the time: jiffies until the second one may. */
static unsigned int turn_lasts(bool crowded, unsigned int most)
{
	unsigned int n;

	for (n = 0; n < most && !vt_share_may_fill(&share[1]); n++) {
		jiffies++;
		if (vt_share_may_fill(&share[0]) && crowded)
			vt_share_make_room(&share[0]);
	}
	return n;
}

TEST(alone, "nobody else has anything, or only another VMM: no turns")
{
	begin();
	have(0, PAGES, PAGES);
	have(2, PAGES, PAGES);
	EXPECT_EQ(VT_ROOM_ALONE, vt_share_make_room(&share[0]));
	EXPECT(vt_share_may_fill(&share[0]));
	EXPECT(vt_share_may_fill(&share[1]));
	EXPECT_EQ(2 * PAGES, pages(0));
	EXPECT_EQ(2 * PAGES, pages(2));
	end();
}

TEST(dropped, "in a turn the others' memory goes, also what they fill meanwhile")
{
	begin();
	have(1, PAGES, PAGES);
	EXPECT_EQ(VT_ROOM_OTHERS, vt_share_make_room(&share[0]));
	EXPECT_EQ(PAGES, pages(1));
	EXPECT(!vt_share_may_fill(&share[1]));
	have(1, PAGES, PAGES);
	EXPECT_EQ(VT_ROOM_OTHERS, vt_share_make_room(&share[0]));
	EXPECT_EQ(PAGES, pages(1));
	/* It does not do so to whose turn it is. */
	have(0, 0, PAGES);
	EXPECT_EQ(VT_ROOM_TURN, vt_share_make_room(&share[1]));
	EXPECT_EQ(PAGES, pages(0));
	have(1, 0, PAGES);
	vt_share_make_room(&share[0]);
	EXPECT_EQ(VT_ROOM_ALONE, vt_share_make_room(&share[0]));
	end();
}

TEST(own, "its own is not the first to go, but goes while others use theirs")
{
	begin();
	have(0, 0, PAGES);
	have(1, PAGES, 0);
	EXPECT_EQ(VT_ROOM_OTHERS, vt_share_make_room(&share[0]));
	EXPECT_EQ(VT_ROOM_OWN, vt_share_make_room(&share[0]));
	EXPECT_EQ(PAGES, pages(0));
	have(0, 0, 0);
	EXPECT_EQ(VT_ROOM_OTHERS, vt_share_make_room(&share[0]));
	end();
}

TEST(paused, "a turn ends if its owner does not fill")
{
	begin();
	have(1, PAGES, 0);
	vt_share_make_room(&share[0]);
	jiffies += HZ / 25;
	EXPECT(!vt_share_may_fill(&share[1]));
	jiffies++;
	EXPECT(vt_share_may_fill(&share[1]));
	/* It had asked: now it is its turn. */
	EXPECT(!vt_share_may_fill(&share[0]));
	end();
}

TEST(busy, "a turn ends, however busy its owner is")
{
	begin();
	have(1, 0, PAGES);
	vt_share_make_room(&share[0]);
	EXPECT_EQ(HZ / 5 + 1, turn_lasts(false, 10 * HZ));
	EXPECT(!vt_share_may_fill(&share[0]));
	end();
}

TEST(in_use, "what others use puts the end off, but not for ever")
{
	unsigned int n;

	begin();
	have(1, PAGES, 0);
	vt_share_make_room(&share[0]);
	n = turn_lasts(true, 100 * HZ);
	EXPECT(n > HZ);
	EXPECT(n < 5 * HZ);
	EXPECT(!vt_share_may_fill(&share[0]));
	/* And then the other's. */
	jiffies += HZ / 25 + 1;
	EXPECT(vt_share_may_fill(&share[0]));
	end();
}
