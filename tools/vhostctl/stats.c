// SPDX-License-Identifier: GPL-2.0
/* The counters of struct vhost_target_stats: difference, sum, output. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "vhostctl.h"

const char * const class_names[VHOST_TARGET_OP_CLASSES] = {
	[VHOST_TARGET_OP_READ] = "read",
	[VHOST_TARGET_OP_WRITE] = "write",
	[VHOST_TARGET_OP_FLUSH] = "flush",
	[VHOST_TARGET_OP_OTHER] = "other",
};

#define COUNTER(field, text) \
	{ #field, text, offsetof(struct vhost_target_stats, field) }

static const struct {
	const char *name;
	const char *text;
	size_t off;
} counters[] = {
	COUNTER(invalid, "requests refused before the backend"),
	COUNTER(ring_errors, "rings stopped: the driver broke their rules"),
	COUNTER(mem_faults, "waits for guest memory"),
	COUNTER(parked, "waits for memory or a tag"),
	COUNTER(kicks, "notifications from the driver"),
	COUNTER(calls, "interrupts sent"),
	COUNTER(polls, "looks at the queue"),
	COUNTER(empty_polls, "looks that found nothing"),
	COUNTER(sleeps, "times armed and left alone"),
	COUNTER(rearms, "work came while being armed"),
	COUNTER(bounced, "requests copied for alignment"),
	COUNTER(inflight, "requests with the backend now"),
	COUNTER(absent, "commands for targets or LUNs that are not there"),
};

static u64 get(const struct vhost_target_stats *s, size_t off)
{
	__u64 val;

	memcpy(&val, (const char *)s + off, sizeof(val));
	return val;
}

/* Counters become their growth; inflight is no counter and stays. */
void stats_diff(struct vhost_target_stats *now,
		const struct vhost_target_stats *before)
{
	size_t off = offsetof(struct vhost_target_stats, ops);
	__u64 val;

	for (; off < offsetof(struct vhost_target_stats, reserved);
	     off += sizeof(val)) {
		if (off == offsetof(struct vhost_target_stats, inflight))
			continue;
		val = get(now, off) - get(before, off);
		/* summed while they moved: never show a huge number */
		if (get(now, off) < get(before, off))
			val = 0;
		memcpy((char *)now + off, &val, sizeof(val));
	}
}

void stats_all_classes(const struct vhost_target_stats *s, __u64 *hist)
{
	memset(hist, 0, VHOST_TARGET_HIST_BUCKETS * sizeof(*hist));
	for (int c = 0; c < VHOST_TARGET_OP_CLASSES; c++) {
		for (int i = 0; i < VHOST_TARGET_HIST_BUCKETS; i++)
			hist[i] += s->hist[c][i];
	}
}

u64 stats_sum(const __u64 *per_class)
{
	u64 sum = 0;

	for (int c = 0; c < VHOST_TARGET_OP_CLASSES; c++)
		sum += per_class[c];
	return sum;
}

u64 stats_rate(u64 diff, u64 ns)
{
	return ns ? (u64)((double)diff * 1e9 / ns + 0.5) : 0;
}

void stats_print(const struct vhost_target_stats *s, FILE *f)
{
	struct table t = { .head = { "class", ">ops", ">bytes", ">errors" } };

	for (int c = 0; c < VHOST_TARGET_OP_CLASSES; c++) {
		table_cell(&t, "%s", class_names[c]);
		table_cell(&t, "%llu", (u64)s->ops[c]);
		table_cell(&t, "%llu", (u64)s->bytes[c]);
		table_cell(&t, "%llu", (u64)s->errors[c]);
	}
	table_print(&t, f);
	fputc('\n', f);
	t = (struct table) { .head = { "counter", ">value", "meaning" } };
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		table_cell(&t, "%s", counters[i].name);
		table_cell(&t, "%llu", get(s, counters[i].off));
		table_cell(&t, "%s", counters[i].text);
	}
	table_print(&t, f);
}

static void classes_json(struct json *j, const char *key, const __u64 *vals)
{
	json_obj(j, key);
	for (int c = 0; c < VHOST_TARGET_OP_CLASSES; c++)
		json_num(j, class_names[c], vals[c]);
	json_end(j);
}

/* ns: time the values grew in, 0 when they are totals. */
void stats_json(const struct vhost_target_stats *s, bool hist, u64 ns,
		struct json *j)
{
	json_obj(j, NULL);
	json_str(j, "name", s->name);
	json_num(j, "queue", s->queue);
	classes_json(j, "ops", s->ops);
	classes_json(j, "bytes", s->bytes);
	classes_json(j, "errors", s->errors);
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		json_num(j, counters[i].name, get(s, counters[i].off));
	if (ns) {
		json_num(j, "iops", stats_rate(stats_sum(s->ops), ns));
		json_num(j, "bytes_per_s",
			 stats_rate(stats_sum(s->bytes), ns));
	}
	if (hist)
		hist_json(s, j);
	json_end(j);
}

u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void sleep_ns(u64 ns)
{
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}
