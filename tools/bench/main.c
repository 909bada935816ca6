// SPDX-License-Identifier: GPL-2.0
/* vhost-bench: the command line, and the result as one line of JSON. */
#include <dirent.h>
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static const struct bench_path *const paths[] = {
	&path_scsi, &path_blk, &path_vdpa, &path_user, &path_nvme,
	&path_uring,
};

static const char usage[] =
"usage: vhost-bench scsi|blk|nvme TARGET [options]\n"
"       vhost-bench vdpa TARGET|/dev/vhost-vdpa-N [options]\n"
"       vhost-bench vhost-user SOCKET [options]\n"
"       vhost-bench uring DISK [options]\n"
"       vhost-bench hold scsi|blk|nvme|vdpa TARGET [options]\n"
"Drives the queues of a target by its ioctl door. TARGET: a name; of a scsi\n"
"target, ours or upstream's vhost-scsi's, the wwpn; LUN 0, namespace 1. vdpa,\n"
"vhost-user: of a virtio-blk device, whoever serves it. uring: a disk or file.\n"
"hold: the sessions are there, and idle, from when a line says so to the end of\n"
"standard input.\n"
"  --rw randread|randwrite|randrw|read|write|rw   (randread); rw: 70 of 100\n"
"                        I/Os read\n"
"  --bs BYTES            of each I/O (4096)\n"
"  --depth N             I/Os in flight, of each queue (32)\n"
"  --queues N            (1)\n"
"  --queue-size N        entries of each (256)\n"
"  --sessions N          attachments (1), each with its memory and queues; more\n"
"                        than one: TARGET may be several, with commas, by turns\n"
"  --memory GIB          end of guest memory, which has buffers all over it\n"
"                        (what is needed); all of it is the same 64 MiB\n"
"  --places N            chunks of it with buffers (4096)\n"
"  --small-pages         it is not made of huge pages\n"
"  --seconds S           (5), or\n"
"  --ios N\n"
"  --rate N              I/Os a second; default: as many as there can be\n"
"  --cpu N               where this program runs\n"
"  --worker-cpu N        where vhost's workers, threads of this program, run\n"
"  --calls               sleep until interrupted; default: spin\n"
"  --trap                NVMe: where a shadow doorbell does not do, a call,\n"
"                        not a write to the mapped page\n"
"  --no-event-idx, --indirect, --packed   of virtqueues\n"
"  --seed N              of random offsets (1)\n";

enum opt {
	OPT_RW, OPT_BS, OPT_DEPTH, OPT_QUEUES, OPT_QUEUE_SIZE, OPT_SECONDS,
	OPT_IOS, OPT_RATE, OPT_CPU, OPT_WORKER_CPU, OPT_CALLS, OPT_TRAP,
	OPT_NO_EVENT_IDX, OPT_INDIRECT, OPT_PACKED, OPT_SEED, OPT_SESSIONS,
	OPT_MEMORY, OPT_PLACES, OPT_SMALL_PAGES, OPT_HELP,
};

