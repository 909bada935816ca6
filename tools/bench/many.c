// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions of one client as one device: lane i is queue i % queues of session
 * i / queues. They attach to the targets that are named, by turns.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"

/* Of a queue; of a session beside. */
#define FILES_QUEUE 4
#define FILES_SESSION 16

struct many {
	char *names;
	unsigned int queues;	/* of each */
	unsigned int nr;	/* opened */
	struct bench *b;
};

static struct many *to_many(const struct bench *b)
{
	return b->priv;
}

static struct bench *one_of(const struct bench *b, unsigned int lane)
{
	return &to_many(b)->b[lane / to_many(b)->queues];
}

static unsigned int queue_of(const struct bench *b, unsigned int lane)
{
	return lane % to_many(b)->queues;
}

static int raise_limit(const struct bench_opts *o)
{
	rlim_t files = o->sessions * (o->queues * FILES_QUEUE + FILES_SESSION);
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return -errno;
	if (r.rlim_cur >= files)
		return 0;
	r.rlim_cur = files;
	if (r.rlim_max < files)
		r.rlim_max = files;
	return setrlimit(RLIMIT_NOFILE, &r) ? -errno : 0;
}

static unsigned int split_names(char *names)
{
	unsigned int n = 1;

	while ((names = strchr(names, ','))) {
		*names++ = 0;
		n++;
	}
	return n;
}

static const char *nth_name(const char *names, unsigned int n)
{
	while (n--)
		names += strlen(names) + 1;
	return names;
}

static int open_one(struct bench *b, struct many *m, const char *name)
{
	struct bench *one = &m->b[m->nr];
	int ret;

	one->o = b->o;
	one->o.target = name;
	one->o.seed = b->o.seed + m->nr;
	one->path = b->of;
	m->nr++;
	ret = one->path->open(one);
	if (!b->bytes || one->bytes < b->bytes)
		b->bytes = one->bytes;
	b->least += one->least;
	return ret;
}

static int many_open(struct bench *b)
{
	struct many *m = calloc(1, sizeof(*m));
	unsigned int i, names;
	int ret;

	b->priv = m;
	if (!m)
		return -ENOMEM;
	m->queues = b->o.queues;
	m->names = strdup(b->o.target);
	m->b = calloc(b->o.sessions, sizeof(*m->b));
	if (!m->names || !m->b)
		return -ENOMEM;
	names = split_names(m->names);
	ret = raise_limit(&b->o);
	for (i = 0; i < b->o.sessions && !ret; i++)
		ret = open_one(b, m, nth_name(m->names, i % names));
	b->o.queues *= b->o.sessions;
	return ret;
}

static void many_close(struct bench *b)
{
	struct many *m = to_many(b);

	if (!m)
		return;
	while (m->nr) {
		struct bench *one = &m->b[--m->nr];

		one->path->close(one);
	}
	free(m->b);
	free(m->names);
	free(m);
}

static int many_put(struct bench *b, unsigned int q, unsigned int i, u64 offset)
{
	struct bench *one = one_of(b, q);

	one->write = b->write;
	return b->of->put(one, queue_of(b, q), i, offset);
}

static void many_kick(struct bench *b, unsigned int q)
{
	b->of->kick(one_of(b, q), queue_of(b, q));
}

static int many_get(struct bench *b, unsigned int q, unsigned int *i)
{
	return b->of->get(one_of(b, q), queue_of(b, q), i);
}

static void many_got(struct bench *b, unsigned int q)
{
	b->of->got(one_of(b, q), queue_of(b, q));
}

static bool many_arm(struct bench *b, unsigned int q, int *fd)
{
	return b->of->arm(one_of(b, q), queue_of(b, q), fd);
}

static u64 many_kicks(const struct bench *b, unsigned int q)
{
	return b->of->kicks(one_of(b, q), queue_of(b, q));
}

const struct bench_path path_many = {
	.name	= "many",
	.open	= many_open,
	.close	= many_close,
	.put	= many_put,
	.kick	= many_kick,
	.get	= many_get,
	.got	= many_got,
	.arm	= many_arm,
	.kicks	= many_kicks,
};
