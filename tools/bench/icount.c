// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU's emulator: how many instructions each CPU of a lab VM
 * executes while vhost-bench measures. Instructions are the same however busy
 * the machine is.
 *
 * vhost-bench executes a no-op with a number in it where its measured part
 * begins and ends. At the end a line of numbers goes to the file out=PATH: for
 * each CPU instructions in user space and in the kernel.
 *
 * QEMU's header is in no package: what is used of its plugin API, version 3,
 * is declared here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "mark.h"

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;
struct qemu_info_t;

typedef struct {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
} qemu_plugin_u64;

typedef void (*tb_trans_fn)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*insn_fn)(unsigned int vcpu, void *data);

#define INLINE_ADD_U64 0	/* enum qemu_plugin_op */
#define CB_NO_REGS 0		/* enum qemu_plugin_cb_flags */

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_trans_fn fn);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t i);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to,
			     size_t len);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    insn_fn fn, int flags, void *data);
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_plugin_tb *tb,
						       int op,
						       qemu_plugin_u64 entry,
						       uint64_t value);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t size);
void *qemu_plugin_scoreboard_find(struct qemu_plugin_scoreboard *score,
				  unsigned int vcpu);
int qemu_plugin_num_vcpus(void);

#define EXPORT __attribute__((visibility("default")))
#define MAX_CPUS 16

struct counts {
	uint64_t user;
	uint64_t kernel;
};

EXPORT int qemu_plugin_version = 3;
EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info,
			       int argc, char **argv);

static struct qemu_plugin_scoreboard *score;
static struct counts begun[MAX_CPUS];
static FILE *out;

static unsigned int cpus(void)
{
	unsigned int n = qemu_plugin_num_vcpus();

	return n < MAX_CPUS ? n : MAX_CPUS;
}

static void begin(unsigned int vcpu, void *data)
{
	unsigned int i;

	for (i = 0; i < cpus(); i++)
		begun[i] = *(struct counts *)
			   qemu_plugin_scoreboard_find(score, i);
	(void)vcpu;
	(void)data;
}

static void end(unsigned int vcpu, void *data)
{
	const struct counts *now;
	unsigned int i;

	for (i = 0; i < cpus(); i++) {
		now = qemu_plugin_scoreboard_find(score, i);
		fprintf(out, "%" PRIu64 " %" PRIu64 " ",
			now->user - begun[i].user,
			now->kernel - begun[i].kernel);
	}
	fprintf(out, "\n");
	fflush(out);
	(void)vcpu;
	(void)data;
}

static void look_for_marks(struct qemu_plugin_tb *tb, size_t n)
{
	static const uint8_t marks[2][MARK_BYTES] = {
		{ MARK_CODE(MARK_BEGIN) }, { MARK_CODE(MARK_END) },
	};
	uint8_t code[MARK_BYTES];
	size_t i;

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (qemu_plugin_insn_data(insn, code, sizeof(code)) !=
		    sizeof(code))
			continue;
		if (!memcmp(code, marks[0], sizeof(code)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, begin,
							       CB_NO_REGS,
							       NULL);
		if (!memcmp(code, marks[1], sizeof(code)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end,
							       CB_NO_REGS,
							       NULL);
	}
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	bool kernel = qemu_plugin_tb_vaddr(tb) >> 63;
	size_t n = qemu_plugin_tb_n_insns(tb);
	qemu_plugin_u64 entry = {
		score, kernel ? offsetof(struct counts, kernel) :
				offsetof(struct counts, user),
	};

	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, INLINE_ADD_U64,
							  entry, n);
	if (!kernel)
		look_for_marks(tb, n);
	(void)id;
}

int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc,
			char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "icount: out=PATH, please\n");
		return -1;
	}
	out = fopen(argv[0] + 4, "w");
	if (!out) {
		perror(argv[0] + 4);
		return -1;
	}
	score = qemu_plugin_scoreboard_new(sizeof(struct counts));
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
