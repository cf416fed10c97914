// Rules: what a handler touches is lock-free and was set before; a handler calls async-signal-safe functions
// only.
#include "tools/eddy/signals.h"

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <ctime>

#include "runtime/natives/state.h"
#include "tools/eddy/options.h"

namespace eddy::tool {

namespace {

std::atomic<vm::Vm*> running{nullptr};
std::atomic<int> interrupts{0};
std::atomic<bool> prompting{false};
std::atomic<int64_t> deadline_ns{0};  // of --timeout on the monotonic clock; 0: none
std::atomic<bool> followed{false};    // by others: what has this deadline
std::atomic<int> late{0};             // times the clock has rung past the deadline

// A request can be lost in the instant in which the VM changes fibers, so it is repeated until it is heeded.
// What does not heed it soon, a long native say, is ended without ceremony.
constexpr int64_t kRepeatNs = 1'000'000;
constexpr int kPatience = 3;
// Where the system holds up signals, too (it clears large pages, or has others to run), one repetition is enough.
constexpr int64_t kLatestNs = 5'000'000;
// Where others follow it is given the time that a busy system may take.
constexpr int64_t kLatestFollowedNs = 500'000'000;

int64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// 0: never.
void ring_in(int64_t ns) {
  itimerval timer{};
  if (ns != 0 && ns < 1000) ns = 1000;
  timer.it_value.tv_sec = ns / 1'000'000'000;
  timer.it_value.tv_usec = ns % 1'000'000'000 / 1000;
  timer.it_interval.tv_usec = kRepeatNs / 1000;
  setitimer(ITIMER_REAL, &timer, nullptr);
}

void say(const char* text, size_t size) {
  if (write(2, text, size) < 0) return;
}

void on_alarm(int) {
  vm::Vm* vm = running.load();
  int64_t deadline = deadline_ns.load(), now = now_ns();
  if (deadline && now >= deadline) {
    int asked = late++;
    int64_t over = now - deadline;
    bool enough = !vm || asked >= kPatience || (asked > 0 && over >= kLatestNs);
    if (followed.load()) enough = over >= kLatestFollowedNs;
    if (enough) {
      if (vm && vm->context().natives) vm->context().natives->out.write_at_once();
      say("eddy: timeout\n", 14);
      _exit(kLimit);
    }
    if (vm) vm->interrupt(rt::Interrupt::Timeout);
  } else if (vm && vm->context().interrupt.load() != rt::Interrupt::None) {
    vm->context().request_safepoint();
  } else {
    ring_in(deadline ? deadline - now : 0);
  }
}

void on_interrupt(int) {
  if (prompting.load()) return;
  vm::Vm* vm = running.load();
  if (!vm || interrupts.fetch_add(1) > 0) _exit(kInterrupted);
  vm->interrupt(rt::Interrupt::Stop);
  ring_in(kRepeatNs);
}

void install(int signal, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_ONSTACK;  // machine code runs on stacks of its own
  sigaction(signal, &action, nullptr);
}

}  // namespace

void catch_interrupts() {
  install(SIGINT, on_interrupt);
  install(SIGALRM, on_alarm);
}

void start_clock(double seconds, bool others_follow) {
  if (seconds <= 0) return;
  double most = 1e9;  // beyond a human life there is no need for exactness
  auto ns = static_cast<int64_t>(std::min(seconds, most) * 1e9);
  late = 0;
  followed = others_follow;
  deadline_ns = now_ns() + ns;
  ring_in(ns);
}

void stop_clock() {
  itimerval off{};
  setitimer(ITIMER_REAL, &off, nullptr);
  deadline_ns = 0;
}

void set_running(vm::Vm* vm) { running = vm; }
void forget_interrupts() { interrupts = 0; }
void set_prompting(bool on) { prompting = on; }

}  // namespace eddy::tool
