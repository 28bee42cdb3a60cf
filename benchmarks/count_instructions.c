// A plugin for qemu's user emulation: counts the instructions that a program runs, and tells at its end how many they
// were, and how many of them its first thread ran. emulated.py beside this uses it; by hand:
//
//     gcc -O2 -shared -fPIC benchmarks/count_instructions.c -o count_instructions.so
//     qemu-aarch64 -plugin ./count_instructions.so PROGRAM
//
// Needs qemu 4.2 to 8.x with plugins, like Debian 12's qemu-user; the static qemu has none. Debian has no header of the
// interface, so the part that is used is declared here (docs/devel/tcg-plugins.rst of qemu).

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#define EXPORTED __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info_t;
enum { kNoRegisters = 0 };

typedef void (*Translated)(qemu_plugin_id_t, struct qemu_plugin_tb*);
typedef void (*Executed)(unsigned int, void*);
typedef void (*Ended)(qemu_plugin_id_t, void*);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, Translated callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb* block, Executed callback, int registers, void* data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, Ended callback, void* data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* block);

EXPORTED int qemu_plugin_version = 1;

// One a thread, each on a cache line of its own. Threads that share one, beyond this many, may lose some counts.
enum { kThreads = 256 };
static struct { _Alignas(64) uint64_t instructions; } counts[kThreads];

static void OnExecuted(unsigned int thread, void* size) { counts[thread % kThreads].instructions += (uintptr_t)size; }

static void OnTranslated(qemu_plugin_id_t id, struct qemu_plugin_tb* block) {
  (void)id;
  qemu_plugin_register_vcpu_tb_exec_cb(block, OnExecuted, kNoRegisters, (void*)qemu_plugin_tb_n_insns(block));
}

static void OnEnd(qemu_plugin_id_t id, void* data) {
  (void)id, (void)data;
  uint64_t sum = 0;
  for (int thread = 0; thread < kThreads; thread++) sum += counts[thread].instructions;
  fprintf(stderr, "%" PRIu64 " instructions, %" PRIu64 " of the first thread\n", sum, counts[0].instructions);
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t* info, int argc, char** argv) {
  (void)info, (void)argc, (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(id, OnTranslated);
  qemu_plugin_register_atexit_cb(id, OnEnd, NULL);
  return 0;
}
