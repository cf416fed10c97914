#include "tools/eddy/crash.h"

#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <new>
#include <string>

#include "tools/eddy/options.h"

namespace eddy::tool {

namespace {

std::string* report = nullptr;  // all that is printed after the signal's name; made while all is well

void say(const char* text, size_t size) {
  if (write(2, text, size) < 0) return;
}

const char* name_of(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "invalid memory access";
    case SIGBUS:
      return "bus error";
    case SIGILL:
      return "illegal instruction";
    case SIGFPE:
      return "arithmetic trap";
    default:
      return "abort";
  }
}

[[maybe_unused]] void on_fatal(int signal) {
  const char* name = name_of(signal);
  say("eddy: internal error: ", 22);
  say(name, std::strlen(name));
  say(report->data(), report->size());
  _exit(kInternal);
}

void on_no_memory() {
  static const char text[] = "eddy: the system has no more memory\n";
  say(text, sizeof text - 1);
  _exit(kLimit);
}

// As a shell reads it back.
std::string quoted(const char* word) {
  std::string_view text = word;
  bool plain =
      !text.empty() &&
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:+@%") ==
          std::string_view::npos;
  if (plain) return word;
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

void report_crashes(int argc, char** argv) {
  std::set_new_handler(on_no_memory);
  report =
      new std::string("\nThis is a fault of eddy, not of the program. To reproduce it, in this folder:\n ");
  for (int i = 0; i < argc; ++i) *report += " " + quoted(argv[i]);
  *report +=
      "\nPlease report it with that line, the program, and this: eddy " EDDY_VERSION ", " EDDY_BUILD "\n";

  constexpr size_t kStack = 64 * 1024;
  void* memory = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t alternate{};
  alternate.ss_sp = memory;
  alternate.ss_size = kStack;
  sigaltstack(&alternate, nullptr);
#ifndef EDDY_SANITIZE  // its own report says more
  struct sigaction action{};
  action.sa_handler = on_fatal;
  action.sa_flags = SA_ONSTACK | static_cast<int>(SA_RESETHAND);
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) sigaction(signal, &action, nullptr);
#endif
}

}  // namespace eddy::tool
