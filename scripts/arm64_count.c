/* A plugin of qemu-aarch64 that counts the instructions that a program runs, and the multiply-adds of four floats among them, function
 * by function: "qemu-aarch64 -plugin arm64_count.so,out=FILE program ...". It is exact for programs that compute on one thread.
 * make arm64-count compiles it. The declarations are those of QEMU's interface for plugins, version 1, as far as they are used. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int operation, void *at, uint64_t value);
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

/* A stretch of instructions without a jump into it, and how often it ran. */
struct stretch {
	const char *function;
	uint64_t instructions, products, runs;
	struct stretch *next;
};

static struct stretch *all;
static FILE *out;

/* fmla of four floats by element, or of two registers. */
static int is_product(uint32_t word) { return (word & 0xffc0f400) == 0x4f801000 || (word & 0xffe0fc00) == 0x4e20cc00; }

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	struct stretch *s = calloc(1, sizeof *s);
	const char *name = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(tb, 0));
	s->function = strdup(name ? name : "?");
	s->instructions = qemu_plugin_tb_n_insns(tb);
	for (size_t i = 0; i < s->instructions; i++) {
		uint32_t word;
		memcpy(&word, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)), sizeof word);
		s->products += is_product(word);
	}
	do
		s->next = __atomic_load_n(&all, __ATOMIC_RELAXED);
	while (!__sync_bool_compare_and_swap(&all, s->next, s));
	qemu_plugin_register_vcpu_tb_exec_inline(tb, ADD_U64, &s->runs, 1);
}

/* One line a stretch: instructions, multiply-adds, function. Whoever reads it adds up. */
static void finished(plugin_id id, void *unused)
{
	for (struct stretch *s = all; s; s = s->next)
		if (s->runs)
			fprintf(out, "%llu %llu %s\n", (unsigned long long)(s->runs * s->instructions), (unsigned long long)(s->runs * s->products), s->function);
	fclose(out);
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4) || !(out = fopen(argv[0] + 4, "w"))) {
		fprintf(stderr, "arm64_count: out=FILE names the file for the counts\n");
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finished, NULL);
	return 0;
}
