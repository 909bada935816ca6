// SPDX-License-Identifier: GPL-2.0
/* Latency histograms: bucket i counts [2^i, 2^(i+1)) ns. */
#include "vhostctl.h"

#define BAR_LEN	40

static const struct {
	const char *name;
	u32 permille;
} percentiles[] = {
	{ "p50", 500 }, { "p99", 990 }, { "p99.9", 999 },
};

u64 hist_total(const __u64 *hist)
{
	u64 total = 0;

	for (int i = 0; i < VHOST_TARGET_HIST_BUCKETS; i++)
		total += hist[i];
	return total;
}

/*
 * The latency that permille of the requests did not exceed, with the
 * requests of a bucket taken as spread evenly over it; 0 without requests.
 */
u64 hist_percentile(const __u64 *hist, u32 permille)
{
	u64 total = hist_total(hist);
	u64 rank = total / 1000 * permille +
		   (total % 1000 * permille + 999) / 1000;

	for (int i = 0; i < VHOST_TARGET_HIST_BUCKETS && total; i++) {
		u64 low = 1ULL << i;

		if (rank <= hist[i])
			return low + (u64)((double)low * rank / hist[i]);
		rank -= hist[i];
	}
	return 0;
}

static void print_class(const __u64 *hist, const char *name, FILE *f)
{
	u64 total = hist_total(hist), most = 0;
	char a[TEXT_LEN], b[TEXT_LEN];
	int first = -1, last = 0;

	for (int i = 0; i < VHOST_TARGET_HIST_BUCKETS; i++) {
		if (!hist[i])
			continue;
		first = first < 0 ? i : first;
		last = i;
		most = hist[i] > most ? hist[i] : most;
	}
	fprintf(f, "\n%s latency, %llu requests:", name, total);
	for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++)
		fprintf(f, " %s %s", percentiles[i].name,
			text_ns(hist_percentile(hist, percentiles[i].permille),
				a));
	fputc('\n', f);
	for (int i = first; i <= last; i++) {
		int bar = (int)((double)hist[i] / most * BAR_LEN);

		fprintf(f, "  %9s .. %9s  %12llu  %5.1f%%%s%.*s\n",
			text_ns(1ULL << i, a), text_ns(2ULL << i, b),
			(u64)hist[i], 100.0 * hist[i] / total,
			bar ? "  " : "", bar,
			"########################################");
	}
}

/* Classes without requests are left out. */
void hist_print(const struct vhost_target_stats *s, FILE *f)
{
	for (int c = 0; c < VHOST_TARGET_OP_CLASSES; c++) {
		if (hist_total(s->hist[c]))
			print_class(s->hist[c], class_names[c], f);
	}
}

void hist_json(const struct vhost_target_stats *s, struct json *j)
{
	json_obj(j, "hist");
	for (int c = 0; c < VHOST_TARGET_OP_CLASSES; c++) {
		json_arr(j, class_names[c]);
		for (int i = 0; i < VHOST_TARGET_HIST_BUCKETS; i++)
			json_num(j, NULL, s->hist[c][i]);
		json_end(j);
	}
	json_end(j);
	json_obj(j, "percentiles_ns");
	for (int c = 0; c < VHOST_TARGET_OP_CLASSES; c++) {
		json_obj(j, class_names[c]);
		for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++)
			json_num(j, percentiles[i].name,
				 hist_percentile(s->hist[c],
						 percentiles[i].permille));
		json_end(j);
	}
	json_end(j);
}