static const struct option options[] = {
	{ "rw", 1, NULL, OPT_RW },
	{ "bs", 1, NULL, OPT_BS },
	{ "depth", 1, NULL, OPT_DEPTH },
	{ "queues", 1, NULL, OPT_QUEUES },
	{ "queue-size", 1, NULL, OPT_QUEUE_SIZE },
	{ "seconds", 1, NULL, OPT_SECONDS },
	{ "ios", 1, NULL, OPT_IOS },
	{ "rate", 1, NULL, OPT_RATE },
	{ "cpu", 1, NULL, OPT_CPU },
	{ "worker-cpu", 1, NULL, OPT_WORKER_CPU },
	{ "calls", 0, NULL, OPT_CALLS },
	{ "trap", 0, NULL, OPT_TRAP },
	{ "no-event-idx", 0, NULL, OPT_NO_EVENT_IDX },
	{ "indirect", 0, NULL, OPT_INDIRECT },
	{ "packed", 0, NULL, OPT_PACKED },
	{ "seed", 1, NULL, OPT_SEED },
	{ "sessions", 1, NULL, OPT_SESSIONS },
	{ "memory", 1, NULL, OPT_MEMORY },
	{ "places", 1, NULL, OPT_PLACES },
	{ "small-pages", 0, NULL, OPT_SMALL_PAGES },
	{ "help", 0, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static void __attribute__((noreturn)) wrong(const char *what)
{
	fprintf(stderr, "vhost-bench: %s\n", what);
	exit(2);
}

static u64 number(const char *text, u64 min, u64 max)
{
	char *end;
	u64 value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value < min ||
	    value > max)
		wrong("a number is out of range");
	return value;
}

static const struct {
	const char *name;
	unsigned int write_part;	/* of 100 */
} loads[] = {
	{ "read", 0 },
	{ "write", 100 },
	{ "rw", 30 },
};

static void set_rw(struct bench_opts *o, const char *text)
{
	unsigned int i;

	o->order = strncmp(text, "rand", 4) ? ORDER_SEQ : ORDER_RANDOM;
	if (o->order == ORDER_RANDOM)
		text += 4;
	for (i = 0; i < ARRAY_SIZE(loads); i++) {
		if (strcmp(loads[i].name, text))
			continue;
		o->write_part = loads[i].write_part;
		return;
	}
	wrong("--rw: randread, randwrite, randrw, read, write or rw");
}

static const char *name_of(unsigned int write_part)
{
	unsigned int i = 0;

	while (loads[i].write_part != write_part)
		i++;
	return loads[i].name;
}

static void set_number(struct bench_opts *o, int opt, const char *text)
{
	switch (opt) {
	case OPT_BS:
		o->block_size = number(text, SECTOR, MIB);
		break;
	case OPT_DEPTH:
		o->depth = number(text, 1, BENCH_MAX_DEPTH);
		break;
	case OPT_QUEUES:
		o->queues = number(text, 1, BENCH_MAX_QUEUES);
		break;
	case OPT_QUEUE_SIZE:
		o->queue_size = number(text, 2, 1024);
		break;
	case OPT_SESSIONS:
		o->sessions = number(text, 1, BENCH_MAX_SESSIONS);
		break;
	case OPT_MEMORY:
		o->memory = number(text, 1, 16384) << 30;
		break;
	case OPT_PLACES:
		o->places = number(text, 1, 1u << 20);
		break;
	case OPT_IOS:
		o->ios = number(text, 1, ~0ull);
		break;
	case OPT_RATE:
		o->rate = number(text, 1, 1000000000);
		break;
	case OPT_CPU:
		o->cpu = number(text, 0, CPU_SETSIZE - 1);
		break;
	case OPT_WORKER_CPU:
		o->worker_cpu = number(text, 0, CPU_SETSIZE - 1);
		break;
	default:
		o->seed = number(text, 0, ~0ull);
		break;
	}
}

static void set_option(struct bench_opts *o, int opt, const char *text)
{
	switch (opt) {
	case OPT_HELP:
		fputs(usage, stdout);
		exit(0);
	case '?':
		exit(2);
	case OPT_RW:
		set_rw(o, text);
		break;
	case OPT_SECONDS:
		o->seconds = atof(text);
		break;
	case OPT_CALLS:
		o->calls = true;
		break;
	case OPT_TRAP:
		o->trap = true;
		break;
	case OPT_NO_EVENT_IDX:
		o->event_idx = false;
		break;
	case OPT_INDIRECT:
		o->indirect = true;
		break;
	case OPT_PACKED:
		o->packed = true;
		break;
	case OPT_SMALL_PAGES:
		o->small_pages = true;
		break;
	default:
		set_number(o, opt, text);
		break;
	}
}

static const struct bench_path *find_path(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(paths); i++)
		if (!strcmp(paths[i]->name, name))
			return paths[i];
	wrong("scsi, blk, vdpa, vhost-user, nvme or uring?");
}

static void check_options(const struct bench_opts *o, bool hold)
{
	if (!hold && o->queues * o->sessions > BENCH_MAX_LANES)
		wrong("--sessions: too many queues");
	if (!(o->seconds > 0))
		wrong("--seconds: more than 0");
	if (o->block_size % SECTOR)
		wrong("--bs: a multiple of 512");
	/* A chain has three descriptors; an NVMe queue is never quite full. */
	if (o->depth * (o->indirect ? 1 : 3) >= o->queue_size)
		wrong("--depth: too much for --queue-size");
}

