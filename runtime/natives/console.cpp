// Standard input, output and error.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/natives/define.h"
#include "runtime/natives/state.h"
#include "runtime/show.h"
#include "runtime/utf8.h"

namespace eddy::rt {

int write_fully(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

Output::Output() : terminal_(isatty(STDOUT_FILENO)) {
  // A reader that goes away is an error of the write, not the end of the process.
  struct sigaction current{};
  if (sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) signal(SIGPIPE, SIG_IGN);
}

bool Output::flush() {
  if (buffer_.empty()) return true;
  std::string& text = buffer();
  int error = write_fully(STDOUT_FILENO, text);
  text.clear();  // also what could not be written: it will not get better
  if (text.capacity() > 16 * kSize) text.shrink_to_fit();
  settled();
  errno = error;
  return error == 0;
}

void Output::write_at_once() const {
  if (busy_.load(std::memory_order_relaxed)) return;
  // A pipe that is ready takes this much without waiting.
  constexpr size_t kPortion = 4096;
  for (size_t done = 0; done < buffer_.size();) {
    pollfd ready{STDOUT_FILENO, POLLOUT, 0};
    if (::poll(&ready, 1, 0) <= 0 || !(ready.revents & POLLOUT)) return;
    ssize_t n = ::write(STDOUT_FILENO, buffer_.data() + done, std::min(kPortion, buffer_.size() - done));
    if (n <= 0) return;
    done += static_cast<size_t>(n);
  }
}

NativeState::~NativeState() {
  out.flush();
  files.flush_all();
}

bool flush_output(Context& ctx, std::string* problem) {
  if (!ctx.natives) return true;
  ctx.natives->files.flush_all();
  int& error = ctx.natives->out.error;
  if (!ctx.natives->out.flush()) error = errno;
  if (error) *problem = std::strerror(error);
  return error == 0;
}

bool told_to_stop(Context& ctx) {
  Interrupt why = ctx.interrupt.load();
  if (why == Interrupt::None) return false;
  if (why == Interrupt::Stop) {
    // Heeded with this: nothing may stop the defers that run now.
    ctx.interrupt.store(Interrupt::None);
    ctx.interrupted = true;
  }
  panic(ctx, "interrupted");
  return true;
}

namespace {

Value output_failed(Context& ctx) {
  return panic(ctx, std::string("standard output: ") + std::strerror(errno));
}

Value print_with(Context& ctx, Value v, bool newline) {
  Output& out = native_state(ctx).out;
  std::string& buffer = out.buffer();
  size_t before = buffer.size();
  if (!append_display(ctx, buffer, v)) {
    buffer.resize(before);
    out.settled();
    return kNull;
  }
  if (newline) buffer += '\n';
  return out.appended() ? kUnit : output_failed(ctx);
}

Value print(Context& ctx, Value* args) { return print_with(ctx, args[0], false); }
Value println(Context& ctx, Value* args) { return print_with(ctx, args[0], true); }

Value eprint_with(Context& ctx, Value v, bool newline) {
  std::string text;
  if (!append_display(ctx, text, v)) return kNull;
  if (newline) text += '\n';
  if (!native_state(ctx).out.flush()) return output_failed(ctx);
  if (int error = write_fully(STDERR_FILENO, text)) return panic(ctx, std::string("standard error: ") + std::strerror(error));
  return kUnit;
}

Value eprint(Context& ctx, Value* args) { return eprint_with(ctx, args[0], false); }
Value eprintln(Context& ctx, Value* args) { return eprint_with(ctx, args[0], true); }

Value flush(Context& ctx, Value*) { return native_state(ctx).out.flush() ? kUnit : output_failed(ctx); }

// Reads more of standard input. False with a panic pending; at the end `at_end` is set.
bool fill(Context& ctx, Input& in) {
  char chunk[1 << 16];
  for (;;) {
    ssize_t n = ::read(STDIN_FILENO, chunk, sizeof chunk);
    if (n > 0) {
      in.buffered.append(chunk, static_cast<size_t>(n));
      return true;
    }
    if (n == 0) {
      in.at_end = true;
      return true;
    }
    if (errno == EAGAIN) {
      pollfd ready{STDIN_FILENO, POLLIN, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      panic(ctx, std::string("standard input: ") + std::strerror(errno));
      return false;
    }
    if (told_to_stop(ctx)) return false;
  }
}

Value read_line(Context& ctx, Value*) {
  NativeState& state = native_state(ctx);
  if (!state.out.flush()) return output_failed(ctx);
  Input& in = state.in;
  size_t searched = in.taken;
  size_t end;
  while ((end = in.buffered.find('\n', searched)) == std::string::npos && !in.at_end) {
    in.buffered.erase(0, in.taken);
    in.taken = 0;
    searched = in.buffered.size();
    if (!fill(ctx, in)) return kNull;
  }
  if (end == std::string::npos) {
    if (in.taken == in.buffered.size()) return make_none();
    end = in.buffered.size();
  }
  std::string_view line(in.buffered.data() + in.taken, end - in.taken);
  in.taken = std::min(end + 1, in.buffered.size());
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return make_some(ctx, valid_utf8(line) ? make_string(ctx, line) : make_string(ctx, repair_utf8(line)));
}

Value read_all(Context& ctx, Value*) {
  NativeState& state = native_state(ctx);
  if (!state.out.flush()) return output_failed(ctx);
  Input& in = state.in;
  while (!in.at_end)
    if (!fill(ctx, in)) return kNull;
  std::string text = repair_utf8(std::string_view(in.buffered).substr(in.taken));
  in = {};
  in.at_end = true;
  return make_string(ctx, text);
}

const Native table[] = {
    define<"a", print>("print", kNoAllocation),
    define<"a", println>("println", kNoAllocation),
    define<"a", eprint>("eprint", kNoAllocation),
    define<"a", eprintln>("eprintln", kNoAllocation),
    define<"", flush>("flush", kNoAllocation),
    define<"", read_line>("read_line"),
    define<"", read_all>("read_all"),
};

}  // namespace

const std::span<const Native> console_natives = table;

}  // namespace eddy::rt
