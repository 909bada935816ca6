// SPDX-License-Identifier: GPL-2.0
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kselftest.h>

#include "forked.h"

int run_forked(int (*fn)(void *arg), void *arg, unsigned int seconds)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(seconds);
		_exit(fn(arg));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return KSFT_FAIL;
	if (WIFSIGNALED(status))
		vt_msg("killed by signal %d", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : KSFT_FAIL;
}

struct fuzz_case {
	int (*fuzz)(const struct fuzz_run *run);
	struct fuzz_run run;
};

static int fuzz_case(void *arg)
{
	const struct fuzz_case *c = arg;

	return c->fuzz(&c->run);
}

int fuzz_main(int argc, char **argv, unsigned long chains,
	      int (*fuzz)(const struct fuzz_run *run))
{
	static const struct fuzz_run kinds[] = {
		{ .name = "split" },
		{ .name = "split,indirect,event",
		  .indirect = true, .event_idx = true },
		{ .name = "packed", .packed = true },
		{ .name = "packed,indirect,event",
		  .packed = true, .indirect = true, .event_idx = true },
	};
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : now_ns();
	struct fuzz_case c = { .fuzz = fuzz };
	unsigned int i;

	if (argc > 1)
		chains = strtoul(argv[1], NULL, 0);
	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(kinds));
	ksft_print_msg("%lu chains each, seed %llu\n", chains,
		       (unsigned long long)seed);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		c.run = kinds[i];
		c.run.chains = chains;
		rng_seed(&c.run.rng, seed);
		ksft_test_result_report(run_forked(fuzz_case, &c, 0),
					"fuzz %s\n", kinds[i].name);
	}
	ksft_finished();
}