/* Returns whether to hold. */
static bool parse(struct bench *b, int argc, char **argv)
{
	bool hold;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		set_option(&b->o, opt, optarg);
	hold = optind < argc && !strcmp(argv[optind], "hold");
	optind += hold;
	if (argc - optind != 2)
		wrong("a device and a target, please (--help)");
	b->of = find_path(argv[optind]);
	b->path = b->o.sessions > 1 ? &path_many : b->of;
	b->o.target = argv[optind + 1];
	check_options(&b->o, hold);
	return hold;
}

/* Nothing is asked of the sessions until whoever started us lets go. */
static int hold_sessions(const struct bench *b)
{
	char c[64];
	ssize_t n;

	printf("{\"held\": %u, \"queues\": %u}\n", b->o.sessions,
	       b->o.queues);
	fflush(stdout);
	do
		n = read(STDIN_FILENO, c, sizeof(c));
	while (n > 0);
	return n ? -errno : 0;
}

static int pin(pid_t tid, int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return 0;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(tid, sizeof(set), &set) ? -errno : 0;
}

/* All threads but the first: we start none ourselves. */
static int pin_workers(int cpu)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *e;
	int ret = 0;

	if (!dir)
		return -errno;
	while (!ret && (e = readdir(dir)))
		if (atoi(e->d_name) && atoi(e->d_name) != getpid())
			ret = pin(atoi(e->d_name), cpu);
	closedir(dir);
	return ret;
}

static void print_result(const struct bench *b)
{
	static const double part[] = { 0.5, 0.99, 0.999 };
	static const char *const name[] = { "p50", "p99", "p999" };
	const struct bench_cost *c = &b->cost;
	unsigned int i;

	printf("{\"path\": \"%s\", \"rw\": \"%s%s\", \"bs\": %u, \"depth\": %u, "
	       "\"queues\": %u, \"wait\": \"%s\", ", b->of->name,
	       b->o.order == ORDER_RANDOM ? "rand" : "",
	       name_of(b->o.write_part), b->o.block_size, b->o.depth,
	       b->o.queues, b->o.calls ? "calls" : "spin");
	printf("\"ios\": %llu, \"seconds\": %.3f, \"iops\": %.1f, "
	       "\"lat_ns\": {\"mean\": %.0f",
	       (unsigned long long)b->done, c->ns / 1e9,
	       b->done / (c->ns / 1e9), (double)b->hist.sum / b->hist.n);
	for (i = 0; i < ARRAY_SIZE(part); i++)
		printf(", \"%s\": %llu", name[i], (unsigned long long)
		       hist_percentile(&b->hist, part[i]));
	printf("}, \"kicks\": %llu, \"calls\": %llu, \"sleeps\": %llu, ",
	       (unsigned long long)b->kicks, (unsigned long long)b->calls,
	       (unsigned long long)b->sleeps);
	printf("\"client_user\": %.3f, \"client_sys\": %.3f, "
	       "\"host_busy\": %.2f, \"host_idle\": %.2f, "
	       "\"worker_idle\": %.2f, \"switches\": %llu}\n", c->user,
	       c->sys, c->host_busy, c->host_idle, c->worker_idle,
	       (unsigned long long)c->switches);
}

int main(int argc, char **argv)
{
	static struct bench b = {
		.o = {
			.block_size = 4096, .depth = 32, .queues = 1,
			.queue_size = 256, .seconds = 5, .cpu = -1,
			.worker_cpu = -1, .event_idx = true, .seed = 1,
			.sessions = 1, .places = 4096,
		},
	};
	bool hold = parse(&b, argc, argv);
	int ret;

	ret = pin(0, b.o.cpu);
	if (!ret)
		ret = b.path->open(&b);
	if (!ret)
		ret = pin_workers(b.o.worker_cpu);
	if (!ret)
		ret = hold ? hold_sessions(&b) : bench_load(&b);
	if (!ret && !hold)
		print_result(&b);
	if (ret)
		fprintf(stderr, "vhost-bench: %s: %s\n", b.o.target,
			strerror(-ret));
	b.path->close(&b);
	return ret ? 1 : 0;
}
