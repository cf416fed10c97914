// A plugin for qemu-user that counts the instructions a program executes, on whatever processor it is for.
//
// Debian has qemu with plugins but not their header; the few declarations needed are here (version 1 of the
// interface, as its documentation describes it). bench/instructions.py builds and uses it.
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>

extern "C" {
struct qemu_plugin_tb;
using Id = uint64_t;
using Translated = void (*)(Id, qemu_plugin_tb*);
using AtExit = void (*)(Id, void*);

void qemu_plugin_register_vcpu_tb_trans_cb(Id, Translated);
size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb*);
void qemu_plugin_register_vcpu_tb_exec_inline(qemu_plugin_tb*, int operation, void* counter, uint64_t by);
void qemu_plugin_register_atexit_cb(Id, AtExit, void*);
void qemu_plugin_outs(const char*);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

static uint64_t executed;

static void translated(Id, qemu_plugin_tb* block) {
  constexpr int kAdd = 0;
  qemu_plugin_register_vcpu_tb_exec_inline(block, kAdd, &executed, qemu_plugin_tb_n_insns(block));
}

static void at_exit(Id, void*) {
  char text[64];
  std::snprintf(text, sizeof text, "instructions: %" PRIu64 "\n", executed);
  qemu_plugin_outs(text);
}

__attribute__((visibility("default"))) int qemu_plugin_install(Id id, const void*, int, char**) {
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, at_exit, nullptr);
  return 0;
}
}
