// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "churn.h"

#define PAUSE_NS 5000000	/* at most, between two changes */
#define PATIENCE_MS 200

static u8 *view_of(const struct churn *c, unsigned int region)
{
	return c->m->region[region].hva + c->m->shift;
}

static int map_region(const struct churn *c, unsigned int i)
{
	u64 size = c->m->region[i].size;
	void *p = mmap(view_of(c, i), size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, c->m->memfd, i * size);

	return p == MAP_FAILED ? -errno : 0;
}

/* Some pages of a region. */
static void change_pages(struct churn *c, unsigned int region)
{
	u64 size = c->m->region[region].size;
	u64 nr = 1 + rng_below(&c->rng, rng_one_in(&c->rng, 16) ?
			       size / PAGE : 16);
	u64 at = rng_below(&c->rng, size / PAGE) * PAGE;
	u8 *p = view_of(c, region) + at;

	if (nr * PAGE > size - at)
		nr = (size - at) / PAGE;
	switch (rng_below(&c->rng, 6)) {
	case 0:
		munmap(p, nr * PAGE);
		/* So that nothing else gets the addresses. */
		mmap(p, nr * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		     MAP_NORESERVE | MAP_FIXED, -1, 0);
		break;
	case 1:
		mprotect(p, nr * PAGE, PROT_NONE);
		break;
	case 2:
		mprotect(p, nr * PAGE, PROT_READ);
		break;
	case 3:
		/* What is in it is lost, and not only the mapping. */
		madvise(p, nr * PAGE, MADV_REMOVE);
		break;
	case 4:
		map_region(c, region);
		break;
	default:
		madvise(p, nr * PAGE, MADV_DONTNEED);
		break;
	}
}

static int restore(struct churn *c)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < c->m->nr; i++)
		ret = map_region(c, i);
	return ret ? ret : c->whole(c->arg);
}

static void change(struct churn *c)
{
	unsigned int region = rng_below(&c->rng, c->m->nr);

	switch (rng_below(&c->rng, 32)) {
	case 0:
		c->without(c->arg, region);
		break;
	case 1 ... 8:
		restore(c);
		break;
	default:
		change_pages(c, region);
		break;
	}
	c->changes++;
}

/* What is found again only to be lost again would let nothing through. */
static void rest(struct churn *c)
{
	u64 then = __atomic_load_n(c->progress, __ATOMIC_RELAXED);
	struct timespec ts = { .tv_nsec = rng_below(&c->rng, PAUSE_NS) };
	unsigned int i;

	nanosleep(&ts, NULL);
	if (rng_one_in(&c->rng, 4))
		return;
	for (i = 0; i < PATIENCE_MS; i++) {
		if (__atomic_load_n(c->progress, __ATOMIC_RELAXED) != then)
			return;
		sleep_ms(1);
	}
}

static void *churn(void *arg)
{
	struct churn *c = arg;

	while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
		pthread_mutex_lock(&c->lock);
		change(c);
		pthread_mutex_unlock(&c->lock);
		rest(c);
	}
	return NULL;
}

int churn_start(struct churn *c, u64 seed)
{
	rng_seed(&c->rng, seed);
	pthread_mutex_init(&c->lock, NULL);
	c->stop = false;
	return -pthread_create(&c->thread, NULL, churn, c);
}

void churn_stop(struct churn *c)
{
	__atomic_store_n(&c->stop, true, __ATOMIC_RELAXED);
	pthread_join(c->thread, NULL);
}

int churn_pause(struct churn *c)
{
	pthread_mutex_lock(&c->lock);
	return vt_failed("memory", restore(c));
}

void churn_go_on(struct churn *c)
{
	pthread_mutex_unlock(&c->lock);
}
