// What natives keep per VM: console buffers, open files, small caches. Made when first asked for.
#pragma once
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/context.h"
#include "runtime/object.h"
#include "runtime/resources.h"

namespace eddy::rt {

// Where the last index into a String with multi-byte characters landed; valid until objects move.
struct CharCursor {
  const String* string = nullptr;
  uint64_t epoch = 0;
  uint32_t chars = 0, bytes = 0;
};

// Standard output, buffered unless it is a terminal.
class Output {
 public:
  Output();
  // Until settled(), what is there may be half done.
  std::string& buffer() {
    busy_.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return buffer_;
  }
  void settled() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    busy_.store(false, std::memory_order_relaxed);
  }
  // After something was appended to buffer(): writes it out where it is time to. False: errno is why.
  bool appended() {
    settled();
    return (buffer_.size() < kSize && !terminal_) || flush();
  }
  bool flush();
  // For a signal handler that is going to end the process: writes what can be written without waiting.
  void write_at_once() const;
  int error = 0;  // why flush_output() failed

 private:
  static constexpr size_t kSize = 1 << 16;
  std::string buffer_;
  std::atomic<bool> busy_{false};
  bool terminal_;
};

// Standard input.
struct Input {
  std::string buffered;
  size_t taken = 0;
  bool at_end = false;
};

// Text under construction. One native at a time may use it, and natives never nest.
class ScratchText {
 public:
  explicit ScratchText(Context& ctx);
  ~ScratchText() {
    if (text.capacity() > 1 << 16) text = {};
  }
  ScratchText(const ScratchText&) = delete;
  std::string& text;
};

struct NativeState {
  Output out;
  Input in;
  Resources files;
  CharCursor cursor;
  std::string scratch;
  std::optional<uint64_t> seed;  // where given, os.random draws from it instead of the system
  ~NativeState();
};

inline NativeState& native_state(Context& ctx) {
  if (!ctx.natives) [[unlikely]] ctx.natives = std::make_shared<NativeState>();
  return *ctx.natives;
}

inline ScratchText::ScratchText(Context& ctx) : text(native_state(ctx).scratch) { text.clear(); }

// For natives that wait: true after an interrupt, and a panic is pending, which nothing catches after Ctrl-C.
bool told_to_stop(Context& ctx);

// Writes all of it; errno, or 0. An interruption by a signal only counts where the program is to stop.
int write_fully(int fd, std::string_view bytes);

// At the end of a program: true where standard output took everything. Else, also when asked again, false and
// the system's word for what went wrong.
bool flush_output(Context& ctx, std::string* problem);

}  // namespace eddy::rt
