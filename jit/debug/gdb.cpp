#include "jit/debug/gdb.h"

#include <deque>

extern "C" {

// Names and shapes that gdb looks for (its manual, "JIT Compilation Interface").
struct jit_code_entry {
  jit_code_entry *next_entry, *prev_entry;
  const char* symfile_addr;
  uint64_t symfile_size;
};
struct jit_descriptor {
  uint32_t version, action_flag;
  jit_code_entry *relevant_entry, *first_entry;
};
// NOLINTBEGIN(bugprone-reserved-identifier)
__attribute__((used, visibility("default"))) jit_descriptor __jit_debug_descriptor = {1, 0, nullptr, nullptr};
// gdb has a breakpoint here; it must stay a call.
__attribute__((noinline, used, visibility("default"))) void __jit_debug_register_code() {
  asm volatile("" ::: "memory");
}
// NOLINTEND(bugprone-reserved-identifier)
}

namespace eddy::jit::debug {

namespace {

enum Action : uint32_t { kNothing, kRegister, kUnregister };

class Gdb : public CodeListener {
 public:
  ~Gdb() override {
    for (File& file : files_) tell(kUnregister, file.entry);
    __jit_debug_descriptor.first_entry = nullptr;
  }

  void added(const CodeRegion& region) override {
    File& file = files_.emplace_back();
    file.bytes = object_file(region);
    file.entry.symfile_addr = reinterpret_cast<const char*>(file.bytes.data().data());
    file.entry.symfile_size = file.bytes.size();
    file.entry.next_entry = __jit_debug_descriptor.first_entry;
    if (file.entry.next_entry) file.entry.next_entry->prev_entry = &file.entry;
    __jit_debug_descriptor.first_entry = &file.entry;
    tell(kRegister, file.entry);
  }

 private:
  struct File {
    Bytes bytes;
    jit_code_entry entry{};
  };

  static void tell(Action action, jit_code_entry& entry) {
    __jit_debug_descriptor.action_flag = action;
    __jit_debug_descriptor.relevant_entry = &entry;
    __jit_debug_register_code();
    __jit_debug_descriptor.action_flag = kNothing;
  }

  std::deque<File> files_;
};

}  // namespace

std::unique_ptr<CodeListener> gdb_interface() { return std::make_unique<Gdb>(); }

}  // namespace eddy::jit::debug
